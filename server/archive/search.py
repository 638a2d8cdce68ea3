"""Search: one thread that keeps the index behind the log and answers queries, which come first.

Nothing waits for it: messages are committed and delivered whether it follows or not. What it has not come to yet, a
query sees to first where that is little, and else says.
"""

import asyncio
import contextlib
import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import apsw

from server.archive.search_clean import Cleaning, remove_copy
from server.archive.search_query import Found, IndexQuery
from server.archive.search_store import SearchStore, StaleError

PAUSE: Final = 0.05
"""Seconds between two batches while messages are being sent, at least: what comes meanwhile makes one batch."""

SHARE: Final = 0.05
"""The part of the time that it works while messages are being sent, at most: those who send come first, and it keeps up
with some thousand messages a second all the same."""

NEAR: Final = 2000
"""Events that a query has indexed before it is answered: some 50 ms."""

LEAST: Final = 0.05
"""Seconds that a query has at least, however long others kept it waiting."""

RETRY: Final = 1.0
"""Seconds until a file that could not be used is tried again."""

CLEANING_RETRY: Final = 60.0
"""Seconds until what could not be cleaned is tried again: most often the disk is full."""

log = logging.getLogger("search")


class _Asked:
    """A query that waits for its answer."""

    def __init__(self, query: IndexQuery) -> None:
        self.query = query
        self.at = time.monotonic()
        self.answer: Future[Found] = Future()


class SearchIndex:
    """Finds messages by their words.

    Args:
        log_path: the log's database.
        index_path: where the index is, or is to be.
        erased: called with the seqs of DELETE, FORGET and ERASE events, again after a restart for those whose texts the
            log still holds: what they took away is not in the index any more, nor in its files. It is called from the
            index's thread, and MUST NOT block.
    """

    def __init__(self, log_path: Path, index_path: Path, erased: Callable[[list[int]], None]) -> None:
        self._erased = erased
        self._store = SearchStore(log_path, index_path)
        self._queries: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        """What is asked; None wakes the thread."""
        self._head = 0
        self._moved = False
        """Something was committed since the last batch."""
        self._took = 0.0
        """Seconds that the last batch took."""
        self._cleaning: Cleaning | None = None
        """What cleans away what was deleted."""
        self._cleaning_from = 0.0
        """By `time.monotonic`: from when on the next may begin."""
        self._resting = False
        self._closing = False
        self._failing = ""
        """Why nothing can be indexed; empty while it can."""
        self._thread = threading.Thread(target=self._run, name="search", daemon=True)

    # The event loop's side.

    def start(self, head: int) -> None:
        """Begin to follow the log, which is committed up to the seq `head`."""
        self._head = head
        self._thread.start()

    def advance(self, head: int) -> None:
        """Say up to which seq the log is committed."""
        self._head = head
        self._moved = True
        if self._resting:
            self._resting = False
            self._queries.put(None)

    async def find(self, query: IndexQuery) -> Found:
        """Return what is found; OSError where that can't be told now, with words for the server's log."""
        if self._closing:
            raise OSError("the search has ended")
        asked = _Asked(query)
        self._queries.put(asked)
        return await asyncio.wrap_future(asked.answer)

    async def close(self) -> None:
        """End after what is being done; what waits is not answered."""
        self._closing = True
        self._queries.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    # The thread's side.

    def _run(self) -> None:
        while not self._closing:
            asked = self._next()
            try:
                self._open()
                if asked is not None:
                    self._answer(asked)
                elif self._cleaning is not None and self._cleaning.finished:
                    self._take_over(self._cleaning)
                elif self._behind:
                    self._index()
                if self._cleaning is None and self._until_cleaning() <= 0:
                    self._clean()
                self._failing = ""
            except Exception as error:  # also a fault of ours: the thread goes on
                self._fail(asked, error)
        self._stop_cleaning()
        self._store.close()
        with contextlib.suppress(queue.Empty):
            while True:
                _refuse(self._queries.get_nowait(), "the search has ended")

    def _next(self) -> _Asked | None:
        """Return what is asked, or None when something else is to be done, after the pause that is due."""
        while not self._closing:
            self._resting = True  # said before it is looked for news: what comes from now on wakes
            wait = self._wait()
            if wait is not None:
                self._resting = False
            try:
                asked = self._queries.get(timeout=wait)
            except queue.Empty:
                return None
            if asked is not None:
                return asked
        return None

    def _wait(self) -> float | None:
        """Return the seconds until something is to be done, None where nothing is."""
        if self._failing:
            return RETRY
        waits = []
        if self._cleaning is None:
            waits.append(max(0.0, self._until_cleaning()))
        elif self._cleaning.finished:
            waits.append(0.0)
        if self._behind:
            waits.append(max(PAUSE, self._took * (1 / SHARE - 1)) if self._moved else 0.0)
        wait = min(waits, default=math.inf)
        return None if wait == math.inf else wait

    @property
    def _behind(self) -> bool:
        """Whether something is to be put into the index, or taken out."""
        return self._store.done < self._head or bool(self._store.leaving)

    def _until_cleaning(self) -> float:
        """Return the seconds until what was deleted is due to be cleaned away; infinity where nothing is.

        What an index far behind its log takes in meanwhile would have to be taken in by the copy, too.
        """
        due = self._store.removed and self._head - self._store.done <= NEAR
        return self._cleaning_from - time.monotonic() if due else math.inf

    def _index(self) -> None:
        self._moved = False
        begun = time.monotonic()
        self._store.advance(self._head)
        self._took = time.monotonic() - begun

    def _open(self) -> None:
        """Open the index; where it was not, nothing is left of what another server was cleaning when it was killed."""
        if not self._store.is_open:
            remove_copy(self._store.path)
            self._store.open()

    def _clean(self) -> None:
        """Begin to clean away what was deleted up to now."""
        self._cleaning = Cleaning(self._store, lambda: self._queries.put(None))
        self._cleaning.start()

    def _take_over(self, cleaning: Cleaning) -> None:
        """Go on with what was cleaned, and tell the log."""
        self._cleaning = None
        if cleaning.error is not None:
            self._cleaning_from = time.monotonic() + CLEANING_RETRY
        self._erased(cleaning.take_place())

    def _stop_cleaning(self) -> None:
        if self._cleaning is not None:
            with contextlib.suppress(OSError):
                self._cleaning.stop()
            self._cleaning = None

    def _answer(self, asked: _Asked) -> None:
        if not asked.answer.set_running_or_notify_cancel():
            return  # nobody waits for it any more
        head = self._head
        ends = max(asked.at + asked.query.deadline, time.monotonic() + LEAST)
        if 0 < head - self._store.done <= NEAR:
            self._index()
            while self._store.done < head and time.monotonic() < ends - LEAST:
                self._index()
        found = self._store.find(asked.query, ends)
        if self._store.done < head:
            found.upto = max(self._store.done, 1)
        asked.answer.set_result(found)

    def _fail(self, asked: _Asked | None, error: Exception) -> None:
        """Go on: a damaged index is made anew, and what can't be used now is tried again later."""
        anew = isinstance(error, StaleError | apsw.CorruptError | apsw.NotADBError)
        reason = str(error)
        if reason != self._failing:
            self._failing = reason
            what = "The search index is made anew" if anew else "Messages can't be searched"
            log.error("%s: %s", what, reason, exc_info=not isinstance(error, StaleError | apsw.Error | OSError))
        self._stop_cleaning()
        if anew:
            with contextlib.suppress(OSError):
                self._store.remove()
        self._store.close()
        _refuse(asked, reason)


def _refuse(asked: _Asked | None, reason: str) -> None:
    if asked is not None and (asked.answer.running() or asked.answer.set_running_or_notify_cancel()):
        asked.answer.set_exception(OSError(reason))
