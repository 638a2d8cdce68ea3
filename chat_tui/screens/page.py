"""A page to read, with a few keys to press: a message in full, an invitation, the code for another device."""

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from chat_tui.actions import key_text


class PageScreen(ModalScreen[str]):
    """Ends with the key that was pressed; with None where the page was only closed.

    Args:
        title: what the page is about.
        page: what it says.
        keys: by key, as Textual names it, what pressing it does.
        alone: nothing else is seen, and only `keys` end it.
        bad: it is about something that went wrong.
        wide: it shows a line to copy, which is to stand in one row where there is room.
    """

    AUTO_FOCUS = ".floating"
    CSS_PATH = "../styles/floating.tcss"

    def __init__(
        self,
        title: str,
        page: Content,
        keys: dict[str, str] | None = None,
        *,
        alone: bool = False,
        bad: bool = False,
        wide: bool = False,
    ) -> None:
        super().__init__()
        self._alone = alone
        self.set_class(wide, "-wide")
        self.set_class(alone, "-alone")
        self.set_class(bad, "-bad")
        self._title = title
        self._page = page
        self._keys = keys or {}

    def compose(self) -> ComposeResult:
        """Show the page."""
        with VerticalScroll(classes="floating") as box:
            box.border_title = self._title
            does = [f"{key_text(key)} {what}" for key, what in self._keys.items()]
            box.border_subtitle = " · ".join(does) or "Esc closes"
            yield Static(self._page, classes="page")

    def on_key(self, event: events.Key) -> None:
        """Do what was pressed."""
        if event.key in self._keys:
            event.stop()
            self.dismiss(event.key)
        elif event.key in ("escape", "q", "enter") and not self._alone:
            event.stop()
            self.dismiss(None)
