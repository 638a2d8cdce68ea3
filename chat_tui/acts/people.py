"""People: who is here, who somebody is, writing to them alone, and being away oneself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual import work
from textual.content import Content

from chat_tui.acts.base import Acts
from chat_tui.errors import ClientError
from chat_tui.state import deeds
from chat_tui.state.dates import seconds_of, when
from chat_tui.state.entries import names_in_words

if TYPE_CHECKING:
    from chat_tui.state.rooms import Room
    from chat_tui.widgets.people import PeopleBar  # made after the first paint
    from server.protocol import frames  # only named here: not loaded before the first paint

_SOUGHT: Final = 50
"""Names asked for to complete one: of more, another letter is typed sooner than they are looked through."""


class PeopleActs(Acts):
    """What is done about people."""

    _sought: "tuple[Room, str, bool] | None" = None
    """Which names were asked for last, by how they begin, and whether there were more than came."""

    def command_who(self) -> None:
        """Say who is here; of a crowd show it."""
        people, me = self.chat.current.people, self.chat.name
        if people.unknown:
            self._show_crowd()
            return
        names = people.ordered(me)
        if not names:
            self.tell("Not connected: nobody knows who is here.")
            return
        told = {name: ", ".join(filter(None, ("you" if name == me else "", people.roles.get(name)))) for name in names}
        here = ", ".join(f"{name} ({told[name]})" if told[name] else name for name in names)
        nobody = "Nobody who moderates is here now. /report shows the moderators what was said last."
        alone = self.chat.current.kind == "direct"
        self.tell(f"{len(names)} here: {here}" + ("" if people.roles or alone else f"\n{nobody}"))

    def on_people_bar_wanted(self, message: "PeopleBar.Wanted") -> None:
        """Show all who are here."""
        self._show_crowd()

    def seek(self, begins: str, then: Callable[[], None], *, anew: bool = False) -> None:
        """Ask who in this room is called so, and `then` go on with it: their names are known.

        Only the latest is answered, and nothing is asked for, unless `anew`, that has come with what was asked for
        before; with nothing to begin with, that is forgotten.
        """
        room = self.chat.current
        if not begins:
            self._sought = None
            return
        if self._sought is not None and not anew:
            last, start, more = self._sought
            if last is room and begins.startswith(start) and (begins == start or not more):
                return
        self._sought = (room, begins, True)
        self._seek(room, begins, then)

    def command_nick(self, name: str) -> None:
        """Take another name."""
        self.attempt(self.session.nick(name))

    def command_away(self, why: str) -> None:
        """Be away."""
        self.attempt(
            self.session.away(True, why), lambda: self.tell("You are away. /back says that you are here again.")
        )

    def command_back(self) -> None:
        """Be here again."""
        self.attempt(self.session.away(False, ""), lambda: self.tell("You are here again."))

    def command_whois(self, name: str) -> None:
        """Say who somebody is."""
        self.attempt(self._whois(name))

    def command_msg(self, names: str, text: str) -> None:
        """Write to one person or a few alone."""
        self.attempt(self.write_to(names.split(","), text))

    def _show_crowd(self) -> None:
        from chat_tui.screens.pick import AskScreen, Choice  # not before the first paint

        room = self.chat.current

        async def load(begins: str, after: str) -> tuple[list[Choice], bool]:
            page = await self.session.client.who(room.handle, begins=begins, after=after)
            return [Choice(name, _someone(page, name, self.chat.name)) for name in page.names], page.more

        def chosen(name: str | None) -> None:
            if name is not None:
                self.attempt(self.write_to([name]))

        title = f"People · {len(room.people):,}"
        self.push_screen(AskScreen(title, load, asks="how a name begins", none="Nobody here is called so."), chosen)

    @work(group="seek", exclusive=True)
    async def _seek(self, room: "Room", begins: str, then: Callable[[], None]) -> None:
        try:
            page = await self.session.client.who(room.handle, begins=begins, limit=_SOUGHT)
        except ClientError:  # the connection says itself that it is gone
            self._sought = None
            return
        self.chat.names.update(zip(page.users, page.names, strict=False))
        self._sought = (room, begins, page.more)
        then()

    async def write_to(self, names: list[str], text: str = "") -> None:
        """Show the room of these people and me, and say something there."""
        self.session.show(await self.session.direct(names))
        if text:
            self.session.say(text)

    async def _whois(self, name: str) -> None:
        person = await self.session.whois(name)
        among = {"guest": "a guest", "member": "who has an account"}
        who = among.get(person.role) or f"{deeds.ROLES[person.role]} of the server"
        seen = seconds_of(person.seen) if person.seen else None
        if person.away:
            state = f"away: {person.text}" if person.text else "away"
        elif person.online:
            state = "here"
        else:
            state = f"last here {when(seen, self.chat.clock())}" if seen is not None else "not here"
        rooms = [f"#{self.chat.room(handle).title}" for handle in person.rooms if handle in self.chat.rooms]
        self.tell(f"{person.name}, {who}, is {state}." + (f" You share {names_in_words(rooms)}." if rooms else ""))


def _someone(page: "frames.Who", name: str, me: str) -> Content:
    """Return somebody as the list of all shows them."""
    away = page.away.get(name)
    state = "" if away is None else f"away: {away}" if away else "away"
    told = " · ".join(filter(None, ("you" if name == me else "", page.roles.get(name), state)))
    return Content.assemble((name, "bold"), (f"  {told}", "$foreground 60%"))
