"""Whether the server's memory grows with time: people come and go, enter rooms and leave them, talk and search.

Its databases grow; its memory must not. What it holds of each room and of each member is meant to stay, so after a
while there are no more of these, whoever comes; and what it keeps of its databases has a bound. The measure begins when
all that is full. `python3 run.py python benchmarks/run.py growth --minutes 10`.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, Final

import uvloop
from msgspec import Struct

from benchmarks.figures import alone, on_core, say
from benchmarks.history import memory
from benchmarks.rows import Row
from benchmarks.servers import OURS, free_port, started, workplace
from server.archive.search_store import CACHE

ROOMS: Final = 10
"""In which much is said."""
TALKERS: Final = 50
"""People who stay, and talk there."""
RATE: Final = 1000
"""Messages a second of all of them."""
WARMING: Final = 1500
"""The same, before the measure begins: of 3,000, indexing fell behind, and each search waited for it."""
KEPT: Final = 1024 * CACHE / 1e6
"""10^6 bytes of the search index that are kept in memory: that fills as the index is written, last of all caches."""
FULL: Final = 1.25 * KEPT
"""10^6 bytes that the index has when the measure begins."""
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
VISITS: Final = max(4 * RETURNING, MEETING * MEETINGS)
"""After so many there are all rooms and all members that there will ever be: of four visitors one returns."""
SAMPLES: Final = 200
"""How often memory is looked at."""
PATIENCE: Final = 60.0
"""Seconds for an answer."""
TEXT: Final = "the tide is out so we walk along the shore and look for glass"
WORDS: Final = TEXT.split()
CHUNK: Final = 1 << 16

Frame = dict[str, Any]


class Sample(Struct):
    """The server at one moment."""

    seconds: float
    """Since the measure began."""
    megabytes: float
    """Resident memory, in 10^6 bytes."""
    messages: int
    """Said since the load began."""
    connections: int
    """Made since then."""


class Growth(Struct):
    """What a run showed."""

    index: float
    """Size of the search index when the measure began, in 10^6 bytes."""
    samples: list[Sample] = []

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the table."""
        first, last = self.samples[0], self.samples[-1]
        few = max(1, len(self.samples) // 20)
        begin, end = (median(one.megabytes for one in some) for some in (self.samples[:few], self.samples[-few:]))
        what = f"{last.seconds / 60:.3g} minutes of people who come, talk, search and go: memory"
        yield Row(f"{what} at the end", end, "MB", "at the beginning", begin, end / begin, "<= 1.1")
        seconds, megabytes = zip(*((one.seconds, one.megabytes) for one in self.samples), strict=True)
        grown = linear_regression(seconds, megabytes).slope * (last.seconds - first.seconds)
        done = {"1,000,000 messages": last.messages - first.messages}
        done["100,000 connections"] = last.connections - first.connections
        for unit, count in done.items():
            each = float(unit.partition(" ")[0].replace(",", ""))
            yield Row(f"{what} that it grows by, for {unit}", grown / count * each, "MB")

    def notes(self) -> list[str]:
        """Return what was done."""
        first, last = self.samples[0], self.samples[-1]
        messages, connections = last.messages - first.messages, last.connections - first.connections
        before = f"{first.messages:,} messages and {first.connections:,} connections"
        kept = f"the search index had {self.index:.0f} MB then, of which {KEPT:.0f} are kept in memory"
        if first.connections < VISITS or self.index < FULL:
            kept += "; what is kept for a while was not full yet"
        return [
            f"{messages:,} messages, {connections:,} connections, each with a page and a search, and two rooms entered"
            f" and left; {RETURNING} people came back again and again, all others once",
            f"before the beginning there were {before}; {kept}",
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
        self.rate = WARMING
        """Messages a second of those who stay."""
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
                await asyncio.sleep(begun + TALKERS * AT_ONCE / self.rate - time.monotonic())

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


def _megabytes(path: Path) -> float:
    """Return a file's size in 10^6 bytes."""
    return path.stat().st_size / 1e6


async def _watch(port: int, pid: int, index: Path, minutes: float) -> Growth:
    """Load a server until all is full that it keeps for a while, as long as that at most; then look at its memory."""
    load = Load(port)
    loading = asyncio.create_task(load.run())

    async def until(moment: float) -> None:
        await asyncio.wait([loading], timeout=moment - time.monotonic())
        if loading.done():
            loading.result()

    begun, length = time.monotonic(), minutes * 60
    while load.connections < VISITS or _megabytes(index) < FULL:
        if time.monotonic() > begun + length:
            break
        await until(time.monotonic() + 1)
    load.rate = RATE
    say(f"that took {time.monotonic() - begun:.0f} s; now for {minutes:g} minutes")
    growth, begun = Growth(_megabytes(index)), time.monotonic()
    for number in range(SAMPLES + 1):
        await until(begun + length * number / SAMPLES)
        growth.samples.append(Sample(time.monotonic() - begun, memory(pid), load.messages, load.connections))
    loading.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loading
    return growth


def measure(minutes: float) -> Growth:
    """Return what a server's memory did under load for so long, once all is full that it keeps for a while."""
    say("people come and go until all is full that is kept for a while")
    with (
        alone(),
        workplace() as folder,
        started(OURS, folder, port := free_port()) as process,
        on_core(1),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_watch(port, process.pid, folder / "data" / "search.db", minutes))
