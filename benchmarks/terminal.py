"""The terminal as a person feels it: measured from outside, through a pseudo-terminal, against a feed.

What is seen is found by letters that occur nowhere else: Greek ones are typed, Cyrillic ones said. One letter is found
even where only those cells are drawn that have changed.
"""

import itertools
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean, median

from benchmarks.feed import Feed
from benchmarks.figures import quantile, say
from benchmarks.program import Program, clock

KEYS = "αβγδεζηθικλμνξοπρστυφχψω"
CLEAR = "\x15"
"""Ctrl+U empties the input."""
PAGE_UP = "\x1b[5~"
GAP = 0.1
"""Seconds of silence after which a repaint has ended."""
MANY, BURST = 100_000, 10_000

_marks = itertools.cycle("абвгдежзийклмнопрстуфхцчшщъыьэюя")


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    unit: str
    p50: float
    p99: float | None = None
    """None where it was measured once, or as a mean."""
    goal: float | None = None
    """For `p50`: what issue 2 asks for, at most."""


def measure(*, quick: bool = False) -> list[Figure]:
    """Return all figures."""
    starts, keys = (4, 48) if quick else (12, 240)
    figures = [*_start(starts)]
    for rate, goal in ((0, None), (1000, 30.0)):
        say(f"terminal: keys at {rate} messages a second")
        with _chat() as program:
            name = f"key to echo, {rate:,} messages/s" if rate else "key to echo, idle"
            figures.append(_spread(name, "ms", _echoes(program, keys, rate), goal))
    say("terminal: bytes")
    with _chat() as program:
        figures += _bytes(program)
    say("terminal: a burst")
    bursts = []
    for _ in range(1 if quick else 3):
        with _chat() as program:
            bursts.append(_pour(program, BURST))
    figures.append(Figure(f"burst of {BURST:,} messages until the last is seen", "s", quantile(bursts, 0.5)))
    say(f"terminal: {MANY:,} messages")
    with _chat() as program:
        figures += _many(program)
    return figures


def rows(figures: list[Figure]) -> Iterator[list[str]]:
    """Yield the lines of the table; `HEADER` names their columns."""
    for figure in figures:
        goal = "" if figure.goal is None else f"<= {figure.goal:g}"
        yield [figure.name, _text(figure.p50), _text(figure.p99), figure.unit, goal]


HEADER = ("terminal, 120 x 40", "p50", "p99", "unit", "goal")


def _start(times: int) -> Iterator[Figure]:
    """From the start of the process to the first paint, in turn with the smallest app, and to the first message."""
    smallest, ours, room = [], [], []
    for turn in range(times + 1):
        say(f"terminal: start {turn} of {times}")
        with _running([sys.executable, "-m", "benchmarks.smallest"], None) as program:
            paint = program.shown("general") - program.began
        with _chat(settled=False) as program:
            own_paint = program.shown("general") - program.began
            own_room = program.shown("Ready.") - program.began
        if turn:  # the first turn only warms the disk's cache
            smallest.append(1000 * paint)
            ours.append(1000 * own_paint)
            room.append(1000 * own_room)
    yield _spread("first paint of the smallest Textual app", "ms", smallest)
    yield _spread("first paint", "ms", ours)
    ratios = [own / least for own, least in zip(ours, smallest, strict=True)]  # of neighbours: machines have moods
    yield Figure("first paint / smallest", "", median(ratios), goal=1.15)
    yield _spread("first message of the room on the screen", "ms", room)


def _echoes(program: Program, count: int, rate: float) -> list[float]:
    """Return the milliseconds from each of many keys to its echo."""
    assert program.feed is not None
    dice, echoes = random.Random(1), []
    program.feed.talk(rate)
    program.run(1.0 if rate else 0.0)
    for number in range(count):
        if number % len(KEYS) == 0:
            program.press(CLEAR)
            program.run(0.15)
        program.run(dice.uniform(0.02, 0.06))
        key = KEYS[number % len(KEYS)]
        pressed = program.press(key)
        echoes.append(1000 * (program.shown(key) - pressed))
    program.feed.talk(0)
    return echoes


def _bytes(program: Program) -> Iterator[Figure]:
    """What travels to the terminal, over ssh perhaps."""
    assert program.feed is not None
    program.press(CLEAR)
    program.rest(0.3)
    yield Figure("written per key", "bytes", mean(_cost(program, program.press, key) for key in KEYS))
    program.press(CLEAR)
    program.feed.pour(80, next(_marks))  # a full screen
    program.rest(0.3)
    yield Figure("written per message", "bytes", mean(_cost(program, program.feed.say, "") for _ in range(40)))


def _cost(program: Program, act: Callable[[str], object], what: str) -> int:
    """Return the bytes that the program writes for one thing."""
    before = program.bytes
    act(what)
    program.wrote()
    program.rest(0.05)
    return program.bytes - before


def _many(program: Program) -> Iterator[Figure]:
    """What a log that was never closed costs."""
    yield Figure("memory at the start (RSS)", "MB", program.memory())
    for _ in range(MANY // BURST):
        _pour(program, BURST)
    program.run(1.0)
    yield Figure(f"memory at {MANY:,} messages (RSS)", "MB", program.memory(), goal=100)
    pages = []
    for _ in range(30):
        program.rest(GAP)
        pressed = program.press(PAGE_UP)
        program.wrote()
        program.rest(GAP)
        pages.append(1000 * (program.last - pressed))
    yield _spread(f"Page-Up at {MANY:,} messages until all is drawn", "ms", pages)


def _pour(program: Program, count: int) -> float:
    """Return the seconds from a burst to its last message on the screen."""
    assert program.feed is not None
    mark = next(_marks)
    program.feed.pour(count, mark)
    program.forget()
    began = clock()
    return program.shown(mark) - began


@contextmanager
def _chat(*, settled: bool = True) -> Iterator[Program]:
    """Run the chat against a feed, by default until the room stands and nothing moves."""
    feed = Feed()
    command = [sys.executable, "-m", "chat_tui.cli", "--name", "alice", "--host", "127.0.0.1", "--port", str(feed.port)]
    with _running(command, feed) as program:
        if settled:
            program.shown("Ready.")
            program.rest(0.4)
        yield program


@contextmanager
def _running(command: list[str], feed: Feed | None) -> Iterator[Program]:
    """Run a program in an empty home."""
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as home:
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "VIRTUAL_ENV")}
        environment = {**kept, "HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        program = Program(command, environment, feed)
        try:
            yield program
        finally:
            program.close()


def _spread(name: str, unit: str, values: list[float], goal: float | None = None) -> Figure:
    return Figure(name, unit, quantile(values, 0.5), quantile(values, 0.99), goal)


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
