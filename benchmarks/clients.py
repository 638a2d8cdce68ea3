"""The terminal programs that are measured, and how each is started in an empty home."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import interpreter
from benchmarks.feed import READY, ChatFeed, Feed, IrcFeed
from benchmarks.program import Program
from benchmarks.servers import workplace

REST: Final = 0.4
"""Seconds of silence after which a program has come to rest."""


@dataclass(frozen=True)
class Terminal:
    """A program that shows a room."""

    name: str
    start: Callable[[Path, int], list[str]]
    """What to run, given its home and the port of the feed."""
    feed: Callable[[], Feed]
    program: str = ""
    """What must be installed; empty where nothing must."""

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        return not self.program or shutil.which(self.program) is not None

    def version(self) -> str:
        """Return what it says of itself."""
        return subprocess.run([self.program, "--version"], capture_output=True, text=True, check=False).stdout.strip()

    @contextmanager
    def running(self, *, settled: bool = True) -> Iterator[Program]:
        """Run it against a feed, by default until the room stands and nothing moves."""
        feed = self.feed()
        with workplace() as home, run(self.start(home, feed.port), home, feed) as program:
            if settled:
                program.shown(READY)
                program.rest(REST)
            yield program


@contextmanager
def run(command: list[str], home: Path, feed: Feed | None = None) -> Iterator[Program]:
    """Run a command in a terminal, in an empty home, as it is once it is installed: its modules are compiled."""
    kept = {
        name: value
        for name, value in interpreter.environment().items()
        if name in ("PATH", "VIRTUAL_ENV", "PYTHONPATH")
    }
    environment = {**kept, "HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    program = Program(command, environment, feed)
    try:
        yield program
    finally:
        program.close()


def _ours(_home: Path, port: int) -> list[str]:
    return interpreter.python("-m", "chat_tui.cli", "--name", "alice", "--host", "127.0.0.1", "--port", str(port))


def _weechat(home: Path, port: int) -> list[str]:
    said = (
        "/set weechat.history.max_buffer_lines_number 0",
        f"/server add feed 127.0.0.1/{port} -notls -nicks=alice -autojoin=#general",
        "/connect feed",
    )
    return ["weechat", "-d", str(home / "weechat"), *(part for line in said for part in ("-r", line))]


def _irssi(home: Path, port: int) -> list[str]:
    folder = home / "irssi"
    folder.mkdir()
    (folder / "config").write_text(
        f"""servers = ({{ address = "127.0.0.1"; chatnet = "feed"; port = "{port}"; autoconnect = "yes"; }});
chatnets = {{ feed = {{ type = "IRC"; }}; }};
channels = ({{ name = "#general"; chatnet = "feed"; autojoin = "yes"; }});
settings = {{
  core = {{ nick = "alice"; user_name = "alice"; real_name = "alice"; }};
  "fe-common/core" = {{ use_status_window = "no"; window_auto_change = "yes"; }};
  "irc/core" = {{ cmds_max_at_once = "100"; }};
  "fe-text" = {{ scrollback_lines = "200000"; scrollback_time = "0"; }};
}};
""",
        encoding="utf-8",
    )
    return ["irssi", f"--home={folder}"]


OURS: Final = Terminal("chat-tui", _ours, ChatFeed)
WEECHAT: Final = Terminal("weechat", _weechat, IrcFeed, "weechat")
IRSSI: Final = Terminal("irssi", _irssi, IrcFeed, "irssi")
PEERS: Final = (WEECHAT, IRSSI)
