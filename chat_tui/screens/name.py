"""Asking for a name: at the first start, and where the one that was wanted is refused."""

import re

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from chat_tui.state.guarded import is_invitation, what_it_is
from chat_tui.widgets.composer import Composer
from server.protocol.errors import ProtocolError
from server.protocol.text import check_name

_ASKS = "Pick another name"
_ANOTHER = re.compile(r"\s*Pick another( name)?\.$")
"""How a refusal ends: here that is said below it."""
_NO_CODE = "That is a code, and a name is seen by everyone. Once you are in, /claim or /register asks for it unseen."
_NO_INVITATION = "That is an invitation: leave with Ctrl+Q, and give it to your shell."
_MADE_OF = "Letters and digits, also _ or . or - between them."


class NameScreen(Screen[str]):
    """Asks for a name; ends with one that can be a name."""

    AUTO_FOCUS = "Composer"
    BINDINGS = [Binding("ctrl+c", "interrupt", "Clear, then leave", show=False)]
    CSS_PATH = "../styles/name.tcss"

    def __init__(self, offer: str, refusal: str = "", words: str = "") -> None:
        """Offer a name.

        Args:
            offer: stands in the field already, until something is typed.
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
        """Say why, where a name was refused; what is typed takes the place of the offer."""
        if self._refusal:
            self._complain(self._refusal)
        self._field.offer(self._offer)

    async def action_interrupt(self) -> None:
        """Clear the field; leave where it is empty."""
        if self._field.text:
            self._field.put("")
        else:
            await self.run_action("app.quit")

    def _accept(self, text: str) -> None:
        if text.strip() in ("exit", "/quit"):
            self.call_later(self.run_action, "app.quit")
            return
        if is_invitation(text) or what_it_is(text):
            self._field.put("")
            self._complain(_NO_INVITATION if is_invitation(text) else _NO_CODE)
            return
        try:
            name = check_name(text)
        except ProtocolError as error:
            self._complain(error.message)
            if " " in text.strip():  # as one word it may be one
                self._field.offer("_".join(text.split()))
        else:
            self.dismiss(name)

    def _complain(self, why: str) -> None:
        static = self.query_one("#why", Static)
        static.update(f"{_ANOTHER.sub('', why).strip()}\n{_ASKS}:")
        static.add_class("-refused")
