"""What is erased: words and names go from the log for good. Headers stay, and the numbers that other messages hang on.

A DELETE erases one message; a FORGET all that was said in a room up to some seq; an ERASE all that somebody ever said.
The latter two take effect at once in what is read. Bodies are emptied afterwards, some in each transaction: those who
send wait for none of it.
"""

from collections.abc import Iterable
from typing import Any, Final

import apsw
import msgspec

from server.record.entries import Draft
from server.record.events import Kind, decode_delete

BODIES: Final = 500
"""Bodies emptied in one transaction: some ten milliseconds."""

LOOK: Final = 20_000
"""Events looked at for them: about as long, by the index alone."""

_TARGETED: Final = ("altered", "versions", "reactions")
"""The tables of what became of messages."""

_DELETED: Final = """
    UPDATE events SET body = x'' WHERE seq = :target OR seq IN (SELECT seq FROM versions WHERE target = :target);
    DELETE FROM versions WHERE target = :target;
"""
_GONE: Final = """
    UPDATE members SET until = :seq WHERE user = :who AND until IS NULL;
    DELETE FROM invitations WHERE user = :who;
    UPDATE invitations SET name = '' WHERE by = :who;
    DELETE FROM mentions WHERE user = :who;
    DELETE FROM accounts WHERE user = :who;
    DELETE FROM roles WHERE user = :who;
    DELETE FROM bans WHERE user = :who;
    UPDATE rooms SET owner = 0 WHERE owner = :who;
    UPDATE altered SET pinned = 0 WHERE pinned > 0 AND (SELECT user FROM events WHERE seq = target) = :who;
    DELETE FROM reports WHERE :who IN (SELECT user FROM events WHERE seq IN (reports.seq, target));
    INSERT OR IGNORE INTO erased VALUES (:who, :seq);
"""
_GONE_STATE: Final = """
    DELETE FROM sessions WHERE user = :who;
    DELETE FROM marks WHERE user = :who;
    DELETE FROM blocks WHERE user = :who OR who = :who;
    DELETE FROM credentials WHERE user = :who;
    DELETE FROM tickets WHERE by = :who AND owner = 0;
    DELETE FROM users WHERE id = :who;
"""
# MESSAGE, EDIT, REACT, PIN. A DELETE stays: it has no words, and tells what moderators did.
_OF_ROOM: Final = """
    SELECT seq, kind, body FROM events WHERE room = ? AND seq > ? AND seq <= ? AND kind IN (4, 5, 7, 8)
    ORDER BY seq LIMIT ?
"""
_LATER_EDITS: Final = """
    SELECT seq, kind, body FROM events
    WHERE seq IN (SELECT seq FROM versions WHERE target IN (SELECT value FROM json_each(?)))
"""
# Events from INVITE to SILENCE may name somebody in their bodies, whoever they are by.
_OF_PERSON: Final = """
    SELECT e.seq, e.room, e.kind, e.user, e.body FROM (
        SELECT room, seq, kind, user FROM events WHERE (room, seq) > (:room, :reached) ORDER BY room, seq LIMIT :look
    ) AS n JOIN events AS e ON e.seq = n.seq
    WHERE n.user = :who OR n.kind BETWEEN 10 AND 14 ORDER BY e.room, e.seq LIMIT :most
"""
_LOOKED: Final = "SELECT room, seq FROM events WHERE (room, seq) > (?, ?) ORDER BY room, seq LIMIT 1 OFFSET ?"


def forget(database: apsw.Connection, event: Draft) -> None:
    """Let a FORGET event take effect in the tables, in its transaction."""
    database.execute("UPDATE rooms SET forgotten = ? WHERE id = ?", (event.about.upto, event.room))
    database.execute("INSERT OR IGNORE INTO emptying VALUES (?, ?, 0)", (event.seq, event.room))


def erase_person(database: apsw.Connection, event: Draft) -> None:
    """Let an ERASE event take effect in the tables, in its transaction."""
    database.execute(_GONE + _GONE_STATE, {"who": event.about.who, "seq": event.seq})
    database.execute("INSERT OR IGNORE INTO emptying VALUES (?, 0, 0)", (event.seq,))


def drop_forgotten(database: apsw.Connection) -> None:
    """Take out of tables that were just rebuilt what became of messages that are forgotten: it came back with them."""
    for table in _TARGETED:
        database.execute(f"""
            DELETE FROM {table} WHERE target IN (
                SELECT e.seq FROM rooms AS r JOIN events AS e ON e.room = r.id AND e.seq <= r.forgotten
            )
        """)  # noqa: S608 - our own names


def erase(database: apsw.Connection, seqs: list[int]) -> list[int]:
    """Empty bodies that these DELETE, FORGET and ERASE events took away.

    Returns:
        Those of which more is to be emptied: MUST be called again with them.
    """
    left = []
    for seq in seqs:
        kind, room, body = database.execute("SELECT kind, room, body FROM events WHERE seq = ?", (seq,)).get
        if kind == Kind.DELETE:
            database.execute(_DELETED, {"target": decode_delete(body).target})
            continue
        place = database.execute("SELECT room, reached FROM emptying WHERE seq = ?", (seq,)).fetchone()
        if place is None:
            continue  # all of it is empty already
        about = msgspec.json.decode(body)
        if kind == Kind.FORGET:
            reached = _empty_room(database, room, place[1], about["upto"])
            place = (room, reached) if reached else None
        else:
            place = _empty_person(database, about["who"], place)
            if place is None:  # what was on its way when they were erased
                database.execute(_GONE_STATE, {"who": about["who"]})
        if place is None:
            database.execute("DELETE FROM emptying WHERE seq = ?", (seq,))
        else:
            database.execute("UPDATE emptying SET room = ?, reached = ? WHERE seq = ?", (*place, seq))
            left.append(seq)
    return left


def bare(kind: int, body: bytes) -> bytes:
    """Return what is left of the body of an event by someone who was erased: numbers, and what was done to a room."""
    if not body or kind in (Kind.ROOM, Kind.MEMBER, Kind.UNMEMBER):
        return body
    if kind == Kind.ACCOUNT:
        return b""
    known: dict[str, Any] = msgspec.json.decode(body)
    match kind:
        case Kind.MESSAGE:
            known = {"sender": "", "text": "", "thread": known["thread"]} if known.get("thread") else {}
        case Kind.EDIT:
            known = {"sender": "", "target": known["target"], "text": ""}
        case Kind.REACT:  # as if it had been taken back
            known = {"sender": "", "target": known["target"], "emoji": "", "on": False}
        case Kind.REPORT:
            known = {"sender": "", "target": known["target"]}
        case _:
            known["sender"] = ""
    return msgspec.json.encode(known) if known else b""


def _empty_room(database: apsw.Connection, room: int, reached: int, upto: int) -> int:
    """Empty the next bodies of a room; return up to where, 0 where that is all."""
    events: list[Any] = database.execute(_OF_ROOM, (room, reached, upto, BODIES)).fetchall()
    targets = msgspec.json.encode([seq for seq, kind, _ in events if kind == Kind.MESSAGE]).decode()
    # Edits that came after what is forgotten, too: they are of messages that are.
    edits: list[Any] = database.execute(_LATER_EDITS, (targets,)).fetchall()
    _unlist(database, room, [*events, *edits], threads=True)
    _rewrite(database, {seq: b"" for seq, _, body in [*events, *edits] if body})
    for table in _TARGETED:
        rows = f"DELETE FROM {table} WHERE target IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own names
        database.execute(rows, (targets,))
    last: int = events[-1][0] if len(events) == BODIES else 0
    return last


def _empty_person(database: apsw.Connection, who: int, place: tuple[int, int]) -> tuple[int, int] | None:
    """Empty the next bodies that are by or about somebody; return room and seq up to where, None where that is all."""
    bounds = {"who": who, "room": place[0], "reached": place[1], "look": LOOK, "most": BODIES}
    events: list[Any] = database.execute(_OF_PERSON, bounds).fetchall()
    end: tuple[int, int] | None = database.execute(_LOOKED, (*place, LOOK - 1)).fetchone()
    changed: dict[int, bytes] = {}
    for seq, room, kind, user, body in events:
        now = bare(kind, body) if user == who else body
        if Kind.INVITE <= kind <= Kind.SILENCE and body:
            now = unnamed(now, who)
        if user == who:
            _unlist(database, room, [(seq, kind, body)], threads=False)
            if kind == Kind.REACT and body:
                known = msgspec.json.decode(body)
                key = (known["target"], known["emoji"], who)
                database.execute("DELETE FROM reactions WHERE target = ? AND emoji = ? AND user = ?", key)
            elif kind == Kind.MESSAGE:
                changed.update(_unsigned(database, seq))
        if now != body:
            changed[seq] = now if seq not in changed else without_author(now)
    _rewrite(database, changed)
    if len(events) == BODIES:
        return events[-1][1], events[-1][0]
    return end


def unnamed(body: bytes, who: int) -> bytes:
    """Return what was done to somebody without their name, and what was said of them."""
    known: dict[str, Any] = msgspec.json.decode(body)
    if known.get("who") != who:
        return body
    known.pop("reason", None)
    return msgspec.json.encode({**known, "name": ""})


def _unsigned(database: apsw.Connection, target: int) -> dict[int, bytes]:
    """Return the DELETE of a message, if there was one, without the name of who had said it."""
    query = "SELECT e.seq, e.body FROM altered AS a JOIN events AS e ON e.seq = a.deleted WHERE a.target = ?"
    row: Any = database.execute(query, (target,)).fetchone()
    return {row[0]: without_author(row[1])} if row is not None else {}


def without_author(body: bytes) -> bytes:
    """Return a DELETE without the name of who had said the message."""
    known: dict[str, Any] = msgspec.json.decode(body)
    known.pop("author", None)
    return msgspec.json.encode(known)


def _unlist(database: apsw.Connection, room: int, events: Iterable[tuple[int, int, bytes]], *, threads: bool) -> None:
    """Take out whom messages and edits name, and with `threads` which thread they are of."""
    for seq, kind, body in events:
        if kind not in (Kind.MESSAGE, Kind.EDIT) or not any(
            part in body for part in (b'"mentions":', b'"here":', b'"thread":')
        ):
            continue
        known = msgspec.json.decode(body)
        target = known.get("target", seq)
        users = [*known.get("mentions", ()), 0]
        database.executemany(
            "DELETE FROM mentions WHERE user = ? AND room = ? AND seq = ?", [(user, room, target) for user in users]
        )
        if threads and known.get("thread"):
            database.execute("DELETE FROM replies WHERE root = ? AND seq = ?", (known["thread"], seq))


def _rewrite(database: apsw.Connection, bodies: dict[int, bytes]) -> None:
    database.executemany("UPDATE events SET body = ? WHERE seq = ?", [(body, seq) for seq, body in bodies.items()])
