"""A long history: pages, jumps to a date and searches, asked of a real `chat-server`, alone and while much is said.

`python3 run.py python benchmarks/history.py`. The messages are made once and kept (`--data`); a copy is measured.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from benchmarks import interpreter, past
from benchmarks.figures import cpu_seconds, machine, quantile, say, table
from benchmarks.past import READER, Language, Past
from benchmarks.questions import Asked, Frame, compare, questions

GOAL: Final = 100.0
"""Milliseconds, at the 95th percentile."""
START_GOAL: Final = 500.0
"""The same, for a server's start."""
STARTS: Final = 5
WRITERS: Final = 10
"""Connections over which messages arrive."""
ASKED: Final = 20
"""Questions a second while messages arrive, each due at its own time: who waits behind another one waits, too."""
CHANGED: Final = 0.003
"""What part of what arrives edits a message; a third as much deletes one."""

HEADER: Final = ("what", "draws", "p50 ms", "p95 ms", "max ms", "found", "late", "goal p95")

clock = time.perf_counter


class Row(Struct):
    """How long something took. Times are milliseconds."""

    what: str
    draws: int
    p50: float
    p95: float
    most: float
    goal: float
    """What `p95` should not be above."""
    found: int | None = None
    """Searches that found something."""
    late: int | None = None
    """Searches whose time was up before their limit was met."""

    @classmethod
    def of(cls, what: str, seconds: Sequence[float], goal: float = GOAL) -> "Row":
        """Return the row of these times."""
        p50, p95, most = (1000 * quantile(seconds, share) for share in (0.5, 0.95, 1))
        return cls(what, len(seconds), p50, p95, most, goal)


class Report(Struct):
    """What a run showed."""

    rows: list[Row]
    notes: list[str]
    """What is no time: memory, processor, disk."""
    wrong: list[str]
    """Searches that found something else than who reads every message."""


class Wire:
    """A connection of somebody of the past, by the protocol alone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._waiting: dict[str, asyncio.Future[tuple[float, bytes]]] = {}
        self._count = 0
        self._task = asyncio.create_task(self._listen())

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, port: int, user: int) -> "AsyncIterator[tuple[Wire, Frame]]":
        """Come in as a user of the past; give the connection and the welcome."""
        wire = cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))
        try:
            hello = {"type": "hello", "resume": {"session": past.secret(user)}, "backlog": 0, "ping": False}
            _, welcome = await wire.ask(hello)
            yield wire, json.loads(welcome)
        finally:
            wire._task.cancel()
            wire._writer.close()

    def ask(self, frame: Frame) -> "asyncio.Future[tuple[float, bytes]]":
        """Send a request; return when its answer came, by `clock`, and the line."""
        self._count += 1
        ref = str(self._count)
        answer = self._waiting[ref] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps({**frame, "ref": ref}).encode() + b"\n")
        return answer

    async def _listen(self) -> None:
        while line := await self._reader.readline():
            if line.startswith(b'{"type":"message"'):
                continue  # what is said; it has no `ref`
            now = clock()
            found = re.search(rb'"ref":"(\d+)"', line[:200]) or re.search(rb'"ref":"(\d+)"', line)
            if found is not None and (waiting := self._waiting.pop(found[1].decode(), None)) is not None:
                waiting.set_result((now, line))
        for waiting in self._waiting.values():
            waiting.set_exception(ConnectionError("the server has ended"))


def prepare(data: Path, messages: int, *, anew: bool = False) -> Past:
    """Return a past of so many messages, made where there is none, or with its index made anew.

    Args:
        data: the folder in which such pasts are kept.
        messages: how many.
        anew: make the index in any case.
    """
    folder = data / str(messages)
    log, index = folder / "chat.db", folder / "search.db"
    folder.mkdir(parents=True, exist_ok=True)
    if not log.exists():
        say(f"writing {messages:,} messages to {log}")
        index.unlink(missing_ok=True)
        past.make(folder / "unfinished.db", messages)
        (folder / "unfinished.db").rename(log)
    if anew or not index.exists():
        say("making the index")
        seconds = past.index(log, folder / "unfinished-search.db")
        (folder / "unfinished-search.db").replace(index)
        sizes = [path.stat().st_size / 1e6 for path in (index, log)]
        print(f"index made in {seconds:.1f} s: {sizes[0]:.0f} MB; the log has {sizes[1]:.0f} MB")
    return past.look_at(log)


def measure(of: Past, draws: int = 200, arriving: int = 0, checks: int = 5) -> Report:
    """Ask a server that has this past, and start it; return how long all that took.

    Args:
        of: the past; it stays as it is.
        draws: questions of each kind.
        arriving: messages a second that arrive meanwhile. With none, each question follows the one before.
        checks: searches of each kind that are compared with what reading every message finds, where none arrive.
    """
    with _copied(of) as data:
        with serving(data):
            pass  # the first start makes a key
        rows, notes = ([], []) if arriving else _starts(data)
        with serving(data) as (port, pid, _, _):
            before, begun, used = memory(pid), clock(), cpu_seconds(pid) or 0.0
            asked, more = asyncio.run(_ask_all(of, port, draws, arriving))
            after, seconds = memory(pid), clock() - begun
            share = ((cpu_seconds(pid) or 0.0) - used) / seconds
        rows += [_row(kind, [one for one in asked if one.kind == kind]) for kind in questions(of)]
        rows += [_row("any search", [one for one in asked if one.frame["type"] == "search"]), *more]
        sizes = ", ".join(f"{name} {(data / name).stat().st_size / 1e6:,.0f} MB" for name in ("chat.db", "search.db"))
        notes.append(
            f"the server's memory (RSS) went from {before:.0f} to {after:.0f} MB in {seconds:.0f} s,"
            f" its processor time was {share:.0%} of a core; {sizes}"
        )
        wrong = [] if arriving else compare(of, data / "chat.db", asked, checks)
    return Report(rows, notes, wrong)


@contextlib.contextmanager
def serving(data: Path) -> Iterator[tuple[int, int, float, float]]:
    """Run a server, as it is once it is installed: its modules are compiled.

    Yields:
        Its port, its process, and the seconds and processor seconds that it took to listen.
    """
    command = interpreter.python("-m", "server.cli", "--port", "0", "--data", str(data), "--limits", "off")
    environment = interpreter.environment()
    begun = clock()
    process = subprocess.Popen(command, cwd=interpreter.HERE, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        try:
            first = process.stdout.readline()
            seconds, cpu = clock() - begun, cpu_seconds(process.pid) or 0.0
            found = re.search(r"Listening on .*:(\d+)", first)
            if not found:
                raise SystemExit(f"the server did not start: {first}")
            threading.Thread(target=process.stdout.read, daemon=True).start()  # unread, what it says would stop it
            yield int(found[1]), process.pid, seconds, cpu
        finally:
            process.terminate()


def memory(pid: int) -> float:
    """Return a process's resident memory in 10^6 bytes; 0 where the system has no /proc."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def _copied(of: Past) -> Iterator[Path]:
    """Give a data directory with a copy of a past, on the same disk and written there."""
    with tempfile.TemporaryDirectory(prefix="serving-", dir=of.path.parent) as folder:
        for path in (of.path, of.path.with_name("search.db")):
            say(f"copying {path.name}")
            copy = Path(shutil.copy(path, folder))
            with copy.open("rb") as file:
                os.fsync(file.fileno())
        yield Path(folder)


def _starts(data: Path) -> tuple[list[Row], list[str]]:
    """Start a server some times; return how long it took until it listened."""
    seconds, cpu = [], []
    for _ in range(STARTS):
        with serving(data) as (_, _, took, used):
            seconds.append(took)
            cpu.append(used)
    row = Row.of("start, until it listens", seconds, START_GOAL)
    return [row], [f"a start takes {1000 * statistics.median(cpu):.0f} ms of processor time"]


async def _ask_all(of: Past, port: int, draws: int, arriving: int) -> tuple[list[Asked], list[Row]]:
    """Ask so many questions of each kind, in any order; return them, and how long what arrived took."""
    asked = []
    for kind, draw in questions(of).items():
        dice = random.Random(kind)
        asked += [Asked(kind, draw(dice)) for _ in range(draws)]
    random.Random(past.SEED).shuffle(asked)
    say(f"{len(asked):,} questions while {arriving} messages a second arrive")
    acknowledged: list[float] = []
    async with contextlib.AsyncExitStack() as stack:
        reader, _ = await stack.enter_async_context(Wire.open(port, READER))
        writers = [await stack.enter_async_context(Wire.open(port, user + 1)) for user in range(WRITERS)]
        language = Language(random.Random(clock()))
        writing = [
            asyncio.create_task(_write(wire, welcome["rooms"], of.head, language, arriving / WRITERS, acknowledged))
            for wire, welcome in (writers if arriving else [])
        ]
        answers = []
        begun = clock()
        for number, one in enumerate(asked):
            due = clock()
            if arriving:
                due = begun + number / ASKED
                await asyncio.sleep(due - clock())
            answers.append(asyncio.create_task(_answered(reader, one, due)))
            if not arriving:
                await answers[-1]
        await asyncio.gather(*answers)
        for task in writing:
            task.cancel()
    return asked, [Row.of("a message, until it is acknowledged", acknowledged)] if arriving else []


async def _answered(wire: Wire, one: Asked, due: float) -> None:
    came, line = await wire.ask(one.frame)
    one.seconds = came - due
    one.answer = json.loads(line)
    if one.answer["type"] == "error":
        raise RuntimeError(f"{one.frame}: {one.answer}")


async def _write(
    wire: Wire, rooms: list[str], number: int, language: Language, rate: float, acknowledged: list[float]
) -> None:
    """Say something so many times a second, at random moments, until cancelled; edit or delete some of it.

    Args:
        wire: whose connection it is.
        rooms: where they are a member.
        number: their messages have higher ids.
        language: what they speak.
        rate: messages a second.
        acknowledged: gets the seconds from when each message was due until it was durable.
    """
    dice = random.Random(number)
    said: list[tuple[str, int]] = []
    weights = [1 / int("".join(filter(str.isdigit, room)) or 1) for room in rooms]
    due = clock()

    async def one(frame: Frame, due: float) -> None:
        came, line = await wire.ask(frame)
        acknowledged.append(came - due)
        if frame["type"] == "send":
            said.append((frame["room"], json.loads(line)["seq"]))

    async with asyncio.TaskGroup() as group:
        while True:
            due += dice.expovariate(rate)
            await asyncio.sleep(due - clock())
            chance = dice.random()
            if chance < CHANGED and said:
                room, seq = said.pop(dice.randrange(len(said)))
                frame: Frame = {"type": "delete", "room": room, "seq": seq}
                if chance > CHANGED / 3:
                    frame |= {"type": "edit", "text": language.say()}
            else:
                number += 1
                room = dice.choices(rooms, weights)[0]
                frame = {"type": "send", "id": number, "room": room, "text": language.say()}
            group.create_task(one(frame, due))


def _row(what: str, asked: list[Asked]) -> Row:
    row = Row.of(what, [one.seconds for one in asked])
    if asked[0].frame["type"] == "search":
        row.found = sum(bool(one.answer["messages"]) for one in asked)
        row.late = sum(one.late for one in asked)
    return row


def lines(rows: list[Row]) -> Iterator[list[str]]:
    """Yield the lines of the table; `HEADER` names their columns."""
    for row in rows:
        counts = ["" if count is None else str(count) for count in (row.found, row.late)]
        verdict = f"{row.goal:.0f}: {'yes' if row.p95 <= row.goal else 'NO'}"
        yield [row.what, str(row.draws), f"{row.p50:.1f}", f"{row.p95:.1f}", f"{row.most:.1f}", *counts, verdict]


def main() -> None:
    """Make the past where it is missing, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--messages", type=int, default=1_000_000, help="1,000,000 or 10,000,000, say (default: %(default)s)")
    add("--draws", type=int, default=100, help="questions of each kind (default: %(default)s)")
    add(
        "--arriving",
        type=int,
        default=500,
        help="messages a second, in the second table (default: %(default)s; 0: none)",
    )
    add("--only-arriving", action="store_true", help="leave out the first table, in which none arrive")
    add("--checks", type=int, default=5, help="searches of each kind that are compared with a reading of all messages")
    add(
        "--data",
        type=Path,
        default=Path(tempfile.gettempdir()) / f"chat-past-{os.getuid()}",
        help="where it is kept",
    )
    add("--rebuild", action="store_true", help="make the index anew, and say how long that takes")
    add("--markdown", action="store_true", help="print the tables as Markdown")
    options = parser.parse_args()
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    of = prepare(options.data, options.messages, anew=options.rebuild)
    wrong = []
    for arriving in dict.fromkeys([*([] if options.only_arriving else [0]), options.arriving]):
        report = measure(of, options.draws, arriving, options.checks)
        print(f"\n{options.messages:,} messages, {arriving} a second arrive\n")
        print(table(HEADER, lines(report.rows), markdown=options.markdown))
        print("".join(f"\n{note}" for note in report.notes))
        wrong += report.wrong
    if wrong:
        raise SystemExit("\n".join(["A reading of all messages finds something else:", *wrong]))


if __name__ == "__main__":
    main()
