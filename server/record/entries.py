"""What is put into the log's queue.

The log fills entries in: the same object that was handed over comes back committed, with its seq, or refused, with a
code.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from server.protocol.errors import Code
from server.protocol.frames import Level
from server.protocol.frames.base import without_secrets
from server.record.events import Kind, Spans
from server.record.rights import Act, Role


class Mark(Struct):
    """Where someone stands in a room: a table's row of last values, no event."""

    read: int = 0
    unread: int = 0
    level: Level = "all"
    favourite: bool = False
    muted: bool = False


_SECRET: Final = frozenset(
    {"then", "password", "instead", "proof", "secret", "fresh", "ticket", "owner_code", "hashed"}
)  # fmt: skip
"""Fields of entries that no log has to show: hashes, and what is called with a secret."""


class Entry(Struct, eq=False):
    """Something for the log to make durable, in order."""

    peer: Any = None
    """Who gets the answer; the log carries it and never looks at it."""
    ref: str | None = None
    code: Code | None = None
    """Filled in: why it did not take effect; None where it did."""
    why: str = ""
    """Filled in: what there is to say to that beside what the code says: until when, and for what reason."""
    ends: str = ""
    """Filled in: when the ban or silence ends that refuses it, RFC 3339; empty where it has no end."""
    wait_ms: int = 0
    """Filled in: milliseconds until it may be tried again, where time is all it takes."""
    then: Callable[[Any], None] | None = None
    """Called with the entry when it comes back; None where the kind says enough."""
    body: bytes = b""
    """What an event says, as JSON; nothing where it is no event."""

    def __repr__(self) -> str:
        return without_secrets(self, _SECRET)


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
    idle: bool = False
    """Filled in: all is as it asks for already. There is no event, and that is fine."""
    seq: int = 0
    """Filled in: its position, or where `repeated`, the position it got when it was first taken."""
    time: int = 0
    """Filled in: milliseconds since 1970, UTC; it never decreases with seq."""
    repeated: bool = False
    """Filled in: it was taken before; nothing new happened."""


class Registering(Draft, kw_only=True):
    """An ACCOUNT event, and the credentials that go with it: all in one transaction, or nothing."""

    password: str = ""
    """The hash; empty where there is none, or it stays."""
    subject: str = ""
    """Who they are at the provider, where they sign in by it."""
    ticket: bytes = b""
    """SHA-256 of the ticket that is used up; empty where none is needed, as the log judges."""
    secret: bytes = b""
    """SHA-256 of the session's new secret: the old one may have travelled in the open."""
    address: str = ""
    """Where the client is; judged against the ranges that are kept out."""
    ended: list[int] = []
    """Filled in: the user's other sessions, which end: their secrets may have travelled in the open, too."""


class Claiming(Draft, kw_only=True):
    """An APPOINT event of the server's owner, by the one-time code for that: used up in the same transaction."""

    owner_code: bytes
    """SHA-256 of the code."""


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
    secure: bool = False
    """The connection is encrypted: nobody else has read the secret."""
    address: str = ""
    """Where the client is; judged against the ranges that are kept out, and kept for the list of sessions."""
    device: str = ""
    """How the client calls its device."""
    once: bool = False
    """It is a code for another device: good once, for some minutes."""
    fresh: bytes = b""
    """SHA-256 of the secret that takes the place of such a code."""
    used_code: bool = False
    """Filled in: `fresh` is the session's secret now."""
    proof: str = ""
    """The stored hash of the password that proved who they are: it must still be that one. Empty without one."""
    time: int = 0
    """Filled in: as of when it is judged."""
    account: bool = False
    """Given where who they are was proved by password or provider; filled in: they have an account."""
    role: Role = Role.GUEST
    """Their role on the server."""
    known_as: str = ""
    """The name that the user had last."""
    blocked: dict[int, str] = {}
    """Whom they have hidden from themselves, with their names."""
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
    """Nothing needs what these events took away any more: seqs of DELETE, FORGET and ERASE events."""

    seqs: list[int]
    left: list[int] = []
    """Filled in: those of which more is to be erased, by another entry like this one."""


class Closing(Entry, kw_only=True):
    """A session's connection is gone; its counters need not be kept at hand."""

    session: int


class Ending(Entry, kw_only=True):
    """Sessions end for good: their secrets are worth nothing from then on."""

    user: int
    session: int = 0
    """This one; 0: all of the user's."""
    kept: int = 0
    """Not this one."""
    sessions: list[int] = []
    """Filled in: which ended."""


class Crediting(Entry, kw_only=True):
    """A user's password changes: its hash."""

    user: int
    password: str
    instead: str = ""
    """The hash whose place it takes: where that is not the user's any more, the change is refused. Empty: whatever was
    there."""


class Ticketing(Entry, kw_only=True):
    """A ticket is made, or with `id` taken back."""

    hashed: bytes = b""
    """SHA-256 of its code."""
    uses: int = 0
    until: int = 0
    """Milliseconds since 1970."""
    by: int = 0
    owner: bool = False
    """It makes the server's owner; the code before it is worth nothing then."""
    id: int = 0
    """Given, or filled in."""


class Blocking(Entry, kw_only=True):
    """A user hides another from themselves, or shows them again."""

    user: int
    who: int
    on: bool


class Checking(Entry, kw_only=True):
    """Whether someone may do what is no event: asked where rights are judged, and as of then. `code` says why not."""

    user: int
    room: int
    act: Act
    time: int = 0
    """Filled in: as of when it is judged."""
