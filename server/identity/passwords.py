"""Passwords: argon2id, in one thread that leaves the processor to the chat.

The parameters are the OWASP Password Storage Cheat Sheet's: 19 MiB, two passes, one lane. A hash says with which it was
made: one that was made with others is made anew when its password comes next.
"""

import asyncio
import contextlib
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from server.protocol.errors import Code, ProtocolError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY: Final = 19 * 1024
"""KiB that one hash takes."""

PASSES: Final = 2

WAITING: Final = 100
"""Hashes that may wait: some four seconds of work. As many again of those that are urgent.

The two take turns: whoever has an account could keep all others out by logging in to it all the time."""

NICENESS: Final = 10
"""How far behind the chat the thread stands for the processor, where a thread can (Linux)."""

RETRY: Final = 3000
"""Milliseconds after which someone may try again for whom there was no room."""


class _Job(NamedTuple):
    """Something to be hashed, and who waits for it."""

    work: Callable[[], object]
    done: "asyncio.Future[object]"
    loop: asyncio.AbstractEventLoop


class ArgonPasswords:
    """Hashes in a thread of its own, which starts with the first password; see `server.chat.ports.Passwords`."""

    def __init__(self, memory: int = MEMORY, passes: int = PASSES, waiting: int = WAITING) -> None:
        self._memory = memory
        self._passes = passes
        self._most = waiting
        self._urgent: deque[_Job] = deque()
        self._others: deque[_Job] = deque()
        self._some = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        # The thread's own.
        self._last: deque[_Job] = self._others
        """From which of the two its last job came."""
        self._hasher: PasswordHasher
        self._nobodys = ""
        """The hash of a password that nobody knows: what is compared where there is none."""

    async def hash(self, password: str) -> str:
        """See `server.chat.ports.Passwords`."""
        hashed = await self._do(lambda: self._hasher.hash(password), urgent=False)
        assert isinstance(hashed, str)
        return hashed

    async def verify(self, stored: str, password: str, *, urgent: bool = False) -> tuple[bool, str]:
        """See `server.chat.ports.Passwords`."""
        verdict = await self._do(lambda: self._verify(stored, password), urgent=urgent)
        assert isinstance(verdict, tuple)
        return verdict

    def close(self) -> None:
        """End the thread after the hash it is at; nobody is waiting for an answer any more."""
        with self._some:
            self._closing = True
            self._some.notify()

    def _do(self, work: Callable[[], object], *, urgent: bool) -> "asyncio.Future[object]":
        loop = asyncio.get_running_loop()
        lane = self._urgent if urgent else self._others
        with self._some:
            if len(lane) >= self._most:
                raise ProtocolError(Code.TRY_AGAIN, "Too many come in just now. Try again soon.", wait_ms=RETRY)
            job = _Job(work, loop.create_future(), loop)
            lane.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="passwords", daemon=True)
                self._thread.start()
            self._some.notify()
        return job.done

    # The thread's side.

    def _run(self) -> None:
        from argon2 import PasswordHasher

        with contextlib.suppress(AttributeError, OSError):  # on Linux a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        self._hasher = PasswordHasher(time_cost=self._passes, memory_cost=self._memory, parallelism=1)
        self._nobodys = self._hasher.hash(secrets.token_hex())
        while True:
            with self._some:
                self._some.wait_for(lambda: self._urgent or self._others or self._closing)
                if self._closing:
                    return
                after = self._others if self._last is self._urgent else self._urgent
                self._last = after or self._last
                job = self._last.popleft()
            if job.done.cancelled():
                continue
            try:
                result, error = job.work(), None
            except Exception as failure:  # the one who waits is told, and the next one has its turn
                result, error = None, failure
            with contextlib.suppress(RuntimeError):  # the loop has ended
                job.loop.call_soon_threadsafe(_tell, job.done, result, error)

    def _verify(self, stored: str, password: str) -> tuple[bool, str]:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            self._hasher.verify(stored or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False, ""
        if not stored:
            return False, ""
        return True, self._hasher.hash(password) if self._hasher.check_needs_rehash(stored) else ""


def _tell(done: "asyncio.Future[object]", result: object, error: Exception | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
