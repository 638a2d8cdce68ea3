"""What people do in rooms: enter, leave, say something, read on."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import UNSET, UnsetType

from server.chat.events import (
    FOREVER,
    GENERAL,
    Draft,
    GivenUp,
    Kind,
    MessageBody,
    RoomBody,
    decode_room,
    encode_body,
    message_line,
)
from server.chat.hub import Hub
from server.chat.limits import Limits
from server.chat.ports import Archive, Log, PageQuery
from server.chat.presence import Presence
from server.chat.world import Peer, Person, Room
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Error, Hello, HistoryRequest, Join, Leave, Left, Ok, Send, Withdraw
from server.protocol.text import check_room, check_text

_REFUSALS: Final = {
    Code.TRY_AGAIN: "This can't be taken just now. Send it again with the same id, after those before it.",
    Code.ID_REUSED: "This id was used for another message. Count on.",
    Code.ID_ORDER: "An id must be higher than the one before. Count on.",
    Code.NOT_A_MEMBER: "You are not in this room. Join it first.",
    Code.NO_SUCH_ROOM: "There is no such room. Join makes it.",
}


PAGES: Final = 256
"""Latest pages kept for newcomers, the most recently asked for: at most 16 MiB."""

log = logging.getLogger("chat")


class Conversation:
    """Rooms and what is said in them."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        hub: Hub,
        presence: Presence,
        people: dict[int, Person],
        limits: Limits,
    ) -> None:
        self._log = journal
        self._archive = archive
        self._hub = hub
        self._presence = presence
        self._people = people
        self._limits = limits
        self._pages: dict[int, tuple[int, int, asyncio.Future[bytes]]] = {}
        """Per room the latest page as it was last read, or is being read: limit, the room's `last` then, line."""
        self._making: dict[str, list[Callable[[Room | None], None]]] = {}

    def _room(self, name: str) -> Room:
        """Return the room that a client means, whatever its capitals."""
        room = self._hub.by_handle.get(name) or self._hub.by_handle.get(check_room(name))
        if room is None:
            raise ProtocolError(Code.NO_SUCH_ROOM, _REFUSALS[Code.NO_SUCH_ROOM])
        return room

    # Saying.

    def send(self, peer: Peer, frame: Send) -> None:
        """Put a message into the log's queue."""
        person = peer.here
        try:
            room = self._room(frame.room)
            if room.id not in person.rooms:
                raise ProtocolError(Code.NOT_A_MEMBER, _REFUSALS[Code.NOT_A_MEMBER])
            text = check_text(frame.text)
        except ProtocolError as refusal:
            self._refuse(peer, frame.ref, refusal.code, refusal.message, frame.room, frame.id)
            if frame.id is not UNSET:
                self._log.append(GivenUp(session=peer.session, id=frame.id))
            return
        limited = person.rate.take()
        if limited and frame.id is UNSET:
            words = person.rate.refusal(limited)
            self._refuse(peer, frame.ref, Code.RATE_LIMITED, words, frame.room, wait_ms=limited)
            return
        peer.open += 1
        self._log.append(
            Draft(
                peer=peer,
                ref=None if frame.ref is UNSET else frame.ref,
                kind=Kind.MESSAGE,
                room=room.id,
                user=person.user,
                session=peer.session,
                id=0 if frame.id is UNSET else frame.id,
                limited=limited,
                body=encode_body(MessageBody(person.name, text, frame.me)),
            )
        )

    def withdraw(self, peer: Peer, frame: Withdraw) -> None:
        """Take back a message that may not have been taken: the answer tells."""
        peer.open += 1
        self._log.append(
            GivenUp(peer=peer, session=peer.session, id=frame.id, then=partial(self._withdrawn, peer, frame))
        )

    def _withdrawn(self, peer: Peer, frame: Withdraw, given_up: GivenUp) -> None:
        peer.open -= 1
        if given_up.code is not None:
            self._refuse(peer, frame.ref, given_up.code, _REFUSALS[given_up.code], number=frame.id)
        else:
            peer.answer(encode(Ok(ref=frame.ref, id=frame.id, seq=given_up.seq or UNSET)))
            self._hub.answered(peer)

    def applied(self, draft: Draft) -> None:
        """An event that nobody here waits for, or a message, has come back from the log."""
        if draft.kind is Kind.MESSAGE:
            self.said(draft)
        elif draft.kind is Kind.ROOM:
            body = decode_room(draft.body)
            if draft.seq not in self._hub.rooms:
                self._hub.add_room(draft.seq, body.handle)
        elif (person := self._people.get(draft.user)) is not None:
            change = self._admit if draft.kind is Kind.MEMBER else self._dismiss
            change(person, self._hub.rooms[draft.room], draft.seq)

    def said(self, draft: Draft) -> None:
        """A message is durable, was so before, or is refused."""
        room = self._hub.rooms[draft.room]
        peer = draft.peer
        if peer is not None:
            peer.open -= 1
        if draft.code is None and not draft.repeated:
            line = message_line(draft.seq, room.json, draft.id, draft.user, draft.time, draft.body)
            self._hub.event(room, draft.seq, line)
            if draft.ref is not None and peer is not None:
                peer.answer(encode(Ok(ref=draft.ref, seq=draft.seq)))
                self._hub.answered(peer)
        elif peer is not None:
            if not draft.limited:
                peer.here.rate.give_back()
            ref: str | UnsetType = UNSET if draft.ref is None else draft.ref
            if draft.code is None:
                # The message itself may be long past: with no ref, the id says what this is about.
                peer.answer(encode(Ok(ref=ref, seq=draft.seq, id=draft.id)))
                self._hub.answered(peer)
            else:
                number, wait = draft.id or UNSET, draft.limited
                if wait and draft.code in (Code.RATE_LIMITED, Code.TRY_AGAIN):
                    words = peer.here.rate.refusal(wait)
                    self._refuse(peer, ref, draft.code, words, room.handle, number, wait)
                else:
                    self._refuse(peer, ref, draft.code, _REFUSALS[draft.code], room.handle, number)

    def _refuse(
        self,
        peer: Peer,
        ref: str | UnsetType,
        code: Code,
        message: str,
        room: str | UnsetType = UNSET,
        number: int | UnsetType = UNSET,
        wait_ms: int | UnsetType = UNSET,
    ) -> None:
        if isinstance(room, str) and room not in self._hub.by_handle:
            room = UNSET  # only what is known to be safe is carried back
        peer.answer(encode(Error(ref=ref, code=code, message=message, room=room, id=number, wait_ms=wait_ms)))
        self._hub.answered(peer)

    # Entering and leaving.

    def join(self, peer: Peer, frame: Join) -> None:
        """Make or enter a room."""
        handle = check_room(frame.room)
        room = self._hub.by_handle.get(handle)
        if room is None or room.id not in peer.here.rooms:
            if len(peer.here.rooms) >= self._limits.rooms:
                raise ProtocolError(Code.TOO_MANY_ROOMS, f"You are in {self._limits.rooms} rooms. Leave one first.")
            peer.here.rate.check()
        peer.waiting = True
        peer.open += 1
        if room is not None:
            self._enter(peer, frame, room)
            return
        waiting = self._making.setdefault(handle, [])
        waiting.append(partial(self._enter, peer, frame))
        if len(waiting) == 1:
            body = encode_body(RoomBody(handle, handle))
            self._log.append(
                Draft(kind=Kind.ROOM, room=0, user=peer.here.user, body=body, then=partial(self._made, handle))
            )

    def _made(self, handle: str, draft: Draft) -> None:
        if draft.code is None:
            self._hub.add_room(draft.seq, handle)
        # None where it could not be written; a room that somebody else made in the meantime is as good.
        room = self._hub.by_handle.get(handle)
        for enter in self._making.pop(handle):
            enter(room)

    def _enter(self, peer: Peer, frame: Join, room: Room | None) -> None:
        if peer.gone:
            return
        if room is None:
            self._settled(peer)
            self._refuse(peer, frame.ref, Code.TRY_AGAIN, _REFUSALS[Code.TRY_AGAIN])
        elif room.id in peer.here.rooms:
            self._settled(peer)
            if peer.live:
                peer.answer(room.roster(peer.here.name))
            self._inside(peer, frame, room, None)
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
            self._refuse(peer, frame.ref, draft.code, _REFUSALS[draft.code])
            return
        self._admit(peer.here, room, draft.seq)
        self._inside(peer, frame, room, draft.seq)

    def _admit(self, person: Person, room: Room, seq: int) -> None:
        """Someone is a member of a room from now on, on all their connections."""
        if room.id in person.rooms:
            return
        person.rooms[room.id] = room
        person.spans[room.id] = [*person.spans.get(room.id, ()), (seq, FOREVER)]
        if person.peers or person.grace is not None:
            self._presence.came(room, person.name)
        for peer in person.peers:
            if peer.live:
                room.live[peer] = None
                peer.answer(room.roster(person.name))
                self._hub.answered(peer)

    def _dismiss(self, person: Person, room: Room, seq: int) -> None:
        """Someone is no member of a room any more."""
        if person.rooms.pop(room.id, None) is None:
            return
        # One assignment: the archive may be reading by these spans.
        spans = person.spans[room.id]
        person.spans[room.id] = [*spans[:-1], (spans[-1][0], seq)]
        line = encode(Left(room=room.handle, names=[person.name], reason="left"))
        for peer in person.peers:
            if room.live.pop(peer, 0) is None:
                peer.answer(line)
                self._hub.answered(peer)
        self._presence.left(room, person.name, "left")

    def _inside(self, peer: Peer, frame: Join, room: Room, seq: int | None) -> None:
        if frame.ref is not UNSET:
            peer.answer(encode(Ok(ref=frame.ref, seq=UNSET if seq is None else seq)))
        self._hub.answered(peer)
        if not peer.gone:
            self.latest(peer, room, frame.backlog)

    def leave(self, peer: Peer, frame: Leave) -> None:
        """Stop being a member of a room."""
        room = self._room(frame.room)
        if room.handle == GENERAL:
            raise ProtocolError(Code.BAD_ROOM, "Everyone is in general: it can't be left.")
        if room.id not in peer.here.rooms:
            raise ProtocolError(Code.NOT_A_MEMBER, "You are not in this room.")
        peer.here.rate.check()
        peer.waiting = True
        peer.open += 1
        self._log.append(
            Draft(
                peer=peer,
                kind=Kind.UNMEMBER,
                room=room.id,
                user=peer.here.user,
                session=peer.session,
                then=partial(self._left, peer, frame, room),
            )
        )

    def _left(self, peer: Peer, frame: Leave, room: Room, draft: Draft) -> None:
        self._settled(peer)
        if draft.code is not None:
            self._refuse(peer, frame.ref, draft.code, _REFUSALS[draft.code])
            return
        self._dismiss(peer.here, room, draft.seq)
        if frame.ref is not UNSET:
            peer.answer(encode(Ok(ref=frame.ref, seq=draft.seq)))
        self._hub.answered(peer)

    def _settled(self, peer: Peer) -> None:
        peer.waiting = False
        peer.open -= 1
        # Its entry may not have been its own (a room that another made): it is told here that it may go on.
        asyncio.get_running_loop().call_soon(peer.link.ready)

    # Reading.

    def history(self, peer: Peer, frame: HistoryRequest) -> None:
        """Send a page."""
        room = self._room(frame.room)
        if room.id not in peer.here.rooms:
            raise ProtocolError(Code.NOT_A_MEMBER, _REFUSALS[Code.NOT_A_MEMBER])
        bounds = [bound for bound in (frame.before, frame.after, frame.around) if bound is not UNSET]
        if len(bounds) > 1:
            raise ProtocolError(Code.BAD_FRAME, "A page has one bound: before, after or around.")
        query = PageQuery(
            room=room.id,
            name=room.handle,
            handle=room.json,
            limit=frame.limit,
            as_of=self._hub.head,
            before=None if frame.before is UNSET else frame.before,
            after=None if frame.after is UNSET else frame.after,
            around=None if frame.around is UNSET else frame.around,
            ref=None if frame.ref is UNSET else frame.ref,
        )
        peer.open += 1
        self._want(peer, lambda: self._read(query), frame.ref)

    def backlog(self, peer: Peer, hello: Hello) -> None:
        """Send a newcomer the latest messages of each room; who resumes gets what they missed instead."""
        if hello.resume is None or not hello.resume.epoch:
            for room in peer.here.rooms.values():
                self.latest(peer, room, hello.backlog)

    def latest(self, peer: Peer, room: Room, limit: int) -> None:
        """Send the latest messages of a room, for whoever has none of it."""
        if limit:
            self._want(peer, lambda: self._latest(room, limit), None)

    def _latest(self, room: Room, limit: int) -> asyncio.Future[bytes]:
        """Read a room's latest page; those who ask while nothing new is said share it."""
        known = self._pages.pop(room.id, None)
        if known is None or known[:2] != (limit, room.last):
            query = PageQuery(room=room.id, name=room.handle, handle=room.json, limit=limit, as_of=self._hub.head)
            known = (limit, room.last, self._read(query))
        self._pages[room.id] = known
        if len(self._pages) > PAGES:
            del self._pages[next(iter(self._pages))]
        return known[2]

    def _read(self, query: PageQuery) -> asyncio.Future[bytes]:
        return asyncio.ensure_future(self._archive.page(query))

    # A connection has its pages one at a time, and only while it takes what it was sent.

    def _want(self, peer: Peer, read: Callable[[], asyncio.Future[bytes]], ref: str | UnsetType | None) -> None:
        peer.pages.append((read, ref))
        self.next_page(peer)

    def next_page(self, peer: Peer) -> None:
        """Read the next page that a connection waits for, if it can take one."""
        if peer.pages and not peer.paging and not peer.gone and not peer.link.congested:
            peer.paging = True
            read, ref = peer.pages.popleft()
            read().add_done_callback(partial(self._paged, peer, ref))

    def _paged(self, peer: Peer, ref: str | UnsetType | None, page: asyncio.Future[bytes]) -> None:
        """Send a page. `ref` is None where nobody asked for it."""
        peer.paging = False
        if ref is not None:
            peer.open -= 1
        failure = None if page.cancelled() else page.exception()
        if page.cancelled() or failure is not None:
            self._pages = {number: known for number, known in self._pages.items() if known[2] is not page}
            log.error("A page of history can't be read: %s", failure or "the server is ending")
            message = "The history can't be read just now. Try again."
            peer.answer(encode(Error(ref=ref or UNSET, code=Code.TRY_AGAIN, message=message)))
        else:
            peer.answer(page.result())
        peer.flush()
        self.next_page(peer)
        if not peer.gone:
            peer.link.ready()
