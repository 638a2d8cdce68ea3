"""Sessions and names in the log's database: tables of last values, written by the log's writer."""

from typing import Any, Final

import apsw
import msgspec

from server.archive.projections import spans_of
from server.log.rows import Waiting
from server.protocol import limits
from server.protocol.errors import Code
from server.record.directory import Directory
from server.record.entries import Closing, Draft, Ending, Mark, Marking, Opening
from server.record.events import FOREVER, GENERAL, Kind
from server.record.rights import Act, may

_HAD: Final = "SELECT value FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM users WHERE name = value COLLATE NOCASE)"

_NAMED: Final = """
    SELECT n.value, u.id FROM json_each(?1) AS n JOIN users AS u
        ON u.id IN (SELECT id FROM users WHERE name = n.value COLLATE NOCASE ORDER BY id DESC LIMIT ?2)
    ORDER BY u.id DESC
"""

_NAMESAKES: Final = 50
"""Users of one name that are looked at, the latest first: guests leave theirs behind."""

DAY: Final = 24 * 3600 * 1000
"""Milliseconds."""

GUEST_LIFE: Final = 90 * DAY
"""After so long a guest's session that nobody used is forgotten."""

ACCOUNT_LIFE: Final = 365 * DAY
"""After so long an account's is: its owner has a password."""

MOST: Final = 100
"""Sessions of one user: of more, those that were used longest ago are forgotten."""

_FORGET: Final = """
    DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id LIMIT 10000) AND (
        used < CASE WHEN user IN (SELECT user FROM accounts) THEN :account ELSE :guest END OR once BETWEEN 1 AND :now
    )
"""
_COUNT_UP: Final = """
    UPDATE sessions SET last_id = said.id, last_seq = said.seq FROM (
        SELECT session, max(id) AS id, max(seq) AS seq FROM events
        WHERE seq > (SELECT seq FROM counted) AND id > 0 GROUP BY session
    ) AS said WHERE sessions.id = said.session AND said.id > sessions.last_id;
    UPDATE counted SET seq = ifnull((SELECT max(seq) FROM events), 0);
"""
_CROWD: Final = """
    DELETE FROM sessions WHERE user = ?1
        AND id NOT IN (SELECT id FROM sessions WHERE user = ?1 ORDER BY used DESC, id DESC LIMIT ?2)
"""


def open_session(database: apsw.Connection, directory: Directory, opening: Opening, upto: int) -> None:
    """Let a session begin or go on, or fill in why not. `upto` is the seq up to which all has happened."""
    if opening.resume and not find(database, opening, upto):
        return
    opening.code = _refusal(database, directory, opening)
    if opening.code is None:
        if opening.resume:
            _go_on(database, opening)
        else:
            _begin(database, opening, upto)


def is_new(opening: Opening) -> bool:
    """Say whether it is the first of somebody whom nobody knows yet."""
    return not (opening.user or opening.resume)


def begin_new(database: apsw.Connection, waiting: Waiting, directory: Directory, opening: Opening) -> None:
    """Let such a session begin, or fill in why not. What is stored of it waits."""
    opening.code = _refusal(database, directory, opening)
    if opening.code is None:
        opening.user = waiting.number(database, "users")
        opening.session = waiting.number(database, "sessions")
        opening.known_as = opening.name
        opening.rooms = directory.rooms_of(opening.user)
        waiting.users.values += (opening.user, opening.name)
        waiting.sessions.values += (opening.session, *_row(opening))


def admit_again(database: apsw.Connection, directory: Directory, opening: Opening, upto: int) -> None:
    """Do the same for who comes back while nothing can be written; a code for a device is good only where it can."""
    if find(database, opening, upto) and not opening.once:
        opening.code = _refusal(database, directory, opening)


def find(database: apsw.Connection, opening: Opening, upto: int) -> bool:
    """Fill in whose session this is, and how they stood as of the seq `upto`; False where there is no such session."""
    query = "SELECT s.id, s.user, u.name, s.once FROM sessions AS s JOIN users AS u ON u.id = s.user WHERE s.secret = ?"
    row = database.execute(query, (opening.secret,)).fetchone()
    if row is None or 0 < row[3] < opening.time:
        opening.code = Code.NO_SUCH_SESSION
        return False
    opening.session, opening.user, opening.known_as = row[:3]
    opening.once = bool(row[3])
    _fill_in(database, opening, upto)
    return True


def forget_old(database: apsw.Connection, now: int) -> None:
    """Forget sessions that nobody has used for long, a few at a time: a start must not take long."""
    database.execute(_FORGET, {"guest": now - GUEST_LIFE, "account": now - ACCOUNT_LIFE, "now": now})


def count_up(database: apsw.Connection) -> int:
    """Bring the sessions' counters up to the end of the log, and return its seq."""
    upto: int = database.execute("SELECT ifnull((SELECT max(seq) FROM events), 0)").get
    if upto != database.execute("SELECT seq FROM counted").get:
        with database:
            database.execute(_COUNT_UP)
    return upto


def note_counted(database: apsw.Connection, upto: int) -> None:
    """Note that all counters are written up to this seq."""
    database.execute("UPDATE counted SET seq = ?", (upto,))


def end(database: apsw.Connection, ending: Ending) -> None:
    """End sessions for good."""
    query = "DELETE FROM sessions WHERE user = ?1 AND (?2 = 0 OR id = ?2) AND id != ?3 RETURNING id"
    found: list[Any] = database.execute(query, (ending.user, ending.session, ending.kept)).fetchall()
    ending.sessions = [session for (session,) in found]
    if ending.session and not found:
        ending.code = Code.NO_SUCH_SESSION


def close(database: apsw.Connection, closing: Closing, now: int) -> None:
    """Note that a session was used until now."""
    database.execute("UPDATE sessions SET used = ? WHERE id = ?", (now, closing.session))


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
    had = [name for (name,) in database.execute(_HAD, (msgspec.json.encode(list(names)).decode(),))]
    if had:  # rarely: most of what follows an @ is nobody's name
        for name, user in database.execute(_NAMED, (msgspec.json.encode(had).decode(), _NAMESAKES)):
            found.setdefault(name, []).append(user)
    return found


def name_mentioned(directory: Directory, draft: Draft, users: dict[str, list[int]]) -> None:
    """Add to a message's mentions those members whom it names and who are not here: by the names they had last.

    One that names nobody after all, like most texts with an @, is a plain message.
    """
    body = draft.about
    for name in draft.names:
        if name in users:  # rarely
            member = next((user for user in users[name] if directory.is_member(draft.room, user)), None)
            if member is not None:
                body.mentions.append(member)
    if draft.kind is Kind.MESSAGE and not (body.mentions or body.reply or body.here):
        draft.about = None


def _refusal(database: apsw.Connection, directory: Directory, opening: Opening) -> Code | None:
    """Say why someone may not come in, and complete what is known of them."""
    if directory.is_erased(opening.user):
        return Code.NO_SUCH_SESSION
    if opening.once and not opening.resume:
        return None  # a code for another device is made: they are in already
    proved, opening.account = opening.account, directory.has_account(opening.user)
    if opening.user:
        opening.role = directory.server_role(opening.user)
    if opening.account:
        opening.name = opening.known_as = directory.account_name(opening.user)
    if proved and not (opening.account and _still_proved(database, opening)):
        return Code.LOGIN_FAILED
    if opening.account and not opening.secure:
        return Code.TLS_REQUIRED
    ban = directory.banned(opening.user, opening.time) if opening.user else None
    if ban is None and not may(opening.role, Act.BAN_RANGE, GENERAL):  # an admin can't keep the owner out by it
        ban = directory.kept_out(opening.address, opening.time)
    if ban is not None:
        ban.refuse(opening)
        return Code.BANNED
    if opening.account:
        return None
    if not directory.settings.guests:
        return Code.NO_GUESTS
    return Code.LOGIN_NEEDED if directory.holders(opening.name or opening.known_as) else None


def _still_proved(database: apsw.Connection, opening: Opening) -> bool:
    """Say whether the password that was given is still the one."""
    if not opening.proof:
        return True
    stored = database.execute("SELECT password FROM credentials WHERE user = ?", (opening.user,)).fetchone()
    return stored is not None and stored[0] == opening.proof


def _begin(database: apsw.Connection, opening: Opening, upto: int) -> None:
    """Begin one more session of a user that there is."""
    if not opening.once:
        _fill_in(database, opening, upto)
    insert = "INSERT INTO sessions (secret, user, used, device, made, address, once) VALUES (?, ?, ?, ?, ?, ?, ?)"
    database.execute(insert, _row(opening))
    opening.session = database.last_insert_rowid()
    database.execute(_CROWD, (opening.user, MOST))


def _row(opening: Opening) -> tuple[bytes, int, int, str, int, str, int]:
    """Return what is stored of a session: secret, user, used, device, made, address, once."""
    now = opening.time
    until = now + limits.DEVICE_MINUTES * 60_000 if opening.once else 0
    return (opening.secret, opening.user, now, opening.device, now, opening.address, until)


def _go_on(database: apsw.Connection, opening: Opening) -> None:
    """Note that a session is used; a code for a device gets a secret of its own, and is worth nothing any more."""
    secret = opening.fresh if opening.once else opening.secret
    database.execute(
        "UPDATE sessions SET used = ?1, address = ?2, secret = ?3, once = 0,"
        " device = CASE WHEN ?4 != '' THEN ?4 ELSE device END WHERE id = ?5",
        (opening.time, opening.address, secret, opening.device, opening.session),
    )
    opening.used_code = opening.once


def _fill_in(database: apsw.Connection, opening: Opening, upto: int) -> None:
    """Fill in how a user stood as of the seq `upto`."""
    opening.spans = {}
    for room, spans in spans_of(database, opening.user).items():
        known = tuple((since, until if until <= upto else FOREVER) for since, until in spans if since <= upto)
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
    blocked = database.execute(
        "SELECT b.who, u.name FROM blocks AS b JOIN users AS u ON u.id = b.who WHERE b.user = ? ORDER BY b.who",
        (opening.user,),
    )
    opening.blocked = {who: name for who, name in blocked}  # noqa: C416 - dict() wants narrower types
