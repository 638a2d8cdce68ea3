"""What takes longer than a turn of the loop, done for one connection: a password is hashed, someone signs in."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from msgspec import UnsetType

from server.chat.answers import Answers, refusal_of
from server.chat.ports import Log
from server.chat.world import Peer
from server.protocol.errors import Code, ProtocolError
from server.record.entries import Entry

Then = Callable[[], None]
"""What follows, between two turns of the loop; MAY raise ProtocolError."""

log = logging.getLogger("chat")


class Errands:
    """One at a time for a connection; given up when that ends."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._all: set[asyncio.Task[Then]] = set()

    def run(self, peer: Peer, ref: str | UnsetType, errand: Coroutine[Any, Any, Then], *, waits: bool = True) -> None:
        """Have something done, and then what it returns. A ProtocolError, or OSError, on the way is the answer.

        Args:
            peer: for whom.
            ref: of the request that this answers.
            errand: what takes a while; it changes nothing.
            waits: the connection's next lines wait for it.
        """
        if peer.errand is not None:
            errand.close()
            raise ProtocolError(Code.TRY_AGAIN, "Something else you asked for is not done yet.", wait_ms=1000)
        task = asyncio.get_running_loop().create_task(errand)
        peer.errand = task
        peer.open += 1
        peer.waiting = peer.waiting or waits
        self._all.add(task)
        task.add_done_callback(partial(self._done, peer, ref, waits))

    def stop(self) -> None:
        """Give all of them up."""
        for task in self._all:
            task.cancel()

    def _done(self, peer: Peer, ref: str | UnsetType, waited: bool, task: asyncio.Task[Then]) -> None:
        self._all.discard(task)
        peer.errand = None
        peer.open -= 1
        if waited:
            peer.waiting = False
        if task.cancelled() or peer.gone:
            if not task.cancelled():
                task.exception()
            return
        try:
            task.result()()
        except ProtocolError as fault:
            self._answers.refuse(peer, ref, fault)
        except OSError as error:
            log.error("Something can't be read: %s", error)
            self._answers.refuse(peer, ref, Code.TRY_AGAIN)
        self._answers.deliver()
        peer.link.ready()


async def committed(journal: Log, entry: Entry) -> None:
    """Queue an entry and wait until it is back; ProtocolError where it was refused."""
    back = asyncio.Event()
    entry.then = lambda _entry: back.set()
    journal.append(entry)
    await back.wait()
    if entry.code is not None:
        raise refusal_of(entry)
