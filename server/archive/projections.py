"""Tables that are made from events alone: dropped and rebuilt, they are the same again."""

import apsw
import msgspec

from server.archive import governing
from server.archive.erasing import drop_forgotten, erase_person, forget
from server.archive.times import seq_at
from server.record.directory import Directory
from server.record.entries import Draft
from server.record.events import (
    FOREVER,
    ChangeBody,
    DeleteBody,
    EditBody,
    EraseBody,
    ForgetBody,
    InviteBody,
    Kind,
    MessageBody,
    PinBody,
    ReactBody,
    RoomBody,
    Spans,
    decode_about,
    decode_edit,
    decode_message,
)
from server.record.register import CHANGEABLE, RoomRecord, Said

_ALTER = """
    INSERT INTO altered (target, room, rev) VALUES (:target, :room, :seq)
    ON CONFLICT DO UPDATE SET rev = max(rev, :seq);
"""
_EDIT = """
    INSERT OR IGNORE INTO versions VALUES (:target, :seq);
    UPDATE altered SET edit = :seq WHERE target = :target;
    DELETE FROM mentions WHERE room = :room AND seq = :target AND user IN (SELECT value FROM json_each(:before));
"""
_DELETE = """
    UPDATE altered SET deleted = :seq, edit = 0, pinned = 0 WHERE target = :target;
    DELETE FROM reactions WHERE target = :target;
    DELETE FROM mentions WHERE room = :room AND seq = :target AND user IN (SELECT value FROM json_each(:before));
"""
_REPLY = """
    INSERT INTO altered (target, room, rev)
        SELECT :root, :room, :seq WHERE :root > (SELECT forgotten FROM rooms WHERE id = :room)
        ON CONFLICT DO UPDATE SET rev = max(rev, :seq);
    UPDATE altered SET replies = replies + 1
        WHERE target = :root AND NOT EXISTS (SELECT 1 FROM replies WHERE root = :root AND seq = :seq);
    INSERT OR IGNORE INTO replies VALUES (:root, :seq);
"""
TABLES = (
    "rooms",
    "members",
    "invitations",
    "altered",
    "versions",
    "replies",
    "reactions",
    "mentions",
    *governing.TABLES,
)
"""All projections."""


def load_directory(database: apsw.Connection) -> Directory:
    """Return the directory as the projections have it."""
    directory = Directory()
    fields = RoomRecord.__struct_fields__
    for row in database.execute(f"SELECT {', '.join(fields)} FROM rooms"):  # noqa: S608 - our own names
        known = dict(zip(fields, row, strict=True))
        directory.add_room(msgspec.convert(known, RoomRecord, strict=False))  # flags are stored as numbers
    for room, user, since in database.execute("SELECT room, user, since FROM members WHERE until IS NULL"):
        directory.add_member(room, user, since)
    for room, user, by in database.execute("SELECT room, user, by FROM invitations"):
        directory.add_invitation(room, user, by)
    governing.load(database, directory)
    return directory


class DatabaseFacts:
    """What the log holds of messages; see `server.record.register.Facts`."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database

    def said(self, seq: int) -> Said | None:
        """See `server.record.register.Facts`."""
        query = """
            SELECT e.room, e.user, e.body, (SELECT body FROM events WHERE seq = a.edit), a.deleted, a.pinned,
                e.user IN (SELECT user FROM erased)
            FROM events AS e LEFT JOIN altered AS a ON a.target = e.seq WHERE e.seq = ? AND e.kind = ?
        """
        row = self._database.execute(query, (seq, int(Kind.MESSAGE))).fetchone()
        if row is None:
            return None
        room, user, body, edit, deleted, pinned, erased = row
        if erased or (deleted and not body):
            return Said(room, user, "", "", 0, [], here=False, deleted=True, pinned=False)
        if not body:
            return None
        message = decode_message(body)
        now = decode_edit(edit) if edit else message
        return Said(
            room,
            user,
            message.sender,
            now.text,
            message.thread,
            now.mentions,
            here=now.here,
            deleted=bool(deleted),
            pinned=bool(pinned),
        )

    def reacted(self, seq: int) -> dict[str, set[int]]:
        """See `server.record.register.Facts`."""
        reacted: dict[str, set[int]] = {}
        for emoji, user in self._database.execute("SELECT emoji, user FROM reactions WHERE target = ?", (seq,)):
            reacted.setdefault(emoji, set()).add(user)
        return reacted

    def versions(self, seq: int) -> int:
        """See `server.record.register.Facts`."""
        count: int = self._database.execute("SELECT count(*) FROM versions WHERE target = ?", (seq,)).get
        return count

    def last_said(self, room: int, user: int, since: int) -> int:
        """See `server.record.register.Facts`."""
        first = seq_at(self._database, since)
        query = "SELECT max(seq), time FROM events WHERE room = ? AND seq >= ? AND kind = 4 AND user = ?"
        _, time = self._database.execute(query, (room, first, user)).get
        return time or 0

    def reported(self, target: int, user: int) -> bool:
        """See `server.record.register.Facts`."""
        query = "SELECT 1 FROM reports AS r JOIN events AS e ON e.seq = r.seq WHERE r.target = ? AND e.user = ?"
        return self._database.execute(query, (target, user)).get is not None

    def unsettled(self, report: int) -> bool:
        """See `server.record.register.Facts`."""
        return self._database.execute("SELECT 1 FROM reports WHERE seq = ?", (report,)).get is not None

    def blocked(self, user: int, who: int) -> bool:
        """See `server.record.register.Facts`."""
        return self._database.execute("SELECT 1 FROM blocks WHERE user = ? AND who = ?", (user, who)).get is not None


def project(database: apsw.Connection, directory: Directory, event: Draft) -> None:
    """Write what an event that `directory` has just applied changes in the tables, in the transaction of the event."""
    match event.about:
        case MessageBody() as body:
            if body.thread:
                _reply(database, event.room, body.thread, event.seq)
            _mention(database, event.room, event.seq, body)
        case EditBody() | DeleteBody() | ReactBody() | PinBody():
            _alter(database, event)
        case RoomBody() as body:
            room = directory.rooms[event.seq]
            row = (room.id, room.handle, room.title, room.kind, room.before, room.owner, room.topic)
            database.execute(
                "INSERT INTO rooms (id, handle, title, kind, before, owner, topic) VALUES (?, ?, ?, ?, ?, ?, ?)", row
            )
            for user in body.members:
                database.execute("INSERT INTO members VALUES (?, ?, ?, NULL)", (room.id, user, event.seq))
        case ChangeBody():
            room = directory.rooms[event.room]
            columns = ", ".join(f"{name} = ?" for name in CHANGEABLE)
            values = (*[getattr(room, name) for name in CHANGEABLE], room.id)
            database.execute(f"UPDATE rooms SET {columns} WHERE id = ?", values)  # noqa: S608 - our own names
        case InviteBody(on=True) as body:
            invitation = (body.who, event.room, event.user, body.sender)
            database.execute("INSERT OR REPLACE INTO invitations VALUES (?, ?, ?, ?)", invitation)
        case InviteBody() as body:
            database.execute("DELETE FROM invitations WHERE user = ? AND room = ?", (body.who, event.room))
        case ForgetBody():
            forget(database, event)
        case EraseBody():
            erase_person(database, event)
    if event.kind in (Kind.MEMBER, Kind.UNMEMBER):
        database.execute("DELETE FROM invitations WHERE user = ? AND room = ?", (event.user, event.room))
    if event.kind is Kind.MEMBER:
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
    governing.project(database, event)


def rebuild(database: apsw.Connection) -> Directory:
    """Empty the projections and make them anew from the log."""
    with database:
        for table in TABLES:
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        directory = Directory()
        # Nearly all messages change nothing but the log: those that do say so in their bodies.
        query = """
            SELECT seq, kind, room, user, time, body FROM events
            WHERE kind > 0
                AND (kind != 4 OR instr(body, '"thread":') OR instr(body, '"mentions":') OR instr(body, '"here":'))
            ORDER BY seq
        """
        for seq, kind, room, user, time, body in list(database.execute(query)):
            about = decode_about(Kind(kind), body)
            event = Draft(seq=seq, kind=Kind(kind), room=room or seq, user=user, time=time, body=body, about=about)
            directory.apply(event)
            project(database, directory, event)
        drop_forgotten(database)
    return directory


def spans_of(database: apsw.Connection, user: int) -> Spans:
    """Return the spans of the log in which a user is, or was, a member of each room but `general`."""
    spans: Spans = {}
    for room, since, until in database.execute("SELECT room, since, until FROM members WHERE user = ?", (user,)):
        spans[room] = (*spans.get(room, ()), (since, FOREVER if until is None else until))
    return spans


def _alter(database: apsw.Connection, event: Draft) -> None:
    """Write what has become of a message."""
    body: EditBody | DeleteBody | ReactBody | PinBody = event.about
    values: dict[str, int | str] = {"target": body.target, "room": event.room, "seq": event.seq}
    match body:
        case EditBody() | DeleteBody():
            said = DatabaseFacts(database).said(body.target)
            values["before"] = str([*said.mentions, 0] if said is not None else [0])
            database.execute(_ALTER + (_EDIT if isinstance(body, EditBody) else _DELETE), values)
            if isinstance(body, EditBody):
                _mention(database, event.room, body.target, body)
            elif body.thread:
                # A replay finds it erased, and learns only here that it was a reply.
                _reply(database, event.room, body.thread, body.target)
        case ReactBody(on=True):
            row = (body.target, body.emoji, event.user, event.seq)
            database.execute(_ALTER, values)
            database.execute("INSERT OR IGNORE INTO reactions VALUES (?, ?, ?, ?)", row)
        case ReactBody():
            database.execute(_ALTER, values)
            key = (body.target, body.emoji, event.user)
            database.execute("DELETE FROM reactions WHERE target = ? AND emoji = ? AND user = ?", key)
        case PinBody():
            database.execute(_ALTER, values)
            pinned = event.seq if body.on else 0
            database.execute("UPDATE altered SET pinned = ? WHERE target = ?", (pinned, body.target))


def _reply(database: apsw.Connection, room: int, root: int, seq: int) -> None:
    database.execute(_REPLY, {"root": root, "room": room, "seq": seq})


def _mention(database: apsw.Connection, room: int, seq: int, body: MessageBody | EditBody) -> None:
    for user in [*body.mentions, 0] if body.here else body.mentions:
        database.execute("INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)", (user, room, seq))
