"""What moderators do, in words: lines of the log."""

from typing import TYPE_CHECKING

from chat_tui.state.dates import seconds_of, span, until

if TYPE_CHECKING:
    from server.protocol import frames  # only named here: not loaded before the first paint
    from server.protocol.frames import RoleName

ROLES: "dict[RoleName, str]" = {
    "guest": "a guest",
    "member": "an ordinary member",
    "moderator": "a moderator",
    "admin": "an admin",
    "owner": "an owner",
}


def appointed(frame: "frames.Appointed", me: int | None) -> str:
    """Return that someone has another role."""
    if frame.user == 0 and frame.who == me and (frame.role, frame.room) == ("owner", "general"):
        return "you own this server now"
    where = " of the server" if frame.room == "general" else ""
    return f"{_by(frame, me)} made {_whom(frame, me)} {ROLES[frame.role]}{where}"


def reported(report: "frames.ReportInfo", room: str) -> str:
    """Return that someone reported a message; `room` is what the room is called in which it was said."""
    where = "among a few people" if report.room.startswith("@") else f"in #{room}"
    return f"{report.by} reported what {report.sender} said {where}{_why(report.reason)} · /reports"


def kicked(frame: "frames.Kicked", me: int | None, room: str = "") -> str:
    """Return that someone was put out; `room` says of which, where that is not the one it is read in."""
    return f"{_by(frame, me)} put {_whom(frame, me)} out{_of(frame.room, room)}{_why(frame.reason)}"


def banned(frame: "frames.Banned", me: int | None, now: float, room: str = "") -> str:
    """Return that someone is kept out, or no more."""
    where = _of(frame.room, room)
    if not frame.on:
        return f"{_lets(frame, me)} {_whom(frame, me)} in again{where.replace(' of ', ' to ', 1)}"
    ends = f" {_until(frame.until, now)}" if frame.until else " for good"
    return f"{_by(frame, me)} banned {_whom(frame, me)}{where.replace(' of ', ' from ', 1)}{ends}{_why(frame.reason)}"


def silenced(frame: "frames.Silenced", me: int | None, now: float) -> str:
    """Return that someone may only read, or may speak again."""
    where = "on the whole server" if frame.room == "general" else "here"
    if not frame.on:
        who = "you" if frame.who == me else frame.name
        return f"{_lets(frame, me)} {who} speak again {where}"
    ends = f" {_until(frame.until, now)}" if frame.until else ""
    if frame.who == me:
        return f"You may only read {where}{ends}{_why(frame.reason)} ({frame.sender})"
    return f"{_by(frame, me)} silenced {frame.name} {where}{ends}{_why(frame.reason)}"


def changed(frame: "frames.Changed", me: int | None) -> list[str]:
    """Return what of a room's rules is another one now."""
    from msgspec import UNSET

    who, words = _by(frame, me), []
    if frame.read_only is not UNSET:
        open_again = f"{_lets(frame, me)} everyone write again"
        words.append(f"{who} made the room read-only: only moderators write" if frame.read_only else open_again)
    if frame.slow is not UNSET:
        pace = f"set slow mode: one message each in {span(frame.slow)}" if frame.slow else "turned slow mode off"
        words.append(f"{who} {pace}")
    if frame.keep_days is not UNSET:
        kept = span(frame.keep_days * 86_400) if frame.keep_days else "for ever"
        words.append(f"{who} set how long messages are kept: {kept}")
    if frame.keep_count is not UNSET:
        kept = f"the latest {frame.keep_count:,}" if frame.keep_count else "any number"
        words.append(f"{who} set how many messages are kept: {kept}")
    return words


def rules(detail: str) -> str:
    """Return what was set, as the audit has it (`read only: off, slow: 30`), in words."""
    return " · ".join(_rule(*part.partition(": ")[::2]) for part in detail.split(", "))


def _rule(name: str, value: str) -> str:
    match name, value:
        case "archived", _:
            return "closed" if value == "on" else "opened again"
        case "read only", _:
            return "only moderators write" if value == "on" else "everyone writes"
        case "slow" | "keep days" | "keep count", "0":
            return {"slow": "slow mode off", "keep days": "kept for ever", "keep count": "any number kept"}[name]
        case "slow", _ if value.isdecimal():
            return f"one message each in {span(int(value))}"
        case "keep days", _ if value.isdecimal():
            return f"kept for {span(int(value) * 86_400)}"
        case "keep count", _ if value.isdecimal():
            return f"the latest {int(value):,} kept"
        case "guests", _:
            return "guests may come in" if value == "on" else "guests may not come in"
        case "sign up", _:
            return {"open": "everyone may sign up", "invite": "sign-up with a ticket"}.get(value, "sign-up closed")
    return f"{name}: {value}" if value else name


def _by(frame: "frames.Event", me: int | None) -> str:
    return "you" if frame.user == me else frame.sender


def _lets(frame: "frames.Event", me: int | None) -> str:
    return "you let" if frame.user == me else f"{frame.sender} lets"


def _whom(frame: "frames.Appointed | frames.Kicked | frames.Banned | frames.Silenced", me: int | None) -> str:
    if frame.who == me:
        return "yourself" if frame.user == me else "you"
    return frame.name


def _of(handle: str, room: str) -> str:
    if handle == "general":
        return " of the server"
    return f" of {room}" if room else ""


def _until(stamp: str, now: float) -> str:
    ends = seconds_of(stamp)
    return f"until {until(ends, now)}" if ends is not None else ""


def _why(reason: str) -> str:
    return f": {reason}" if reason else ""
