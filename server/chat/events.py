"""What the log holds, and what is put into its queue.

An event is a header (seq, room, user, session, time, kind) and a body, a JSON object; erasing an event empties its body
and leaves its header. Entries of the log's queue are filled in by the log: the same object that was handed over comes
back committed, with its seq, or refused, with a code.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from server.protocol import limits
from server.protocol.errors import Code
from server.protocol.frames import Before, Level

GENERAL: Final = "general"
"""The room that is always there and that everyone is a member of."""


Spans = dict[int, list[tuple[int, int]]]
"""Per room, the spans of the log in which someone is a member: after which seq, and up to which."""

FOREVER: Final = limits.SAFE_INTEGER
"""The end of a span that has not ended."""


def covers(spans: Spans, room: int, seq: int) -> bool:
    """Say whether an event of a room lies in one of these spans."""
    return room in spans and any(since < seq <= until for since, until in spans[room])


class Share(Struct):
    """What of the log one who is behind is sent."""

    spans: Spans
    """Of each room: when they are, or were, a member."""
    gaps: dict[int, int] = {}
    """Per room the seq up to which they are sent nothing: they missed too much of it."""

    def has(self, room: int, seq: int, of: int = 0) -> bool:
        """Say whether an event is sent to them. `of` is the message that it is of, where only who may read that may."""
        return (
            covers(self.spans, room, seq) and seq > self.gaps.get(room, 0) and (not of or covers(self.spans, room, of))
        )


class Kind(IntEnum):
    """What happened. Stored: a value is never changed or used again."""

    ROOM = 1
    """A room was made; the room's id is this event's seq."""
    MEMBER = 2
    """Someone became a member of a room."""
    UNMEMBER = 3
    """Someone stopped being a member, or declined an invitation."""
    MESSAGE = 4
    """Someone said something."""
    EDIT = 5
    """A message says something else now."""
    DELETE = 6
    """A message is gone."""
    REACT = 7
    """Someone reacted to a message, or took that back."""
    PIN = 8
    """A message was pinned, or taken off."""
    CHANGE = 9
    """A room has another title or topic, or was archived."""
    INVITE = 10
    """Someone was invited, or is no more."""


SHOWN: Final = Kind.MESSAGE
"""From this kind on, an event is a line to the members of its room."""

RoomKind = Literal["public", "private", "direct"]


class RoomBody(Struct, omit_defaults=True):
    """The body of a ROOM event."""

    handle: str
    title: str
    kind: RoomKind = "public"
    before: Before = "all"
    topic: str = ""
    members: list[int] = []
    """Who is a member from the start."""


# These stand in the wire's frames as they stand here.


class MessageBody(Struct, omit_defaults=True):
    """The body of a MESSAGE event."""

    sender: str
    text: str
    me: bool = False
    reply: int = 0
    thread: int = 0
    mentions: list[int] = []
    here: bool = False


class EditBody(Struct, omit_defaults=True):
    """The body of an EDIT event."""

    sender: str
    target: int
    text: str
    mentions: list[int] = []
    here: bool = False


class DeleteBody(Struct, omit_defaults=True):
    """The body of a DELETE event. It has what a tombstone shows, since the message's own body goes."""

    sender: str
    target: int
    author: str = ""
    thread: int = 0


class ReactBody(Struct, omit_defaults=True):
    """The body of a REACT event."""

    sender: str
    target: int
    emoji: str
    on: bool = True


class PinBody(Struct, omit_defaults=True):
    """The body of a PIN event."""

    sender: str
    target: int
    on: bool = True


class ChangeBody(Struct, omit_defaults=True):
    """The body of a CHANGE event: what is given."""

    sender: str
    title: str | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class InviteBody(Struct, omit_defaults=True):
    """The body of an INVITE event."""

    sender: str
    who: int
    name: str
    title: str
    on: bool = True


class Mark(Struct):
    """Where someone stands in a room: a table's row of last values, no event."""

    read: int = 0
    unread: int = 0
    level: Level = "all"
    favourite: bool = False
    muted: bool = False


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
    about: Any = None
    """The body as a struct, for all kinds but a message that answers none and names nobody. The log completes it."""
    names: tuple[str, ...] = ()
    """Whom the text names, where that is not known yet: who of them is a member is added to the `mentions`."""
    weight: int = 0
    """Filled in: bytes that it counts for while it waits; what the log completes makes the body longer."""
    idle: bool = False
    """Filled in: all is as it asks for already. There is no event, and that is fine."""
    seq: int = 0
    """Filled in: its position, or where `repeated`, the position it got when it was first taken."""
    time: int = 0
    """Filled in: milliseconds since 1970, UTC; it never decreases with seq."""
    repeated: bool = False
    """Filled in: it was taken before; nothing new happened."""


class Opening(Entry, kw_only=True):
    """A session that begins or, where `resume` is given, goes on."""

    name: str
    """How the user wants to be called; empty where that is as they were called last."""
    secret: bytes
    """SHA-256 of the session's secret: the store never holds the secret itself."""
    resume: bool = False
    session: int = 0
    """Filled in, like the rest."""
    user: int = 0
    """Given where a user that there is gets one more session."""
    known_as: str = ""
    """The name that the user had last."""
    rooms: list[int] = []
    """The rooms that the user is a member of."""
    invitations: dict[int, str] = {}
    """The rooms they are invited to, each with the name of who did."""
    marks: dict[int, Mark] = {}
    """Where they stand in rooms."""
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


class Marking(Entry, kw_only=True):
    """Where people stand in rooms: (user, room, mark)."""

    rows: list[tuple[int, int, Mark]]


class Erasing(Entry, kw_only=True):
    """These messages were deleted, and nothing needs their text any more: seqs of the DELETE events."""

    seqs: list[int]


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


def event_line(kind: int, seq: int, room: bytes, user: int, time: int, body: bytes) -> bytes:
    """Return the frame of any other event that is shown. `room` is the handle as JSON; `body` is the event's."""
    return b'{"type":"%b","seq":%d,"room":%b,"user":%d,"time":"%b",%b\n' % (
        _FRAMES[kind],
        seq,
        room,
        user,
        time_text(time),
        body[1:],
    )


_FRAMES: Final[dict[int, bytes]] = {
    Kind.EDIT: b"edited",
    Kind.DELETE: b"deleted",
    Kind.REACT: b"reacted",
    Kind.PIN: b"pinned",
    Kind.CHANGE: b"changed",
    Kind.INVITE: b"invited",
}


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


_BODIES: Final = {
    Kind.ROOM: RoomBody,
    Kind.MESSAGE: MessageBody,
    Kind.EDIT: EditBody,
    Kind.DELETE: DeleteBody,
    Kind.REACT: ReactBody,
    Kind.PIN: PinBody,
    Kind.CHANGE: ChangeBody,
    Kind.INVITE: InviteBody,
}
_DECODERS: Final = {kind: msgspec.json.Decoder(body) for kind, body in _BODIES.items()}

encode_body = msgspec.json.Encoder().encode
decode_message = msgspec.json.Decoder(MessageBody).decode
decode_edit = msgspec.json.Decoder(EditBody).decode
decode_delete = msgspec.json.Decoder(DeleteBody).decode


def decode_about(kind: Kind, body: bytes) -> Any:  # noqa: ANN401 - one of the bodies
    """Return an event's body as a struct; None where it has none, or is erased."""
    decoder = _DECODERS.get(kind)
    return decoder.decode(body) if body and decoder is not None else None
