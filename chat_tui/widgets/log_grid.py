"""The log's columns and colours."""

from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.color import Color

from chat_tui.themes import nick_color, readable

TEXT_MOST = 110
"""Cells of the longest line of text: longer ones are hard to read on."""
_RIGHT = 3
"""Cells right of the text: a space, the mark of its state, a space."""

_CHIP = 0.07
"""How much of the text's colour is in the tint behind code: enough to be seen on all other tints."""


class Grid(NamedTuple):
    """Where things stand in a row, in cells: gutter, time, name, text, mark."""

    width: int
    """The whole row."""
    nick: int
    """The column of names; 0 where the name stands above the text instead (narrow)."""

    @property
    def text_at(self) -> int:
        """Where text starts."""
        return 2 + 5 + 2 + self.nick + 2 if self.nick else 2

    @property
    def text_width(self) -> int:
        """The longest line of text."""
        return max(2, min(TEXT_MOST, self.width - self.text_at - _RIGHT))


class Ink(NamedTuple):
    """The colours of the log on the theme that is on."""

    background: Color
    foreground: Color
    quiet: Color
    """Times, notices, separators."""
    own: Color
    error: Color
    link: Color
    mention: Color
    """Behind a whole message that names me."""
    focus: Color
    """Behind the message that has the focus."""
    pill: Color
    """Behind what floats."""
    keyword: Color
    string: Color
    number: Color
    dark: bool

    def style(self, color: Color, behind: Color | None = None, bold: bool = False, italic: bool = False) -> Style:
        """Return the style of text in a colour; `behind` it is the background of the log, unless it is said."""
        behind = self.background if behind is None else behind
        # In a terminal's own colours a quiet tone can't be computed: it is its dim one.
        dim = True if color is self.quiet and behind.ansi is not None else None
        return _style(color, behind, bold or None, italic or None, dim)

    def name(self, name: str, mine: bool, behind: Color | None = None) -> Style:
        """Return the style of a name."""
        color = self.own if mine else nick_color(name, self.background, self.dark)
        return self.style(color, behind, bold=mine)

    def chip(self, behind: Color) -> Color:
        """Return what is behind code and reactions: where it can be had, a tint of what is behind the message."""
        return behind if behind.ansi is not None else behind.blend(self.foreground, _CHIP)

    def code(self, behind: Color) -> Style:
        """Return the style of code within a line. Where no tint is to be had, its colour tells it."""
        color = self.foreground if behind.ansi is None else self.keyword
        return self.style(color, self.chip(behind))

    def floating(self) -> Style:
        """Return the style of what floats over the log."""
        return self.style(self.foreground, self.pill, bold=True)


@lru_cache(maxsize=512)
def _style(color: Color, behind: Color, bold: bool | None, italic: bool | None, dim: bool | None) -> Style:
    """Return one style object for each look: finding what is readable costs more than drawing it."""
    color = readable(color, behind)
    return Style(color=color.rich_color, bgcolor=behind.rich_color, bold=bold, italic=italic, dim=dim)


def fit(text: str, cells: int) -> str:
    """Return `text` in at most `cells`, its end replaced by an ellipsis where it is longer."""
    return text if cell_len(text) <= cells else set_cell_size(text, cells - 1).rstrip() + "…"
