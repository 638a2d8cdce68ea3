"""What becomes of what people said: how long it is kept, what is held of somebody, and how all of it is erased."""

import asyncio
import logging
import time
from functools import partial
from typing import Final

from msgspec import UNSET, Raw

from server.chat.answers import refused
from server.chat.blocking import show
from server.chat.errands import Errands, Then
from server.chat.hub import Hub
from server.chat.login import Login, need_tls
from server.chat.ports import Archive, Log
from server.chat.reading import Reading
from server.chat.rooms import Rooms
from server.chat.world import Peer, Person
from server.protocol.codec import encode
from server.protocol.errors import Code
from server.protocol.frames import Erase, Export, Exported
from server.record.entries import Draft, Erasing
from server.record.events import HOST, SERVER, EraseBody, ForgetBody, Kind

KEEPING: Final = 3600.0
"""Seconds between two looks for what is kept no longer: nobody counts on the minute."""

ERASE_AGAIN: Final = 1.0
"""Seconds until what could not be erased is erased again."""

ERASE_MORE: Final = 0.05
"""Seconds between two parts of much that is erased: those who send come first."""

log = logging.getLogger("chat")


class Keeper:
    """Has rooms forget what is kept there no longer: at the start, every hour, and when somebody changed the rules."""

    def __init__(self, journal: Log, archive: Archive) -> None:
        self._log = journal
        self._archive = archive
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._again = False

    def look(self) -> None:
        """Look now, and every hour from now on."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(KEEPING, self.look)
        if self._looking is None:
            self._looking = loop.create_task(self._look())
        else:
            self._again = True  # the rules may have changed since it was begun

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()

    async def looked(self) -> None:
        """Wait until what was found is forgotten."""
        while self._looking is not None:
            await asyncio.wait({self._looking})

    async def _look(self) -> None:
        forgotten = asyncio.Event()
        try:
            found = await self._archive.outdated(time.time_ns() // 1_000_000)
            for number, (room, upto) in enumerate(found, 1):
                draft = Draft(kind=Kind.FORGET, room=room, user=SERVER, about=ForgetBody(HOST, upto))
                if number == len(found):
                    draft.then = lambda _draft: forgotten.set()
                self._log.append(draft)
            if found:
                await forgotten.wait()
        except OSError as error:
            log.error("What is kept no longer can't be looked for: %s", error)
        finally:
            self._looking = None
        if self._again:
            self._again = False
            self.look()


class Privacy:
    """Exports and erasures."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        hub: Hub,
        people: dict[int, Person],
        rooms: Rooms,
        reading: Reading,
        login: Login,
        errands: Errands,
    ) -> None:
        self._log = journal
        self._archive = archive
        self._hub = hub
        self._people = people
        self._rooms = rooms
        self._reading = reading
        self._login = login
        self._errands = errands
        self._stopping = False
        self._unfinished: set[int] = set()
        """FORGET and ERASE events of this process whose bodies are not all empty."""
        self._finished = asyncio.Event()
        self.keeper = Keeper(journal, archive)

    def export(self, peer: Peer, frame: Export) -> None:
        """Send a part of all that is held of someone."""
        if frame.name and peer.here.user != SERVER:
            raise refused(Code.NOT_ALLOWED)

        async def read() -> bytes:
            user = (await self._rooms.person(frame.name))[0] if frame.name else peer.here.user
            lines, after, more = await self._archive.export(user, frame.after)
            return encode(Exported(ref=frame.ref, lines=[Raw(line) for line in lines], after=after, more=more))

        self._reading.want(peer, read, frame.ref)

    def erase(self, peer: Peer, frame: Erase) -> None:
        """Erase someone for good: oneself, or as the server's owner another."""
        if frame.password:
            need_tls(peer)
        self._errands.run(peer, frame.ref, self._may_erase(peer, frame))

    async def _may_erase(self, peer: Peer, frame: Erase) -> Then:
        person = peer.here
        who = (await self._rooms.person(frame.name))[0] if frame.name else person.user
        if who == person.user and await self._archive.password(who):
            await self._login.own_password(peer, frame.password)
        # Where it is oneself, the event has no name: it would stand there for ever.
        body = EraseBody("" if who == person.user else person.name, who)
        return partial(self._rooms.request, peer, frame, Kind.ERASE, self._hub.general.id, body)

    # What comes back from the log.

    def apply(self, draft: Draft) -> None:
        """Let what an event says of this take effect on what is kept in memory. MUST be called before its line is."""
        body = draft.about
        if draft.kind in (Kind.FORGET, Kind.ERASE):
            self._hub.drop_lines(draft.seq)
            self._unfinished.add(draft.seq)
        if draft.kind is Kind.ERASE:
            self._reading.drop_pages()  # of any room: they are kept until something is said there
            for person in self._people.values():
                show(person, body.who)
        if draft.kind is Kind.CHANGE and (body.keep_days is not UNSET or body.keep_count is not UNSET):
            self.keeper.look()

    def indexed(self, seqs: list[int]) -> None:
        """Nothing needs any more what these events took away: seqs of DELETE, FORGET and ERASE events."""
        if not self._stopping:
            self._log.append(Erasing(seqs=seqs, then=self._emptied))

    async def finished(self) -> None:
        """Wait until all that was to be forgotten or erased has left the files, but for what a reader still holds."""
        await self.keeper.looked()
        while self._unfinished:
            self._finished.clear()
            await self._finished.wait()

    def stop(self) -> None:
        """Begin nothing more: what is left to be erased is erased after the next start."""
        self._stopping = True
        self.keeper.stop()

    def _emptied(self, erasing: Erasing) -> None:
        loop = asyncio.get_running_loop()
        if erasing.code is not None:
            loop.call_later(ERASE_AGAIN, self.indexed, erasing.seqs)
        else:
            self._unfinished -= set(erasing.seqs) - set(erasing.left)
            self._finished.set()
            if erasing.left:
                loop.call_later(ERASE_MORE, self.indexed, erasing.left)
