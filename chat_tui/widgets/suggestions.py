"""What the word before the cursor may become, floating above the composer."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from chat_tui.state.recall import Offer
from chat_tui.widgets.log_grid import fit

_ROWS = 8
"""Offers shown at once."""
_NARROW = 60
"""Columns below which only what is needed is shown."""
_KEPT = 8
"""Rows of the screen that the list leaves free."""
_FRAME = 8
"""Columns that it leaves free: its border and the space around it."""


class Suggestions(Widget):
    """A list to look at: Tab in the composer puts its first, then its next."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Suggestions {
        layer: above;
        dock: bottom;
        width: auto;
        height: auto;
        max-width: 100%;
        margin: 0 0 2 2;
        padding: 0 1;
        border: round $foreground 30%;
        background: $surface;
        color: $foreground;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self.display = False
        self._offers: Sequence[Offer] = ()
        self._chosen = -1

    def update(self, offers: Sequence[Offer], chosen: int = -1, below: int = 2) -> None:
        """Show offers; none hides the list.

        Args:
            offers: what can be put.
            chosen: which of them stands in the text; -1 for none.
            below: rows to leave free at the bottom of the screen.
        """
        if (offers, chosen) == (self._offers, self._chosen):
            return
        self._offers, self._chosen = offers, chosen
        self.display = bool(offers)
        self.styles.margin = (0, 0, below, 2)
        self.refresh(layout=True)

    def render(self) -> Content:
        """Draw a line for each, around the one that is chosen."""
        width, height = self.screen.size
        rows = max(3, min(_ROWS, height - _KEPT))
        first = max(0, min(self._chosen - rows // 2, len(self._offers) - rows))
        seen = [_Line.of(offer, narrow=width < _NARROW) for offer in self._offers[first : first + rows]]
        column = max((cell_len(line.shown) for line in seen), default=0)
        lines = [
            line.drawn(column, width - _FRAME, chosen=number == self._chosen) for number, line in enumerate(seen, first)
        ]
        hidden = len(self._offers) - len(seen)
        if hidden:
            lines.append(Content.styled(f"  and {hidden} more", "$foreground 60%"))
        return Content("\n").join(lines)


class _Line(NamedTuple):
    """What a line of the list says."""

    shown: str
    meaning: str

    @classmethod
    def of(cls, offer: Offer, *, narrow: bool) -> Self:
        """Return an offer as it is said; `narrow`: in few words."""
        if not narrow or not offer.short:
            return cls(offer.shown, offer.meaning)
        return cls(offer.shown.partition(" ")[0], offer.short)

    def drawn(self, column: int, width: int, *, chosen: bool) -> Content:
        """Draw it in `width` cells, its meaning after `column` of them."""
        gap = " " * (column - cell_len(self.shown) + 2) if self.meaning else ""
        return Content.assemble(
            ("❯ " if chosen else "  ", "bold $accent"),
            (fit(self.shown, width - 2), "bold $accent" if chosen else "bold"),
            (gap + fit(self.meaning, max(1, width - column - 4)) if self.meaning else "", "$foreground 70%"),
        )
