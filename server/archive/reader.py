"""The archive off the event loop: reading never holds up delivery."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import apsw

from server.archive import export, moderation, people, retention, standing
from server.archive.database import refusal
from server.archive.history import HistoryReader
from server.archive.search import SearchIndex
from server.archive.search_query import IndexQuery, parse
from server.chat.limits import DEFAULTS
from server.chat.ports import Credentials, ListQuery, PageQuery, SearchQuery, Seen, StandingQuery
from server.protocol.frames import AccountInfo, AuditInfo, BanInfo, DeviceInfo, ReportInfo, RoomInfo, TicketInfo
from server.record.events import Share

AT_ONCE: Final = 32
"""Rooms of which something is counted in one go: some 30 ms at the most, for which other readers wait."""

T = TypeVar("T")


class ThreadedArchive:
    """Reads in one thread of its own, in the order of asking; see `server.chat.ports.Archive`."""

    def __init__(self, path: Path, index: SearchIndex, page: int = DEFAULTS.page) -> None:
        self._path = path
        self._index = index
        self._reader = HistoryReader(path, page)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="archive")

    async def page(self, query: PageQuery) -> bytes:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: self._reader.page(query))

    async def versions(self, query: PageQuery) -> bytes:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: self._reader.versions(query))

    async def standing(self, query: StandingQuery) -> bytes:
        """See `server.chat.ports.Archive`."""
        rooms: list[RoomInfo] = []
        for part in _parts(query.rooms):
            rooms += await self._run(partial(self._standing, query, part))
        return standing.standing_lines(query, rooms)

    async def listing(self, query: ListQuery) -> bytes:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.listing(self._reader.database, query))

    async def search(self, query: SearchQuery) -> bytes:
        """See `server.chat.ports.Archive`."""
        filtered = bool(query.users or query.sender or query.has) or query.since is not None or query.till is not None
        terms = parse(query.text, filtered=filtered)
        found = await self._index.find(
            IndexQuery(
                rooms=list(query.reader.rooms.items()),
                terms=terms,
                users=query.users,
                sender=query.sender,
                since=query.since,
                till=query.till,
                has=query.has,
                before=query.before,
                limit=query.limit,
            )
        )
        return await self._run(lambda: self._reader.found(query, found))

    async def users(self, names: list[str]) -> dict[str, int]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.users(self._reader.database, names))

    async def names(self, users: list[int]) -> list[tuple[int, str]]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.names(self._reader.database, users))

    async def seen(self, user: int) -> Seen:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.seen(self._reader.database, user))

    async def missed(self, share: Share, after: int, upto: int, most: int) -> tuple[list[int], int]:
        """See `server.chat.ports.Archive`."""
        many, start = [], upto
        for part in _parts(list(share.spans)):
            of_part = Share({room: share.spans[room] for room in part}, share.gaps)
            found, first = await self._run(partial(self._reader.missed, of_part, after, upto, most))
            many += found
            start = min(start, first)
        return many, start

    async def events(
        self, share: Share, handles: dict[int, bytes], after: int, upto: int, size: int
    ) -> tuple[bytes, int]:
        """See `server.chat.ports.Archive`."""
        return await self._run(partial(self._reader.events, share, handles, after, upto, size))

    async def credentials(self, name: str, address: str) -> Credentials:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: people.credentials(self._reader.database, name, address))

    async def password(self, user: int) -> str:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: people.password(self._reader.database, user))

    async def subject(self, subject: str) -> int:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: people.subject(self._reader.database, subject))

    async def devices(self, user: int, now: int) -> list[DeviceInfo]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: people.devices(self._reader.database, user, now))

    async def accounts(self, after: int) -> tuple[list[AccountInfo], bool]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: people.accounts(self._reader.database, after))

    async def tickets(self, now: int) -> list[TicketInfo]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: people.tickets(self._reader.database, now))

    async def owned(self) -> bool:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: people.owned(self._reader.database))

    async def bans(self, room: int, now: int, *, ranges: bool) -> list[BanInfo]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: moderation.bans(self._reader.database, room, now, ranges=ranges))

    async def audit(self, room: int, before: int, limit: int) -> tuple[list[AuditInfo], bool]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: moderation.audit(self._reader.database, room, before, limit))

    async def reports(self, before: int) -> tuple[list[ReportInfo], bool]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: moderation.reports(self._reader.database, before))

    async def export(self, user: int, after: int) -> tuple[list[bytes], int, bool]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: export.export(self._reader.database, user, after))

    async def outdated(self, now: int) -> list[tuple[int, int]]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: retention.outdated(self._reader.database, now))

    async def close(self) -> None:
        """Finish what is being read; what waits is cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        self._reader.close()

    def _standing(self, query: StandingQuery, rooms: list[int]) -> list[RoomInfo]:
        return standing.standing(self._reader.database, query, rooms)

    async def _run(self, read: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, read)
        except apsw.CorruptError as error:
            raise OSError(str(refusal(self._path, error))) from error
        except apsw.Error as error:
            raise OSError(f"the database can't be read: {error}") from error


def _parts(rooms: list[int]) -> list[list[int]]:
    """Return rooms in parts that are looked at in one go each."""
    return [rooms[start : start + AT_ONCE] for start in range(0, len(rooms), AT_ONCE)]
