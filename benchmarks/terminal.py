"""The terminal as a person feels it: measured from outside, through a pseudo-terminal, against a feed.

chat-tui, the installed peers and the smallest Textual app, in turn. What is seen is found by letters that occur nowhere
else: Greek ones are typed, Cyrillic ones said. One letter is found even where only those cells are drawn that changed.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from statistics import mean, median
from typing import Final

from benchmarks import interpreter
from benchmarks.clients import OURS, PEERS, Terminal, run
from benchmarks.feed import READY
from benchmarks.figures import alone, quantile, say
from benchmarks.program import Program, clock
from benchmarks.rows import Row, short
from benchmarks.servers import workplace

KEYS: Final = "αβγδεζηθικλμνξοπρστυφχψω"
CLEAR: Final = "\x15"
"""Ctrl+U empties the input."""
PAGE_UP: Final = "\x1b[5~"
GAP: Final = 0.1
"""Seconds of silence after which a repaint has ended."""
MANY: Final = 100_000
BURST: Final = 10_000
FLOOD: Final = 1000
"""Messages a second."""
SMALLEST: Final = "smallest Textual app"

_marks = itertools.cycle("абвгдежзийклмнопрстуфхцчшщъыьэюя")

Figures = dict[str, list[float]]
"""What was measured of a program, by name: milliseconds, seconds (burst), bytes, megabytes (10^6) of memory."""
Results = dict[str, Figures]
"""By program."""


def versions() -> dict[str, str]:
    """Return what the installed peers say of themselves."""
    return {peer.name: peer.version() for peer in PEERS if peer.installed}


def measure(*, quick: bool = False) -> Results:
    """Return all figures of each program."""
    starts, keys, bursts, pages = (2, 24, 1, 5) if quick else (31, 240, 3, 30)
    programs = [OURS, *(peer for peer in PEERS if peer.installed)]
    results: Results = {name: {} for name in (*(program.name for program in programs), SMALLEST)}
    _start(programs, results, starts)
    for terminal in programs:
        figures = results[terminal.name]
        for name, rate in (("key", 0), ("flooded key", FLOOD)):
            say(f"{terminal.name}: keys at {rate} messages a second")
            with alone(), terminal.running() as program:
                figures[name] = _echoes(program, keys, rate)
        say(f"{terminal.name}: bytes")
        with alone(), terminal.running() as program:
            figures["bytes a key"], figures["bytes a message"] = _bytes(program)
        for turn in range(bursts):
            say(f"{terminal.name}: burst {turn + 1}")
            with alone(), terminal.running() as program:
                figures.setdefault("burst", []).append(_pour(program, BURST))
        say(f"{terminal.name}: {MANY:,} messages")
        with alone(), terminal.running() as program:
            figures["memory"], figures["page up"] = _many(program, pages)
    return results


def rows(results: Results) -> Iterator[Row]:
    """Yield the rows of the table."""
    ours = results[OURS.name]

    def row(what: str, figure: str, unit: str, goal: str = "", of: Callable[[list[float]], float] = median) -> Row:
        return Row(what, of(ours[figure]), unit, _beside(results, figure, of), goal=goal)

    for what, figure in (("room shown", "shown"), ("first message of the room shown", "said")):
        least = results[SMALLEST]["shown"]
        ratio = median(own / other for own, other in zip(ours[figure], least, strict=True))
        goal = "<= 1.1" if figure == "shown" else ""
        yield Row(what, median(ours[figure]), "ms", SMALLEST, median(least), ratio, goal)
        yield row(what, figure, "ms")
    yield row("idle: key to echo, p50", "key", "ms", "<= 4")
    yield row("idle: key to echo, p99", "key", "ms", "<= 10", _p99)
    yield row("1,000 messages/s: key to echo, p50", "flooded key", "ms", "<= 6")
    yield row("1,000 messages/s: key to echo, p99", "flooded key", "ms", "<= 60", _p99)
    yield row("10,000 messages at once, until the last is seen", "burst", "s", "<= 0.3")
    for peer in PEERS:
        if peer.name in results:
            own, other = median(ours["burst"]), median(results[peer.name]["burst"])
            yield Row("10,000 messages at once", own, "s", peer.name, other, own / other, "< 1")
    yield row("100,000 messages held: memory (RSS)", "memory", "MB", "<= 80")
    yield row("100,000 messages held: Page-Up until all is drawn, p50", "page up", "ms", "<= 10")
    yield row("written to the terminal for a key", "bytes a key", "bytes", "<= 400", mean)
    yield row("written to the terminal for a message", "bytes a message", "bytes", "<= 9,000", mean)


def _p99(values: list[float]) -> float:
    return quantile(values, 0.99)


def _beside(results: Results, figure: str, of: Callable[[list[float]], float]) -> str:
    peers = [peer.name for peer in PEERS if peer.name in results]
    return ", ".join(f"{name} {short(of(results[name][figure]))}" for name in peers)


def _start(programs: list[Terminal], results: Results, times: int) -> None:
    """From the start of the process to the room's name, and to its first message; the smallest app shows that name."""
    for turn in range(times + 1):
        say(f"start {turn} of {times}")
        with alone():
            for terminal in programs:
                with terminal.running(settled=False) as program:
                    shown, said = program.shown("general"), program.shown(READY)
                _note(results[terminal.name], turn, shown=shown - program.began, said=said - program.began)
            with workplace() as home, run(interpreter.python("-m", "benchmarks.smallest"), home) as program:
                shown = program.shown("general")
            _note(results[SMALLEST], turn, shown=shown - program.began)


def _note(figures: Figures, turn: int, **seconds: float) -> None:
    if turn:  # the first turn only warms the disk's cache
        for name, value in seconds.items():
            figures.setdefault(name, []).append(1000 * value)


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


def _bytes(program: Program) -> tuple[list[float], list[float]]:
    """Return what travels to the terminal, over ssh perhaps: for each of some keys, and for each of some messages."""
    assert program.feed is not None
    program.press(CLEAR)
    program.rest(0.3)
    keys = [_cost(program, program.press, key) for key in KEYS]
    program.press(CLEAR)
    program.feed.pour(80, next(_marks))  # a full screen
    program.rest(0.3)
    return keys, [_cost(program, program.feed.say, "") for _ in range(40)]


def _cost(program: Program, act: Callable[[str], object], what: str) -> float:
    """Return the bytes that the program writes for one thing."""
    before = program.bytes
    act(what)
    program.wrote()
    program.rest(0.05)
    return program.bytes - before


def _many(program: Program, pages: int) -> tuple[list[float], list[float]]:
    """Return the memory of a log that was never closed, and how long Page-Ups in it take until all is drawn."""
    for _ in range(MANY // BURST):
        _pour(program, BURST)
    program.run(1.0)
    memory, took = program.memory(), []
    for _ in range(pages):
        program.rest(GAP)
        pressed = program.press(PAGE_UP)
        program.wrote()
        program.rest(GAP)
        took.append(1000 * (program.last - pressed))
    return [memory], took


def _pour(program: Program, count: int) -> float:
    """Return the seconds from a burst to its last message on the screen."""
    assert program.feed is not None
    mark = next(_marks)
    program.feed.pour(count, mark)
    program.forget()
    began = clock()
    return program.shown(mark) - began
