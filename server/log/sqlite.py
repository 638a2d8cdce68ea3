"""The log in SQLite: one writer thread, group commit.

Who owns what: the event loop hands over entries and takes them back, the thread owns the `Writer`. What comes while the
disk works on one transaction makes the next, so a quiet server answers after one fsync, and a busy one pays one for
hundreds.
"""

import asyncio
import math
import queue
import threading
import time
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Final

import apsw

from server.archive.database import refusal
from server.log.writer import Writer
from server.record.entries import Draft, Entry
from server.record.register import RoomRecord, Settings
from server.record.rights import Role

QUEUE: Final = 64 * 1024 * 1024
"""What may wait: bytes of bodies, and ENTRY more for each. 3,276 texts of the largest size, or 16,384 of none, some two
seconds of work. Beyond it, clients are not read."""

ENTRY: Final = 4096
"""What an entry counts for beside its body."""


class SqliteLog:
    """The log of one server; see `server.chat.ports.Log`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.identity = ""
        self.epoch = ""
        self.head = 0
        self.settings = Settings()
        self.roles: dict[int, dict[int, Role]] = {}
        self._tick: list[Entry] = []
        self._queued = 0
        """What was ever queued, as QUEUE counts it."""
        self._back = 0
        """What of that was handed back."""
        self.full = False
        """See `server.chat.ports.Log`: kept rather than found, as it is asked before each line."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._queue: queue.SimpleQueue[tuple[list[Entry], int] | None] = queue.SimpleQueue()
        self._epochs: list[tuple[str, int]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hand_back: Callable[[list[Entry]], None] = lambda _entries: None
        self._writer = Writer(path)
        """The thread's own, once that runs."""
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def open(self) -> list[RoomRecord]:
        """Open the database, begin an epoch, and return the rooms; StoreError where it can't be used."""
        writer = self._writer
        try:
            writer.open()
        except (apsw.Error, ValueError, LookupError) as error:
            raise refusal(self._path, error) from error
        self.identity, self.epoch, self._epochs = writer.identity, writer.epoch, writer.epochs
        self.head = writer.written
        self.settings = copy(writer.directory.settings)
        self.roles = writer.directory.appointed()
        return [copy(room) for room in writer.directory.rooms.values()]  # what it changes is not committed yet

    def start(self, hand_back: Callable[[list[Entry]], None]) -> None:
        """Take entries from now on, and hand them back on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._hand_back = hand_back
        self._thread.start()

    def append(self, entry: Entry) -> None:
        """See `server.chat.ports.Log`."""
        if not self._tick:
            assert self._loop is not None, "the log has not been started"
            self._loop.call_soon(self._hand_over)
            self._idle.clear()
        self._tick.append(entry)
        self._queued = queued = self._queued + ENTRY + len(entry.body)
        if queued - self._back >= QUEUE:
            self.full = True

    def knows(self, epoch: str, seq: int) -> bool:
        """See `server.chat.ports.Log`."""
        for index, (known, _) in enumerate(self._epochs):
            if known == epoch:
                last = index == len(self._epochs) - 1
                return seq <= self.head if last else seq < self._epochs[index + 1][1]
        return False

    async def close(self) -> None:
        """Commit what was queued, hand it back, and close the file."""
        await self._idle.wait()  # what is handed back may bring more: a room that was made is then entered
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _hand_over(self) -> None:
        if self._tick:
            self._queue.put((self._tick, self._queued))
            self._tick = []

    def _returned(self, entries: list[Entry], upto: int, head: int) -> None:
        self.head = head
        self._back = upto
        self.full = self._queued - upto >= QUEUE
        try:
            self._hand_back(entries)
        finally:
            if self._back == self._queued:
                self._idle.set()

    def _found(self, drafts: list[Entry]) -> None:
        last = drafts[-1]
        self._returned(drafts, self._back, last.seq if isinstance(last, Draft) else self.head)

    # The thread's side.

    def _run(self) -> None:
        assert self._loop is not None, "the log has not been started"
        writer = self._writer
        going = True
        while going:
            entries: list[Entry] = []
            upto = 0
            wait = writer.empty_at - time.monotonic()
            if wait <= 0:
                writer.empty_wal()
                continue
            try:
                batch = self._queue.get(timeout=None if wait == math.inf else wait)
            except queue.Empty:
                continue
            while batch is not None:
                entries += batch[0]
                upto = batch[1]
                try:
                    batch = self._queue.get_nowait()
                except queue.Empty:
                    break
            else:
                going = False
            if entries:
                found = writer.process(entries)
                if found:
                    self._loop.call_soon_threadsafe(self._found, found)
                self._loop.call_soon_threadsafe(self._returned, entries, upto, writer.written)
        writer.close()
