"""A room of so many that its members are told how many are here, and the names of a few."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Self

NAMED: Final = 20
"""Of so many people one is told by name: of a crowd of 2,000 a hundred, more than a sidebar shows."""

LEFT: Final = 0.75
"""The share of a crowd's least that may be left before it is none: a few who come and go change nothing."""


@dataclass(eq=False, slots=True)
class Crowd:
    """Those of a crowd who are told by name, to all of it alike: the rest is counted."""

    most: int
    """Names that a newcomer is told, and as many again of those who moderate."""
    named: dict[str, int] = field(default_factory=dict)
    """Who is told by name, each with their user; who said something last stands last. Who has said something stays
    among them while they are here: to tell that they go takes fewer bytes than what they said."""
    shown: dict[str, int] = field(default_factory=dict)
    """Those of them whom newcomers were told of last."""
    unnamed: dict[str, None] = field(default_factory=dict)
    """Who is to be told by name from now on, and was not yet."""

    @classmethod
    def of(cls, least: int, people: dict[str, int], moderating: Collection[str]) -> Self:
        """Return the crowd that these people, each with their user, have become; it has `least` of them at least."""
        crowd = cls(max(1, least // NAMED))
        crowd.came(people, moderating)
        return crowd

    def came(self, people: dict[str, int], moderating: Collection[str] = ()) -> dict[str, int]:
        """Return who of those that come in is told by name: who moderates, and others while few are."""
        found: dict[str, int] = {}
        for name, user in people.items():
            if name in self.named or name in moderating or len(self.named) + len(found) < self.most:
                found[name] = user
        if found:  # who has said nothing yet stands before those who have
            self.named = {name: user for name, user in found.items() if name not in self.named} | self.named | found
        return found

    def renamed(self, old: str, new: str) -> None:
        """Somebody of those who are told by name has another one, in the same place."""
        self.named = {new if name == old else name: user for name, user in self.named.items()}

    def few(self, moderating: Collection[str]) -> dict[str, int]:
        """Return whom a newcomer is told of: who moderates first, then those who said something last."""
        first = [name for name in self.named if name in moderating] if moderating else []
        others = (name for name in reversed(self.named) if name not in moderating)
        self.shown = {name: self.named[name] for name in (*first[: self.most], *islice(others, self.most))}
        return self.shown
