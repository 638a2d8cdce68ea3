"""The disk is full, or fails: nothing is acknowledged that is not there, reading goes on, and writing comes back.

A small file system in memory is filled and freed under a server while clients talk; and strace lets syncs and writes
fail for a while. Clients try again every 0.2 s, as the terminal does after a moment.
"""

import asyncio
import contextlib
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faults.hosts import SERVER, Host, Ledger, Talker, scratch, until
from faults.report import parser, progress, summary
from faults.trace import traced, unusable
from support import Wire

SIZE: Final = 64 * 1024 * 1024
"""Bytes of the small file system."""

TALKERS: Final = 4
EACH: Final = 100
"""Messages of each talker, while something is made to fail: enough that it has failed, in however few commits."""

FAILURES: Final = [
    ("fsync,fdatasync", "EIO", "40..60"),
    ("fsync,fdatasync", "EIO", "40+7"),
    ("pwrite64", "EIO", "200..260"),
    ("pwrite64", "ENOSPC", "200..260"),
    ("pwrite64", "ENOSPC", "200+31"),
]
"""What fails, how, and when: which calls of that kind, the first and the last, or each so many after the first."""


@dataclass
class Outcome:
    """What a run found."""

    faults: list[str] = field(default_factory=list)
    acked: int = 0
    refused: int = 0
    back: list[float] = field(default_factory=list)
    """Seconds from the moment there was room to the next acknowledgement, for each time."""
    pages: int = 0
    """Pages of history that were read while nothing could be written."""
    resumed: int = 0
    """Clients that came back meanwhile."""
    grown: int = 0
    """Bytes of memory that the server took more at the worst, than after it was first refused."""


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of SIZE bytes; PermissionError where that is not allowed."""
    at = folder / "small"
    at.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(at)]
    try:
        mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise PermissionError("there is no mount here") from error
    if mounted.returncode:
        raise PermissionError(f"nothing may be mounted here: {mounted.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def fill(file: Path) -> None:
    """Take all the room there is."""
    with file.open("ab", buffering=0) as taken:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while taken.write(bytes(size)) == size:
                    pass


async def full_disk(folder: Path, rounds: int, dice: random.Random, *, clients: int = 4) -> Outcome:
    """Fill the disk and make room again, so many times; PermissionError where there can be no such disk."""
    outcome, ledger = Outcome(), Ledger()
    with small_disk(folder) as small:
        data, filler = small / "data", small / "filler"
        host = Host(data, said=folder / "said").listening()
        talkers = [Talker(f"d{number}", ledger, pause=0.01) for number in range(clients)]
        talking = [asyncio.create_task(talker.talk(host.port)) for talker in talkers]
        reader = await Wire.connect(host.port, "reader", resumes=True)
        await until(lambda: len(ledger.acked) > 100)
        before = host.memory()
        for number in range(rounds):
            refused = [len(talker.codes) for talker in talkers]
            # The log may have room in what it has taken already: its end is met a little later.
            fill(filler)
            await until(lambda: all(len(t.codes) > r for t, r in zip(talkers, refused, strict=True)), patience=6)  # noqa: B023
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            acked = len(ledger.acked)
            if await _reads_on(reader):
                outcome.pages += 1
            else:
                outcome.faults.append("a page could not be read")
            newcomer = await Wire.connect(host.port)
            await newcomer.say(type="hello", name=f"new{number}")
            if (await newcomer.hear("error", "welcome")).get("code") != "try_again":
                outcome.faults.append("a newcomer was let in, and that was not stored")
            await newcomer.close()
            reader = await _resume(host, reader)
            outcome.resumed += 1
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            if len(ledger.acked) != acked:
                outcome.faults.append(f"{len(ledger.acked) - acked} acknowledged on a full disk")
            outcome.grown = max(outcome.grown, host.memory() - before)
            filler.unlink()
            free = time.monotonic()
            await until(lambda: len(ledger.acked) > acked)  # noqa: B023
            outcome.back.append(ledger.ack_times[acked] - free)
            await asyncio.sleep(dice.uniform(0.1, 1.0))
            progress(f"{number + 1} times full, {len(ledger.acked):,} acknowledged, back in {outcome.back[-1]:.2f} s")
        await reader.close()
        outcome.faults += [f"{talker.name} lost its connection" for talker in talkers if talker.ended]
        if host.stop():
            outcome.faults.append("the server did not end well")
        await asyncio.gather(*talking)
        outcome.faults += ledger.faults + ledger.compare(data / "chat.db")
    outcome.acked, outcome.refused = len(ledger.acked), sum(len(talker.codes) for talker in talkers)
    return outcome


async def failing(folder: Path, calls: str, error: str, when: str) -> Outcome:
    """Let the log's writes or syncs fail for a while, and have all messages taken in the end."""
    outcome, ledger = Outcome(), Ledger()
    data = folder / "data"
    injected = [
        "-e",
        f"trace={calls}",
        "-P",
        str(data / "chat.db-wal"),
        "-e",
        f"inject={calls}:error={error}:when={when}",
    ]
    data.mkdir(mode=0o700)
    host = Host(data, before=[*traced(folder / "trace", *injected), *SERVER], said=folder / "said").listening()
    talkers = [Talker(f"f{number}", ledger, pause=0.01) for number in range(TALKERS)]
    for talker in talkers:
        talker.most = EACH
    talking = [asyncio.create_task(talker.talk(host.port)) for talker in talkers]
    await until(lambda: len(ledger.acked) == TALKERS * EACH, patience=6)
    outcome.faults += [f"{talker.name} lost its connection" for talker in talkers if talker.ended]
    host.stop()
    await asyncio.gather(*talking)
    outcome.faults += ledger.faults + ledger.compare(data / "chat.db")
    outcome.acked, outcome.refused = len(ledger.acked), sum(len(talker.codes) for talker in talkers)
    if not outcome.refused:
        outcome.faults.append("nothing failed")
    return outcome


async def _reads_on(reader: Wire) -> bool:
    """Say whether a page can be read on a connection that was there before."""
    await reader.say(type="history", room="general", limit=20, ref="h")
    answer = await reader.hear("history", "error", ref="h")
    return bool(answer["type"] == "history")


async def _resume(host: Host, reader: Wire) -> Wire:
    """Lose the connection and come back on another."""
    welcome = reader.welcome
    await reader.close()
    resume = {"session": welcome["session"], "epoch": welcome["epoch"], "seq": reader.heard[-1].get("as_of", 0)}
    return await Wire.connect(host.port, "reader", resumes=True, resume=resume)


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("disk", __doc__.split("\n")[0])
    parse.add_argument("--rounds", type=int, default=20, help="times that the disk is full")
    given = parse.parse_args(arguments)
    began = time.monotonic()
    faults: list[str] = []
    figures: dict[str, object] = {}
    try:
        with scratch() as folder:
            full = asyncio.run(full_disk(folder, given.rounds, random.Random(given.seed)))
    except PermissionError as refused:
        sys.stderr.write(f"{refused}\n")
        return 2
    faults += full.faults
    figures |= {"times full": len(full.back), "acknowledged": full.acked, "refused": full.refused}
    figures |= {"pages read while full": full.pages, "came back while full": full.resumed}
    figures |= {
        "seconds to the next ok, median": round(statistics.median(full.back), 2),
        "most": round(max(full.back), 2),
    }
    figures |= {"MiB grown": round(full.grown / 2**20, 1)}
    if max(full.back) > 2:
        faults.append("writing took more than 2 s to come back")
    if reason := unusable():
        sys.stderr.write(f"Nothing was injected: {reason}\n")
    else:
        for calls, error, when in FAILURES:
            with scratch() as folder:
                failed = asyncio.run(failing(folder, calls, error, when))
            faults += [f"{calls} {error} {when}: {fault}" for fault in failed.faults]
            figures[f"{calls} {error} {when}: acknowledged"] = failed.acked
            figures[f"{calls} {error} {when}: refused"] = failed.refused
    return summary("disk", given, figures | {"seconds": round(time.monotonic() - began, 1)}, faults)
