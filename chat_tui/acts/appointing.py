"""Roles: who is whom, who may do something to whom, and giving out roles."""

from functools import partial
from typing import TYPE_CHECKING, Final, get_args

from textual.content import Content

from chat_tui.acts.base import Acts
from chat_tui.errors import Refused
from chat_tui.state import standing
from chat_tui.state.deeds import ROLES

if TYPE_CHECKING:
    from chat_tui.state.rooms import Room
    from server.protocol import frames  # only named here: not loaded before the first paint
    from server.protocol.frames import RoleName

GENERAL: Final = "general"
_MAY: "Final[dict[RoleName, str]]" = {
    "member": "what everyone may",
    "moderator": "puts out, silences, deletes messages",
    "admin": "also gives out roles, changes rooms",
    "owner": "also all else; nobody puts an owner out",
}
"""What people of a role may do, beyond those before."""


class AppointingActs(Acts):
    """What is done about roles."""

    def command_role(self, name: str, role: str) -> None:
        """Give somebody another role; without one, choose it."""
        room = self.chat.current
        if role:
            self.attempt(self._appoint(name, _role(role), room))
        else:
            self.attempt(self._offer_roles(name, room))

    async def _person(self, name: str, room: "Room") -> "frames.Person":
        """Return who is meant. Raises Refused where I may do nothing to them in a room: before anything is asked."""
        person = await self.session.whois(name)
        theirs = _role_of(person, room)
        if person.user == self.chat.user:
            raise Refused("", "That is you.")
        if theirs != "member" and standing.at_least(theirs, standing.role_in(room, self.chat.general)):
            raise Refused("", f"{person.name} is {ROLES[theirs]}: only somebody above that may do this.")
        return person

    async def _offer_roles(self, name: str, room: "Room") -> None:
        person = await self.session.whois(name)
        self._pick_role(person.name, room)

    def _pick_role(self, name: str, room: "Room") -> None:
        from chat_tui.screens.pick import Choice, PickScreen  # not before the first paint

        def choices(typed: str) -> list[Choice]:
            return [
                Choice(role, Content.assemble((role.ljust(12), "bold"), (may, "$foreground 75%")))
                for role, may in _MAY.items()
                if role.startswith(typed.casefold())
            ]

        where = "on the server" if room.handle == GENERAL else f"in {self.label_of(room.handle)}"
        screen = PickScreen(f"What is {name} {where}?", choices, asks="a role", none="There is no such role.")
        self.push_screen(screen, lambda role: self.attempt(self._appoint(name, _role(role), room)) if role else None)

    async def _appoint(self, name: str, role: "RoleName", room: "Room") -> None:
        """Give somebody another role. On the server, and of owners, it is asked before."""
        mine = standing.role_in(room, self.chat.general)
        if name.casefold() == self.chat.name.casefold():
            await self._step_down(role, room)
            return
        if mine != "owner" and standing.at_least(role, mine):
            raise Refused("", f"You are {ROLES[mine]}, and give out lower roles only.")
        person = await self._person(name, room)
        name, on_server = person.name, room.handle == GENERAL
        if on_server and not person.account:
            raise Refused("", f"{name} has no account, and only who has one gets a role on the server.")
        act = partial(self.session.client.appoint, name, role, room=room.handle)
        if not on_server and role != "owner":
            await act()
            return
        can = {
            "member": f"{name} may do no more than everyone then, anywhere.",
            "moderator": f"{name} can put people out, silence them and delete messages then, in every room.",
            "admin": f"{name} can give out roles, change rooms and settings, and put people out then.",
            "owner": f"{name} can do everything then, and nobody can put an owner out: you can't take this back.",
        }
        title = f"Make {name} {ROLES[role]} of {'the server' if on_server else self.label_of(room.handle)}?"
        self.ask(title, can.get(role, ""), f"makes {name} {ROLES[role]}", lambda: self.attempt(act()))

    async def _step_down(self, role: "RoleName", room: "Room") -> None:
        """Take a lower role oneself: what nobody could undo is said before."""
        if role == room.role:
            raise Refused("", f"You are {ROLES[role]} already.")
        if standing.at_least(role, room.role):
            raise Refused("", "Nobody gives themselves a higher role.")
        on_server = room.handle == GENERAL
        where = "the server" if on_server else self.label_of(room.handle)
        means = f"That is you. You are {ROLES[room.role]} of {where}, and can't give that back to yourself."
        if on_server and room.role == "owner" and await self._is_only_owner():
            means = (
                "That is you, and you are the only owner: the server has none then. Nobody can set who is"
                " admin any more, until whoever runs the server makes a new owner: chat-server owner"
            )
        act = partial(self.session.client.appoint, self.chat.name, role, room=room.handle)
        self.ask(
            f"Be no longer {ROLES[room.role]} of {where}?",
            means,
            f"makes you {ROLES[role]}",
            lambda: self.attempt(act()),
        )

    async def _is_only_owner(self) -> bool:
        """Tell whether no other account owns the server."""
        owners, after = 0, 0
        while True:
            page = await self.session.client.accounts(after)
            owners += sum(account.role == "owner" for account in page.accounts)
            if owners > 1 or not page.more or not page.accounts:
                return owners <= 1
            after = page.accounts[-1].user


def _role_of(person: "frames.Person", room: "Room") -> "RoleName":
    """Return the role of somebody in a room, as far as it counts for what may be done to them."""
    there = room.people.roles.get(person.name, person.roles.get(room.handle, "member"))
    return max("member", person.role, there, key=standing.ROLES.index)


def _role(word: str) -> "RoleName":
    from server.protocol.frames import RoleName

    return next(role for role in get_args(RoleName) if role == word)
