"""Who comes and who goes: hello, coming back, a new name, quitting, a lost connection."""

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from msgspec import UNSET

from server.chat.answers import Answers, refusal_of, refused
from server.chat.entries import Closing, Crediting, Draft, Mark, Naming, Opening
from server.chat.errands import Errands, Then
from server.chat.events import FOREVER, HOST, SERVER, AccountBody, Kind, time_text
from server.chat.hub import Hub
from server.chat.limits import Limits
from server.chat.login import Login, need_tls
from server.chat.names import Names
from server.chat.ports import Identity, Log
from server.chat.presence import Presence
from server.chat.rate import Rate
from server.chat.register import Settings
from server.chat.rights import ROLES, Role
from server.chat.secrets import hashed, new_session
from server.chat.world import Peer, Person
from server.protocol.codec import encode
from server.protocol.errors import FINAL, Code, ProtocolError
from server.protocol.frames import About, Blocked, Error, Gap, Hello, Nick, Ok, Quit, Server, Welcome
from server.protocol.text import check_name, check_own_name, clean_line

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
        login: Login,
        errands: Errands,
        settings: Settings,
        control: str,
    ) -> None:
        self._log = journal
        self._hub = hub
        self._presence = presence
        self._server = server
        self._limits = limits
        self._names = names
        self._answers = answers
        self._login = login
        self._errands = errands
        self._settings = settings
        self._control = control
        self.people = people
        """Who is here, or may come back within the grace period, by user."""
        self.welcomed: Callable[[Peer, Hello], None] = lambda _peer, _hello: None
        """Called when a connection has its welcome."""
        self.unwritten: Callable[[int], dict[int, Mark]] = lambda _user: {}
        """Returns the marks of a user that the log does not know of yet."""
        self.changed: Callable[[], None] = lambda: None
        """Called when someone came, left or has another name."""
        self.whose: Callable[[Peer, Identity, str], Awaitable[int]]
        """Returns who it is that has signed in at the provider: a new user, where they have not been here."""

    def about(self, peer: Peer, frame: About) -> None:
        """Say which server this is."""
        peer.answer(
            encode(
                Server(
                    ref=frame.ref,
                    id=self._log.identity,
                    server=self._server,
                    guests=self._settings.guests,
                    sign_up=self._settings.sign_up,
                    sso=self._login.provider,
                )
            )
        )

    # Coming in.

    def hello(self, peer: Peer, frame: Hello) -> None:
        """Let someone in: the answer comes when their session is durable."""
        if peer.person is not None:
            raise ProtocolError(Code.HELLO_TWICE, "You have said hello already. Use nick to change your name.")
        ways = [frame.resume is not None, frame.password != "", frame.sso, frame.token != ""]
        if sum(ways) > 1:
            raise ProtocolError(Code.BAD_FRAME, "Come in one way: resume, password, sso or token.")
        if frame.password or frame.sso or frame.token:
            need_tls(peer)
        if frame.token:
            self._let_host_in(peer, frame)
        elif frame.password:
            self._errands.run(peer, frame.ref, self._by_password(peer, frame, check_name(frame.name)))
        elif frame.sso:
            name = check_own_name(frame.name) if frame.name else ""
            self._errands.run(peer, frame.ref, self._by_provider(peer, frame, name))
        elif frame.resume is not None:
            if frame.resume.epoch and not self._log.knows(frame.resume.epoch, frame.resume.seq):
                raise ProtocolError(
                    Code.DIVERGED, "This server's history is not the one you have seen. Say hello without resume."
                )
            self._open(peer, frame, check_own_name(frame.name) if frame.name else "")
        else:
            name = check_own_name(frame.name)
            person = self._nobody(name)
            self._names.claim(name, person)
            self._open(peer, frame, name, person)

    async def _by_password(self, peer: Peer, frame: Hello, name: str) -> Then:
        proved = await self._login.by_password(peer.link.host, name, frame.password)

        def come_in() -> None:
            if proved.anew:
                self._log.append(Crediting(user=proved.user, password=proved.anew, instead=proved.stored))
            self._open(peer, frame, user=proved.user, proof=proved.anew or proved.stored)

        return come_in

    async def _by_provider(self, peer: Peer, frame: Hello, name: str) -> Then:
        identity = await self._login.at_provider(peer)
        user = await self.whose(peer, identity, name)
        return lambda: self._open(peer, frame, user=user)

    def _nobody(self, name: str) -> Person:
        return Person(name, rate=Rate(self._limits))

    def _open(
        self, peer: Peer, frame: Hello, name: str = "", person: Person | None = None, user: int = 0, proof: str = ""
    ) -> None:
        """Have a session begin or go on.

        Args:
            peer: whose.
            frame: what it said.
            name: that it wants, where it has no account.
            person: for whom that name is kept.
            user: who it is, where that was proved.
            proof: the stored hash of the password by which it was.
        """
        fresh = new_session()
        token = frame.resume.session if frame.resume is not None else fresh
        peer.waiting = True
        peer.open += 1
        self._log.append(
            Opening(
                peer=peer,
                name=name,
                secret=hashed(token),
                resume=frame.resume is not None,
                user=user,
                secure=peer.link.secure,
                address=peer.link.host,
                device=clean_line(frame.device),
                fresh=hashed(fresh),
                account=user != 0,
                proof=proof,
                then=partial(self._opened, peer, frame, person or self._nobody(name), token, fresh),
            )
        )

    def _opened(self, peer: Peer, frame: Hello, person: Person, token: str, fresh: str, opening: Opening) -> None:
        """The session is durable, or refused."""
        peer.waiting = False
        peer.open -= 1
        try:
            if opening.code is not None:
                raise refusal_of(opening)
            person = self._identify(person, opening)
        except ProtocolError as fault:
            self._names.free(person.name, person)
            self._answers.refuse(peer, frame.ref, fault)
            if fault.code in FINAL:
                peer.flush()
                peer.link.close()
            return
        if peer.gone:
            if not person.peers and person.grace is None:
                self._names.free(person.name, person)
            return
        self._attach(peer, person, opening, frame)
        session = fresh if opening.used_code else token
        self._welcome(peer, frame, session, opening.role)

    def _welcome(self, peer: Peer, frame: Hello, session: str, role: Role) -> None:
        person = peer.here
        peer.answer(
            encode(
                Welcome(
                    ref=frame.ref,
                    name=person.name,
                    user=person.user,
                    session=session,
                    epoch=self._log.epoch,
                    seq=self._hub.head,
                    rooms=[room.handle for room in person.rooms.values()],
                    server=self._server,
                    account=person.account,
                    role=_ROLE_NAMES[role],
                    resumed=frame.resume is not None and bool(frame.resume.epoch),
                )
            )
        )
        if person.blocked:
            peer.answer(encode(Blocked(people=list(person.blocked.items()))))
        self._hub.answered(peer)
        self._tell_absences(peer)
        self._hub.follow(peer)
        self.welcomed(peer, frame)
        self.changed()

    def _let_host_in(self, peer: Peer, frame: Hello) -> None:
        """Let in whoever runs the server: they are no person, in no room, and nobody is told."""
        if not (self._control and hmac.compare_digest(frame.token.encode(), self._control.encode())):
            raise refused(Code.LOGIN_FAILED)
        peer.person = Person(HOST, SERVER, rate=Rate(self._limits))
        peer.pinged = frame.ping
        peer.position = self._hub.head
        peer.since = time_text(int(time.time() * 1000)).decode()
        self._welcome(peer, frame, "", Role.OWNER)

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
        if known is None:
            return self._newly_here(person, opening)
        if person.name and not opening.account and known.name != person.name:
            # They come back under another name: to others that is a change of name.
            self._names.claim(person.name, known)
            self._log.append(Naming(user=known.user, name=person.name))
            self.rename(known, person.name)
        return known

    def _newly_here(self, person: Person, opening: Opening) -> Person:
        if opening.account:
            person.name = opening.known_as
            self._names.take(person.name, person)
        else:
            person.name = person.name or opening.known_as
            self._names.claim(person.name, person)
            if person.name != opening.known_as:
                self._log.append(Naming(user=opening.user, name=person.name))
        person.user = opening.user
        person.account = opening.account
        person.blocked = opening.blocked
        person.marks = {**opening.marks, **self.unwritten(opening.user)}
        person.invitations = opening.invitations
        person.rooms = {number: self._hub.rooms[number] for number in opening.rooms}
        person.spans = opening.spans
        person.spans[self._hub.general.id] = [(0, FOREVER)]
        return person

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
        if peer.errand is not None:
            peer.errand.cancel()
        person = peer.person
        if peer.gone or person is None:
            peer.gone = True
            return
        self._hub.forget(peer)
        if person.user == SERVER:
            return
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

    def erased(self, user: int) -> None:
        """Somebody is erased, and no more."""
        person = self.people.get(user)
        if person is not None:
            self.cut_off(person, list(person.peers), Code.ERASED, "You were erased here, as was asked.", "erased")

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
_ROLE_NAMES: Final = {role: name for name, role in ROLES.items()}
