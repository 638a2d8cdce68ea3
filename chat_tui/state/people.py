"""Who is online in a room, in the order it is shown."""

from collections.abc import Iterable


class People:
    """The names online in one room. All changes are set operations: hearing of something twice changes nothing."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._coming: set[str] | None = None
        self._ordered: list[str] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def roster(self, names: Iterable[str], more: bool) -> None:
        """Replace all by a roster that may come in parts, the last one without `more`."""
        self._coming = (self._coming or set()) | set(names)
        if not more:
            self.names, self._coming = self._coming, None
            self._ordered = None

    def add(self, names: Iterable[str]) -> list[str]:
        """Add names; return those that are new here, in their order."""
        new = [name for name in dict.fromkeys(names) if name not in self.names]
        self.names.update(new)
        self._ordered = None
        return new

    def remove(self, names: Iterable[str]) -> list[str]:
        """Remove names; return those that were here, in their order."""
        gone = [name for name in dict.fromkeys(names) if name in self.names]
        self.names.difference_update(gone)
        self._ordered = None
        return gone

    def rename(self, old: str, new: str) -> bool:
        """Put `new` in the place of `old`; return whether `old` was here."""
        if old not in self.names:
            return False
        self.names.discard(old)
        self.names.add(new)
        self._ordered = None
        return True

    def clear(self) -> None:
        """Forget all: nothing is known while there is no connection."""
        self.names.clear()
        self._ordered = None

    def ordered(self, me: str) -> list[str]:
        """Return the names sorted, `me` first."""
        if self._ordered is None:
            self._ordered = sorted(self.names, key=lambda name: (name.casefold(), name))
        if me not in self.names:
            return list(self._ordered)
        return [me, *(name for name in self._ordered if name != me)]
