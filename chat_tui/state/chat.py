"""What the screen shows, as plain data, and how each frame changes it."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Literal

from msgspec import UNSET

from chat_tui.state.dates import said_here
from chat_tui.state.entries import Waiting
from chat_tui.state.governing import Governing
from chat_tui.state.parts import Changed as Changed
from chat_tui.state.rooms import Room

if TYPE_CHECKING:
    from server.protocol import frames

NAMES: Final = 20_000
"""People whose names are remembered: more than anybody meets, some 3 MB. Those met first are forgotten first."""

Sort = Literal["recent", "name"]
"""How rooms are ordered: the latest message first, or by what they are called."""


class Chat(Governing):
    """All rooms and who I am.

    Args:
        name: my name, until the server says it.
        room: the room that is shown.
        clock: seconds since 1970, for what only happens here.
    """

    def __init__(self, name: str = "", room: str = "general", clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.name = name
        self.user: int | None = None
        self.session = ""
        """Which of my comings-in the logs belong to."""
        self.strange: set[str] = set()
        """Rooms of which nothing is known but that they are there: to be asked for."""
        self.returned: list[tuple[str, Waiting]] = []
        """Messages that were taken back, each with its room, for who writes to fetch."""
        self.clock = clock
        self.rooms: dict[str, Room] = {}
        self.asked: Callable[[], None] = _nothing
        """Called when a message is wanted that is not held: see `Timeline.want`."""
        self.current = self.room(room)
        self.strange.clear()
        self.current.enter()

    def room(self, handle: str) -> Room:
        """Return a room, known from now on."""
        room = self.rooms.get(handle)
        if room is None:
            room = Room(handle, self.names, lambda: self.asked(), self.blocked, self.erased)
            room.since = self._head
            room.call_me(self.user, self.name)
            self.rooms[handle] = room
            self.strange.add(handle)
        return room

    def show(self, handle: str) -> None:
        """Show a room from now on; the one that is shown, as for someone who has just come back to it."""
        room = self.room(handle)
        if room is not self.current:
            self.current.leave()
            self.current = room
        room.enter()

    def ordered(self, sort: Sort = "recent") -> list[Room]:
        """Return the rooms I am in or invited to: invitations first, then favourites; archived and muted ones last."""
        rooms = [room for room in self.rooms.values() if room.member or room.invited_by]
        if sort == "name":
            rooms.sort(key=lambda room: room.label(self.name).casefold())
        else:
            rooms.sort(key=lambda room: (max(room.last, room.since), room.since), reverse=True)
        return sorted(rooms, key=_rank)

    def next_unread(self) -> Room | None:
        """Return the room to read next: where I am named, or spoken to alone, before others; then an invitation."""
        rooms = [room for room in self.rooms.values() if (room.news[0] or room.invited_by) and room is not self.current]
        return min(rooms, key=lambda room: (not room.member, not room.mentions, room.last), default=None)

    @property
    def unread_total(self) -> int:
        """Unread messages in all rooms, as far as I want to be told of them."""
        return sum(room.news[0] for room in self.rooms.values())

    @property
    def mention_total(self) -> int:
        """Those among them that name me."""
        return sum(room.news[1] for room in self.rooms.values())

    def apply_all(self, batch: "Iterable[frames.ServerFrame]") -> Changed:
        """Apply frames in order; return what they changed."""
        from server.protocol import frames  # not before the first paint

        changed = Changed.NOTHING
        heard = done = False
        rooms = self.rooms
        for frame in batch:
            if type(frame) is frames.Message and frame.room in rooms:  # nearly all of a flood
                done |= rooms[frame.room].add(frame)
                heard = True
            else:
                changed |= self.apply(frame)
        if len(self.names) > NAMES:
            for user in list(self.names)[: NAMES // 2]:
                del self.names[user]
        return changed | (Changed.MARKS if heard else Changed.NOTHING) | (Changed.TYPING if done else Changed.NOTHING)

    def apply(self, frame: "frames.ServerFrame") -> Changed:
        """Apply one frame; return what it changed."""
        from server.protocol import frames  # not before the first paint

        match frame:
            case frames.Message():
                done = self.room(frame.room).add(frame)
                return Changed.MARKS | (Changed.TYPING if done else Changed.NOTHING)
            case frames.History() if frame.ref is UNSET:  # a page with a ref is for whoever asked
                self.room(frame.room).load(frame)
                return Changed.MARKS
            case frames.Edited() | frames.Deleted() | frames.Reacted() | frames.Pinned():
                self.room(frame.room).apply(frame)
                self.names.setdefault(frame.user, frame.sender)
                return Changed.MARKS
            case frames.Rooms():
                return self._rooms(frame)
            case frames.Marked():
                self.room(frame.room).marked(frame)
                return Changed.MARKS | Changed.ROOMS
            case frames.Changed():
                room = self.room(frame.room)
                for words in room.changed(frame, self.user):
                    room.timeline.notice(words, self.clock())
                self.say_what_is_kept()
                return Changed.ROOMS
            case frames.Appointed() | frames.Kicked() | frames.Banned() | frames.Silenced():
                return self.govern(frame)
            case frames.Reports():
                return self.reported(frame)
            case frames.Forgotten():
                return self.forget(frame)
            case frames.Erased():
                return self.erase(frame)
            case frames.Blocked():
                return self.block(frame)
            case frames.Invited():
                return self._invited(frame)
            case frames.Typing():
                hidden = {self.name, *self.blocked.values()}
                self.room(frame.room).people.write([name for name in frame.names if name not in hidden], self.clock())
                return Changed.TYPING
            case frames.Status():
                self.names[frame.user] = frame.name
                for room in self.rooms.values():
                    room.people.status(frame.name, frame.away, frame.text)
                return Changed.STATUS
            case frames.People():
                self.names.update(frame.people)
                return Changed.PEOPLE
            case frames.Roster():
                self.names.update(zip(frame.users, frame.names, strict=False))
                self.room(frame.room).let_in(self._head)
                self.room(frame.room).people.roster(
                    frame.names, frame.more, frame.users, frame.away, frame.roles, frame.count
                )
                return Changed.PEOPLE
            case frames.Count():
                self.names.update(zip(frame.users, frame.names, strict=False))
                people = self.room(frame.room).people
                people.count = frame.count
                people.add(frame.names, frame.users, frame.away, frame.roles)
                return Changed.PEOPLE
            case frames.Joined():
                self._came_in(self.room(frame.room), frame)
                return Changed.PEOPLE
            case frames.Left():
                return self._left(self.room(frame.room), frame.names, frame.reason)
            case frames.Renamed():
                return self._renamed(frame)
            case frames.Welcome():
                return self._welcome(frame)
            case frames.Ok() if frame.id is not UNSET and frame.seq is not UNSET:
                for room in self.rooms.values():  # one of them waits for it: it had been taken before
                    room.confirm(frame.id, frame.seq)
            case frames.Ok() if frame.id is not UNSET:
                return self._returned(frame.id)
            case frames.Error():
                self._refused(frame)
            case frames.Gap():
                room = self.room(frame.room)
                room.reset(frame.before - 1)
                room.timeline.notice("Too much was missed to show it all: PgUp brings it.", self.clock())
                return Changed.SHOWN
            case _:
                pass
        return Changed.NOTHING

    def call_me(self, name: str) -> Changed:
        """Take a name as mine, in all rooms."""
        self.name = name
        for room in self.rooms.values():
            room.call_me(self.user, name)
        return Changed.NAME | Changed.PEOPLE

    def keep_only(self, handles: Iterable[str]) -> None:
        """Forget the rooms that I am neither in nor invited to, by what the server has just told of all."""
        kept = {*handles, *self.strange}  # what came since then is not known to anyone yet
        for handle, room in list(self.rooms.items()):
            if handle not in kept and room is not self.current and not room.waiting():
                del self.rooms[handle]

    def left(self, handle: str) -> Changed:
        """I have left a room, or declined an invitation."""
        room = self.rooms.get(handle)
        if room is None:
            return Changed.NOTHING
        room.member, room.invited_by = False, ""
        room.people.clear()
        if room is not self.current:
            return Changed.ROOMS
        self.show("general")
        return Changed.ROOMS | Changed.SHOWN

    def disconnected(self) -> None:
        """Forget who is online: nothing is known while there is no connection."""
        for room in self.rooms.values():
            room.people.clear()

    @property
    def _head(self) -> int:
        """The latest that is known to have happened anywhere."""
        return max((max(room.last, room.since) for room in self.rooms.values()), default=0)

    def _welcome(self, frame: "frames.Welcome") -> Changed:
        if self.session and not frame.resumed:  # what is held may be of another log
            for room in self.rooms.values():
                room.reset()
        self.user, self.session = frame.user, frame.session
        members = set(frame.rooms)
        head = self._head
        for handle in frame.rooms:
            self.room(handle).let_in(head)
        for room in self.rooms.values():
            room.member = room.handle in members
        self.general.role = frame.role
        self.came_in()
        return self.call_me(frame.name) | Changed.ROOMS | Changed.SHOWN

    def _rooms(self, frame: "frames.Rooms") -> Changed:
        self.block_nobody_else()  # what is asked for comes after that
        for info in frame.rooms:
            room = self.room(info.room)
            first = not room.known
            room.told(info, frame.as_of)
            self.strange.discard(info.room)
            if first and room is self.current:
                room.enter()  # only now it shows how far that is read
        self.say_what_is_kept()
        return Changed.ROOMS | Changed.MARKS

    def _invited(self, frame: "frames.Invited") -> Changed:
        room = self.room(frame.room)
        if frame.who != self.user:
            who = "you" if frame.user == self.user else frame.sender
            words = f"{who} invited {frame.name}" if frame.on else f"{frame.name} is not invited any more"
            room.timeline.notice(words, self.clock())
            return Changed.NOTHING
        if not room.member or frame.room in self.strange:
            self.strange.discard(frame.room)
            room.member = False
            room.title, room.kind = frame.title or frame.room, "private"
            room.invited_by = frame.sender if frame.on else ""
            if frame.on:
                words = f"{frame.sender} invites you to #{room.title}: Alt+G goes there"
                self.current.timeline.notice(words, self.clock())
            if not frame.on and room is not self.current and not room.waiting():
                del self.rooms[frame.room]
        return Changed.ROOMS

    def _came_in(self, room: Room, frame: "frames.Joined") -> None:
        self.names.update(zip(frame.users, frame.names, strict=False))
        unsaid = {self.name, *self.blocked.values()}
        new = room.people.add(frame.names, frame.users, frame.away, frame.roles)
        others = [name for name in new if name not in unsaid]
        if others and room.kind != "direct":  # there it is seen by the mark of the room
            room.timeline.came_in(others, self.clock())

    def _left(self, room: Room, names: list[str], reason: str) -> Changed:
        changed = Changed.PEOPLE
        if self.name in names and reason in ("left", "kicked", "banned") and room is not self.general:
            changed |= self.left(room.handle)
        told = room.put_out if reason in ("kicked", "banned") else ()
        unsaid = {self.name, *self.blocked.values(), *told}
        room.put_out.difference_update(names)
        others = [name for name in room.people.remove(names) if name not in unsaid]
        if others and room.kind != "direct":
            room.timeline.left(others, reason, self.clock())
        return changed

    def _renamed(self, frame: "frames.Renamed") -> Changed:
        self.names[frame.user] = frame.new
        if frame.user in self.blocked:
            self.blocked[frame.user] = frame.new
        mine = frame.user == self.user
        changed = self.call_me(frame.new) if mine else Changed.PEOPLE
        for room in self.rooms.values():
            room.people_in = [(user, frame.new if user == frame.user else name) for user, name in room.people_in]
            if room.people.rename(frame.old, frame.new) or mine:
                room.timeline.renamed(frame.old, frame.new, self.clock())
        return changed | Changed.ROOMS

    def _returned(self, id: int) -> Changed:
        """A message was taken back in time."""
        for room in self.rooms.values():
            if any(waiting.id == id for waiting in room.waiting()):
                self.returned.append((room.handle, room.withdraw(id)))
                return Changed.RETURNED
        return Changed.NOTHING

    def _refused(self, frame: "frames.Error") -> None:
        """A message that failed says so itself, and so do last words; all else is told in the room that is shown."""
        from server.protocol.errors import FINAL  # not before the first paint

        words = said_here(frame.message, self.clock())
        room = (self.rooms.get(frame.room) if frame.room is not UNSET else None) or self.current
        if frame.id is not UNSET and frame.code == "rate_limited":
            slowed = "More at once than this server takes: the rest is sent by and by."
            room.timeline.notice(slowed, self.clock())
        elif frame.id is not UNSET:
            if frame.code == "slow_mode" and frame.wait_ms is not UNSET:
                room.next_at = self.clock() + frame.wait_ms / 1000
            for one in self.rooms.values():  # one of them waits for it
                one.fail(frame.id, words)
        elif frame.ref is UNSET and frame.code not in FINAL:
            room.timeline.notice(words, self.clock(), "error")


def _rank(room: Room) -> tuple[bool, bool, bool]:
    return (room.member, room.archived or room.muted, not room.favourite)


def _nothing() -> None:
    pass
