"""Coming in: by a name, a session, a password, the provider; and whoever runs the server by their token."""

import hmac
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from server.chat.answers import Answers, refusal_of, refused
from server.chat.entrance import Entrance
from server.chat.errands import Errands, Then
from server.chat.hub import Hub
from server.chat.limits import Limits
from server.chat.login import Login, need_tls
from server.chat.names import Names
from server.chat.ports import Identity, Log
from server.chat.rate import Rate
from server.chat.secrets import hashed, new_session
from server.chat.world import NOTHING, Peer, Person
from server.protocol.codec import encode
from server.protocol.errors import FINAL, Code, ProtocolError
from server.protocol.frames import About, Blocked, Gap, Hello, Server, Welcome
from server.protocol.text import check_name, check_own_name, clean_line
from server.record.entries import Crediting, Mark, Naming, Opening
from server.record.events import FOREVER, HOST, SERVER
from server.record.register import Settings
from server.record.rights import ROLES, Role


class Greeting:
    """Lets people in: the welcome comes when their session is durable."""

    def __init__(
        self,
        journal: Log,
        hub: Hub,
        names: Names,
        entrance: Entrance,
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
        self._names = names
        self._entrance = entrance
        self._server = server
        self._limits = limits
        self._answers = answers
        self._login = login
        self._errands = errands
        self._settings = settings
        self._control = control
        self.address = ""
        """`host:port` by which other machines reach this server; empty where only this one does."""
        self.welcomed: Callable[[Peer, Hello], None] = lambda _peer, _hello: None
        """Called when a connection has its welcome."""
        self.unwritten: Callable[[int], dict[int, Mark]] = lambda _user: {}
        """Returns the marks of a user that the log does not know of yet."""
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
                    address=self.address,
                )
            )
        )

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
        elif not self._settings.guests:
            raise refused(Code.NO_GUESTS)  # before anything is said of the name
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
        self._entrance.attach(peer, person, opening, frame)
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
        if frame.resume is not None:
            self._tell_absences(peer)
        self.welcomed(peer, frame)
        self._hub.follow(peer)
        self._entrance.changed()

    def _let_host_in(self, peer: Peer, frame: Hello) -> None:
        """Let in whoever runs the server: they are no person, in no room, and nobody is told."""
        if not (self._control and hmac.compare_digest(frame.token.encode(), self._control.encode())):
            raise refused(Code.LOGIN_FAILED)
        peer.person = Person(HOST, SERVER, rate=Rate(self._limits))
        peer.pinged = frame.ping
        peer.position = self._hub.head
        self._welcome(peer, frame, "", Role.OWNER)

    def _tell_absences(self, peer: Peer) -> None:
        """Tell a device that comes back where its person has left a room and entered it again meanwhile, on another.

        What was said in between may be theirs to read, and is not delivered: as with any gap, the latest page follows.
        """
        of_all = peer.here.spans
        for number, room in peer.here.rooms.items():
            spans = of_all[number]
            since = spans[-1][0]
            if len(spans) > 1 and since > peer.position and room.record.before == "all":
                peer.gaps = {**peer.gaps, number: since}
                self._answers.line(peer, encode(Gap(room=room.handle, after=peer.position, before=since + 1)))
                self._hub.gapped(peer, room)

    def _identify(self, person: Person, opening: Opening) -> Person:
        """Return who an opened session belongs to, with the name they asked for."""
        known = self._entrance.people.get(opening.user)
        if known is None:
            return self._newly_here(person, opening)
        if person.name and not opening.account and known.name != person.name:
            # They come back under another name: to others that is a change of name.
            self._names.claim(person.name, known)
            self._log.append(Naming(user=known.user, name=person.name))
            self._entrance.rename(known, person.name)
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
        person.role = opening.role
        person.blocked = opening.blocked or NOTHING
        person.marks = {**opening.marks, **self.unwritten(opening.user)} or NOTHING
        person.invitations = opening.invitations or NOTHING
        person.rooms = {number: self._hub.rooms[number] for number in opening.rooms}
        general = self._hub.general.id
        for room, spans in {**opening.spans, general: _ALWAYS}.items():
            for since, until in spans:
                person.stay(room, since, until)
        return person


_ALWAYS: Final = ((0, FOREVER),)
"""When everyone is in `general`."""

_ROLE_NAMES: Final = {role: name for name, role in ROLES.items()}
