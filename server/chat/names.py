"""The names in use."""

import unicodedata

from server.chat.answers import refused
from server.chat.world import Person
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import name_keys


class Names:
    """The names in use: no two that look alike."""

    def __init__(self) -> None:
        self._by_key: dict[str, Person] = {}
        self._by_name: dict[str, Person] = {}

    def claim(self, name: str, person: Person, *, account: bool = False) -> None:
        """Keep a checked name for a person, beside the one they have; ProtocolError, naming the conflict, if taken.

        Where it is an account's the answer is the same whether its owner is here or not. `account`: it is to be one.
        """
        keys = name_keys(name)
        for key in keys:
            holder = self._by_key.get(key)
            if holder is not None and holder is not person:
                if holder.account and not account:
                    raise refused(Code.LOGIN_NEEDED)
                raise ProtocolError(Code.NAME_TAKEN, _conflict(name, holder.name))
        self._keep(name, person)

    def take(self, name: str, person: Person) -> None:
        """Keep the name of an account for whose it is; ProtocolError where somebody is here under one like it.

        Who only asks for it, in a hello or as one who is here, has no right to it: the log refuses them. Else anybody
        could keep its owner out.
        """
        keys = name_keys(name)
        for key in keys:
            holder = self._by_key.get(key)
            called_so = holder is not None and holder.user and not keys.isdisjoint(name_keys(holder.name))
            if holder is not None and holder is not person and called_so:
                raise ProtocolError(Code.NAME_TAKEN, _conflict(name, holder.name))
        self._keep(name, person)

    def _keep(self, name: str, person: Person) -> None:
        for key in name_keys(name):
            self._by_key[key] = person
        folded = name.casefold()
        self._by_name[name if folded == name else folded] = person  # most names are in lower case: one copy of each

    def find(self, name: str) -> Person | None:
        """Return who is here under a name, whatever its capitals; None for a name that only looks like one in use.

        Who is still saying hello is not here yet: the log has not said who they are. Nor is somebody found by a name
        that they only ask for: what is meant for its owner would be theirs till the log says no.
        """
        folded = fold(name)
        person = self._by_name.get(folded)
        return person if person is not None and person.user and person.name.casefold() == folded else None

    def free(self, name: str, person: Person, *, keep: str | None = None) -> None:
        """Give up a person's name; what it shares with the name they `keep` stays theirs."""
        folded = name.casefold()
        if self._by_name.get(folded) is person and (keep is None or keep.casefold() != folded):
            del self._by_name[folded]
        kept = name_keys(keep) if keep is not None else frozenset()
        for key in name_keys(name) - kept:
            if self._by_key.get(key) is person:
                del self._by_key[key]


def fold(name: str) -> str:
    """Return a name, or how one begins, so that it is the same whatever its capitals."""
    return (name if name.isascii() else unicodedata.normalize("NFKC", name)).casefold()


def _conflict(name: str, taken: str) -> str:
    if name == taken:
        return f"{taken} is taken here. Pick another name."
    if name.casefold() == taken.casefold():
        return f"{taken} is taken here, and upper and lower case count as the same. Pick another name."
    return f"This name looks like {taken}, who is here. Pick another name."
