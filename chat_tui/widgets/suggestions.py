"""What the word before the cursor may become, floating above the composer."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from chat_tui.state.recall import Offer
from chat_tui.widgets.log_grid import fit

_ROWS = 8
"""Offers shown at once."""
_NARROW = 60
"""Columns below which only what is needed is shown."""


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
        narrow = self.screen.size.width < _NARROW
        rows = max(3, min(_ROWS, self.screen.size.height - 6))
        first = max(0, min(self._chosen - rows // 2, len(self._offers) - rows))
        seen = self._offers[first : first + rows]
        most = 18 if narrow else 34
        column = min(most, max((cell_len(offer.shown) for offer in seen), default=0))
        lines = [
            _line(offer, column, chosen=first + index == self._chosen, narrow=narrow)
            for index, offer in enumerate(seen)
        ]
        hidden = len(self._offers) - len(seen)
        if hidden:
            lines.append(Content.styled(f"  and {hidden} more", "$foreground 60%"))
        return Content("\n").join(lines)


def _line(offer: Offer, column: int, *, chosen: bool, narrow: bool) -> Content:
    shown = fit(offer.shown.partition(" ")[0] if narrow and offer.meaning else offer.shown, column)
    meaning = (offer.short or offer.meaning) if narrow else offer.meaning
    gap = " " * (column - cell_len(shown))
    return Content.assemble(
        ("❯ " if chosen else "  ", "bold $accent"),
        (shown, "bold $accent" if chosen else "bold"),
        gap if meaning else "",
        (f"  {meaning}" if meaning else "", "$foreground 70%"),
    )
