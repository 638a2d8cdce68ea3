"""A list that the server has, and what can be done with each thing in it: bans, reports, accounts."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from chat_tui.actions import key_text
from chat_tui.errors import ClientError
from chat_tui.widgets.choices import Choices


class Row(NamedTuple):
    """One thing in the list."""

    id: str
    shown: Content


class Deed(NamedTuple):
    """What a key does with the row that is chosen."""

    words: str
    """As the line of keys says it: `lets in again`."""
    do: Callable[[str], Awaitable[str]] | None = None
    """Does it to a row, by its id, and returns what is to be said of it; raises ClientError. None: the list ends with
    the row, and whoever opened it goes on."""
    asks: Callable[[str], str] | None = None
    """Returns what is asked before, and y does it then; where that is empty, or None is given, it is done at once."""


Load = Callable[[str], Awaitable[tuple[Sequence[Row], bool]]]
"""Called with the id of the last row that is known, empty at first; returns what follows, and whether there is more."""


class ListScreen(ModalScreen[tuple[str, str]]):
    """Ends with the key of a deed that is not done here, and the row's id; with None where it was only closed.

    Args:
        title: what the list is of.
        load: asks the server for it, in parts.
        none: what is said where it is empty.
        deeds: by key, as Textual names it, what can be done with a row.
    """

    AUTO_FOCUS = "Choices"
    CSS_PATH = "../styles/floating.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]

    def __init__(self, title: str, load: Load, *, none: str, deeds: dict[str, Deed] | None = None) -> None:
        super().__init__()
        self._title, self._load, self._none = title, load, none
        self._deeds = deeds or {}
        self._rows: list[Row] = []
        self._more = True
        self._busy = False
        self._asked: tuple[str, str] | None = None
        """A key and a row: y does it."""
        self._list = Choices()
        self._state = Static("Looking…", markup=False, classes="state")
        words = "   ".join(f"{key_text(key)} {deed.words}" for key, deed in self._deeds.items())
        self._keys = Static(words, markup=False, classes="keys")
        self._keys.display = False

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="floating") as box:
            box.border_title = self._title
            box.border_subtitle = "Esc closes"
            yield self._list
            yield self._state
            yield self._keys

    def on_mount(self) -> None:
        """Look."""
        self._fetch()

    def on_key(self, event: events.Key) -> None:
        """Do what is pressed."""
        if event.key == "escape":
            event.stop()
            if self._asked is None:
                self.dismiss(None)
            self._forget()
        elif event.key == "y" and self._asked is not None:
            event.stop()
            self._act(self._asked[0], sure=True)
        elif event.key in ("j", "k"):
            event.stop()
            getattr(self._list, "action_cursor_down" if event.key == "j" else "action_cursor_up")()
        elif event.key in self._deeds:
            event.stop()
            self._act(event.key)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        message.stop()
        self._act("enter")

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """What was asked was about another row; at the end there may be more of them."""
        if self._asked is not None and message.option_id != self._asked[1]:
            self._forget()
        if message.option_index == len(self._rows) - 1:
            self._fetch()

    # How.

    def _fetch(self) -> None:
        if self._more and not self._busy:
            self._busy = True
            self.run_worker(self._fetch_more())

    async def _fetch_more(self) -> None:
        try:
            rows, self._more = await self._load(self._rows[-1].id if self._rows else "")
        except ClientError as error:
            self._more = False
            self._say(error.message, bad=True)
        else:
            self._rows += rows
            self._list.add_options(Option(row.shown, row.id) for row in rows)
            if self._list.highlighted is None and self._rows:
                self._list.highlighted = 0
            self._say("" if self._rows else self._none)
            self._tell_keys()
        self._busy = False

    def _act(self, key: str, *, sure: bool = False) -> None:
        """Do something with the row that is chosen; ask before, where that is meet, unless one is `sure`."""
        chosen, deed = self._list.highlighted_option, self._deeds.get(key)
        if deed is None or self._busy or chosen is None or chosen.id is None:
            return
        question = deed.asks(chosen.id) if deed.asks is not None else ""
        if question and not sure:
            self._asked = (key, chosen.id)
            self._say(f"{question} y does it, Esc does not.", bad=True)
        elif deed.do is None:
            self.dismiss((key, chosen.id))
        else:
            self._forget()
            self._busy = True
            self.run_worker(self._do(deed.do, chosen.id))

    async def _do(self, deed: Callable[[str], Awaitable[str]], id: str) -> None:
        """Do it, and look anew what there is: where one was, if it is there still."""
        try:
            said = await deed(id)
            at = self._list.highlighted or 0
            self._rows, self._more = [], True
            rows, self._more = await self._load("")
        except ClientError as error:
            self._say(error.message, bad=True)
        else:
            self._rows = list(rows)
            self._list.set_options(Option(row.shown, row.id) for row in rows)
            self._list.highlighted = min(at, len(self._rows) - 1) if self._rows else None
            self._say(said if self._rows else f"{said} {self._none}".strip())
            self._tell_keys()
        self._busy = False

    def _tell_keys(self) -> None:
        """Say what can be done, where there is something to do it with."""
        self._keys.display = bool(self._deeds and self._rows)

    def _forget(self) -> None:
        """Ask nothing more."""
        if self._asked is not None:
            self._asked = None
            self._say("")

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._state.update(text)
        self._state.display = bool(text)
        self._state.set_class(bad, "-bad")
