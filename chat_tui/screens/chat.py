"""The room: log, people, composer."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from chat_tui import commands
from chat_tui.actions import BY_ID, Where, key_text, of
from chat_tui.state.chat import Changed, Chat
from chat_tui.widgets.bars import BottomLine, Hint, TopLine
from chat_tui.widgets.composer import Composer
from chat_tui.widgets.log import MessageLog
from chat_tui.widgets.people import Sidebar

if TYPE_CHECKING:
    from chat_tui.widgets.problem import Problem
    from chat_tui.widgets.suggestions import Suggestions

NARROW = 80
"""Columns of the terminal below which the sidebar folds by itself."""
_TWICE = 3.0
"""Seconds in which the second Ctrl+C leaves."""


def _hint(id: str) -> Hint:
    action = BY_ID[id]
    return key_text(action.keys[0]), action.short


class ChatScreen(Screen[None]):
    """Shows a chat and takes what is written. What it wants done it says to the app by messages."""

    BINDINGS = [
        Binding(",".join(action.keys), action.action, action.text, id=action.id, show=False)
        for action in of(Where.CHAT)
        if action.keys
    ]
    AUTO_FOCUS = "Composer"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]

    class Said(Message):
        """A message to send."""

        def __init__(self, text: str, me: bool) -> None:
            super().__init__()
            self.text = text
            self.me = me

    class Drafted(Message):
        """What is being written, after each change."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Called(Message):
        """A command to run: its `action`, with what stood after it."""

        def __init__(self, action: str, argument: str) -> None:
            super().__init__()
            self.action = action
            self.argument = argument

    def __init__(self, chat: Chat, *, people: bool) -> None:
        """Show `chat`; `people` says whether the sidebar is open where there is room."""
        super().__init__()
        self.chat = chat
        self.show_people = people
        self._over_log = False
        self._words: tuple[str, ...] = ("",)
        self._tone = "waiting"
        self._leaving: Timer | None = None
        room = chat.current
        self.top = TopLine(room.handle)
        self.log_view = MessageLog(room.timeline)
        self.sidebar = Sidebar(room.people)
        self._troubled = False
        self.composer = Composer(self._accept, self._completions)
        self.composer.placeholder = f"Message #{room.handle}"
        self.bottom = BottomLine()
        self.bottom.update(self._hints())

    # What is seldom seen is made, and its module loaded, after the first paint.

    @cached_property
    def problem(self) -> "Problem":
        """What went wrong with the connection."""
        from chat_tui.widgets.problem import Problem

        return Problem()

    @cached_property
    def suggestions(self) -> "Suggestions":
        """The commands that fit what is being written."""
        from chat_tui.widgets.suggestions import Suggestions

        return Suggestions()

    async def _complete(self) -> None:
        await self.mount(self.problem, before=self.composer)
        await self.mount(self.suggestions)

    def compose(self) -> ComposeResult:
        """Lay out the room."""
        yield self.top
        with Widget(id="room"):
            yield self.log_view
            yield self.sidebar
        yield self.composer
        yield self.bottom

    def on_mount(self) -> None:
        """Keep the keys below in step with where one reads."""
        self.watch(self.log_view, "newer_below", self.refresh_hints, init=False)
        self.log_view.timeline.listeners.append(self._log_changed)
        self.call_after_refresh(self._complete)

    # What the app tells.

    def changed(self, what: Changed) -> None:
        """Show what changed."""
        if Changed.PEOPLE in what or Changed.NAME in what:
            self.sidebar.update(self.chat.name)
            self._update_top()

    def link(self, words: tuple[str, ...], tone: str, problem: str = "", way_out: str = "") -> None:
        """Say how things stand with the server.

        Args:
            words: for the top line, in several lengths, the longest first.
            tone: good, waiting or bad.
            problem: what happened, as a sentence; empty where all is well.
            way_out: what to press.
        """
        self._words, self._tone = words, tone
        self.problem.update(problem, way_out, waiting=tone == "waiting")
        self._troubled = bool(problem)
        room = self.chat.current.handle
        self.composer.placeholder = f"Message #{room} · will be sent when connected" if problem else f"Message #{room}"
        self._update_top()
        self.refresh_hints()

    def invite(self, words: str) -> None:
        """Say something friendly in an empty log."""
        self.log_view.empty_text = words
        if not self.log_view.timeline.entries:
            self.log_view.show(self.log_view.timeline)

    # What happens here.

    def on_resize(self, event: events.Resize) -> None:
        """Fold or unfold the sidebar."""
        if event.size.width >= NARROW:
            self._over_log = False
        self._fold()

    def on_key(self, event: events.Key) -> None:
        """Bring what is typed elsewhere to the composer."""
        if event.is_printable and event.character and not event.key.startswith("alt+"):
            self.composer.focus()
            self.composer.insert(event.character)
            event.stop()
        elif event.key == "escape":
            self.clear_selection()
            self._over_log = False
            self._fold()
            self.composer.focus()

    def on_paste(self, event: events.Paste) -> None:
        """Bring what is pasted elsewhere to the composer."""
        self.composer.focus()
        self.composer.post_message(event)

    def on_composer_edited(self, message: Composer.Edited) -> None:
        """Help with what is being written."""
        self.suggestions.update(commands.suggest(message.text))
        self.post_message(self.Drafted(message.text))
        self._stay()

    def refresh_hints(self) -> None:
        """Show the keys that matter now."""
        self.bottom.update(self._hints())

    # Actions.

    def action_log(self, what: str) -> None:
        """Scroll the log, whatever has the focus."""
        getattr(self.log_view, f"action_{what}")()

    def action_people(self) -> None:
        """Show or hide who is here; over the log where there is no room beside it."""
        if self.size.width < NARROW:
            self._over_log = not self._over_log
        else:
            self.show_people = not self.show_people
        self._fold()

    def action_interrupt(self) -> None:
        """Copy, else clear, else leave when it is pressed twice."""
        selected = self.get_selected_text()
        if selected:
            self.app.copy_to_clipboard(selected)
            self.clear_selection()
        elif self.composer.text:
            self.composer.put("")  # undo brings it back
        elif self._leaving is not None:
            self.post_message(self.Called("quit", ""))
        else:
            self._leaving = self.set_timer(_TWICE, self._stay)
            self.refresh_hints()

    def action_redraw(self) -> None:
        """Draw everything anew, over whatever another program has left on the terminal."""
        self.refresh(layout=True)
        self.app.refresh()

    # How.

    def _accept(self, text: str) -> bool:
        """Do what a line of input asks for; return whether it is done with."""
        asked = commands.read(text)
        match asked:
            case commands.Say(said, me):
                self.post_message(self.Said(said, me))
            case commands.Call(command, argument):
                self.post_message(self.Called(command.action, argument))
            case commands.Complaint(why):
                self.chat.current.timeline.notice(why, self.chat.clock(), "error")
                return False
            case _:
                return False
        self.log_view.action_end()
        return True

    def _completions(self) -> Iterable[str]:
        """Names that Tab completes: who spoke last is meant most often, then all who are here; and commands."""
        here = self.chat.current.people.ordered(self.chat.name)
        recent = dict.fromkeys(
            entry.name for entry in reversed(self.chat.current.timeline.entries[-200:]) if entry.name
        )
        names = dict.fromkeys([*(name for name in recent if name in here), *here])
        names.pop(self.chat.name, None)
        return [*names, *(f"/{command.name}" for command in commands.COMMANDS)]

    def _hints(self) -> list[Hint]:
        text = self.composer.text
        if self._leaving is not None:
            return [("Ctrl+C", "again leaves")]
        if text.strip() == "exit":
            return [("Enter", "leaves"), ("/say exit", "says it")]
        if commands.suggest(text):
            return [("Tab", "complete"), ("Enter", "run"), ("//", "to start with a slash")]
        hints = []
        if self._troubled:
            hints.append(_hint("program.connect"))
        if self.chat.current.timeline.failed():
            hints += [_hint("message.retry"), _hint("message.take_back")]
        elif self._troubled and self.chat.current.timeline.waiting():
            hints.append(_hint("message.take_back"))
        if self.log_view.newer_below:
            hints.append(("End" if not text else "Ctrl+End", "newest"))
        if text:
            hints += [_hint("write.send"), _hint("write.new_line")]
        return [*hints, *map(_hint, ("program.help", "program.people", "program.palette", "program.quit"))][:5]

    def _log_changed(self, at: int, removed: int, added: int) -> None:
        """A message failed, or one was taken back."""
        if removed:
            self.call_later(self.refresh_hints)

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.stop()
            self._leaving = None
        self.refresh_hints()

    def _fold(self) -> None:
        narrow = self.size.width < NARROW
        self.set_class(not (self._over_log if narrow else self.show_people), "-folded")
        self._update_top()

    def _update_top(self) -> None:
        count = len(self.chat.current.people) if self.has_class("-folded") else 0
        self.top.update(self._words, self._tone, count)

    def on_unmount(self) -> None:
        """Stop listening."""
        with suppress(ValueError):
            self.log_view.timeline.listeners.remove(self._log_changed)
