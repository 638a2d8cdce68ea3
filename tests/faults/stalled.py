"""Stalled readers beside healthy ones: what the healthy ones notice, what the server holds, what the stalled ones get.

Pairs of phases take turns: without and with readers that take nothing for some seconds. After each phase with them
they take everything at once, which is measured apart. They live in a process of their own, so that what is measured is
the server's doing, on a machine with a core for each of the three processes. All segments are as small as on a real
network: on loopback the system would hold megabytes for each.
"""

import argparse
import asyncio
import gc
import re
import socket
import statistics
import tempfile
import time
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, cast

from faults.fuzz import Outcome, Output, memory, until
from faults.report import parser, progress, summary
from support import PATIENCE, Server

from server.chat.ring import RING_BYTES
from server.protocol.lines import LineSplitter

SEGMENT: Final = 1448
"""Bytes of a TCP segment, as on Ethernet."""

RATIO: Final = 1.25
"""What the healthy ones' p99 may grow to."""

GROWTH: Final = 64 * 1024 * 1024
"""Bytes that the server may grow by."""

SENDERS: Final = 8
"""Those of the healthy ones that talk."""

PAIRS: Final = 5

DRAIN: Final = 2.0
"""Seconds in which the stalled ones take everything, while the others talk on."""

_message = re.compile(rb'^\{"type":"message","seq":(\d+),.*"text":"(\d+) ', re.MULTILINE)


class Reader(asyncio.Protocol):
    """Someone in the hall."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._splitter = LineSplitter()
        self._transport: asyncio.Transport | None = None
        self.inside = asyncio.get_running_loop().create_future()
        self.seqs: list[int] = []
        self.measuring = False
        self.latencies: list[int] = []
        """Nanoseconds from a message's way out until it is here."""
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello and enter."""
        self._transport = cast("asyncio.Transport", transport)
        self.say(b'{"type":"hello","name":"%b","backlog":0}' % self._name.encode())
        self.say(b'{"type":"join","room":"hall","backlog":0,"ref":"in"}')

    def say(self, line: bytes) -> None:
        """Send a line."""
        if self._transport is not None:
            self._transport.write(line + b"\n")

    def data_received(self, data: bytes) -> None:
        """Note what came, and when."""
        now = time.perf_counter_ns()
        for line in self._splitter.feed(data):
            found = _message.match(line or b"")
            if found:
                self.seqs.append(int(found[1]))
                if self.measuring:
                    self.latencies.append(now - int(found[2]))
            elif line and b'"ref":"in"' in line:
                self.inside.set_result(None)
            elif line and line.startswith(b'{"type":"ping"'):
                self.say(b'{"type":"pong"}')

    def connection_lost(self, error: Exception | None) -> None:
        """It should not be."""
        self.lost = True

    def stall(self) -> None:
        """Take nothing."""
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        """Take everything."""
        if self._transport is not None:
            self._transport.resume_reading()

    def leave(self) -> None:
        """Go for good."""
        self.say(b'{"type":"quit"}')


async def enter(port: int, name: str, buffer: int = 0) -> Reader:
    """Connect, and wait until one is in the hall."""
    raw = socket.socket()
    raw.setblocking(False)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    if buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", port))
    _, reader = await loop.create_connection(lambda: Reader(name), sock=raw)
    await asyncio.wait_for(reader.inside, PATIENCE)
    return reader


def stalling(port: int, count: int, orders: "Connection[Any, Any]") -> None:
    """The stalled ones' process: does what it is told."""
    gc.disable()
    asyncio.run(_stalling(port, count, orders))


async def _stalling(port: int, count: int, orders: "Connection[Any, Any]") -> None:
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    phase = 0
    while True:
        order, seqs = await loop.run_in_executor(None, orders.recv)
        if order == "enter":
            phase += 1
            entering = (enter(port, f"slow{phase}n{number}", 4096) for number in range(count))
            readers = await asyncio.gather(*entering)
            for reader in readers:
                reader.say(b'{"type":"pong"}')  # heard once more: the heartbeat counts from here
                reader.stall()
            orders.send(None)
        elif order == "go on":
            for reader in readers:
                reader.go_on()
        elif order == "finish":
            await until(lambda: all(reader.seqs[-1:] == seqs[-1:] or reader.lost for reader in readers))  # noqa: B023
            orders.send([(reader.seqs, reader.lost) for reader in readers])
            for reader in readers:
                reader.leave()


class Hall:
    """The healthy ones, some of whom talk."""

    def __init__(self, readers: list[Reader], rate: int) -> None:
        self.readers = readers
        self._rate = rate
        self._said = 0

    async def talk(self, seconds: float) -> list[int]:
        """Let them talk, and return the latencies of all, in nanoseconds, sorted."""
        for reader in self.readers:
            reader.measuring = True
        await self._talk(round(seconds * self._rate))
        await self.quiet()
        for reader in self.readers:
            reader.measuring = False
        found = sorted(latency for reader in self.readers for latency in reader.latencies)
        for reader in self.readers:
            reader.latencies.clear()
        return found

    async def _talk(self, count: int) -> None:
        start = time.perf_counter()
        for number in range(count):
            early = start + number / self._rate - time.perf_counter()
            if early > 0:
                await asyncio.sleep(early)
            self._said += 1
            text = f"{time.perf_counter_ns()} ".ljust(200, "x")
            line = b'{"type":"send","room":"hall","id":%d,"text":"%b"}' % (self._said, text.encode())
            self.readers[number % min(SENDERS, len(self.readers))].say(line)

    async def quiet(self) -> None:
        """Wait until everyone has the last word."""
        await until(lambda: all(len(reader.seqs) >= self._said or reader.lost for reader in self.readers))


async def compare(port: int, server: Server, given: argparse.Namespace, orders: "Connection[Any, Any]") -> Outcome:
    """Run all pairs; return figures and what was found."""
    loop = asyncio.get_running_loop()
    hall = Hall([await enter(port, f"healthy{number}") for number in range(given.healthy)], given.rate)
    await hall.talk(given.seconds / 2)
    found: list[str] = []
    p99: dict[bool, list[float]] = {False: [], True: []}
    catching_up: list[float] = []
    most = {False: 0, True: 0}
    late = 0
    stalling = False

    async def watch() -> None:
        while True:
            most[stalling] = max(most[stalling], memory(server))
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    for number in range(2 * PAIRS):
        stalling = (number + number // 2) % 2 == 1  # each pair begins with the other half
        heard = len(hall.readers[0].seqs)
        if stalling:
            orders.send(("enter", None))
            await loop.run_in_executor(None, orders.recv)
        p99[stalling].append(percentile(await hall.talk(given.seconds)))
        progress(f"{'with' if stalling else 'without'} stalled readers: p99 {p99[stalling][-1]:.1f} ms")
        if stalling:
            orders.send(("go on", None))
            catching_up.append(percentile(await hall.talk(DRAIN)))
            expected = hall.readers[0].seqs[heard:]
            orders.send(("finish", expected))
            for seqs, lost in await loop.run_in_executor(None, orders.recv):
                if lost:
                    found.append("a stalled reader was ended")
                elif seqs != expected:
                    found.append(f"a stalled reader got {len(seqs)} of {len(expected)} messages, or in another order")
                late += len(seqs)
    watching.cancel()
    if any(reader.seqs != hall.readers[0].seqs or reader.lost for reader in hall.readers):
        found.append("the healthy readers got different messages")
    ratio = statistics.median(one / other for one, other in zip(p99[True], p99[False], strict=True))
    growth = most[True] - most[False]
    if ratio >= RATIO:
        found.append(f"the healthy readers' p99 grew to {ratio:.2f} times")
    if growth >= GROWTH:
        found.append(f"the server grew by {growth:,} bytes")
    return {
        "messages": len(hall.readers[0].seqs),
        "p99_ms_without": p99[False],
        "p99_ms_with": p99[True],
        "ratio_median": round(ratio, 2),
        "p99_ms_while_they_catch_up": catching_up,
        "growth_mib": round(growth / 2**20, 1),
        "caught_up": late,
    }, found


def percentile(latencies: list[int]) -> float:
    """Return the 99th percentile of sorted nanoseconds, in milliseconds."""
    return round(latencies[len(latencies) * 99 // 100] / 1e6, 1)


async def fill(port: int) -> None:
    """Fill the ring of recent events, so that what it takes is not counted as growth."""
    reader = await enter(port, "filler")
    count = RING_BYTES // 300
    for number in range(1, count + 1):
        reader.say(b'{"type":"send","room":"hall","id":%d,"text":"%b"}' % (number, b"0 ".ljust(200, b"x")))
        if number % 5000 == 0 or number == count:
            await until(lambda: len(reader.seqs) >= number)  # noqa: B023
    reader.leave()


async def run(server: Server, given: argparse.Namespace) -> Outcome:
    """Do it all."""
    output = Output(server)
    orders, others = Pipe()
    process = Process(target=stalling, args=(server.port, given.stalled, others), daemon=True)
    process.start()
    try:
        await fill(server.port)
        figures, found = await compare(server.port, server, given, orders)
        return figures, found + output.lines
    finally:
        process.kill()


def main(arguments: list[str]) -> int:
    """Run it as long as it takes."""
    words = parser("stalled", "Readers that take nothing for seconds beside healthy ones, five pairs with and without.")
    words.add_argument("--healthy", type=int, default=200)
    words.add_argument("--stalled", type=int, default=100)
    words.add_argument("--rate", type=int, default=200, help="messages a second (default: %(default)s)")
    words.add_argument("--seconds", type=float, default=8, help="how long they take nothing (default: %(default)s)")
    given = words.parse_args(arguments)
    gc.disable()  # here and in the stalled ones' process: its pauses would be taken for the server's
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), "--limits", "off")
        try:
            figures, found = asyncio.run(run(server, given))
        finally:
            server.process.kill()
    return summary("stalled", given, figures, found)
