"""Signing in at the server's provider: a code, and where to type it, until one has done so on some other device."""

from datetime import datetime
from time import time

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chat_tui.actions import key_text
from chat_tui.state.dates import span
from chat_tui.widgets.qr import QrCode, modules
from server.protocol import frames

_FRAME = 6
"""Columns that border and padding take."""

_COLUMNS = _FRAME + 35
"""Columns that are needed beside the code, with the words."""

_ROWS = 18
"""Rows that are needed above the code, with the words and the border."""

_TALL = 18
"""Rows below which nothing is left blank."""

_LONG = 3600
"""Seconds for which no code is good: who counts more has another clock than the server."""


class SignInScreen(ModalScreen[str]):
    """Shows where to sign in. Ends with AGAIN where another code is wanted, with None where one gives up.

    Whoever opens it dismisses it once the sign-in is done, and calls `fail` where nothing comes of it.

    Args:
        sso: where to sign in.
        by: how the provider is called.
    """

    AUTO_FOCUS = ".floating"
    CSS_PATH = "../styles/floating.tcss"
    AGAIN = "again"

    def __init__(self, sso: frames.Sso, by: str) -> None:
        super().__init__()
        self._sso = sso
        self._by = by
        self._address = sso.complete or sso.url
        code = modules(self._address)
        self._qr = QrCode(code) if code else None
        self._words = Static(markup=False, classes="words")
        self._state = Static(markup=False, classes="state")
        self._box = VerticalScroll(classes="floating")
        self._until = datetime.fromisoformat(sso.expires).timestamp()
        self._problem = ""
        self._copied = False

    def compose(self) -> ComposeResult:
        """Lay it out: the words, and the code beside or below them."""
        with self._box as box:
            box.border_title = f"Sign in with {self._by}"
            with Vertical(classes="told"):
                yield self._words
                yield self._state
            if self._qr is not None:
                yield self._qr

    def on_mount(self) -> None:
        """Begin to count."""
        self.set_interval(1, self._show)
        self._show()

    def fail(self, problem: str) -> None:
        """Say that nothing came of it, as a sentence, and offer another code."""
        self._problem = problem
        self._arrange()
        self._show()

    def on_resize(self) -> None:
        """Find room for the code."""
        self._arrange()
        self._show()

    def on_key(self, event: events.Key) -> None:
        """Copy the address, go on or give up."""
        if event.key == "y" and not self._problem:
            self.app.copy_to_clipboard(self._address)
            self._copied = True
            self._show()
        elif event.key == "enter" and self._problem:
            self.dismiss(self.AGAIN)
        elif event.key == "escape":
            self.dismiss(None)
        else:
            return
        event.stop()

    def _arrange(self) -> None:
        """Show the code beside the words, or below them, or not at all."""
        self.set_class(self.app.size.height < _TALL, "-low")
        where = ""
        if self._qr is not None and not self._problem:
            room, size = self._qr.room, self.app.size
            if size.width >= room.width + _COLUMNS and size.height >= room.height + 2:
                where = "-beside"
            elif size.width >= room.width + _FRAME and size.height >= room.height + _ROWS:
                where = "-below"
        for name in ("-beside", "-below"):
            self.set_class(name == where, name)

    def _show(self) -> None:
        """Say what to do, and how things stand."""
        self._words.display = not self._problem
        if self._problem:
            self._state.update(self._problem)
            self._box.border_subtitle = f"{key_text('enter')} another code · {key_text('escape')} closes"
        else:
            self._words.update(self._what_to_do())
            self._state.update(self._how_long())
            copies = "copied" if self._copied else "copies the address"
            self._box.border_subtitle = f"y {copies} · {key_text('escape')} closes"
        self._state.set_class(bool(self._problem), "-bad")

    def _what_to_do(self) -> Content:
        gap = "\n" if self.has_class("-low") else "\n\n"
        scan = ""
        if self.has_class("-beside") or self.has_class("-below"):
            then = "Does it show the same code?" if self._sso.complete else "Then type the code."
            scan = f"{gap}Or point a camera at the square. {then}"
        return Content.assemble(
            f"On your phone or in a browser, open{gap}",
            (self._sso.url, "bold"),
            f"{gap}and type{gap}",
            (self._sso.code, "bold $accent"),
            scan,
        )

    def _how_long(self) -> str:
        left = round(self._until - time())
        return f"Waiting · good for {span(left, short=True)}" if 0 < left < _LONG else "Waiting …"
