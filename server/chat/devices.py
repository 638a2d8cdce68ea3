"""One's devices: their sessions, a code for another one, the end of them."""

import time
from collections.abc import Callable
from functools import partial

from server.chat.answers import Answers, refusal_of, refused
from server.chat.login import need_tls
from server.chat.names import Names
from server.chat.ports import Archive, Log
from server.chat.reading import Reading
from server.chat.secrets import hashed, new_session
from server.chat.world import Peer, Person
from server.protocol import frames
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import check_name
from server.record.entries import Ending, Opening
from server.record.events import SERVER

CutOff = Callable[[Person, list[Peer], ProtocolError, str], None]
"""See `Entrance.cut_off`."""


class Devices:
    """Answers what concerns a person's sessions."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        reading: Reading,
        names: Names,
        people: dict[int, Person],
        answers: Answers,
        cut_off: CutOff,
    ) -> None:
        self._log = journal
        self._archive = archive
        self._reading = reading
        self._names = names
        self._people = people
        self._answers = answers
        self._cut_off = cut_off

    def device(self, peer: Peer, frame: frames.Device) -> None:
        """Give someone a code for another device."""
        person = peer.here
        if person.user == SERVER:
            raise refused(Code.NOT_ALLOWED)
        if person.account:
            need_tls(peer)
        person.rate.check()
        token = new_session()
        peer.open += 1
        self._log.append(
            Opening(
                peer=peer,
                name=person.name,
                user=person.user,
                secret=hashed(token),
                once=True,
                then=partial(self._new_device, peer, frame, token),
            )
        )

    def _new_device(self, peer: Peer, frame: frames.Device, token: str, opening: Opening) -> None:
        peer.open -= 1
        if opening.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(opening))
        else:
            self._answers.line(peer, encode(frames.NewDevice(ref=frame.ref, session=token)))

    def devices(self, peer: Peer, frame: frames.DevicesRequest) -> None:
        """Say which sessions someone has."""

        async def read() -> bytes:
            user = await self._whose(peer, frame.name)
            found = await self._archive.devices(user, time.time_ns() // 1_000_000)
            person = self._people.get(user)
            online = {other.session for other in person.peers} if person is not None else set()
            for info in found:
                info.online = info.id in online
                info.current = info.id == peer.session
            return encode(frames.Devices(ref=frame.ref, devices=found))

        self._reading.want(peer, read, frame.ref)

    async def end(self, peer: Peer, frame: frames.End) -> bytes:
        """End sessions of someone."""
        user = await self._whose(peer, frame.name)
        session = frame.session or peer.session
        ending = Ending(user=user, session=session, peer=peer)
        if frame.others or user != peer.here.user:
            ending.session, ending.kept = 0, peer.session
        peer.open += 1
        ending.then = partial(self._has_ended, peer, frame)
        self._log.append(ending)
        return b""

    def _has_ended(self, peer: Peer, frame: frames.End, ending: Ending) -> None:
        peer.open -= 1
        if ending.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(ending))
            return
        self._answers.ok(peer, frame.ref)
        peer.flush()  # it may be its own connection that ends
        self.after(ending)

    def after(self, ending: Ending) -> None:
        """Sessions have ended, or could not be."""
        if ending.code is None:
            self.ended(ending.user, ending.sessions)

    def ended(self, user: int, sessions: list[int]) -> None:
        """End the connections of sessions that have ended. Who has none comes back in none: their name is free."""
        person = self._people.get(user)
        if person is None or not sessions:
            return
        theirs = [peer for peer in person.peers if peer.session in sessions]
        self._cut_off(person, theirs, refused(Code.SESSION_ENDED), "quit")

    async def _whose(self, peer: Peer, name: str) -> int:
        """Return whose sessions are meant: one's own, or for whoever runs the server somebody's."""
        here = peer.here
        if here.user != SERVER:
            if name and name != here.name:
                raise refused(Code.NOT_ALLOWED)
            return here.user
        name = check_name(name)
        known = await self._archive.credentials(name, "")
        found = self._names.find(name)
        user = known.user or (found.user if found is not None else (await self._archive.users([name])).get(name, 0))
        if not user:
            raise refused(Code.NO_SUCH_PERSON)
        return user
