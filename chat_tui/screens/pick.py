"""Choosing one of many by a few letters: a room, a person, an emoji."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from chat_tui.errors import ClientError
from chat_tui.widgets.choices import Choices
from chat_tui.widgets.composer import Composer

WALK = {
    "up": "cursor_up",
    "down": "cursor_down",
    "ctrl+p": "cursor_up",
    "ctrl+n": "cursor_down",
    "tab": "cursor_down",
    "shift+tab": "cursor_up",
    "pageup": "page_up",
    "pagedown": "page_down",
}
"""By key, how it moves in a list while a field above has the focus."""


class Choice(NamedTuple):
    """Something to choose."""

    id: str
    shown: Content


class PickScreen(ModalScreen[str]):
    """A list that gets shorter by what is typed; ends with the id of what was chosen.

    Args:
        title: what is chosen here.
        choices: returns what fits what is typed, the best first.
        asks: what the empty field says.
        none: what is said where nothing fits.
    """

    AUTO_FOCUS = "Composer"
    CSS_PATH = "../styles/floating.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]

    def __init__(self, title: str, choices: Callable[[str], list[Choice]], *, asks: str, none: str) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self.none = none
        """What is said where nothing fits."""
        self._field = Composer(self._accept, one_line=True)
        self._field.placeholder = asks
        self._list = Choices(focusable=False)
        self._state = Static(markup=False, classes="state")

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="floating") as box:
            box.border_title = self._title
            box.border_subtitle = "Enter chooses · Esc closes"
            yield self._field
            yield self._list
            yield self._state

    def on_mount(self) -> None:
        """Offer all."""
        self.update()

    def update(self) -> None:
        """Show what fits now."""
        choices = self._choices(self._field.text.strip())
        self._list.set_options(Option(choice.shown, choice.id) for choice in choices)
        self._list.highlighted = 0 if choices else None
        self.say("" if choices else self.none)

    def say(self, text: str, *, bad: bool = False) -> None:
        """Say how things stand; nothing hides the line."""
        self._state.update(text)
        self._state.display = bool(text)
        self._state.set_class(bad, "-bad")

    def on_composer_edited(self, message: Composer.Edited) -> None:
        """Offer what fits."""
        message.stop()
        self.update()

    def on_key(self, event: events.Key) -> None:
        """Walk through the list while the field has the focus; Escape closes."""
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
        """Take what is clicked."""
        self.dismiss(message.option_id)

    def _accept(self, _: str) -> None:
        if self._list.highlighted_option is not None:
            self.dismiss(self._list.highlighted_option.id)


class AskScreen(PickScreen):
    """The same of something that the server knows: it is asked for what fits as one types, in parts.

    Until it has answered, what is known is offered as far as it fits.

    Args:
        title: what is chosen here.
        load: called with how the ids begin that are wanted, and the last id that is known, empty at first; returns what
            follows, and whether there is more.
        asks: what the empty field says.
        none: what is said where nothing fits.
    """

    def __init__(
        self, title: str, load: Callable[[str, str], Awaitable[tuple[list[Choice], bool]]], *, asks: str, none: str
    ) -> None:
        super().__init__(title, self._fitting, asks=asks, none=none)
        self._load, self._nothing = load, none
        self._found: dict[str, Choice] = {}
        """By id: what came for `_begins`, so far."""
        self._begins = ""
        self._more = False

    # Textual calls what is called so in PickScreen, too, after these: it shows what fits.

    def on_mount(self) -> None:
        """Ask for all."""
        self._ask()

    def on_composer_edited(self, message: Composer.Edited) -> None:
        """Ask for what fits."""
        self._ask()

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Ask for what follows, at the end of what is there."""
        if self._more and message.option_index == self._list.option_count - 1:
            self._ask(next(reversed(self._found)))

    def update(self) -> None:
        """Show what fits now. Where better may come, nothing is chosen before it has."""
        super().update()
        if not self._typed.startswith(self._begins):
            self._list.highlighted = None

    @property
    def _typed(self) -> str:
        """How the ids begin that are wanted, case-folded."""
        return self._field.text.strip().removeprefix("@").casefold()

    def _fitting(self, _: str) -> list[Choice]:
        begins, found = self._typed, self._found.values()
        if begins == self._begins:  # the server knows best
            return list(found)
        return [choice for choice in found if choice.id.casefold().startswith(begins)]

    def _ask(self, after: str = "") -> None:
        """Ask for what follows; without `after` for the first. What is being asked for is not wanted any more."""
        self._more = False
        if not after:
            self.none = "Looking…"
        self._fetch(self._typed, after)

    @work(exclusive=True)
    async def _fetch(self, begins: str, after: str) -> None:
        try:
            found, more = await self._load(begins, after)
        except ClientError as error:
            self._more = bool(after)  # who comes to the end once more asks once more
            self.say(error.message, bad=True)
            return
        self._more = more
        if after:
            new = {choice.id: choice for choice in found if choice.id not in self._found}
            self._found |= new
            self._list.add_options(Option(choice.shown, choice.id) for choice in new.values())
            return
        walked_to = self._list.highlighted_option if self._list.highlighted else None
        self._found, self._begins, self.none = {choice.id: choice for choice in found}, begins, self._nothing
        self.update()
        shown = [option.id for option in self._list.options]
        if walked_to is not None and walked_to.id in shown:
            self._list.highlighted = shown.index(walked_to.id)
