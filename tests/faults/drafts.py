"""The terminal is killed while someone types and sends: draft and outbox are there again, each message comes once.

Someone types m00000, Enter, m00001, Enter … without end, in a real terminal that is killed (SIGKILL) at any moment; the
server is stopped or killed now and then, so that messages wait in the outbox. After each start, what has arrived and
what stands in the input line must together be what was typed, up to some key, and not less than the screen had shown.
"""

import os
import random
import re
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from faults.report import parser, progress, summary
from support import PATIENCE, Server
from terminals import Terminal

HARMS = ("", "", "stop", "kill")
"""What happens to the server while someone types: nothing, SIGSTOP, SIGKILL."""


class Typist:
    """Someone who types numbered messages, and goes on where the terminal stands after a kill."""

    def __init__(self, folder: Path, dice: random.Random, harms: Sequence[str]) -> None:
        self.dice = dice
        self.harms = harms
        self.data = folder / "data"
        self.server = Server(self.data, "--limits", "off")
        self.port = self.server.port
        self.faults: list[str] = []
        self.waited = 0
        """Messages that were not yet acknowledged when the terminal was killed."""
        self.drafts = 0
        """Drafts that were found again."""

    def arrived(self) -> list[str]:
        """Return the messages that the server has."""
        with closing(sqlite3.connect(f"file:{self.data / 'chat.db'}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT body ->> 'text' FROM events WHERE kind = 4 ORDER BY seq")
            return [text for (text,) in rows]

    @contextmanager
    def terminal(self) -> Iterator[Terminal]:
        """Start the program and wait until it is in, with nothing on its way."""
        one = Terminal("chat_tui.cli", "--name", "alice", "--host", "127.0.0.1", "--port", str(self.port), rows=24)
        try:
            end = time.monotonic() + 2 * PATIENCE
            while "● 127.0.0.1" not in one.text() or "◌" in one.text():
                if time.monotonic() > end:
                    raise TimeoutError(f"It does not come in:\n{one.text()}")
            yield one
        finally:
            one.close()

    def round(self) -> None:
        """Start, look whether all is there, type, be killed."""
        with self.terminal() as one:
            sent, draft = self.check(one)
            harm = self.dice.choice(self.harms)
            if harm == "stop":
                self.server.process.send_signal(signal.SIGSTOP)
            elif harm == "kill":
                self.server.stop(signal.SIGKILL)
            self.type(one, sent, draft)
            last, seen = shown(one.text())
            one.process.send_signal(signal.SIGKILL)
            one.process.wait()
            self.waited += max(0, last + 1 - len(self.arrived()))
        if harm == "stop":
            self.server.process.send_signal(signal.SIGCONT)
        elif harm == "kill":
            self.server = Server(self.data, "--limits", "off", port=self.port)
        self.expected = last, seen

    expected = (-1, "")

    def check(self, one: Terminal) -> tuple[int, str]:
        """Compare what is there with what was typed; return how many messages have arrived, and the draft."""
        texts = self.arrived()
        if texts != [name(number) for number in range(len(texts))]:
            odd = next(at for at, text in enumerate(texts) if text != name(at))
            self.faults.append(f"message {odd} is {texts[odd]!r}: lost, doubled or out of order")
        draft = shown(one.text())[1]
        if not name(len(texts)).startswith(draft):
            self.faults.append(f"after {len(texts)} messages the input line has {draft!r}")
        last, seen = self.expected
        if len(texts) <= last:
            self.faults.append(f"message {last} had been on the screen and is gone")
        if len(texts) == last + 1 and not draft.startswith(seen):
            self.faults.append(f"{seen!r} had been in the input line, and is {draft!r} now")
        self.drafts += bool(draft)
        return len(texts), draft

    def type(self, one: Terminal, number: int, draft: str) -> None:
        """Press keys one after the other, some of them at once, for as long as the dice say."""
        keys = name(number)[len(draft) :] + "\r" + "".join(name(number + more) + "\r" for more in range(1, 20))
        for key in keys[: self.dice.randrange(3, 90)]:
            one.press(key)
            if self.dice.random() < 0.3:
                one.text()


def name(number: int) -> str:
    """Return the text of a message."""
    return f"m{number:05}"


def shown(screen: str) -> tuple[int, str]:
    """Return the highest number in the log, -1 for none, and what stands in the input line."""
    log, _, line = screen.rpartition("❯")
    numbers = [int(number) for number in re.findall(r"\bm(\d{5})\b", log)]
    draft = line.split("\n")[0].strip()
    return max(numbers, default=-1), "" if draft.startswith("Message #") else draft


def run(
    folder: Path,
    rounds: int,
    seed: int,
    harms: Sequence[str] = HARMS,
    after: Callable[[], None] = lambda: None,
    *,
    tell: bool = False,
) -> Typist:
    """Type and be killed, so many times.

    Args:
        folder: for all that is written.
        rounds: kills.
        seed: all dice.
        harms: what happens to the server meanwhile is drawn from these.
        after: called after each kill.
        tell: say how far it is.
    """
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "share"), "XDG_CONFIG_HOME": str(folder / "config")}
    typist = Typist(folder, random.Random(seed), harms)
    before = dict(os.environ)
    os.environ.update(home)
    try:
        for number in range(rounds):
            typist.round()
            after()
            if tell:
                progress(f"{number + 1} kills, {len(typist.arrived())} messages")
        with typist.terminal() as one:
            typist.check(one)
    finally:
        os.environ.clear()
        os.environ.update(before)
        typist.server.stop()
    return typist


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("drafts", (__doc__ or "").split("\n")[0])
    parse.add_argument("--kills", type=int, default=100)
    given = parse.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drafts-") as folder:
        typist = run(Path(folder), given.kills, given.seed, tell=True)
        messages = len(typist.arrived())
    figures = {
        "kills": given.kills,
        "messages": messages,
        "waiting when killed": typist.waited,
        "drafts found again": typist.drafts,
        "seconds": round(time.monotonic() - began, 1),
    }
    return summary("drafts", given, figures, typist.faults)
