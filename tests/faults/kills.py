"""The server is killed again and again while everyone talks as fast as they can; nothing may be missing in the end.

python tests/faults kills --kills 200
"""

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from time import monotonic

from faults import report
from faults.bench import Bench, Nemesis
from faults.clients import Raw
from faults.mortal import Mortal
from support import PATIENCE


def kills(count: int, acks: int) -> Nemesis:
    """SIGKILL, so many times, each after so many more acks and a moment; now and then it is stopped before that."""

    async def harm(bench: Bench) -> None:
        began = monotonic()
        for number in range(1, count + 1):
            await bench.until(partial(_enough, bench, bench.acked + acks), f"{acks} more messages are acked")
            await asyncio.sleep(bench.dice.uniform(0, 0.05))
            if bench.dice.random() < 0.2:
                bench.victim.pause()
                await asyncio.sleep(bench.dice.uniform(0, 0.3))
                if bench.dice.random() < 0.5:
                    bench.victim.go_on()
            await bench.victim.kill()
            await bench.victim.start()
            if number % 10 == 0:
                report.progress(f"{number} kills, {bench.acked:,} acked, {monotonic() - began:.0f} s")

    return harm


def pauses(every: float, longest: float) -> Nemesis:
    """SIGSTOP and SIGCONT, about every so many seconds, for so many at most."""

    async def harm(bench: Bench) -> None:
        try:
            while True:
                await asyncio.sleep(bench.dice.uniform(0, 2 * every))
                bench.victim.pause()
                await asyncio.sleep(bench.dice.uniform(0, longest))
                bench.victim.go_on()
        finally:
            bench.victim.go_on()

    return harm


def _enough(bench: Bench, acked: int) -> bool:
    return bench.acked >= acked


def client_kills(every: float) -> Nemesis:
    """About every so many seconds a client is killed (SIGKILL)."""

    async def harm(bench: Bench) -> None:
        mortals = [talker for talker in bench.talkers if isinstance(talker, Mortal)]
        while mortals:
            await asyncio.sleep(bench.dice.expovariate(1 / every))
            bench.dice.choice(mortals).kill()

    return harm


async def run(
    data: Path,
    seed: int,
    count: int,
    acks: int,
    *,
    raw: int,
    headless: int,
    mortal: int,
    window: int,
    program: tuple[str, ...] = (),
    patience: float = 3 * PATIENCE,
) -> tuple[Bench, list[str]]:
    """Kill the server under load; return the bench, closed, and what was found. Its clock steps."""
    program = program or ("-m", "faults.clock", str(seed))
    bench = Bench(
        data, seed, raw=raw, headless=headless, mortal=mortal, window=window, program=program, patience=patience
    )
    try:
        await bench.open()
        await bench.under(kills(count, acks), client_kills(0.5), rate=20.0 * headless)
        return bench, await bench.judge()
    finally:
        await bench.close()


def main(arguments: list[str]) -> int:
    """Run it as the command line says."""
    parser = report.parser("kills", __doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--acks", type=int, default=2_500, help="messages acked between two kills, at least")
    parser.add_argument("--raw", type=int, default=8, help="thin clients (default: %(default)s)")
    parser.add_argument("--headless", type=int, default=2, help="the project's own clients (default: %(default)s)")
    parser.add_argument("--mortal", type=int, default=2, help="clients that are killed, too (default: %(default)s)")
    parser.add_argument("--window", type=int, default=64, help="messages that a thin client keeps on their way")
    given = parser.parse_args(arguments)
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-kills-") as folder:
        load = {"raw": given.raw, "headless": given.headless, "mortal": given.mortal, "window": given.window}
        bench, found = asyncio.run(run(Path(folder), given.seed, given.kills, given.acks, **load))
    figures = {
        "kills": given.kills,
        "clients killed": sum(talker.deaths for talker in bench.talkers if isinstance(talker, Mortal)),
        "acked": bench.history.acked,
        "archived": len(bench.history.archive.seqs),
        "sent again": sum(talker.resent for talker in bench.talkers if isinstance(talker, Raw)),
        "shown": bench.history.shown,
        "clients": len(bench.talkers),
        "seconds": round(monotonic() - began),
    }
    return report.summary("kills", given, figures, found)
