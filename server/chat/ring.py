"""The latest events, encoded, shared by all who read a little behind the head."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice
from operator import itemgetter
from typing import Final

from server.record.events import Share

Line = tuple[int, int, bytes, int]
"""An event as it is written: its seq, its room, its frame, and the seq of the message that it is of, where only who may
read that may read this; else 0."""

RING_BYTES: Final = 16 * 1024 * 1024
"""What the ring holds at most: a room of 1,000 under full load stays in it for some ten seconds."""

LOOK: Final = 5000
"""Events looked at for one slice: those of others' rooms cost time, too, and the loop waits meanwhile."""


class Ring:
    """A bounded run of events, the last of the log."""

    def __init__(self, start: int, capacity: int = RING_BYTES) -> None:
        self.start = start
        """All after this seq is here."""
        self._capacity = capacity
        self._lines: list[Line] = []
        self._size = 0

    def add(self, lines: Sequence[Line]) -> None:
        """Take in the next events."""
        self._lines += lines
        self._size += sum(map(len, map(_frame, lines)))
        if self._size > self._capacity:
            self._trim()

    def clear(self, start: int) -> None:
        """Hold nothing: from after `start` on, all is to come."""
        self.start = start
        self._lines.clear()
        self._size = 0

    def slice(self, share: Share, after: int, size: int) -> tuple[bytes, int | None]:
        """Return someone's lines after a position (which must not lie before `start`), at most `size` bytes.

        The second value is the seq that the slice goes up to; None where it goes up to the end.
        """
        found: list[bytes] = []
        length = 0
        start = bisect_right(self._lines, after, key=_seq)
        end = min(len(self._lines), start + LOOK)
        for seq, room, line, of in islice(self._lines, start, end):
            if share.has(room, seq, of):
                length += len(line)
                if length > size and found:
                    return b"".join(found), seq - 1
                found.append(line)
        return b"".join(found), self._lines[end - 1][0] if end < len(self._lines) else None

    def _trim(self) -> None:
        """Drop the oldest quarter at once: dropping one at a time would cost every event."""
        target = self._capacity * 3 // 4
        count = 0
        while self._size > target and count < len(self._lines) - 1:
            self._size -= len(self._lines[count][2])
            count += 1
        self.start = self._lines[count - 1][0] if count else self.start
        del self._lines[:count]


_seq: Final = itemgetter(0)
_frame: Final = itemgetter(2)
