"""What people say, and what they do to what was said: edit, delete, react, pin."""

import re
from functools import partial
from typing import Any, Final

from msgspec import UNSET

from server.chat.answers import Answers, refusal_of
from server.chat.hub import Hub
from server.chat.names import Names
from server.chat.ports import Log
from server.chat.presence import Presence
from server.chat.rooms import Rooms
from server.chat.world import Peer, Room
from server.protocol import limits
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Delete, Edit, Pin, React, Send, Withdraw
from server.protocol.text import check_text
from server.record.entries import Draft, GivenUp
from server.record.events import (
    DeleteBody,
    EditBody,
    Kind,
    MessageBody,
    PinBody,
    ReactBody,
    encode_body,
    event_line,
    message_line,
)

_NAMED: Final = re.compile(r"@(?<![\w@./-]@)(\w[\w.-]*)")
"""A name in a text: not in the middle of an address. It starts with its @: that is what is quickly looked for."""

_HERE: Final = "here"

_MESSAGE: Final = Kind.MESSAGE  # to look up a member of an enum takes as long as a short function


class Saying:
    """Messages and what becomes of them. All of it goes through the log; the log's writer judges."""

    def __init__(
        self, journal: Log, hub: Hub, presence: Presence, names: Names, rooms: Rooms, answers: Answers
    ) -> None:
        self._log = journal
        self._hub = hub
        self._presence = presence
        self._names = names
        self._rooms = rooms
        self._answers = answers

    def send(self, peer: Peer, frame: Send) -> None:
        """Put a message into the log's queue. What every message goes through: few calls, few look-ups."""
        person = peer.person
        assert person is not None, "only who was welcomed sends"
        name = frame.room
        try:
            room = self._hub.by_handle.get(name)
            if room is None or room.id not in person.rooms:  # rarely
                room = self._rooms.of_member(person, name)
            text = check_text(frame.text)
        except ProtocolError as fault:
            self._answers.refuse(peer, frame.ref, fault, room=name, id=frame.id)
            if frame.id is not UNSET:
                self._log.append(GivenUp(session=peer.session, id=frame.id))
            return
        limited = person.rate.take()
        if limited and frame.id is UNSET:
            words = ProtocolError(Code.RATE_LIMITED, person.rate.refusal(limited), wait_ms=limited)
            self._answers.refuse(peer, frame.ref, words, room=name)
            return
        body = MessageBody(person.name, text, frame.me)
        draft = Draft(
            peer=peer,
            ref=None if frame.ref is UNSET else frame.ref,
            kind=_MESSAGE,
            room=room.id,
            user=person.user,
            session=peer.session,
            id=0 if frame.id is UNSET else frame.id,
            limited=limited,
        )
        if frame.reply is not UNSET:
            body.reply = frame.reply
            draft.about = body
        if "@" in text:
            draft.names = self._name(room, text, body)
            if draft.names or body.mentions or body.here:
                draft.about = body
        draft.body = encode_body(body)
        peer.open += 1
        self._log.append(draft)

    def withdraw(self, peer: Peer, frame: Withdraw) -> None:
        """Take back a message that may not have been taken: the answer tells."""
        peer.open += 1
        self._log.append(
            GivenUp(peer=peer, session=peer.session, id=frame.id, then=partial(self._withdrawn, peer, frame))
        )

    def edit(self, peer: Peer, frame: Edit) -> None:
        """Say an own message otherwise."""
        text = check_text(frame.text)
        body = EditBody(peer.here.name, frame.seq, text)
        room = self._rooms.of_member(peer.here, frame.room)
        unknown = self._name(room, text, body) if "@" in text else ()
        self._act(peer, frame, room, Kind.EDIT, body, unknown)

    def delete(self, peer: Peer, frame: Delete) -> None:
        """Take a message away."""
        room = self._rooms.of_member(peer.here, frame.room)
        self._act(peer, frame, room, Kind.DELETE, DeleteBody(peer.here.name, frame.seq))

    def react(self, peer: Peer, frame: React) -> None:
        """React to a message, or take that back."""
        room = self._rooms.of_member(peer.here, frame.room)
        self._act(peer, frame, room, Kind.REACT, ReactBody(peer.here.name, frame.seq, frame.emoji, frame.on))

    def pin(self, peer: Peer, frame: Pin) -> None:
        """Pin a message, or take it off."""
        room = self._rooms.of_member(peer.here, frame.room)
        self._act(peer, frame, room, Kind.PIN, PinBody(peer.here.name, frame.seq, frame.on))

    # What comes back from the log.

    def said(self, draft: Draft) -> None:
        """A message is durable, was so before, or is refused."""
        room = self._hub.rooms[draft.room]
        peer = draft.peer
        if peer is not None:
            peer.open -= 1
        if draft.code is not None or draft.repeated:
            if peer is not None:
                self._not_said(peer, room, draft)
            return
        seq = draft.seq
        self._hub.event(room, seq, message_line(seq, room.json, draft.id, draft.user, draft.time, draft.body))
        if peer is not None:
            if room.typing:  # what was being written is there
                room.typing.pop(peer.here.name, None)
            if room.crowd is not None:
                self._presence.stands_out(room, peer.here)
            if draft.ref is not None:
                self._answers.ok(peer, draft.ref, seq=seq)

    def _not_said(self, peer: Peer, room: Room, draft: Draft) -> None:
        """Answer who sent a message that is refused, or was said before."""
        if not draft.limited:
            peer.here.rate.give_back()
        ref = UNSET if draft.ref is None else draft.ref
        if draft.code is None:
            # The message itself may be long past: with no ref, the id says what this is about.
            self._answers.ok(peer, ref, seq=draft.seq, id=draft.id)
            return
        why = refusal_of(draft)
        if draft.limited and draft.code in (Code.RATE_LIMITED, Code.TRY_AGAIN):
            why = ProtocolError(draft.code, peer.here.rate.refusal(draft.limited), wait_ms=draft.limited)
        self._answers.refuse(peer, ref, why, room=room.handle, id=draft.id or UNSET)

    def acted(self, draft: Draft) -> None:
        """Something was done to a message, or to its room."""
        room = self._hub.rooms[draft.room]
        line = event_line(draft.kind, draft.seq, room.json, draft.user, draft.time, draft.body)
        # What a message says now is for those who may read what it said.
        of = draft.about.target if draft.kind is Kind.EDIT and room.record.before == "joined" else 0
        self._hub.event(room, draft.seq, line, of)

    def answer(self, draft: Draft) -> None:
        """Answer who did something to a message."""
        peer = draft.peer
        peer.open -= 1
        ref = UNSET if draft.ref is None else draft.ref
        if draft.code is not None:
            self._answers.refuse(peer, ref, refusal_of(draft), room=self._hub.rooms[draft.room].handle)
        else:
            self._answers.ok(peer, ref, seq=draft.seq or UNSET)

    def _withdrawn(self, peer: Peer, frame: Withdraw, given_up: GivenUp) -> None:
        peer.open -= 1
        if given_up.code is not None:
            self._answers.refuse(peer, frame.ref, given_up.code, id=frame.id)
        else:
            self._answers.ok(peer, frame.ref, id=frame.id, seq=given_up.seq or UNSET)

    # How.

    def _act(
        self,
        peer: Peer,
        frame: Edit | Delete | React | Pin,
        room: Room,
        kind: Kind,
        body: Any,  # noqa: ANN401 - one of the bodies
        names: tuple[str, ...] = (),
    ) -> None:
        peer.here.rate.check()
        peer.open += 1
        self._log.append(
            Draft(
                peer=peer,
                ref=None if frame.ref is UNSET else frame.ref,
                kind=kind,
                room=room.id,
                user=peer.here.user,
                session=peer.session,
                body=encode_body(body),
                about=body,
                names=names,
            )
        )

    def _name(self, room: Room, text: str, body: MessageBody | EditBody) -> tuple[str, ...]:
        """Note whom a text names: those who are here at once; return the names of others, for the log to look up."""
        unknown = []
        for found in _NAMED.findall(text)[: limits.MENTIONS]:
            name = found.rstrip(".-")
            if len(name) > limits.NAME_CHARS:
                continue
            person = self._names.find(name)
            if person is not None:
                if room.id in person.rooms:
                    body.mentions.append(person.user)
            elif name.casefold() == _HERE:
                body.here = True
            else:
                unknown.append(name)
        return tuple(unknown)
