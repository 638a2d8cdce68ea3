"""How far people have read, and what they want to be told of: theirs alone, the same on all their devices."""

import asyncio
from copy import copy
from typing import Final

from msgspec import UNSET

from server.chat.answers import Answers
from server.chat.ports import Log
from server.chat.rooms import Rooms
from server.chat.world import Peer, Room
from server.protocol import frames
from server.protocol.codec import encode
from server.record.entries import Mark, Marking

WRITE_EVERY: Final = 1.0
"""Seconds between two writes of what was read: it changes with every message that somebody sees."""


class Standing:
    """Marks: told to all devices of a person at once, written a little later."""

    def __init__(self, journal: Log, rooms: Rooms, answers: Answers) -> None:
        self._log = journal
        self._rooms = rooms
        self._answers = answers
        self._unwritten: dict[int, dict[int, Mark]] = {}
        """Per user the marks of rooms that are not known to be on the disk."""
        self._timer: asyncio.TimerHandle | None = None

    def mark(self, peer: Peer, frame: frames.Mark) -> None:
        """Take what someone says of themselves, and tell all their devices how that leaves it."""
        person = peer.here
        room = self._rooms.of_member(person, frame.room)
        mark = person.marks.get(room.id)
        if mark is None:
            mark = Mark()
            person.marks = {**person.marks, room.id: mark}
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
        line = marked(room, mark)
        for device in person.peers:
            self._answers.line(device, line)
        self._answers.ok(peer, frame.ref)
        self._answers.deliver()
        self._unwritten.setdefault(person.user, {})[room.id] = mark
        self._write_later()

    def unwritten(self, user: int) -> dict[int, Mark]:
        """Return the marks of someone who comes back that the log could not know of yet."""
        return self._unwritten.get(user, {})

    def write(self) -> None:
        """Hand over to the log what is not written yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rows = [(user, room, copy(mark)) for user, marks in self._unwritten.items() for room, mark in marks.items()]
        if rows:
            self._log.append(Marking(rows=rows, then=self._written))

    def _write_later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WRITE_EVERY, self.write)

    def _written(self, marking: Marking) -> None:
        if marking.code is not None:
            self._write_later()
            return
        for user, room, mark in marking.rows:
            marks = self._unwritten.get(user, {})
            if marks.get(room) == mark:  # and was not changed since
                del marks[room]
                if not marks:
                    del self._unwritten[user]


def marked(room: Room, mark: Mark) -> bytes:
    """Return the line that tells how someone stands in a room."""
    return encode(
        frames.Marked(
            room=room.handle,
            read=mark.read,
            unread=mark.unread,
            level=mark.level,
            favourite=mark.favourite,
            muted=mark.muted,
        )
    )
