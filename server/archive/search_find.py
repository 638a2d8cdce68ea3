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

STEPS: Final = 100
"""How often SQLite asks whether the time is up: some milliseconds between two pages of the index."""

_MATCHES: Final = """
    SELECT rowid FROM messages WHERE messages MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid DESC
"""
_READABLE: Final = """
    SELECT seq, room FROM events WHERE seq IN (SELECT value FROM json_each(?)) AND body != x'' ORDER BY seq DESC
"""


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
    seqs: list[int] = []
    step = FIRST
    index.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        while high > low:
            bottom = max(low, high - step)
            reached = _look(index, log, query, floors, (bottom, high), seqs)
            if reached > bottom + 1 or (bottom > low and time.monotonic() > ends):
                return Found(seqs=seqs, reached=reached, late=True)
            high = bottom
            step *= 4
    finally:
        index.set_progress_handler(None)
    return Found(seqs=seqs)


def _look(
    index: apsw.Connection,
    log: apsw.Connection,
    query: IndexQuery,
    floors: dict[int, int],
    bounds: tuple[int, int],
    seqs: list[int],
) -> int:
    """Add what is found above the first of these bounds and up to the second, and return from where on that is all."""
    bottom, high = bounds
    seq: int
    match = expression(query, [room for room, floor in floors.items() if floor < high])
    rows = index.execute(_MATCHES, (match, bottom, high))
    reached = high + 1
    more = True
    while more:
        candidates: list[int] = []
        try:
            for (seq,) in rows:
                candidates.append(seq)
                if len(candidates) == query.limit:
                    break
            else:
                reached, more = bottom + 1, False
        except apsw.InterruptError:
            more = False
        if more or (candidates and reached > bottom + 1):
            reached = candidates[-1]
        # The index has a room, and not since when somebody may read it; and what was erased is no result any more.
        for seq, room in log.execute(_READABLE, (msgspec.json.encode(candidates).decode(),)):
            if seq > floors[room]:
                seqs.append(seq)
                if len(seqs) == query.limit:
                    rows.close()
                    return seq
    return reached
