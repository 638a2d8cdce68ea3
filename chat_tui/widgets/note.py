"""The line between log and composer: what writing is about to do, and what just went wrong."""

from rich.cells import cell_len
from textual.content import Content

from chat_tui.widgets.log_grid import fit
from chat_tui.widgets.still import Still


class Note(Still):
    """One quiet line. Where nothing is to be said it is blank, or not there where rows are few."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Note {
        height: auto;
        min-height: 1;
        max-height: 3;
        padding: 0 2 0 4;
        background: $background;
        color: $foreground 70%;
        &.-bad { color: $error; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Say nothing yet."""
        super().__init__(id=id)
        self.text = ""
        """What is said."""
        self._keys = ""
        self.add_class("-blank")

    def update(self, text: str = "", keys: str = "", *, bad: bool = False) -> None:
        """Say something; nothing leaves a blank line.

        Args:
            text: may be cut where it is too long, unless it is `bad`.
            keys: what to press, shown whole after it.
            bad: it went wrong.
        """
        if (text, keys, bad) == (self.text, self._keys, self.has_class("-bad")):
            return
        grows = bad or self.has_class("-bad") or bool(text) != bool(self.text)
        self.text, self._keys = text, keys
        self.set_class(bad, "-bad")
        self.set_class(not text, "-blank")
        self.refresh(layout=grows)

    def render(self) -> Content:
        """Draw it."""
        if not self.text:
            return Content()
        if self.has_class("-bad"):
            return Content.assemble(("✗ ", "bold"), self.text)
        end = f" · {self._keys}" if self._keys else ""
        return Content.assemble(fit(self.text, self.content_size.width - cell_len(end)), (end, "$foreground 60%"))
