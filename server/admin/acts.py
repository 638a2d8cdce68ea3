"""What each command does: it asks the server, and returns what there is to tell."""

import argparse
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from server.admin.door import Door, ShellError
from server.config import DEFAULT_HOST, DEFAULT_PORT
from server.data import DataDirectory, Listening
from server.net.origins import is_loopback
from server.protocol import frames, limits
from server.record.events import GENERAL

Row = dict[str, Any]


class Told(Struct):
    """What there is to tell."""

    rows: list[Row] = []
    """A list: the same fields in each."""
    words: str = ""
    """For people, where the list is empty."""
    one: Row = {}
    """One thing, by itself."""
    warnings: list[str] = []
    """What people would want to know beside it, on standard error."""


Act = Callable[[Door, argparse.Namespace], Awaitable[Told]]


# People.


async def users(door: Door, _: argparse.Namespace) -> Told:
    """Tell who has an account."""
    rows: list[Row] = []
    more, after = True, 0
    while more:
        answer: Any = await door.ask(frames.AccountsRequest(after=after))
        rows += [msgspec.to_builtins(info) | {"seen": info.seen or "now"} for info in answer.accounts]
        more = answer.more and bool(answer.accounts)
        after = answer.accounts[-1].user if answer.accounts else 0
    return Told(_even(rows, frames.AccountInfo), "Nobody has an account yet.")


async def show_user(door: Door, given: argparse.Namespace) -> Told:
    """Tell what is known of somebody."""
    person: Any = await door.ask(frames.Whois(name=given.name))
    row = {name: getattr(person, name) for name in ("user", "name", "account", "role", "online", "seen")}
    return Told(one=row | {"seen": "now" if person.online else person.seen})


async def appoint(door: Door, given: argparse.Namespace) -> Told:
    """Give somebody another role."""
    await door.ask(frames.Appoint(name=given.name, role=given.role, room=given.room))
    return Told(words=f"{given.name} is {given.role} {_where(given.room)} now.")


async def set_password(door: Door, given: argparse.Namespace) -> Told:
    """Give somebody another password."""
    await door.ask(frames.Password(old="", new=given.password, name=given.name))
    return Told(words=f"{given.name} has another password now, and is logged out everywhere.")


async def kick(door: Door, given: argparse.Namespace) -> Told:
    """Put somebody out."""
    person: Any = await door.ask(frames.Whois(name=given.name))
    if given.room == GENERAL and not person.online:
        raise ShellError(f"{person.name} is not here: nobody was put out. To keep them out: chat-server user ban.")
    await door.ask(frames.Kick(name=given.name, room=given.room, reason=given.reason))
    return Told(words=f"{given.name} was put out of {_place(given.room)}.")


async def ban(door: Door, given: argparse.Namespace) -> Told:
    """Keep somebody out."""
    await door.ask(frames.Ban(name=given.name, room=given.room, minutes=given.minutes, reason=given.reason))
    return Told(words=f"{given.name} is kept out of {_place(given.room)}{_lasting(given.minutes)}.")


async def unban(door: Door, given: argparse.Namespace) -> Told:
    """Let somebody in again."""
    await door.ask(frames.Ban(name=given.name, room=given.room, on=False))
    return Told(words=f"{given.name} is not kept out of {_place(given.room)}.")


async def silence(door: Door, given: argparse.Namespace) -> Told:
    """Have somebody only read."""
    await door.ask(frames.Silence(name=given.name, room=given.room, minutes=given.minutes, reason=given.reason))
    return Told(words=f"{given.name} may only read {_where(given.room)}{_lasting(given.minutes)}.")


async def unsilence(door: Door, given: argparse.Namespace) -> Told:
    """Let somebody speak again."""
    await door.ask(frames.Silence(name=given.name, room=given.room, on=False))
    return Told(words=f"{given.name} may speak {_where(given.room)}.")


async def devices(door: Door, given: argparse.Namespace) -> Told:
    """Tell somebody's sessions."""
    answer: Any = await door.ask(frames.DevicesRequest(name=given.name))
    fields = ("id", "device", "since", "used", "address", "online")
    return Told([{name: getattr(info, name) for name in fields} for info in answer.devices], "There is no session.")


async def end(door: Door, given: argparse.Namespace) -> Told:
    """End all of somebody's sessions."""
    await door.ask(frames.End(name=given.name))
    return Told(words=f"{given.name} is logged out everywhere.")


async def export(door: Door, given: argparse.Namespace) -> Told:
    """Write all that is held of somebody."""
    after, more, count = 0, True, 0
    try:
        with _private(given.file) if given.file is not None else os.fdopen(os.dup(1), "wb") as out:
            while more:
                part: Any = await door.ask(frames.Export(name=given.name, after=after))
                out.writelines(bytes(line) + b"\n" for line in part.lines)
                after, more, count = part.after, part.more, count + len(part.lines)
    except OSError as error:
        raise ShellError(f"{given.file or 'Standard output'} can't be written: {error.strerror}.") from error
    return Told(words=f"{count} objects are in {given.file}." if given.file is not None else "")


async def erase(door: Door, given: argparse.Namespace) -> Told:
    """Erase somebody for good."""
    await door.ask(frames.Erase(name=given.name))
    return Told(words=f"{given.name} is erased.")


# Rooms.


async def rooms(door: Door, _: argparse.Namespace) -> Told:
    """Tell which rooms there are."""
    fields = ("room", "title", "kind", "members", "archived", "read_only", "slow", "keep_days", "keep_count")
    return Told([{name: getattr(info, name) for name in fields} for info in await _all_rooms(door)])


async def show_room(door: Door, given: argparse.Namespace) -> Told:
    """Tell what is known of a room, and who is kept out of it."""
    info = next((info for info in await _all_rooms(door) if info.room == given.room), None)
    if info is None:
        raise ShellError("There is no such room.")
    names = ("room", "title", "topic", "kind", "members", "archived", "read_only", "slow", "keep_days", "keep_count")
    bans: Any = await door.ask(frames.BansRequest(room=given.room))
    out = ", ".join(f"{ban.name or ban.range} ({ban.kind})" for ban in bans.bans)
    return Told(one={name: getattr(info, name) for name in names} | {"kept_out": out})


async def change_room(door: Door, given: argparse.Namespace) -> Told:
    """Change what is known of a room."""
    wanted = {name: getattr(given, name) for name in ("title", "topic", "slow", "keep_days", "keep_count")}
    wanted |= {"read_only": _flag(given.read_only), "archived": _flag(given.archive)}
    changed = {name: value for name, value in wanted.items() if value is not None}
    if not changed:
        raise ShellError("Say what is to change: see chat-server room change --help.")
    await door.ask(frames.Change(room=given.room, **changed))
    return Told(words=f"{given.room} is changed: {', '.join(name.replace('_', '-') for name in changed)}.")


# Who comes in.


async def invite(door: Door, given: argparse.Namespace) -> Told:
    """Make a ticket, and the line by which others join."""
    known: Any = await door.ask(frames.SettingsRequest())
    answer: Any = await door.ask(frames.TicketRequest(uses=given.uses, hours=given.hours))
    way = _way(given)
    warnings = []
    if known.sign_up == "closed":
        warnings.append("Sign-up is closed: nobody gets an account by this till chat-server set sign-up=invite.")
    if is_loopback(way.host):
        warnings.append("Only this machine reaches the server by this line: see --address, and chat-server --host.")
    row = {"id": answer.id, "uses": given.uses, "until": answer.until, "line": way.line(answer.ticket)}
    return Told(one=row, warnings=warnings)


async def invitations(door: Door, _: argparse.Namespace) -> Told:
    """Tell which tickets are good still."""
    answer: Any = await door.ask(frames.TicketsRequest())
    return Told([msgspec.to_builtins(info) for info in answer.tickets], "No ticket is out.")


async def revoke(door: Door, given: argparse.Namespace) -> Told:
    """Take a ticket back."""
    await door.ask(frames.TicketRequest(id=given.id))
    return Told(words="Nobody can sign up with it any more.")


async def keep_out(door: Door, given: argparse.Namespace) -> Told:
    """Keep addresses out."""
    for text in given.ranges:
        await door.ask(frames.Ban(range=text, minutes=given.minutes, reason=given.reason))
    return Told(words=f"Kept out{_lasting(given.minutes)}: {', '.join(given.ranges)}.")


async def let_in(door: Door, given: argparse.Namespace) -> Told:
    """Let addresses in again."""
    let_in: list[str] = []
    unknown: list[str] = []
    for text in given.ranges:
        answer: Any = await door.ask(frames.Ban(range=text, on=False))
        (unknown if answer.seq is UNSET else let_in).append(text)
    if not let_in:
        raise ShellError(f"No such range is kept out: {', '.join(unknown)}. See chat-server ban list.")
    warnings = [f"This was not kept out: {', '.join(unknown)}."] if unknown else []
    return Told(words=f"Let in again: {', '.join(let_in)}.", warnings=warnings)


async def bans(door: Door, _: argparse.Namespace) -> Told:
    """Tell who and what is kept out of the server, or may only read there."""
    answer: Any = await door.ask(frames.BansRequest())
    fields = ("kind", "name", "range", "until", "reason", "by", "time")
    return Told([{name: getattr(info, name) for name in fields} for info in answer.bans], "Nobody is kept out.")


async def settings(door: Door, given: argparse.Namespace) -> Told:
    """Change how the server takes people, and tell how it does."""
    wanted = dict(given.values)
    known: Any = await door.ask(
        frames.SettingsRequest(guests=wanted.get("guests", UNSET), sign_up=wanted.get("sign-up", UNSET))
    )
    kept = {name.replace("-", "_"): value for name, value in wanted.items() if name.startswith("keep-")}
    if kept:
        await door.ask(frames.Change(room=GENERAL, **kept))
    room = next(info for info in await _all_rooms(door) if info.room == GENERAL)
    row = {"guests": "on" if known.guests else "off", "sign-up": known.sign_up}
    return Told(one=row | {"keep-days": room.keep_days, "keep-count": room.keep_count})


async def owner(door: Door, _: argparse.Namespace) -> Told:
    """Make a code by which somebody becomes the server's owner."""
    answer: Any = await door.ask(frames.TicketRequest(owner=True))
    words = "Who has an account types /claim in chat-tui, and this code: it is good once, and those before it are not."
    return Told(one={"code": answer.ticket}, words=words)


# What was done.


async def audit(door: Door, given: argparse.Namespace) -> Told:
    """Tell what was done by who may."""
    found: list[frames.AuditInfo] = []
    more = True
    while more and len(found) < given.limit:
        before = found[-1].seq if found else UNSET
        limit = min(limits.PAGE, given.limit - len(found))
        answer: Any = await door.ask(frames.AuditRequest(room=given.room, before=before, limit=limit))
        found += answer.acts
        more = answer.more and bool(answer.acts)
    fields = ("time", "room", "by", "what", "name", "on", "detail", "until")
    return Told([{name: getattr(info, name) for name in fields} for info in found], "Nothing was done.")


async def reports(door: Door, given: argparse.Namespace) -> Told:
    """Tell what was reported and is not settled, or settle one."""
    if given.settle is not None:
        await door.ask(frames.Settle(report=given.settle))
        return Told(words="It is dealt with.")
    found: list[frames.ReportInfo] = []
    more = True
    while more:
        answer: Any = await door.ask(frames.ReportsRequest(before=found[-1].report if found else UNSET))
        found += answer.reports
        more = answer.more and bool(answer.reports)
    fields = ("report", "time", "by", "reason", "room", "seq", "sender", "text")
    return Told([{name: getattr(info, name) for name in fields} for info in found], "Nothing is reported.")


ACTS: Final[dict[tuple[str, str], Act]] = {
    ("user", "list"): users,
    ("user", "show"): show_user,
    ("user", "role"): appoint,
    ("user", "password"): set_password,
    ("user", "kick"): kick,
    ("user", "ban"): ban,
    ("user", "unban"): unban,
    ("user", "silence"): silence,
    ("user", "unsilence"): unsilence,
    ("user", "devices"): devices,
    ("user", "end"): end,
    ("user", "export"): export,
    ("user", "erase"): erase,
    ("room", "list"): rooms,
    ("room", "show"): show_room,
    ("room", "change"): change_room,
    ("invite", "new"): invite,
    ("invite", "list"): invitations,
    ("invite", "revoke"): revoke,
    ("ban", "add"): keep_out,
    ("ban", "remove"): let_in,
    ("ban", "list"): bans,
    ("set", ""): settings,
    ("audit", ""): audit,
    ("reports", ""): reports,
    ("owner", ""): owner,
}
"""By the words that are typed."""


# How.


async def _all_rooms(door: Door) -> list[frames.RoomInfo]:
    found: list[frames.RoomInfo] = []
    more = True
    while more:
        answer: Any = await door.ask(frames.ListRequest(after=found[-1].room if found else ""))
        found += answer.rooms
        more = answer.more and bool(answer.rooms)
    return found


def _way(given: argparse.Namespace) -> Any:  # noqa: ANN401 - the library behind it is loaded late
    """Return how others come to the server."""
    from server.invitation import Way, way_in
    from server.net.tls import TlsError, der

    directory = DataDirectory(given.data)
    here = Listening(DEFAULT_HOST, DEFAULT_PORT, 0, str(directory.tls_certificate))  # it has never run as it is now
    for path in (directory.listening, directory.listened):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            here = msgspec.json.decode(path.read_bytes(), type=Listening)
            break
    try:
        way = way_in(here.host, here.port, der(Path(here.certificate)))
    except (OSError, TlsError) as error:
        raise ShellError(f"{here.certificate} can't be read: {error}. Start chat-server once.") from error
    if not given.address:
        return way
    host, port = _address(given.address, way.port)
    return Way(host, port, way.pin, way.vouched)


def _address(text: str, port: int) -> tuple[str, int]:
    """Return host and port as they were typed: `example.org`, `example.org:7373`, `[2001:db8::1]:7373`."""
    host, colon, number = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
        return text.strip("[]"), port
    if not number.isdigit() or not 0 < int(number) < 65536:
        raise ShellError(f"A port is a number from 1 to 65535, not {number!r}.")
    return host.strip("[]"), int(number)


def _private(path: Path) -> Any:  # noqa: ANN401 - a file
    """Open a file that is its user's alone, also where it was there before."""
    if path.exists():
        path.chmod(0o600)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _flag(word: str | None) -> bool | None:
    return None if word is None else word == "on"


def _where(room: str) -> str:
    return "on the server" if room == GENERAL else f"in {room}"


def _place(room: str) -> str:
    return "the server" if room == GENERAL else room


def _lasting(minutes: int) -> str:
    return f" for {minutes} minutes" if minutes else ""


def _even(rows: list[Row], kind: type[Struct]) -> list[Row]:
    """Return rows that all have all fields of a kind, also those that are what they are by default."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return [{name: row.get(name, default) for name, default in defaults.items()} for row in rows]
