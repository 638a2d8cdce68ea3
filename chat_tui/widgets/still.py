"""Widgets that a key does not change, and painting what it does change."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class _Drawn(NamedTuple):
    """Rows as they were drawn, and what they were drawn for."""

    crop: Region
    filters: Sequence[LineFilter]
    rows: list[Strip]


class Still(Widget):
    """A widget whose rows are kept until it is to be drawn anew.

    Textual asks every widget of the screen for its rows when one of them has changed, and finds out all their colours
    for that.
    """

    _drawn: _Drawn | None = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw anew."""
        self._drawn = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Draw in other colours."""
        self._drawn = None
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows."""
        drawn, filters = self._drawn, self.get_line_filters()
        if drawn is None or drawn.crop != crop or drawn.filters != filters:
            drawn = self._drawn = _Drawn(crop, filters, super().render_lines(crop))
        return drawn.rows
