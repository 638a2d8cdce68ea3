"""Help: all keys and commands, from their tables."""

from itertools import groupby

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chat_tui.actions import ACTIONS, Action, key_text
from chat_tui.commands import COMMANDS

_KEYS = 16
"""Cells of the column of keys."""
_COLUMN = 56
"""Cells that a column of the page has at least; where the terminal has more, there are more columns."""
_FIRST = (
    "Just type and press Enter. Everyone in the room reads it.",
    "Esc in an empty input chooses a message: r answers it, + reacts.",
    "Alt+G goes to any room or person, Ctrl+F searches.",
)

Section = list[Content]
"""A heading, and a line for each thing to do."""


class HelpScreen(ModalScreen[None]):
    """One page to read, closed by Escape or F1."""

    AUTO_FOCUS = "#help"
    CSS_PATH = "../styles/help.tcss"

    def compose(self) -> ComposeResult:
        """Show the page, in as many columns as fit."""
        count = max(1, min(3, (self.app.size.width - 4) // _COLUMN))
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes"
            yield Static("\n".join(_FIRST), id="first")
            with Horizontal(id="columns"):
                for column in columns(count):
                    yield Static(column, classes="column")

    def on_key(self, event: events.Key) -> None:
        """Close."""
        if event.key in ("escape", "f1", "q", "enter"):
            event.stop()
            self.dismiss()


def columns(count: int) -> list[Content]:
    """Return keys and commands in so many columns, about as long as each other; no section is torn apart."""
    sections = _sections()
    wanted = sum(map(len, sections)) / count
    texts: list[list[Content]] = [[] for _ in range(count)]
    at = 0
    for section in sections:
        # A section that would reach further beyond the end than it leaves open starts the next column.
        if texts[at] and at < count - 1 and len(texts[at]) + len(section) / 2 > wanted:
            at += 1
        texts[at] += section
    return [Content("\n").join(lines) for lines in texts]


def _sections() -> list[Section]:
    """Return keys and commands, grouped by what people want to do."""
    keys = [
        _section(group, [(action.shown or _keys(action), action.text) for action in actions if action.keys])
        for group, actions in groupby(ACTIONS, key=lambda action: action.group)
        if group
    ]
    typed = [
        _section(f"/ {group}", [(command.usage, command.help) for command in commands])
        for group, commands in groupby(COMMANDS, key=lambda command: command.group)
    ]
    return [*keys, *typed]


def _section(title: str, lines: list[tuple[str, str]]) -> Section:
    return [Content(), Content.styled(title, "bold $accent"), *(_line(what, meaning) for what, meaning in lines)]


def _line(what: str, meaning: str) -> Content:
    gap = " " * max(2, _KEYS - cell_len(what))
    return Content.assemble((what, "bold"), gap, (meaning, "$foreground 85%"))


def _keys(action: Action) -> str:
    """Return an action's keys as far as they fit their column; only those that a keyboard shows."""
    shown = ""
    for key in action.keys:
        more = f"{shown}  {key_text(key)}".strip()
        if key.isprintable() and len(more) < _KEYS:
            shown = more
    return shown
