"""Rooms: making, entering, leaving and changing them, and going from one to the other."""

from typing import TYPE_CHECKING

from textual.content import Content

from chat_tui.acts.base import Acts
from chat_tui.config import save, settings_path
from chat_tui.state.rooms import Room

if TYPE_CHECKING:
    from chat_tui.widgets.rooms import RoomsBar  # made after the first paint
    from server.protocol.frames import Level  # only named here: not loaded before the first paint


class RoomActs(Acts):
    """What is done with rooms."""

    def enter(self, room: Room) -> None:
        """Show a room; of one that I am only invited to, ask first."""
        if room.member:
            self.session.show(room.handle)
        else:
            self._ask_in(room)

    def on_rooms_bar_picked(self, message: "RoomsBar.Picked") -> None:
        """Go to the room that was clicked."""
        self.enter(self.chat.room(message.handle))

    # Going from one to the other.

    def action_walk(self, step: int) -> None:
        """Go to the room above or below."""
        rooms = self._in_order()
        at = rooms.index(self.chat.current) if self.chat.current in rooms else 0
        if 0 <= at + step < len(rooms):
            self.enter(rooms[at + step])

    def action_nth(self, number: int) -> None:
        """Go to a room by its place in the list, from 1."""
        rooms = self._in_order()
        if number <= len(rooms):
            self.enter(rooms[number - 1])

    def action_next_unread(self) -> None:
        """Go to the room that wants to be read next."""
        room = self.chat.next_unread()
        if room is None:
            self.room.writer.remark("Nothing is unread in other rooms.")
        else:
            self.enter(room)

    def action_sort_rooms(self) -> None:
        """Order rooms by name, or by what is newest."""
        self.room.sort = self.settings.sort = "name" if self.room.sort == "recent" else "recent"
        self.room.refresh_rooms()
        save(self.settings, settings_path())

    # Commands.

    def command_join(self, name: str) -> None:
        """Enter a room, or take an invitation."""
        known = self.room_called(name)
        if known is not None and known.member:
            self.enter(known)
        else:
            self.attempt(self.session.join(known.handle if known else name))

    def command_make(self, name: str, private: str, topic: str) -> None:
        """Make a room, and show it."""
        self.attempt(self.session.make(name, "", topic, bool(private)))

    def command_leave(self, name: str) -> None:
        """Leave a room, or decline an invitation."""
        room = self.room_or_current(name)
        if room is not None:
            self.attempt(self.session.leave(room.handle))

    def command_topic(self, text: str) -> None:
        """Say what the room is about, or change that."""
        room = self.chat.current
        if text:
            self.attempt(self.session.change(room.handle, topic=text))
        else:
            self.tell(
                f"Topic: {room.topic}" if room.topic else "This room has no topic: /topic and a text gives it one."
            )

    def command_rename(self, title: str) -> None:
        """Give the room another title."""
        self.attempt(self.session.change(self.chat.current.handle, title=title))

    def command_archive(self) -> None:
        """Close the room."""
        self.attempt(self.session.change(self.chat.current.handle, archived=True))

    def command_unarchive(self) -> None:
        """Open the room again."""
        self.attempt(self.session.change(self.chat.current.handle, archived=False))

    def command_invite(self, name: str, where: str) -> None:
        """Invite somebody."""
        self._invite(name, where, on=True)

    def command_uninvite(self, name: str, where: str) -> None:
        """Take an invitation back."""
        self._invite(name, where, on=False)

    def command_favourite(self) -> None:
        """Keep the room at the top, or no more."""
        room = self.chat.current
        words = "stands at the top of the list" if not room.favourite else "stands among the others again"
        self._mark(f"{room.label(self.chat.name)} {words}.", favourite=not room.favourite)

    def command_mute(self) -> None:
        """Count nothing of the room, or do again."""
        room = self.chat.current
        words = "is muted: nothing of it is counted" if not room.muted else "is no longer muted"
        self._mark(f"{room.label(self.chat.name)} {words}.", muted=not room.muted)

    def command_notify(self, level: str) -> None:
        """Say what of the room I want to be told."""
        words: dict[Level, str] = {"all": "everything", "mentions": "what names you", "none": "nothing"}
        for known in words:
            if known == level:
                self._mark(f"You are told {words[known]} of {self.chat.current.label(self.chat.name)}.", level=known)

    # How.

    def _in_order(self) -> list[Room]:
        return self.chat.ordered(self.room.sort)

    def _invite(self, name: str, where: str, *, on: bool) -> None:
        room = self.room_or_current(where)
        if room is not None:
            said = f"{name} is invited" if on else f"{name} is not invited any more"
            told = room.timeline is self.chat.current.shown  # its log says so anyway
            self.attempt(
                self.session.invite(room.handle, name, on),
                lambda: None if told else self.tell(f"{said}: #{room.label(self.chat.name)}"),
            )

    def _mark(
        self, said: str, *, favourite: bool | None = None, muted: bool | None = None, level: "Level | None" = None
    ) -> None:
        marking = self.session.mark(self.chat.current.handle, favourite=favourite, muted=muted, level=level)
        self.attempt(marking, lambda: self.tell(said))

    def _ask_in(self, room: Room) -> None:
        """Ask whether I take an invitation."""
        from chat_tui.screens.page import PageScreen  # not before the first paint

        page = Content.assemble((room.invited_by, "bold"), " invites you to ", (f"# {room.title}", "bold"))

        def answer(key: str | None) -> None:
            if key == "enter":
                self.attempt(self.session.join(room.handle))
            elif key == "d":
                self.attempt(self.session.leave(room.handle))

        self.push_screen(PageScreen("Invitation", page, {"enter": "comes in", "d": "declines"}), answer)
