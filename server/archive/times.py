"""Where in the log a time is."""

import apsw


def seq_at(database: apsw.Connection, time: int) -> int:
    """Return a seq below which all events are earlier than `time`, and from which on none is.

    `time` never decreases with `seq`, so halving the log finds it in some twenty reads.

    Args:
        database: the log, for reading.
        time: milliseconds since 1970, UTC.
    """
    low = 1
    high: int = database.execute("SELECT ifnull(max(seq), 0) + 1 FROM events").get
    while low < high:
        middle = (low + high) // 2
        # Seqs may have gaps: what is asked is the first event from there on.
        seq, when = database.execute("SELECT seq, time FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)).get
        if when < time:
            low = seq + 1
        else:
            high = middle
    return low
