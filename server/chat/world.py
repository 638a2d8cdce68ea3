"""Who and what is here now: people, their connections, rooms."""

from asyncio import TimerHandle
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec
from msgspec import UnsetType

from server.chat.crowd import Crowd
from server.chat.ports import Link, Reader
from server.chat.rate import Rate
from server.chat.ring import Line
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.frames import RoleName, Roster
from server.record.entries import Mark
from server.record.events import FOREVER, GENERAL, SERVER, Spans
from server.record.register import RoomRecord
from server.record.rights import NAMES, Role

NOTHING: Final[Mapping[int, Any]] = MappingProxyType({})
"""What most people have none of, shared by all of them: an empty dict each would be memory of every connection."""

AWAY_CHARS: Final = 60
"""Characters that a roster says of why someone is away."""

PART: Final = limits.LINE // (3 * (limits.NAME_CHARS * 4 + 4) + AWAY_CHARS * 4 + 32)
"""Names in one part of a roster, so that it fits a line whatever they are: 4 bytes a character, three times where
someone is away and moderates, with the reason, the role, the user's number, quotes and commas."""


@dataclass(eq=False, slots=True)
class Person:
    """Someone who is here: one stable id, one name, one or more connections."""

    name: str
    user: int = 0
    """0 until the log has taken the session."""
    rooms: "dict[int, Room]" = field(default_factory=dict)
    """The rooms they are a member of."""
    stays: tuple[int, ...] = ()
    """When they were in which room, one stay after another: room, after which seq, up to which. Flat, as everyone has
    one: as `spans`, that is 400 bytes of each connection."""
    invitations: Mapping[int, str] = field(default_factory=lambda: NOTHING)
    """The rooms they are invited to, each with the name of who did."""
    marks: Mapping[int, Mark] = field(default_factory=lambda: NOTHING)
    """Where they stand in rooms."""
    account: bool = False
    """They have an account."""
    role: Role = Role.GUEST
    """On the server."""
    blocked: Mapping[int, str] = field(default_factory=lambda: NOTHING)
    """Whom they have hidden from themselves, with their names."""
    away: str | None = None
    """Why they are away; None while they are not."""
    typed: Mapping[int, float] = field(default_factory=lambda: NOTHING)
    """Per room when it was last told that they write, by the loop's clock."""
    peers: "tuple[Peer, ...]" = ()
    rate: Rate = field(default_factory=Rate)
    """How fast they may write."""
    grace: TimerHandle | None = None
    """Running while all connections are lost: until it fires, the name is kept and nobody is told."""

    def floor(self, room: "Room") -> int:
        """Return the seq up to which they may read nothing of a room they are in."""
        early = room.record.before == "all" or room.handle == GENERAL or self.user == SERVER
        return max(room.record.forgotten, 0 if early else self.spans[room.id][-1][0])

    @property
    def spans(self) -> Spans:
        """What of each room's log is theirs to read on, as it is now: a copy."""
        spans: Spans = {}
        stays = iter(self.stays)
        for room, since, until in zip(stays, stays, stays, strict=True):
            spans[room] = (*spans.get(room, ()), (since, until))
        return spans

    def stay(self, room: int, since: int, until: int = FOREVER) -> None:
        """Note that they are in a room after a seq, up to another."""
        self.stays += (room, since, until)

    def leave(self, room: int, until: int) -> None:
        """Note that their last stay in a room ends."""
        stays = self.stays
        last = max(index for index in range(0, len(stays), 3) if stays[index] == room)
        self.stays = (*stays[: last + 2], until, *stays[last + 3 :])

    def reader(self, rooms: "Iterable[Room] | None" = None) -> Reader:
        """Return what the archive has to know of them, to read in these rooms or in all of theirs."""
        several = self.rooms.values() if rooms is None else rooms
        marks = {room: copy(mark) for room, mark in self.marks.items()}  # read by in another thread
        return Reader(user=self.user, rooms={room.id: self.floor(room) for room in several}, marks=marks)


class Errand(Protocol):
    """Something that is being done for a connection."""

    def cancel(self) -> bool:
        """Give it up; False where it was done already."""


Send = Callable[[bytes], None]
"""Writes to a connection."""


@dataclass(eq=False, slots=True)
class Peer:
    """One connection. It is a position in the log: live at the head, or behind it."""

    link: Link
    person: Person | None = None
    session: int = 0
    position: int = 0
    """While not live: all up to this seq has been written to it."""
    live: bool = False
    waiting: bool = False
    """A request is under way that the next one must wait for."""
    open: int = 0
    """Requests not answered yet."""
    held: bool = True
    """Its link waits for something to be answered: it has more to take, or ends then. Written by the link."""
    errand: "Errand | None" = None
    """What is being done for it that takes longer than a turn of the loop: a password is hashed, someone signs in."""
    signing_in: bool = False
    """Its person is signing in elsewhere: if it says no more, they have given up."""
    patience: float = 0
    """Until when it need not have been welcomed, by the loop's clock: longer while its person signs in elsewhere."""
    out: list[bytes] | None = None
    """Answers that leave with the next write; None where there are none, as nearly always."""
    pinged: bool = True
    """It answers pings; silence is a lost connection."""
    resumes: bool = False
    """Its client keeps the session: the name is kept for a while when the connection drops."""
    pages: tuple[tuple[Callable[[], Awaitable[bytes]], str | UnsetType | None], ...] = ()
    """Pages it waits for: how each is read, and the `ref` of the request; None where nobody asked."""
    paging: bool = False
    """A page for it is being read."""
    backlog: int = 0
    """Latest messages it wants of a room that it enters, or of which it missed too much."""
    gaps: Mapping[int, int] = field(default_factory=lambda: NOTHING)
    """While not live: per room the seq up to which nothing is sent, because it missed too much."""
    surveyed: int = 0
    """The head when it was last looked at how much it misses."""
    told: Mapping[int, int] = field(default_factory=lambda: NOTHING)
    """While not live: per room the `version` of the presence it has been told."""
    leaving: bytes | None = None
    """It has said quit: the answer, to be given after all that came before is answered."""
    reading: bool = False
    """While not live: a slice for it is being read."""
    since: int = 0
    """When it was welcomed, in milliseconds since 1970."""
    gone: bool = False
    faults: int = 0
    """Lines that were no frames."""
    farewell: str = ""
    """The reason it gave for leaving."""
    send: Send = field(init=False)
    """Writes what all are written while it is live: the transport's own way where there is one, as the most is done by
    it."""

    def __post_init__(self) -> None:
        self.send = self.link.write

    @property
    def here(self) -> Person:
        """The person behind a connection that has been welcomed."""
        assert self.person is not None, "only who was welcomed gets here"
        return self.person

    def answer(self, line: bytes) -> None:
        """Queue a line for this connection alone."""
        if self.out is None:
            self.out = [line]
        else:
            self.out.append(line)

    def flush(self) -> None:
        """Write what was queued."""
        if self.out is not None and not self.gone:
            data = b"".join(self.out)
            self.out = None
            if data:
                self.link.write(data)


@dataclass(eq=False, slots=True)
class Room:
    """One room."""

    record: RoomRecord
    id: int = 0
    handle: str = ""
    json: bytes = b""
    """The handle as JSON."""
    roles: dict[int, Role] = field(default_factory=dict)
    """Who was appointed to what here, by user."""
    on_server: dict[int, Role] = field(default_factory=dict)
    """The same of the whole server, as far as it counts here."""
    live: dict[Peer, Send] = field(default_factory=dict)
    """Connections at the head, and how each is written to: it gets what the room sends, once."""
    online: dict[str, int] = field(default_factory=dict)
    """Names as they were last told, each with its user."""
    away: dict[str, str] = field(default_factory=dict)
    """Who of them is away, and why."""
    typing: dict[str, None] = field(default_factory=dict)
    """Not told yet: who writes."""
    arrivals: dict[str, int] = field(default_factory=dict)
    """Not told yet: who came in."""
    departures: dict[str, str] = field(default_factory=dict)
    """Not told yet: who left, and the reason."""
    lines: list[Line] = field(default_factory=list)
    """What this tick brought; the seq of what is no event is that of the head."""
    version: int = 0
    """Counts what was told about who is here."""
    last: int = 0
    """Seq of the last message, as far as this process has seen."""
    snapshot: bytes | None = None
    """The roster of `online`, or of a crowd's few, all but its last part; None where it must be made anew."""
    crowd: Crowd | None = None
    """Who is told by name, where so many are here that not all are."""
    order: list[str] | None = None
    """The names of `online` in the order of `page`; None where they must be sorted anew."""

    def __post_init__(self) -> None:
        self.id, self.handle = self.record.id, self.record.handle
        self.json = msgspec.json.encode(self.handle)

    def roster(self, me: Person) -> bytes:
        """Return the roster lines for one who is in the room: the names last told, and their own.

        What has not been told yet follows with the next notice, to them as to all others.
        """
        if self.snapshot is None:
            self.snapshot = b"".join(
                encode(Roster(room=self.handle, names=names, users=users, away=away, roles=roles, more=True))
                for names, users, away, roles in self.parts(self._told())
            )
        away = {me.name: me.away[:AWAY_CHARS]} if me.away is not None else {}
        own = self.moderating({me.name: me.user})
        count = len(self.online) if self.crowd is not None else 0
        return self.snapshot + encode(
            Roster(room=self.handle, names=[me.name], users=[me.user], away=away, roles=own, count=count)
        )

    @property
    def listed(self) -> int:
        """How many names are in a roster, or in that of a crowd at most."""
        return len(self.online) if self.crowd is None else 2 * self.crowd.most

    def _told(self) -> dict[str, int]:
        return self.online if self.crowd is None else self.crowd.few(self.moderating(self.crowd.named))

    def page(self, begins: str, after: str, most: int) -> tuple[dict[str, int], bool]:
        """Return some of who is here, each with their user, by case-folded name, and whether there are more.

        Sorted once for all who ask, until names are told again: that takes much more than sorting them.

        Args:
            begins: how their names begin, case-folded.
            after: the last name before them, case-folded; empty for none.
            most: how many.
        """
        if self.order is None:
            self.order = sorted(self.online, key=str.casefold)
        order, fold = self.order, str.casefold
        start = max(bisect_left(order, begins, key=fold), bisect_right(order, after, key=fold))
        found = [name for name in order[start : start + most + 1] if name.casefold().startswith(begins)]
        return {name: self.online[name] for name in found[:most]}, len(found) > most

    def parts(
        self, people: dict[str, int]
    ) -> Iterable[tuple[list[str], list[int], dict[str, str], dict[str, RoleName]]]:
        """Yield names, users, who is away and who moderates, in parts that fit a line each."""
        everyone = list(people)
        for start in range(0, len(everyone), PART):
            part = {name: people[name] for name in everyone[start : start + PART]}
            away = {name: self.away[name] for name in part if name in self.away} if self.away else {}
            yield list(part), list(part.values()), away, self.moderating(part)

    def moderator(self, user: int) -> RoleName | None:
        """Return the role of one who is a moderator or more here, or on the server; None of all others."""
        role = max(self.roles.get(user, Role.GUEST), self.on_server.get(user, Role.GUEST))
        return NAMES[role] if role >= Role.MODERATOR else None

    def moderating(self, people: Mapping[str, int]) -> dict[str, RoleName]:
        """Return those of these people, each with their user, who moderate, each with their role."""
        roles, on_server = self.roles, self.on_server
        some = ((name, user) for name, user in people.items() if user in roles or user in on_server)
        found = ((name, self.moderator(user)) for name, user in some)
        return {name: role for name, role in found if role is not None}
