"""Bytes in any chunks to lines of bounded length."""

from collections.abc import Iterator

from server.protocol import limits


class LineSplitter:
    """Cut a stream of bytes into lines, holding at most one line's worth.

    A line that grows past `longest` is dropped up to its newline and yields None once, where it ends or, if its end
    has not come, as soon as it is known to be too long. How the bytes were chunked never changes what comes out.
    """

    __slots__ = ("_skipping", "_tail", "longest")

    def __init__(self, longest: int = limits.LINE) -> None:
        self.longest = longest
        """Bytes of a line, its newline included. It may be set anew; what has begun as a line counts as well."""
        self._tail = bytearray()
        self._skipping = False

    @property
    def midway(self) -> bool:
        """A line has begun and not ended."""
        return self._skipping or bool(self._tail)

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Yield each line that `data` completes, without its line end; None for one that is too long.

        The iterator must be exhausted before the next call.
        """
        *lines, tail = data.split(b"\n")
        for part in lines:
            line = part
            if self._tail:
                line = bytes(self._tail) + part
                self._tail.clear()
            if self._skipping:
                self._skipping = False
            elif len(line) >= self.longest:
                yield None
            else:
                yield line.removesuffix(b"\r")
        if self._skipping:
            return
        self._tail += tail
        if len(self._tail) >= self.longest:
            self._tail.clear()
            self._skipping = True
            yield None
