"""What moderators, and people for themselves, decide about a chat: roles, silence, who is blocked, what is erased."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from chat_tui.state import deeds, standing
from chat_tui.state.parts import Changed
from chat_tui.state.rooms import Room

if TYPE_CHECKING:
    from server.protocol import frames  # only named here: not loaded before the first paint
    from server.protocol.frames import RoleName

    Deed = frames.Appointed | frames.Kicked | frames.Banned | frames.Silenced


class Governing:
    """The part of a chat that those decide."""

    name: str
    clock: Callable[[], float]
    current: Room
    rooms: dict[str, Room]
    user: int | None

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        """By user: how people are called, as last heard."""
        self.blocked: dict[int, str] = {}
        """Whom I have hidden from myself, by user."""
        self._knows_blocked = True
        """Since I came in last, the server has told whom."""
        self.reports: set[int] = set()
        """Reports that wait for moderators, and that I have not looked at, by their seq."""
        self._looked_at = 0
        """The latest report that I have seen."""
        self.erased: set[int] = set()
        """Users that are gone for good: a page may still have what they said."""

    @property
    def general(self) -> Room:
        """The room that stands for the server."""
        return self.room("general")

    def room(self, handle: str) -> Room:
        """Return a room, known from now on."""
        raise NotImplementedError

    def left(self, handle: str) -> Changed:
        """I am not in a room any more."""
        raise NotImplementedError

    def may(self, least: "RoleName", *, server: bool = False) -> bool:
        """Say whether something is to be offered to me in the room that is shown; see `standing.may`."""
        return standing.may(self.current, self.general, least, server=server)

    def why_not_for(self, least: "RoleName", *, server: bool = False) -> str:
        """Return why something is not for me in the room that is shown, as a sentence."""
        return standing.why_not_for(self.current, least, server=server)

    def why_not(self) -> str:
        """Return why I can't say anything in the room that is shown; see `standing.why_not`."""
        return standing.why_not(self.current, self.general, self.clock())

    def passes(self) -> bool:
        """Say whether time alone ends that; see `standing.passes`."""
        return standing.passes(self.current, self.general, self.clock())

    def wait(self) -> int:
        """Return the seconds until I may say the next thing in the room that is shown; 0 where that is now."""
        return standing.wait_for(self.current, self.general, self.clock())

    def govern(self, deed: "Deed") -> Changed:
        """Take in what was done to someone."""
        from server.protocol import frames

        room, me, now = self.room(deed.room), self.user, self.clock()
        mine = deed.who == me
        match deed:
            case frames.Appointed():
                words = deeds.appointed(deed, me)
                if mine and room.is_news(deed.seq):
                    room.role = deed.role
                self._appointed(room, deed.name, deed.role)
            case frames.Silenced():
                words = deeds.silenced(deed, me, now)
                if mine and room.is_news(deed.seq):
                    room.silenced = (deed.until or standing.FOREVER) if deed.on else ""
            case frames.Kicked() | frames.Banned() if mine and not (isinstance(deed, frames.Banned) and not deed.on):
                return self._put_out(room, deed)
            case frames.Kicked():
                words = deeds.kicked(deed, me)
                room.put_out.add(deed.name)
            case frames.Banned():
                words = deeds.banned(deed, me, now)
                if deed.on:
                    room.put_out.add(deed.name)
        room.timeline.notice(words, now, "info" if mine else "quiet")
        return Changed.ROOMS | Changed.PEOPLE

    def _appointed(self, room: Room, name: str, role: "RoleName") -> None:
        """Show who moderates now. A role on the server counts in every room, unless the one there is higher."""
        before = self.general.people.roles.get(name, "guest")
        if room is not self.general:
            room.people.appoint(name, max(role, before, key=standing.ROLES.index))
            return
        for one in self.rooms.values():
            there = one.people.roles.get(name, "guest")
            if there != before:
                one.people.appoint(name, max(role, there, key=standing.ROLES.index))
            elif one.kind != "direct":
                one.people.appoint(name, role)

    def reported(self, frame: "frames.Reports") -> Changed:
        """Somebody reported something just now: say so where I am, and keep it marked until I look."""
        for report in frame.reports:
            if report.by != self.name:
                label = self.rooms[report.room].label(self.name) if report.room in self.rooms else report.room
                self.current.timeline.notice(deeds.reported(report, label), self.clock(), "info")
        return self.wait_for_me(frame)

    def wait_for_me(self, frame: "frames.Reports") -> Changed:
        """These reports are not settled."""
        self.reports.update(report.report for report in frame.reports if report.report > self._looked_at)
        return Changed.ROOMS

    def look_at(self, frame: "frames.Reports") -> None:
        """I have these reports before me, the latest first, so all that were told of are known."""
        self._looked_at = max([self._looked_at, *self.reports, *(report.report for report in frame.reports)])
        self.reports.clear()

    def _put_out(self, room: Room, deed: "frames.Kicked | frames.Banned") -> Changed:
        """I am out of a room: say so where I am then. Of the server: its last word says so."""
        from server.protocol import frames

        if room is self.general:
            return Changed.NOTHING
        changed = self.left(room.handle)
        title = f"#{room.title}"
        if isinstance(deed, frames.Kicked):
            words = f"{deeds.kicked(deed, self.user, title)}. /join {room.handle} enters it again."
        else:
            words = deeds.banned(deed, self.user, self.clock(), title)
        self.current.timeline.notice(words, self.clock(), "info")
        return changed

    def forget(self, frame: "frames.Forgotten") -> Changed:
        """Take out of a room what was kept there long enough."""
        self.room(frame.room).forget(frame.upto)
        return Changed.MARKS | Changed.SHOWN

    def erase(self, frame: "frames.Erased") -> Changed:
        """Take somebody out of everything."""
        self.erased.add(frame.who)
        name = self.names.pop(frame.who, None)
        self.blocked.pop(frame.who, None)
        for room in self.rooms.values():
            room.erase(self.erased)
            if name is not None:
                room.people.remove([name])
        return Changed.PEOPLE | Changed.ROOMS

    def block(self, frame: "frames.Blocked") -> Changed:
        """Hide these people from now on, and nobody else."""
        return self._block(dict(frame.people))

    def unhidden(self, messages: "Iterable[frames.Message]") -> "list[frames.Message]":
        """Return these messages without those of people I have hidden."""
        return [message for message in messages if message.user not in self.blocked]

    def came_in(self) -> None:
        """I come in: the server tells whom I have blocked, or says nothing where that is nobody any more."""
        self._knows_blocked = False

    def block_nobody_else(self) -> None:
        """The server has said all that it says when I come in."""
        if not self._knows_blocked:
            self._block({})

    def _block(self, people: dict[int, str]) -> Changed:
        self._knows_blocked = True
        if people == self.blocked:
            return Changed.NOTHING
        self.blocked.clear()
        self.blocked.update(people)
        for room in self.rooms.values():
            room.hide()
        return Changed.PEOPLE | Changed.TYPING

    def say_what_is_kept(self) -> None:
        """Have each room say for how long messages are kept there."""
        for room in self.rooms.values():
            room.keep(standing.kept(room, self.general))
