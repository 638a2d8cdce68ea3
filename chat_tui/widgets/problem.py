"""The notice of a problem, between the log and the composer."""

from textual.content import Content
from textual.widget import Widget


class Problem(Widget):
    """What went wrong and what to do, above the composer; it stays until it is solved."""

    DEFAULT_CSS = """
    Problem {
        height: auto;
        max-height: 4;
        padding: 0 2;
        background: $error 14%;
        color: $foreground;
        &.-waiting { background: $warning 12%; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self.display = False
        self._sentence = self._way_out = ""

    def update(self, sentence: str, way_out: str = "", *, waiting: bool = False) -> None:
        """Show a problem; an empty sentence hides the notice. `waiting`: it may well solve itself."""
        self.set_class(waiting, "-waiting")
        if (sentence, way_out) != (self._sentence, self._way_out):
            self._sentence, self._way_out = sentence, way_out
            self.display = bool(sentence)
            self.refresh(layout=True)

    def render(self) -> Content:
        """Say it."""
        mark = ("◌ ", "$warning") if self.has_class("-waiting") else ("✗ ", "bold $error")
        return Content.assemble(mark, self._sentence, " ", (self._way_out, "bold"))
