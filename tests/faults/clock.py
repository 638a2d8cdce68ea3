"""`chat-server` on a machine whose clock steps: at each start it is hours off, and it jumps while the server runs.

    python -m faults.clock SEED [arguments of chat-server]

Only the wall clock steps, as on real machines; the monotonic one goes on.
"""

import os
import random
import sys
import time
from time import monotonic, time_ns
from typing import Final

STEPS_A_SECOND: Final = 5
FURTHEST: Final = 24 * 3600 * 1_000_000_000
"""Nanoseconds that the clock is off, at most."""


class Clock:
    """A wall clock that steps about `STEPS_A_SECOND` times a second, forwards and back."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._off = 0
        self._next = 0.0

    def time_ns(self) -> int:
        """Return the nanoseconds since 1970 that this clock shows."""
        if monotonic() >= self._next:
            self._next = monotonic() + self._dice.expovariate(STEPS_A_SECOND)
            self._off = self._dice.randint(-FURTHEST, FURTHEST)
        return time_ns() + self._off

    def time(self) -> float:
        """Return the seconds."""
        return self.time_ns() / 1e9


if __name__ == "__main__":
    clock = Clock(random.Random(f"{sys.argv[1]} {os.getpid()}"))
    time.time, time.time_ns = clock.time, clock.time_ns
    from server.cli import main

    main(sys.argv[2:])
