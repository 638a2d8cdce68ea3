"""Who is here: by which connections, under which name, and until when. For how they come in see `greeting.py`."""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import UNSET

from server.chat.answers import Answers, refusal_of, refused
from server.chat.hub import Hub
from server.chat.limits import Limits
from server.chat.names import Names
from server.chat.ports import Log
from server.chat.presence import Presence
from server.chat.world import Peer, Person
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Error, Hello, Nick, Ok, Quit
from server.protocol.text import check_own_name, clean_line
from server.record.entries import Checking, Closing, Draft, Naming, Opening
from server.record.events import SERVER, AccountBody, Kind
from server.record.rights import Act

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
        limits: Limits,
        answers: Answers,
    ) -> None:
        self._log = journal
        self._hub = hub
        self._presence = presence
        self._limits = limits
        self._names = names
        self._answers = answers
        self.people = people
        """Who is here, or may come back within the grace period, by user."""
        self.changed: Callable[[], None] = lambda: None
        """Called when someone came, left or has another name."""

    # Coming.

    def attach(self, peer: Peer, person: Person, opening: Opening, frame: Hello) -> None:
        """Let a connection be somebody's, from now on. Where it is their first, others are told that they came in."""
        peer.person = person
        peer.session = opening.session
        peer.resumes = frame.resumes
        peer.pinged = frame.ping
        peer.backlog = frame.backlog
        peer.since = int(time.time() * 1000)
        peer.position = self._hub.head
        if frame.resume is not None and frame.resume.epoch:
            peer.position = min(frame.resume.seq, self._hub.head)
        for other in [other for other in person.peers if other.session == peer.session]:
            # Its own ghost, half open: this connection takes over, and nobody sees a difference.
            _detach(person, other)
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
        person.peers = (*person.peers, peer)

    # Names.

    def nick(self, peer: Peer, frame: Nick) -> None:
        """Give someone another name, once that is durable."""
        person = peer.here
        if person.user == SERVER:
            raise refused(Code.NOT_ALLOWED)
        name = check_own_name(frame.name)
        if name == person.name:
            self._answers.ok(peer, frame.ref)
            self._hub.deliver()
            return
        person.rate.check()
        self._names.claim(name, person, account=person.account)
        peer.waiting = True
        peer.open += 1
        named = partial(self._named, peer, frame, name)
        if person.account:
            self._log.append(
                Draft(
                    peer=peer,
                    kind=Kind.ACCOUNT,
                    room=self._hub.general.id,
                    user=person.user,
                    session=peer.session,
                    about=AccountBody(name),
                    then=named,
                )
            )
        else:
            self._log.append(Naming(peer=peer, user=person.user, name=name, then=named))

    def _named(self, peer: Peer, frame: Nick, name: str, entry: Draft | Naming) -> None:
        person = peer.here
        peer.waiting = False
        peer.open -= 1
        if self.people.get(person.user) is not person:  # gone in the meantime
            self._names.free(name, person)
        elif entry.code is not None:
            self._names.free(name, person, keep=person.name)
            self._answers.refuse(peer, frame.ref, refusal_of(entry))
        else:
            self._answers.ok(peer, frame.ref)
            self.rename(person, name)

    def rename(self, person: Person, name: str) -> None:
        """Tell others that someone has another name, which is kept for them; the old one is free."""
        if name == person.name:
            return
        old, person.name = person.name, name
        self._names.free(old, person, keep=name)
        if self.people.get(person.user) is person:
            self._presence.renamed(person, old, name)
            log.info("%s is now %s", old, name)
        self.changed()

    def accounted(self, draft: Draft) -> None:
        """Somebody has an account, or their account has another name: the event is committed."""
        person = self.people.get(draft.user)
        if person is not None:
            person.account = True
            self.rename(person, draft.about.name)

    # Going.

    def quit(self, peer: Peer, frame: Quit) -> None:
        """Someone leaves for good, once all they said before is answered. Who may say nothing says no why."""
        peer.farewell = "quit"
        peer.leaving = b"" if frame.ref is UNSET else encode(Ok(ref=frame.ref))
        reason = clean_line(frame.reason).strip()
        if reason and peer.person is not None:
            peer.open += 1
            user, general = peer.person.user, self._hub.general.id
            then = partial(self._may_say_why, peer, reason)
            self._log.append(Checking(peer=peer, user=user, room=general, act=Act.SAY, then=then))

    def _may_say_why(self, peer: Peer, reason: str, checking: Checking) -> None:
        peer.open -= 1
        if checking.code is None:
            peer.farewell = reason

    def lost(self, peer: Peer, *, clean: bool, silent: bool = False) -> None:
        """A connection has ended. Those who may come back keep their name for a while.

        Args:
            peer: whose.
            clean: the client closed it by itself, after all it had said was answered.
            silent: nothing had been heard of it for so long that there is nobody to wait for.
        """
        if peer.errand is not None:
            peer.errand.cancel()
        person = peer.person
        if peer.gone or person is None:
            peer.gone = True
            return
        self._hub.forget(peer)
        if person.user == SERVER:
            return
        _detach(person, peer)
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

    def cut_off(self, person: Person, peers: list[Peer], why: ProtocolError, reason: str) -> None:
        """End some connections of somebody at once: nothing that comes after reaches them.

        Args:
            person: whose. Where these are their last ones, nobody waits for them to come back.
            peers: which.
            why: what they are told.
            reason: what others are told of one who is gone by that.
        """
        for peer in peers:
            self._hub.cut_off(peer, why)
            _detach(person, peer)
            self._log.append(Closing(session=peer.session))
        if not person.peers and self.people.get(person.user) is person:
            if person.grace is not None:
                person.grace.cancel()
            self._gone(person, reason)
        self.changed()

    def erased(self, user: int) -> None:
        """Somebody is erased, and no more."""
        person = self.people.get(user)
        if person is not None:
            why = ProtocolError(Code.ERASED, "You were erased here, as was asked.")
            self.cut_off(person, list(person.peers), why, "erased")

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

    def note_last_use(self) -> None:
        """Note that every session here was used until now. MUST come before the log takes no more."""
        for peer in self.peers():
            self._log.append(Closing(session=peer.session))

    def stop(self) -> None:
        """End the timers: nobody comes back to this process."""
        for person in self.people.values():
            if person.grace is not None:
                person.grace.cancel()


def _detach(person: Person, peer: Peer) -> None:
    person.peers = tuple(other for other in person.peers if other is not peer)


_LOST: Final = "connection lost"
