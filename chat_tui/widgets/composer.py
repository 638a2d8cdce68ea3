"""The composer: where a message is written. One line without a border that grows with its text."""

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chat_tui.actions import Where, of
from chat_tui.completion import emoji_before
from chat_tui.state.editor import Editor
from chat_tui.state.recall import NOTHING, Completion, InputHistory, Offer, Offers
from chat_tui.typeahead import Writing
from chat_tui.widgets.at_once import paint
from chat_tui.widgets.log_wrap import Span, wrap
from server.protocol.text import clean

_PROMPT = "  ❯ "
_INDENT = " " * len(_PROMPT)
_CURSOR = Style(reverse=True)  # seen in every colour, and in none
_FRAME = 1 / 120
"""Seconds between two keys that are painted one by one: of a text that comes quicker several are painted together."""
_KEYS = {key: action.action for action in of(Where.WRITING) for key in action.keys}


class _Look(NamedTuple):
    """How it is drawn."""

    plain: Style
    prompt: Style
    quiet: Style


class Composer(Writing, Widget, can_focus=True):
    """Text with readline's keys, history and completion. Keys are taken strictly in the order they were pressed."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"composer--prompt", "composer--placeholder"}

    class Edited(Message):
        """The text changed."""

        def __init__(self, text: str, place: str) -> None:
            super().__init__()
            self.text = text
            self.place = place
            """Where it was written: the composer's `place`."""

    class Sought(Message):
        """Tab was pressed where a name has begun: there may be others than those that are known."""

        def __init__(self, begins: str) -> None:
            super().__init__()
            self.begins = begins

    class Moved(Message):
        """The cursor moved, or an offer took the place of another: what fits there may be something else now."""

    def __init__(
        self,
        accept: Callable[[str], str | None],
        offers: Callable[[str, int], Offers] = lambda _text, _cursor: NOTHING,
        *,
        secret: Callable[[str], bool] = lambda _text: False,
        one_line: bool = False,
        masked: bool = False,
        id: str | None = None,
    ) -> None:
        """Make a composer.

        Args:
            accept: called with the text on Enter; returns what is written next, or None where it is not taken.
            offers: what Tab may complete.
            secret: tells whether a text that was sent must not be brought back.
            one_line: no second line, no history.
            masked: what is written is secret: dots stand for it.
            id: of the widget.
        """
        super().__init__(id=id)
        self.editor = Editor()
        self._accept = accept
        self._offers = offers
        self._secret = secret
        self._one_line = one_line
        self.masked = masked
        """What is written is secret: dots stand for it."""
        self._history = InputHistory()
        self._completion = Completion()
        self._is_offer = False
        """What stands there is an offer: typing takes its place."""
        self._placeholder = ""
        self._look: _Look | None = None
        self._painted = 0.0
        self._top = 0
        self._rows: list[Span] = [(0, 0)]
        self._goal: int | None = None
        self.place = ""
        """Where it is written, for whoever keeps it."""

    @property
    def text(self) -> str:
        """What is written."""
        return self.editor.text

    @property
    def placeholder(self) -> str:
        """What an empty composer says."""
        return self._placeholder

    @placeholder.setter
    def placeholder(self, text: str) -> None:
        if text != self._placeholder:
            self._placeholder = text
            self.refresh()

    @property
    def offered(self) -> tuple[tuple[Offer, ...], int]:
        """What to show in a list of what fits at the cursor, and which of it stands there, -1 for none."""
        return self._completion.shown(self.text, self.editor.cursor, self._offers)

    @property
    def begun(self) -> Offers:
        """What the word before the cursor may become, shown or not."""
        return self._offers(self.text, self.editor.cursor)

    def start(self, text: str, place: str) -> None:
        """Begin with a text, elsewhere: nothing of what was written before can be brought back by undo."""
        self.editor = Editor(text)
        self.place = place
        self._changed(edited=False)

    def put(self, text: str) -> None:
        """Replace what is written. Can be undone."""
        self.editor.set(text)
        self._changed()

    def offer(self, text: str) -> None:
        """Replace what is written by an offer: the first character that is typed takes its place."""
        self.put(text)
        self._is_offer = bool(text)

    def insert(self, text: str) -> None:
        """Put text in at the cursor."""
        self._decide(replace=True)
        self.editor.insert(text)
        self._changed()

    def complete_again(self) -> None:
        """Do what Tab, which was pressed last, does now that more is known."""
        before = self.text
        done = self._completion.again(before, self.editor.cursor, self._offers)
        if done is not None:
            self.editor.set(*done)
        self._changed(edited=self.text != before)

    # What Textual asks.

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Take all there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Grow with the text up to a third of the screen."""
        rows = self._wrap(width)
        return max(1, min(len(rows), viewport.height // 3))

    def on_resize(self) -> None:
        """Wrap anew."""
        self._lay_out()

    def notify_style_update(self) -> None:
        """Take up the colours of another theme."""
        super().notify_style_update()
        self._look = None

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        width = self.size.width
        plain, prompt, _ = self._styled()
        number = self._top + y
        head = Segment(_PROMPT if number == 0 else _INDENT, prompt)
        if not self.text:
            return Strip([head, *self._empty(width - len(_PROMPT))]).adjust_cell_length(width, plain)
        if number >= len(self._rows):
            return Strip.blank(width, plain)
        start, end = self._rows[number]
        text, cursor = self._drawn[start:end], self.editor.cursor - start
        if self._is_offer:
            return Strip([head, Segment(text, plain + _CURSOR)]).adjust_cell_length(width, plain)
        if not (self.has_focus and number == self._cursor_row()):
            return Strip([head, Segment(text, plain)]).adjust_cell_length(width, plain)
        after = self.editor.after(self.editor.cursor) - start
        under = text[cursor:after] or " "
        segments = [
            head,
            Segment(text[:cursor], plain),
            Segment(under, plain + _CURSOR),
            Segment(text[after:], plain),
        ]
        return Strip(segments).adjust_cell_length(width, plain)

    async def _on_key(self, event: events.Key) -> None:
        """Take a key that is ours; let all others go on to the screen's bindings."""
        action = _KEYS.get(event.key)
        if action is not None:
            if self._leaves(event.key):
                return
            self._decide(replace=action == "delete_left")
            self._act(action)
        elif event.is_printable and event.character and not event.key.startswith("alt+"):
            self._decide(replace=True)
            self.editor.insert(event.character)
            if event.character == ":" and not self.masked:
                self._picture()
            self._changed()
        else:
            return
        event.stop()
        event.prevent_default()
        now = monotonic()
        if now - self._painted > _FRAME:
            paint(self)
        self._painted = now

    def _leaves(self, key: str) -> bool:
        """Tell whether a key of the composer has nothing to do now: then it is another's."""
        match key:
            case "home" | "end":
                return not self.text and not self._one_line
            case "ctrl+f":
                return self.editor.cursor == len(self.text)
            case "shift+tab":
                return not self.offered[0]
            case "up" | "down" | "tab":
                return self._one_line
        return False

    def _on_paste(self, event: events.Paste) -> None:
        """Take what is pasted, all its lines, as part of one message."""
        text = clean(event.text).expandtabs(4)
        text = " ".join(text.split("\n")).strip() if self._one_line else text.removesuffix("\n")
        if text:
            self.insert(text)
        event.stop()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points."""
        number = min(self._top + event.y, len(self._rows) - 1)
        self.editor.move(self._position(number, event.x - len(_PROMPT)))
        self._changed(edited=False)

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    # What keys do.

    def _act(self, action: str) -> None:
        before = self.text
        own = getattr(self, f"_do_{action}", None)
        if own is not None:
            own()
        else:
            getattr(self.editor, action)()
        if action not in ("up", "down"):
            self._goal = None
        self._changed(edited=self.text != before)

    def _do_send(self) -> None:
        text, editor, place = self.text, self.editor, self.place
        left = self._accept(text)
        if left is None:
            return
        if not (self._one_line or self._secret(text)):
            self._history.add(text.strip())
        if editor is self.editor:
            self.editor = Editor(left)
        else:  # it brought us elsewhere: what is written there stays, and here nothing more is
            self.post_message(self.Edited(left, place))

    def _do_new_line(self) -> None:
        if not self._one_line:
            self.editor.insert("\n")

    def _do_complete(self) -> None:
        self._complete(1)

    def _do_complete_back(self) -> None:
        self._complete(-1)

    def _complete(self, step: int) -> None:
        text, cursor = self.text, self.editor.cursor
        begins = "" if self._completion.going_on(text, cursor) else self.begun.name
        done = self._completion.next(text, cursor, self._offers, step)
        if done is not None:
            self.editor.set(*done)
        if begins:
            self.post_message(self.Sought(begins))

    def _picture(self) -> None:
        """Put the picture of an emoji in the place of its name, which has just been written out."""
        found = emoji_before(self.text, self.editor.cursor)
        if found is not None:
            start, picture = found
            after = self.text[self.editor.cursor :]
            self.editor.set(self.text[:start] + picture + after, start + len(picture))

    def _do_up(self) -> None:
        if not self._to_row(self._cursor_row() - 1) and not self._one_line:
            earlier = self._history.up(self.text)
            if earlier is not None:
                self.editor.set(earlier)

    def _do_down(self) -> None:
        if not self._to_row(self._cursor_row() + 1) and not self._one_line:
            later = self._history.down()
            if later is not None:
                self.editor.set(later)

    # How.

    def _decide(self, *, replace: bool) -> None:
        """Take what was offered as written, or away: a key says which."""
        if self._is_offer and replace:
            self.editor.set("")
        self._is_offer = False

    def _changed(self, *, edited: bool = True) -> None:
        """Draw what a key changed."""
        self._lay_out()
        self.refresh()
        self.post_message(self.Edited(self.text, self.place) if edited else self.Moved())

    def _lay_out(self) -> None:
        """Wrap the text, and keep the cursor in view."""
        before = len(self._rows)
        self._rows = self._wrap(self.content_size.width)
        if len(self._rows) != before:
            self.refresh(layout=True)
        most = max(1, self.screen.size.height // 3)
        row = self._cursor_row()
        self._top = max(0, min(self._top, row, len(self._rows) - most), row - most + 1)
        column = cell_len(self._drawn[self._rows[row][0] : self.editor.cursor])
        self.app.cursor_position = self.content_region.offset + Offset(len(_PROMPT) + column, row - self._top)

    def _wrap(self, width: int) -> list[Span]:
        """Cut the text into rows; one cell is kept for the cursor after the last character."""
        return wrap(self._drawn, max(2, width - len(_PROMPT) - 1))

    @property
    def _drawn(self) -> str:
        """What is written, as it is shown."""
        return "•" * len(self.text) if self.masked else self.text

    def _styled(self) -> _Look:
        """Return how it is drawn. It is worked out once: a key changes no colours."""
        if self._look is None:
            plain = self.rich_style
            prompt, quiet = (
                plain + self.get_component_rich_style(f"composer--{name}") for name in ("prompt", "placeholder")
            )
            self._look = _Look(plain, prompt, quiet)
        return self._look

    def _empty(self, width: int) -> list[Segment]:
        """Draw the cursor and the placeholder: its last part alone where there is no room for all."""
        text = self._placeholder
        if cell_len(text) > width:
            text = text.rpartition(" · ")[2]
        quiet = self._styled().quiet
        if cell_len(text) > width:
            text = text[: max(0, width - 1)] + "…"
        if not self.has_focus:
            return [Segment(text, quiet)]
        return [Segment(text[:1] or " ", quiet + _CURSOR), Segment(text[1:], quiet)]

    def _cursor_row(self) -> int:
        cursor = self.editor.cursor
        return max((number for number, (start, _) in enumerate(self._rows) if start <= cursor), default=0)

    def _position(self, number: int, column: int) -> int:
        """Return the position in the text that a column of a row shows."""
        start, end = self._rows[number]
        at = start
        while at < end and cell_len(self._drawn[start : self.editor.after(at)]) <= column:
            at = self.editor.after(at)
        return at

    def _to_row(self, number: int) -> bool:
        """Move the cursor to another row, in its column; return whether there is one."""
        if not 0 <= number < len(self._rows):
            return False
        if self._goal is None:
            start = self._rows[self._cursor_row()][0]
            self._goal = cell_len(self._drawn[start : self.editor.cursor])
        self.editor.move(self._position(number, self._goal))
        return True
