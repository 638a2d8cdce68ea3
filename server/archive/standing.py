"""Rooms and people as they are read: how someone stands in their rooms, which rooms there are, who somebody is."""

import time
from typing import Any, Final

import apsw
import msgspec
from msgspec import UNSET

from server.chat.ports import ListQuery, Seen, StandingQuery
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.frames import List, RoomInfo, Rooms
from server.record.entries import Mark
from server.record.events import FOREVER, GENERAL, time_text
from server.record.rights import NAMES, Role

_ROOM: Final = """
    SELECT r.id, r.handle, r.title, r.topic, r.kind, r.before, r.owner, r.archived, r.read_only, r.slow,
        r.keep_days, r.keep_count, (SELECT count(*) FROM members WHERE room = r.id AND until IS NULL)
    FROM rooms AS r
"""
_ROLES: Final = """
    SELECT (SELECT role FROM roles WHERE room = :room AND user = :user),
        (SELECT role FROM roles WHERE room = (SELECT id FROM rooms WHERE handle = 'general') AND user = :user),
        EXISTS (SELECT 1 FROM accounts WHERE user = :user)
"""
_SILENCED: Final = """
    SELECT max(until) FROM bans
    WHERE room IN (:room, (SELECT id FROM rooms WHERE handle = 'general')) AND user = :user AND silence
"""
_LAST: Final = "SELECT seq, time FROM events WHERE room = ? AND seq <= ? AND kind = 4 ORDER BY seq DESC LIMIT 1"
_UNREAD: Final = """
    SELECT count(*) FROM (
        SELECT 1 FROM events WHERE room = ? AND seq > ? AND seq <= ? AND kind = 4 AND user != ? LIMIT ?
    )
"""
_MENTIONS: Final = """
    SELECT count(*) FROM (
        SELECT m.seq FROM mentions AS m JOIN events AS e ON e.seq = m.seq
        WHERE m.user IN (?1, 0) AND m.room = ?2 AND m.seq > ?3 AND m.seq <= ?4 AND e.user != ?1
        GROUP BY m.seq LIMIT ?5
    )
"""
_ACCOUNT: Final = "SELECT user FROM accounts WHERE name = ? COLLATE NOCASE ORDER BY seq DESC LIMIT 1"
_USER: Final = "SELECT id FROM users WHERE name = ? COLLATE NOCASE ORDER BY id DESC LIMIT 1"
_LISTED: Final = """
    WHERE r.handle > ?1 AND r.kind != 'direct' AND (r.kind = 'public' OR r.id IN (SELECT value FROM json_each(?2)))
    ORDER BY r.handle LIMIT 200
"""
_PART: Final = limits.LINE * 3 // 4
"""Bytes of a part that are filled: one room's details come on top, and they are bounded."""


def standing(database: apsw.Connection, query: StandingQuery, rooms: list[int]) -> list[RoomInfo]:
    """Return how the reader stands in these rooms of a query."""
    rows = [database.execute(_ROOM + "WHERE r.id = ?", (number,)).fetchone() for number in rooms]
    return [_stand(database, query, row) for row in rows if row is not None]


def standing_lines(query: StandingQuery, rooms: list[RoomInfo]) -> bytes:
    """Return the `rooms` lines that answer a query."""
    parts: list[list[RoomInfo]] = [[]]
    size = 0
    for info in rooms:
        size += len(msgspec.json.encode(info)) + 1
        if size > _PART:
            parts.append([])
            size = 0
        parts[-1].append(info)
    ref = UNSET if query.ref is None else query.ref
    last = len(parts) - 1
    return b"".join(
        encode(Rooms(ref=ref, rooms=part, as_of=query.as_of, more=at < last)) for at, part in enumerate(parts)
    )


def listing(database: apsw.Connection, query: ListQuery) -> bytes:
    """Return the `list` line that answers a query."""
    own = msgspec.json.encode(list(query.reader.rooms)).decode()
    rooms: list[RoomInfo] = []
    size = 0
    more = False
    for row in database.execute(_ROOM + _LISTED, (query.after, own)):
        info = _info(row)
        info.member = row[0] in query.reader.rooms
        size += len(msgspec.json.encode(info)) + 1
        if size > _PART:
            more = True
            break
        rooms.append(info)
    ref = UNSET if query.ref is None else query.ref
    return encode(List(ref=ref, rooms=rooms, more=more or len(rooms) == 200))


def users(database: apsw.Connection, names: list[str]) -> dict[str, int]:
    """Return who has these names, or had them last: accounts before guests who were called so once."""
    found = {}
    for name in names:
        row = database.execute(_ACCOUNT, (name,)).fetchone() or database.execute(_USER, (name,)).fetchone()
        if row is not None:
            found[name] = row[0]
    return found


def names(database: apsw.Connection, wanted: list[int]) -> list[tuple[int, str]]:
    """Return how users are called."""
    query = "SELECT id, name FROM users WHERE id IN (SELECT value FROM json_each(?))"
    rows: list[Any] = database.execute(query, (msgspec.json.encode(wanted).decode(),)).fetchall()
    return rows


def seen(database: apsw.Connection, user: int) -> Seen:
    """Return what is known of a user."""
    last = database.execute("SELECT ifnull(max(used), 0) FROM sessions WHERE user = ?", (user,)).get
    rooms = database.execute("SELECT room FROM members WHERE user = ? AND until IS NULL", (user,))
    general = database.execute("SELECT id FROM rooms WHERE handle = ?", (GENERAL,)).get
    account, role = _role(database, general, user, "public")
    return Seen(last, [room for (room,) in rooms], account, NAMES[role])


def _role(database: apsw.Connection, room: int, user: int, kind: str) -> tuple[bool, Role]:
    """Return whether a member of a room has an account, and their role there; see `Register.rank`."""
    row: Any = database.execute(_ROLES, {"room": room, "user": user}).fetchone()
    there, on_server, account = row
    own = Role.MEMBER if account else Role.GUEST
    return bool(account), own if kind == "direct" else Role(max(own, there or 0, on_server or 0))


def _info(row: tuple[Any, ...]) -> RoomInfo:
    _, handle, title, topic, kind, before, owner, archived, read_only, slow, keep_days, keep_count, members = row
    return RoomInfo(
        room=handle,
        title=title,
        topic=topic,
        kind=kind,
        before=before,
        owner=owner,
        archived=bool(archived),
        read_only=bool(read_only),
        slow=slow,
        keep_days=keep_days,
        keep_count=keep_count,
        members=0 if handle == GENERAL else members,
    )


def _stand(database: apsw.Connection, query: StandingQuery, row: tuple[Any, ...]) -> RoomInfo:
    """Return a room as the reader stands in it; one who is only invited learns its title, and who invited."""
    reader, number = query.reader, row[0]
    floor = reader.rooms.get(number)
    if floor is None:
        invitation = "SELECT name FROM invitations WHERE user = ? AND room = ?"
        by = database.execute(invitation, (reader.user, number)).get or ""
        kept = {"room": row[1], "title": row[2], "kind": row[4], "before": row[5]}
        return RoomInfo(**kept, member=False, invited_by=by)
    info = _info(row)
    info.role = NAMES[_role(database, number, reader.user, info.kind)[1]]
    info.silenced = _silenced(database, number, reader.user)
    if info.kind == "direct":
        members = "SELECT id, name FROM users WHERE id IN (SELECT user FROM members WHERE room = ?) ORDER BY id"
        info.people = [(user, name) for user, name in database.execute(members, (number,))]
    last = database.execute(_LAST, (number, query.as_of)).fetchone()
    if last is not None and last[0] > floor:
        info.last, info.time = last[0], time_text(last[1]).decode()
    mark = reader.marks.get(number, Mark())
    info.read, info.unread, info.level = mark.read, mark.unread, mark.level
    info.favourite, info.muted = mark.favourite, mark.muted
    after = max(floor, min(mark.read, mark.unread - 1) if mark.unread else mark.read)
    info.count = database.execute(_UNREAD, (number, after, query.as_of, reader.user, limits.UNREAD)).get
    info.mentions = database.execute(_MENTIONS, (reader.user, number, after, query.as_of, limits.UNREAD)).get
    return info


def _silenced(database: apsw.Connection, room: int, user: int) -> str:
    """Return until when someone may only read in a room, as it is told; empty where they may speak."""
    until = database.execute(_SILENCED, {"room": room, "user": user}).get or 0
    if until <= time.time() * 1000:
        return ""
    return "forever" if until == FOREVER else time_text(until).decode()
