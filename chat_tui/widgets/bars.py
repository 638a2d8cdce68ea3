"""The line above the log, and the line below the composer."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from chat_tui.widgets.log_grid import fit
from chat_tui.widgets.still import Still

Hint = tuple[str, str]
"""A key as people read it, and what it does."""

_LEAST_TOPIC = 12
"""Cells below which the topic is left out."""


class TopLine(Still):
    """Where one is at the left, how things stand with the server at the right."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"top--room", "top--quiet", "top--mention", "top--good", "top--waiting", "top--bad"}

    def __init__(self, room: str, *, id: str | None = None) -> None:
        """Show the line of a room."""
        super().__init__(id=id)
        self._place = room
        self._about = ""
        self._counts: tuple[str, ...] = ()
        self._words: Sequence[str] = ("",)
        self._tone = "waiting"

    def where(self, place: str, about: str) -> None:
        """Show where one is.

        Args:
            place: the room, with what of it is shown.
            about: what it is about, where there is room for that; empty for nothing.
        """
        if (place, about) != (self._place, self._about):
            self._place, self._about = place, about
            self.refresh()

    def update(self, words: Sequence[str], tone: str, counts: tuple[str, ...]) -> None:
        """Show how things stand.

        Args:
            words: the same in several lengths, the longest first: the first one that fits is shown.
            tone: good, waiting or bad.
            counts: what folded sidebars would say, the most important first; one with @ is marked.
        """
        if (words, tone, counts) != (self._words, self._tone, self._counts):
            self._words, self._tone, self._counts = words, tone, counts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line: where one is comes first, then what others want, then the connection, then the topic.

        Of the connection its shortest word is always there.
        """
        width, plain = self.size.width, self.rich_style
        place = fit(f"  {self._place}", width - 2)
        left = width - cell_len(place) - 2
        least = min(map(cell_len, self._words)) + 2
        right: list[Segment] = []
        for count in self._counts:
            if cell_len(count) + 2 <= left - least:
                style = plain + self.get_component_rich_style("top--mention") if "@" in count else plain
                right += [Segment("  ", plain), Segment(count, style)]
                left -= cell_len(count) + 2
        words = next((words for words in self._words if cell_len(words) <= left - 2), "")
        if words:
            right += [Segment("  ", plain), Segment(words, plain + self.get_component_rich_style(f"top--{self._tone}"))]
            left -= cell_len(words) + 2
        about = fit(f"   {self._about}", left) if self._about and left > _LEAST_TOPIC else ""
        gap = max(0, width - 2 - cell_len(place) - cell_len(about) - sum(segment.cell_length for segment in right))
        strip = [
            Segment(place, plain + self.get_component_rich_style("top--room")),
            Segment(about, plain + self.get_component_rich_style("top--quiet")),
            Segment(" " * gap, plain),
            *right,
        ]
        return Strip(strip).adjust_cell_length(width, plain)


class BottomLine(Still):
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
