"""`chat-server` on a disk whose writes are noted: a program, started by `power.py`.

    python power_server.py JOURNAL [--synchronous off] [--fail-syncs SHARE --seed N] -- SERVER'S ARGUMENTS

SQLite's calls to the file system pass through here and do what they did, but for the syncs: what is not synced is in
the system's cache, and that is lost with the power alone. JOURNAL gets each write, sync, truncation, creation and
deletion in its order; from it `power.py` tells what would have been on the disk.
"""

import argparse
import os
import random
import struct
import sys
import threading
from pathlib import Path
from typing import Final

import apsw

HEAD: Final = struct.Struct("<cIqI")
"""What happened, to which file (counted as they were first seen), an offset or size, and how many bytes follow."""
KNOWN, CREATED, WRITTEN, SYNCED, FAILED, CUT, DELETED = b"K", b"C", b"W", b"S", b"F", b"T", b"D"


class Journal:
    """The record of what the disk was asked to do.

    Args:
        path: where it is kept.
        fail_syncs: the share of syncs that fail, and lose what they should have written, as on Linux: the pages count
            as written from then on, and another sync has nothing to do.
        seed: of the dice for that.
    """

    def __init__(self, path: Path, fail_syncs: float, seed: int) -> None:
        self.lock = threading.RLock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._numbers: dict[str, int] = {}
        self._count = 0
        self._fail_syncs = fail_syncs
        self._dice = random.Random(seed)

    def note(self, what: bytes, number: int, place: int = 0, data: bytes = b"") -> None:
        """Write one record. MUST be called under `lock`, together with what it tells of."""
        os.writev(self._file, [HEAD.pack(what, number, place, len(data)), data])

    def opened(self, name: str) -> int:
        """Return a file's number; one that is not there is about to be made."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = self._count
            self._count += 1
            self.note(KNOWN if Path(name).exists() else CREATED, number, data=Path(name).name.encode())
        return number

    def deleted(self, name: str, *, synced: bool) -> None:
        """A file's name is gone."""
        number = self._numbers.pop(name, None)
        if number is not None:
            self.note(DELETED, number, int(synced))

    def sync_fails(self) -> bool:
        """Throw the dice."""
        return self._dice.random() < self._fail_syncs


class NotedFile(apsw.VFSFile):
    """A file whose changes are noted."""

    def __init__(self, journal: Journal, number: int, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._journal = journal
        self._number = number

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's names
        """Write."""
        with self._journal.lock:
            self._journal.note(WRITTEN, self._number, offset, data)
            super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """Cut off what is beyond a size."""
        with self._journal.lock:
            self._journal.note(CUT, self._number, newsize)
            super().xTruncate(newsize)

    def xLock(self, level: int) -> None:  # noqa: N802
        """Lock; that one who only reads can't lock for writing is no failure, and SQLite does not take it for one."""
        try:
            super().xLock(level)
        except apsw.IOError as error:
            raise apsw.BusyError from error

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Only note it: the process is killed, not the machine."""
        with self._journal.lock:
            if self._journal.sync_fails():
                self._journal.note(FAILED, self._number)
                raise apsw.IOError("planted: fsync failed")
            self._journal.note(SYNCED, self._number)


class NotedDisk(apsw.VFS):
    """The system's files, with what is done to them noted."""

    def __init__(self, journal: Journal) -> None:
        super().__init__("noted", "unix", makedefault=True)
        self._journal = journal

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """Open a file, and make it where it is missing; one without a name holds nothing that lasts."""
        if name is None:
            return super().xOpen(name, flags)
        with self._journal.lock:
            path = name if isinstance(name, str) else name.filename()
            return NotedFile(self._journal, self._journal.opened(path), name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Delete a file."""
        with self._journal.lock:
            self._journal.deleted(filename, synced=syncdir)
            super().xDelete(filename, syncdir)


def never_sync() -> None:
    """Take the promise away: what is written reaches the disk whenever the system likes."""
    from server.archive import database

    connect = database.connect

    def careless(path: Path, *, read_only: bool = False) -> apsw.Connection:
        connection = connect(path, read_only=read_only)
        connection.pragma("synchronous", 0)
        return connection

    database.connect = careless


def main(arguments: list[str]) -> None:
    """Be the server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("journal", type=Path)
    parser.add_argument("--synchronous", choices=("full", "off"), default="full")
    parser.add_argument("--fail-syncs", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    own, servers = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    given = parser.parse_args(own)
    if given.synchronous == "off":
        never_sync()
    disk = NotedDisk(Journal(given.journal, given.fail_syncs, given.seed))
    from server.cli import main as serve

    serve(servers)
    del disk


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    main(sys.argv[1:])
