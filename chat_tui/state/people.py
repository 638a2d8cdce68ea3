"""Who is online in a room, in the order it is shown, and who of them writes something."""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from server.protocol.frames import RoleName  # only named here: not loaded before the first paint

_RANKS: "Final[tuple[RoleName, ...]]" = ("owner", "admin", "moderator")
"""Those who moderate, in the order they are shown."""

TYPING: Final = 6.0
"""Seconds for which someone is taken to write on."""


class People:
    """The names online in one room. All changes are set operations: hearing of something twice changes nothing.

    Of a crowd a few are known, and how many there are.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.count = 0
        """How many are in a crowd; 0 where all are known by name."""
        self.users: dict[str, int] = {}
        """By name, as far as the server said: the stable number of who has it."""
        self.away: dict[str, str] = {}
        """Who of them is away, and what they say to that."""
        self.roles: dict[str, RoleName] = {}
        """Who of them is a moderator or more here."""
        self._typing: dict[str, float] = {}
        """Until when somebody is taken to write on."""
        self._coming: People | None = None
        self._ordered: list[str] | None = None

    def __len__(self) -> int:
        return self.count or len(self.names)

    @property
    def unknown(self) -> int:
        """How many of a crowd are not known by name."""
        return max(0, self.count - len(self.names))

    def roster(
        self,
        names: list[str],
        more: bool,
        users: Iterable[int] = (),
        away: Mapping[str, str] | None = None,
        roles: "Mapping[str, RoleName] | None" = None,
        count: int = 0,
    ) -> None:
        """Replace all by a roster that may come in parts, the last one without `more`; `count`: as in that one."""
        coming = self._coming = self._coming or People()
        coming.add(names, users, away, roles)
        if not more:
            self.names, self.users, self.away, self._coming = coming.names, coming.users, coming.away, None
            self.roles, self.count = coming.roles, count
            self._ordered = None

    def add(
        self,
        names: list[str],
        users: Iterable[int] = (),
        away: Mapping[str, str] | None = None,
        roles: "Mapping[str, RoleName] | None" = None,
    ) -> list[str]:
        """Add names with their users, who of them is away, and who moderates; return the new ones, in their order."""
        new = [name for name in dict.fromkeys(names) if name not in self.names]
        self.names.update(new)
        self.users.update(zip(names, users, strict=False))
        for name in new:
            self.away.pop(name, None)
            self.roles.pop(name, None)
        self.away.update(away or {})
        self.roles.update(roles or {})
        self._ordered = None
        return new

    def remove(self, names: Iterable[str]) -> list[str]:
        """Remove names; return those that were here, in their order."""
        names = dict.fromkeys(names)
        gone = [name for name in names if name in self.names]
        self.names.difference_update(gone)
        for name in names:
            self.users.pop(name, None)
            self.away.pop(name, None)
            self.roles.pop(name, None)
            self.wrote(name)
        self._ordered = None
        return gone

    def rename(self, old: str, new: str) -> bool:
        """Put `new` in the place of `old`; return whether `old` was here."""
        self.wrote(old)
        if old not in self.names:
            return False
        self.names.discard(old)
        self.names.add(new)
        if old in self.users:
            self.users[new] = self.users.pop(old)
        if old in self.away:
            self.away[new] = self.away.pop(old)
        if old in self.roles:
            self.roles[new] = self.roles.pop(old)
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

    def appoint(self, name: str, role: "RoleName | None") -> None:
        """Take in that someone moderates from now on, or does no more."""
        if name in self.names and role in _RANKS:
            self.roles[name] = role
        else:
            self.roles.pop(name, None)
        self._ordered = None

    def write(self, names: list[str], now: float) -> None:
        """Note who writes something; `now` in seconds as `Chat.clock` has it."""
        self._typing = {name: until for name, until in self._typing.items() if until > now}
        self._typing.update(dict.fromkeys(names, now + TYPING))

    def wrote(self, name: str) -> bool:
        """Note that someone has said it, or is gone; return whether they were taken to write."""
        return bool(self._typing) and self._typing.pop(name, None) is not None

    def typing(self, now: float) -> list[str]:
        """Return who writes something; `now` in seconds as `Chat.clock` has it."""
        return sorted(name for name, until in self._typing.items() if until > now)

    def clear(self) -> None:
        """Forget all: nothing is known while there is no connection."""
        self._typing.clear()
        self.names.clear()
        self.users.clear()
        self.away.clear()
        self.roles.clear()
        self.count = 0
        self._coming = None
        self._ordered = None

    def ordered(self, me: str, spoke: Collection[str] = ()) -> list[str]:
        """Return the names sorted, `me` first, then who moderates, then those who `spoke`."""
        if self._ordered is None:
            self._ordered = sorted(self.names, key=lambda name: (self._rank(name), name.casefold(), name))
        names = self._ordered
        if spoke:
            first = [name for name in names if name in self.roles or name in spoke]
            names = list(dict.fromkeys([*first, *names]))
        if me not in self.names:
            return list(names)
        return [me, *(name for name in names if name != me)]

    def _rank(self, name: str) -> int:
        role = self.roles.get(name)
        return _RANKS.index(role) if role in _RANKS else len(_RANKS)
