"""What moderators read: who is kept out or silenced, what was reported, what others like them have done."""

from typing import Any, Final

import apsw
from msgspec import UNSET

from server.archive.people import fitting
from server.protocol import limits
from server.protocol.frames import AuditInfo, BanInfo, ReportInfo
from server.record.events import FOREVER, Kind, decode_about, decode_edit, decode_message, time_text

_BANS: Final = """
    SELECT b.silence, b.user, ifnull(u.name, ''), b.until, e.time, e.body
    FROM bans AS b JOIN events AS e ON e.seq = b.seq LEFT JOIN users AS u ON u.id = b.user
    WHERE b.room = ? AND b.until > ? ORDER BY b.seq DESC
"""
_RANGES: Final = """
    SELECT r.range, r.until, e.time, e.body FROM ranges AS r JOIN events AS e ON e.seq = r.seq
    WHERE r.until > ? ORDER BY r.seq DESC
"""
_AUDIT: Final = """
    SELECT a.seq, e.time, r.handle, e.kind, e.body
    FROM audit AS a JOIN events AS e ON e.seq = a.seq JOIN rooms AS r ON r.id = a.room
    WHERE %s AND a.seq < ? ORDER BY a.seq DESC LIMIT ?
"""
_REPORTS: Final = """
    SELECT r.seq, e.time, e.body, o.handle, m.seq, m.user, m.body, (SELECT body FROM events WHERE seq = a.edit),
        ifnull(a.deleted, 0) > 0 OR m.seq <= o.forgotten OR m.user IN (SELECT user FROM erased)
    FROM reports AS r JOIN events AS e ON e.seq = r.seq JOIN events AS m ON m.seq = r.target
        JOIN rooms AS o ON o.id = m.room LEFT JOIN altered AS a ON a.target = m.seq
    WHERE r.seq < ? ORDER BY r.seq DESC LIMIT ?
"""
_WHAT: Final[dict[int, Any]] = {
    Kind.APPOINT: "appointed",
    Kind.KICK: "kicked",
    Kind.BAN: "banned",
    Kind.SILENCE: "silenced",
    Kind.RANGE: "range",
    Kind.CHANGE: "changed",
    Kind.DELETE: "deleted",
    Kind.FORGET: "forgotten",
    Kind.ERASE: "erased",
    Kind.SETTINGS: "settings",
    Kind.SETTLE: "settled",
}
"""What the audit calls an event."""


def bans(database: apsw.Connection, room: int, now: int, *, ranges: bool) -> list[BanInfo]:
    """Return who is kept out of a room or silenced there, with `ranges` also which addresses; the latest first."""
    found: list[BanInfo] = []
    for silence, user, name, until, time, body in database.execute(_BANS, (room, now)):
        info = BanInfo(kind="silence" if silence else "ban", user=user, name=name, time=_text(time))
        found.append(_ended(info, until, decode_about(Kind.BAN, body)))
    if ranges:
        for network, until, time, body in database.execute(_RANGES, (now,)):
            info = BanInfo(kind="range", range=network, time=_text(time))
            found.append(_ended(info, until, decode_about(Kind.RANGE, body)))
    return fitting(found)


def audit(database: apsw.Connection, room: int, before: int, limit: int) -> tuple[list[AuditInfo], bool]:
    """Return what was done in a room, or with 0 everywhere, before a seq, the latest first; and if there is more."""
    # Who has a direct room with whom is nobody else's business, whatever is done there by itself.
    where, place = ("a.room = ?", (room,)) if room else ("r.kind != 'direct'", ())
    found = [_act(row) for row in database.execute(_AUDIT % where, (*place, before, limit + 1))]
    shown = fitting(found[:limit])
    return shown, len(shown) < len(found)


def reports(database: apsw.Connection, before: int) -> tuple[list[ReportInfo], bool]:
    """Return what is reported before a seq and not settled, the latest first; and whether there is more."""
    found = [_report(row) for row in database.execute(_REPORTS, (before, limits.PAGE + 1))]
    shown = fitting(found[: limits.PAGE])
    return shown, len(shown) < len(found)


def _ended(info: BanInfo, until: int, about: Any) -> BanInfo:  # noqa: ANN401 - a ban's body, or a range's
    info.until = "" if until == FOREVER else _text(until)
    if about is not None:
        info.by, info.reason = about.sender, about.reason
    return info


def _act(row: Any) -> AuditInfo:  # noqa: ANN401 - a row
    seq, time, room, kind, body = row
    about = decode_about(Kind(kind), body)
    info = AuditInfo(seq=seq, time=_text(time), room=room, by="", what=_WHAT[kind])
    if about is not None:
        info.by = about.sender
        info.name = getattr(about, "author" if kind == Kind.DELETE else "name", "")
        info.detail = _detail(kind, about)
        info.until = getattr(about, "until", "")
        info.on = getattr(about, "on", True)
    return info


def _detail(kind: int, about: Any) -> str:  # noqa: ANN401 - one of the bodies
    """Return what there is to say of an act beside whom it was done to."""
    match kind:
        case Kind.APPOINT:
            return str(about.role)
        case Kind.RANGE:
            return f"{about.range} {about.reason}".strip()
        case Kind.CHANGE:
            named: tuple[str, ...] = ("archived", "read_only", "slow", "keep_days", "keep_count")
        case Kind.SETTINGS:
            named = ("guests", "sign_up")
        case _:
            return str(getattr(about, "reason", ""))
    given = [(name, getattr(about, name)) for name in named]
    return ", ".join(f"{name.replace('_', ' ')}: {_value(value)}" for name, value in given if value is not UNSET)


def _value(value: object) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _report(row: Any) -> ReportInfo:  # noqa: ANN401 - a row
    seq, time, body, room, target, user, said, edit, gone = row
    about = decode_about(Kind.REPORT, body)
    by, why = about.sender, about.reason
    info = ReportInfo(report=seq, time=_text(time), by=by, reason=why, room=room, seq=target, user=user, sender="")
    if said and not gone:
        message = decode_message(said)
        info.sender, info.text = message.sender, decode_edit(edit).text if edit else message.text
    return info


def _text(time: int) -> str:
    return time_text(time).decode()
