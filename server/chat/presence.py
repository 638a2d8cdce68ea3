"""Who is here: told at most every 50 ms, all that came in or left in that time in one line a room.

Presence is not in the log. 1,000 people coming in at once are one line of 1,000 names to each, not a million notices.
While they keep coming, smaller rooms are told of with the largest: a packet for all rooms of theirs.
A crowd is told how many are here, and the names of a few (`crowd.py`).
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from server.chat.crowd import LEFT, Crowd
from server.chat.hub import Hub
from server.chat.limits import DEFAULTS
from server.chat.world import AWAY_CHARS, PART, Person, Room
from server.protocol.codec import encode
from server.protocol.frames import Count, Joined, Left, Renamed, Status, Typing

HOLD: Final = 0.05
"""Seconds that presence is held: nobody sees the difference, and a storm becomes a line."""

LOOK: Final = 0.025
"""Seconds between two looks at what is held for longer: a storm in which nothing came between two has ended."""

EACH: Final = 0.0005
"""Seconds for each who is told that it may be held, where that is longer, as long as people keep coming and going: a
storm that lasts is told now and then, at the latest after 5 seconds in a room of 10,000, and its end at once. A write
takes a twentieth of this: no crowd takes the server's time from those who talk."""


class Presence:
    """Collects arrivals and departures, and hands the hub what is to be told."""

    def __init__(self, hub: Hub, crowd: int = DEFAULTS.crowd) -> None:
        """Tell of people by a hub; `crowd`: as in `Limits`."""
        self._hub = hub
        self._crowd = crowd
        self._changed: list[Room] = []
        """Those that have just become a crowd, or none any more."""
        self._due: dict[Room, tuple[float, float]] = {}
        """Per room with something to tell until when it is held, by the loop's clock: at least, and at most; 0 for the
        next look."""
        self._stirred: set[Room] = set()
        """Those in which somebody came or went since it was last looked."""
        self._timer: asyncio.TimerHandle | None = None

    def came(self, room: Room, person: Person) -> None:
        """Someone is in a room from now on. Who comes back before it was told that they left, as they were, is not."""
        name = person.name
        known = room.departures.pop(name, None) is not None and room.online.get(name) == person.user
        was_away = room.away.pop(name, None)
        if person.away is not None:
            room.away[name] = person.away[:AWAY_CHARS]
        if not known or room.away.get(name) != was_away:
            room.arrivals[name] = person.user
        self._hold(room)

    def writes(self, room: Room, person: Person) -> None:
        """Someone writes something in a room just now. In a crowd, somebody always does."""
        if room.crowd is None:
            room.typing[person.name] = None
            self._hold(room)

    def stands_out(self, room: Room, person: Person) -> None:
        """Someone in a room has said something, or moderates: a crowd is told of them by name from now on."""
        crowd, name = room.crowd, person.name
        if crowd is None:
            return
        if name in crowd.named:
            crowd.named[name] = crowd.named.pop(name)
            if name not in crowd.shown:
                room.snapshot = None
        else:
            crowd.unnamed[name] = None
            self._hold(room)

    def left(self, room: Room, name: str, reason: str) -> None:
        """Someone is in a room no more."""
        room.typing.pop(name, None)
        if room.arrivals.pop(name, None) is None or name in room.online:
            room.departures[name] = reason
        self._hold(room)

    def renamed(self, person: Person, old: str, new: str) -> None:
        """Tell everyone who shares a room with them, once, but crowds that do not know their name.

        What was held before is told first.
        """
        self._tell_first(person)
        told = self._knowing(person, old)
        for room in person.rooms.values():
            room.online.pop(old, None)
            room.online[new] = person.user
            room.order = None
            if (why := room.away.pop(old, None)) is not None:
                room.away[new] = why
            if room.crowd is not None and old in room.crowd.named:
                room.crowd.renamed(old, new)
        self._tell_all(person, told, encode(Renamed(user=person.user, old=old, new=new)))

    def status(self, person: Person) -> None:
        """Tell them the same way that someone is away, or here again."""
        self._tell_first(person)
        away = person.away is not None
        for room in person.rooms.values():
            if person.away is not None:
                room.away[person.name] = person.away[:AWAY_CHARS]
            else:
                room.away.pop(person.name, None)
        line = encode(Status(user=person.user, name=person.name, away=away, text=person.away or ""))
        self._tell_all(person, self._knowing(person, person.name), line)

    def _knowing(self, person: Person, name: str) -> list[Room]:
        """Return the rooms in which someone is known by this name."""
        return [room for room in person.rooms.values() if room.crowd is None or name in room.crowd.named]

    def _tell_all(self, person: Person, rooms: list[Room], line: bytes) -> None:
        for room in rooms:
            room.snapshot = None
            room.version += 1
        # Their own are told in any case: a roster would not tell them that this is about themselves.
        self._hub.notice_once(rooms, line, person.peers)
        self._hub.deliver()

    def flush(self) -> None:
        """Tell all that is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell_of(list(self._due))

    def _hold(self, room: Room) -> None:
        self._stirred.add(room)
        if room in self._due:
            return
        loop = asyncio.get_running_loop()
        now, seconds = loop.time(), len(room.live) * EACH
        self._due[room] = (now + HOLD, now + seconds) if seconds > HOLD else (0, 0)
        if self._timer is None:
            self._timer = loop.call_later(HOLD, self._tell_due)

    def _tell_due(self) -> None:
        self._timer = None
        if not self._due:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        largest = max(self._due, key=_size)
        ripe = [
            room
            for room, (least, most) in self._due.items()
            if most <= now or (least <= now and room not in self._stirred)
        ]
        if largest not in ripe:  # who enters some room in a storm is told of with all others who come
            ripe = [room for room in ripe if not (room.arrivals or room.departures)]
        self._stirred.clear()
        self._tell_of(ripe)
        if self._due:
            self._timer = loop.call_later(LOOK, self._tell_due)

    def _tell_first(self, person: Person) -> None:
        """Tell what is held of someone's rooms, before something that is told at once."""
        self._tell_of([room for room in person.rooms.values() if room in self._due])

    def _tell_of(self, rooms: Iterable[Room]) -> None:
        """Tell what is held of these rooms, the largest by itself: its bytes stay the same for all of its members.

        Joined with what each is told of smaller rooms, they would be copied for each of those. An event loop that
        gathers writes makes one of both.
        """
        ordered = sorted(rooms, key=_size)
        for room in ordered[:-1]:
            self._tell(room)
        self._hub.deliver()
        for room in ordered[-1:]:
            self._tell(room)
        self._hub.deliver()
        changed, self._changed = self._changed, []
        for room in changed:
            self._hub.tell_anew(room)

    def _tell(self, room: Room) -> None:
        del self._due[room]
        self._stirred.discard(room)
        if room.typing:
            for start in range(0, len(room.typing), PART):
                part = list(room.typing)[start : start + PART]
                self._hub.notice(room, encode(Typing(room=room.handle, names=part)))
            room.typing.clear()
        if not (room.departures or room.arrivals or (room.crowd is not None and room.crowd.unnamed)):
            return
        gone, room.departures = room.departures, {}
        come, room.arrivals = room.arrivals, {}
        for name in gone:
            room.online.pop(name, None)
            if name not in come:
                room.away.pop(name, None)
        room.online.update(come)
        room.version += 1
        room.order = None
        if room.crowd is not None:
            self._tell_crowd(room, room.crowd, gone, come)
            if len(room.online) < self._crowd * LEFT:
                room.crowd = room.snapshot = None
                self._changed.append(room)
        elif len(room.online) >= self._crowd:  # what came and went is in what all are told now
            room.crowd, room.snapshot = Crowd.of(self._crowd, room.online, room.moderating(room.online)), None
            self._changed.append(room)
        else:
            self._tell_names(room, gone, come)

    def _tell_names(self, room: Room, gone: dict[str, str], come: dict[str, int]) -> None:
        """Tell who left, each with the reason, and who came in."""
        if gone or come:
            room.snapshot = None
        reasons: dict[str, list[str]] = {}
        for name, reason in gone.items():
            reasons.setdefault(reason, []).append(name)
        for reason, names in reasons.items():
            for start in range(0, len(names), PART):
                part = names[start : start + PART]
                self._hub.notice(room, encode(Left(room=room.handle, names=part, reason=reason)))
        for names, users, away, roles in room.parts(come):
            self._hub.notice(room, encode(Joined(room=room.handle, names=names, users=users, away=away, roles=roles)))

    def _tell_crowd(self, room: Room, crowd: Crowd, gone: dict[str, str], come: dict[str, int]) -> None:
        """Tell how many are here, and of those who are told by name."""
        known = {name: reason for name, reason in gone.items() if crowd.named.pop(name, None) is not None}
        self._tell_names(room, known, crowd.came(come, room.moderating(come)))
        fresh = {name: room.online[name] for name in crowd.unnamed if name in room.online and name not in crowd.named}
        crowd.unnamed.clear()
        if fresh:
            crowd.named.update(fresh)
            room.snapshot = None
        for names, users, away, roles in room.parts(fresh) if fresh else (([], [], {}, {}),):
            count = len(room.online)
            self._hub.notice(
                room, encode(Count(room=room.handle, count=count, names=names, users=users, away=away, roles=roles))
            )


def _size(room: Room) -> int:
    return len(room.live)
