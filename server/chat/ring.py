"""The latest events, encoded, shared by all who read a little behind the head."""

from bisect import bisect_right
from typing import Final

from server.record.events import Share

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
        self._seqs: list[int] = []
        self._items: list[tuple[int, bytes, int]] = []
        self._size = 0

    def add(self, seq: int, room: int, line: bytes, of: int = 0) -> None:
        """Take in the next event. `of` is the message that it is of, where only who may read that may read this."""
        self._seqs.append(seq)
        self._items.append((room, line, of))
        self._size += len(line)
        if self._size > self._capacity:
            self._trim()

    def clear(self, start: int) -> None:
        """Hold nothing: from after `start` on, all is to come."""
        self.start = start
        self._seqs.clear()
        self._items.clear()
        self._size = 0

    def slice(self, share: Share, after: int, size: int) -> tuple[bytes, int | None]:
        """Return someone's lines after a position (which must not lie before `start`), at most `size` bytes.

        The second value is the seq that the slice goes up to; None where it goes up to the end.
        """
        lines: list[bytes] = []
        length = 0
        start = bisect_right(self._seqs, after)
        end = min(len(self._seqs), start + LOOK)
        for index in range(start, end):
            room, line, of = self._items[index]
            if share.has(room, self._seqs[index], of):
                length += len(line)
                if length > size and lines:
                    return b"".join(lines), self._seqs[index] - 1
                lines.append(line)
        return b"".join(lines), self._seqs[end - 1] if end < len(self._seqs) else None

    def _trim(self) -> None:
        """Drop the oldest quarter at once: dropping one at a time would cost every event."""
        target = self._capacity * 3 // 4
        count = 0
        while self._size > target and count < len(self._items) - 1:
            self._size -= len(self._items[count][1])
            count += 1
        self.start = self._seqs[count - 1] if count else self.start
        del self._seqs[:count]
        del self._items[:count]
