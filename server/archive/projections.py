"""Tables that are made from events alone: dropped and rebuilt, they are the same again."""

import apsw

from server.chat.directory import Directory, RoomRecord
from server.chat.events import FOREVER, Draft, Kind, Spans


def load_directory(database: apsw.Connection) -> Directory:
    """Return the directory as the projections have it."""
    directory = Directory()
    for number, handle, title in database.execute("SELECT id, handle, title FROM rooms"):
        directory.add_room(RoomRecord(number, handle, title))
    for room, user in database.execute("SELECT room, user FROM members WHERE until IS NULL"):
        directory.add_member(room, user)
    return directory


def project(database: apsw.Connection, directory: Directory, event: Draft) -> None:
    """Write what an event that `directory` has just applied changes in the tables, in the transaction of the event."""
    if event.kind is Kind.ROOM:
        room = directory.rooms[event.seq]
        database.execute("INSERT INTO rooms VALUES (?, ?, ?)", (room.id, room.handle, room.title))
    elif event.kind is Kind.MEMBER:
        database.execute(
            "INSERT INTO members SELECT ?1, ?2, ?3, NULL"
            " WHERE NOT EXISTS (SELECT 1 FROM members WHERE room = ?1 AND user = ?2 AND until IS NULL)",
            (event.room, event.user, event.seq),
        )
    elif event.kind is Kind.UNMEMBER:
        database.execute(
            "UPDATE members SET until = ? WHERE room = ? AND user = ? AND until IS NULL",
            (event.seq, event.room, event.user),
        )


def rebuild(database: apsw.Connection) -> Directory:
    """Empty the projections and make them anew from the log."""
    with database:
        database.execute("DELETE FROM members; DELETE FROM rooms")
        directory = Directory()
        rows = database.execute(
            "SELECT seq, kind, room, user, body FROM events WHERE kind BETWEEN 1 AND 3 ORDER BY seq"
        )
        for seq, kind, room, user, body in rows:
            event = Draft(seq=seq, kind=Kind(kind), room=room, user=user, body=body)
            directory.apply(event)
            project(database, directory, event)
    return directory


def spans_of(database: apsw.Connection, user: int) -> Spans:
    """Return the spans of the log in which a user is, or was, a member of each room but `general`."""
    spans: Spans = {}
    for room, since, until in database.execute("SELECT room, since, until FROM members WHERE user = ?", (user,)):
        spans.setdefault(room, []).append((since, FOREVER if until is None else until))
    return spans
