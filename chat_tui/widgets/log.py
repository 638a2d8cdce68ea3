"""The message log."""

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.reactive import reactive

from chat_tui.actions import Where, of
from chat_tui.state.entries import HIDDEN, Entry
from chat_tui.state.timeline import Timeline
from chat_tui.widgets.log_pane import LogPane
from chat_tui.widgets.log_view import is_message

_OF_MESSAGE = frozenset(action.action.partition("(")[0] for action in of(Where.MESSAGE))


class MessageLog(LogPane):
    """A log in which a message can have the focus and be acted on. What is to be done with it, messages say."""

    BINDINGS = [
        Binding(",".join(action.keys), action.action, action.text, id=action.id, show=False)
        for action in of(Where.MESSAGE)
    ]

    focused_message: reactive[int | None] = reactive(None, init=False)
    """The seq of the message that has the focus. Another widget's focus takes it away."""

    class LinkOpened(Message):
        """A link was clicked: of the web, or of a chat (`chat://`)."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

    class RoomOpened(Message):
        """A room's name was clicked: its handle, as somebody wrote it."""

        def __init__(self, room: str) -> None:
            super().__init__()
            self.room = room

    class Acted(Message):
        """Something is to be done with a message.

        Actions are those of `chat_tui.actions`: reply, edit, delete, react, copy, open_link, pin, thread, quote,
        unread, link, who, report, show. `argument` is the emoji's name where a reaction was clicked, else empty.
        """

        def __init__(self, action: str, seq: int, argument: str = "") -> None:
            super().__init__()
            self.action = action
            self.seq = seq
            self.argument = argument

    class Unfocused(Message):
        """No message has the focus any more, because somebody is done with it, or it is gone."""

    @property
    def focused_entry(self) -> Entry | None:
        """The message that has the focus."""
        return None if self.focused_message is None else self.timeline.message(self.focused_message)

    def show(self, timeline: Timeline) -> None:
        """Show another timeline: where it had been scrolled to, else at its end. No message has the focus then."""
        if timeline is not self.timeline:
            self.focused_message = None
        super().show(timeline)
        self.watch_focused_message(self.focused_message)

    def focus_on(self, seq: int) -> bool:
        """Give a message the focus, and show it among its neighbours; return whether it is held."""
        index = self.timeline.index_of(seq)
        if index is None:
            return False
        self.focus()
        self._focus_index(self._looked_at().first_of(index), middle=True)
        return True

    def watch_focused_message(self, seq: int | None) -> None:
        """Show which one it is."""
        if self._view is not None:
            self._view.focus = seq
        self._stale()

    # What the mouse does.

    def on_click(self, event: events.Click) -> None:
        """Do what is clicked; else give the message the focus, and select its text by a double click."""
        if self.newer_below and event.y == self.size.height - 1:
            self.action_end()
        elif event.chain > 1:
            event.prevent_default()  # which would select the whole log
            widget, place = self.screen.get_widget_and_offset_at(*event.screen_offset)
            if widget is self and place is not None:
                self.screen.selections = {self: self._looked_at().whole(place.y)}
        elif self.text_selection is None:
            self._click(event)

    def _click(self, event: events.Click) -> None:
        meta = event.style.meta
        if event.style.link or "link" in meta:
            self.post_message(self.LinkOpened(event.style.link or meta["link"]))
        elif "room" in meta:
            self.post_message(self.RoomOpened(meta["room"]))
        elif "act" in meta:
            self.post_message(self.Acted(*meta["act"]))
        else:
            entry = self._looked_at().entry_at(self.size.height - 1 - event.y)
            if entry is not None and entry.flags & HIDDEN:
                self.post_message(self.Acted("show", entry.seq))
            elif entry is None or not is_message(entry):
                self.action_focus_none()
            else:
                self.focused_message = entry.seq

    # What keys do.

    def on_blur(self) -> None:
        """Let go of the message where another widget takes the focus; the whole terminal may lose it meanwhile."""
        if self.screen.focused is not None:
            self.focused_message = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take the keys of a message while one has the focus: at any other time they are letters to be written."""
        return self.focused_message is not None or action not in _OF_MESSAGE

    def action_act(self, action: str) -> None:
        """Have something done with the message that has the focus."""
        seq = self.focused_message
        if seq is not None:
            self.say(lambda: self.Acted(action, seq))

    def action_focus_last(self) -> None:
        """Give the newest message that is seen the focus."""
        view = self._looked_at()
        self._rows_seen()
        index = view.next_message(view.seen.stop, -1)
        if index is not None:
            self._focus_index(index)

    def action_focus_up(self) -> None:
        """Go to the message above."""
        self._step(-1)

    def action_focus_down(self) -> None:
        """Go to the message below; past the newest one, be done."""
        self._step(1)

    def action_focus_none(self) -> None:
        """Be done with the message."""
        self.focused_message = None
        self.say(self.Unfocused)

    def action_page_up(self) -> None:
        """Move a screen towards older messages, and the focus with it."""
        super().action_page_up()
        self._follow_view(1)

    def action_page_down(self) -> None:
        """Move a screen towards newer messages, and the focus with it."""
        super().action_page_down()
        self._follow_view(-1)

    def action_home(self) -> None:
        """Go to the oldest message held."""
        super().action_home()
        self._follow_view(1)

    def action_end(self) -> None:
        """Go to the newest message and follow; where it is not held, say that it is wanted."""
        super().action_end()
        self._follow_view(-1)

    def _step(self, step: int) -> None:
        view = self._looked_at()
        index = view.focus_index()
        if index is None:
            self.action_focus_last()
            return
        following = view.next_message(index, step)
        if following is not None:
            self._focus_index(following)
        elif step > 0 and not self.timeline.more_after:
            self.action_focus_none()
        else:
            self._want()

    def _follow_view(self, step: int) -> None:
        """Give the first message that is seen the focus (1), or the last (-1), if any has it."""
        if self.focused_message is None:
            return
        view = self._looked_at()
        index = view.next_message(view.seen.start - 1 if step > 0 else view.seen.stop, step)
        if index is not None:
            self._focus_index(index)

    def _focus_index(self, index: int, *, middle: bool = False) -> None:
        view = self._looked_at()
        self.focused_message = self.timeline.entries[index].seq
        view.focus = self.focused_message
        view.reveal(index, middle=middle)
        self._moved()

    def _changed(self, at: int, removed: int, added: int) -> None:
        """Take in a change of the timeline."""
        super()._changed(at, removed, added)
        if removed and self.focused_message is not None and self.timeline.index_of(self.focused_message) is None:
            self.action_focus_none()
