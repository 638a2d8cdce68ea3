"""How fast one person may write: the generic cell rate algorithm, one number a person and no timers."""

import math
import time
from functools import lru_cache

from server.chat.limits import DEFAULTS, Limits
from server.protocol.errors import Code, ProtocolError


class Rate:
    """One person's rate. In any time t (seconds) at most `burst + rate * t` are allowed. Nanoseconds throughout.

    Each that is allowed takes a share of time, 1 / rate. `_due` is when all shares taken so far are used up; it may lie
    as far ahead as a burst is long.
    """

    __slots__ = ("_due", "_pace")

    def __init__(self, limits: Limits = DEFAULTS) -> None:
        self._due = 0
        self._pace = _pace(limits)

    def take(self) -> int:
        """Allow one more and return 0, or return the milliseconds until it may come again."""
        now = time.monotonic_ns()
        due = self._due
        if due <= now:
            self._due = now + self._pace[0]
            return 0
        share, ahead, _ = self._pace
        wait = due - now - ahead
        if wait > 0:
            return -(-wait // 1_000_000)
        self._due = due + share
        return 0

    def give_back(self) -> None:
        """Let one that was allowed not count: nothing was written."""
        self._due -= self._pace[0]

    def check(self) -> None:
        """Allow one more; ProtocolError where that is too fast."""
        wait = self.take()
        if wait:
            raise ProtocolError(Code.RATE_LIMITED, self.refusal(wait), wait_ms=wait)

    def refusal(self, wait: int) -> str:
        """Say to people that it was too fast, and that it may come again in `wait` milliseconds."""
        seconds = math.ceil(wait / 100) / 10
        return f"This is too fast: {self._pace[2]:g} messages a second are taken here. Again in {seconds:g} s."


@lru_cache(16)
def _pace(limits: Limits) -> tuple[int, int, float]:
    """Return the share of each, and how far ahead `_due` may lie, in nanoseconds; and the rate. One for all people."""
    share = math.ceil(1e9 / limits.rate)
    return share, (limits.burst - 1) * share, limits.rate
