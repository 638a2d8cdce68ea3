"""Connections are cut, swallowed, stalled and crumbled while everyone talks; everyone must have all in the end.

python tests/faults cuts --cuts 2000
"""

import asyncio
import random
import statistics
import tempfile
from pathlib import Path
from time import monotonic

from faults import report
from faults.bench import Bench, Nemesis
from faults.clients import Headless, Raw
from faults.proxy import Where

CUTS_A_SECOND = 25.0


def cuts(count: int) -> Nemesis:
    """Cut so many connections: at any byte, in a line, between two rooms' bytes; by FIN, by RST, at one end or both."""

    async def harm(bench: Bench) -> None:
        proxy, dice, began, told = bench.proxy, bench.dice, monotonic(), 0
        while (done := sum(proxy.cuts.values())) < count:
            if proxy.links:
                where = dice.choice(list(Where))
                dice.choice(proxy.links).arm(where, reset=dice.random() < 0.5, ghost=dice.random() < 0.3)
            if done >= told + 100:
                told = done
                report.progress(f"{done} cuts, {bench.acked:,} acked, {monotonic() - began:.0f} s")
            await asyncio.sleep(dice.expovariate(CUTS_A_SECOND))

    return harm


def half_open(every: float) -> Nemesis:
    """About every so many seconds a connection arrives nowhere any more, and nobody is told."""

    async def harm(bench: Bench) -> None:
        while True:
            await asyncio.sleep(bench.dice.expovariate(1 / every))
            if bench.proxy.links:
                bench.dice.choice(bench.proxy.links).swallow()

    return harm


def stalls(every: float, longest: float) -> Nemesis:
    """About every so many seconds a connection stalls one way, for so many at most."""

    async def harm(bench: Bench) -> None:
        while True:
            await asyncio.sleep(bench.dice.expovariate(1 / every))
            if bench.proxy.links:
                link, way = bench.dice.choice(bench.proxy.links), bench.dice.choice(["up", "down"])
                link.stall(way, on=True)
                try:
                    await asyncio.sleep(bench.dice.uniform(0, longest))
                finally:
                    link.stall(way, on=False)

    return harm


def crumbs(every: float, count: int) -> Nemesis:
    """About every so many seconds the next bytes of a connection go one by one."""

    async def harm(bench: Bench) -> None:
        while True:
            await asyncio.sleep(bench.dice.expovariate(1 / every))
            if bench.proxy.links:
                bench.dice.choice(bench.proxy.links).crumbs = count

    return harm


async def run(
    data: Path, seed: int, count: int, raw: int, headless: int, rate: float, silent: bool = True
) -> tuple[Bench, list[str]]:
    """Cut connections under load; return the bench, closed, and what was found.

    Where `silent`, connections become half-open, too: it takes a client 15 seconds to find that out.
    """
    bench = Bench(data, seed, raw=raw, headless=headless, proxied=True)
    try:
        await bench.open()
        others = [stalls(1, 2), crumbs(0.5, 1000)] + ([half_open(10)] if silent else [])
        await bench.under(cuts(count), *others, rate=rate)
        found = await bench.judge()
        gaps = sum(
            len(connection.gaps) for client in bench.history.clients.values() for connection in client.connections
        )
        if gaps:
            found.append(f"{gaps} gaps were told")
        return bench, found
    finally:
        await bench.close()


async def catch_up(data: Path, seed: int, missed: int, tries: int) -> tuple[list[float], list[str]]:
    """Return how long the project's client takes to have what it missed: seconds from the attempt to come back."""
    bench = Bench(data, seed, raw=1)
    try:
        await bench.open()
        speaker = bench.talkers[0]
        assert isinstance(speaker, Raw)
        reader = Headless(bench.history, bench.victim.port, "latecomer", (), random.Random(seed))
        await reader.come_in()
        took = []
        for _ in range(tries):
            await reader.chat.close()
            await reader.listen()
            for number in range(missed):
                speaker.say("general", f"{number} {'.' * 60}")
            await bench.until(lambda: not speaker.unacked, "all is said")
            began = monotonic()
            await reader.come_in()
            await reader.listen(speaker.cursor)
            took.append(monotonic() - began)
            assert reader.record is not None
            assert len(reader.record.connections[-1].seqs) == missed
        assert reader.record is not None
        reader.record.until = speaker.cursor
        found = await bench.judge()
        await reader.chat.close()
        return took, found
    finally:
        await bench.close()


def main(arguments: list[str]) -> int:
    """Run it as the command line says."""
    parser = report.parser("cuts", __doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=200.0, help="messages a second, of all together")
    parser.add_argument("--raw", type=int, default=4, help="thin clients (default: %(default)s)")
    parser.add_argument("--headless", type=int, default=8, help="the project's own clients (default: %(default)s)")
    parser.add_argument("--missed", type=int, default=10_000, help="messages to catch up with (default: %(default)s)")
    parser.add_argument("--tries", type=int, default=5, help="how often that is timed")
    given = parser.parse_args(arguments)
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-cuts-") as folder:
        bench, found = asyncio.run(
            run(Path(folder, "cuts"), given.seed, given.cuts, given.raw, given.headless, given.rate)
        )
        took, also = asyncio.run(catch_up(Path(folder, "late"), given.seed, given.missed, given.tries))
    cuts = bench.proxy.cuts
    figures = {
        "cuts": sum(cuts.values()),
        "in a line": cuts[Where.IN_A_LINE],
        "between rooms": cuts[Where.BETWEEN_ROOMS],
        "connections": sum(len(client.connections) for client in bench.history.clients.values()),
        "acked": bench.history.acked,
        "shown": bench.history.shown,
        "clients": len(bench.talkers),
        f"{given.missed} missed: median s": round(statistics.median(took), 3),
        "max s": round(max(took), 3),
        "seconds": round(monotonic() - began),
    }
    return report.summary("cuts", given, figures, found + also)
