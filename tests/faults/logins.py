"""Wrong passwords by the thousand: what those who talk notice of it, and what an answer's time says of a name.

First fifty people talk, at first in quiet, then while passwords are tried from many addresses over TLS: for an account
there is, and for names that nobody has. Then, with the throttle lifted so that every try is hashed, the times of the
answers for a name there is and for names that nobody has are compared, one after the other by turns.
"""

import argparse
import asyncio
import gc
import json
import math
import random
import ssl
import statistics
import tempfile
import time
from collections import Counter
from itertools import pairwise
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from faults.fuzz import memory, until
from faults.report import parser, progress, summary
from support import Server, Wire, trusting

RATIO: Final = 2.0
"""What the p99 of those who talk may grow to."""

GROWTH: Final = 100 * 1024 * 1024
"""Bytes that the server may grow by."""

PEOPLE: Final = 50
RATE: Final = 20.0
"""Messages a second that they write."""

ADDRESSES: Final = 200
"""From which passwords are tried, a connection each."""

ANEW: Final = 50
"""Samples on one connection: none has for ever until it is welcomed."""

ALIKE: Final = 0.01
"""How likely the times must be to differ as much as they do by chance alone."""

NAME: Final = "alice"
PASSWORD: Final = "correct horse"  # noqa: S105

Figures = dict[str, Any]


# Those who try passwords: a process of their own.


class Guesser(asyncio.Protocol):
    """One connection on which passwords are tried."""

    def __init__(self, answers: Counter[str]) -> None:
        self._answers = answers
        self._rest = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count the answers."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._answers[json.loads(line).get("code", "none")] += 1

    def connection_lost(self, error: Exception | None) -> None:
        """It is made anew."""
        self.transport = None


def guessing(port: int, seconds: float, rate: float, seed: int, told: "Connection[Any, Any]") -> None:
    """Try so many passwords a second for so long, and tell how they were answered."""
    gc.disable()
    told.send(asyncio.run(_guess(port, seconds, rate, random.Random(seed), told)))


async def _guess(
    port: int, seconds: float, rate: float, dice: random.Random, told: "Connection[Any, Any]"
) -> Counter[str]:
    loop, context, answers = asyncio.get_running_loop(), trusting(), Counter[str]()
    guessers = [await _connect(port, number, context, answers) for number in range(ADDRESSES)]
    told.send("ready")
    begun = loop.time()
    for count in range(int(seconds * rate)):
        number = count % ADDRESSES
        if guessers[number].transport is None:
            guessers[number] = await _connect(port, number, context, answers)
        transport = guessers[number].transport
        name = NAME if dice.random() < 0.5 else f"n{dice.randrange(10**9)}"
        if transport is not None:
            transport.write(json.dumps({"type": "hello", "name": name, "password": "wrong horse"}).encode() + b"\n")
            answers["tried"] += 1
        await asyncio.sleep(begun + (count + 1) / rate - loop.time())
    for guesser in guessers:
        if guesser.transport is not None:
            guesser.transport.abort()
    return answers


async def _connect(port: int, number: int, context: ssl.SSLContext, answers: Counter[str]) -> Guesser:
    origin = f"127.1.{number // 250}.{number % 250 + 1}"
    _, guesser = await asyncio.get_running_loop().create_connection(
        lambda: Guesser(answers), "127.0.0.1", port, ssl=context, local_addr=(origin, 0)
    )
    return guesser


# Those who talk.


async def _talk(people: list[Wire], seconds: float) -> list[int]:
    """Let them write by turns; return how long each message took to each, in nanoseconds."""
    took: list[int] = []

    async def listen(wire: Wire) -> None:
        while True:
            line = await wire.reader.readline()
            now = time.perf_counter_ns()
            if line.startswith(b'{"type":"message"'):
                took.append(now - int(json.loads(line)["text"]))
            elif line.startswith(b'{"type":"ping"'):
                await wire.say(type="pong")

    listening = [asyncio.create_task(listen(wire)) for wire in people]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    count = int(seconds * RATE)
    for number in range(count):
        await people[number % PEOPLE].say(type="send", room="general", text=str(time.perf_counter_ns()))
        await asyncio.sleep(begun + (number + 1) / RATE - loop.time())
    assert await until(lambda: len(took) >= count * PEOPLE), "messages are missing"
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    return took


async def beside(server: Server, seconds: float, rate: float, seed: int) -> tuple[Figures, list[str]]:
    """Compare those who talk in quiet with the same beside those who try passwords."""
    await _account(server)
    people = [await Wire.connect(server.port, f"p{number}", backlog=0) for number in range(PEOPLE)]
    await _talk(people, min(5, seconds))  # all is loaded that will be
    quiet = await _talk(people, seconds)
    before = memory(server)
    here, there = Pipe()
    process = Process(target=guessing, args=(server.port, seconds, rate, seed, there))
    process.start()
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, here.recv) == "ready"
    peak = before
    owner: list[float] = []
    talked = asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not talked.is_set():
            peak = max(peak, memory(server))
            await asyncio.sleep(min(1, seconds / 4))
            owner.append(await _log_in(server))

    watching = asyncio.create_task(watch())
    during = await _talk(people, seconds)
    talked.set()  # the last time the owner comes in is not cut short: it would leave a connection behind
    await asyncio.gather(watching, return_exceptions=True)
    answers: Counter[str] = await loop.run_in_executor(None, here.recv)
    process.join()
    for wire in people:
        await wire.close()
    figures = {
        "quiet_p50_ms": _milliseconds(quiet, 50),
        "quiet_p99_ms": _milliseconds(quiet, 99),
        "during_p50_ms": _milliseconds(during, 50),
        "during_p99_ms": _milliseconds(during, 99),
        "owner_in_times": len(owner),
        "owner_in_worst_ms": round(max(owner, default=0), 1),
        "grown_kib": (peak - before) // 1024,
        **{f"answered_{code}": count for code, count in sorted(answers.items())},
    }
    found = []
    if len(owner) < seconds / 3:
        found.append("the account's owner is kept out")
    if figures["during_p99_ms"] > RATIO * figures["quiet_p99_ms"]:
        found.append("those who talk notice it")
    if peak - before > GROWTH:
        found.append(f"the server has grown by {(peak - before) >> 20} MiB")
    if set(answers) - {"tried", "login_failed", "rate_limited", "try_again"}:
        found.append(f"wrong passwords were answered otherwise: {answers}")
    return figures, found


async def _account(server: Server) -> None:
    """Make the account that there is."""
    wire = await _at_home(server)
    assert (await wire.ask(type="register", name=NAME, password=PASSWORD))["type"] == "account"
    await wire.close()
    await _log_in(server)


async def _log_in(server: Server) -> float:
    """Let the account's owner come in from where they always do; return how long that took, in milliseconds."""
    begun = time.perf_counter_ns()
    wire = await _at_home(server)
    answer = await wire.ask(type="hello", name=NAME, password=PASSWORD, backlog=0)
    took = (time.perf_counter_ns() - begun) / 1e6
    assert answer["type"] == "welcome", answer
    await wire.close()
    return took


async def _at_home(server: Server) -> Wire:
    """Connect from the owner's address."""
    return Wire(*await asyncio.open_connection("127.0.0.1", server.port, ssl=trusting(), local_addr=("127.0.0.2", 0)))


def _milliseconds(took: list[int], percent: int) -> float:
    return round(statistics.quantiles(took, n=100)[percent - 1] / 1e6, 2)


# What the time of an answer says.


async def alike(server: Server, samples: int, seed: int) -> tuple[Figures, list[str]]:
    """Time wrong passwords for a name there is and for names that nobody has, in turn."""
    await _account(server)
    dice = random.Random(seed)
    unmeasured = min(10, samples)  # all is loaded that will be
    wire: Wire | None = None
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(samples + unmeasured):
        if wire is None or number % ANEW == 0:
            if wire is not None:
                await wire.close()
            wire = await Wire.connect(server.port, tls=True)
        turns = [True, False]
        dice.shuffle(turns)
        for exists in turns:
            name = NAME if exists else f"n{dice.randrange(10**4):04}"
            begun = time.perf_counter_ns()
            answer = await wire.ask(type="hello", name=name, password="wrong horse")  # noqa: S106
            took = (time.perf_counter_ns() - begun) / 1e6
            assert answer["code"] == "login_failed", answer
            if number >= unmeasured:
                taken[exists].append(took)
        if number % 100 == 0:
            progress(f"{number} of {samples} samples")
    if wire is not None:
        await wire.close()
    known, unknown = taken[True], taken[False]
    ranks, distance = mann_whitney(known, unknown), kolmogorov_smirnov(known, unknown)
    figures = {
        "samples": samples,
        "known_median_ms": round(statistics.median(known), 3),
        "unknown_median_ms": round(statistics.median(unknown), 3),
        "known_mean_ms": round(statistics.fmean(known), 3),
        "unknown_mean_ms": round(statistics.fmean(unknown), 3),
        "mann_whitney_p": round(ranks, 4),
        "kolmogorov_smirnov_p": round(distance, 4),
    }
    told_apart = [f"{name}: p = {p:.4f}" for name, p in (("ranks", ranks), ("distances", distance)) if p < ALIKE]
    return figures, [f"names can be told apart by {told}" for told in told_apart]


def mann_whitney(one: list[float], other: list[float]) -> float:
    """Return how likely it is that two samples of one kind differ in rank as much as these: the normal approximation.

    Two-sided, with times that are no two the same.
    """
    ranked = sorted([(value, True) for value in one] + [(value, False) for value in other])
    ranks: float = sum(rank for rank, (_, first) in enumerate(ranked, 1) if first)
    n, m = len(one), len(other)
    u: float = ranks - n * (n + 1) / 2
    z: float = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def kolmogorov_smirnov(one: list[float], other: list[float]) -> float:
    """Return how likely it is that two samples of one kind lie as far apart as these: the limit for large ones."""
    ranked = sorted([(value, 1 / len(one)) for value in one] + [(value, -1 / len(other)) for value in other])
    height = most = 0.0
    for (value, step), (after, _) in pairwise([*ranked, (math.inf, 0.0)]):
        height += step
        if value != after:
            most = max(most, abs(height))
    size = math.sqrt(len(one) * len(other) / (len(one) + len(other))) * most
    if size < 0.2:
        return 1.0
    terms: float = sum((-1) ** (k - 1) * math.exp(-2 * (k * size) ** 2) for k in range(1, 101))
    return min(1.0, 2 * terms)


async def run(folder: Path, given: argparse.Namespace) -> tuple[Figures, list[str]]:
    """Do both, each with a server of its own."""
    figures: Figures = {}
    found: list[str] = []
    if given.seconds:
        server = Server(folder / "beside", "--limits", "off", "--limit", "login_rate=2")
        try:
            figures, found = await beside(server, given.seconds, given.rate / 60, given.seed)
        finally:
            server.process.kill()
    if given.samples:
        server = Server(folder / "alike", "--limits", "off")
        try:
            more, others = await alike(server, given.samples, given.seed)
        finally:
            server.process.kill()
        figures, found = figures | more, found + others
    return figures, found


def main(arguments: list[str]) -> int:
    """Run it: it takes about five minutes."""
    words = parser("logins", "Wrong passwords by the thousand, and the time of their answers.")
    words.add_argument(
        "--seconds", type=int, default=60, help="of each of the two phases; 0: not (default: %(default)s)"
    )
    words.add_argument("--rate", type=int, default=10_000, help="wrong passwords a minute (default: %(default)s)")
    words.add_argument("--samples", type=int, default=2000, help="of each kind; 0: none (default: %(default)s)")
    given = words.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures, found = asyncio.run(run(Path(folder), given))
    return summary("logins", given, figures, found)
