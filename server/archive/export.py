"""All that the log and its tables hold of one person, as JSON objects with a `kind` each."""

from collections.abc import Iterator
from typing import Any, Final

import apsw
import msgspec

from server.protocol import limits
from server.record.events import FOREVER, Kind, time_text
from server.record.rights import ROLES

PART: Final = limits.LINE * 3 // 4
"""Bytes of a part that are filled: the last object comes on top, and fits with the frame's own fields."""

LOOK: Final = 20_000
"""Events looked at for a part: others wait for the same thread."""

EVENTS: Final = 1 << 40
"""A position below this counts objects that are no events; from there on it is this and the seq of an event."""

# Events from INVITE to SILENCE may be about somebody, whoever they are by.
_EVENTS: Final = """
    SELECT e.seq, r.handle, e.kind, e.user, e.time, e.body FROM (
        SELECT seq, room, kind, user FROM events WHERE seq > :after ORDER BY seq LIMIT :look
    ) AS n JOIN events AS e ON e.seq = n.seq JOIN rooms AS r ON r.id = n.room
    WHERE (n.user = :user OR n.kind BETWEEN 10 AND 14) AND n.kind NOT IN (2, 3, 100) AND e.body != x''
        AND NOT (n.kind IN (4, 5, 7, 8) AND n.seq <= r.forgotten)
    ORDER BY e.seq
"""  # MEMBER, UNMEMBER, ACCOUNT: what they made is told instead
_LOOKED: Final = "SELECT seq FROM events WHERE seq > ? ORDER BY seq LIMIT 1 OFFSET ?"
_GONE: Final = """
    SELECT 1 FROM altered AS a JOIN rooms AS r ON r.id = a.room
    WHERE a.target = ? AND (a.deleted != 0 OR a.target <= r.forgotten)
"""
_ROLES: Final = {int(role): name for name, role in ROLES.items()}

_TABLES: Final = {
    "person": "SELECT id AS user, name FROM users WHERE id = ?",
    "account": "SELECT name, time AS since FROM accounts WHERE user = ? ORDER BY seq",
    "credentials": "SELECT password != '' AS password, subject FROM credentials WHERE user = ?",
    "session": "SELECT id, device, address, made AS since, used FROM sessions WHERE user = ? ORDER BY id",
    "membership": """
        SELECT r.handle AS room, r.title, s.time AS since, u.time AS until FROM members AS m
        JOIN rooms AS r ON r.id = m.room JOIN events AS s ON s.seq = m.since LEFT JOIN events AS u ON u.seq = m.until
        WHERE m.user = ? ORDER BY m.since, m.room
    """,
    "invitation": """
        SELECT r.handle AS room, i.name AS by FROM invitations AS i JOIN rooms AS r ON r.id = i.room
        WHERE i.user = ? ORDER BY i.room
    """,
    "role": "SELECT r.handle AS room, o.role FROM roles AS o JOIN rooms AS r ON r.id = o.room WHERE o.user = ?",
    "mark": """
        SELECT r.handle AS room, m.read, m.unread, m.level, m.favourite, m.muted FROM marks AS m
        JOIN rooms AS r ON r.id = m.room WHERE m.user = ? ORDER BY m.room
    """,
    "block": "SELECT b.who AS user, u.name FROM blocks AS b JOIN users AS u ON u.id = b.who WHERE b.user = ?",
    "ticket": "SELECT id, uses, until FROM tickets WHERE by = ? ORDER BY id",
}
"""Per kind what is held beside events; columns are the names of fields. No secrets, and no hashes of any."""

_TIMES: Final = frozenset({"since", "until", "used"})
_FLAGS: Final = frozenset({"password", "favourite", "muted"})


def export(database: apsw.Connection, user: int, after: int) -> tuple[list[bytes], int, bool]:
    """Return the next objects after a position, about a line of them, the position they go up to, and if more follow.

    A part may be empty though more follow: it is looked at so many events at once, and no more.
    """
    lines: list[bytes] = []
    size = 0
    with database:
        if after < EVENTS:
            for number, line in enumerate(_held(database, user)):
                if number >= after:
                    lines.append(line)
                    size += len(line) + 1
                    if size > PART:
                        return lines, number + 1, True
            after = EVENTS
        seq = after - EVENTS
        end = database.execute(_LOOKED, (seq, LOOK - 1)).fetchone()
        for row in database.execute(_EVENTS, {"user": user, "after": seq, "look": LOOK}):
            line = _event(database, user, row)
            size += len(line) + 1
            if size > PART and lines:
                return lines, EVENTS + seq, True
            seq = row[0]
            if line:
                lines.append(line)
    if end is None:
        return lines, EVENTS + seq, False
    return lines, EVENTS + int(end[0]), True


def _held(database: apsw.Connection, user: int) -> Iterator[bytes]:
    """Yield what is held beside events."""
    for kind, query in _TABLES.items():
        cursor = database.execute(query, (user,))
        for row in cursor:
            known = dict(zip((name for name, _ in cursor.get_description()), row, strict=True))
            yield msgspec.json.encode({"kind": kind, **{name: _told(name, value) for name, value in known.items()}})


def _told(name: str, value: Any) -> Any:  # noqa: ANN401 - what a column has
    """Return a column's value as it is read by people."""
    if name in _TIMES:
        return "" if value is None or value == FOREVER else time_text(value).decode()
    if name in _FLAGS:
        return bool(value)
    return _ROLES[value] if name == "role" else value


def _event(database: apsw.Connection, user: int, row: tuple[Any, ...]) -> bytes:
    """Return an event that is by somebody, or about them; nothing where it is neither, or of a message that is gone."""
    seq, room, kind, by, time, body = row
    known: dict[str, Any] = msgspec.json.decode(body)
    if by != user and known.get("who") != user:
        return b""
    of_message = kind in (Kind.MESSAGE, Kind.EDIT, Kind.REACT, Kind.PIN)
    if of_message and database.execute(_GONE, (known.get("target", seq),)).fetchone() is not None:
        return b""
    header = {"kind": Kind(kind).name.lower(), "seq": seq, "room": room, "time": time_text(time).decode()}
    return msgspec.json.encode({**header, **known})
