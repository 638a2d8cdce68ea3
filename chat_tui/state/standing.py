"""How one stands in a room and on the server, and what is offered to whom. What may be done, the server decides."""

from typing import TYPE_CHECKING, Final

from chat_tui.state.dates import seconds_of, span, until

if TYPE_CHECKING:
    from chat_tui.state.rooms import Room
    from server.protocol.frames import RoleName  # only named here: not loaded before the first paint

ROLES: "Final[tuple[RoleName, ...]]" = ("guest", "member", "moderator", "admin", "owner")
"""Each may do what those before may."""

FOREVER: Final = "forever"
"""Instead of a time: for good."""


def at_least(role: "RoleName", least: "RoleName") -> bool:
    """Say whether a role is another one, or above it."""
    return ROLES.index(role) >= ROLES.index(least)


def role_in(room: "Room", general: "Room") -> "RoleName":
    """Return my role in a room: who moderates the server does so in every room, but for those of a few people alone."""
    if room.kind != "direct" and at_least(general.role, "moderator"):
        return max(room.role, general.role, key=ROLES.index)
    return room.role


def may(room: "Room", general: "Room", least: "RoleName", *, server: bool = False) -> bool:
    """Say whether something for people of a role is to be offered to me.

    Args:
        room: where.
        general: the room that stands for the server.
        least: the role it takes; a guest's takes none.
        server: it is done to the server, wherever one is.
    """
    if least == "guest":
        return True
    if server:
        return at_least(general.role, least)
    return room.kind != "direct" and at_least(role_in(room, general), least)


def why_not_for(room: "Room", least: "RoleName", *, server: bool = False) -> str:
    """Return why something for people of a role is not for me in a room, as a sentence; see `may`."""
    if server or room.handle == "general":
        return f"Only {least}s of the server may do this."
    if room.kind == "direct":
        return "Nobody moderates a talk of a few people. /block and a name hides somebody from you."
    return f"Only {least}s may do this here."


def silenced_until(room: "Room", general: "Room", now: float) -> str:
    """Return until when I may only read there, RFC 3339 or `forever`; empty where I may write."""
    for stamp in (room.silenced, general.silenced):
        ends = seconds_of(stamp)
        if stamp and (ends is None or ends > now):
            return stamp
    return ""


def why_not(room: "Room", general: "Room", now: float) -> str:
    """Return why I can't say anything in a room now, as a few words for where it would be written; empty if I can."""
    if room.archived:
        return "This room is closed: it can be read"
    stamp = silenced_until(room, general, now)
    if stamp:
        ends = seconds_of(stamp)
        return f"You may only read here until {until(ends, now)}" if ends is not None else "You may only read here"
    if at_least(role_in(room, general), "moderator"):
        return ""
    if room.read_only:
        return "Only moderators write here"
    wait = wait_for(room, general, now)
    return f"Next message in {span(wait, short=True)}" if wait else ""


def passes(room: "Room", general: "Room", now: float) -> bool:
    """Say whether time alone ends that I can't say anything in a room now."""
    return bool(wait_for(room, general, now)) or seconds_of(silenced_until(room, general, now)) is not None


def wait_for(room: "Room", general: "Room", now: float) -> int:
    """Return the seconds until I may say the next thing in a room; 0 where that is now."""
    if not room.slow or at_least(role_in(room, general), "moderator"):
        return 0
    left = min(room.slow, room.next_at - now)
    return int(left) + (left > int(left)) if left > 0 else 0


def kept(room: "Room", general: "Room") -> str:
    """Return for how long messages are kept in a room, as a sentence; empty where that is for ever."""
    days, count = room.keep_days or general.keep_days, room.keep_count or general.keep_count
    if days and count:
        return f"Messages are erased here after {span(days * 86_400)}, and all but the latest {count:,}."
    if days:
        return f"Older messages are erased here after {span(days * 86_400)}."
    return f"Only the latest {count:,} messages are kept here." if count else ""
