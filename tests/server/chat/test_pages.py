"""The latest pages that newcomers share: read once, of what is there now, and never more of them than are meant."""

import asyncio

import pytest

from server.chat import pages
from server.chat.pages import EACH, Pages


class Archive:
    """Reads pages when it is told to."""

    def __init__(self) -> None:
        self.reading: list[asyncio.Future[bytes]] = []

    async def read(self) -> bytes:
        """Wait until this is read."""
        page: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.reading.append(page)
        return await page

    async def finish(self, line: bytes | Exception) -> None:
        """Let what is being read be this."""
        await asyncio.sleep(0)
        page = self.reading.pop()
        page.set_exception(line) if isinstance(line, Exception) else page.set_result(line)
        for _ in range(3):
            await asyncio.sleep(0)


async def test_those_who_ask_while_nothing_is_said_share_a_page() -> None:
    """While it is read and after that; another limit, or a new message, and it is read anew."""
    kept, archive = Pages(), Archive()
    first = kept.read(1, 50, 7, archive.read)
    assert kept.read(1, 50, 7, archive.read) is first
    assert kept.get(1, 50, 7) is None
    await archive.finish(b"page")
    assert (await first, kept.get(1, 50, 7)) == (b"page", b"page")
    assert await kept.read(1, 50, 7, archive.read) == b"page"
    assert not archive.reading
    assert (kept.get(1, 20, 7), kept.get(1, 50, 8), kept.get(2, 50, 7)) == (None, None, None)
    second = kept.read(1, 50, 8, archive.read)
    await archive.finish(b"newer")
    assert (await second, kept.get(1, 50, 7), kept.get(1, 50, 8)) == (b"newer", None, b"newer")
    kept.clear()
    assert kept.get(1, 50, 8) is None


async def test_what_can_not_be_read_is_read_again() -> None:
    """Nobody is given yesterday's failure."""
    kept, archive = Pages(), Archive()
    failed = kept.read(1, 50, 7, archive.read)
    await archive.finish(OSError("the disk failed"))
    with pytest.raises(OSError, match="the disk failed"):
        await failed
    assert kept.get(1, 50, 7) is None
    again = kept.read(1, 50, 7, archive.read)
    await archive.finish(b"page")
    assert await again == b"page"


async def test_those_asked_for_longest_ago_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their bytes, whatever was read, replaced and dropped before."""
    monkeypatch.setattr(pages, "BYTES", 3 * (EACH + 100))
    kept, archive = Pages(), Archive()
    for _ in range(3):
        for room in (1, 2, 3):
            kept.read(room, 50, 7, archive.read)
            await archive.finish(b"x" * 100)
        kept.read(1, 50, 8, archive.read)
        await archive.finish(b"x" * 100)
        assert [kept.get(room, 50, 7) is not None for room in (2, 3)] == [True, True]
        kept.read(2, 50, 7, archive.read)
        kept.read(4, 50, 7, archive.read)
        await archive.finish(b"x" * 100)
        assert [kept.get(room, 50, 8 if room == 1 else 7) is not None for room in (1, 2, 3, 4)] == [
            True,
            True,
            False,
            True,
        ]
        kept.read(5, 50, 7, archive.read)
        await archive.finish(b"x" * 10_000)  # more than all that is kept
        assert not any(kept.get(room, 50, 7) for room in range(6))
