"""Rooms: make, enter, leave, change, invite, and the rooms of a few people."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET

from server.chat.answers import Answers, refusal_of, refused
from server.chat.hub import Hub
from server.chat.limits import Limits
from server.chat.names import Names
from server.chat.ports import Archive, Log
from server.chat.presence import Presence
from server.chat.world import NOTHING, Peer, Person, Room
from server.protocol import limits as bounds
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Change, Direct, Invite, Join, Leave, Left, Make
from server.protocol.text import check_room, clean_line
from server.record.entries import Draft
from server.record.events import (
    GENERAL,
    SERVER,
    AppointBody,
    ChangeBody,
    InviteBody,
    Kind,
    RoomBody,
    RoomKind,
    event_line,
)
from server.record.register import RoomRecord, change
from server.record.rights import ROLES, Role


class Rooms:
    """The rooms, as this process sees them: what the log has made of them, and who is in them now."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        hub: Hub,
        presence: Presence,
        names: Names,
        people: dict[int, Person],
        limits: Limits,
        answers: Answers,
    ) -> None:
        self._log = journal
        self._archive = archive
        self._hub = hub
        self._presence = presence
        self._names = names
        self._people = people
        self._limits = limits
        self._answers = answers
        self._making: dict[str, list[tuple[Peer, Callable[[Room | None], None]]]] = {}
        self.entered: Callable[[Peer, Room, int], None] = lambda _peer, _room, _backlog: None
        """Called when a connection that asked for it is in a room: it wants so many of the latest messages."""

    @property
    def head(self) -> int:
        """The seq up to which everything has been delivered."""
        return self._hub.head

    # Which room.

    def find(self, person: Person, name: str) -> Room:
        """Return the room that a client means, whatever its capitals; ProtocolError where they can't know of one."""
        room = self._hub.by_handle.get(name) or self._hub.by_handle.get(_handle(name))
        if room is None or not self.knows(person, room):
            raise refused(Code.NO_SUCH_ROOM)
        return room

    def of_member(self, person: Person, name: str) -> Room:
        """Return a room that they are a member of; ProtocolError where they are not. The server is at home in all."""
        room = self._hub.by_handle.get(name)
        if room is None or room.id not in person.rooms:
            room = self.find(person, name)
            if room.id not in person.rooms and person.user != SERVER:
                raise refused(Code.NOT_A_MEMBER)
        return room

    def knows(self, person: Person, room: Room) -> bool:
        """Say whether a room exists, as far as they may know."""
        known = room.record.kind == "public" or person.user == SERVER
        return known or room.id in person.rooms or room.id in person.invitations

    # Making, entering, leaving.

    def join(self, peer: Peer, frame: Join) -> None:
        """Make or enter a room."""
        if peer.here.user == SERVER:
            raise refused(Code.NOT_ALLOWED)
        room = self._hub.by_handle.get(frame.room)  # a direct room's handle is no name that one could give
        handle = room.handle if room is not None and self.knows(peer.here, room) else check_room(frame.room)
        room = self._hub.by_handle.get(handle)
        if room is not None and not self.knows(peer.here, room):
            raise ProtocolError(Code.NOT_ALLOWED, "You can't enter this room. Pick another name, or ask to be invited.")
        if room is None or room.id not in peer.here.rooms:
            self._check_count(peer.here)
            peer.here.rate.check()
        peer.waiting = True
        peer.open += 1
        if room is not None:
            self._enter(peer, frame, room)
            return
        waiting = self._making.setdefault(handle, [])
        waiting.append((peer, partial(self._enter, peer, frame)))
        if len(waiting) == 1:
            body = RoomBody(handle, handle)
            self._log.append(
                Draft(kind=Kind.ROOM, room=0, user=peer.here.user, about=body, then=partial(self._made, handle))
            )

    def make(self, peer: Peer, frame: Make) -> None:
        """Make a room as one wants it."""
        handle = check_room(frame.room)
        before = frame.before if frame.before is not UNSET else "joined" if frame.private else "all"
        title = _words(frame.title) or handle
        kind: RoomKind = "private" if frame.private else "public"
        self._check_count(peer.here)
        body = RoomBody(handle, title, kind, before, _words(frame.topic), [peer.here.user])
        self.request(peer, frame, Kind.ROOM, 0, body)

    async def direct(self, peer: Peer, frame: Direct) -> bytes:
        """Make, or find, the room of some people."""
        users = {peer.here.user}
        for name in frame.names:
            users.add((await self.person(name))[0])
        handle = f"@{'-'.join(map(str, sorted(users)))}"
        room = self._hub.by_handle.get(handle)
        if room is not None:
            self._answers.ok(peer, frame.ref, room=handle)
            self._hub.deliver()
            return b""
        self._check_count(peer.here)
        body = RoomBody(handle, "", "direct", "all", "", sorted(users))
        self.request(peer, frame, Kind.ROOM, 0, body)
        return b""

    def leave(self, peer: Peer, frame: Leave) -> None:
        """Stop being a member of a room, or decline an invitation."""
        room = self.find(peer.here, frame.room)
        if room.handle == GENERAL:
            raise ProtocolError(Code.BAD_ROOM, "Everyone is in general: it can't be left.")
        if room.id not in peer.here.rooms and room.id not in peer.here.invitations:
            raise ProtocolError(Code.NOT_A_MEMBER, "You are not in this room.")
        self.request(peer, frame, Kind.UNMEMBER, room.id, None)

    def change(self, peer: Peer, frame: Change) -> None:
        """Change what is known of a room."""
        room = self.of_member(peer.here, frame.room)
        body = ChangeBody(
            peer.here.name,
            archived=frame.archived,
            read_only=frame.read_only,
            slow=frame.slow,
            keep_days=frame.keep_days,
            keep_count=frame.keep_count,
        )
        if frame.title is not UNSET:
            body.title = _words(frame.title) or room.handle
        if frame.topic is not UNSET:
            body.topic = _words(frame.topic)
        self.request(peer, frame, Kind.CHANGE, room.id, body)

    async def invite(self, peer: Peer, frame: Invite) -> bytes:
        """Invite somebody, or take that back."""
        room = self.of_member(peer.here, frame.room)
        who, name = await self.person(frame.name)
        if who == peer.here.user:
            raise ProtocolError(Code.NOT_ALLOWED, "You are in this room yourself.")
        body = InviteBody(peer.here.name, who, name, room.record.title, frame.on)
        self.request(peer, frame, Kind.INVITE, room.id, body)
        return b""

    # What comes back from the log.

    def apply(self, draft: Draft) -> None:
        """Let a committed event take effect on the rooms of this process."""
        about = draft.about
        if draft.kind is Kind.ROOM:
            record = RoomRecord(draft.seq, about.handle, about.title, about.kind, about.before, draft.user, about.topic)
            owned = draft.user != SERVER and about.kind != "direct"
            room = self._hub.add_room(record, {draft.user: Role.OWNER} if owned else {})
            for user in about.members:
                self._admit(user, room, draft.seq)
            return
        room = self._hub.rooms[draft.room]
        person = self._people.get(draft.user)
        if draft.kind is Kind.MEMBER:
            self._admit(draft.user, room, draft.seq)
        elif draft.kind is Kind.UNMEMBER and person is not None:
            self.put_out(person, room, draft.seq, "left")
        elif draft.kind is Kind.CHANGE:
            change(room.record, about)
        elif draft.kind is Kind.FORGET:
            room.record.forgotten = about.upto
        elif draft.kind is Kind.INVITE:
            self._invited(draft, room, about)
        elif draft.kind is Kind.APPOINT:
            self._appointed(room, about)

    def _appointed(self, room: Room, body: AppointBody) -> None:
        """Someone has another role. Rosters say so from now on; who has one already is told by the event."""
        role = ROLES[body.role]
        if role > Role.MEMBER:
            room.roles[body.who] = role
        else:
            room.roles.pop(body.who, None)
        everywhere = room is self._hub.general
        person = self._people.get(body.who)
        for known in self._hub.rooms.values() if everywhere else (room,):
            known.snapshot = None
            if person is not None and known.id in person.rooms:
                self._presence.stands_out(known, person)
        if everywhere and person is not None:
            person.role = role

    def _admit(self, user: int, room: Room, seq: int) -> None:
        """Someone is a member of a room from now on, on all their connections."""
        person = self._people.get(user)
        if person is None or room.id in person.rooms:
            return
        _uninvite(person, room)
        person.rooms[room.id] = room
        person.stay(room.id, seq)
        if person.peers or person.grace is not None:
            self._presence.came(room, person)
        for peer in person.peers:
            if peer.live:
                room.live[peer] = peer.send
                self._answers.line(peer, room.roster(person))

    def put_out(self, person: Person, room: Room, seq: int, reason: str) -> None:
        """Someone is no member of a room any more, nor invited, since an event: they are sent nothing of it after that.

        MUST follow a delivery of what came up to that event.
        """
        _uninvite(person, room)
        if person.rooms.pop(room.id, None) is None:
            return
        person.leave(room.id, seq)
        line = encode(Left(room=room.handle, names=[person.name], reason=reason))
        for peer in person.peers:
            room.live.pop(peer, None)
            peer.told = {number: version for number, version in peer.told.items() if number != room.id}
            self._answers.line(peer, line)
        self._presence.left(room, person.name, reason)

    def _invited(self, draft: Draft, room: Room, body: InviteBody) -> None:
        """Tell whom it concerns: they are no member, so the room's lines don't reach them."""
        person = self._people.get(body.who)
        if person is None:
            return
        if body.on:
            person.invitations = {**person.invitations, room.id: body.sender}
        else:
            _uninvite(person, room)
        line = event_line(Kind.INVITE, draft.seq, room.json, draft.user, draft.time, draft.body)
        for peer in person.peers:
            if peer.live:
                self._answers.line(peer, line)
        if not all(peer.live for peer in person.peers):
            # Who is behind gets it in its place among what they are sent, as if this moment of the room were theirs.
            person.stay(room.id, draft.seq - 1, draft.seq)

    # What others build on, too.

    def request(self, peer: Peer, frame: Any, kind: Kind, room: int, body: Any) -> None:  # noqa: ANN401
        """Have the log judge an event, and answer. What the connection says next waits: it may build on it.

        MAY raise ProtocolError: this came too fast.
        """
        peer.here.rate.check()
        peer.waiting = True
        peer.open += 1
        self._log.append(
            Draft(
                peer=peer,
                kind=kind,
                room=room,
                user=peer.here.user,
                session=peer.session,
                about=body,
                then=partial(self._answer, peer, frame),
            )
        )

    async def person(self, name: str) -> tuple[int, str]:
        """Return who has a name, or had it last, and how they are called; ProtocolError where nobody is known by it."""
        here = self._names.find(name)
        if here is not None:
            return here.user, here.name
        found = await self._archive.users([name])
        known = await self._archive.names([found[name]]) if name in found else []
        if not known:
            raise refused(Code.NO_SUCH_PERSON)
        return known[0]

    # How.

    def _answer(self, peer: Peer, frame: Any, draft: Draft) -> None:  # noqa: ANN401
        self._settled(peer)
        if draft.code is Code.ROOM_EXISTS and isinstance(frame, Direct):
            draft.code = None  # somebody else was quicker: the same people, the same room
        if draft.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(draft), room=getattr(frame, "room", UNSET))
            return
        handle = draft.about.handle if draft.kind is Kind.ROOM else UNSET
        self._answers.ok(peer, frame.ref, seq=draft.seq or UNSET, room=handle)

    def _made(self, handle: str, draft: Draft) -> None:
        # None where it could not be written; a room that somebody else made in the meantime is as good.
        room = self._hub.by_handle.get(handle)
        for peer, enter in self._making.pop(handle):
            enter(room)
            asyncio.get_running_loop().call_soon(peer.link.ready)  # the entry was nobody's: they are not told by it

    def _enter(self, peer: Peer, frame: Join, room: Room | None) -> None:
        if peer.gone:
            return
        if room is None or not self.knows(peer.here, room):
            self._settled(peer)
            self._answers.refuse(peer, frame.ref, Code.TRY_AGAIN if room is None else Code.NOT_ALLOWED)
        elif room.id in peer.here.rooms:
            self._settled(peer)
            if peer.live:
                peer.answer(room.roster(peer.here))
            self._inside(peer, frame, room, 0)
        else:
            self._log.append(
                Draft(
                    peer=peer,
                    kind=Kind.MEMBER,
                    room=room.id,
                    user=peer.here.user,
                    session=peer.session,
                    then=partial(self._entered, peer, frame, room),
                )
            )

    def _entered(self, peer: Peer, frame: Join, room: Room, draft: Draft) -> None:
        self._settled(peer)
        if draft.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(draft), room=frame.room)
        else:
            self._inside(peer, frame, room, draft.seq)

    def _inside(self, peer: Peer, frame: Join, room: Room, seq: int) -> None:
        self._answers.ok(peer, frame.ref, seq=seq or UNSET)
        self._hub.answered(peer)
        if not peer.gone:
            self.entered(peer, room, frame.backlog)

    def _settled(self, peer: Peer) -> None:
        peer.waiting = False
        peer.open -= 1

    def _check_count(self, person: Person) -> None:
        if len(person.rooms) >= self._limits.rooms:
            raise ProtocolError(Code.TOO_MANY_ROOMS, f"You are in {self._limits.rooms} rooms. Leave one first.")


def _uninvite(person: Person, room: Room) -> None:
    """Note that someone is not invited to a room, or not any more."""
    if room.id in person.invitations:
        person.invitations = {number: by for number, by in person.invitations.items() if number != room.id} or NOTHING


def _handle(name: str) -> str:
    """Return a room's handle as people write it."""
    try:
        return check_room(name)
    except ProtocolError:
        raise refused(Code.NO_SUCH_ROOM) from None


def _words(text: str) -> str:
    """Return a title or topic, cleaned, on one line; ProtocolError where it is too long."""
    text = clean_line(text).strip()
    if len(text) > bounds.TOPIC_CHARS:
        raise ProtocolError(Code.BAD_TEXT, f"A title or topic has at most {bounds.TOPIC_CHARS} characters.")
    return text
