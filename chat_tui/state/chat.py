"""What the screen shows, as plain data, and how each frame changes it."""

import time
from collections.abc import Callable, Iterable
from enum import Flag, auto
from typing import TYPE_CHECKING

from msgspec import UNSET

from chat_tui.state.people import People
from chat_tui.state.timeline import Timeline

if TYPE_CHECKING:
    from server.protocol import frames


class Changed(Flag):
    """What a batch of frames changed besides the log, which tells its own listeners."""

    NOTHING = 0
    PEOPLE = auto()
    NAME = auto()
    """My own name."""
    LINK = auto()
    """How things stand with the server."""
    RETURNED = auto()
    """A message was taken back: its text is in `Chat.returned`."""
    DRAFT = auto()
    """What was being written earlier is known now."""


class Room:
    """One room: its log and who is there."""

    def __init__(self, handle: str) -> None:
        self.handle = handle
        self.timeline = Timeline(handle)
        self.people = People()


class Chat:
    """All rooms and who I am.

    Args:
        name: my name, until the server says it.
        room: the room that is shown.
        clock: seconds since 1970, for what only happens here.
    """

    def __init__(self, name: str = "", room: str = "general", clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self.user: int | None = None
        self.session = ""
        """Which of my comings-in the logs belong to."""
        self.rooms = {room: Room(room)}
        self.current = self.rooms[room]
        self.returned: list[str] = []
        """Texts that were taken back, for the composer to fetch."""
        self.clock = clock

    def room(self, handle: str) -> Room:
        """Return a room, known from now on."""
        if handle not in self.rooms:
            room = self.rooms[handle] = Room(handle)
            room.timeline.my_user, room.timeline.my_name = self.user, self.name
        return self.rooms[handle]

    def apply_all(self, batch: "Iterable[frames.ServerFrame]") -> Changed:
        """Apply frames in order; return what they changed."""
        from server.protocol import frames  # not before the first paint

        changed = Changed.NOTHING
        rooms = self.rooms
        for frame in batch:
            if type(frame) is frames.Message and frame.room in rooms:  # nearly all of a flood
                rooms[frame.room].timeline.add(frame)
            else:
                changed |= self.apply(frame)
        return changed

    def apply(self, frame: "frames.ServerFrame") -> Changed:
        """Apply one frame; return what it changed."""
        from server.protocol import frames  # not before the first paint

        match frame:
            case frames.Message():
                self.room(frame.room).timeline.add(frame)
            case frames.History():
                self.room(frame.room).timeline.add_page(frame)
            case frames.Roster():
                self.room(frame.room).people.roster(frame.names, frame.more)
                return Changed.PEOPLE
            case frames.Joined():
                self._came_in(self.room(frame.room), frame.names)
                return Changed.PEOPLE
            case frames.Left():
                self._left(self.room(frame.room), frame.names, frame.reason)
                return Changed.PEOPLE
            case frames.Renamed():
                return self._renamed(frame)
            case frames.Welcome():
                return self._welcome(frame)
            case frames.Ok() if frame.id is not UNSET and frame.seq is not UNSET:
                for room in self.rooms.values():  # one of them waits for it: it had been taken before
                    room.timeline.confirm(frame.id, frame.seq)
            case frames.Ok() if frame.id is not UNSET:
                return self._returned(frame.id)
            case frames.Error():
                self._refused(frame)
            case frames.Gap():
                timeline = self.room(frame.room).timeline
                timeline.reset()
                timeline.notice("Too much was missed to show it all: PgUp brings it.", self.clock())
            case _:
                pass
        return Changed.NOTHING

    def call_me(self, name: str) -> Changed:
        """Take a name as mine, in all rooms."""
        self.name = name
        for room in self.rooms.values():
            room.timeline.my_name = name
        return Changed.NAME | Changed.PEOPLE

    def disconnected(self) -> None:
        """Forget who is online: nothing is known while there is no connection."""
        for room in self.rooms.values():
            room.people.clear()

    def _welcome(self, frame: "frames.Welcome") -> Changed:
        if self.session and not frame.resumed:  # what is held may be of another log
            for room in self.rooms.values():
                room.timeline.reset()
        self.user, self.session = frame.user, frame.session
        for handle in frame.rooms:
            self.room(handle)
        for room in self.rooms.values():
            room.timeline.my_user = self.user
        return self.call_me(frame.name)

    def _came_in(self, room: Room, names: list[str]) -> None:
        others = [name for name in room.people.add(names) if name != self.name]
        if others:
            room.timeline.came_in(others, self.clock())

    def _left(self, room: Room, names: list[str], reason: str) -> None:
        others = [name for name in room.people.remove(names) if name != self.name]
        if others:
            room.timeline.left(others, reason, self.clock())

    def _renamed(self, frame: "frames.Renamed") -> Changed:
        mine = frame.user == self.user
        changed = self.call_me(frame.new) if mine else Changed.PEOPLE
        for room in self.rooms.values():
            if room.people.rename(frame.old, frame.new) or mine:
                room.timeline.renamed(frame.old, frame.new, self.clock())
        return changed

    def _returned(self, id: int) -> Changed:
        """A message was taken back in time."""
        for room in self.rooms.values():
            if any(waiting.id == id for waiting in room.timeline.waiting()):
                self.returned.append(room.timeline.withdraw(id))
                return Changed.RETURNED
        return Changed.NOTHING

    def _refused(self, frame: "frames.Error") -> None:
        """A message that failed says so itself; an error of no request is told in the room that is shown."""
        handle = frame.room if frame.room is not UNSET else self.current.handle
        timeline = self.room(handle).timeline
        if frame.id is not UNSET and frame.code == "rate_limited":
            timeline.notice("More at once than this server takes: the rest is sent by and by.", self.clock())
        elif frame.id is not UNSET:
            timeline.fail(frame.id, frame.message)
        elif frame.ref is UNSET:
            timeline.notice(frame.message, self.clock(), "error")
