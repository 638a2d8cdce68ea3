"""A program in a terminal of its own, with keys going in and bytes coming out, both by the clock."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.feed import Feed

KEEP = 1 << 16
"""Bytes of output that are searched: more than any one repaint."""
PATIENCE = 60.0
"""Seconds to wait for anything."""
_ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[?2048$p": b"\x1b[?2048;0$y", b"\x1b[c": b"\x1b[?62;22c"}
"""What a terminal answers to those who ask what it can: synchronised output yes, telling its size in-band no."""

clock = time.perf_counter


class Program:
    """Runs a command in a pseudo-terminal, and turns the loop of it and of its feed.

    Args:
        command: what to run.
        environment: its environment.
        feed: the server that it talks to, if it talks to one.
        size: columns and rows.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        feed: Feed | None = None,
        size: tuple[int, int] = (120, 40),
    ) -> None:
        self.feed = feed
        self.bytes = 0
        """Bytes it has written."""
        self.last = 0.0
        """When it last wrote."""
        self._output = bytearray()
        self._ended = False
        self._terminal, inside = pty.openpty()
        columns, rows = size
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self._terminal, False)
        self.began = clock()
        self.process = subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, env=environment, start_new_session=True
        )
        os.close(inside)

    def press(self, keys: str) -> float:
        """Send keys; return when. What was written before is forgotten: `shown` looks at what follows."""
        self._output.clear()
        now = clock()
        os.write(self._terminal, keys.encode())
        return now

    def shown(self, text: str) -> float:
        """Return when a text has been written to the terminal; TimeoutError where it is not."""
        sought = text.encode()
        self._until(lambda: sought in self._output, f"{text!r} on the screen")
        return self.last

    def wrote(self) -> float:
        """Return when the program has written anything more."""
        before = self.bytes
        self._until(lambda: self.bytes > before, "any output")
        return self.last

    def written(self) -> bytes:
        """Return what has been written since the last key."""
        return bytes(self._output)

    def forget(self) -> None:
        """Look only at what is written from now on."""
        self._output.clear()

    def rest(self, seconds: float) -> None:
        """Wait until nothing has been written for so long, and the feed has said all."""
        since = clock()
        self._until(
            lambda: clock() - max(self.last, since) > seconds and not (self.feed and self.feed.waiting), "an end"
        )

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = clock() + seconds
        while (left := end - clock()) > 0:
            self._turn(left)

    def memory(self) -> float:
        """Return its resident memory in megabytes (10^6 bytes)."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
            kilobytes = status.partition("VmRSS:")[2].split()[0]
        except OSError:  # no /proc: macOS
            kilobytes = subprocess.check_output(["ps", "-o", "rss=", "-p", str(self.process.pid)], text=True)
        return int(kilobytes) * 1024 / 1e6

    def close(self) -> None:
        """Hang up, as a terminal does that is closed."""
        self.process.send_signal(signal.SIGHUP)
        end = clock() + 3
        while self.process.poll() is None and clock() < end:
            self._turn(0.02)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._terminal)
        if self.feed is not None:
            self.feed.close()

    def _until(self, so: Callable[[], bool], what: str) -> None:
        end = clock() + PATIENCE
        while not so():
            if clock() > end or self._ended:
                raise TimeoutError(f"There was not {what}. The last output: {bytes(self._output[-300:])!r}")
            self._turn(0.02)

    def _turn(self, longest: float) -> None:
        """Turn the loop once."""
        feed, reads, writes = self.feed, [self._terminal], []
        if feed is not None:
            longest = min(longest, feed.due())
            reads.append(feed.listening.fileno())
            if feed.client is not None:
                reads.append(feed.client.fileno())
                writes += [feed.client.fileno()] if feed.waiting else []
        ready, free, _ = select.select(reads, writes, [], longest)
        if self._terminal in ready:
            self._take()
        if feed is None:
            return
        client = feed.client.fileno() if feed.client is not None else -1
        if client in free:
            feed.write()
        if client in ready:
            feed.read()
        if feed.listening.fileno() in ready:
            feed.accept()

    def _take(self) -> None:
        """Read what the program has written, and answer what it asks of its terminal."""
        try:
            data = os.read(self._terminal, 1 << 18)
        except BlockingIOError:
            return
        except OSError:  # it has ended
            data = b""
        self._ended = not data
        self.last = clock()
        self.bytes += len(data)
        self._output += data
        del self._output[:-KEEP]
        for question, answer in _ANSWERS.items():
            if question in data:
                with contextlib.suppress(OSError):
                    os.write(self._terminal, answer)
