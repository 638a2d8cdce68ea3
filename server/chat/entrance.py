"""Who comes and who goes: hello, coming back, a new name, quitting, a lost connection."""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import UNSET

from server.chat.answers import Answers, refused
from server.chat.entries import Closing, Mark, Naming, Opening
from server.chat.events import FOREVER, GENERAL, time_text
from server.chat.hub import Hub
from server.chat.limits import Limits
from server.chat.names import Names
from server.chat.ports import Log
from server.chat.presence import Presence
from server.chat.rate import Rate
from server.chat.world import Peer, Person
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import About, Device, Error, Gap, Hello, NewDevice, Nick, Ok, Quit, Server, Welcome
from server.protocol.text import check_name, clean_line

log = logging.getLogger("chat")


class Entrance:
    """People and their connections."""

    def __init__(
        self,
        journal: Log,
        hub: Hub,
        presence: Presence,
        names: Names,
        people: dict[int, Person],
        server: str,
        limits: Limits,
        answers: Answers,
    ) -> None:
        self._log = journal
        self._hub = hub
        self._presence = presence
        self._server = server
        self._limits = limits
        self._names = names
        self._answers = answers
        self.people = people
        """Who is here, or may come back within the grace period, by user."""
        self.welcomed: Callable[[Peer, Hello], None] = lambda _peer, _hello: None
        """Called when a connection has its welcome."""
        self.unwritten: Callable[[int], dict[int, Mark]] = lambda _user: {}
        """Returns the marks of a user that the log does not know of yet."""
        self.changed: Callable[[], None] = lambda: None
        """Called when someone came, left or has another name."""

    def about(self, peer: Peer, frame: About) -> None:
        """Say which server this is."""
        peer.answer(encode(Server(ref=frame.ref, id=self._log.identity, server=self._server)))

    def hello(self, peer: Peer, frame: Hello) -> None:
        """Let someone in: the answer comes when their session is durable."""
        if peer.person is not None:
            raise ProtocolError(Code.HELLO_TWICE, "You have said hello already. Use nick to change your name.")
        name = check_name(frame.name) if frame.name or frame.resume is None else ""
        person = Person(name, rate=Rate(self._limits))
        if frame.resume is not None:
            resume = frame.resume
            if resume.epoch and not self._log.knows(resume.epoch, resume.seq):
                raise ProtocolError(
                    Code.DIVERGED, "This server's history is not the one you have seen. Say hello without resume."
                )
            token = resume.session
        else:
            token = secrets.token_hex(16)
            self._names.claim(name, person)
        peer.waiting = True
        peer.open += 1
        self._log.append(
            Opening(
                peer=peer,
                name=name,
                secret=hashlib.sha256(token.encode()).digest(),
                resume=frame.resume is not None,
                then=partial(self._opened, peer, frame, person, token),
            )
        )

    def _opened(self, peer: Peer, frame: Hello, person: Person, token: str, opening: Opening) -> None:
        """The session is durable, or refused."""
        peer.waiting = False
        peer.open -= 1
        try:
            if opening.code is not None:
                raise refused(opening.code)
            person = self._identify(person, opening)
        except ProtocolError as refusal:
            self._names.free(person.name, person)
            self._answers.refuse(peer, frame.ref, refusal)
            return
        if peer.gone:
            if not person.peers and person.grace is None:
                self._names.free(person.name, person)
            return
        self._attach(peer, person, opening, frame)
        peer.answer(
            encode(
                Welcome(
                    ref=frame.ref,
                    name=person.name,
                    user=person.user,
                    session=token,
                    epoch=self._log.epoch,
                    seq=self._hub.head,
                    rooms=[room.handle for room in person.rooms.values()],
                    server=self._server,
                    resumed=frame.resume is not None and bool(frame.resume.epoch),
                )
            )
        )
        self._hub.answered(peer)
        self._tell_absences(peer)
        self._hub.follow(peer)
        self.welcomed(peer, frame)
        self.changed()

    def _tell_absences(self, peer: Peer) -> None:
        """Tell a device that comes back where its person has left a room and entered it again meanwhile, on another.

        What was said in between may be theirs to read, and is not delivered: as with any gap, the latest page follows.
        """
        for number, room in peer.here.rooms.items():
            spans = peer.here.spans[number]
            since = spans[-1][0]
            if len(spans) > 1 and since > peer.position and room.record.before == "all":
                peer.gaps[number] = since
                self._answers.line(peer, encode(Gap(room=room.handle, after=peer.position, before=since + 1)))
                self._hub.gapped(peer, room)

    def _identify(self, person: Person, opening: Opening) -> Person:
        """Return who an opened session belongs to, with the name they asked for."""
        known = self.people.get(opening.user)
        person.name = person.name or (known.name if known is not None else opening.known_as)
        if known is None:
            self._names.claim(person.name, person)
            if person.name != opening.known_as:
                self._log.append(Naming(user=opening.user, name=person.name))
            person.user = opening.user
            person.marks = {**opening.marks, **self.unwritten(opening.user)}
            person.invitations = opening.invitations
            person.rooms = {number: self._hub.rooms[number] for number in opening.rooms}
            person.spans = opening.spans
            person.spans[self._hub.by_handle[GENERAL].id] = [(0, FOREVER)]
            return person
        if known.name != person.name:
            # They come back under another name: to others that is a change of name.
            self._names.claim(person.name, known)
            self._log.append(Naming(user=known.user, name=person.name))
            self._rename(known, person.name)
        return known

    def _attach(self, peer: Peer, person: Person, opening: Opening, frame: Hello) -> None:
        peer.person = person
        peer.session = opening.session
        peer.resumes = frame.resumes
        peer.pinged = frame.ping
        peer.backlog = frame.backlog
        peer.since = time_text(int(time.time() * 1000)).decode()
        peer.position = self._hub.head
        if frame.resume is not None and frame.resume.epoch:
            peer.position = min(frame.resume.seq, self._hub.head)
        for other in [other for other in person.peers if other.session == peer.session]:
            # Its own ghost, half open: this connection takes over, and nobody sees a difference.
            person.peers.remove(other)
            message = "You are connected from elsewhere with the same session."
            other.answer(encode(Error(code=Code.REPLACED, message=message)))
            other.flush()
            self._hub.forget(other)
            other.link.close()
        if person.grace is not None:
            person.grace.cancel()
            person.grace = None
        elif self.people.get(person.user) is not person:
            self.people[person.user] = person
            for room in person.rooms.values():
                self._presence.came(room, person)
            log.info("%s came in from %s", person.name, peer.link.address)
        person.peers.append(peer)

    def device(self, peer: Peer, frame: Device) -> None:
        """Give someone a session for another device."""
        peer.here.rate.check()
        token = secrets.token_hex(16)
        peer.open += 1
        self._log.append(
            Opening(
                peer=peer,
                name=peer.here.name,
                user=peer.here.user,
                secret=hashlib.sha256(token.encode()).digest(),
                then=partial(self._new_device, peer, frame, token),
            )
        )

    def _new_device(self, peer: Peer, frame: Device, token: str, opening: Opening) -> None:
        peer.open -= 1
        if opening.code is not None:
            self._answers.refuse(peer, frame.ref, opening.code)
        else:
            self._answers.line(peer, encode(NewDevice(ref=frame.ref, session=token)))

    def nick(self, peer: Peer, frame: Nick) -> None:
        """Give someone another name, once that is durable."""
        person = peer.here
        name = check_name(frame.name)
        if name == person.name:
            self._answers.ok(peer, frame.ref)
            self._hub.deliver()
            return
        person.rate.check()
        self._names.claim(name, person)
        peer.waiting = True
        peer.open += 1
        self._log.append(Naming(peer=peer, user=person.user, name=name, then=partial(self._named, peer, frame)))

    def _named(self, peer: Peer, frame: Nick, naming: Naming) -> None:
        person = peer.here
        peer.waiting = False
        peer.open -= 1
        if self.people.get(person.user) is not person:  # gone in the meantime
            self._names.free(naming.name, person)
            return
        if naming.code is not None:
            self._names.free(naming.name, person, keep=person.name)
            self._answers.refuse(peer, frame.ref, naming.code)
            return
        self._answers.ok(peer, frame.ref)
        self._rename(person, naming.name)

    def _rename(self, person: Person, name: str) -> None:
        old, person.name = person.name, name
        self._names.free(old, person, keep=name)
        if self.people.get(person.user) is person:
            self._presence.renamed(person, old, name)
            log.info("%s is now %s", old, name)
        self.changed()

    def quit(self, peer: Peer, frame: Quit) -> None:
        """Someone leaves for good, once all they said before is answered."""
        peer.farewell = clean_line(frame.reason).strip() or "quit"
        peer.leaving = b"" if frame.ref is UNSET else encode(Ok(ref=frame.ref))

    def lost(self, peer: Peer, *, clean: bool, silent: bool = False) -> None:
        """A connection has ended. Those who may come back keep their name for a while.

        Args:
            peer: whose.
            clean: the client closed it by itself, after all it had said was answered.
            silent: nothing had been heard of it for so long that there is nobody to wait for.
        """
        person = peer.person
        if peer.gone or person is None:
            peer.gone = True
            return
        self._hub.forget(peer)
        person.peers.remove(peer)
        self._log.append(Closing(session=peer.session))
        if person.peers:
            self.changed()
            return
        reason = peer.farewell or ("quit" if clean and not peer.resumes else _LOST if silent else "")
        if reason:
            self._gone(person, reason)
        else:
            loop = asyncio.get_running_loop()
            person.grace = loop.call_later(self._limits.grace, self._gone, person, _LOST)
        self.changed()

    def cut_off(self, person: Person, peers: list[Peer], code: Code, message: str, reason: str) -> None:
        """End some connections of somebody at once: nothing that comes after reaches them.

        Args:
            person: whose. Where these are their last ones, nobody waits for them to come back.
            peers: which.
            code: why, for programs; the message is for people.
            message: what they are told.
            reason: what others are told of one who is gone by that.
        """
        for peer in peers:
            self._hub.cut_off(peer, code, message)
            person.peers.remove(peer)
            self._log.append(Closing(session=peer.session))
        if not person.peers and self.people.get(person.user) is person:
            if person.grace is not None:
                person.grace.cancel()
            self._gone(person, reason)
        self.changed()

    def _gone(self, person: Person, reason: str) -> None:
        person.grace = None
        self._names.free(person.name, person)
        del self.people[person.user]
        for room in person.rooms.values():
            self._presence.left(room, person.name, reason)
        log.info("%s left: %s", person.name, reason)

    def peers(self) -> list[Peer]:
        """Return every welcomed connection."""
        return [peer for person in self.people.values() for peer in person.peers]

    def stop(self) -> None:
        """End the timers: nobody comes back to this process."""
        for person in self.people.values():
            if person.grace is not None:
                person.grace.cancel()


_LOST: Final = "connection lost"
