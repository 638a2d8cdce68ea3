"""How fast one person may write: the generic cell rate algorithm, one number a person and no timers."""

import math
import time

from server.chat.limits import DEFAULTS, Limits
from server.protocol.errors import Code, ProtocolError


class Rate:
    """One person's rate. In any time t (seconds) at most `burst + rate * t` are allowed. Nanoseconds throughout.

    Each that is allowed takes a share of time, 1 / rate. `_due` is when all shares taken so far are used up; it may lie
    as far ahead as a burst is long.
    """

    __slots__ = ("_ahead", "_due", "_limits", "_share")

    def __init__(self, limits: Limits = DEFAULTS) -> None:
        self._share = math.ceil(1e9 / limits.rate)
        self._ahead = (limits.burst - 1) * self._share
        self._due = 0
        self._limits = limits

    def take(self) -> int:
        """Allow one more and return 0, or return the milliseconds until it may come again."""
        now = time.monotonic_ns()
        due = self._due
        if due <= now:
            self._due = now + self._share
            return 0
        wait = due - now - self._ahead
        if wait > 0:
            return -(-wait // 1_000_000)
        self._due = due + self._share
        return 0

    def give_back(self) -> None:
        """Let one that was allowed not count: nothing was written."""
        self._due -= self._share

    def check(self) -> None:
        """Allow one more; ProtocolError where that is too fast."""
        wait = self.take()
        if wait:
            raise ProtocolError(Code.RATE_LIMITED, self.refusal(wait), wait_ms=wait)

    def refusal(self, wait: int) -> str:
        """Say to people that it was too fast, and that it may come again in `wait` milliseconds."""
        seconds = math.ceil(wait / 100) / 10
        return f"This is too fast: {self._limits.rate:g} messages a second are taken here. Again in {seconds:g} s."
