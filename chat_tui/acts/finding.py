"""Finding one's way: to a room or a person, to what is unread, to what was said once."""

from typing import TYPE_CHECKING

from textual.content import Content

from chat_tui.acts.messages import MessageActs
from chat_tui.acts.people import PeopleActs
from chat_tui.acts.rooms import RoomActs
from chat_tui.state.dates import parse_day, start
from chat_tui.widgets.log import MessageLog

if TYPE_CHECKING:
    from chat_tui.screens.pick import Choice
    from chat_tui.screens.search import Place
    from server.protocol import frames  # only named here: not loaded before the first paint

_ROOM, _PERSON = "room ", "person "


class FindingActs(MessageActs, PeopleActs, RoomActs):
    """What leads elsewhere."""

    def action_go_to(self) -> None:
        """Go to any room or person by a few letters."""
        from chat_tui.screens.pick import PickScreen  # not before the first paint

        screen = PickScreen("Go to", self._places, asks="a room or a person", none="No room and nobody is called so.")
        self.push_screen(screen, self._go)

    def action_catch_up(self) -> None:
        """Show all that is unread."""
        from chat_tui.screens.catch_up import CatchUpScreen  # not before the first paint

        me = (self.chat.name, self.chat.user)
        screen = CatchUpScreen(self.session.catch_up, self.session.read_all, me, self.chat.clock)
        self.push_screen(screen, self._go_to_place)

    def action_search(self) -> None:
        """Search all rooms."""
        self.command_search("")

    def action_list_rooms(self) -> None:
        """Show all public rooms, to enter one."""
        from chat_tui.screens.pick import Choice, PickScreen  # not before the first paint

        rooms: list[frames.RoomInfo] = []

        def choices(typed: str) -> list[Choice]:
            wanted = typed.removeprefix("#").casefold()
            fitting = [room for room in rooms if wanted in f"{room.room} {room.title} {room.topic}".casefold()]
            return [Choice(room.room, _listed(room)) for room in fitting]

        screen = PickScreen("Rooms", choices, asks="part of its name or topic", none="Looking…")

        async def load() -> None:
            page = await self.session.listing()
            rooms.extend(page.rooms)
            while page.more and screen.is_current:
                page = await self.session.listing(page.rooms[-1].room)
                rooms.extend(page.rooms)
            screen.none = "No room is called so. /make and a name makes one."
            screen.update()

        self.push_screen(screen, lambda handle: self.command_join(handle) if handle else None)
        self.attempt(load())

    def on_message_log_room_opened(self, message: MessageLog.RoomOpened) -> None:
        """Go to a room whose name was clicked in a message."""
        self.command_go(f"#{message.room}")

    # Commands.

    def command_go(self, name: str) -> None:
        """Go to a room or a person."""
        room = None if name.startswith("@") else self.room_called(name)
        if room is not None:
            self.enter(room)
        elif name.startswith("#"):
            self.complain(f"You are in no room called {name}. /rooms shows which there are.")
        else:
            self.command_msg(name.removeprefix("@"), "")

    def command_rooms(self) -> None:
        """Show all public rooms."""
        self.action_list_rooms()

    def command_search(self, query: str) -> None:
        """Search all rooms."""
        from chat_tui.screens.search import SearchScreen  # not before the first paint
        from chat_tui.state.query import parse

        def understood(typed: str) -> "frames.Search | None":
            return parse(typed, self.chat.clock(), self._handle_of)

        screen = SearchScreen(understood, self.session.search, self.label_of, self.chat.clock, query)
        self.push_screen(screen, self._go_to_place)

    def command_goto(self, where: str) -> None:
        """Read what was said on a day, or around the message that a link points at."""
        link = self.session.parse_permalink(where)
        day = parse_day(where, self.chat.clock())
        if link is not None:
            self.go_to_message(*link)
        elif day is not None:
            self.attempt(self._go_to_day(start(day)))
        else:
            self.complain(f"{where} is no day and no link. Type for example 2025-03-14, 3 march, yesterday or friday.")

    def command_catchup(self) -> None:
        """Show all that is unread."""
        self.action_catch_up()

    def command_read(self, name: str) -> None:
        """Mark a room as read."""
        room = self.room_or_current(name)
        if room is not None:
            self.session.read_all(room.handle)

    def command_pins(self) -> None:
        """Show what is pinned in the room, to go there."""
        self.attempt(self._pins())

    def back(self) -> None:
        """Return to the live end of the room."""
        self.session.back()

    # How.

    def _go(self, id: str | None) -> None:
        if id is None:
            return
        if id.startswith(_ROOM):
            self.enter(self.chat.room(id.removeprefix(_ROOM)))
        else:
            self.attempt(self.write_to([id.removeprefix(_PERSON)]))

    def _go_to_place(self, place: "Place | None") -> None:
        if place is not None:
            self.go_to_message(place.room, place.seq)

    async def _go_to_day(self, midnight: str) -> None:
        seq = await self.session.visit_date(self.chat.current.handle, midnight)
        if seq:
            self.arrive(seq)
        else:
            self.complain("Nothing was said here.")

    def _handle_of(self, name: str) -> str | None:
        room = self.room_called(name)
        return room.handle if room else None

    def _places(self, typed: str) -> "list[Choice]":
        """Return rooms and people that fit what is typed: what is unread first, then the latest; else by how well."""
        from textual.fuzzy import FuzzySearch

        from chat_tui.screens.pick import Choice
        from chat_tui.widgets.rooms import mark_of, news_of

        me, wanted = self.chat.name, typed.lstrip("#@")
        rooms = sorted(self.chat.ordered(), key=lambda room: (not room.mentions, not room.unread))
        alone = {room.label(me) for room in rooms if room.kind == "direct"}
        places = [(f"{_ROOM}{room.handle}", mark_of(room, me), room.label(me), news_of(room)) for room in rooms]
        names = sorted(set(self.chat.names.values()) - alone - {me}, key=str.casefold)
        places += [(f"{_PERSON}{name}", "@", name, "") for name in names]
        fuzzy = FuzzySearch()
        scored: list[tuple[float, Choice]] = []
        for id, mark, label, news in places:
            score, letters = fuzzy.match(wanted, label) if wanted else (1.0, ())
            if score > 0:
                shown = Content(label)  # not what Textual's matcher makes of it: it reads names as markup
                for letter in letters:
                    shown = shown.stylize("bold $accent", letter, letter + 1)
                news_shown = (f"  {news}", "bold $accent" if "@" in news else "$foreground 75%")
                line = Content.assemble((f"{mark} ", "$foreground 60%"), shown, news_shown if news else "")
                scored.append((score, Choice(id, line)))
        return [choice for _, choice in sorted(scored, key=_by_score)]

    async def _pins(self) -> None:
        from chat_tui.screens.excerpts import body, head
        from chat_tui.screens.pick import Choice, PickScreen

        messages = await self.session.pins()
        if not messages:
            self.tell("Nothing is pinned here. Shift+Tab chooses a message, p pins it.")
            return
        now = self.chat.clock()
        choices = [Choice(str(one.seq), Content("\n").join([head(one, now), body(one, 120)])) for one in messages]
        screen = PickScreen(
            "Pinned",
            lambda typed: [choice for choice in choices if typed.casefold() in choice.shown.plain.casefold()],
            asks="a word of it",
            none="Nothing pinned holds that.",
        )
        handle = self.chat.current.handle
        self.push_screen(screen, lambda seq: self.go_to_message(handle, int(seq)) if seq else None)


def _by_score(scored: "tuple[float, Choice]") -> float:
    return -scored[0]


def _listed(room: "frames.RoomInfo") -> Content:
    """Return a room as the list of all shows it."""
    people = f"{room.members} people" if room.members != 1 else "1 person"
    closed = " · closed" if room.archived else ""
    inside = " · you are in it" if room.member and room.members else ""
    line = Content.assemble(
        (f"# {room.title}", "bold"), (f"  {people if room.members else 'everyone'}{closed}{inside}", "$foreground 60%")
    )
    return Content("\n").join([line, Content.styled(f"  {room.topic}", "$foreground 75%")]) if room.topic else line
