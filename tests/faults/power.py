"""The power goes: what was written and not synced is lost, or there in part, in any order.

A server runs on a disk whose writes are noted (`power_server.py`) while clients talk. It is killed, and the files are
laid out as a disk might hold them then: what was synced is there, of the rest a random part, torn at sectors. Then all
that was acknowledged or shown must be in the database, and the next server must take it.
"""

import asyncio
import random
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from faults.hosts import Host, Ledger, NotStartedError, Talker, scratch, until
from faults.power_server import CREATED, CUT, DELETED, FAILED, HEAD, KNOWN, SYNCED, WRITTEN
from faults.report import parser, progress, summary

SECTOR: Final = 512
"""Bytes that are written whole or not at all."""


class File:
    """A file as the disk has it, and what it was asked to do since its last sync."""

    def __init__(self, name: str, content: bytes = b"") -> None:
        self.name = name
        self.content = bytearray(content)
        self.pending: list[tuple[int, bytes | None]] = []
        """Writes: where, and what; with None a truncation to a size."""

    def settle(self, dice: random.Random | None) -> None:
        """Carry out what is pending: all of it, or with dice a part that they choose."""
        share = dice.choice((0.0, 0.1, 0.5, 0.9, 1.0)) if dice else 1.0
        for place, data in self.pending:
            if data is None:
                if dice is None or dice.random() < share:
                    del self.content[place:]
                    self.content.extend(bytes(place - len(self.content)))
                continue
            start = 0
            while start < len(data):
                end = len(data) if dice is None else min(len(data), start + SECTOR - (place + start) % SECTOR)
                if dice is None or dice.random() < share:
                    self._put(place + start, data[start:end])
                start = end
        self.pending.clear()

    def _put(self, place: int, data: bytes) -> None:
        self.content.extend(bytes(max(0, place - len(self.content))))
        self.content[place : place + len(data)] = data


class Disk:
    """What would be on the disk of a directory, by its journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, File] = {}
        """As a directory entry is on the disk."""
        self._entries: list[tuple[str, File | None]] = []
        """Names that came or, with None, went, and are not synced yet."""
        self.failed = 0
        """Syncs that failed."""

    def replay(self, journal: Path, dice: random.Random) -> None:
        """Follow a server to where it was killed; the last record may be torn."""
        records = journal.read_bytes() if journal.exists() else b""  # killed before it had begun
        files: dict[int, File] = {}
        now = dict(self.names)
        at = 0
        while at + HEAD.size <= len(records):
            what, number, place, length = HEAD.unpack_from(records, at)
            data = records[at + HEAD.size : at + HEAD.size + length]
            at += HEAD.size + length
            if len(data) < length:
                return
            if what in (KNOWN, CREATED):
                name = data.decode()
                file = now.get(name)
                if file is None:
                    file = now[name] = File(name)
                    self._entries.append((name, file))
                files[number] = file
            elif what == WRITTEN:
                files[number].pending.append((place, data))
            elif what == CUT:
                files[number].pending.append((place, None))
            elif what == SYNCED:
                files[number].settle(None)
                if files[number].name.endswith(("-wal", "-journal")):
                    self._sync_names()  # SQLite syncs the directory with the first sync of a journal it has made
            elif what == FAILED:
                files[number].settle(dice)
                self.failed += 1
            elif what == DELETED:
                self._entries.append((files[number].name, None))
                now.pop(files[number].name, None)
                if place:
                    self._sync_names()

    def _sync_names(self) -> None:
        for name, file in self._entries:
            if file is None:
                self.names.pop(name, None)
            else:
                self.names[name] = file
        self._entries.clear()

    def cut(self, dice: random.Random) -> None:
        """The power goes: lay out what is there when it is back."""
        del self._entries[dice.randint(0, len(self._entries)) :]
        self._sync_names()
        for path in self.folder.glob("chat.db*"):
            path.unlink()
        for name, file in self.names.items():
            file.settle(dice)
            (self.folder / name).write_bytes(file.content)


class Outcome:
    """What a run found."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.cuts = 0
        self.early = 0
        """Cuts before the server listened."""
        self.failed_syncs = 0


async def cut_power(
    folder: Path, cuts: int, seed: int, *, synchronous: str = "full", fail_syncs: float = 0.0, clients: int = 4
) -> Outcome:
    """Cut the power so many times, until something is found.

    Args:
        folder: where all is kept.
        cuts: how often.
        seed: of all dice.
        synchronous: SQLite's setting; "off" takes the promise away.
        fail_syncs: share of the syncs that fail, in every second life of the server.
        clients: how many talk.
    """
    dice = random.Random(seed)
    outcome = Outcome()
    ledger = outcome.ledger
    data, journal, look = folder / "data", folder / "journal", folder / "look"
    data.mkdir(mode=0o700)
    disk = Disk(data)
    talkers = [Talker(f"t{number}", ledger, pause=0.01) for number in range(clients)]
    began = time.monotonic()
    while outcome.cuts < cuts and not ledger.faults:
        journal.unlink(missing_ok=True)
        failing = fail_syncs if outcome.cuts % 2 else 0.0
        before = [sys.executable, str(Path(__file__).with_name("power_server.py")), str(journal)]
        before += [
            "--synchronous",
            synchronous,
            "--fail-syncs",
            str(failing),
            "--seed",
            str(dice.getrandbits(32)),
            "--",
        ]
        host = Host(data, before=before)
        if outcome.cuts and dice.random() < 0.1:
            await asyncio.sleep(dice.uniform(0.1, 0.6))
            outcome.early += 1
        else:
            try:
                host.listening()
            except NotStartedError as error:
                if not failing:  # else a sync failed that the start needs
                    ledger.faults.append(f"the server did not start: {error}")
            else:
                talking = [asyncio.create_task(talker.talk(host.port)) for talker in talkers]
                life = dice.uniform(0.02, 0.8)
                if not outcome.cuts:  # so that the first has something to lose
                    await until(lambda: len(ledger.acked) > 50)
                await asyncio.sleep(life)
                host.process.kill()
                await asyncio.gather(*talking)
        host.kill()
        disk.replay(journal, dice)
        disk.cut(dice)
        outcome.cuts += 1
        outcome.failed_syncs = disk.failed
        shutil.rmtree(look, ignore_errors=True)
        shutil.copytree(data, look)
        if (look / "chat.db").exists():
            ledger.faults += ledger.compare(look / "chat.db")
        elif ledger.acked:
            ledger.faults.append("the database is gone")
        if outcome.cuts % 10 == 0:
            progress(f"{outcome.cuts} cuts, {len(ledger.acked):,} acknowledged, {time.monotonic() - began:.0f} s")
    return outcome


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("power", __doc__.split("\n")[0])
    parse.add_argument("--cuts", type=int, default=200)
    parse.add_argument("--synchronous", choices=("full", "off"), default="full", help="off must be found out")
    parse.add_argument("--fail-syncs", type=float, default=0.01, help="share of failing syncs in every second life")
    parse.add_argument("--clients", type=int, default=4)
    given = parse.parse_args(arguments)
    began = time.monotonic()
    with scratch() as folder:
        outcome = asyncio.run(
            cut_power(
                folder,
                given.cuts,
                given.seed,
                synchronous=given.synchronous,
                fail_syncs=given.fail_syncs,
                clients=given.clients,
            )
        )
    figures = {
        "cuts": outcome.cuts,
        "before it listened": outcome.early,
        "acknowledged": len(outcome.ledger.acked),
        "shown": len(outcome.ledger.shown),
        "failed syncs": outcome.failed_syncs,
        "synchronous": given.synchronous,
        "seconds": round(time.monotonic() - began, 1),
    }
    return summary("power", given, figures, outcome.ledger.faults)
