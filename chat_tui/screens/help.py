"""Help: all keys and commands, from their tables."""

from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chat_tui.actions import ACTIONS, Action, key_text
from chat_tui.commands import COMMANDS, Command

_KEYS = 17
"""Cells of the column of keys, the space after them included."""
_COLUMN = 52
"""Cells that a column of the page has at least; where the terminal has more, there are more columns."""
_WIDEST, _FRAME, _GAP = 180, 7, 2
"""Cells of the page at most, of what stands around the columns, and between two of them."""
_FIRST = (
    "Just type and press Enter. Everyone in the room reads it.",
    "Esc in an empty input chooses a message: r answers it, + reacts.",
    "Alt+G goes to any room or person, Ctrl+F searches.",
)

_QUIET = "$foreground 85%"

Section = list[Content]
"""A heading, and a line for each thing to do."""


class HelpScreen(ModalScreen[None]):
    """One page to read, closed by Escape or F1.

    Args:
        offered: the commands that it names.
    """

    AUTO_FOCUS = "#help"
    CSS_PATH = "../styles/help.tcss"
    _width = 0
    """Columns of the terminal that the page is laid out for."""

    def __init__(self, offered: Sequence[Command] = COMMANDS) -> None:
        super().__init__()
        self._offered = offered

    def compose(self) -> ComposeResult:
        """Show the page, in as many columns as fit."""
        self._width = self.app.size.width
        width = min(_WIDEST, self._width) - _FRAME
        count = max(1, min(3, width // _COLUMN))
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes"
            yield Static("\n".join(_FIRST), id="first")
            with Horizontal(id="columns"):
                for column in columns(count, width // count - _GAP, self._offered):
                    yield Static(column, classes="column")

    async def on_resize(self) -> None:
        """Lay out the columns anew for another width."""
        if self.app.size.width != self._width:
            await self.recompose()
            self.query_one("#help").focus()

    def on_key(self, event: events.Key) -> None:
        """Close."""
        if event.key in ("escape", "f1", "q", "enter"):
            event.stop()
            self.dismiss()


def columns(count: int, width: int, offered: Sequence[Command] = COMMANDS) -> list[Content]:
    """Return keys, and the commands that are offered, in so many columns of about one length.

    No section is torn apart.
    """
    sections = _sections(width, offered)
    wanted = sum(map(len, sections)) / count
    texts: list[list[Content]] = [[] for _ in range(count)]
    at = 0
    for section in sections:
        # A section that would reach further beyond the end than it leaves open starts the next column.
        if texts[at] and at < count - 1 and len(texts[at]) + len(section) / 2 > wanted:
            at += 1
        texts[at] += section
    return [Content("\n").join(lines) for lines in texts]


def _sections(width: int, offered: Sequence[Command]) -> list[Section]:
    """Return keys and commands, grouped by what people want to do."""
    told = (action for action in ACTIONS if action.group and action.keys)
    keys = [
        _section(group, [(action.shown or _keys(action), action.text) for action in actions], width)
        for group, actions in groupby(told, key=lambda action: action.group)
    ]
    names = wrap("  ".join(f"/{command.name}" for command in offered), width)
    typed = [Content(), Content.styled("Commands: / shows what each does", "bold $accent"), *map(_quiet, names)]
    return [*keys, typed]


def _section(title: str, lines: list[tuple[str, str]], width: int) -> Section:
    section = [Content(), Content.styled(title, "bold $accent")]
    for keys, meaning in lines:
        first, *more = wrap(meaning, max(10, width - _KEYS)) or [""]
        section.append(Content.assemble((keys.ljust(_KEYS), "bold"), (first, _QUIET)))
        section += [_quiet(" " * _KEYS + line) for line in more]
    return section


def _quiet(line: str) -> Content:
    return Content.styled(line, _QUIET)


def _keys(action: Action) -> str:
    """Return an action's keys as far as they fit their column; only those that a keyboard shows."""
    shown = ""
    for key in action.keys:
        more = f"{shown}  {key_text(key)}".strip()
        if key.isprintable() and len(more) < _KEYS:
            shown = more
    return shown
