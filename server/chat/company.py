"""What people see of each other besides messages, and that nobody keeps: who writes, who is away."""

import asyncio
from typing import Final

from msgspec import UNSET, UnsetType

from server.chat.answers import Answers
from server.chat.presence import Presence
from server.chat.rooms import Rooms
from server.chat.world import Peer
from server.protocol.frames import Away, TypingRequest
from server.protocol.text import clean_line

TYPING_EVERY: Final = 1.0
"""Seconds in which it is told once that someone writes in a room, whatever their client says."""


class Company:
    """Typing and being away: told, never written."""

    def __init__(self, presence: Presence, rooms: Rooms, answers: Answers) -> None:
        self._presence = presence
        self._rooms = rooms
        self._answers = answers

    def typing(self, peer: Peer, frame: TypingRequest) -> None:
        """Tell a room that someone writes."""
        person = peer.here
        room = self._rooms.of_member(person, frame.room)
        now = asyncio.get_running_loop().time()
        if now - person.typed.get(room.id, -TYPING_EVERY) >= TYPING_EVERY:
            person.typed[room.id] = now
            self._presence.writes(room, person)
        self._done(peer, frame.ref)

    def away(self, peer: Peer, frame: Away) -> None:
        """Tell everyone who shares a room that someone is away, or here again."""
        person = peer.here
        away = clean_line(frame.text).strip() if frame.on else None
        if away != person.away:
            person.rate.check()
            person.away = away
            self._presence.status(person)
        self._done(peer, frame.ref)

    def _done(self, peer: Peer, ref: str | UnsetType) -> None:
        if ref is not UNSET:
            self._answers.ok(peer, ref)
            self._answers.deliver()
