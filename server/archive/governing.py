"""Tables of who has an account, who may do what, who is kept out, what was reported and what moderators have done."""

from typing import Any, Final

import apsw
import msgspec
from msgspec import UNSET

from server.record.bans import Ban, moment
from server.record.directory import Directory
from server.record.entries import Draft
from server.record.events import (
    SERVER,
    AccountBody,
    AppointBody,
    BanBody,
    ChangeBody,
    DeleteBody,
    KickBody,
    Kind,
    RangeBody,
    ReportBody,
    RoomBody,
    SettingsBody,
    SettleBody,
    decode_about,
)
from server.record.register import set_up
from server.record.rights import ROLES, Role

TABLES: Final = ("accounts", "roles", "bans", "ranges", "reports", "audit", "settings", "erased")

_AUDITED: Final = frozenset(
    {Kind.APPOINT, Kind.KICK, Kind.BAN, Kind.SILENCE, Kind.FORGET, Kind.ERASE, Kind.RANGE, Kind.SETTLE, Kind.SETTINGS}
)
_PUT_OUT: Final = """
    UPDATE members SET until = :seq WHERE room = :room AND user = :user AND until IS NULL;
    DELETE FROM invitations WHERE room = :room AND user = :user;
"""


def load(database: apsw.Connection, directory: Directory) -> None:
    """Have a directory that knows the rooms take in what these tables have."""
    for user, name in database.execute("SELECT user, name FROM accounts ORDER BY seq"):
        directory.add_account(user, name)
    for room, user, role in database.execute("SELECT room, user, role FROM roles"):
        directory.add_role(room, user, Role(role))
    bans = "SELECT b.room, b.user, b.silence, b.until, e.body FROM bans AS b JOIN events AS e ON e.seq = b.seq"
    for room, user, silence, until, body in database.execute(bans):
        directory.add_ban(room, user, Ban(until, _reason(Kind.BAN, body)), silence=bool(silence))
    ranges = "SELECT r.range, r.until, e.body FROM ranges AS r JOIN events AS e ON e.seq = r.seq"
    for network, until, body in database.execute(ranges):
        directory.add_range(network, Ban(until, _reason(Kind.RANGE, body)))
    for (user,) in database.execute("SELECT user FROM erased"):
        directory.add_erased(user)
    given = {name: msgspec.json.decode(value) for name, value in database.execute("SELECT name, value FROM settings")}
    set_up(directory.settings, SettingsBody(sender="", **given))


def project(database: apsw.Connection, event: Draft) -> None:
    """Write what an event changes in these tables."""
    body: Any = event.about
    match body:
        case RoomBody() if event.user != SERVER and body.kind != "direct":
            database.execute("INSERT INTO roles VALUES (?, ?, ?)", (event.seq, event.user, int(Role.OWNER)))
        case AccountBody():
            account = (event.user, body.name, event.seq, event.time)
            database.execute("INSERT INTO accounts VALUES (?, ?, ?, ?)", account)
        case AppointBody():
            _appoint(database, event.room, body)
        case KickBody():
            _put_out(database, event, body.who)
        case BanBody():
            _ban(database, event, body)
        case RangeBody(on=True):
            database.execute("DELETE FROM ranges WHERE until <= ?", (event.time,))  # they would count for ever
            row = (body.range, moment(body.until), event.seq)
            database.execute("INSERT OR REPLACE INTO ranges VALUES (?, ?, ?)", row)
        case RangeBody():
            database.execute("DELETE FROM ranges WHERE range = ?", (body.range,))
        case ReportBody():
            database.execute("INSERT INTO reports VALUES (?, ?)", (event.seq, body.target))
        case SettleBody():
            database.execute("DELETE FROM reports WHERE seq = ?", (body.report,))
        case SettingsBody():
            given = {name: getattr(body, name) for name in ("guests", "sign_up")}
            rows = [(name, msgspec.json.encode(value).decode()) for name, value in given.items() if value is not UNSET]
            database.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", rows)
    if _is_audited(database, event):
        database.execute("INSERT INTO audit VALUES (?, ?)", (event.seq, event.room))


def _is_audited(database: apsw.Connection, event: Draft) -> bool:
    """Say whether an event is one that not everybody may bring about."""
    match event.about:
        case ChangeBody() as body:
            paced = (body.archived, body.read_only, body.slow, body.keep_days, body.keep_count)
            return any(value is not UNSET for value in paced)
        case DeleteBody() as body:
            author = database.execute("SELECT user FROM events WHERE seq = ?", (body.target,)).get
            return bool(author != event.user)
    return event.kind in _AUDITED


def _appoint(database: apsw.Connection, room: int, body: AppointBody) -> None:
    role = ROLES[body.role]
    if role > Role.MEMBER:
        database.execute("INSERT OR REPLACE INTO roles VALUES (?, ?, ?)", (room, body.who, int(role)))
    else:
        database.execute("DELETE FROM roles WHERE room = ? AND user = ?", (room, body.who))


def _ban(database: apsw.Connection, event: Draft, body: BanBody) -> None:
    silence = event.kind is Kind.SILENCE
    if body.on:
        row = (event.room, body.who, silence, moment(body.until), event.seq)
        database.execute("INSERT OR REPLACE INTO bans VALUES (?, ?, ?, ?, ?)", row)
        if not silence:
            _put_out(database, event, body.who)
    else:
        key = (event.room, body.who, silence)
        database.execute("DELETE FROM bans WHERE room = ? AND user = ? AND silence = ?", key)


def _put_out(database: apsw.Connection, event: Draft, user: int) -> None:
    database.execute(_PUT_OUT, {"seq": event.seq, "room": event.room, "user": user})


def _reason(kind: Kind, body: bytes) -> str:
    about = decode_about(kind, body)
    return about.reason if about is not None else ""
