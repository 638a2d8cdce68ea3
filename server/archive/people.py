"""People as they are read: accounts, their sessions, the tickets that make more of them."""

from typing import Any, Final, TypeVar

import apsw
import msgspec

from server.chat.ports import Credentials
from server.chat.throttle import origin
from server.protocol import limits
from server.protocol.frames import AccountInfo, DeviceInfo, TicketInfo
from server.record.events import HOST, SERVER, time_text
from server.record.rights import NAMES, Role

_ACCOUNT: Final = """
    SELECT a.user, ifnull(c.password, '') FROM accounts AS a LEFT JOIN credentials AS c ON c.user = a.user
    WHERE a.name COLLATE NOCASE IN (SELECT value FROM json_each(?)) ORDER BY a.seq DESC LIMIT 1
"""
_DEVICES: Final = """
    SELECT id, device, made, used, address, once FROM sessions
    WHERE user = ?1 AND (once = 0 OR once >= ?2) ORDER BY used DESC, id DESC
"""
_ACCOUNTS: Final = """
    SELECT a.user, u.name, min(a.time), r.role, (SELECT max(used) FROM sessions WHERE user = a.user)
    FROM accounts AS a JOIN users AS u ON u.id = a.user
        LEFT JOIN roles AS r ON r.user = a.user AND r.room = (SELECT id FROM rooms WHERE handle = 'general')
    WHERE a.user > ?1 GROUP BY a.user ORDER BY a.user LIMIT ?2
"""
_TICKETS: Final = """
    SELECT t.id, t.uses, t.until, ifnull(u.name, ''), t.by FROM tickets AS t LEFT JOIN users AS u ON u.id = t.by
    WHERE t.owner = 0 AND t.uses > 0 AND t.until >= ? ORDER BY t.id DESC
"""
_OWNED: Final = """
    SELECT EXISTS (SELECT 1 FROM tickets WHERE owner = 1) OR EXISTS (
        SELECT 1 FROM roles WHERE role = ? AND room = (SELECT id FROM rooms WHERE handle = 'general')
    )
"""
T = TypeVar("T", bound=msgspec.Struct)
_PART: Final = limits.LINE * 3 // 4
"""Bytes of a line that are filled with people, sessions or tickets."""


def credentials(database: apsw.Connection, name: str, address: str) -> Credentials:
    """Return what is known of whose account has this name; nobody's where there is none.

    Args:
        database: what is read.
        name: a checked name. Its capitals don't count; those of letters that ASCII has not, in their usual forms.
        address: where its owner would come from.
    """
    forms = {name, name.lower(), name.upper(), name.capitalize(), name.title()}
    row: Any = database.execute(_ACCOUNT, (msgspec.json.encode(list(forms)).decode(),)).fetchone()
    # Where there is none the same is looked for all the same: that takes as long.
    user, password = row or (0, "")
    addresses = database.execute("SELECT DISTINCT address FROM sessions WHERE user = ?", (user,))
    here = origin(address)
    return Credentials(user, password, any(origin(known) == here for (known,) in addresses))


def password(database: apsw.Connection, user: int) -> str:
    """Return what is stored of a user's password; empty where there is none."""
    row: Any = database.execute("SELECT password FROM credentials WHERE user = ?", (user,)).fetchone()
    return row[0] if row is not None else ""


def subject(database: apsw.Connection, subject: str) -> int:
    """Return who signs in as this subject at the provider; 0 where nobody does."""
    row: Any = database.execute("SELECT user FROM credentials WHERE subject = ?", (subject,)).fetchone()
    return row[0] if row is not None else 0


def devices(database: apsw.Connection, user: int, now: int) -> list[DeviceInfo]:
    """Return a user's sessions, the latest first; as many as fit a line."""
    rows: Any = database.execute(_DEVICES, (user, now))
    found = [
        DeviceInfo(
            id=number,
            device=device,
            since=time_text(made).decode(),
            used=time_text(used).decode(),
            address=address,
            waiting=bool(once),
        )
        for number, device, made, used, address, once in rows
    ]
    return fitting(found)


def accounts(database: apsw.Connection, after: int) -> tuple[list[AccountInfo], bool]:
    """Return who has an account, by their number after this one, and whether there are more."""
    rows: Any = database.execute(_ACCOUNTS, (after, limits.PEOPLE + 1)).fetchall()
    found = [
        AccountInfo(
            user=user,
            name=name,
            role=NAMES[Role(role)] if role is not None else "member",
            since=time_text(since).decode(),
            seen=time_text(used).decode() if used is not None else "",
        )
        for user, name, since, role, used in rows[: limits.PEOPLE]
    ]
    shown = fitting(found)
    return shown, len(shown) < len(rows)


def tickets(database: apsw.Connection, now: int) -> list[TicketInfo]:
    """Return the tickets that are good, the latest first; as many as fit a line."""
    rows: Any = database.execute(_TICKETS, (now,))
    return fitting(
        [
            TicketInfo(id=number, uses=uses, until=time_text(until).decode(), by=HOST if by == SERVER else name)
            for number, uses, until, name, by in rows
        ]
    )


def owned(database: apsw.Connection) -> bool:
    """Say whether the server has an owner, or a code out that makes one."""
    return bool(database.execute(_OWNED, (int(Role.OWNER),)).get)


def fitting(found: list[T]) -> list[T]:
    """Return as many of these, from the first, as fit a line beside what else stands in it."""
    size = 0
    for count, info in enumerate(found):
        size += len(msgspec.json.encode(info)) + 1
        if size > _PART:
            return found[:count]
    return found
