"""Whether the server's memory grows with time: people come and go, enter rooms and leave them, talk and search.

Its databases grow; its memory must not. What it holds of each room and of each member is meant to stay, so after a
while there are no more of these, whoever comes. `python3 run.py python benchmarks/run.py growth --minutes 10`.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from statistics import linear_regression, median
from typing import Any, Final

import uvloop
from msgspec import Struct

from benchmarks.figures import alone, on_core, say
from benchmarks.history import memory
from benchmarks.rows import Row
from benchmarks.servers import OURS, running

ROOMS: Final = 10
"""In which much is said."""
TALKERS: Final = 50
"""People who stay, and talk there."""
RATE: Final = 1000
"""Messages a second of all of them."""
AT_ONCE: Final = 10
"""Messages that each sends at one time."""
VISITORS: Final = 16
"""People who are on a visit at one time. When one goes, the next comes."""
RETURNING: Final = 500
"""People who come again and again, and are told what they missed. All others come once and are never seen again."""
MEETING: Final = 10
"""Visitors in turn who meet in a room of their own, made where it is not there yet, and leave it."""
MEETINGS: Final = 500
"""Rooms in which they meet: then the first is used again."""
SAMPLES: Final = 200
"""How often memory is looked at."""
WARM: Final = 0.3
"""The share of the time after which all that is kept for a while is full: from then on memory should stay."""
PATIENCE: Final = 60.0
"""Seconds for an answer."""
TEXT: Final = "the tide is out so we walk along the shore and look for glass"
WORDS: Final = TEXT.split()
CHUNK: Final = 1 << 16

Frame = dict[str, Any]


class Sample(Struct):
    """The server at one moment."""

    seconds: float
    """Since the load began."""
    megabytes: float
    """Resident memory, in 10^6 bytes."""
    messages: int
    """Said so far."""
    connections: int
    """Made so far."""


class Growth(Struct):
    """What a run showed."""

    samples: list[Sample] = []

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the table."""
        last = self.samples[-1]
        late = [sample for sample in self.samples if sample.seconds >= WARM * last.seconds]
        few = max(1, len(late) // 20)
        warm, end = (median(sample.megabytes for sample in some) for some in (late[:few], late[-few:]))
        minutes = last.seconds / 60
        what = f"{minutes:.3g} minutes of people who come, talk, search and go: memory"
        beside = f"after {WARM * minutes:.3g} minutes"
        yield Row(f"{what} at the end", end, "MB", beside, warm, end / warm, "<= 1.1")
        grown = linear_regression([sample.seconds for sample in late], [sample.megabytes for sample in late]).slope
        for unit, count in (("1,000,000 messages", last.messages), ("100,000 connections", last.connections)):
            each = float(unit.partition(" ")[0].replace(",", ""))
            yield Row(f"{what} that it then grows by, for {unit}", grown * last.seconds / count * each, "MB")

    def notes(self) -> list[str]:
        """Return what was done."""
        last = self.samples[-1]
        return [
            f"{last.messages:,} messages, {last.connections:,} connections, each with a page and a search, and"
            f" two rooms entered and left; {RETURNING} people came back again and again, all others once"
        ]


class Load:
    """Who comes, talks and goes.

    Args:
        port: the server's, on loopback.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._dice = random.Random(port)
        self._numbers = itertools.count()
        self._kept: dict[str, Frame] = {}
        """By name with what those come back who return."""
        self.messages = 0
        self.connections = 0

    async def run(self) -> None:
        """Go on until cancelled.

        Raises:
            ExceptionGroup: somebody was not answered, or put out.
        """
        async with asyncio.TaskGroup() as group:
            for number in range(TALKERS):
                group.create_task(self._talk(number))
            for _ in range(VISITORS):
                group.create_task(self._visit_for_ever())

    async def _talk(self, number: int) -> None:
        """Say some messages now and then, the next ones when all of these have come back."""
        name, room = f"talker{number}", f"room{number % ROOMS}"
        async with self._connected() as (reader, writer):
            _tell(writer, {"type": "hello", "name": name, "backlog": 0, "ping": False})
            _tell(writer, {"type": "join", "room": room, "ref": "in"})
            await _heard(reader, {b'"ref":"in"': 1})
            own = f'"sender":"{name}"'.encode()
            ids = itertools.count(1)
            while True:
                begun = time.monotonic()
                for _ in range(AT_ONCE):
                    _tell(writer, {"type": "send", "id": next(ids), "room": room, "text": TEXT})
                await _heard(reader, {own: AT_ONCE})
                self.messages += AT_ONCE
                await asyncio.sleep(begun + TALKERS * AT_ONCE / RATE - time.monotonic())

    async def _visit_for_ever(self) -> None:
        while True:
            await self._visit(next(self._numbers))

    async def _visit(self, number: int) -> None:
        """Come in, look around and go, in one of four ways."""
        returns, keeps, says_goodbye = number % 4 == 0, number % 4 < 2, number % 4 == 2
        who = number // 4 % RETURNING if returns else number
        name, room, own = (
            f"{'friend' if returns else 'guest'}{who}",
            f"room{who % ROOMS}",
            f"own{number // MEETING % MEETINGS}",
        )
        async with self._connected() as (reader, writer):
            hello: Frame = {"type": "hello", "name": name, "ping": False, "backlog": 20, "resumes": keeps}
            _tell(writer, hello | self._kept.get(name, {}))
            for entered in (room, own):
                _tell(writer, {"type": "join", "room": entered, "ref": "in"})
            said = [{"room": place, "text": f"{TEXT} {number}"} for place in (room, own, own)]
            for id_, message in enumerate(said, start=time.time_ns() // 1000):
                _tell(writer, {"type": "send", "id": id_} | message)
            _tell(writer, {"type": "history", "room": room, "ref": "page"})
            _tell(writer, {"type": "search", "text": self._dice.choice(WORDS), "rooms": [room], "ref": "found"})
            heard = await _heard(reader, {b'"ref":"page"': 1, b'"ref":"found"': 1})
            left = (own,) if returns else (room, own)
            for each in left:
                _tell(writer, {"type": "leave", "room": each, "ref": "left"})
            await _heard(reader, {b'"ref":"left"': len(left)})
            if returns:
                welcome = json.loads(heard)
                self._kept[name] = {"resume": {field: welcome[field] for field in ("session", "epoch", "seq")}}
            if says_goodbye:
                _tell(writer, {"type": "quit"})
                await reader.read()
        self.messages += len(said)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=CHUNK)
        self.connections += 1
        try:
            yield reader, writer
        finally:
            writer.close()


def _tell(writer: asyncio.StreamWriter, frame: Frame) -> None:
    writer.write(json.dumps(frame, separators=(",", ":")).encode() + b"\n")


async def _heard(reader: asyncio.StreamReader, sought: dict[bytes, int]) -> bytes:
    """Read until each of these was heard so often; return the first line.

    Raises:
        RuntimeError: the server refused something, or put somebody out.
        TimeoutError: it did not answer.
    """
    left, rest, first = dict(sought), b"", b""
    async with asyncio.timeout(PATIENCE):
        while any(count > 0 for count in left.values()):
            data = await reader.read(CHUNK)
            lines, _, rest = (rest + data).rpartition(b"\n")
            if not data or (at := lines.find(b'{"type":"error"')) >= 0:
                raise RuntimeError(lines[at : at + 500].decode() if data else "the server put somebody out")
            first = first or lines.partition(b"\n")[0]
            for mark in left:
                left[mark] -= lines.count(mark)
    return first


async def _watch(port: int, pid: int, minutes: float) -> Growth:
    """Load a server for so long, and look at its memory."""
    load, growth, begun = Load(port), Growth(), time.monotonic()
    loading = asyncio.create_task(load.run())
    for number in range(1, SAMPLES + 1):
        await asyncio.wait([loading], timeout=begun + minutes * 60 * number / SAMPLES - time.monotonic())
        if loading.done():
            loading.result()
        now = time.monotonic() - begun
        growth.samples.append(Sample(now, memory(pid), load.messages, load.connections))
    loading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loading
    return growth


def measure(minutes: float) -> Growth:
    """Return what a server's memory did under load for so long."""
    say(f"people come and go for {minutes:g} minutes")
    with (
        alone(),
        running(OURS) as (port, pid),
        on_core(1),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_watch(port, pid, minutes))
