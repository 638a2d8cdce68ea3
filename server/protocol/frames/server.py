"""Server to client."""

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from server.protocol.frames.base import (
    Before,
    Frame,
    Level,
    MessageId,
    Ping,
    Pong,
    Request,
    RoleName,
    Seq,
    SignUp,
)


class Server(Request, kw_only=True, tag="about"):
    """Which server this is."""

    id: str
    """Names its history, whatever its address: it stays as long as the database."""
    server: str
    """Program and version, for people."""
    guests: bool = True
    """Who has no account may come in."""
    sign_up: SignUp = "open"
    sso: str = ""
    """How the provider is called by which one may sign in; empty for none."""
    address: str = ""
    """`host:port` by which other machines reach it; empty where only this one does."""


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
    account: bool = False
    """One has an account: the session travels over TLS alone."""
    role: RoleName = "guest"
    """On the server."""
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
    read_only: bool | UnsetType = UNSET
    slow: int | UnsetType = UNSET
    keep_days: int | UnsetType = UNSET
    keep_count: int | UnsetType = UNSET


class Appointed(Event, kw_only=True):
    """Someone has another role now. In `general`: on the server."""

    who: int
    name: str
    role: RoleName


class Kicked(Event, kw_only=True):
    """Someone was put out."""

    who: int
    name: str
    reason: str = ""


class Banned(Event, kw_only=True):
    """Someone was put out and is kept out, or no more."""

    who: int
    name: str
    until: str = ""
    """RFC 3339; empty where it is for good."""
    reason: str = ""
    on: bool = True


class Silenced(Event, kw_only=True):
    """Someone may only read, or may speak again."""

    who: int
    name: str
    until: str = ""
    """RFC 3339; empty where it is for good."""
    reason: str = ""
    on: bool = True


class Forgotten(Event, kw_only=True):
    """All of the room's messages up to this seq are gone: they were kept as long as they are kept here."""

    upto: Seq


class Erased(Event, kw_only=True):
    """Someone is gone for good, with all they ever said. In `general` alone: it is true of all rooms."""

    who: int


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
    read_only: bool = False
    slow: int = 0
    keep_days: int = 0
    keep_count: int = 0
    role: RoleName = "guest"
    """One's own there; in `general`: on the server."""
    silenced: str = ""
    """One may only read there until then, RFC 3339; `forever` where it is for good."""
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
    account: bool = False
    role: RoleName = "guest"
    """On the server."""
    seen: str = ""
    """When they were here last; empty where they are here, or that is not known."""
    rooms: list[str] = []
    """The rooms one shares with them."""
    roles: dict[str, RoleName] = {}
    """Those of these rooms in which they are a moderator or more."""


class People(Request, kw_only=True):
    """How people are called now; who is not known is left out."""

    people: list[tuple[int, str]]


class NewDevice(Request, kw_only=True, tag="device"):
    """A code for another device of the same person."""

    session: str
    """Secret: `session` of the other device's `resume`. Good once, and for `limits.DEVICE_MINUTES`."""


class Sso(Frame, kw_only=True):
    """Where to sign in: open `url` on any device and type `code`. Good until `expires`, RFC 3339."""

    url: str
    complete: str = ""
    """The same with the code in it, where the provider has that: for a QR code."""
    code: str
    expires: str


class Account(Request, kw_only=True):
    """One has an account now."""

    user: int
    name: str
    session: str = ""
    """Secret: takes the place of the one before, which may have travelled in the open. Empty before `hello`."""


class DeviceInfo(Struct, omit_defaults=True, kw_only=True):
    """One of one's sessions."""

    id: int
    device: str = ""
    """As its client calls it."""
    since: str
    """When it began, RFC 3339."""
    used: str
    """When it was used last."""
    address: str = ""
    """From where."""
    online: bool = False
    current: bool = False
    """It is the one that asks."""
    waiting: bool = False
    """A code that no device has used yet."""


class Devices(Request, kw_only=True):
    """One's sessions, the latest first; as many as fit a line."""

    devices: list[DeviceInfo]


class BanInfo(Struct, omit_defaults=True, kw_only=True):
    """Someone, or an address range, is kept out or silenced."""

    kind: Literal["ban", "silence", "range"]
    user: int = 0
    name: str = ""
    range: str = ""
    until: str = ""
    reason: str = ""
    by: str = ""
    time: str


class Bans(Request, kw_only=True):
    """Who is kept out of a room, or silenced there; as many as fit a line."""

    room: str
    bans: list[BanInfo]


class Settings(Request, kw_only=True):
    """How the server takes people."""

    guests: bool
    sign_up: SignUp


class Ticket(Request, kw_only=True):
    """A ticket to sign up with."""

    ticket: str
    """Secret."""
    id: int
    until: str


class TicketInfo(Struct, kw_only=True):
    """A ticket that is good still."""

    id: int
    uses: int
    """How often it is good still."""
    until: str
    by: str


class Tickets(Request, kw_only=True):
    """The tickets that are good still, the latest first; as many as fit a line."""

    tickets: list[TicketInfo]


class AccountInfo(Struct, omit_defaults=True, kw_only=True):
    """Someone who has an account."""

    user: int
    name: str
    role: RoleName = "member"
    since: str
    seen: str = ""
    """When they were here last; empty where they are here."""


class Accounts(Request, kw_only=True):
    """Who has an account. `more`: ask again, after the last one."""

    accounts: list[AccountInfo]
    more: bool = False


class Blocked(Frame, kw_only=True):
    """Whom one has hidden from oneself: all of them, to all one's devices."""

    people: list[tuple[int, str]]


class ReportInfo(Struct, omit_defaults=True, kw_only=True):
    """A message that someone has reported."""

    report: Seq
    time: str
    by: str
    reason: str = ""
    room: str
    seq: Seq
    user: int
    sender: str
    text: str = ""
    """What it says now; empty where it is gone."""


class Reports(Request, kw_only=True):
    """What is reported and not settled, the latest first; as many as fit a line. Unasked, without `ref`: one is new."""

    reports: list[ReportInfo]
    more: bool = False


class AuditInfo(Struct, omit_defaults=True, kw_only=True):
    """Something that was done by who may."""

    seq: Seq
    time: str
    room: str
    by: str
    """Who did it; `chat-server` for whoever runs the server, or what it does by itself."""
    what: Literal[
        "appointed", "kicked", "banned", "silenced", "range", "changed", "deleted", "forgotten", "erased",
        "settings", "settled",
    ]  # fmt: skip
    name: str = ""
    """To whom."""
    detail: str = ""
    """Role, reason, range, what was changed: for people."""
    until: str = ""
    on: bool = True


class Audit(Request, kw_only=True):
    """What was done, the latest first; as many as fit a line."""

    acts: list[AuditInfo]
    more: bool = False


class Exported(Request, kw_only=True):
    """A part of what the server holds of someone. `more`: ask again with `after` as it stands here."""

    lines: list[Raw]
    """JSON objects, each with a `kind` of its own: a file of them, one a line, is the whole."""
    after: Seq = 0
    more: bool = False


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
    until: str | UnsetType = UNSET
    """When a ban or a silence ends, RFC 3339; `message` says it, too, in UTC."""


class Named(Frame, kw_only=True):
    """People who are online in a room, by name: what some frames share, and no frame by itself."""

    room: str
    names: list[str]
    users: list[int] = []
    """Their users, in the same order."""
    away: dict[str, str] = {}
    """Who of them is away, and what they say to that."""
    roles: dict[str, RoleName] = {}
    """Who of them is a moderator or more in this room, or on the server."""


class Roster(Named, kw_only=True):
    """Who is online in a room: replaces what was known. Where it is long, in parts: `more` says that one follows."""

    more: bool = False
    count: int = 0
    """In the last part: how many are online, where the names are those of some; 0 where they are all."""


class Count(Named, kw_only=True):
    """So many are online now in a room where not all names are told; these are told of from now on."""

    count: int
    names: list[str] = []


class Who(Request, kw_only=True):
    """Who is online in a room, as in `Named`: a struct has one base. `more`: ask again, after the last one."""

    room: str
    names: list[str]
    users: list[int] = []
    away: dict[str, str] = {}
    roles: dict[str, RoleName] = {}
    more: bool = False


class Joined(Named, kw_only=True):
    """These came in."""


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
    | Sso
    | Account
    | Devices
    | Bans
    | Settings
    | Ticket
    | Tickets
    | Accounts
    | Blocked
    | Reports
    | Audit
    | Exported
    | Message
    | Edited
    | Deleted
    | Reacted
    | Pinned
    | Changed
    | Invited
    | Appointed
    | Kicked
    | Banned
    | Silenced
    | Forgotten
    | Erased
    | Ok
    | Error
    | Rooms
    | List
    | Marked
    | Roster
    | Count
    | Joined
    | Left
    | Renamed
    | Typing
    | Status
    | Person
    | Who
    | People
    | History
    | Versions
    | Found
    | Gap
    | Shutdown
    | Ping
    | Pong
)
