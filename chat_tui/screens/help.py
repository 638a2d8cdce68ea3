"""Help: all keys and commands, from their tables."""

from itertools import groupby

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chat_tui.actions import ACTIONS, Action, key_text
from chat_tui.commands import COMMANDS

_KEYS = 22
"""Cells of the column of keys."""


class HelpScreen(ModalScreen[None]):
    """One page to read, closed by Escape or F1."""

    AUTO_FOCUS = "#help"
    CSS_PATH = "../styles/help.tcss"

    def compose(self) -> ComposeResult:
        """Show the page."""
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes"
            yield Static(help_text(), id="keys")

    def on_key(self, event: events.Key) -> None:
        """Close."""
        if event.key in ("escape", "f1", "q", "enter"):
            event.stop()
            self.dismiss()


def help_text() -> Content:
    """Return keys and commands, grouped by what people want to do."""
    lines = [Content("Just type and press Enter. Everyone in the room reads it."), Content()]
    lines.append(_heading("Commands"))
    lines += [_line(f"/{command.name} {command.args}".rstrip(), command.help.capitalize()) for command in COMMANDS]
    for group, actions in groupby(ACTIONS, key=lambda action: action.group):
        lines += [Content(), _heading(group)]
        lines += [_line(_keys(action), action.text) for action in actions]
    return Content("\n").join(lines)


def _heading(text: str) -> Content:
    return Content.styled(text, "bold $accent")


def _line(what: str, meaning: str) -> Content:
    return Content.assemble((what.ljust(_KEYS), "bold"), " ", meaning)


def _keys(action: Action) -> str:
    """Return an action's keys as far as they fit their column; only those that a keyboard shows."""
    shown = ""
    for key in action.keys:
        more = f"{shown}  {key_text(key)}".strip()
        if key.isprintable() and len(more) < _KEYS:
            shown = more
    return shown
