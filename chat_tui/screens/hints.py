"""Which keys matter right now: what the bottom line shows."""

from collections.abc import Callable

from chat_tui import commands
from chat_tui.actions import BY_ID, key_text
from chat_tui.state.entries import DELETED, HIDDEN, MINE, Entry
from chat_tui.state.rooms import Room
from chat_tui.widgets.bars import Hint

MOST = 6
"""Hints at once."""
_USUAL = ("program.help", "rooms.go_to", "log.search", "program.palette", "program.quit")
_ALONE = ("program.help", "program.people", "program.palette", "program.quit")
"""For who is in one room only."""


def of_message(entry: Entry, *, moderates: bool = False) -> list[Hint]:
    """Return what can be done with the message that has the focus; `moderates`: others' can be deleted, too."""
    names = ["reply", "react", "thread"]
    if entry.flags & HIDDEN:
        names = ["show"]
    elif entry.flags & DELETED:
        names = ["thread"]
    elif entry.flags & MINE:
        names += ["edit", "delete"]
    elif moderates:
        names += ["delete"]
    else:
        names += ["copy", "report"]
    return [*(hint(f"message.{name}") for name in names), ("Esc", "back")]


def of_text(text: str, may: Callable[[commands.Command], bool] = lambda _: True) -> list[Hint]:
    """Return what can be done with what is written, where that is nothing usual; `may`: whether a command is for me."""
    if text.strip() == "exit":
        return [("Enter", "leaves"), ("/say exit", "says it")]
    if commands.suggest(text, may):
        return [("Tab", "complete"), ("Enter", "run"), ("//", "to start with a slash")]
    return []


def of_room(
    room: Room, text: str, *, newer_below: bool, troubled: bool, tries: bool, unread: bool, several: bool
) -> list[Hint]:
    """Return what is useful in a room.

    Args:
        room: the one that is shown.
        text: what is written.
        newer_below: the view is scrolled up.
        troubled: there is a problem with the connection.
        tries: it makes sense to try again.
        unread: something is unread in another room.
        several: there are other rooms.
    """
    hints = []
    if troubled and tries:
        hints.append(hint("program.connect"))
    if room.timeline.failed():
        hints += [hint("message.retry"), hint("message.take_back")]
    elif troubled and room.timeline.waiting():
        hints.append(hint("message.take_back"))
    end = "End" if not text else "Ctrl+End"
    if room.shown is not room.timeline:
        hints.append(("Esc", "back to all") if room.thread else (end, "back to now"))
    elif newer_below:
        hints.append((end, "newest"))
    if text:
        hints += [hint("write.send"), hint("write.new_line")]
    elif unread:
        hints += [hint("rooms.unread"), hint("rooms.catch_up")]
    return [*hints, *map(hint, _USUAL if several else _ALONE)][:MOST]


def hint(id: str) -> Hint:
    """Return an action as the bottom line shows it."""
    action = BY_ID[id]
    return key_text(action.keys[0]), action.short
