"""The one table of what can be done by a key. Bindings, help, palette and the bottom line are made from it."""

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple


class Where(Enum):
    """Who acts."""

    APP = auto()
    """Anywhere, before anything else sees the key."""
    CHAT = auto()
    """In the room, where the composer has no use for the key."""
    WRITING = auto()
    """The composer."""
    MESSAGE = auto()
    """The log, while one of its messages has the focus. `act('…')` is said to the app as `MessageLog.Acted`."""


class Action(NamedTuple):
    """Something to do."""

    id: str
    """Stable: user key maps and the palette name it."""
    keys: tuple[str, ...]
    """As Textual names them, the one to show first; none for an action of the palette only."""
    action: str
    """The method that does it, as Textual names it: of the app after `app.`, else of who acts."""
    text: str
    """What it does, for help and palette."""
    group: str
    """Its place in the help; empty where another action speaks for it."""
    where: Where = Where.CHAT
    short: str = ""
    """What the bottom line calls it."""
    shown: str = ""
    """Its keys as people read them, where it speaks for others, too."""


_ROOM = "Reading"
_MESSAGE = "A message that has the focus"
_ROOMS = "Rooms and people"
_WRITE = "Writing"
_EDIT = "Editing"
_PROGRAM = "Program"


def _edits(keys: tuple[str, ...], action: str, text: str = "", shown: str = "") -> Action:
    """Return what readline's keys do; without `text` it is told with the one before."""
    return Action(f"edit.{action}", keys, action, text, _EDIT if text else "", Where.WRITING, shown=shown)


ACTIONS = (
    Action("log.page_up", ("pageup",), "log('page_up')", "Read what was said before", _ROOM),
    Action("log.page_down", ("pagedown",), "log('page_down')", "Back towards the newest", _ROOM),
    Action("log.home", ("ctrl+home", "home"), "log('home')", "The oldest (Home in an empty input)", _ROOM),
    Action("log.end", ("ctrl+end", "end"), "log('end')", "The newest (End in an empty input)", _ROOM, short="newest"),
    Action("log.line_up", ("ctrl+up",), "log('scroll_up')", "One line up", _ROOM),
    Action("log.line_down", ("ctrl+down",), "log('scroll_down')", "One line down", _ROOM),
    Action("message.retry", ("alt+r",), "app.retry", "Send a failed message again", _ROOM, short="send again"),
    Action(
        "message.take_back",
        ("alt+x",),
        "app.take_back",
        "Take back a message that is not sent",
        _ROOM,
        short="take back",
    ),
    Action("message.focus", ("shift+tab",), "focus_message", "Choose a message", _ROOM, short="choose a message"),
    Action("log.back", ("escape",), "back", "Back, one step; from an empty input: choose a message", _ROOM),
    Action("log.search", ("ctrl+f",), "app.search", "Search (at the end of what is written)", _ROOM, short="search"),
    Action("message.up", ("up", "k"), "focus_up", "The message above", _MESSAGE, Where.MESSAGE),
    Action("message.down", ("down", "j"), "focus_down", "The message below", _MESSAGE, Where.MESSAGE),
    Action("message.reply", ("r",), "act('reply')", "Reply", _MESSAGE, Where.MESSAGE, "reply"),
    Action("message.react", ("plus",), "act('react')", "React with an emoji", _MESSAGE, Where.MESSAGE, "react"),
    Action("message.thread", ("t",), "act('thread')", "Open its thread", _MESSAGE, Where.MESSAGE, "thread"),
    Action("message.edit", ("e",), "act('edit')", "Edit it (your own)", _MESSAGE, Where.MESSAGE, "edit"),
    Action("message.delete", ("d",), "act('delete')", "Delete it; asks once", _MESSAGE, Where.MESSAGE, "delete"),
    Action("message.copy", ("y",), "act('copy')", "Copy its text", _MESSAGE, Where.MESSAGE, "copy"),
    Action("message.open", ("o",), "act('open_link')", "Open its link", _MESSAGE, Where.MESSAGE, "open link"),
    Action("message.quoted", ("g",), "act('quote')", "Go to what it answers", _MESSAGE, Where.MESSAGE, "go to quoted"),
    Action("message.pin", ("p",), "act('pin')", "Pin it, or take it off", _MESSAGE, Where.MESSAGE, "pin"),
    Action("message.unread", ("u",), "act('unread')", "Unread from here on", _MESSAGE, Where.MESSAGE, "unread"),
    Action("message.link", ("l",), "act('link')", "Copy a link to it", _MESSAGE, Where.MESSAGE, "copy link"),
    Action("message.info", ("i",), "act('who')", "Who, when, reactions, versions", _MESSAGE, Where.MESSAGE, "info"),
    Action("message.report", ("exclamation_mark",), "act('report')", "Report it", _MESSAGE, Where.MESSAGE, "report"),
    Action("message.show", ("enter",), "act('show')", "Show what is hidden", "", Where.MESSAGE, "show"),
    Action("message.leave", ("escape", "tab"), "focus_none", "Back to writing", _MESSAGE, Where.MESSAGE, "back"),
    Action("rooms.go_to", ("alt+g",), "app.go_to", "Go to any room or person", _ROOMS, short="go to"),
    Action("rooms.unread", ("alt+a",), "app.next_unread", "To the next that is unread", _ROOMS, short="next unread"),
    Action("rooms.catch_up", ("alt+c",), "app.catch_up", "Catch up on all that is unread", _ROOMS, short="catch up"),
    Action("rooms.previous", ("alt+up",), "app.walk(-1)", "The room above", _ROOMS),
    Action("rooms.next", ("alt+down",), "app.walk(1)", "The room below", _ROOMS),
    Action("rooms.1", ("alt+1",), "app.nth(1)", "The first to the ninth room", _ROOMS, shown="Alt+1…9"),
    *(Action(f"rooms.{n}", (f"alt+{n}",), f"app.nth({n})", f"Room {n}", "") for n in range(2, 10)),
    Action("rooms.sidebar", ("f6",), "rooms", "Show or hide the rooms", _ROOMS, short="rooms"),
    Action("rooms.list", (), "app.list_rooms", "All public rooms", _ROOMS),
    Action("rooms.sort", (), "app.sort_rooms", "Sort rooms by name, or by what is newest", _ROOMS),
    Action("write.send", ("enter",), "send", "Send", _WRITE, Where.WRITING, "send"),
    Action(
        "write.new_line",
        ("ctrl+j", "alt+enter", "shift+enter", "shift+\r"),
        "new_line",
        "A new line in the message",
        _WRITE,
        Where.WRITING,
        "new line",
    ),
    Action(
        "write.complete",
        ("tab",),
        "complete",
        "Complete a name or a command; again for the next",
        _WRITE,
        Where.WRITING,
    ),
    Action(
        "write.complete_back", ("shift+tab",), "complete_back", "Complete with the one before", _WRITE, Where.WRITING
    ),
    Action("write.up", ("up", "ctrl+p"), "up", "A line up, then what was written before", _WRITE, Where.WRITING),
    Action("write.down", ("down", "ctrl+n"), "down", "A line down, then what was written after", _WRITE, Where.WRITING),
    _edits(("ctrl+a", "home"), "line_start", "Start of the line, its end", "Ctrl+A  Ctrl+E"),
    _edits(("ctrl+e", "end"), "line_end"),
    _edits(("ctrl+b", "left"), "left", "A character back, one on", "Ctrl+B  Ctrl+F"),
    _edits(("ctrl+f", "right"), "right"),
    _edits(("alt+b", "ctrl+left", "alt+left"), "word_left", "A word back, one on", "Alt+B  Alt+F"),
    _edits(("alt+f", "ctrl+right", "alt+right"), "word_right"),
    _edits(("ctrl+u",), "kill_to_start", "Cut to the start of the line, to its end", "Ctrl+U  Ctrl+K"),
    _edits(("ctrl+k",), "kill_line"),
    _edits(("ctrl+w",), "rubout_word", "Cut a word back, one on", "Ctrl+W  Alt+D"),
    _edits(("alt+backspace", "ctrl+backspace"), "kill_word_left"),
    _edits(("alt+d", "ctrl+delete"), "kill_word_right"),
    _edits(("ctrl+y",), "yank", "Put back what was cut"),
    _edits(("ctrl+underscore",), "undo", "Undo"),
    _edits(("ctrl+t",), "transpose", "Swap two characters"),
    _edits(("backspace", "ctrl+h"), "delete_left", "Delete back, on", "Backspace  Del"),
    _edits(("ctrl+d", "delete"), "delete_right"),
    Action("program.help", ("f1",), "help", "This help", _PROGRAM, Where.APP, "help"),
    Action("program.people", ("f2",), "people", "Show or hide who is here", _PROGRAM, short="people"),
    Action("program.palette", ("f3",), "command_palette", "All actions, by name", _PROGRAM, Where.APP, "actions"),
    Action("program.theme", ("f4",), "theme", "Dark or light", _PROGRAM, Where.APP),
    Action("program.connect", ("f5",), "app.connect", "Try to connect again", _PROGRAM, short="try again"),
    Action("program.redraw", ("ctrl+l",), "redraw", "Draw the screen anew", _PROGRAM),
    Action(
        "program.copy", ("ctrl+c",), "interrupt", "Copy what is selected; else clear the input; twice: leave", _PROGRAM
    ),
    Action("program.suspend", ("ctrl+z",), "suspend_process", "Back to the shell for a while", _PROGRAM, Where.APP),
    Action("program.quit", ("ctrl+q",), "quit", "Leave", _PROGRAM, Where.APP, "quit"),
)

BY_ID = {action.id: action for action in ACTIONS}


def of(where: Where) -> Iterator[Action]:
    """Yield the actions of one place, in the order of the table."""
    return (action for action in ACTIONS if action.where is where)


def key_text(key: str) -> str:
    """Return a key as people read it: `Ctrl+Q`, `PgUp`, `r`."""
    if len(key) == 1:
        return key
    return "+".join(_KEYS.get(part, part.upper() if len(part) == 1 else part.capitalize()) for part in key.split("+"))


_KEYS = {"pageup": "PgUp", "pagedown": "PgDn", "underscore": "_", "plus": "+", "exclamation_mark": "!", "escape": "Esc"}
