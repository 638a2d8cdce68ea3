"""The line above the log, and the line below the composer."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from chat_tui.widgets.log_grid import fit

Hint = tuple[str, str]
"""A key as people read it, and what it does."""


class TopLine(Widget):
    """Where one is at the left, how things stand with the server at the right."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"top--room", "top--good", "top--waiting", "top--bad"}

    def __init__(self, room: str, *, id: str | None = None) -> None:
        """Show the line of a room."""
        super().__init__(id=id)
        self._room = room
        self._topic = ""
        self._count = 0
        self._words: Sequence[str] = ("",)
        self._tone = "waiting"

    def update(self, words: Sequence[str], tone: str, count: int) -> None:
        """Show how things stand.

        Args:
            words: the same in several lengths, the longest first: the first one that fits is shown.
            tone: good, waiting or bad.
            count: people online, 0 where the sidebar says it or nobody knows.
        """
        if (words, tone, count) != (self._words, self._tone, self._count):
            self._words, self._tone, self._count = words, tone, count
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        width, plain = self.size.width, self.rich_style
        left = f"  # {self._room}"
        count = f"{self._count} here" if self._count else ""
        room = width - cell_len(left) - 4
        right = [Segment(count, plain)] if count else []
        words = next((words for words in self._words if cell_len(words) <= room - len(count) - 2), "")
        if words:
            right += [Segment("  ", plain)] if count else []
            right.append(Segment(words, plain + self.get_component_rich_style(f"top--{self._tone}")))
        gap = width - cell_len(left) - 2 - sum(segment.cell_length for segment in right)
        name = Segment(fit(left, width - 2), plain + self.get_component_rich_style("top--room"))
        return Strip([name, Segment(" " * gap, plain), *right]).adjust_cell_length(width, plain)


class BottomLine(Widget):
    """The few keys that matter right now. One that does not fit is left out whole."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"bottom--key"}

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self._hints: Sequence[Hint] = ()

    def update(self, hints: Sequence[Hint]) -> None:
        """Show other keys, the most useful first."""
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line."""
        width, plain = self.size.width, self.rich_style
        bold = plain + self.get_component_rich_style("bottom--key")
        segments = [Segment("  ", plain)]
        used = 2
        for key, what in self._hints:
            cells = cell_len(key) + 1 + cell_len(what)
            if used + cells > width - 1:
                break
            segments += [Segment(key, bold), Segment(f" {what}   " if key else f"{what}   ", plain)]
            used += cells + 3
        return Strip(segments).adjust_cell_length(width, plain)
