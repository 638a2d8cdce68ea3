"""The chat: rooms, log, people, composer."""

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.timer import Timer

from chat_tui import commands
from chat_tui.actions import Where, of
from chat_tui.completion import known, offers
from chat_tui.screens import hints, words
from chat_tui.state.chat import Changed, Chat, Sort
from chat_tui.state.recall import Offers
from chat_tui.widgets.bars import BottomLine, Hint, TopLine
from chat_tui.widgets.composer import Composer
from chat_tui.widgets.log import MessageLog
from chat_tui.widgets.still import Still
from chat_tui.widgets.writer import Aim, Doer, Writer

if TYPE_CHECKING:
    from chat_tui.widgets.people import PeopleBar
    from chat_tui.widgets.problem import Problem
    from chat_tui.widgets.rooms import RoomsBar
    from chat_tui.widgets.suggestions import Suggestions

NARROW, HALF = 80, 100
"""Columns of the terminal below which the people, and the rooms, fold by themselves."""
_TWICE = 3.0
"""Seconds in which the second Ctrl+C leaves."""
_TICK = 0.5
"""Seconds between two looks at whether one may write again."""
_OF_MESSAGE = frozenset(key for action in of(Where.MESSAGE) for key in action.keys)


class ChatScreen(Still, Screen[None]):
    """Shows a chat and takes what is written.

    Args:
        chat: what is shown.
        doer: does what is asked for.
        people: the people are shown where there is room.
        rooms: the same of the rooms, once there are several.
        sort: how the rooms are ordered.
    """

    BINDINGS = [
        Binding(",".join(action.keys), action.action, action.text, id=action.id, show=False)
        for action in of(Where.CHAT)
        if action.keys
    ]
    AUTO_FOCUS = "Composer"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-half"), (HALF, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]

    def __init__(self, chat: Chat, doer: Doer, *, people: bool, rooms: bool, sort: Sort) -> None:
        super().__init__(classes="-no-people -no-rooms")  # until there is somebody to show
        self.chat = chat
        self._resumed = self._complete = False
        self.sort: Sort = sort
        self.show_people, self.show_rooms = people, rooms
        self._doer = doer
        self._over_log: Literal["people", "rooms", ""] = ""
        self._states: tuple[str, ...] = ("",)
        self._tone = "waiting"
        self._troubled = False
        self._tries = True
        self._leaving: Timer | None = None
        self._ticking: Timer | None = None
        self._invitation = ""
        self._room = chat.current
        self.top = TopLine(f"# {self._room.title}")
        self.log_view = MessageLog(self._room.shown)
        self.writer = Writer(doer, self._offers, self._room.place)
        self.composer = self.writer.composer
        self._update_placeholder()
        self.bottom = BottomLine()
        self.bottom.update(self._hints())

    # What is seldom seen is made, and its module loaded, after the first paint.

    @cached_property
    def rooms(self) -> "RoomsBar":
        """Which rooms I am in."""
        from chat_tui.widgets.rooms import RoomsBar

        return RoomsBar()

    @cached_property
    def people(self) -> "PeopleBar":
        """Who is here."""
        from chat_tui.widgets.people import PeopleBar

        return PeopleBar()

    @cached_property
    def problem(self) -> "Problem":
        """What went wrong with the connection."""
        from chat_tui.widgets.problem import Problem

        return Problem()

    @cached_property
    def suggestions(self) -> "Suggestions":
        """What the word that is being written may become."""
        from chat_tui.widgets.suggestions import Suggestions

        return Suggestions()

    async def _add_the_rest(self) -> None:
        beside = self.query_one("#room")
        await beside.mount(self.rooms, before=self.log_view)
        await beside.mount(self.people)
        self._complete = True
        self._fold()
        await self.mount(self.problem, before=self.writer)
        await self.mount(self.suggestions)

    def compose(self) -> ComposeResult:
        """Lay out the chat."""
        yield self.top
        with Still(id="room"):
            yield self.log_view
        yield self.writer
        yield self.bottom

    def on_mount(self) -> None:
        """Keep the keys below in step with where one reads."""
        self.watch(self.log_view, "newer_below", self.refresh_hints, init=False)
        self.watch(self.log_view, "focused_message", self._focus_moved, init=False)
        self._room.timeline.listeners.append(self._log_changed)
        self.call_after_refresh(self._add_the_rest)

    async def on_event(self, event: events.Event) -> None:
        """Leave the styles alone when first shown: each widget got its own as it came in."""
        if isinstance(event, events.ScreenResume) and not self._resumed:
            event.refresh_styles, self._resumed = False, True
        await super().on_event(event)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._room.timeline.listeners.remove(self._log_changed)

    # What the app tells.

    def enter(self, draft: str) -> None:
        """Show what is shown of the chat's current room now, with what was being written there."""
        self._room.timeline.listeners.remove(self._log_changed)
        self._room = self.chat.current
        self._room.timeline.listeners.append(self._log_changed)
        self._over_log = ""
        self.writer.enter(self._room.place, draft)
        self._update_placeholder()
        self.set_focus(self.composer)
        self.changed(~Changed.NOTHING)

    def changed(self, what: Changed) -> None:
        """Show what changed."""
        if self.log_view.timeline is not self._room.shown:
            self.log_view.show(self._room.shown)
            self.set_focus(self.composer)
            what |= Changed.SHOWN
        if what & (Changed.PEOPLE | Changed.NAME | Changed.STATUS | Changed.TYPING | Changed.SHOWN):
            self._update_people()
        if what & (Changed.ROOMS | Changed.MARKS | Changed.STATUS | Changed.PEOPLE | Changed.NAME | Changed.SHOWN):
            self.refresh_rooms()
            self.refresh_hints()
        if what & (Changed.ROOMS | Changed.SHOWN):
            self._fold()
            self._update_empty()
            self._update_placeholder()
        self._update_top()

    def link(self, states: tuple[str, ...], tone: str, problem: str = "", way_out: str = "") -> None:
        """Say how things stand with the server.

        Args:
            states: for the top line, in several lengths, the longest first.
            tone: good, waiting or bad.
            problem: what happened, as a sentence; empty where all is well.
            way_out: what to press.
        """
        self._states, self._tone = states, tone
        self.problem.update(problem, way_out, waiting=tone == "waiting")
        self._troubled = bool(problem)
        self._tries = bool(way_out) or tone == "waiting"
        self._update_placeholder()
        self._update_top()
        self.refresh_hints()

    def invite(self, invitation: str) -> None:
        """Say something friendly in the log of the room for all while it is empty; nothing while not connected."""
        self._invitation = invitation
        self._update_empty()

    def aim(self, aim: Aim, text: str = "") -> None:
        """Have the next message answer another, or take its place; `text` is what an edit starts from."""
        self.writer.aim(aim, text)
        self.set_focus(self.composer)

    def begin(self, command: commands.Command) -> None:
        """Run a command that needs nothing more; else have the rest of it written."""
        if any(arg.needed for arg in command.args):
            self.composer.put(f"/{command.name} ")
            self.set_focus(self.composer)
        else:
            self._doer.call(command, ("",) * len(command.args))

    def may(self, command: commands.Command) -> bool:
        """Say whether a command is to be offered here."""
        return self.chat.may(command.least, server=command.server)

    def refresh_rooms(self) -> None:
        """Show the rooms in their order."""
        self.rooms.update(self.chat.ordered(self.sort), self._room, self.chat.name)

    # What happens here.

    def on_resize(self, event: events.Resize) -> None:
        """Fold or unfold the sidebars, and fit what floats above them."""
        self._over_log = ""
        if self._complete:
            self._fold()
        self.query("Suggestions").refresh(layout=True)

    def on_key(self, event: events.Key) -> None:
        """Bring what is typed elsewhere to the composer, unless it is done with the message that has the focus."""
        if self.log_view.focused_message is not None and event.key in _OF_MESSAGE:
            return
        if event.is_printable and event.character and not event.key.startswith("alt+"):
            self.set_focus(self.composer)
            self.composer.insert(event.character)
            event.stop()

    def on_paste(self, event: events.Paste) -> None:
        """Bring what is pasted elsewhere to the composer."""
        self.set_focus(self.composer)
        self.composer.post_message(event)

    def on_writer_touched(self, message: Writer.Touched) -> None:
        """Help with what is being written."""
        message.stop()
        self._stay()

    def on_composer_sought(self, message: Composer.Sought) -> None:
        """Ask who else fits, of a crowd."""
        message.stop()
        if self._room.people.unknown:
            self._doer.seek(message.begins, self.composer.complete_again, anew=True)

    def on_message_log_unfocused(self) -> None:
        """Go on writing."""
        self.set_focus(self.composer)

    def refresh_hints(self) -> None:
        """Show the keys that matter now."""
        self.bottom.update(self._hints())

    # Actions.

    def action_log(self, what: str) -> None:
        """Scroll the log, whatever has the focus. The end of what stands around an old message is now."""
        if what == "end" and self._room.visit is not None and self._room.thread is None:
            self._doer.back()
        else:
            getattr(self.log_view, f"action_{what}")()

    def action_focus_message(self) -> None:
        """Let the newest message that is seen have the focus."""
        self.set_focus(self.log_view)
        self.log_view.action_focus_last()
        if self.log_view.focused_message is None:
            self.set_focus(self.composer)

    def action_back(self) -> None:
        """Undo one step of what is open."""
        if self.get_selected_text():
            self.clear_selection()
        elif self._over_log:
            self._over_log = ""
            self._fold()
        elif self.writer.calm():
            pass
        elif self.suggestions.display:
            self.suggestions.update(())
        elif not self.composer.has_focus:
            self.set_focus(self.composer)
        elif self.writer.stop_aiming():
            pass
        elif self._room.shown is not self._room.timeline:
            self._doer.back()
        elif not self.composer.text:
            self.action_focus_message()

    def action_people(self) -> None:
        """Show or hide who is here; over the log where there is no room beside it."""
        if self.size.width < NARROW:
            self._over_log = "" if self._over_log == "people" else "people"
        else:
            self.show_people = not self.show_people
        self._fold()

    def action_rooms(self) -> None:
        """Show or hide the rooms; over the log where there is no room beside it."""
        if self.size.width < HALF:
            self._over_log = "" if self._over_log == "rooms" else "rooms"
        else:
            self.show_rooms = not self.show_rooms
        self._fold()

    def action_interrupt(self) -> None:
        """Copy, else clear, else leave when it is pressed twice."""
        selected = self.get_selected_text()
        if selected:
            self.app.copy_to_clipboard(selected)
            self.clear_selection()
        elif self.composer.text:
            self.composer.put("")  # undo brings it back
            self.writer.calm()
        elif self._leaving is not None:
            self._doer.call(commands.BY_NAME["quit"], ())
        else:
            self._leaving = self.set_timer(_TWICE, self._stay)
            self.refresh_hints()

    def action_redraw(self) -> None:
        """Draw everything anew, over whatever another program has left on the terminal."""
        self.refresh(layout=True)
        self.app.refresh()

    # How.

    def _offers(self, text: str, cursor: int) -> Offers:
        return offers(text, cursor, known(self.chat, self.sort, self.may))

    def _hints(self) -> list[Hint]:
        text = self.composer.text
        if self._leaving is not None:
            return [("Ctrl+C", "again leaves")]
        focused = self.log_view.focused_entry
        if focused is not None:
            return hints.of_message(focused, moderates=self.chat.may("moderator"))
        return hints.of_text(text, self.may) or hints.of_room(
            self._room,
            text,
            newer_below=bool(self.log_view.newer_below),
            troubled=self._troubled,
            tries=self._tries,
            unread=self.chat.next_unread() is not None,
            several=len(self.chat.rooms) > 1,
        )

    def _log_changed(self, at: int, removed: int, added: int) -> None:
        """A message failed, or one was taken back."""
        if removed:
            self.call_later(self.refresh_hints)

    def _focus_moved(self) -> None:
        """What was asked of one message is not meant for another; nothing is completed meanwhile."""
        self.writer.calm()
        if self.log_view.focused_message is not None:
            self.suggestions.update(())
        self.refresh_hints()

    def _stay(self) -> None:
        """Go on: nobody leaves."""
        if self._leaving is not None:
            self._leaving.stop()
            self._leaving = None
        self._suggest()
        self.refresh_hints()
        if self._room.people.unknown:
            begun = self.composer.begun
            self._doer.seek(begun.name if begun.floats else "", self._suggest)

    def _suggest(self) -> None:
        shown, chosen = self.composer.offered
        self.suggestions.update(shown, chosen, self.writer.size.height + 1)

    def _update_placeholder(self) -> None:
        self.composer.placeholder = words.placeholder(self.chat, troubled=self._troubled)
        if self._ticking is None and self.is_attached and self.chat.passes():
            self._ticking = self.set_interval(_TICK, self._tick)

    def _tick(self) -> None:
        """Count down until one may write again."""
        self._update_placeholder()
        if self._ticking is not None and not self.chat.passes():
            self._ticking.stop()
            self._ticking = None

    def _update_empty(self) -> None:
        self.log_view.empty_text = words.empty(self._room, self.chat.name, self._invitation)

    def _update_people(self) -> None:
        names = [name for name in self._room.people.typing(self.chat.clock()) if name != self.chat.name]
        people = self._room.people
        self.people.update(people, self.chat.name, names, self._room.timeline.spoke() if people.count else ())
        self.writer.quieten(words.writing(names) if self.has_class("-no-people") else "")

    def _fold(self) -> None:
        width, over = self.size.width, self._over_log
        people = over == "people" if width < NARROW else self.show_people
        rooms = over == "rooms" if width < HALF else self.show_rooms
        several = len(self.rooms.rows) > 1
        self.set_class(not people or self._room.kind == "direct", "-no-people")
        self.set_class(not rooms or not several, "-no-rooms")
        self._update_people()
        self._update_top()

    def _update_top(self) -> None:
        self.top.where(*words.heading(self._room, self.chat.name, self.chat.clock()))
        rooms, people = self.has_class("-no-rooms"), self.has_class("-no-people")
        live = self.log_view.timeline is self._room.timeline and not self.log_view.newer_below
        counts = words.counts(self.chat, rooms=rooms, people=people, reads=live and self.app.app_focus)
        self.top.update(self._states, self._tone, counts)
