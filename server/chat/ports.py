"""What the rules need from the rest: declared here, implemented by `server.log`, `server.archive` and `server.net`."""

from collections.abc import Awaitable
from typing import Protocol

from msgspec import Struct

from server.chat.events import Entry, Spans


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
    before: int | None = None
    after: int | None = None
    around: int | None = None
    """This seq and what stands around it."""
    ref: str | None = None


class Archive(Protocol):
    """What is read. All calls leave the event loop free and MAY raise OSError."""

    def page(self, query: PageQuery) -> Awaitable[bytes]:
        """Return the `history` line that answers a query."""

    def missed(self, rooms: Spans, after: int, upto: int, most: int) -> Awaitable[tuple[list[int], int]]:
        """Return the rooms with more than `most` messages in (after, upto], and up to where the others have none."""

    def events(
        self, rooms: Spans, handles: dict[int, bytes], after: int, upto: int, size: int
    ) -> Awaitable[tuple[bytes, int]]:
        """Return the lines in (after, upto] of these rooms, about `size` bytes of them, and up to which seq they go.

        `handles` has each room's handle as JSON.
        """


class Link(Protocol):
    """One client's connection, as the rules see it."""

    @property
    def address(self) -> str:
        """Where the client is, for people."""

    @property
    def congested(self) -> bool:
        """Whether its buffer is full."""

    def write(self, data: bytes) -> None:
        """Send. MUST NOT block, MUST NOT reorder. Tells `Hub.fall_behind` when its buffer is full."""

    def ready(self) -> None:
        """Something this connection waited for has come: it may go on with its next line."""

    def close(self) -> None:
        """End the connection once what was written has left; within a bounded time."""
