"""The frames: what each line on the wire may say. docs/protocol.md describes them for people.

A struct's tag is its frame's `type`. Strings are bounded here only so far that a decoder can't be abused; what a name,
a room or a text may be is `server.protocol.text`'s.
"""

from typing import Annotated, Literal

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
Topic = Annotated[str, Meta(max_length=limits.TOPIC_CHARS * 4)]
Emoji = Annotated[str, Meta(pattern=r"^[a-z0-9_+-]{1,32}\Z")]
"""A reaction by its short name: `thumbsup`. What picture stands for it is the reader's terminal's business."""

Time = Annotated[str, Meta(max_length=40)]
"""RFC 3339."""

Before = Literal["all", "joined"]
"""What members may read of the time before they came in: all of it, or nothing."""

Level = Literal["all", "mentions", "none"]
"""What of a room someone wants to be told of."""


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

    name: Name = ""
    """May be left out by who resumes: the name stays what it was."""
    resume: Resume | None = None
    backlog: Annotated[int, Meta(ge=0, le=limits.PAGE_MOST)] = limits.PAGE
    """Latest messages wanted of each room; 0 for none."""
    show: Annotated[list[RoomName], Meta(max_length=limits.ROOMS)] | None = None
    """The rooms whose latest messages are wanted; without it all."""
    ping: bool = True
    """False: this client answers no ping; TCP's keepalive alone decides whether it is still there."""
    resumes: bool = False
    """This client keeps its session: when its connection drops without `quit`, its name is kept for a while."""


class Device(Request, kw_only=True):
    """Ask for a session of one's own on another device."""


class Join(Request, kw_only=True):
    """Make or enter a room, or take an invitation."""

    room: RoomName
    backlog: Annotated[int, Meta(ge=0, le=limits.PAGE_MOST)] = limits.PAGE


class Leave(Request, kw_only=True):
    """Stop being a member of a room, or decline an invitation."""

    room: RoomName


class Make(Request, kw_only=True):
    """Make a room, and be its owner and a member. What is said here of who may read stays for good."""

    room: RoomName
    title: Topic = ""
    topic: Topic = ""
    private: bool = False
    """Only who is invited comes in, and only members know that it exists."""
    before: Before | UnsetType = UNSET
    """Without it: `all` for a public room, `joined` for a private one."""


class Direct(Request, kw_only=True):
    """Make, or find, the room of oneself and these people. The answer has its handle."""

    names: Annotated[list[Name], Meta(max_length=limits.DIRECT)]


class Change(Request, kw_only=True):
    """Change what is known of a room."""

    room: RoomName
    title: Topic | UnsetType = UNSET
    topic: Topic | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    """Nobody says anything there any more; it can be read."""


class Invite(Request, kw_only=True):
    """Invite somebody, or with `on: false` take that back."""

    room: RoomName
    name: Name
    on: bool = True


class RoomsRequest(Request, kw_only=True, tag="rooms"):
    """Ask how one stands in one's rooms: what they are, what is unread."""

    rooms: Annotated[list[RoomName], Meta(max_length=limits.ROOMS)] = []
    """None named: all."""


class ListRequest(Request, kw_only=True, tag="list"):
    """Ask which rooms there are."""

    after: RoomName = ""
    """The last handle of the page before."""


class Send(Request, kw_only=True):
    """Say something in a room."""

    room: RoomName
    text: str
    id: MessageId | UnsetType = UNSET
    me: bool = False
    """An action (`/me waves`)."""
    reply: Seq | UnsetType = UNSET
    """The message that this answers."""


class Edit(Request, kw_only=True):
    """Say an own message otherwise."""

    room: RoomName
    seq: Seq
    text: str


class Delete(Request, kw_only=True):
    """Take a message away for good."""

    room: RoomName
    seq: Seq


class React(Request, kw_only=True):
    """React to a message, or with `on: false` take that back."""

    room: RoomName
    seq: Seq
    emoji: Emoji
    on: bool = True


class Pin(Request, kw_only=True):
    """Pin a message to its room, or with `on: false` take it off."""

    room: RoomName
    seq: Seq
    on: bool = True


class Mark(Request, kw_only=True):
    """Say what one has read, and what one wants to be told of: for all devices of this person."""

    room: RoomName
    read: Seq | UnsetType = UNSET
    """All up to here is read. It only moves forward, and takes `unread` away."""
    unread: Seq | UnsetType = UNSET
    """From here on it counts as unread, whatever was read; 0 takes that away."""
    level: Level | UnsetType = UNSET
    favourite: bool | UnsetType = UNSET
    muted: bool | UnsetType = UNSET


class TypingRequest(Request, kw_only=True, tag="typing"):
    """Somebody writes. Others see it for a few seconds."""

    room: RoomName


class Away(Request, kw_only=True):
    """Be away, or here again."""

    on: bool = True
    text: Reason = ""


class Whois(Request, kw_only=True):
    """Ask about someone."""

    name: Name


class PeopleRequest(Request, kw_only=True, tag="people"):
    """Ask how people are called."""

    users: Annotated[list[int], Meta(max_length=limits.PEOPLE)]


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
    at: Time | UnsetType = UNSET
    """As `around` the first message at or after this time."""
    thread: Seq | UnsetType = UNSET
    """Only the thread that grew out of this message, itself included."""
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE_MOST)] = limits.PAGE


class Get(Request, kw_only=True):
    """Ask for some messages: what is quoted, say. The answer is a `history`."""

    room: RoomName
    seqs: Annotated[list[Seq], Meta(min_length=1, max_length=limits.PAGE)]


class Pins(Request, kw_only=True):
    """Ask for a room's pinned messages. The answer is a `history`."""

    room: RoomName


class VersionsRequest(Request, kw_only=True, tag="versions"):
    """Ask what a message said before it was edited."""

    room: RoomName
    seq: Seq


class Search(Request, kw_only=True):
    """Look for messages in the rooms one may read, newest first. All that is given must hold."""

    text: Annotated[str, Meta(max_length=limits.QUERY_CHARS)] = ""
    """Words, and "phrases" in quotes; a word with a star at its end is the start of one."""
    rooms: Annotated[list[RoomName], Meta(max_length=limits.ROOMS)] = []
    """None named: all."""
    sender: Name = ""
    """Said by this person, or under this name."""
    since: Time = ""
    """At or after this time."""
    till: Time = ""
    """Before this time."""
    has: Annotated[list[Literal["link", "file"]], Meta(max_length=2)] = []
    before: Seq | UnsetType = UNSET
    """Only below this seq: the `reached` of the answer before."""
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = 20


class Quit(Request, kw_only=True):
    """Leave for good: others are told at once."""

    reason: Reason = ""


class Pong(Frame, kw_only=True):
    """The answer to a ping."""


class Ping(Frame, kw_only=True):
    """Are you there? From the server, `seq` says: you have been sent all up to here."""

    seq: Seq | UnsetType = UNSET


ClientFrame = (
    About
    | Hello
    | Device
    | Join
    | Leave
    | Make
    | Direct
    | Change
    | Invite
    | RoomsRequest
    | ListRequest
    | Send
    | Edit
    | Delete
    | React
    | Pin
    | Mark
    | TypingRequest
    | Away
    | Whois
    | PeopleRequest
    | Withdraw
    | Nick
    | HistoryRequest
    | Get
    | Pins
    | VersionsRequest
    | Search
    | Quit
    | Ping
    | Pong
)


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
    """Empty where it is `deleted`."""
    me: bool = False
    reply: Seq = 0
    """The message that this answers; 0 for none."""
    thread: Seq = 0
    """The message out of which the thread grew that this belongs to; 0 for none."""
    mentions: list[int] = []
    """Users that it names."""
    here: bool = False
    """It names everyone in the room."""
    rev: Seq = 0
    """The seq of the last event that changed any of this, or what follows; 0 where none did."""
    edited: bool = False
    deleted: bool = False
    pinned: bool = False
    replies: int = 0
    """Messages in the thread that grew out of this one."""
    reactions: dict[str, list[int]] = {}
    """Per emoji the users who reacted with it, the first one first."""


class Event(Frame, kw_only=True):
    """Something that has happened in a room, once durable. `sender` is how `user`, who did it, was called then."""

    seq: Seq
    room: str
    user: int
    sender: str
    time: str


class Edited(Event, kw_only=True):
    """A message says something else now."""

    target: Seq
    text: str
    mentions: list[int] = []
    here: bool = False


class Deleted(Event, kw_only=True):
    """A message is gone; that there was one remains."""

    target: Seq
    author: str
    """Under which name it had been said."""
    thread: Seq = 0
    """The thread that it belongs to, as in a message."""


class Reacted(Event, kw_only=True):
    """Someone reacted, or took that back."""

    target: Seq
    emoji: str
    on: bool = True


class Pinned(Event, kw_only=True):
    """A message is pinned, or is no more."""

    target: Seq
    on: bool = True


class Changed(Event, kw_only=True):
    """What is known of the room has changed: what is given."""

    title: str | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class Invited(Event, kw_only=True):
    """Someone is invited, or is no more. To the members, and to whom it concerns."""

    who: int
    name: str
    title: str
    """Of the room: the invited know nothing else of it."""
    on: bool = True


class RoomInfo(Struct, omit_defaults=True, kw_only=True):
    """A room, as one person stands in it."""

    room: str
    title: str
    topic: str = ""
    kind: Literal["public", "private", "direct"] = "public"
    before: Before = "all"
    owner: int = 0
    archived: bool = False
    member: bool = True
    """False: one is invited, or only sees that it exists. Then nothing below is told but `members`."""
    invited_by: str = ""
    members: int = 0
    """How many; 0 where everyone is."""
    people: list[tuple[int, str]] = []
    """Of a direct room: the users and their names, oneself included."""
    last: Seq = 0
    """The latest message, 0 for none."""
    time: str = ""
    """When that was said."""
    read: Seq = 0
    unread: Seq = 0
    """Marked as unread from here on; 0 for no."""
    level: Level = "all"
    favourite: bool = False
    muted: bool = False
    count: int = 0
    """Unread messages of others, true as of the frame's `as_of`; `limits.UNREAD` means so many or more."""
    mentions: int = 0
    """Those among them that name one."""


class Rooms(Request, kw_only=True):
    """How one stands in one's rooms. Where it is long, in parts: `more` says that one follows."""

    rooms: list[RoomInfo]
    as_of: Seq
    more: bool = False


class List(Request, kw_only=True):
    """Rooms by handle. `more`: ask again, after the last one."""

    rooms: list[RoomInfo]
    more: bool = False


class Marked(Frame, kw_only=True):
    """Where this person stands in a room: to all their devices, the one that said so included."""

    room: str
    read: Seq = 0
    unread: Seq = 0
    level: Level = "all"
    favourite: bool = False
    muted: bool = False


class Typing(Frame, kw_only=True):
    """These write something. Good for some seconds."""

    room: str
    names: list[str]


class Status(Frame, kw_only=True):
    """Someone one shares a room with is away, or here again."""

    user: int
    name: str
    away: bool = False
    text: str = ""


class Person(Request, kw_only=True):
    """What is known of someone."""

    user: int
    name: str
    online: bool = False
    away: bool = False
    text: str = ""
    seen: str = ""
    """When they were here last; empty where they are here, or that is not known."""
    rooms: list[str] = []
    """The rooms one shares with them."""


class People(Request, kw_only=True):
    """How people are called now; who is not known is left out."""

    people: list[tuple[int, str]]


class NewDevice(Request, kw_only=True, tag="device"):
    """A session for another device of the same person."""

    session: str
    """Secret."""


class Version(Struct):
    """What a message said once."""

    seq: Seq
    time: str
    text: str


class Versions(Request, kw_only=True):
    """All that a message said, the first one first, as far as it fits a line."""

    room: str
    seq: Seq
    versions: list[Version]


class Found(Request, kw_only=True):
    """What was found, newest first."""

    messages: list[Message]
    reached: Seq
    """All above this was looked at: `before` of the search for more."""
    time: str = ""
    """When that was; empty where nothing is left to look at."""
    late: bool = False
    """The time for it was up, or the limit reached: there may be more."""
    upto: Seq = 0
    """What is newer than this is not searched yet."""


class FoundOut(Request, kw_only=True, tag="found"):
    """`Found` as the server writes it."""

    messages: list[Raw]
    reached: Seq
    time: str = ""
    late: bool = False
    upto: Seq = 0


class Ok(Request, kw_only=True):
    """Done. `seq` where it became an event; `id` where a message had been taken before."""

    seq: Seq | UnsetType = UNSET
    id: MessageId | UnsetType = UNSET
    room: str | UnsetType = UNSET
    """The room that was made or found."""


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
    users: list[int] = []
    """Their users, in the same order."""
    away: dict[str, str] = {}
    """Who of them is away, and what they say to that."""
    more: bool = False


class Joined(Frame, kw_only=True):
    """These came in."""

    room: str
    names: list[str]
    users: list[int] = []
    away: dict[str, str] = {}


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
    Server
    | Welcome
    | NewDevice
    | Message
    | Edited
    | Deleted
    | Reacted
    | Pinned
    | Changed
    | Invited
    | Ok
    | Error
    | Rooms
    | List
    | Marked
    | Roster
    | Joined
    | Left
    | Renamed
    | Typing
    | Status
    | Person
    | People
    | History
    | Versions
    | Found
    | Gap
    | Shutdown
    | Ping
    | Pong
)
