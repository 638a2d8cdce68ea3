"""What the log holds, and what is put into its queue.

An event is a header (seq, room, user, session, time, kind) and a body, a JSON object; erasing an event empties its body
and leaves its header. Entries of the log's queue are filled in by the log: the same object that was handed over comes
back committed, with its seq, or refused, with a code.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

from server.protocol import limits
from server.protocol.errors import Code

GENERAL: Final = "general"
"""The room that is always there and that everyone is a member of."""


Spans = dict[int, list[tuple[int, int]]]
"""Per room, the spans of the log in which someone is a member: after which seq, and up to which."""

FOREVER: Final = limits.SAFE_INTEGER
"""The end of a span that has not ended."""


def covers(spans: Spans, room: int, seq: int) -> bool:
    """Say whether an event of a room lies in one of these spans."""
    return room in spans and any(since < seq <= until for since, until in spans[room])


class Kind(IntEnum):
    """What happened. Stored: a value is never changed or used again."""

    ROOM = 1
    """A room was made; the room's id is this event's seq."""
    MEMBER = 2
    """Someone became a member of a room."""
    UNMEMBER = 3
    """Someone stopped being a member."""
    MESSAGE = 4
    """Someone said something."""


class RoomBody(Struct):
    """The body of a ROOM event."""

    handle: str
    title: str


class MessageBody(Struct, omit_defaults=True):
    """The body of a MESSAGE event: these fields stand in the wire's `message` frame as they stand here."""

    sender: str
    text: str
    me: bool = False


class Entry(Struct, eq=False):
    """Something for the log to make durable, in order."""

    peer: Any = None
    """Who gets the answer; the log carries it and never looks at it."""
    ref: str | None = None
    code: Code | None = None
    """Filled in: why it did not take effect; None where it did."""
    then: Callable[[Any], None] | None = None
    """Called with the entry when it comes back; None where the kind says enough."""


class Draft(Entry, kw_only=True):
    """An event that is to be. With `id`, it takes its place in its session's order."""

    kind: Kind
    room: int
    user: int
    session: int = 0
    id: int = 0
    """The client's number for it; 0 where it gave none."""
    limited: int = 0
    """Milliseconds: it came too fast, and may come again in so many. It keeps its place in its session's order."""
    body: bytes = b"{}"
    seq: int = 0
    """Filled in: its position, or where `repeated`, the position it got when it was first taken."""
    time: int = 0
    """Filled in: milliseconds since 1970, UTC; it never decreases with seq."""
    repeated: bool = False
    """Filled in: it was taken before; nothing new happened."""


class Opening(Entry, kw_only=True):
    """A session that begins or, where `resume` is given, goes on."""

    name: str
    secret: bytes
    """SHA-256 of the session's secret: the store never holds the secret itself."""
    resume: bool = False
    session: int = 0
    """Filled in, like the rest."""
    user: int = 0
    rooms: list[int] = []
    """The rooms that the user is a member of."""
    spans: Spans = {}
    """What of each room's log was, or is, theirs to read on."""


class Naming(Entry, kw_only=True):
    """A user's name changes."""

    user: int
    name: str


class GivenUp(Entry, kw_only=True):
    """A numbered message won't come (again): later ones of its session need not wait for it."""

    session: int
    id: int
    seq: int = 0
    """Filled in where `then` asks for it: what it got, had it been taken before; 0 where it was not."""


class Closing(Entry, kw_only=True):
    """A session's connection is gone; its counters need not be kept at hand."""

    session: int


def message_line(seq: int, room: bytes, message_id: int, user: int, time: int, body: bytes) -> bytes:
    """Return an event's `message` frame. `room` is the handle as JSON; `body` is its MessageBody.

    Put together rather than encoded: the body is JSON already, in the log as on the wire.
    """
    if message_id:
        return b'{"type":"message","seq":%d,"room":%b,"id":%d,"user":%d,"time":"%b",%b\n' % (
            seq,
            room,
            message_id,
            user,
            time_text(time),
            body[1:],
        )
    return b'{"type":"message","seq":%d,"room":%b,"user":%d,"time":"%b",%b\n' % (
        seq,
        room,
        user,
        time_text(time),
        body[1:],
    )


_second = (-1, b"")


def time_text(time: int) -> bytes:
    """Return milliseconds since 1970 as RFC 3339 in UTC with milliseconds."""
    global _second
    seconds, milliseconds = divmod(time, 1000)
    known, text = _second
    if known != seconds:
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        _second = (seconds, text)
    return b"%b.%03dZ" % (text, milliseconds)


encode_body = msgspec.json.Encoder().encode
decode_room = msgspec.json.Decoder(RoomBody).decode
decode_message = msgspec.json.Decoder(MessageBody).decode
