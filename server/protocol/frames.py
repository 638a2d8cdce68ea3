"""The frames: what each line on the wire may say. docs/protocol.md describes them for people.

A struct's tag is its frame's `type`. Strings are bounded here only so far that a decoder can't be abused; what a name,
a room or a text may be is `server.protocol.text`'s.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from server.protocol import limits

type_field = "type"

Seq = Annotated[int, Meta(ge=0, le=limits.SAFE_INTEGER)]
"""A position in the log: it only grows, over all rooms; gaps are allowed."""

MessageId = Annotated[int, Meta(ge=1, le=limits.SAFE_INTEGER)]
"""A client's number for a message, growing within its session."""

Name = Annotated[str, Meta(max_length=limits.LINE)]
RoomName = Annotated[str, Meta(max_length=limits.LINE)]
Ref = Annotated[str, Meta(max_length=limits.REF_CHARS)]
Reason = Annotated[str, Meta(max_length=limits.REASON_CHARS)]


class Frame(Struct, tag_field=type_field, tag=str.lower, omit_defaults=True):
    """One line."""


class Request(Frame, kw_only=True):
    """A frame that may carry a `ref`; its answer carries it back."""

    ref: Ref | UnsetType = UNSET


# Client to server.


class Resume(Struct):
    """Who comes back, and what it has seen."""

    session: Annotated[str, Meta(max_length=64)]
    epoch: Annotated[str, Meta(max_length=64)] = ""
    seq: Seq = 0


class About(Request, kw_only=True):
    """Ask which server this is, before or after `hello`."""


class Hello(Request, kw_only=True):
    """The first frame of a connection: who is here."""

    name: Name
    resume: Resume | None = None
    backlog: Annotated[int, Meta(ge=0, le=limits.PAGE_MOST)] = limits.PAGE
    """Latest messages wanted of each room; 0 for none."""
    ping: bool = True
    """False: this client answers no ping; TCP's keepalive alone decides whether it is still there."""
    resumes: bool = False
    """This client keeps its session: when its connection drops without `quit`, its name is kept for a while."""


class Join(Request, kw_only=True):
    """Make or enter a room."""

    room: RoomName
    backlog: Annotated[int, Meta(ge=0, le=limits.PAGE_MOST)] = limits.PAGE


class Leave(Request, kw_only=True):
    """Stop being a member of a room."""

    room: RoomName


class Send(Request, kw_only=True):
    """Say something in a room."""

    room: RoomName
    text: str
    id: MessageId | UnsetType = UNSET
    me: bool = False
    """An action (`/me waves`)."""


class Withdraw(Request, kw_only=True):
    """Take a message back that may not have been taken yet: it is not to come any more."""

    id: MessageId


class Nick(Request, kw_only=True):
    """Take another name."""

    name: Name


class HistoryRequest(Request, kw_only=True, tag="history"):
    """Ask for a page. Exactly one of the bounds, or none for the latest; bounds are exclusive, `around` is not."""

    room: RoomName
    before: Seq | UnsetType = UNSET
    after: Seq | UnsetType = UNSET
    around: Seq | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE_MOST)] = limits.PAGE


class Quit(Request, kw_only=True):
    """Leave for good: others are told at once."""

    reason: Reason = ""


class Pong(Frame, kw_only=True):
    """The answer to a ping."""


class Ping(Frame, kw_only=True):
    """Are you there? From the server, `seq` says: you have been sent all up to here."""

    seq: Seq | UnsetType = UNSET


ClientFrame = About | Hello | Join | Leave | Send | Withdraw | Nick | HistoryRequest | Quit | Ping | Pong


# Server to client.


class Server(Request, kw_only=True, tag="about"):
    """Which server this is."""

    id: str
    """Names its history, whatever its address: it stays as long as the database."""
    server: str
    """Program and version, for people."""


class Welcome(Request, kw_only=True):
    """You are in."""

    name: str
    user: int
    session: str
    """Secret: proves who comes back."""
    epoch: str
    seq: Seq
    """The head of the log: events delivered from here on have a higher seq."""
    rooms: list[str] = []
    """The rooms you are a member of: the truth."""
    server: str = ""
    """Program and version, for people."""
    resumed: bool = False
    """What came after the cursor of `resume` follows. Without it, what the client holds is not gone on with."""


class Message(Frame, kw_only=True):
    """Something said, once durable."""

    seq: Seq
    room: str
    id: MessageId | UnsetType = UNSET
    user: int
    sender: str
    time: str
    """RFC 3339, UTC, milliseconds."""
    text: str
    me: bool = False


class Ok(Request, kw_only=True):
    """Done. `seq` where it became an event; `id` where a message had been taken before."""

    seq: Seq | UnsetType = UNSET
    id: MessageId | UnsetType = UNSET


class Error(Request, kw_only=True):
    """Refused. `code` is stable; `message` says what happened and what to do."""

    code: str
    message: str
    room: str | UnsetType = UNSET
    id: MessageId | UnsetType = UNSET
    wait_ms: int | UnsetType = UNSET
    """Milliseconds until the same may be said again, where time is all it takes."""


class Roster(Frame, kw_only=True):
    """Who is online in a room: replaces what was known. Where it is long, in parts: `more` says that one follows."""

    room: str
    names: list[str]
    more: bool = False


class Joined(Frame, kw_only=True):
    """These came in."""

    room: str
    names: list[str]


class Left(Frame, kw_only=True):
    """These are gone, all for one reason."""

    room: str
    names: list[str]
    reason: str


class Renamed(Frame, kw_only=True):
    """Someone you share a room with has another name now."""

    user: int
    old: str
    new: str


class History(Request, kw_only=True):
    """A page, ascending. `more` says that older ones exist, `more_after` newer ones; true as of `as_of`."""

    room: str
    messages: list[Message]
    more: bool
    as_of: Seq
    more_after: bool = False


class HistoryOut(Request, kw_only=True, tag="history"):
    """`History` as the server writes it, from messages that are encoded already."""

    room: str
    messages: list[Raw]
    more: bool
    as_of: Seq
    more_after: bool = False


class Gap(Frame, kw_only=True):
    """Nothing between was sent, and what the client holds of that room is stale. Bounds exclusive."""

    room: str
    after: Seq
    before: Seq


class Shutdown(Frame, kw_only=True):
    """The server ends now."""

    reason: str


ServerFrame = (
    Server | Welcome | Message | Ok | Error | Roster | Joined | Left | Renamed | History | Gap | Shutdown | Ping | Pong
)
