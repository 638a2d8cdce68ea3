"""People: who is here, who somebody is, writing to them alone, and being away oneself."""

from chat_tui.acts.base import Acts
from chat_tui.state import deeds
from chat_tui.state.dates import seconds_of, when
from chat_tui.state.entries import names_in_words


class PeopleActs(Acts):
    """What is done about people."""

    def command_who(self) -> None:
        """Say who is here."""
        people, me = self.chat.current.people, self.chat.name
        names = people.ordered(me)
        if not names:
            self.tell("Not connected: nobody knows who is here.")
            return
        told = {name: ", ".join(filter(None, ("you" if name == me else "", people.roles.get(name)))) for name in names}
        here = ", ".join(f"{name} ({told[name]})" if told[name] else name for name in names)
        nobody = "Nobody who moderates is here now. /report shows the moderators what was said last."
        alone = self.chat.current.kind == "direct"
        self.tell(f"{len(names)} here: {here}" + ("" if people.roles or alone else f"\n{nobody}"))

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
