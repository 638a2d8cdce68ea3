"""Moderating: who may be in a room and write there. In `general` it is done to the whole server, and asked once."""

import re
from functools import partial
from typing import TYPE_CHECKING, Final, get_args

from textual.content import Content

from chat_tui.acts.messages import MessageActs, in_short
from chat_tui.state.dates import span, until
from chat_tui.state.entries import MINE, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from chat_tui.state.rooms import Room
    from server.protocol.frames import RoleName

    Act = Callable[[], Coroutine[Any, Any, None]]

_GENERAL = "general"
_MAY: "Final[dict[RoleName, str]]" = {
    "member": "what everyone may",
    "moderator": "puts out, silences, deletes messages",
    "admin": "also gives out roles, changes rooms",
    "owner": "also all else; nobody puts an owner out",
}
"""What people of a role may do, beyond those before."""
_REASONS = ("Spam", "Insults or threats", "Somebody pretends to be somebody else", "It does not belong here")


class ModeratingActs(MessageActs):
    """What moderators do, and how messages come before them."""

    def command_kick(self, name: str, reason: str) -> None:
        """Put somebody out of the room."""
        room = self.chat.current
        act = partial(self.session.client.kick, name, room=room.handle, reason=reason)
        self._unless_server(
            room,
            f"Put {name} out?",
            f"{name} is put out of the whole server: all their connections end at once. They may come back.",
            f"puts {name} out",
            act,
        )

    def command_ban(self, name: str, time: str, reason: str) -> None:
        """Put somebody out of the room, and keep them out."""
        room, minutes = self.chat.current, _minutes(time)
        if _is_range(name):
            act = partial(self.session.client.ban_range, name, minutes=minutes, reason=reason)
            self._ask(
                f"Ban {name}?",
                f"Nobody gets in from {name} any more, {self._long(minutes, f'/unban {name}')}."
                " Who is in from there is put out. Many people may share one address.",
                f"bans {name}",
                act,
                f"Nobody gets in from {name} any more.",
            )
            return
        act = partial(self.session.client.ban, name, room=room.handle, minutes=minutes, reason=reason)
        self._unless_server(
            room,
            f"Ban {name}?",
            f"{name} is put out of the whole server, and can't come back {self._long(minutes, f'/unban {name}')}.",
            f"bans {name}",
            act,
        )

    def command_unban(self, name: str) -> None:
        """Let somebody in again."""
        client = self.session.client
        if _is_range(name):
            self.attempt(client.ban_range(name, on=False), lambda: self.tell(f"People from {name} are let in again."))
        else:
            self.attempt(client.ban(name, room=self.chat.current.handle, on=False))

    def command_silence(self, name: str, time: str, reason: str) -> None:
        """Let somebody only read."""
        room, minutes = self.chat.current, _minutes(time)
        act = partial(self.session.client.silence, name, room=room.handle, minutes=minutes, reason=reason)
        self._unless_server(
            room,
            f"Silence {name}?",
            f"{name} can write nowhere on the whole server {self._long(minutes, f'/unsilence {name}')}, only read.",
            f"silences {name}",
            act,
        )

    def command_unsilence(self, name: str) -> None:
        """Let somebody speak again."""
        self.attempt(self.session.client.silence(name, room=self.chat.current.handle, on=False))

    def command_role(self, name: str, role: str) -> None:
        """Give somebody another role; without one, choose it."""
        chosen = next((known for known in _MAY if known == role), None)
        if chosen is None:
            self._pick_role(name, self.chat.current)
        else:
            self._appoint(name, chosen, self.chat.current)

    def command_slow(self, seconds: str) -> None:
        """Let each person say one thing in so much time."""
        self.attempt(self.session.change(self.chat.current.handle, slow=int(seconds)))

    def command_readonly(self) -> None:
        """Let only moderators write, or everyone again."""
        room = self.chat.current
        self.attempt(self.session.change(room.handle, read_only=not room.read_only))

    def command_keep(self, typed: str) -> None:
        """Say how long messages are kept."""
        kept = parse_kept(typed)
        if kept is None:
            self.complain(f"{typed} says not how long: 30 days, 1000 messages or off does.")
            return
        room, (days, count) = self.chat.current, kept
        if kept == (room.keep_days, room.keep_count):
            self.complain("That is how it is already.")
            return
        change = partial(
            self.session.change,
            room.handle,
            keep_days=days if days != room.keep_days else None,  # what stays as it is makes no news
            keep_count=count if count != room.keep_count else None,
        )
        if not days and not count:
            self.attempt(change())
            return
        what = f"What is older than {span(days * 86_400)}" if days else f"All but the latest {count:,} messages"
        where = "in every room that has no rule of its own" if room.handle == _GENERAL else "here"
        self._ask(
            "Erase messages?",
            f"{what} is erased for good {where}, from now on and for everyone. Nothing brings it back.",
            "erases them",
            change,
        )

    # Reporting.

    def command_report(self, reason: str) -> None:
        """Show the last message of somebody else to the moderators."""
        entry = self._last(mine=False)
        if entry is not None and reason:
            self._report(entry, reason)
        elif entry is not None:
            self._do_report(entry)

    def _do_report(self, entry: Entry) -> None:
        """Ask why, and show a message to the moderators."""
        from chat_tui.screens.pick import Choice, PickScreen  # not before the first paint

        if entry.flags & MINE:
            self.complain("This is your own message: d deletes it.")
            return

        def choices(typed: str) -> list[Choice]:
            known = [reason for reason in _REASONS if typed.casefold() in reason.casefold()]
            return [Choice(reason, Content(reason)) for reason in [*filter(None, [typed]), *known]]

        title = f"Report “{in_short(entry)[:40]}”"
        screen = PickScreen(title, choices, asks="why? choose, or say it in your own words", none="")
        self.push_screen(screen, lambda reason: self._report(entry, reason) if reason else None)

    def _report(self, entry: Entry, reason: str) -> None:
        self.attempt(
            self.session.client.report(self.chat.current.handle, entry.seq, reason),
            lambda: self.tell(
                f"The moderators will see what {entry.name} said. /block {entry.name} hides it from you."
            ),
        )

    # How.

    def _pick_role(self, name: str, room: "Room") -> None:
        from chat_tui.screens.pick import Choice, PickScreen  # not before the first paint

        def choices(typed: str) -> list[Choice]:
            return [
                Choice(role, Content.assemble((role.ljust(12), "bold"), (may, "$foreground 75%")))
                for role, may in _MAY.items()
                if role.startswith(typed.casefold())
            ]

        where = "on the server" if room.handle == _GENERAL else f"in {self.label_of(room.handle)}"
        screen = PickScreen(f"What is {name} {where}?", choices, asks="a role", none="There is no such role.")
        self.push_screen(screen, lambda role: self._appoint(name, _role(role), room) if role else None)

    def _appoint(self, name: str, role: "RoleName", room: "Room") -> None:
        act = partial(self.session.client.appoint, name, role, room=room.handle)
        article = "an" if role in ("admin", "owner") else "a"
        can = {
            "member": f"{name} may do no more than everyone then, anywhere.",
            "moderator": f"{name} can put people out, silence them and delete messages then, in every room.",
            "admin": f"{name} can give out roles, change rooms and settings, and put people out then.",
            "owner": f"{name} can do everything then, and nobody can put an owner out.",
        }
        self._unless_server(
            room,
            f"Make {name} {article} {role} of the server?",
            can.get(role, ""),
            f"makes {name} {article} {role}",
            act,
        )

    def _unless_server(self, room: "Room", title: str, means: str, does: str, act: "Act") -> None:
        """Do something in a room; where it is done to the whole server, ask before."""
        if room.handle == _GENERAL:
            self._ask(title, means, does, act)
        else:
            self.attempt(act())

    def _ask(self, title: str, means: str, does: str, act: "Act", said: str = "") -> None:
        """Ask whether to do something that means much."""
        from chat_tui.screens.page import PageScreen  # not before the first paint

        def answered(key: str | None) -> None:
            if key == "y":
                self.attempt(act(), lambda: self.tell(said) if said else None)

        page = Content(f"\n{means}\n")
        self.push_screen(PageScreen(title, page, {"y": does, "escape": "does not"}), answered)

    def _long(self, minutes: int, undo: str) -> str:
        """Return for how long, in words; `undo` ends it where it has no end."""
        return f"until {until(self.chat.clock() + minutes * 60, self.chat.clock())}" if minutes else f"until {undo}"


def parse_kept(typed: str) -> tuple[int, int] | None:
    """Return the days and the number of messages that are kept, 0 for any; None where nothing of it was typed.

    `30 days`, `30d`, `30`, `2w`, `1000 messages`, `off`.
    """
    from server.protocol import limits

    if typed.strip().casefold() == "off":
        return 0, 0
    found = re.fullmatch(r"(\d{1,9})\s*(d|days?|w|weeks?|m|messages?|)", typed.strip().casefold().replace(",", ""))
    if found is None or int(found[1]) == 0:
        return None
    number, unit = int(found[1]), found[2][:1]
    if unit == "m":
        return 0, number
    days = number * (7 if unit == "w" else 1)
    return (days, 0) if days <= limits.KEEP_DAYS else None


def _is_range(name: str) -> bool:
    """Tell whether an address, or a range of them, is meant, and not a person."""
    from ipaddress import ip_network  # seldom needed, and not before the first paint

    try:
        ip_network(name, strict=False)
    except ValueError:
        return "/" in name  # a slip of the pen, which the server tells of: no name has it
    return True


def _minutes(seconds: str) -> int:
    """Return a time that was typed, in whole minutes and at least one; 0 for none."""
    return max(1, round(int(seconds) / 60)) if seconds else 0


def _role(word: str) -> "RoleName":
    from server.protocol.frames import RoleName

    return next(role for role in get_args(RoleName) if role == word)
