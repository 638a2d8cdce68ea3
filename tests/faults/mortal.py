"""A client in a process of its own, which can be killed at any moment, and comes back as the same one.

What happens to it, it writes to a pipe before anything follows from it: what it sends before the first byte goes, what
it is shown before it looks further. So the record is whole, whenever it dies.
"""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from typing import Any, cast

from faults.clients import Raw
from faults.record import Client as Record
from faults.record import History
from faults.victim import ENVIRONMENT, strike

from server.protocol import frames


class Mortal:
    """The parent's side: it starts the process again whenever that has died.

    Args: as `Raw`.
    """

    def __init__(
        self, history: History, port: int, name: str, rooms: tuple[str, ...], dice: random.Random, window: int
    ) -> None:
        self.name = name
        self.rooms = rooms
        self.acked = 0
        self.cursor = 0
        self.deaths = 0
        self.oddities: Counter[str] = Counter()
        self.record: Record | None = None
        self._history = history
        self._port = port
        self._dice = dice
        self._window = window
        self._session = ("", "")
        self._unacked: dict[int, tuple[str, str]] = {}
        self._last = 0
        self._in: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def unacked(self) -> int:
        """Messages on their way."""
        return len(self._unacked)

    @property
    def connected(self) -> bool:
        """It is in all its rooms."""
        return self._in.issuperset(("general", *self.rooms))

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self.deaths += strike(self._process, signal.SIGKILL)

    def be_quiet(self) -> None:
        """Say nothing more."""
        self._window = 0
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def live(self) -> None:
        """Start it, and start it again whenever it has died, until cancelled."""
        try:
            while True:
                self._in.clear()
                unacked = [(id, *said) for id, said in self._unacked.items()]
                state = (*self._session, self.cursor, unacked, self._last)
                self._process = process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "faults.mortal"),
                    json.dumps([self._port, self.name, self.rooms, self._dice.random(), self._window, state]),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    env=ENVIRONMENT,
                )
                assert process.stdout is not None
                async for line in process.stdout:
                    if line.endswith(b"\n"):  # else it died over it
                        self._take(*json.loads(line))
                if await process.wait() > 0:
                    raise RuntimeError(f"{self.name} failed")
        finally:
            if self._process is not None:
                strike(self._process, signal.SIGKILL)
                await self._process.wait()

    def _take(self, what: str, *about: Any) -> None:
        """Take down one thing that happened to it."""
        if what == "welcome":
            *session, user, rooms = about
            if session[0] != self._session[0]:
                self._unacked.clear()
            self._session = (session[0], session[1])
            self._in = set(rooms)
            self.record = self._history.client(user)
            return
        if what == "odd":
            self.oddities[about[0]] += 1
            return
        assert self.record is not None
        getattr(self.record, what)(*about)
        if what == "send":
            self._last = about[0]
            self._unacked[about[0]] = (about[1], about[2])
        elif what in ("ack", "fail"):
            self.acked += self._unacked.pop(about[0], None) is not None and what == "ack"
        elif what == "join":
            self._in.add(about[0])
        elif what in ("show", "reach", "connect"):
            self.cursor = max(self.cursor, about[0])


class _Told:
    """Stands for a record in the process: all that is taken down goes through the pipe."""

    def __init__(self, user: int) -> None:
        self.user = user

    def __getattr__(self, what: str) -> Any:
        return lambda *about: _tell(what, *about)


class _Histories:
    """Stands for the history."""

    def client(self, user: int) -> _Told:
        """Return what takes down a user's record."""
        return _Told(user)


class _Child(Raw):
    """The client in the process."""

    def _welcome(self, frame: frames.Welcome) -> None:
        _tell("welcome", frame.session, frame.epoch, frame.user, frame.rooms)
        super()._welcome(frame)


def _tell(*what: Any) -> None:
    line = json.dumps(what).encode() + b"\n"
    while line:
        line = line[os.write(1, line) :]


async def _live(port: int, name: str, rooms: list[str], seed: float, window: int, state: list[Any]) -> None:
    child = _Child(cast(History, _Histories()), port, name, tuple(rooms), random.Random(seed), window)
    child.take_up(*state)
    asyncio.get_running_loop().add_reader(0, child.be_quiet)  # the parent has closed its end
    await child.live()


if __name__ == "__main__":
    asyncio.run(_live(*json.loads(sys.argv[1])))
