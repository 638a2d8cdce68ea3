"""What goes with the events of accounts: passwords, tickets, blocks. Tables of last values, written by the log."""

from typing import Final

import apsw

from server.log import sessions
from server.protocol import limits
from server.protocol.errors import Code
from server.record.directory import Directory
from server.record.entries import Blocking, Claiming, Crediting, Draft, Ending, Naming, Registering, Ticketing
from server.record.events import SERVER, Kind
from server.record.rights import Act, may

BLOCKED: Final = limits.PEOPLE
"""People whom one user hides from themselves: their names fit a line."""


def prepare(database: apsw.Connection, directory: Directory, draft: Draft) -> Code | None:
    """Look what an event takes that the log's events don't say. MUST be called before the event is judged."""
    if isinstance(draft, Claiming):
        query = "SELECT 1 FROM tickets WHERE code = ? AND owner = 1 AND uses > 0"
        return None if database.execute(query, (draft.owner_code,)).fetchone() else Code.BAD_CODE
    if not isinstance(draft, Registering):
        return None
    if directory.has_account(draft.user):
        return Code.HAS_ACCOUNT
    if (ban := directory.kept_out(draft.address, draft.time)) is not None:
        ban.refuse(draft)
        return Code.BANNED
    sign_up = directory.settings.sign_up
    if sign_up == "closed" or (sign_up == "invite" and not draft.ticket):
        return Code.NO_SIGN_UP
    if sign_up == "invite" and not _is_good(database, draft):
        return Code.BAD_CODE
    taken = "SELECT 1 FROM credentials WHERE subject = ?"
    if draft.subject and database.execute(taken, (draft.subject,)).fetchone():
        return Code.HAS_ACCOUNT
    if not draft.user:  # before hello: the account is a new person's
        database.execute("INSERT INTO users (name) VALUES (?)", (draft.about.name,))
        draft.user = database.last_insert_rowid()
    return None


def take_back(database: apsw.Connection, draft: Draft) -> None:
    """Undo what `prepare` has made for an event that was refused after that."""
    if isinstance(draft, Registering) and not draft.session:
        database.execute("DELETE FROM users WHERE id = ?", (draft.user,))


def complete(database: apsw.Connection, directory: Directory, draft: Draft) -> None:
    """Write what goes with an event that has taken effect."""
    if draft.kind is Kind.ACCOUNT:
        database.execute("UPDATE users SET name = ? WHERE id = ?", (draft.about.name, draft.user))
    if isinstance(draft, Claiming):
        database.execute("DELETE FROM tickets WHERE owner = 1")
    if not isinstance(draft, Registering):
        return
    row = (draft.user, draft.password, draft.subject or None)
    database.execute("INSERT INTO credentials (user, password, subject) VALUES (?, ?, ?)", row)
    if directory.settings.sign_up == "invite":
        database.execute("UPDATE tickets SET uses = uses - 1 WHERE code = ?", (draft.ticket,))
    if draft.session:
        database.execute("UPDATE sessions SET secret = ? WHERE id = ?", (draft.secret, draft.session))
    others = Ending(user=draft.user, kept=draft.session)
    sessions.end(database, others)
    draft.ended = others.sessions


def credit(database: apsw.Connection, crediting: Crediting) -> None:
    """Change a user's password."""
    query = "UPDATE credentials SET password = ?1 WHERE user = ?2 AND (?3 = '' OR password = ?3)"
    database.execute(query, (crediting.password, crediting.user, crediting.instead))
    if not database.changes():
        crediting.code = Code.LOGIN_FAILED


def ticket(database: apsw.Connection, directory: Directory, ticketing: Ticketing, now: int) -> None:
    """Make a ticket, or take one back."""
    allowed = may(directory.server_role(ticketing.by), Act.GIVE_TICKETS, "general")
    if not allowed or (ticketing.owner and ticketing.by != SERVER):
        ticketing.code = Code.NOT_ALLOWED
        return
    database.execute("DELETE FROM tickets WHERE until < ? OR uses < 1", (now,))
    if ticketing.id:
        database.execute("DELETE FROM tickets WHERE id = ? AND owner = 0", (ticketing.id,))
        ticketing.code = None if database.changes() else Code.BAD_CODE
        return
    if ticketing.owner:
        database.execute("DELETE FROM tickets WHERE owner = 1")
    row = (ticketing.hashed, ticketing.uses, ticketing.until, ticketing.by, ticketing.owner)
    database.execute("INSERT INTO tickets (code, uses, until, by, owner) VALUES (?, ?, ?, ?, ?)", row)
    ticketing.id = database.last_insert_rowid()


def block(database: apsw.Connection, blocking: Blocking) -> None:
    """Hide a user from another, or show them again."""
    pair = (blocking.user, blocking.who)
    if not blocking.on:
        database.execute("DELETE FROM blocks WHERE user = ? AND who = ?", pair)
    elif database.execute("SELECT count(*) FROM blocks WHERE user = ?", (blocking.user,)).get >= BLOCKED:
        blocking.code = Code.TOO_MANY
    else:
        database.execute("INSERT OR IGNORE INTO blocks VALUES (?, ?)", pair)


def name(database: apsw.Connection, directory: Directory, naming: Naming) -> None:
    """Give a guest another name."""
    if directory.has_account(naming.user) or directory.holders(naming.name):
        naming.code = Code.LOGIN_NEEDED
    else:
        database.execute("UPDATE users SET name = ? WHERE id = ?", (naming.name, naming.user))


def _is_good(database: apsw.Connection, draft: Registering) -> bool:
    query = "SELECT 1 FROM tickets WHERE code = ? AND uses > 0 AND until >= ? AND owner = 0"
    return database.execute(query, (draft.ticket, draft.time)).fetchone() is not None
