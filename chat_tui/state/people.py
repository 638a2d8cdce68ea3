"""Who is online in a room, in the order it is shown."""

from collections.abc import Iterable, Mapping


class People:
    """The names online in one room. All changes are set operations: hearing of something twice changes nothing."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.users: dict[str, int] = {}
        """By name, as far as the server said: the stable number of who has it."""
        self.away: dict[str, str] = {}
        """Who of them is away, and what they say to that."""
        self._coming: People | None = None
        self._ordered: list[str] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def roster(
        self, names: list[str], more: bool, users: Iterable[int] = (), away: Mapping[str, str] | None = None
    ) -> None:
        """Replace all by a roster that may come in parts, the last one without `more`."""
        coming = self._coming = self._coming or People()
        coming.add(names, users, away)
        if not more:
            self.names, self.users, self.away, self._coming = coming.names, coming.users, coming.away, None
            self._ordered = None

    def add(self, names: list[str], users: Iterable[int] = (), away: Mapping[str, str] | None = None) -> list[str]:
        """Add names with their users, and who of them is away; return those that are new here, in their order."""
        new = [name for name in dict.fromkeys(names) if name not in self.names]
        self.names.update(new)
        self.users.update(zip(names, users, strict=False))
        for name in new:
            self.away.pop(name, None)
        self.away.update(away or {})
        self._ordered = None
        return new

    def remove(self, names: Iterable[str]) -> list[str]:
        """Remove names; return those that were here, in their order."""
        gone = [name for name in dict.fromkeys(names) if name in self.names]
        self.names.difference_update(gone)
        for name in gone:
            self.users.pop(name, None)
            self.away.pop(name, None)
        self._ordered = None
        return gone

    def rename(self, old: str, new: str) -> bool:
        """Put `new` in the place of `old`; return whether `old` was here."""
        if old not in self.names:
            return False
        self.names.discard(old)
        self.names.add(new)
        if old in self.users:
            self.users[new] = self.users.pop(old)
        if old in self.away:
            self.away[new] = self.away.pop(old)
        self._ordered = None
        return True

    def status(self, name: str, away: bool, text: str) -> bool:
        """Take in that someone is away, or here again; return whether they are in this room."""
        if name not in self.names:
            return False
        if away:
            self.away[name] = text
        else:
            self.away.pop(name, None)
        return True

    def clear(self) -> None:
        """Forget all: nothing is known while there is no connection."""
        self.names.clear()
        self.users.clear()
        self.away.clear()
        self._coming = None
        self._ordered = None

    def ordered(self, me: str) -> list[str]:
        """Return the names sorted, `me` first."""
        if self._ordered is None:
            self._ordered = sorted(self.names, key=lambda name: (name.casefold(), name))
        if me not in self.names:
            return list(self._ordered)
        return [me, *(name for name in self._ordered if name != me)]
