"""Who and what is here now: people, their connections, rooms."""

from asyncio import Future, TimerHandle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import UnsetType

from server.chat.events import Spans
from server.chat.ports import Link
from server.chat.rate import Rate
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.frames import Roster

PART: Final = limits.LINE // (2 * (limits.NAME_CHARS * 4 + 3))
"""Names in one part of a roster, so that it fits a line whatever they are: 4 bytes a character, quotes and a comma."""


@dataclass(eq=False, slots=True)
class Person:
    """Someone who is here: one stable id, one name, one or more connections."""

    name: str
    user: int = 0
    """0 until the log has taken the session."""
    rooms: "dict[int, Room]" = field(default_factory=dict)
    """The rooms they are a member of."""
    spans: Spans = field(default_factory=dict)
    """What of each room's log is theirs to read on."""
    peers: "list[Peer]" = field(default_factory=list)
    rate: Rate = field(default_factory=Rate)
    """How fast they may write."""
    grace: TimerHandle | None = None
    """Running while all connections are lost: until it fires, the name is kept and nobody is told."""


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
    out: list[bytes] = field(default_factory=list)
    """Answers that leave with the next write."""
    pinged: bool = True
    """It answers pings; silence is a lost connection."""
    resumes: bool = False
    """Its client keeps the session: the name is kept for a while when the connection drops."""
    pages: deque[tuple[Callable[[], Future[bytes]], str | UnsetType | None]] = field(default_factory=deque)
    """Pages it waits for: how each is read, and the `ref` of the request; None where nobody asked."""
    paging: bool = False
    """A page for it is being read."""
    backlog: int = 0
    """Latest messages it wants of a room that it enters, or of which it missed too much."""
    gaps: dict[int, int] = field(default_factory=dict)
    """While not live: per room the seq up to which nothing is sent, because it missed too much."""
    surveyed: int = 0
    """The head when it was last looked at how much it misses."""
    told: dict[int, int] = field(default_factory=dict)
    """While not live: per room the `version` of the presence it has been told."""
    leaving: bytes | None = None
    """It has said quit: the answer, to be given after all that came before is answered."""
    reading: bool = False
    """While not live: a slice for it is being read."""
    since: str = ""
    """When it was welcomed, RFC 3339."""
    gone: bool = False
    faults: int = 0
    """Lines that were no frames."""
    farewell: str = ""
    """The reason it gave for leaving."""

    @property
    def here(self) -> Person:
        """The person behind a connection that has been welcomed."""
        assert self.person is not None, "only who was welcomed gets here"
        return self.person

    def answer(self, line: bytes) -> None:
        """Queue a line for this connection alone."""
        self.out.append(line)

    def flush(self) -> None:
        """Write what was queued."""
        if self.out and not self.gone:
            data = b"".join(self.out)
            self.out.clear()
            if data:
                self.link.write(data)


@dataclass(eq=False, slots=True)
class Room:
    """One room."""

    id: int
    handle: str
    json: bytes = b""
    """The handle as JSON."""
    live: dict[Peer, None] = field(default_factory=dict)
    """Connections at the head: each gets what the room sends, once."""
    online: dict[str, None] = field(default_factory=dict)
    """Names as they were last told."""
    arrivals: dict[str, None] = field(default_factory=dict)
    """Not told yet: who came in."""
    departures: dict[str, str] = field(default_factory=dict)
    """Not told yet: who left, and the reason."""
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    """What this tick brought, with its seq (that of the head for what has none)."""
    version: int = 0
    """Counts what was told about who is here."""
    last: int = 0
    """Seq of the last message, as far as this process has seen."""
    snapshot: bytes | None = None
    """The roster of `online`, all but its last part; None where it must be made anew."""

    def __post_init__(self) -> None:
        self.json = msgspec.json.encode(self.handle)

    def roster(self, me: str) -> bytes:
        """Return the roster lines for one who is in the room: the names last told, and their own.

        What has not been told yet follows with the next notice, to them as to all others.
        """
        if self.snapshot is None:
            names = list(self.online)
            self.snapshot = b"".join(
                encode(Roster(room=self.handle, names=names[start : start + PART], more=True))
                for start in range(0, len(names), PART)
            )
        return self.snapshot + encode(Roster(room=self.handle, names=[me]))
