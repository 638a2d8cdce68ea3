"""Searching all rooms."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker

from chat_tui.errors import ClientError
from chat_tui.screens.excerpts import body, head, searched
from chat_tui.screens.pick import WALK
from chat_tui.state.dates import day, seconds_of
from chat_tui.state.query import QueryError
from chat_tui.widgets.choices import Choices
from chat_tui.widgets.composer import Composer
from server.protocol import frames

_PAUSE = 0.3
"""Seconds after the last key before it is searched without Enter."""
_FURTHER = "further"
_HELP = "from:bob  in:dev  after:2025-03-14  before:yesterday  on:friday  has:link  “whole phrases” in quotes"


class Place(NamedTuple):
    """A message to go to."""

    room: str
    seq: int


class SearchScreen(ModalScreen[Place]):
    """A line to type into, and what was found; ends with the message to go to.

    Args:
        parse: returns the search that is typed, None for an empty one; raises QueryError.
        find: asks the server; raises ClientError.
        label: returns what a room is called.
        now: seconds since 1970.
        query: what is typed already.
    """

    AUTO_FOCUS = "Composer"
    CSS_PATH = "../styles/floating.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]

    def __init__(
        self,
        parse: Callable[[str], frames.Search | None],
        find: Callable[[frames.Search], Awaitable[frames.Found]],
        label: Callable[[str], str],
        now: Callable[[], float],
        query: str = "",
    ) -> None:
        super().__init__()
        self._parse, self._find, self._label, self._now = parse, find, label, now
        self._query = query
        self._search: frames.Search | None = None
        """What the list answers."""
        self._messages: list[frames.Message] = []
        self._reached = 0
        """All above this was looked at."""
        self._soon: Timer | None = None
        self._asking: Worker[None] | None = None
        self._field = Composer(self._accept, one_line=True)
        self._field.placeholder = "Search all your rooms"
        self._list = Choices(focusable=False)
        self._state = Static(_HELP, markup=False, classes="state")

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="floating") as box:
            box.border_title = "Search"
            box.border_subtitle = "Enter goes there · Esc closes"
            yield self._field
            yield self._state
            yield self._list

    def on_mount(self) -> None:
        """Search at once where something is asked already."""
        if self._query:
            self._field.put(self._query)

    def on_composer_edited(self, message: Composer.Edited) -> None:
        """Search soon: who types on is not kept waiting."""
        message.stop()
        if self._soon is not None:
            self._soon.stop()
        self._soon = self.set_timer(_PAUSE, self._ask)

    def on_key(self, event: events.Key) -> None:
        """Walk through what was found; Escape closes."""
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
        elif event.key in WALK:
            event.stop()
            getattr(self._list, f"action_{WALK[event.key]}")()
        elif not self._field.has_focus:  # typed ahead of its coming
            event.stop()
            self._field.post_message(events.Key(event.key, event.character))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Go to what was clicked."""
        self._choose(message.option_id)

    def _accept(self, text: str) -> None:
        """Go to what is chosen; where something else has been typed, search for that first."""
        try:
            asked = self._parse(text)
        except QueryError as error:
            self._say(str(error), bad=True)
            return
        chosen = self._list.highlighted_option
        if asked == self._search and chosen is not None:
            self._choose(chosen.id)
        elif asked != self._search or not self._busy:
            self._ask()

    def _choose(self, id: str | None) -> None:
        if id == _FURTHER:
            self._further()
        elif id is not None:
            message = self._messages[int(id)]
            self.dismiss(Place(message.room, message.seq))

    @property
    def _busy(self) -> bool:
        return self._asking is not None and self._asking.is_running

    def _ask(self) -> None:
        """Search for what is typed now."""
        if self._soon is not None:
            self._soon.stop()
        try:
            asked = self._parse(self._field.text)
        except QueryError as error:
            self._say(str(error), bad=True)
            return
        if asked == self._search and (asked is None or self._busy or self._messages):
            return
        self._search = asked
        self._messages = []
        self._list.clear_options()
        if asked is None:
            self._say(_HELP)
        else:
            self._say("Searching…")
            self._asking = self.run_worker(self._answer(asked), exclusive=True)

    def _further(self) -> None:
        """Look on where the last answer stopped."""
        if self._search is not None and not self._busy:
            self._list.remove_option(_FURTHER)
            self._say("Searching…")
            self._asking = self.run_worker(self._answer(self._search, self._reached), exclusive=True)

    async def _answer(self, search: frames.Search, before: int | None = None) -> None:
        try:
            # A copy: who sends it writes on it.
            found = await self._find(replace(search, before=UNSET if before is None else before))
        except ClientError as error:
            self._search = None  # the same may be asked again
            self._say(error.message, bad=True)
            return
        if search is self._search:
            self._show(found, searched(search.text))

    def _show(self, found: frames.Found, words: list[str]) -> None:
        """Add what was found to the list, and say how far back that reaches."""
        first = len(self._messages)
        self._messages += found.messages
        self._reached = found.reached
        options: list[Option | None] = []
        for number, message in enumerate(found.messages, first):
            options += [None] if number else []  # a thin line between two
            options.append(Option(self._line(message, words), str(number)))
        reached = seconds_of(found.time) if found.time else None
        since = day(reached, self._now()) if reached is not None else ""
        if found.late:
            options.append(
                Option(Content.styled(f"↓ Looked back to {since}. Enter looks on.", "$foreground 75%"), _FURTHER)
            )
        self._list.add_options(options)
        if self._list.highlighted is None and options:
            self._list.highlighted = 0
        count = len(self._messages)
        if count:
            what = "1 message" if count == 1 else f"{count} messages"
            self._say(f"{what}{f', back to {since}' if found.late else ''}, newest first")
        else:
            self._say(f"Nothing found back to {since}." if found.late else "Nothing found.")

    def _line(self, message: frames.Message, words: list[str]) -> Content:
        return Content("\n").join(
            [head(message, self._now(), self._label(message.room)), body(message, self.size.width * 2, words)]
        )

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._state.update(text)
        self._state.set_class(bad, "-bad")
