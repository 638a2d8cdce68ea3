"""A server, clients that talk, and something that goes wrong meanwhile; in the end the judgement.

A nemesis is a coroutine function that gets the bench, does harm until it has done enough or is cancelled, and heals in
the end what it has done. `kills.py` and `cuts.py` have the ones for processes and connections.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Final

from faults.checker import check
from faults.clients import Headless, Raw
from faults.mortal import Mortal
from faults.proxy import Proxy
from faults.record import History, read_archive
from faults.victim import Victim
from msgspec import UnsetType
from support import PATIENCE

from chat_tui.client import Client as ChatClient
from server.protocol.limits import PAGE_MOST

ROOMS: Final = ("dev", "ops")

Nemesis = Callable[["Bench"], Awaitable[None]]


class Bench:
    """One run. Begin it with `open`; `close` it in any case.

    Args:
        data: where the server keeps its messages; on a disk.
        seed: all dice.
        raw: thin clients, for many messages.
        headless: clients as the terminal uses them.
        mortal: thin clients in processes of their own, which can be killed.
        window: messages that a thin client keeps on their way by itself.
        proxied: clients connect through the proxy.
        program: what to run instead of `-m server.cli`.
        patience: seconds in which everything that is on its way must have arrived in the end.
    """

    def __init__(
        self,
        data: Path,
        seed: int,
        *,
        raw: int = 0,
        headless: int = 0,
        mortal: int = 0,
        window: int = 0,
        proxied: bool = False,
        program: tuple[str, ...] = ("-m", "server.cli"),
        patience: float = 3 * PATIENCE,
    ) -> None:
        self.dice = random.Random(seed)
        self.history = History()
        self.victim = Victim(data, "--limits", "off", program=program)
        self.proxy = Proxy(self.victim.port, self.dice)
        self.talkers: list[Raw | Headless | Mortal] = []
        self._counts = raw, headless, mortal
        self._window = window
        self._proxied = proxied
        self._patience = patience
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start the server, and let everyone come in."""
        await self.victim.start()
        await self.proxy.open()
        port = self.proxy.port if self._proxied else self.victim.port
        for number in range(sum(self._counts)):
            rooms = ROOMS[: number % (len(ROOMS) + 1)]  # some in one room, some in more
            dice = random.Random(self.dice.random())
            if number < self._counts[0]:
                self.talkers.append(Raw(self.history, port, f"raw{number}", rooms, dice, self._window))
            elif number < sum(self._counts[:2]):
                self.talkers.append(Headless(self.history, port, f"chat{number}", rooms, dice))
            else:
                self.talkers.append(Mortal(self.history, port, f"mortal{number}", rooms, dice, self._window))
        await self._come_in(*self.talkers)

    async def add(self, talker: Raw | Headless | Mortal) -> None:
        """Let one more come in."""
        self.talkers.append(talker)
        await self._come_in(talker)

    async def _come_in(self, *talkers: Raw | Headless | Mortal) -> None:
        self._tasks += [asyncio.create_task(talker.live()) for talker in talkers]
        await self.until(lambda: all(talker.connected for talker in talkers), "everyone is in")

    async def close(self) -> None:
        """End all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.proxy.close()
        await self.victim.kill()

    @property
    def speakers(self) -> list[Raw | Headless]:
        """The clients that say what they are told."""
        return [talker for talker in self.talkers if not isinstance(talker, Mortal)]

    @property
    def acked(self) -> int:
        """Messages that their senders know to be durable."""
        return sum(talker.acked for talker in self.talkers)

    async def until(self, holds: Callable[[], bool], what: str, patience: float = 3 * PATIENCE) -> None:
        """Wait until something holds; a client that died is told at once."""
        end = monotonic() + patience
        while not holds():
            for task in self._tasks:
                if task.done():
                    task.result()
            if monotonic() > end:
                state = [(t.name, t.connected, t.unacked, t.cursor) for t in self.talkers]
                raise TimeoutError(
                    f"It never came that {what}. Clients: {state}. Server: {list(self.victim.output)[-5:]}"
                )
            await asyncio.sleep(0.01)

    async def under(self, *nemeses: Nemesis, rate: float = 0.0) -> None:
        """Let it all go wrong at once, until the first of these has done enough.

        Args:
            nemeses: what goes wrong.
            rate: messages a second that all clients together are told to send.
        """
        harm = [asyncio.ensure_future(nemesis(self)) for nemesis in nemeses]
        others = [asyncio.create_task(self._say(rate))] if rate else []
        try:
            await asyncio.wait([harm[0], *others, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in (harm[0], *others, *self._tasks):
                if task.done():
                    task.result()
        finally:
            for task in (*harm, *others):
                task.cancel()
            ended = await asyncio.gather(*harm, *others, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result

    async def _say(self, rate: float) -> None:
        """Let clients speak by turns, each in a room of theirs; several at once where this is behind."""
        began, said = monotonic(), 0
        while True:
            while said < rate * (monotonic() - began):
                talker = self.dice.choice(self.speakers)
                if talker.record is not None:
                    talker.say(self.dice.choice(("general", *talker.rooms)), f"{said} {'.' * self.dice.randrange(200)}")
                said += 1
            await asyncio.sleep(0.005)

    async def judge(self) -> list[str]:
        """Let everything arrive, and return all that is wrong with what happened."""
        for talker in self.talkers:
            talker.be_quiet()
        unsettled = []
        try:  # a server with a fault may never answer: what it did till then is judged all the same
            await self.until(
                lambda: all(t.connected and not t.unacked for t in self.talkers), "all is acked", self._patience
            )
        except TimeoutError as error:
            unsettled.append(str(error))
        await asyncio.to_thread(read_archive, self.history, self.victim.database)
        pages = await self._differing_pages()
        last = {talker: self._last(("general", *talker.rooms)) for talker in self.talkers}
        try:
            await self.until(
                lambda: all(talker.cursor >= last[talker] for talker in self.talkers), "all is shown", self._patience
            )
        except TimeoutError as error:
            unsettled.append(str(error))
        for talker in self.talkers:
            assert talker.record is not None
            talker.record.until = last[talker]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        faults = unsettled + [str(finding) for finding in await asyncio.to_thread(check, self.history)]
        faults += [f"error told to {t.record and t.record.user}: {code}" for t in self.talkers for code in +t.oddities]
        faults += pages
        return faults + [f"the server said: {line}" for line in self.victim.complaints]

    async def _differing_pages(self) -> list[str]:
        """Read each room's history as a newcomer does, and return where it is not what the file holds."""
        archive, said = self.history.archive, self.history.said
        faults = []
        async with ChatClient("127.0.0.1", self.victim.port, "auditor", backlog=0) as auditor:
            for room in ("general", *ROOMS):
                if room != "general":
                    await auditor.join(room)
                paged: list[tuple[int, str, int, int | UnsetType, str]] = []
                page = await auditor.history(room, after=0, limit=PAGE_MOST)
                while page.messages:
                    paged += [(m.seq, m.room, m.user, m.id, m.text) for m in page.messages]
                    page = await auditor.history(room, after=paged[-1][0], limit=PAGE_MOST)
                rows = zip(archive.seqs, archive.said, strict=True)
                if paged != [(seq, *said[number]) for seq, number in rows if said[number].room == room]:
                    faults.append(f"the pages of {room} are not what the database holds")
        return faults

    def _last(self, rooms: tuple[str, ...]) -> int:
        """Return the seq of the last message in these rooms."""
        archive = self.history.archive
        for seq, number in zip(reversed(archive.seqs), reversed(archive.said), strict=True):
            if self.history.said[number].room in rooms:
                return seq
        return 0
