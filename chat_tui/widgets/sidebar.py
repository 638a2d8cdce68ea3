"""What stands beside the log: a title, and a row each. Only rows that changed are drawn again."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from chat_tui.widgets.still import Still

_HEAD = 3
"""Rows above the first: a blank one, the title, a blank one."""
_WHEEL = 3

Row = TypeVar("Row")


class Sidebar(Still, Generic[Row]):
    """A list under a title. Who derives says what the rows are by `put`, and how one is drawn by `draw`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"sidebar--title", "sidebar--quiet"}

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self.rows: Sequence[Row] = ()
        self._title = ""
        self._top = 0
        self._unlisted = 0

    def put(self, title: str, rows: Sequence[Row], *, see: int | None = None, unlisted: int = 0) -> None:
        """Show other rows.

        Args:
            title: what stands above them.
            rows: all of them, seen or not.
            see: index of one that is to be seen.
            unlisted: how many more there are, that are no rows: the last line counts them.
        """
        end = self._end()
        before, self.rows = self.rows, rows
        title_before, self._title = self._title, title
        unlisted_before, self._unlisted = self._unlisted, unlisted
        top, count = self._top, self._held()
        if see is not None and not self._top <= see < self._top + count:
            self._top = see if see < self._top else see - count + 1
        self._top = max(0, min(self._top, len(rows) - self._held()))
        moved = self._end() != end
        if moved or self._top != top or (len(before) > self._held()) != (len(rows) > self._held()):
            self.refresh()
            return
        changed = [
            _HEAD + index
            for index in range(max(len(before), len(rows)))
            if before[index : index + 1] != rows[index : index + 1]
        ]
        lines = [Region(0, y - top, self.size.width, 1) for y in changed if _HEAD <= y - top < self.size.height]
        if title != title_before:
            lines.append(Region(0, 1, self.size.width, 1))
        if len(before) != len(rows) or unlisted != unlisted_before:
            lines.append(Region(0, self._end(), self.size.width, 1))
        if lines:
            self.refresh(*lines)

    def draw(self, row: Row, width: int) -> list[Segment]:
        """Return how a row looks, in at most `width` cells."""
        raise NotImplementedError

    def row_at(self, y: int) -> Row | None:
        """Return the row that stands on a line of the widget."""
        index = self._top + y - _HEAD
        return self.rows[index] if y >= _HEAD and index < len(self.rows) and not self.counts(y) else None

    def counts(self, y: int) -> bool:
        """Say whether a line of the widget is the one that counts what is not seen."""
        return y == self._end() and bool(self._unlisted or len(self.rows) - self._top - (y - _HEAD) > 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show rows further down."""
        self._scroll(_WHEEL)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show rows further up."""
        self._scroll(-_WHEEL)
        event.stop()

    def on_resize(self) -> None:
        """Leave no room unused."""
        self._scroll(0)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width, plain = self.size.width, self.rich_style
        if y == 1:
            title = plain + self.get_component_rich_style("sidebar--title")
            return Strip([Segment(f"  {self._title}", title)]).adjust_cell_length(width, plain)
        if self.counts(y):
            quiet = plain + self.get_component_rich_style("sidebar--quiet")
            more = len(self.rows) - (self._top + y - _HEAD) + self._unlisted
            words = f"  {more:,} more" if self._unlisted else f"  and {more:,} more ↓"
            return Strip([Segment(words, quiet)]).adjust_cell_length(width, plain)
        row = self.row_at(y)
        if row is None:
            return Strip.blank(width, plain)
        return Strip(self.draw(row, width)).adjust_cell_length(width, plain)

    def _end(self) -> int:
        """Return the line on which what is not seen is counted, where something is not."""
        last = self.size.height - 1
        return min(last, _HEAD + len(self.rows) - self._top) if self._unlisted else last

    def _held(self) -> int:
        """Return how many rows are seen at once."""
        room = self._room()
        return room if len(self.rows) + bool(self._unlisted) <= room else max(1, room - 1)

    def _room(self) -> int:
        return max(1, self.size.height - _HEAD)

    def _scroll(self, rows: int) -> None:
        most = len(self.rows) + bool(self._unlisted) - self._room()
        self._top = max(0, min(self._top + rows, most))
        self.refresh()
