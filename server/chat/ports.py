"""What the rules need from the rest: declared here, implemented by `server.log`, `server.archive` and `server.net`."""

from collections.abc import Awaitable
from typing import NamedTuple, Protocol

from msgspec import Struct

from server.protocol.frames import AccountInfo, AuditInfo, BanInfo, DeviceInfo, ReportInfo, RoleName, TicketInfo
from server.record.entries import Entry, Mark
from server.record.events import Share
from server.record.register import Settings
from server.record.rights import Role


class Log(Protocol):
    """The one durable log."""

    @property
    def identity(self) -> str:
        """The name of this history, the same for all its starts."""

    @property
    def epoch(self) -> str:
        """The random name of this start of the log."""

    @property
    def head(self) -> int:
        """The seq up to which everything has been handed back."""

    @property
    def settings(self) -> Settings:
        """How the server takes people, as the log had it when it was opened."""

    @property
    def roles(self) -> dict[int, dict[int, Role]]:
        """Per room who was appointed to what, as of the same."""

    @property
    def full(self) -> bool:
        """Whether the queue has met its bound: nothing more should be read from clients until it has drained."""

    def append(self, entry: Entry) -> None:
        """Queue an entry. MUST NOT block. MUST hand entries back in this order, each exactly once.

        An entry is handed back only when it, and all before it, are durable; or with a code, when it has no effect.
        """

    def knows(self, epoch: str, seq: int) -> bool:
        """Say whether a cursor lies in this log's own history."""


class PageQuery(Struct, kw_only=True):
    """A page of a room's messages that is wanted. Bounds are exclusive; with none, the latest."""

    room: int
    name: str
    handle: bytes
    """`name` as JSON."""
    limit: int
    as_of: int
    """Nothing later than this seq is shown."""
    floor: int = 0
    """Nothing up to this seq may be read."""
    before: int | None = None
    after: int | None = None
    around: int | None = None
    """This seq and what stands around it."""
    at: int | None = None
    """As `around` the first message at or after this time, in milliseconds since 1970."""
    thread: int | None = None
    """Only what belongs to the thread of this message."""
    seqs: list[int] | None = None
    """Only these."""
    pinned: bool = False
    """Only what is pinned."""
    ref: str | None = None


class Reader(Struct, kw_only=True):
    """Who reads, and what they may: the archive goes by this alone."""

    user: int
    rooms: dict[int, int]
    """The rooms they are a member of, each with the seq up to which nothing may be read."""
    marks: dict[int, Mark] = {}


class StandingQuery(Struct, kw_only=True):
    """How someone stands in some rooms."""

    reader: Reader
    rooms: list[int]
    as_of: int
    ref: str | None = None


class ListQuery(Struct, kw_only=True):
    """Rooms by handle, after this one: the public ones, and the reader's own."""

    reader: Reader
    after: str
    ref: str | None = None


class SearchQuery(Struct, kw_only=True):
    """What is searched for. All that is given must hold."""

    reader: Reader
    """Only the rooms in which is searched."""
    text: str = ""
    users: list[int] = []
    sender: str = ""
    since: int | None = None
    """Milliseconds since 1970; `till` is exclusive."""
    till: int | None = None
    has: list[str] = []
    before: int | None = None
    limit: int = 20
    ref: str | None = None


class Credentials(NamedTuple):
    """What is known of the one whose account has some name."""

    user: int = 0
    """0 where there is no such account."""
    password: str = ""
    """What is stored of its password; empty where there is none."""
    known: bool = False
    """Its owner has come in from the same address before."""


class Seen(NamedTuple):
    """What is known of somebody."""

    last: int
    """When they were here last, in milliseconds since 1970; 0 where that is not known."""
    rooms: list[int]
    """The rooms they are a member of."""
    account: bool
    role: RoleName
    """On the server."""


class Archive(Protocol):
    """What is read. All calls leave the event loop free and MAY raise OSError.

    Those that return bytes return the line, or lines, that answer a request.
    """

    def page(self, query: PageQuery) -> Awaitable[bytes]:
        """Return a page of history."""

    def versions(self, query: PageQuery) -> Awaitable[bytes]:
        """Return all that the message `query.around` said."""

    def standing(self, query: StandingQuery) -> Awaitable[bytes]:
        """Return how someone stands in rooms."""

    def listing(self, query: ListQuery) -> Awaitable[bytes]:
        """Return which rooms there are."""

    def search(self, query: SearchQuery) -> Awaitable[bytes]:
        """Return what is found. MAY raise ProtocolError: this can't be searched for."""

    def users(self, names: list[str]) -> Awaitable[dict[str, int]]:
        """Return who has these names, or had them last, whatever their capitals; unknown ones are left out."""

    def names(self, users: list[int]) -> Awaitable[list[tuple[int, str]]]:
        """Return how users are called."""

    def seen(self, user: int) -> Awaitable[Seen]:
        """Return what is known of a user."""

    def export(self, user: int, after: int) -> Awaitable[tuple[list[bytes], int, bool]]:
        """Return some of all that is held of a user, as JSON objects, after a position that starts at 0.

        Beside them up to where they go, and whether there are more.
        """

    def outdated(self, now: int) -> Awaitable[list[tuple[int, int]]]:
        """Return the rooms that hold more than is kept there, each with the seq up to which that is to go.

        `now` in milliseconds since 1970.
        """

    def missed(self, share: Share, after: int, upto: int, most: int) -> Awaitable[tuple[list[int], int]]:
        """Return the rooms with more than `most` events in (after, upto], and up to where the others have none."""

    def events(
        self, share: Share, handles: dict[int, bytes], after: int, upto: int, size: int
    ) -> Awaitable[tuple[bytes, int]]:
        """Return someone's lines in (after, upto], about `size` bytes of them, and up to which seq they go.

        `handles` has each room's handle as JSON.
        """

    def credentials(self, name: str, address: str) -> Awaitable[Credentials]:
        """Return what is known of whose account has this name, for somebody at an address."""

    def password(self, user: int) -> Awaitable[str]:
        """Return what is stored of a user's password; empty where there is none."""

    def subject(self, subject: str) -> Awaitable[int]:
        """Return who signs in as this subject at the provider; 0 where nobody does."""

    def devices(self, user: int, now: int) -> Awaitable[list[DeviceInfo]]:
        """Return a user's sessions, the latest first; as many as fit a line. `now`: milliseconds since 1970."""

    def accounts(self, after: int) -> Awaitable[tuple[list[AccountInfo], bool]]:
        """Return who has an account, by their number after this one, and whether there are more."""

    def tickets(self, now: int) -> Awaitable[list[TicketInfo]]:
        """Return the tickets that are good, the latest first; as many as fit a line."""

    def owned(self) -> Awaitable[bool]:
        """Say whether the server has an owner, or a code out that makes one."""

    def bans(self, room: int, now: int, *, ranges: bool) -> Awaitable[list[BanInfo]]:
        """Return who is kept out of a room or silenced there, with `ranges` also which addresses; what fits a line.

        `now`: milliseconds since 1970.
        """

    def audit(self, room: int, before: int, limit: int) -> Awaitable[tuple[list[AuditInfo], bool]]:
        """Return what was done in a room, or with 0 everywhere, before a seq, latest first, and if there is more."""

    def reports(self, before: int) -> Awaitable[tuple[list[ReportInfo], bool]]:
        """Return what is reported before a seq and not settled, the latest first; and whether there is more."""


class Link(Protocol):
    """One client's connection, as the rules see it."""

    @property
    def address(self) -> str:
        """Where the client is, for people."""

    @property
    def host(self) -> str:
        """The client's IP address alone; empty where it has none."""

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted: secrets of accounts travel over no other."""

    @property
    def congested(self) -> bool:
        """Whether its buffer is full."""

    def write(self, data: bytes) -> None:
        """Send. MUST NOT block, MUST NOT reorder. Tells `Hub.fall_behind` when its buffer is full."""

    def ready(self) -> None:
        """Something this connection waited for has come: it may go on with its next line."""

    def close(self) -> None:
        """End the connection once what was written has left; within a bounded time."""

    def abort(self) -> None:
        """End the connection now: what has not left yet is dropped."""


class Passwords(Protocol):
    """Hashes passwords. Both calls leave the event loop free, and MAY raise ProtocolError: too many wait already."""

    def hash(self, password: str) -> Awaitable[str]:
        """Return what is stored of a password."""

    def verify(self, stored: str, password: str, *, urgent: bool = False) -> Awaitable[tuple[bool, str]]:
        """Say whether it is this password, and return what is to be stored from now on, empty where that stays.

        Where nothing is stored, the answer is no, and takes as long. `urgent`: before all but one of those
        that are not.
        """


class Identity(Struct, kw_only=True):
    """Who has signed in at the provider."""

    subject: str
    """Issuer and subject: stable, and theirs alone."""
    name: str
    """How they are called there; it may be no name here."""


class SignIn(Protocol):
    """A sign-in at the provider that is under way."""

    @property
    def url(self) -> str:
        """Where one signs in."""

    @property
    def complete(self) -> str:
        """The same with the code in it; empty where the provider has no such thing."""

    @property
    def code(self) -> str:
        """What one types there."""

    @property
    def expires(self) -> int:
        """Until when, in milliseconds since 1970."""

    def wait(self) -> Awaitable[Identity]:
        """Return who it was. Raises ProtocolError: refused there, too late, or the provider can't be reached."""


class Provider(Protocol):
    """An OpenID Connect provider by which people may sign in (RFC 8628)."""

    @property
    def name(self) -> str:
        """How it is called, for people."""

    def begin(self) -> Awaitable[SignIn]:
        """Begin a sign-in. Raises ProtocolError where the provider can't be reached, or too many are under way."""
