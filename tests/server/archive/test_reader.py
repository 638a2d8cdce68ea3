"""The archive's one thread: what takes long is done in parts, so that who wants a page does not wait for it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from server.archive.database import open_store
from server.archive.reader import AT_ONCE, ThreadedArchive
from server.archive.search import SearchIndex
from server.chat.ports import PageQuery, Reader, StandingQuery
from server.protocol import frames
from server.record.events import FOREVER, Kind, MessageBody, Share, encode_body

ROOMS = range(1, 3 * AT_ONCE)
"""More than are looked at in one go; in each, one message a hundred seqs."""

HEAD = 1000


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[ThreadedArchive]:
    """An archive of many rooms."""
    path = tmp_path / "chat.db"
    database = open_store(path)
    with database:
        for room in ROOMS:
            database.execute("INSERT INTO rooms (id, handle, title) VALUES (?, ?, '')", (room, f"r{room}"))
        body = encode_body(MessageBody("bob", "hi"))
        rows = [(seq, seq % 100 + 1, 2, 0, 0, 0, seq, int(Kind.MESSAGE), body) for seq in range(1, HEAD + 1)]
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()
    archive = ThreadedArchive(path, SearchIndex(path, tmp_path / "search.db", lambda _seqs: None))
    yield archive
    await archive.close()


async def test_a_page_does_not_wait_until_all_rooms_are_counted(archive: ThreadedArchive) -> None:
    """And all of them are in the answer, in the order they were asked for."""
    reader = Reader(user=1, rooms=dict.fromkeys(ROOMS, 0))
    page = PageQuery(room=1, name="r1", handle=b'"r1"', limit=5, as_of=HEAD)
    order: list[str] = []

    async def read_page() -> None:
        await archive.page(page)
        order.append("page")

    async def read_rooms() -> bytes:
        answer = await archive.standing(StandingQuery(reader=reader, rooms=list(ROOMS), as_of=HEAD))
        order.append("rooms")
        return answer

    async def look_what_is_missed() -> tuple[list[int], int]:
        missed = await archive.missed(Share(dict.fromkeys(ROOMS, ((0, FOREVER),)), {7: HEAD}), 0, HEAD, 9)
        order.append("missed")
        return missed

    answer, missed, _ = await asyncio.gather(read_rooms(), look_what_is_missed(), read_page())
    assert order[0] == "page"
    parts = [msgspec.json.decode(line, type=frames.Rooms) for line in answer.splitlines()]
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    infos = [info for part in parts for info in part.rooms]
    assert [info.room for info in infos] == [f"r{room}" for room in ROOMS]
    assert {info.count for info in infos} == {10}
    assert missed == ([room for room in ROOMS if room != 7], HEAD)
