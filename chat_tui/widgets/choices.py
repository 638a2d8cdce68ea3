"""A list to choose from."""

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import OptionList


class Choices(OptionList):
    """Textual's list, with a mark beside what would be chosen: a tint alone is not seen in every terminal."""

    def __init__(self, *, focusable: bool = True) -> None:
        """Make an empty list; one that is not `focusable` is walked by another widget's keys."""
        super().__init__()
        self.can_focus = focusable

    def render_line(self, y: int) -> Strip:
        """Draw a row."""
        strip = super().render_line(y)
        first, *rest = strip
        meta = first.style.meta if first.style is not None else {}
        if self.highlighted is None or meta.get("option") != self.highlighted or first.text[:1] != " ":
            return strip
        return Strip([Segment("▌" + first.text[1:], first.style), *rest], strip.cell_length)
