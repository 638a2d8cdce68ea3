"""From a time to a place in the log."""

import apsw


def seq_at(database: apsw.Connection, time: int) -> int:
    """Return the first seq whose event happened at or after a time (milliseconds since 1970, UTC).

    `time` never decreases with `seq`, so the place is halved down by the primary key: some thirty looks in any log.
    Where nothing is as late, it is one past the last event.
    """
    low, high = 1, database.execute("SELECT ifnull(max(seq), 0) + 1 FROM events").get
    while low < high:
        middle = (low + high) // 2
        row = database.execute("SELECT seq, time FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)).fetchone()
        if row is not None and row[1] < time:
            low = row[0] + 1
        else:
            high = middle
    return low
