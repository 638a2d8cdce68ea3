"""What is older, or more, than is kept: by each room's own rules, or by those of `general`, which all others follow."""

from typing import Final

import apsw

from server.archive.times import seq_at
from server.record.events import GENERAL

DAY: Final = 24 * 3600 * 1000
"""Milliseconds."""

# Kind 4: MESSAGE.
_LAST_BELOW: Final = """
    SELECT seq FROM events WHERE room = ? AND seq > ? AND seq < ? AND kind = 4 ORDER BY seq DESC LIMIT 1 OFFSET ?
"""


def outdated(database: apsw.Connection, now: int) -> list[tuple[int, int]]:
    """Return the rooms in which something is to be forgotten, each with the seq up to which.

    Args:
        database: the log, for reading.
        now: milliseconds since 1970, UTC.
    """
    found = []
    starts: dict[int, int] = {}
    with database:
        end: int = database.execute("SELECT ifnull(max(seq), 0) + 1 FROM events").get
        usual = database.execute("SELECT keep_days, keep_count FROM rooms WHERE handle = ?", (GENERAL,)).fetchone()
        usual_days, usual_count = usual or (0, 0)
        for room, days, count, forgotten in database.execute("SELECT id, keep_days, keep_count, forgotten FROM rooms"):
            if not days and not count:
                days, count = usual_days, usual_count
            bounds = []
            if days:
                if days not in starts:
                    starts[days] = seq_at(database, now - days * DAY)
                bounds.append((room, forgotten, starts[days], 0))
            if count:
                bounds.append((room, forgotten, end, count))
            upto = max((database.execute(_LAST_BELOW, bound).get or 0 for bound in bounds), default=0)
            if upto:
                found.append((room, upto))
    return found
