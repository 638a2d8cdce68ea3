"""Accounts: to get one, its password, the server's first owner."""

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Final

from msgspec import UNSET

from server.chat.answers import Answers, refusal_of, refused
from server.chat.devices import Devices
from server.chat.errands import Errands, Then, committed
from server.chat.hub import Hub
from server.chat.login import Login, check_password, need_tls
from server.chat.names import Names
from server.chat.ports import Archive, Identity, Log
from server.chat.secrets import hashed, hashed_code, new_session
from server.chat.world import Peer, Person
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Account, Claim, Password, Register
from server.protocol.text import check_name, check_own_name
from server.record.entries import Claiming, Crediting, Ending, Registering
from server.record.events import HOST, SERVER, AccountBody, AppointBody, Kind
from server.record.register import Settings

TRIES: Final = 20
"""Names like the provider's that are tried for someone who gave none."""


class Accounts:
    """Makes accounts, and changes their passwords."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        hub: Hub,
        names: Names,
        answers: Answers,
        login: Login,
        errands: Errands,
        devices: Devices,
        settings: Settings,
    ) -> None:
        self._log = journal
        self._archive = archive
        self._hub = hub
        self._names = names
        self._answers = answers
        self._login = login
        self._errands = errands
        self._devices = devices
        self._settings = settings

    # To get one.

    def register(self, peer: Peer, frame: Register) -> None:
        """Give someone an account; who is in stays who they are, who is not is somebody new."""
        need_tls(peer)
        person = peer.person
        if person is not None:
            if person.user == SERVER:
                raise refused(Code.NOT_ALLOWED)
            if person.account:
                raise refused(Code.HAS_ACCOUNT)
            person.rate.check()
        if frame.sso == bool(frame.password):
            raise ProtocolError(Code.BAD_FRAME, "An account has a password, or sso.")
        if self._settings.sign_up == "closed" or (self._settings.sign_up == "invite" and not frame.ticket):
            raise refused(Code.NO_SIGN_UP)
        if frame.password:
            check_password(frame.password)
        name = frame.name or (person.name if person is not None else "")
        if name or not frame.sso:
            name = check_own_name(name)
        making = self._by_provider(peer, frame, name) if frame.sso else self._by_password(peer, frame, name)
        self._errands.run(peer, frame.ref, making, waits=person is None)

    async def _by_password(self, peer: Peer, frame: Register, name: str) -> Then:
        password = await self._login.hash(peer.link.host, frame.password)
        return partial(self._make, peer, frame, name, password, "")

    async def _by_provider(self, peer: Peer, frame: Register, name: str) -> Then:
        identity = await self._login.at_provider(peer)
        if await self._archive.subject(identity.subject):
            raise refused(Code.HAS_ACCOUNT)
        if name:
            return partial(self._make, peer, frame, name, "", identity.subject)
        draft = await self._newcomer(peer, identity, "", frame.ticket)
        return lambda: self._answer(peer, frame, Account(user=draft.user, name=draft.about.name))

    def _make(self, peer: Peer, frame: Register, name: str, password: str, subject: str) -> None:
        """Have the log make the account that was asked for."""
        person = peer.person
        if person is not None and person.account:
            raise refused(Code.HAS_ACCOUNT)
        holder = person if person is not None else Person(name)
        self._names.claim(name, holder, account=True)
        token = new_session()
        draft = self._draft(peer, name, frame.ticket)
        draft.password, draft.subject, draft.secret = password, subject, hashed(token)
        draft.then = partial(self._made, peer, frame, holder, token)
        peer.waiting = True
        peer.open += 1
        self._log.append(draft)

    def _draft(self, peer: Peer, name: str, ticket: str) -> Registering:
        return Registering(
            peer=peer,
            kind=Kind.ACCOUNT,
            room=self._hub.general.id,
            user=peer.person.user if peer.person is not None else 0,
            session=peer.session,
            about=AccountBody(name),
            ticket=hashed_code(ticket) if ticket else b"",
            address=peer.link.host,
        )

    def _made(self, peer: Peer, frame: Register, holder: Person, token: str, draft: Registering) -> None:
        peer.waiting = False
        peer.open -= 1
        inside = peer.person is not None
        name = draft.about.name
        if draft.code is not None or not inside:
            self._names.free(name, holder, keep=holder.name if inside else None)
        if draft.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(draft))
            return
        session = token if inside else ""
        self._answer(peer, frame, Account(user=draft.user, name=name, session=session))
        self._devices.ended(draft.user, draft.ended)

    def _answer(self, peer: Peer, frame: Register, account: Account) -> None:
        account.ref = frame.ref
        self._answers.line(peer, encode(account))

    async def whose(self, peer: Peer, identity: Identity, name: str) -> int:
        """Return who it is that has signed in at the provider; a new user, where they have not been here.

        Args:
            peer: where they wait.
            identity: who they are there.
            name: that they want, where they are new; without one, one like theirs at the provider.
        """
        user = await self._archive.subject(identity.subject)
        return user or (await self._newcomer(peer, identity, name, "")).user

    async def _newcomer(self, peer: Peer, identity: Identity, name: str, ticket: str) -> Registering:
        """Make an account for someone whom only the provider knows; ProtocolError where that can't be."""
        for wanted in [name] if name else itertools.islice(_names_like(identity.name), TRIES):
            holder = Person(wanted)
            try:
                self._names.claim(wanted, holder, account=True)
                draft = self._draft(peer, wanted, ticket)
                draft.subject = identity.subject
                await committed(self._log, draft)
            except ProtocolError as fault:
                if fault.code is not Code.NAME_TAKEN or name:
                    raise
            else:
                return draft
            finally:
                self._names.free(wanted, holder)
        raise refused(Code.NAME_TAKEN)

    # Passwords.

    def password(self, peer: Peer, frame: Password) -> None:
        """Give an account another password: its other sessions end."""
        need_tls(peer)
        check_password(frame.new)
        person = peer.here
        if person.user == SERVER:
            self._errands.run(peer, frame.ref, self._set(peer, frame, check_name(frame.name)), waits=False)
            return
        if frame.name and frame.name != person.name:
            raise refused(Code.NOT_ALLOWED)
        if not person.account:
            raise refused(Code.NO_ACCOUNT)
        person.rate.check()
        self._errands.run(peer, frame.ref, self._change(peer, frame), waits=False)

    async def _set(self, peer: Peer, frame: Password, name: str) -> Then:
        known = await self._archive.credentials(name, "")
        if not known.user:
            raise refused(Code.NO_SUCH_PERSON)
        hashed_anew = await self._login.hash_anew(frame.new)
        return partial(self._store, peer, frame, Crediting(user=known.user, password=hashed_anew))

    async def _change(self, peer: Peer, frame: Password) -> Then:
        proved = await self._login.own_password(peer, frame.old)
        hashed_anew = await self._login.hash_anew(frame.new)
        crediting = Crediting(user=proved.user, password=hashed_anew, instead=proved.stored)
        return partial(self._store, peer, frame, crediting)

    def _store(self, peer: Peer, frame: Password, crediting: Crediting) -> None:
        """Have both written in one transaction: what comes in one turn of the loop makes one."""
        peer.open += 1
        crediting.peer = peer
        crediting.then = partial(self._stored, peer, frame)
        self._log.append(crediting)
        self._log.append(Ending(user=crediting.user, kept=peer.session, then=self._devices.after))

    def _stored(self, peer: Peer, frame: Password, crediting: Crediting) -> None:
        peer.open -= 1
        if crediting.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(crediting))
        else:
            self._answers.ok(peer, frame.ref)

    # The server's owner.

    def claim(self, peer: Peer, frame: Claim) -> None:
        """Make somebody the server's owner, by the code for that."""
        need_tls(peer)
        person = peer.here
        if not person.account:
            raise refused(Code.NO_ACCOUNT)
        attempt = self._login.attempt(peer)
        peer.open += 1

        def claimed(draft: Claiming) -> None:
            peer.open -= 1
            if draft.code is not None:
                self._answers.refuse(peer, frame.ref, refusal_of(draft))
            else:
                attempt.give_back()
                self._answers.ok(peer, frame.ref, seq=draft.seq or UNSET)

        self._log.append(
            Claiming(
                peer=peer,
                kind=Kind.APPOINT,
                room=self._hub.general.id,
                user=SERVER,
                about=AppointBody(HOST, person.user, person.name, "owner"),
                owner_code=hashed_code(frame.code),
                then=claimed,
            )
        )


def _names_like(wanted: str) -> Iterator[str]:
    """Yield names that may be had here, like one that may not."""
    kept = "".join(character for character in wanted if character.isalnum() or character in "_.-")
    start = _checked(kept[: limits.NAME_CHARS - 3]) or "user"
    yield start
    for number in itertools.count(2):
        yield f"{start}{number}"


def _checked(name: str) -> str:
    try:
        return check_own_name(name)
    except ProtocolError:
        return ""
