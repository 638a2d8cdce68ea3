"""A few fields to fill in, for secrets above all: to log in, to get an account, to change a password."""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Static

from chat_tui.actions import key_text
from chat_tui.errors import ClientError, Refused
from chat_tui.widgets.composer import Composer

_AGAIN_IN = re.compile(r"\s*Again in [0-9.]+ s\.?$")
"""How a refusal says when to try again: here that is counted down."""
_TICK = 0.25
"""Seconds between two looks at how long is to be waited."""

Submit = Callable[[Sequence[str]], Awaitable[None]]
"""Does what the form is for, with what stands in its fields; a ClientError's message is shown, and the form stays."""


class Field(NamedTuple):
    """Something to fill in."""

    label: str
    again: bool = False
    """The one before once more, so that nothing is mistyped that nobody sees."""
    least: int = 1
    """Characters that it has at least; 0: it may be left empty."""
    masked: bool = True
    holds: str = ""
    """Stands there already."""
    refused: tuple[str, ...] = ()
    """Codes of refusals by which what stands there is wrong: it is typed anew. After others it is right, perhaps."""

    @property
    def name(self) -> str:
        """What it is called within a sentence."""
        return self.label.partition(",")[0]


class FormScreen(ModalScreen[str]):
    """Asks until what it is for is done, and ends with `done` then; with a key of `keys`, or None where it was closed.

    Args:
        title: what it is for.
        why: what it means to fill it in, as sentences.
        fields: what is asked for, in order.
        submit: does it.
        keys: what else can be done here: by key, as Textual names it, what pressing it does.
        does: what Enter does, where there is room to say so.
        escape: what Escape does.
        problem: what went wrong before, as a sentence.
    """

    AUTO_FOCUS = "Composer"
    CSS_PATH = "../styles/floating.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]
    DONE = "done"

    def __init__(
        self,
        title: str,
        why: str,
        fields: Sequence[Field],
        submit: Submit,
        *,
        keys: dict[str, str] | None = None,
        does: str = "",
        escape: str = "closes",
        problem: str = "",
    ) -> None:
        super().__init__()
        self._title = title
        self._why = why
        self._fields = fields
        self._submit = submit
        self._keys = keys or {}
        self._does = f"Enter {does}".strip()
        self._escape = escape
        self._problem = problem
        self._inputs = [Composer(self._accept, one_line=True, masked=field.masked) for field in fields]
        self._state = Static(markup=False, classes="state")
        self._busy = False
        self._refusal = ""
        self._due = 0.0
        """When the same may be tried again, by the event loop's clock."""
        self._counting: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with VerticalScroll(classes="floating", can_focus=False) as box:
            box.border_title = self._title
            more = "Tab next · " if len(self._fields) > 1 else ""
            box.border_subtitle = f"{self._does} · {more}Esc {self._escape}"
            yield Static(self._why, classes="why", markup=False)
            for field, put in zip(self._fields, self._inputs, strict=True):
                yield Static(field.label, classes="label", markup=False)
                yield put
            yield self._state
            if self._keys:
                does = (f"{key_text(key)} {what}" for key, what in self._keys.items())
                yield Static("   ".join(does), classes="keys", markup=False)

    def on_mount(self) -> None:
        """Put in what is known already."""
        for field, put in zip(self._fields, self._inputs, strict=True):
            put.put(field.holds)
        empty = next((put for put in self._inputs if not put.text), self._inputs[0])
        self.call_after_refresh(self._begin, empty)
        self._say(self._problem, bad=True)

    def on_resize(self) -> None:
        """Keep in view what is being filled in."""
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def on_key(self, event: events.Key) -> None:
        """Go from field to field, or do something else."""
        if event.key == "escape" or event.key in self._keys:
            event.stop()
            self.dismiss(event.key if event.key in self._keys else None)
        elif event.key in ("tab", "down", "shift+tab", "up"):
            event.stop()
            self._walk(1 if event.key in ("tab", "down") else -1)
        elif self.focused not in self._inputs:  # typed ahead of its coming
            event.stop()
            self._inputs[0].post_message(events.Key(event.key, event.character))

    def on_composer_edited(self, message: Composer.Edited) -> None:
        """What went wrong was said."""
        message.stop()
        if message.text and not self._busy and self._counting is None:
            self._say("")

    # How.

    def _begin(self, empty: Composer) -> None:
        """Go to the first field that is not filled in, unless a key came before and has gone elsewhere."""
        if self.focused in (None, self._inputs[0]):
            self.set_focus(empty)

    def _walk(self, step: int) -> None:
        at = self._inputs.index(self.focused) if isinstance(self.focused, Composer) else 0
        if step > 0 and self._inputs[at].text and not self._fields[at].again and not self._right(at):
            return
        self._inputs[(at + step) % len(self._inputs)].focus()

    def _accept(self, _: str) -> str | None:
        """Go to the field that is not filled in yet, else do it; what is written stays."""
        if self._busy or self._counting is not None:
            return None
        here = next((at for at, put in enumerate(self._inputs) if put.has_focus), 0)
        for at, put in enumerate(self._inputs):
            if at > here and not put.text:
                put.focus()
                return None
            if not self._right(at):
                return None
        self._busy = True
        self._say("…")
        self.run_worker(self._try())
        return None

    def _right(self, at: int) -> bool:
        """Tell whether what stands in a field may be right; else say what is wrong, and have it typed anew."""
        field, text = self._fields[at], self._inputs[at].text
        if field.again:
            wrong = "" if text == self._inputs[at - 1].text else "The two are not the same. Type both once more:"
        elif not text and field.least:
            wrong = f"{field.name} is missing."
        else:
            wrong = "" if len(text) >= field.least else f"It needs at least {field.least} characters."
        if wrong:
            self._type_anew([at - 1, at] if field.again else [], at)
            self._say(wrong, bad=True)
        return not wrong

    def _type_anew(self, wrong: Sequence[int], at: int) -> None:
        """Empty the fields that are wrong, with what repeats them, and go to the first one, else to the one at `at`."""
        for number, field in enumerate(self._fields):
            if number in wrong or (field.again and number - 1 in (*wrong, at)):
                self._inputs[number].put("")
        self._inputs[min(wrong, default=at)].focus()

    async def _try(self) -> None:
        try:
            await self._submit([put.text for put in self._inputs])
        except ClientError as error:
            self._busy = False
            self._failed(error)
        else:
            self.dismiss(self.DONE)

    def _failed(self, error: ClientError) -> None:
        if isinstance(error, Refused) and error.wait_ms:
            self._refusal = _AGAIN_IN.sub("", error.message)
            for field, put in zip(self._fields, self._inputs, strict=True):
                if field.masked and not field.holds:
                    put.offer(put.text)  # it may well be right; who types begins anew
            self._due = asyncio.get_running_loop().time() + error.wait_ms / 1000
            self._counting = self.set_interval(_TICK, self._count)
            self._count()
            return
        self._say(error.message, bad=True)
        code = error.code if isinstance(error, Refused) else ""
        if wrong := [at for at, field in enumerate(self._fields) if code in field.refused]:
            self._type_anew(wrong, wrong[0])

    def _count(self) -> None:
        """Say how long it takes until the same may be tried again."""
        left = self._due - asyncio.get_running_loop().time()
        if left > 0:
            self._say(f"{self._refusal} Again in {math.ceil(left)} s.", bad=True)
        elif self._counting is not None:
            self._counting.stop()
            self._counting = None
            self._say("Enter tries again.")

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._state.update(text)
        self._state.display = bool(text)
        self._state.set_class(bad, "-bad")
