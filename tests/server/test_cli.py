"""What the server says of itself while it runs."""

import asyncio
import io
import logging
from typing import Any

import pytest

from server.cli import OnceATurn


class Counted(io.StringIO):
    """A stream that counts how often it is flushed."""

    flushed = 0

    def flush(self) -> None:
        """Count it."""
        self.flushed += 1
        super().flush()


@pytest.fixture
def stream() -> Counted:
    """Where the log goes."""
    return Counted()


@pytest.fixture
def log(stream: Counted) -> Any:
    """A log that nobody else writes, nor reads."""
    handler, log = OnceATurn(stream), logging.Logger("alone")
    log.addHandler(handler)
    yield log
    handler.close()


async def test_the_lines_of_a_turn_are_written_at_once(log: logging.Logger, stream: Counted) -> None:
    """All of them, in order, when the next turn begins; and those of the next are not forgotten."""
    for turn in range(1, 3):
        for number in range(5):
            log.warning("%d", number)
        assert stream.flushed == turn - 1
        await asyncio.sleep(0)
        assert stream.flushed == turn
    assert stream.getvalue().split() == [*"0123401234"]


async def test_a_line_of_another_thread_is_written_now(log: logging.Logger, stream: Counted) -> None:
    """Nothing says when the event loop has its next turn."""

    def there() -> int:
        before = stream.flushed
        log.warning("there")
        return stream.flushed - before

    log.warning("here")
    assert await asyncio.to_thread(there) == 1
    assert stream.getvalue().split() == ["here", "there"]


def test_a_line_beside_the_event_loop_is_written_now(log: logging.Logger, stream: Counted) -> None:
    """Before it runs and after that, also where it ended before a turn of its lines."""

    async def end() -> None:
        log.warning("while")

    log.warning("before")
    assert stream.flushed == 1
    asyncio.run(end())
    flushed = stream.flushed
    log.warning("after")
    assert stream.flushed == flushed + 1
    assert stream.getvalue().split() == ["before", "while", "after"]


class Closed(Counted):
    """A stream that nobody reads any more."""

    def flush(self) -> None:
        """Count it, and fail."""
        super().flush()
        raise BrokenPipeError


async def test_a_log_that_nobody_reads_is_left_alone() -> None:
    """The event loop is told of no failure, which it would log: that would be tried again, turn after turn."""
    stream, log = Closed(), logging.Logger("alone")
    handler = OnceATurn(stream)
    log.addHandler(handler)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, told: log.error("%s", told["message"]))
    log.warning("hello")
    for _ in range(10):
        await asyncio.sleep(0)
    assert stream.flushed == 1
    assert stream.getvalue().split() == ["hello"]
    log.removeHandler(handler)
