"""A real terminal: a program in a pty, and what a screen would show of it. POSIX only."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pyte
import pytest
from support import PATIENCE

# What pyte does not know: queries, and the kitty keyboard.
_UNKNOWN = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\[\?[0-9;]*u")


def _own_terminal() -> None:
    """Make the pty the terminal of a session of its own: closing it tells the program."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *command: str, columns: int = 100, rows: int = 30) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.modes = termios.tcgetattr(self.slave)
        self.written = b""
        self._half = b""
        self._gone = False
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        # How large the terminal is, it says itself.
        surroundings = {name: said for name, said in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=dict(surroundings, TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8"),
            preexec_fn=_own_terminal,
        )

    def press(self, keys: str) -> None:
        """Send keys as a terminal does."""
        os.write(self.master, keys.encode())

    def text(self) -> str:
        """Return what stands on the screen now."""
        self.take()
        return "\n".join(line.rstrip() for line in self._screen.display)

    def take(self) -> None:
        """Take what the program has written: `written` has it."""
        while select.select([self.master], [], [], 0.02)[0]:
            data = os.read(self.master, 65536)
            self.written += data
            # A sequence may be cut by the end of a read: what is behind the last escape waits for its end.
            data = self._half + data
            cut = data.rfind(b"\x1b")
            self._half = data[cut:] if cut >= len(data) - 24 and cut >= 0 else b""
            self._stream.feed(_UNKNOWN.sub(b"", data[: len(data) - len(self._half)]))
        self._stream.feed(_UNKNOWN.sub(b"", self._half))
        self._half = b""

    def sees(self, *texts: str, gone: str = "") -> str:
        """Wait until all texts stand on the screen, and `gone` does not; return the screen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            screen = self.text()
            if all(text in screen for text in texts) and not (gone and gone in screen):
                return screen
        pytest.fail(f"not seen: {texts} {gone}\n{self.text()}")

    def ended(self) -> int:
        """Wait for the program's end; return its exit code."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self.text()
        self.text()
        return self.process.wait(0.1)

    def is_sane(self) -> bool:
        """Tell whether the terminal is as it was: its modes, its own screen, its cursor, no mouse reports."""
        off = [b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1003l", b"\x1b[?2004l"]
        last = self.written.rfind(b"\x1b[?1049h")
        return termios.tcgetattr(self.slave) == self.modes and all(self.written.rfind(mode) > last for mode in off)

    def hang_up(self) -> None:
        """Close the terminal as a window is closed."""
        os.close(self.slave)
        os.close(self.master)
        self._gone = True

    def close(self) -> None:
        """End the program, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if not self._gone:
            self.hang_up()
