"""What people see of each other besides messages, and that nobody keeps: who writes, who is away."""

import asyncio
from functools import partial
from typing import Final

from msgspec import UNSET, UnsetType

from server.chat.answers import Answers, refusal_of
from server.chat.hub import Hub
from server.chat.ports import Log
from server.chat.presence import Presence
from server.chat.rooms import Rooms
from server.chat.world import Peer
from server.protocol.frames import Away, TypingRequest
from server.protocol.text import clean_line
from server.record.entries import Checking
from server.record.rights import Act

TYPING_EVERY: Final = 1.0
"""Seconds in which it is told once that someone writes in a room, whatever their client says."""


class Company:
    """Typing and being away: told, never written."""

    def __init__(self, journal: Log, hub: Hub, presence: Presence, rooms: Rooms, answers: Answers) -> None:
        self._log = journal
        self._hub = hub
        self._presence = presence
        self._rooms = rooms
        self._answers = answers

    def typing(self, peer: Peer, frame: TypingRequest) -> None:
        """Tell a room that someone writes."""
        person = peer.here
        room = self._rooms.of_member(person, frame.room)
        now = asyncio.get_running_loop().time()
        if now - person.typed.get(room.id, -TYPING_EVERY) >= TYPING_EVERY:
            person.typed = {**person.typed, room.id: now}
            self._presence.writes(room, person)
        self._done(peer, frame.ref)

    def away(self, peer: Peer, frame: Away) -> None:
        """Tell who shares a room with them that someone is away, or here again. Who may say nothing says no why."""
        person = peer.here
        away = clean_line(frame.text).strip() if frame.on else None
        if away == person.away:
            self._done(peer, frame.ref)
            return
        person.rate.check()
        if not away:
            self._be_away(peer, frame, away)
            return
        peer.waiting = True
        peer.open += 1
        then = partial(self._judged, peer, frame, away)
        self._log.append(Checking(peer=peer, user=person.user, room=self._hub.general.id, act=Act.SAY, then=then))

    def _judged(self, peer: Peer, frame: Away, away: str, checking: Checking) -> None:
        peer.waiting = False
        peer.open -= 1
        if checking.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(checking))
        elif not peer.gone:
            self._be_away(peer, frame, away)

    def _be_away(self, peer: Peer, frame: Away, away: str | None) -> None:
        peer.here.away = away
        self._presence.status(peer.here)
        self._done(peer, frame.ref)

    def _done(self, peer: Peer, ref: str | UnsetType) -> None:
        if ref is not UNSET:
            self._answers.ok(peer, ref)
            self._answers.deliver()
