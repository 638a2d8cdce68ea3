"""Moderating: who may be in a room and write there. In `general` it is done to the whole server, and asked before."""

import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from chat_tui.acts.appointing import GENERAL, AppointingActs
from chat_tui.acts.reporting import ReportingActs
from chat_tui.state import standing
from chat_tui.state.dates import span, until

if TYPE_CHECKING:
    from chat_tui.state.rooms import Room
    from server.protocol import frames  # only named here: not loaded before the first paint

Act = Callable[[], Coroutine[Any, Any, None]]


class ModeratingActs(AppointingActs, ReportingActs):
    """What moderators do."""

    def command_kick(self, name: str, reason: str) -> None:
        """Put somebody out of the room."""
        self.attempt(self._kick(name, reason, self.chat.current))

    def command_ban(self, name: str, time: str, reason: str) -> None:
        """Put somebody out of the room, and keep them out."""
        if _is_range(name):
            self._ban_range(name, _minutes(time), reason)
        else:
            self.attempt(self._ban_person(name, _minutes(time), reason, self.chat.current))

    def command_unban(self, name: str) -> None:
        """Let somebody in again."""
        client = self.session.client
        if _is_range(name):
            self.attempt(client.ban_range(name, on=False), lambda: self.tell(f"People from {name} are let in again."))
        else:
            self.attempt(client.ban(name, room=self.chat.current.handle, on=False))

    def command_silence(self, name: str, time: str, reason: str) -> None:
        """Let somebody only read."""
        self.attempt(self._silence(name, _minutes(time), reason, self.chat.current))

    def command_unsilence(self, name: str) -> None:
        """Let somebody speak again."""
        self.attempt(self.session.client.silence(name, room=self.chat.current.handle, on=False))

    # How the room is.

    def command_slow(self, seconds: str) -> None:
        """Let each person say one thing in so much time."""
        from server.protocol import limits

        if int(seconds) > limits.SLOW:
            self.complain(f"That is too slow: {span(limits.SLOW)} is the most.")
        else:
            self.attempt(self.session.change(self.chat.current.handle, slow=int(seconds)))

    def command_readonly(self, on: str) -> None:
        """Let only moderators write, or everyone again; without a word, the other of the two."""
        room = self.chat.current
        read_only = on == "on" if on else not room.read_only
        if read_only is room.read_only:
            self.complain("Only moderators write here already." if read_only else "Everyone writes here already.")
        else:
            self.attempt(self.session.change(room.handle, read_only=read_only))

    def command_keep(self, typed: str) -> None:
        """Say how long messages are kept, or change that."""
        room = self.chat.current
        if not typed:
            self.tell(f"{standing.kept(room, self.chat.general) or 'Messages are kept for ever here.'} {_KEEP}")
            return
        kept = parse_kept(typed)
        if kept is None:
            self.complain(f"“{typed}” is not how long. {_KEEP}")
            return
        days, count = kept
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
        where = "in every room that has no rule of its own" if room.handle == GENERAL else "here"
        self.ask(
            "Erase messages?",
            f"{what} is erased for good {where}, from now on and for everyone. Nothing brings it back.",
            "erases them",
            lambda: self.attempt(change()),
        )

    # How.

    async def _kick(self, name: str, reason: str, room: "Room") -> None:
        name = (await self._person(name, room)).name
        act = partial(self.session.client.kick, name, room=room.handle, reason=reason)
        if room.handle != GENERAL:
            await act()
            return
        means = f"{name} is put out of the whole server: all their connections end at once. They may come back."
        self.ask(f"Put {name} out?", f"{means}\n\n{_told(reason)}", f"puts {name} out", lambda: self.attempt(act()))

    async def _ban_person(self, name: str, minutes: int, reason: str, room: "Room") -> None:
        person = await self._person(name, room)
        name = person.name
        act = partial(self.session.client.ban, name, room=room.handle, minutes=minutes, reason=reason)
        where = "the whole server" if room.handle == GENERAL else self.label_of(room.handle)
        means = f"{name} is put out of {where} and kept out."
        means += f"\n\n{self._long(minutes, f'/unban {name}')}\n{_told(reason)}{self._slips_by(person)}"
        self.ask(f"Ban {name}?", means, f"bans {name}", lambda: self.attempt(act()))

    def _ban_range(self, range: str, minutes: int, reason: str) -> None:
        if not self.chat.may("admin", server=True):
            self.complain("Only admins of the server ban addresses.")
        elif not _is_range(range, strictly=True):
            self.complain(f"{range} is no address: 203.0.113.7 is one, and 203.0.113.0/24 is a range of them.")
        else:
            act = partial(self.session.client.ban_range, range, minutes=minutes, reason=reason)
            means = (
                f"Nobody gets in from {range} any more, and who is in from there is put out, but for admins and"
                " owners. Many people may share one address."
                f"\n\n{self._long(minutes, f'/unban {range}')}\n{_told(reason)}"
            )
            said = f"Nobody gets in from {range} any more."
            self.ask(f"Ban {range}?", means, f"bans {range}", lambda: self.attempt(act(), lambda: self.tell(said)))

    async def _silence(self, name: str, minutes: int, reason: str, room: "Room") -> None:
        person = await self._person(name, room)
        name = person.name
        act = partial(self.session.client.silence, name, room=room.handle, minutes=minutes, reason=reason)
        if room.handle != GENERAL:
            await act()
            return
        means = f"{name} can write nowhere on the whole server, only read."
        means += f"\n\n{self._long(minutes, f'/unsilence {name}')}\n{_told(reason)}{self._slips_by(person)}"
        self.ask(f"Silence {name}?", means, f"silences {name}", lambda: self.attempt(act()))

    def _slips_by(self, person: "frames.Person") -> str:
        """Return how somebody without an account gets around what is done to them, and what helps; else nothing."""
        if person.account:
            return ""
        words = f"\n\n{person.name} is a guest, and can come back under another name."
        if self.chat.may("admin", server=True):
            return f"{words} /server keeps all guests out; /ban and an address, like 203.0.113.7, all who come from it."
        return f"{words} Admins can keep all guests out, or an address."

    def _long(self, minutes: int, undo: str) -> str:
        """Return for how long, in words; `undo` ends it where it has no end."""
        now = self.chat.clock()
        return f"Until: {until(now + minutes * 60, now)}" if minutes else f"For good: {undo} ends it"


_KEEP = "/keep 30 days or /keep 1000 messages erases what is older, /keep off keeps all."


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


def _told(reason: str) -> str:
    """Return what whom it is done to is told."""
    return f"Reason: {reason}" if reason else "Reason: none is given"


def _is_range(name: str, *, strictly: bool = False) -> bool:
    """Tell whether an address, or a range of them, is meant, and not a person; `strictly`: and is one."""
    from ipaddress import ip_network  # seldom needed, and not before the first paint

    try:
        ip_network(name, strict=False)
    except ValueError:
        return "/" in name and not strictly  # no name has it: a slip of the pen
    return True


def _minutes(seconds: str) -> int:
    """Return a time that was typed, in whole minutes and at least one; 0 for none."""
    return max(1, round(int(seconds) / 60)) if seconds else 0
