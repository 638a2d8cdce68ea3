"""What all acts share: the chat, the way to the server, and where to say how it went."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.content import Content

from chat_tui.errors import ClientError
from chat_tui.state.dates import said_here
from chat_tui.state.entries import Entry
from chat_tui.state.rooms import Room

if TYPE_CHECKING:
    from textual.app import App

    from chat_tui.config import Settings
    from chat_tui.screens.chat import ChatScreen
    from chat_tui.session import Session
    from chat_tui.state.chat import Chat

    _Base = App[int]
else:
    _Base = object  # Textual takes a third of a millisecond to make a class that is an app's, before the first paint


class Acts(_Base):
    """The part of the app that its acts need."""

    chat: "Chat"
    room: "ChatScreen"
    settings: "Settings"

    @property
    def session(self) -> "Session":
        """The way to the server."""
        raise NotImplementedError

    def tell(self, text: str) -> None:
        """Answer in the log."""
        self.chat.current.shown.notice(text, self.chat.clock(), "info")

    def complain(self, why: str) -> None:
        """Say what went wrong, where it is written."""
        self.room.writer.complain(said_here(why, self.chat.clock()))

    def ask(self, title: str, means: str, does: str, then: Callable[[], None]) -> None:
        """Ask before something is done: y does it, Escape does not.

        Args:
            title: the question.
            means: what it means, as sentences.
            does: what y does, as the line of keys says it.
            then: does it.
        """
        from chat_tui.screens.page import PageScreen  # not before the first paint

        screen = PageScreen(title, Content(f"\n{means}\n"), {"y": does, "escape": "does not"})
        self.push_screen(screen, lambda key: then() if key == "y" else None)

    def attempt(
        self,
        act: Coroutine[Any, Any, None],
        then: Callable[[], None] = lambda: None,
        otherwise: Callable[[], None] = lambda: None,
    ) -> None:
        """Do what has to wait for the server, and `then` what follows; where it refuses, `otherwise`, and say why.

        A command that is refused stands where it was typed again.
        """
        writer = self.room.writer
        line, place = writer.running, writer.composer.place

        def refused(why: str) -> None:
            otherwise()
            writer.run_again(line, place)
            self.complain(why)

        self.run_worker(self._attempt(act, then, refused))

    async def _attempt(
        self, act: Coroutine[Any, Any, None], then: Callable[[], None], refused: Callable[[str], None]
    ) -> None:
        try:
            await act
        except ClientError as error:
            refused(error.message)
        else:
            then()

    def room_called(self, name: str) -> Room | None:
        """Return the room that somebody means: by its handle, or by what it is called."""
        wanted = name.strip().removeprefix("#").casefold()
        rooms = self.chat.ordered()
        by_handle = next((room for room in rooms if room.handle == wanted), None)
        return by_handle or next((room for room in rooms if room.label(self.chat.name).casefold() == wanted), None)

    def room_or_current(self, name: str) -> Room | None:
        """Return the room that is named, or the one that is shown where none is; None, and a complaint, for no room."""
        room = self.room_called(name) if name else self.chat.current
        if room is None:
            self.complain(f"You are in no room called {name}. /rooms shows which there are.")
        return room

    def label_of(self, handle: str) -> str:
        """Return what a room is called, with the mark of its kind."""
        room = self.chat.rooms.get(handle)
        if room is None:
            return f"#{handle}"
        label = room.label(self.chat.name)
        return f"@{label}" if room.kind == "direct" else f"#{label}"

    def message(self, seq: int) -> Entry | None:
        """Return a message of the room that is shown."""
        room = self.chat.current
        return room.shown.message(seq) or room.timeline.message(seq)
