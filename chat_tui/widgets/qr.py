"""A QR code: an address that a phone reads from the screen."""

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

QUIET = 4
"""Light modules around the code, without which phones don't see where it ends (ISO/IEC 18004)."""

CHARACTERS = 300
"""Of the longest text: the code of a longer one fits no terminal."""

# Dark on light in every theme. Light is what is drawn, so that it is light also where there are no colours.
_LIGHT = Style(color="#ffffff", bgcolor="#ffffff")
_DARK = Style(color="#ffffff", bgcolor="#000000")
_DRAWN = {
    (False, False): Segment("█", _LIGHT),
    (False, True): Segment("▀", _DARK),
    (True, False): Segment("▄", _DARK),
    (True, True): Segment(" ", _DARK),
}
"""A cell by its upper and its lower module: whether each is dark."""

Modules = tuple[tuple[bool, ...], ...]
"""Row by row, whether each module is dark."""


def modules(text: str) -> Modules:
    """Return the code for a text, with what has to be light around it; nothing where the text is too long."""
    if len(text) > CHARACTERS:
        return ()
    import segno  # not before the first paint

    code = segno.make_qr(text, error="l")
    return tuple(tuple(bool(module) for module in row) for row in code.matrix_iter(border=QUIET))


class QrCode(Widget):
    """Draws a code, two modules to a cell.

    Args:
        code: from `modules`.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    QrCode { width: auto; height: auto; }
    """

    def __init__(self, code: Modules) -> None:
        super().__init__()
        side = len(code)
        self.room = Size(side, (side + 1) // 2)
        """The cells it takes."""
        below = (*code[1::2], (False,) * side)  # an odd number of rows: the last one has light below
        self._strips = [
            Strip(Segment.simplify(_DRAWN[pair] for pair in zip(upper, lower, strict=True)), side)
            for upper, lower in zip(code[::2], below, strict=False)
        ]

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the columns that it takes."""
        return self.room.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows that it takes."""
        return self.room.height

    def render_line(self, y: int) -> Strip:
        """Draw a row."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
