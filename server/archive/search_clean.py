"""Cleaning the search index: what was taken out of it leaves the disk.

SQLite overwrites what is deleted, but not the copies that stay in the unused part of a page from where it moved things
to another: only a new file has none. That is made beside the index, which is searched and grows meanwhile, and takes
its place once it has caught up with it.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import apsw

from server.archive.search_store import SearchStore

SHARE: Final = 0.1
"""The part of the time in which it works, at most: ten million messages take it most of a minute."""

STEPS: Final = 1000
"""How often SQLite asks whether to pause: some hundred pages."""

SLICE: Final = 0.005
"""Seconds of work between two pauses, at least."""


class Cleaning:
    """A clean copy of an index, in a thread of its own.

    Args:
        store: the index; it is open, and stays another thread's.
        over: called, from the copy's thread, once `finished` is set.
    """

    def __init__(self, store: SearchStore, over: Callable[[], None]) -> None:
        self._seqs = list(store.removed)
        self.path = copy_of(store.path)
        self.finished = False
        self.error: Exception | None = None
        """Why there is no copy; set before `finished`."""
        self._store = store
        self._over = over
        self._stopping = threading.Event()
        self._since = 0.0
        self._thread = threading.Thread(target=self.run, name="cleaning", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Give up what has begun, and leave nothing of it; OSError where that fails."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        remove_copy(self._store.path)

    def take_place(self) -> list[int]:
        """Put the copy in the index's place, once it is finished; apsw.Error or OSError where there is none.

        For the index's own thread.

        Returns:
            The events of which nothing is left.
        """
        if self.error is not None:
            raise self.error
        self._store.replace(self.path, self._seqs)
        return self._seqs

    def run(self) -> None:
        """Make the copy. Raises nothing."""
        try:
            remove_copy(self._store.path)
            self._copy()
            self._catch_up()
        except Exception as error:  # also a fault of ours: who waits for it is told
            self.error = error
        self.finished = True
        self._over()

    def _copy(self) -> None:
        index = apsw.Connection(str(self._store.path), flags=apsw.SQLITE_OPEN_READONLY)
        with closing(index):
            index.set_progress_handler(self._pause, STEPS)
            self._since = time.monotonic()
            index.execute("VACUUM INTO ?", (str(self.path),))

    def _catch_up(self) -> None:
        """Follow the log as far as the index does by now, half of the time, and bring all to the disk."""
        copy = SearchStore(self._store.log_path, self.path)
        upto = self._store.done
        try:
            copy.open()
            begun = time.monotonic()
            while copy.done < upto and not self._stopping.wait(time.monotonic() - begun):
                begun = time.monotonic()
                copy.advance(upto)
        finally:
            copy.close()
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())

    def _pause(self) -> bool:
        """Rest when that is due; True to give up."""
        worked = time.monotonic() - self._since
        if worked >= SLICE:
            self._stopping.wait(worked * (1 / SHARE - 1))
            self._since = time.monotonic()
        return self._stopping.is_set()


def copy_of(path: Path) -> Path:
    """Return where the copy of an index is made."""
    return path.with_name(path.name + "-clean")


def remove_copy(path: Path) -> None:
    """Leave nothing of a copy of this index that was not finished; OSError where that fails."""
    copy = copy_of(path)
    for suffix in ("", "-wal", "-shm", "-journal"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
