"""The file of known servers survives kills of those who write it all the time."""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from faults.report import parser, progress, summary
from faults.victim import ENVIRONMENT

from chat_tui.client.known import Known

WRITERS: Final = 2
"""Processes that write at once, each of servers of its own."""
SERVERS: Final = 30
"""Servers a writer: the file stays of one size while it is written for ever."""
OTHERS: Final = "# by hand\nlater.example:7373 another:way\n"
"""What stands in the file and is nobody's to change."""
LONGEST: Final = 0.1
"""Seconds from a writer's first word to its end, at most."""
_LINE: Final = re.compile(r"host\d+\.example:\d+ pin:[0-9a-f]{64} \d{4}-\d\d-\d\d")


def change(known: Known, writer: int, number: int) -> None:
    """Make a writer's change of this number: a server gets another key, or now and then is forgotten."""
    if key(number):
        known.keep(f"host{writer}.example", number % SERVERS + 1, key(number))
    else:
        known.forget(f"host{writer}.example", number % SERVERS + 1)


def key(number: int) -> str:
    """Return the key that a change of this number writes; empty where it forgets."""
    return "" if number % 7 == 6 else sha256(str(number).encode()).hexdigest()


def write(path: Path, writer: int, number: int, *, careless: bool) -> None:
    """Change the file for ever, and say the number of each change that is done. Runs in a process of its own."""
    if careless:
        Known._write = _write_in_place  # type: ignore[method-assign]
    while True:
        change(Known(path), writer, number)
        os.write(1, b"%d\n" % number)
        number += 1


def _write_in_place(self: Known, lines: list[str]) -> None:
    """Write as programs do that think of no kill."""
    assert self._path is not None
    with self._path.open("wb", buffering=0) as file:
        for line in lines:
            file.write(f"{line}\n".encode())


class Writer:
    """A process that writes. `done` is the number of the last change it has told as done; -1 for none."""

    def __init__(self, path: Path, number: int, *, careless: bool) -> None:
        self.number = number
        self.done = -1
        self._path = path
        self._careless = careless

    @contextmanager
    def running(self) -> Iterator[None]:
        """Have it write; at the end it is killed."""
        code = (
            "from pathlib import Path; from faults import pins;"
            f"pins.write(Path({str(self._path)!r}), {self.number}, {self.done + 1}, careless={self._careless})"
        )
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=ENVIRONMENT)
        assert process.stdout is not None
        first = process.stdout.readline()
        self.done = int(first)
        # What it says is read all the time: a full pipe would hold it up.
        reading = threading.Thread(target=self._read, args=(process,))
        reading.start()
        try:
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            reading.join()
            process.wait()
            process.stdout.close()

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith(b"\n"):
                self.done = int(line)

    def faults(self) -> Iterator[str]:
        """Compare the file with what was told as done: the change after that one may be there or not."""
        known = Known(self._path)
        for place in range(SERVERS):
            last = self.done - (self.done - place) % SERVERS
            right = {key(last) if last >= 0 else ""}
            if (self.done + 1) % SERVERS == place:
                right.add(key(self.done + 1))
            found = known.get(f"host{self.number}.example", place + 1)
            if found not in right:
                yield f"host{self.number}.example:{place + 1} is {found or 'unknown'} after change {self.done}"


def kill(path: Path, writers: list[Writer], dice: random.Random) -> list[str]:
    """Have all write at once and kill one after the other; return what is wrong with the file then."""
    if not writers:
        time.sleep(dice.uniform(0, LONGEST))
        return []
    with writers[0].running():
        kill(path, writers[1:], dice)
        time.sleep(dice.uniform(0, LONGEST))
    text = path.read_text(encoding="utf-8")
    lines = text.removeprefix(OTHERS).split("\n")
    faults = [f"a line is broken: {line!r}" for line in lines[:-1] if not _LINE.fullmatch(line)]
    if not text.startswith(OTHERS):
        faults.append("what others have written is gone")
    if lines[-1]:
        faults.append(f"the file ends in the middle: {lines[-1]!r}")
    return faults or [fault for writer in writers for fault in writer.faults()]


def run(folder: Path, kills: int, seed: int, *, careless: bool = False, tell: bool = False) -> tuple[int, list[str]]:
    """Kill so many times; return how many changes were done, and what was found.

    Args:
        folder: for the file.
        kills: how many times all writers are killed.
        seed: all dice.
        careless: the writers do not replace the file, but write into it: that must be found.
        tell: say how far it is.
    """
    path = folder / "known_servers"
    path.write_text(OTHERS, encoding="utf-8")
    dice = random.Random(seed)
    writers = [Writer(path, number, careless=careless) for number in range(WRITERS)]
    faults: list[str] = []
    for number in range(kills):
        faults += kill(path, writers, dice)
        if tell:
            progress(f"{number + 1} kills, {sum(writer.done + 1 for writer in writers)} changes")
        if faults:
            break  # what comes after it is wrong anyway
    return sum(writer.done + 1 for writer in writers), faults


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("pins", (__doc__ or "").split("\n")[0])
    parse.add_argument("--kills", type=int, default=100)
    given = parse.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pins-") as folder:
        changes, faults = run(Path(folder), given.kills, given.seed, tell=True)
    figures = {
        "kills": given.kills * WRITERS,
        "changes": changes,
        "servers": WRITERS * SERVERS,
        "seconds": round(time.monotonic() - began, 1),
    }
    return summary("pins", given, figures, faults)
