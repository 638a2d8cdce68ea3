"""Who is here: told at most every 50 ms, all that came in or left in that time in one line a room.

Presence is not in the log. 1,000 people coming in at once are one line of 1,000 names to each, not a million notices.
"""

import asyncio
from typing import Final

from server.chat.hub import Hub
from server.chat.world import PART, Person, Room
from server.protocol.codec import encode
from server.protocol.frames import Joined, Left, Renamed

HOLD: Final = 0.05
"""Seconds that presence is held: nobody sees the difference, and a storm becomes a line."""


class Presence:
    """Collects arrivals and departures, and hands the hub what is to be told."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._changed: dict[Room, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def came(self, room: Room, name: str) -> None:
        """Someone is in a room from now on."""
        if room.departures.pop(name, None) is None:
            room.arrivals[name] = None
        self._hold(room)

    def left(self, room: Room, name: str, reason: str) -> None:
        """Someone is in a room no more."""
        if name in room.arrivals:
            del room.arrivals[name]
        else:
            room.departures[name] = reason
        self._hold(room)

    def renamed(self, person: Person, old: str, new: str) -> None:
        """Tell everyone who shares a room with them, once; what was held before is told first."""
        self.flush()
        line = encode(Renamed(user=person.user, old=old, new=new))
        told: dict[Room, None] = {}
        for room in person.rooms.values():
            room.online.pop(old, None)
            room.online[new] = None
            room.snapshot = None
            room.version += 1
            told[room] = None
        self._hub.notice_once(told, line)
        for peer in person.peers:
            if not peer.live:  # a roster would not tell them that this is about themselves
                peer.answer(line)
                self._hub.answered(peer)
        self._hub.deliver()

    def flush(self) -> None:
        """Tell what was held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        changed, self._changed = self._changed, {}
        for room in changed:
            self._tell(room)
        self._hub.deliver()

    def _hold(self, room: Room) -> None:
        self._changed[room] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(HOLD, self.flush)

    def _tell(self, room: Room) -> None:
        room.version += 1
        if room.departures:
            reasons: dict[str, list[str]] = {}
            for name, reason in room.departures.items():
                room.online.pop(name, None)
                reasons.setdefault(reason, []).append(name)
            for reason, names in reasons.items():
                for part in _parts(names):
                    self._hub.notice(room, encode(Left(room=room.handle, names=part, reason=reason)))
            room.departures.clear()
            room.snapshot = None
        if room.arrivals:
            room.online.update(room.arrivals)
            for part in _parts(list(room.arrivals)):
                self._hub.notice(room, encode(Joined(room=room.handle, names=part)))
            room.arrivals.clear()
            room.snapshot = None


def _parts(names: list[str]) -> list[list[str]]:
    return [names[start : start + PART] for start in range(0, len(names), PART)]
