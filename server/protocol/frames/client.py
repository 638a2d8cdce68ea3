"""Client to server."""

from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.protocol import limits
from server.protocol.frames.base import (
    Before,
    Emoji,
    Level,
    MessageId,
    Minutes,
    Name,
    Ping,
    Pong,
    Reason,
    Request,
    RoleName,
    RoomName,
    Secret,
    Seq,
    SignUp,
    Time,
    Topic,
    without_secrets,
)


class Resume(Struct):
    """Who comes back, and what it has seen."""

    session: Annotated[str, Meta(max_length=64)]
    epoch: Annotated[str, Meta(max_length=64)] = ""
    seq: Seq = 0

    def __repr__(self) -> str:
        return without_secrets(self, frozenset({"session"}))


class About(Request, kw_only=True):
    """Ask which server this is, and which ways in there are, before or after `hello`."""


class Hello(Request, kw_only=True):
    """The first frame of a connection: who is here."""

    name: Name = ""
    """May be left out by who resumes: the name stays what it was."""
    password: Secret = ""
    """Of the account that has this name: a new session begins."""
    sso: bool = False
    """Sign in by the server's provider: `sso` says where, and the welcome follows once that is done there."""
    token: Secret = ""
    """Of whoever runs this server, from its data directory: they may do everything, and are in no room."""
    device: Annotated[str, Meta(max_length=limits.DEVICE_CHARS)] = ""
    """How one calls this device: it stands in the list of one's sessions."""
    resume: Resume | None = None
    backlog: Annotated[int, Meta(ge=0, le=limits.PAGE_MOST)] = limits.PAGE
    """Latest messages wanted of each room; 0 for none."""
    show: Annotated[list[RoomName], Meta(max_length=limits.ROOMS)] | None = None
    """The rooms whose latest messages are wanted; without it all."""
    ping: bool = True
    """False: this client answers no ping; TCP's keepalive alone decides whether it is still there."""
    resumes: bool = False
    """This client keeps its session: when its connection drops without `quit`, its name is kept for a while."""


class Register(Request, kw_only=True):
    """Get an account: a guest stays who they are, with their rooms and messages. Before `hello`, a new person.

    Answered by `account`.
    """

    name: Name = ""
    """Without it, the name one has."""
    password: Secret = ""
    sso: bool = False
    """Sign in by the provider instead of a password."""
    ticket: Secret = ""
    """Where sign-up is by invitation."""


class Password(Request, kw_only=True):
    """Take another password: all other sessions end."""

    secret: ClassVar[frozenset[str]] = frozenset({"old", "new"})
    old: Secret
    new: Secret
    name: Name = ""
    """Whose: only whoever runs the server may set another's, without the old one."""


class DevicesRequest(Request, kw_only=True, tag="devices"):
    """Ask for one's sessions."""

    name: Name = ""
    """Whose: only whoever runs the server may ask for another's."""


class End(Request, kw_only=True):
    """End a session of one's own: its connections end at once, and it can't come back."""

    session: Annotated[int, Meta(ge=0, le=limits.SAFE_INTEGER)] = 0
    """Its number in `devices`; 0: this one."""
    others: bool = False
    """All but this one."""
    name: Name = ""
    """Whose: only whoever runs the server may end another's (all of them)."""


class Claim(Request, kw_only=True):
    """Become the server's owner, by the code that it showed at its first start. Once; for accounts."""

    secret: ClassVar[frozenset[str]] = frozenset({"code"})
    code: Secret


class Device(Request, kw_only=True):
    """Ask for a code by which another device comes in as oneself: `hello` with it as `resume`'s session, once, soon."""


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
    read_only: bool | UnsetType = UNSET
    """Only moderators say something."""
    slow: Annotated[int, Meta(ge=0, le=limits.SLOW)] | UnsetType = UNSET
    """Seconds between two messages of one person, but for moderators; 0: none."""
    keep_days: Annotated[int, Meta(ge=0, le=limits.KEEP_DAYS)] | UnsetType = UNSET
    """Messages older than that are erased; 0: kept. Of `general`: of all rooms that say nothing else."""
    keep_count: Annotated[int, Meta(ge=0, le=limits.SAFE_INTEGER)] | UnsetType = UNSET
    """Only so many of the latest messages are kept; 0: all. Of `general`: as above."""


class Invite(Request, kw_only=True):
    """Invite somebody, or with `on: false` take that back."""

    room: RoomName
    name: Name
    on: bool = True


class Appoint(Request, kw_only=True):
    """Give somebody another role in a room; in `general`: on the server, for accounts only."""

    name: Name
    role: RoleName
    room: RoomName = "general"


class Kick(Request, kw_only=True):
    """Put somebody out of a room; in `general`: out of the server. They may come back."""

    name: Name
    room: RoomName = "general"
    reason: Reason = ""


class Ban(Request, kw_only=True):
    """Put somebody out, and keep them out, or with `on: false` take that back. Of `general`: of the whole server."""

    name: Name = ""
    range: Annotated[str, Meta(max_length=limits.RANGE_CHARS)] = ""
    """Instead of a name, of the whole server: an address or a range of them, `203.0.113.0/24`."""
    room: RoomName = "general"
    minutes: Minutes = 0
    reason: Reason = ""
    on: bool = True


class Silence(Request, kw_only=True):
    """Have somebody only read in a room, or with `on: false` take that back. In `general`: on the whole server."""

    name: Name
    room: RoomName = "general"
    minutes: Minutes = 0
    reason: Reason = ""
    on: bool = True


class BansRequest(Request, kw_only=True, tag="bans"):
    """Ask who is banned from a room or silenced there; of `general`: on the whole server."""

    room: RoomName = "general"


class AuditRequest(Request, kw_only=True, tag="audit"):
    """Ask what was done by moderators and others who may, the latest first."""

    room: RoomName = ""
    """Without it, everywhere."""
    before: Seq | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = limits.PAGE


class SettingsRequest(Request, kw_only=True, tag="settings"):
    """Change how the server takes people, or with nothing given only ask. Answered by `settings`."""

    guests: bool | UnsetType = UNSET
    """Who has no account may come in."""
    sign_up: SignUp | UnsetType = UNSET


class TicketRequest(Request, kw_only=True, tag="ticket"):
    """Make a ticket to sign up with; with `id`, take it back."""

    uses: Annotated[int, Meta(ge=1, le=limits.TICKET_USES)] = 1
    hours: Annotated[int, Meta(ge=1, le=limits.TICKET_HOURS)] = 72
    owner: bool = False
    """Another code by which the server's owner is made, not one to sign up with. For whoever runs the server alone."""
    id: Annotated[int, Meta(ge=0, le=limits.SAFE_INTEGER)] = 0


class TicketsRequest(Request, kw_only=True, tag="tickets"):
    """Ask which tickets there are."""


class AccountsRequest(Request, kw_only=True, tag="accounts"):
    """Ask who has an account, by their number, after this one."""

    after: Annotated[int, Meta(ge=0, le=limits.SAFE_INTEGER)] = 0


class Block(Request, kw_only=True):
    """Hide somebody from oneself, or with `on: false` show them again: they write to one alone no more."""

    name: Name
    on: bool = True


class Report(Request, kw_only=True):
    """Show a message to the server's moderators."""

    room: RoomName
    seq: Seq
    reason: Reason = ""


class ReportsRequest(Request, kw_only=True, tag="reports"):
    """Ask what was reported and is not settled, the latest first."""

    before: Seq | UnsetType = UNSET


class Settle(Request, kw_only=True):
    """A report is dealt with."""

    report: Seq


class Export(Request, kw_only=True):
    """Ask for all that the server holds of oneself, in parts: the next one after `after`."""

    after: Seq = 0
    name: Name = ""
    """Whose: only whoever runs the server may ask for another's."""


class Erase(Request, kw_only=True):
    """Have one's account, and all one ever said, erased for good. The connections end."""

    password: Secret = ""
    """Of one's account, where it has one."""
    name: Name = ""
    """Whose: only the server's owner may erase another."""


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


class WhoRequest(Request, kw_only=True, tag="who"):
    """Ask who is online in a room, by name, in parts: all of them, also where only some are told of by themselves."""

    room: RoomName
    begins: Name = ""
    """Only names that begin like this, whatever their capitals."""
    after: Name = ""
    """The last name of the part before."""
    limit: Annotated[int, Meta(ge=1, le=limits.WHO)] = limits.WHO


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


ClientFrame = (
    About
    | Hello
    | Register
    | Password
    | DevicesRequest
    | End
    | Claim
    | Device
    | Join
    | Leave
    | Make
    | Direct
    | Change
    | Invite
    | Appoint
    | Kick
    | Ban
    | Silence
    | BansRequest
    | AuditRequest
    | SettingsRequest
    | TicketRequest
    | TicketsRequest
    | AccountsRequest
    | Block
    | Report
    | ReportsRequest
    | Settle
    | Export
    | Erase
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
    | WhoRequest
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
