"""What a client has said and nobody has taken yet."""

from typing import Final

from server.protocol.lines import LineSplitter

PIECE: Final = 16 * 1024
"""Bytes that are cut into lines at once: one read brings up to 256 KiB, and as short lines they take 20 times that."""


class Unread:
    """Bytes, and the lines cut from them. A connection has one only while there is something: most say nothing."""

    __slots__ = ("_at", "_lines", "_splitter", "_uncut")

    def __init__(self) -> None:
        self._splitter = LineSplitter()
        self._lines: list[bytes | None] = []
        """What is cut, the next one last."""
        self._uncut = b""
        self._at = 0
        """Up to here `_uncut` is cut."""

    def __bool__(self) -> bool:
        """Say whether there is something to take: a line that has not ended is not."""
        return bool(self._lines or self._uncut)

    @property
    def midway(self) -> bool:
        """A line has begun and not ended."""
        return self._splitter.midway

    def add(self, data: bytes) -> None:
        """Take in what came."""
        self._uncut = self._uncut[self._at :] + data
        self._at = 0

    def line(self, longest: int, *, alone: bool) -> bytes | None:
        """Return the next line, None for one that was too long; an empty one where there is none yet.

        Args:
            longest: bytes of a line, its end included.
            alone: cut no other line yet: what comes behind it may be longer.
        """
        if not self._lines:
            self._cut(longest, alone=alone)
        return self._lines.pop() if self._lines else b""

    def _cut(self, longest: int, *, alone: bool) -> None:
        end = self._at + PIECE
        if alone:
            end = self._uncut.find(b"\n", self._at, end) + 1 or end
        self._splitter.longest = longest
        self._lines += reversed(list(self._splitter.feed(self._uncut[self._at : end])))
        self._at = end
        if end >= len(self._uncut):
            self._uncut, self._at = b"", 0
