"""How far people have read, and what they want to be told of: theirs alone, the same on all their devices."""

import asyncio
from typing import Final

from msgspec import UNSET

from server.chat.answers import Answers
from server.chat.events import Mark, Marking
from server.chat.ports import Log
from server.chat.rooms import Rooms
from server.chat.world import Peer
from server.protocol import frames
from server.protocol.codec import encode

WRITE_EVERY: Final = 1.0
"""Seconds between two writes of what was read: it changes with every message that somebody sees."""


class Standing:
    """Marks: told to all devices of a person at once, written a little later."""

    def __init__(self, journal: Log, rooms: Rooms, answers: Answers) -> None:
        self._log = journal
        self._rooms = rooms
        self._answers = answers
        self._dirty: dict[tuple[int, int], Mark] = {}
        self._timer: asyncio.TimerHandle | None = None

    def mark(self, peer: Peer, frame: frames.Mark) -> None:
        """Take what someone says of themselves, and tell all their devices how that leaves it."""
        person = peer.here
        room = self._rooms.of_member(person, frame.room)
        mark = person.marks.setdefault(room.id, Mark())
        if frame.read is not UNSET:
            mark.read = max(mark.read, min(frame.read, self._rooms.head))
            mark.unread = 0
        if frame.unread is not UNSET:
            mark.unread = frame.unread
        if frame.level is not UNSET:
            mark.level = frame.level
        if frame.favourite is not UNSET:
            mark.favourite = frame.favourite
        if frame.muted is not UNSET:
            mark.muted = frame.muted
        line = encode(
            frames.Marked(
                room=room.handle,
                read=mark.read,
                unread=mark.unread,
                level=mark.level,
                favourite=mark.favourite,
                muted=mark.muted,
            )
        )
        for device in person.peers:
            self._answers.line(device, line)
        self._answers.ok(peer, frame.ref)
        self._answers.deliver()
        self._dirty[person.user, room.id] = mark
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_EVERY, self.write)

    def write(self) -> None:
        """Hand over to the log what is not written yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rows = [(user, room, mark) for (user, room), mark in self._dirty.items()]
        self._dirty.clear()
        if rows:
            self._log.append(Marking(rows=rows))
