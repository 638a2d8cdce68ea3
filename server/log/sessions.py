"""Sessions and names in the log's database: tables of last values, written by the log's writer."""

import json
from typing import Final

import apsw

from server.archive.projections import spans_of
from server.chat.directory import Directory
from server.chat.entries import Draft, Mark, Marking, Opening
from server.chat.events import FOREVER, GENERAL, Kind
from server.protocol.errors import Code

_NAMED: Final = """
    SELECT n.value, u.id FROM json_each(?1) AS n JOIN users AS u
        ON u.id IN (SELECT id FROM users WHERE name = n.value COLLATE NOCASE ORDER BY id DESC LIMIT ?2)
    ORDER BY u.id DESC
"""

_NAMESAKES: Final = 50
"""Users of one name that are looked at, the latest first: guests leave theirs behind."""


def begin(database: apsw.Connection, directory: Directory, opening: Opening, now: int) -> None:
    """Begin a session: of a new user, or one more of a user that there is."""
    if not opening.user:
        database.execute("INSERT INTO users (name) VALUES (?)", (opening.name,))
        opening.user = database.last_insert_rowid()
        opening.known_as = opening.name
    row = (opening.secret, opening.user, now)
    database.execute("INSERT INTO sessions (secret, user, used) VALUES (?, ?, ?)", row)
    opening.session = database.last_insert_rowid()
    opening.rooms = directory.rooms_of(opening.user)


def find(database: apsw.Connection, opening: Opening, upto: int) -> bool:
    """Fill in whose session this is, and how they stood as of the seq `upto`; False where there is no such session."""
    query = "SELECT s.id, s.user, u.name FROM sessions AS s JOIN users AS u ON u.id = s.user WHERE s.secret = ?"
    row = database.execute(query, (opening.secret,)).fetchone()
    if row is None:
        opening.code = Code.NO_SUCH_SESSION
        return False
    opening.session, opening.user, opening.known_as = row
    opening.spans = {}
    for room, spans in spans_of(database, opening.user).items():
        known = [(since, until if until <= upto else FOREVER) for since, until in spans if since <= upto]
        if known:
            opening.spans[room] = known
    still = [(spans[-1][0], room) for room, spans in opening.spans.items() if spans[-1][1] == FOREVER]
    opening.rooms = [database.execute("SELECT id FROM rooms WHERE handle = ?", (GENERAL,)).get]
    opening.rooms += [room for _, room in sorted(still)]
    invitations = database.execute("SELECT room, name FROM invitations WHERE user = ?", (opening.user,))
    opening.invitations = {room: name for room, name in invitations}  # noqa: C416 - dict() wants narrower types
    marks = database.execute(
        "SELECT room, read, unread, level, favourite, muted FROM marks WHERE user = ?", (opening.user,)
    )
    opening.marks = {
        room: Mark(read, unread, level, bool(favourite), bool(muted))
        for room, read, unread, level, favourite, muted in marks
    }
    return True


def mark(database: apsw.Connection, marking: Marking) -> None:
    """Write where people stand in rooms."""
    rows = [
        (user, room, mark.read, mark.unread, mark.level, mark.favourite, mark.muted)
        for user, room, mark in marking.rows
    ]
    database.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def namesakes(database: apsw.Connection, names: set[str]) -> dict[str, list[int]]:
    """Return per name the users who have it, or had it last, the latest first.

    For all names of a transaction at once: a statement a message would have the two threads wait for each other.
    """
    found: dict[str, list[int]] = {}
    for name, user in database.execute(_NAMED, (json.dumps(list(names)), _NAMESAKES)):
        found.setdefault(name, []).append(user)
    return found


def name_mentioned(directory: Directory, draft: Draft, users: dict[str, list[int]]) -> None:
    """Add to a message's mentions those members whom it names and who are not here: by the names they had last.

    One that names nobody after all, like most texts with an @, is a plain message.
    """
    body = draft.about
    for name in draft.names:
        member = next((user for user in users.get(name, ()) if directory.is_member(draft.room, user)), None)
        if member is not None:
            body.mentions.append(member)
    if draft.kind is Kind.MESSAGE and not (body.mentions or body.reply or body.here):
        draft.about = None
