"""The time of the story. It is kept in a file, so that the server, which is another process, has the same.

python -m screenshots.clock FILE --port 0 --data DIR      chat-server at the time that FILE says
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def set(self, when: str) -> None:
        """Set it to a time: `2026-11-20 18:02:05`. It is UTC; the pictures are made in that time zone."""
        seconds = datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.replace(self._file)

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        return float(self._file.read_text(encoding="utf-8"))

    def rule(self) -> None:
        """Let this whole process believe it."""
        local = time.localtime
        time.time = self
        time.time_ns = lambda: int(self() * 1_000_000_000)
        time.localtime = lambda seconds=None: local(self() if seconds is None else seconds)


if __name__ == "__main__":
    Clock(Path(sys.argv[1])).rule()
    from server.cli import main

    main(sys.argv[2:])
