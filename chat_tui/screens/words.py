"""What the screen says about the room that is shown."""

from chat_tui.state.chat import Chat
from chat_tui.state.dates import day
from chat_tui.state.rooms import Room


def heading(room: Room, me: str, now: float) -> tuple[str, str]:
    """Return where one is, and what that is about, for the top line."""
    label = room.label(me)
    place = f"@ {label}" if room.kind == "direct" else f"# {label}"
    shown = room.shown
    if shown is room.thread:
        root = shown.message(shown.thread)
        return f"{place} › thread", f"{root.name}: {' '.join(root.text.split())}" if root else ""
    if shown is room.visit and shown.entries:
        return f"{place} · {day(shown.entries[len(shown.entries) // 2].time, now)}", "End returns"
    return place, room.topic


def counts(chat: Chat, *, rooms: bool, people: bool, reads: bool = False) -> tuple[str, ...]:
    """Return what moderators have not looked at, and what sidebars that are folded would say, the most important first.

    Args:
        chat: all rooms.
        rooms: those at the left are folded.
        people: those at the right are.
        reads: what comes in the room that is shown is read as it comes: it is not worth a word for a moment.
    """
    found = []
    read_unread, read_mentions = chat.current.news if reads else (0, 0)
    unread, mentions = chat.unread_total - read_unread, chat.mention_total - read_mentions
    invitations = sum(bool(room.invited_by) for room in chat.rooms.values()) if rooms else 0
    if chat.reports:
        found.append(f"{len(chat.reports)} report{'' if len(chat.reports) == 1 else 's'}")
    if rooms and mentions:
        found.append(f"@{mentions}")
    if rooms and unread:
        found.append(f"{unread} unread")
    if invitations:
        found.append(f"{invitations} invitation{'' if invitations == 1 else 's'}")
    if people and chat.current.kind != "direct" and chat.current.people:
        found.append(f"{len(chat.current.people):,} here")
    return tuple(found)


def placeholder(chat: Chat, *, troubled: bool) -> str:
    """Return what an empty composer says; `troubled`: there is no connection."""
    room, me, why_not = chat.current, chat.name, chat.why_not()
    if why_not:
        return why_not
    if room.shown is room.thread:
        words = "Reply in this thread"
    else:
        words = f"Message {'' if room.kind == 'direct' else '#'}{room.label(me)}"
    return f"{words} · will be sent when connected" if troubled else words


def empty(room: Room, me: str, invitation: str) -> str:
    """Return what an empty log says; `invitation` is how others join, empty while not connected."""
    if not invitation or not (room.loaded or not room.last):
        return ""
    if room.kept and room.last:
        return f"{room.kept}\nNothing else is left."
    if room.kind == "direct":
        return f"Only {room.label(me)} and you read what is said here."
    if room.kind == "private":
        return "Nothing to read yet. /invite and a name brings somebody in."
    return "Nobody has written yet: you can be the first." if room.members else invitation


def writing(names: list[str]) -> str:
    """Return that some people write something; empty for nobody."""
    if not names:
        return ""
    return f"{', '.join(names[:3])} {'is' if len(names) == 1 else 'are'} writing"
