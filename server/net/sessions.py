"""The connections there are, and the beat by which those are found whose other end is gone."""

import asyncio
from collections.abc import Iterator
from itertools import chain, cycle
from typing import Final, Protocol

from server.chat.ports import Link
from server.net.origins import Origins

BEAT: Final = 4.7
"""Seconds between two looks at each connection. One that was silent at a look is pinged, and given up at the next:
between 9.4 and 14.1 seconds after it was last heard. Who only listens is pinged every 9.4 seconds."""

TURNS: Final = 20
"""Parts in which they are looked at, one by one within a BEAT: pinging 10,000 at once would hold up all else."""


class Beating(Link, Protocol):
    """A connection that may be looked at."""

    def beat(self) -> None:
        """Look whether the client was heard or took something since the last look; called every BEAT seconds."""


class Sessions:
    """The connections there are."""

    def __init__(self) -> None:
        self._turns: list[dict[Beating, None]] = [{} for _ in range(TURNS)]
        """All of them, by when they are looked at."""
        self.origins = Origins()
        self.empty = asyncio.Event()
        """Set while there are none."""
        self.empty.set()

    def add(self, session: Beating) -> None:
        """Take in a connection."""
        min(self._turns, key=len)[session] = None
        self.empty.clear()

    def discard(self, session: Beating) -> None:
        """Forget a connection."""
        for turn in self._turns:
            turn.pop(session, None)
        if not any(self._turns):
            self.empty.set()

    async def keep_beating(self) -> None:
        """Find connections whose other end is gone, for ever."""
        for turn in cycle(self._turns):
            await asyncio.sleep(BEAT / TURNS)
            for session in list(turn):
                session.beat()

    def __iter__(self) -> Iterator[Beating]:
        return chain.from_iterable(self._turns)

    def __len__(self) -> int:
        return sum(map(len, self._turns))
