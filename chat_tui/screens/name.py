"""Asking for a name: at the first start, and where the one that was wanted is refused."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from chat_tui.widgets.composer import Composer
from server.protocol.errors import ProtocolError
from server.protocol.text import check_name

_ASKS = "Pick another name"
_MADE_OF = "Letters and digits, also _ or . or - between them."


class NameScreen(Screen[str]):
    """Asks for a name; ends with one that can be a name."""

    AUTO_FOCUS = "Composer"
    BINDINGS = [Binding("ctrl+c", "interrupt", "Clear, then leave", show=False)]
    CSS_PATH = "../styles/name.tcss"

    def __init__(self, offer: str, refusal: str = "", words: str = "") -> None:
        """Offer a name.

        Args:
            offer: stands in the field already.
            refusal: why the last one was not taken; empty at the first start.
            words: what happened before; empty at the first start.
        """
        super().__init__()
        self._words = words
        self._offer = offer
        self._refusal = refusal
        self._field = Composer(self._accept, one_line=True)
        self._field.placeholder = "your name"

    def compose(self) -> ComposeResult:
        """Ask."""
        with Vertical(id="ask"):
            yield Static("What should people call you?", id="title", markup=False)
            yield Static(self._words or _MADE_OF, id="why", markup=False)
            yield self._field
            yield Static("Enter come in   Ctrl+U empty   Ctrl+Q quit", id="under", markup=False)

    def on_mount(self) -> None:
        """Say why, where a name was refused, and put the cursor behind the offer."""
        if self._refusal:
            self._complain(self._refusal)
        if self._offer:
            self._field.put(self._offer)

    async def action_interrupt(self) -> None:
        """Clear the field; leave where it is empty."""
        if self._field.text:
            self._field.put("")
        else:
            await self.run_action("app.quit")

    def _accept(self, text: str) -> None:
        try:
            name = check_name(text)
        except ProtocolError as error:
            self._complain(error.message)
        else:
            self.dismiss(name)

    def _complain(self, why: str) -> None:
        static = self.query_one("#why", Static)
        static.update(f"{why.removesuffix(_ASKS + '.').strip()}\n{_ASKS}:")
        static.add_class("-refused")
