"""What the log holds.

An event is a header (seq, room, user, session, time, kind) and a body, a JSON object; erasing an event empties its body
and leaves its header.
"""

from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from server.protocol import limits
from server.protocol.frames import Before, RoleName, SignUp

GENERAL: Final = "general"
"""The room that is always there and that everyone is a member of."""


Spans = dict[int, tuple[tuple[int, int], ...]]
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
    APPOINT = 11
    """Someone has another role."""
    KICK = 12
    """Someone was put out of a room; of `general`: of the server."""
    BAN = 13
    """Someone is kept out, or is no more. This puts out, too."""
    SILENCE = 14
    """Someone may only read, or may speak again."""
    FORGET = 15
    """A room's messages up to some seq are gone: they were kept as long as they are kept there."""
    ERASE = 16
    """Someone is gone, with all they said. An event of `general`."""

    ACCOUNT = 100
    """Someone has an account, or their account has another name. An event of `general`, as all from here on."""
    RANGE = 101
    """An address range is kept out, or is no more."""
    REPORT = 102
    """A message was shown to the moderators. An event of `general`, whatever room the message is of."""
    SETTLE = 103
    """A report was dealt with."""
    SETTINGS = 104
    """The server takes people otherwise."""


SHOWN: Final = Kind.MESSAGE
"""From this kind on, an event is a line to the members of its room."""

HIDDEN: Final = Kind.ACCOUNT
"""From this kind on, it is not: it is told to nobody by itself."""

SERVER: Final = 0
"""The user of what the server does by itself, or has its host do: it may do everything."""

HOST: Final = "chat-server"
"""How it is called; no person can be."""

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
    read_only: bool | UnsetType = UNSET
    slow: int | UnsetType = UNSET
    keep_days: int | UnsetType = UNSET
    keep_count: int | UnsetType = UNSET


class AppointBody(Struct, omit_defaults=True):
    """The body of an APPOINT event."""

    sender: str
    who: int
    name: str
    role: RoleName


class KickBody(Struct, omit_defaults=True):
    """The body of a KICK event."""

    sender: str
    who: int
    name: str
    reason: str = ""


class BanBody(Struct, omit_defaults=True):
    """The body of a BAN or SILENCE event."""

    sender: str
    who: int
    name: str
    until: str = ""
    """RFC 3339, UTC, milliseconds; empty where it is for good."""
    reason: str = ""
    on: bool = True


class ForgetBody(Struct, omit_defaults=True):
    """The body of a FORGET event."""

    sender: str
    upto: int


class EraseBody(Struct, omit_defaults=True):
    """The body of an ERASE event."""

    sender: str
    who: int


class AccountBody(Struct, omit_defaults=True):
    """The body of an ACCOUNT event: whose account it is, is the event's user."""

    name: str


class RangeBody(Struct, omit_defaults=True):
    """The body of a RANGE event."""

    sender: str
    range: str
    """As `ipaddress` writes it, with the length of its prefix."""
    until: str = ""
    reason: str = ""
    on: bool = True


class ReportBody(Struct, omit_defaults=True):
    """The body of a REPORT event."""

    sender: str
    target: int
    """The message's seq."""
    reason: str = ""


class SettleBody(Struct, omit_defaults=True):
    """The body of a SETTLE event."""

    sender: str
    report: int


class SettingsBody(Struct, omit_defaults=True):
    """The body of a SETTINGS event: what is given."""

    sender: str
    guests: bool | UnsetType = UNSET
    sign_up: SignUp | UnsetType = UNSET


class InviteBody(Struct, omit_defaults=True):
    """The body of an INVITE event."""

    sender: str
    who: int
    name: str
    title: str
    on: bool = True


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
    Kind.APPOINT: b"appointed",
    Kind.KICK: b"kicked",
    Kind.BAN: b"banned",
    Kind.SILENCE: b"silenced",
    Kind.FORGET: b"forgotten",
    Kind.ERASE: b"erased",
    Kind.EDIT: b"edited",
    Kind.DELETE: b"deleted",
    Kind.REACT: b"reacted",
    Kind.PIN: b"pinned",
    Kind.CHANGE: b"changed",
    Kind.INVITE: b"invited",
}


@lru_cache(maxsize=2)  # all events of a transaction have one time, and it only grows
def time_text(time: int) -> bytes:
    """Return milliseconds since 1970 as RFC 3339 in UTC with milliseconds."""
    seconds, milliseconds = divmod(time, 1000)
    return b"%b.%03dZ" % (_second(seconds), milliseconds)


@lru_cache(maxsize=2)
def _second(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


_BODIES: Final = {
    Kind.ROOM: RoomBody,
    Kind.MESSAGE: MessageBody,
    Kind.EDIT: EditBody,
    Kind.DELETE: DeleteBody,
    Kind.REACT: ReactBody,
    Kind.PIN: PinBody,
    Kind.CHANGE: ChangeBody,
    Kind.INVITE: InviteBody,
    Kind.APPOINT: AppointBody,
    Kind.KICK: KickBody,
    Kind.BAN: BanBody,
    Kind.SILENCE: BanBody,
    Kind.FORGET: ForgetBody,
    Kind.ERASE: EraseBody,
    Kind.ACCOUNT: AccountBody,
    Kind.RANGE: RangeBody,
    Kind.REPORT: ReportBody,
    Kind.SETTLE: SettleBody,
    Kind.SETTINGS: SettingsBody,
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
