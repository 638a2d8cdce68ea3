"""The archive off the event loop: reading never holds up delivery."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw

from server.archive import standing
from server.archive.database import refusal
from server.archive.history import HistoryReader
from server.chat.events import Spans
from server.chat.limits import DEFAULTS
from server.chat.ports import ListQuery, PageQuery, SearchQuery, StandingQuery

T = TypeVar("T")


class ThreadedArchive:
    """Reads in one thread of its own, in the order of asking; see `server.chat.ports.Archive`."""

    def __init__(self, path: Path, page: int = DEFAULTS.page) -> None:
        self._path = path
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
        return await self._run(lambda: standing.standing(self._reader.database, query))

    async def listing(self, query: ListQuery) -> bytes:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.listing(self._reader.database, query))

    async def search(self, query: SearchQuery) -> bytes:
        """See `server.chat.ports.Archive`."""
        raise OSError("there is no index yet")

    async def users(self, names: list[str]) -> dict[str, int]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.users(self._reader.database, names))

    async def names(self, users: list[int]) -> list[tuple[int, str]]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.names(self._reader.database, users))

    async def seen(self, user: int) -> tuple[int, list[int]]:
        """See `server.chat.ports.Archive`."""
        return await self._run(lambda: standing.seen(self._reader.database, user))

    async def missed(self, rooms: Spans, after: int, upto: int, most: int) -> tuple[list[int], int]:
        """See `server.chat.ports.Archive`."""
        return await self._run(partial(self._reader.missed, rooms, after, upto, most))

    async def events(
        self, rooms: Spans, handles: dict[int, bytes], after: int, upto: int, size: int
    ) -> tuple[bytes, int]:
        """See `server.chat.ports.Archive`."""
        return await self._run(partial(self._reader.events, rooms, handles, after, upto, size))

    async def close(self) -> None:
        """Finish what is being read; what waits is cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)
        self._reader.close()

    async def _run(self, read: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, read)
        except apsw.CorruptError as error:
            raise OSError(str(refusal(self._path, error))) from error
        except apsw.Error as error:
            raise OSError(f"the database can't be read: {error}") from error
