"""Looking for messages in the index, the newest first, for a limited time."""

import time
from typing import Final

import apsw
import msgspec

from server.archive.search_query import Found, IndexQuery, expression
from server.archive.times import seq_at

FIRST: Final = 1 << 18
"""Seqs looked at in the first step; each further one takes four times as many.

What is looked at in full can be told from what is not only between steps, and each has to find its place anew.
"""

FEW_ROOMS: Final = 8
"""So many rooms, or fewer, are asked for from the start: each costs some microseconds at every step."""

ONE_BY_ONE: Final = 1000
"""With more rooms, so many of the newest matches are taken wherever they are: most often that is all there are."""

STEPS: Final = 100
"""How often SQLite asks whether the time is up: some milliseconds between two pages of the index."""

_MATCHES: Final = """
    SELECT rowid FROM messages WHERE messages MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid DESC LIMIT ?
"""
_ROOMS: Final = "SELECT seq, room FROM events WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq DESC"


def find(index: apsw.Connection, log: apsw.Connection, query: IndexQuery, done: int, ends: float) -> Found:
    """Return what is found among the messages up to `done`; apsw.Error where the files can't be read.

    Args:
        index: the index, for one thread at a time.
        log: the log, for reading.
        query: what is looked for.
        done: up to which seq the index goes.
        ends: by `time.monotonic`, when to stop.
    """
    floors = dict(query.rooms)
    low = min(floors.values(), default=done)
    if query.since is not None:
        low = max(low, seq_at(log, query.since) - 1)
    high = done if query.before is None else min(done, query.before - 1)
    if query.till is not None:
        high = min(high, seq_at(log, query.till) - 1)
    index.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        return _Search(index, log, query, floors, ends).down(high, low)
    finally:
        index.set_progress_handler(None)


class _Search:
    """One query on its way from the newest messages down."""

    def __init__(
        self, index: apsw.Connection, log: apsw.Connection, query: IndexQuery, floors: dict[int, int], ends: float
    ) -> None:
        self._index = index
        self._log = log
        self._query = query
        self._floors = floors
        self._ends = ends
        self._seqs: list[int] = []
        self._one_by_one = ONE_BY_ONE if len(floors) > FEW_ROOMS and expression(query, []) else 0

    def down(self, high: int, low: int) -> Found:
        """Return what is found from the seq `high` down, above `low`."""
        step = FIRST
        while high > low:
            bottom = max(low, high - step)
            reached = self._look(bottom, high)
            full = len(self._seqs) == self._query.limit
            if reached > low + 1 and (full or time.monotonic() > self._ends):
                return Found(seqs=self._seqs, reached=reached, late=True)
            if reached == bottom + 1:
                step *= 4
            high = reached - 1
        return Found(seqs=self._seqs)

    def _look(self, bottom: int, high: int) -> int:
        """Add what is found from `high` down, above `bottom`, and return from where on that is all."""
        if self._one_by_one:
            most = self._one_by_one
            match = expression(self._query, [])
        else:
            most = high
            match = expression(self._query, [room for room, floor in self._floors.items() if floor < high])
        matches = self._index.cursor()
        candidates: list[int] = []
        reached = bottom + 1
        try:
            for (seq,) in matches.execute(_MATCHES, (match, bottom, high, most)):
                candidates.append(seq)
                if len(candidates) % self._query.limit == 0 and self._take(candidates[-self._query.limit :]):
                    return self._seqs[-1]
            if len(candidates) == most:
                reached = seq
        except apsw.InterruptError:
            reached = candidates[-1] if candidates else high + 1
        finally:
            matches.close()
        rest = len(candidates) % self._query.limit
        if rest and self._take(candidates[-rest:]):
            return self._seqs[-1]
        if self._one_by_one:
            self._one_by_one -= len(candidates)
        return reached

    def _take(self, candidates: list[int]) -> bool:
        """Take those that may be read; True when that is all that is wanted."""
        for seq, room in self._log.execute(_ROOMS, (msgspec.json.encode(candidates).decode(),)):
            if seq > self._floors.get(room, seq):
                self._seqs.append(seq)
                if len(self._seqs) == self._query.limit:
                    return True
        return False
