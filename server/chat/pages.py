"""The latest page of each room, read once for all who come in while nothing new is said there."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

BYTES: Final = 16 * 1024 * 1024
"""What the pages take at most that are kept, those that were asked for last: of 1,000 busy rooms some 10 MiB."""

EACH: Final = 600
"""What one takes beside its bytes, as bytes: in a quiet room that is most of it."""


class Pages:
    """Pages by room. Only of rooms of which all members may read the same."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[int, int, bytes]] = {}
        """Per room its page: limit, the seq of the last message then, line. What was asked for last is last."""
        self._size = 0
        self._reading: dict[int, tuple[int, int, asyncio.Future[bytes]]] = {}
        """The same of what is being read."""

    def get(self, room: int, limit: int, last: int) -> bytes | None:
        """Return a room's page, where it is here."""
        kept = self._kept.get(room)
        return kept[2] if kept is not None and kept[:2] == (limit, last) else None

    def read(self, room: int, limit: int, last: int, read: Callable[[], Awaitable[bytes]]) -> asyncio.Future[bytes]:
        """Return a room's page as it is, or is being read; else have it read."""
        line = self.get(room, limit, last)
        if line is not None:
            self._kept[room] = self._kept.pop(room)
            page = asyncio.get_running_loop().create_future()
            page.set_result(line)
            return page
        reading = self._reading.get(room)
        if reading is None or reading[:2] != (limit, last):
            reading = (limit, last, asyncio.ensure_future(read()))
            self._reading[room] = reading
            reading[2].add_done_callback(partial(self._have_read, room, limit, last))
        return reading[2]

    def clear(self) -> None:
        """Have all pages be read anew: something on them is gone."""
        self._kept.clear()
        self._reading.clear()
        self._size = 0

    def _have_read(self, room: int, limit: int, last: int, page: asyncio.Future[bytes]) -> None:
        reading = self._reading.get(room)
        if reading is None or reading[2] is not page:
            return  # something was said meanwhile, or is gone
        del self._reading[room]
        if page.cancelled() or page.exception() is not None:
            return
        self._forget(room)
        self._kept[room] = (limit, last, page.result())
        self._size += len(page.result()) + EACH
        while self._size > BYTES:
            self._forget(next(iter(self._kept)))

    def _forget(self, room: int) -> None:
        kept = self._kept.pop(room, None)
        if kept is not None:
            self._size -= len(kept[2]) + EACH
