"""All figures with one command: `python3 run.py python benchmarks/run.py`, or one part of them."""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from benchmarks import interpreter, report
from benchmarks.figures import alone, disk, filesystem, machine, say, table
from benchmarks.report import Part
from benchmarks.rows import HEADER, Row, lines

ARRIVING: Final = 500
"""Messages a second, while the history is read."""


def main() -> None:
    """Measure, and print the table."""
    options = _options()
    if options.python:
        os.environ[interpreter.VARIABLE] = str(options.python.absolute())
    common = machine() | {"disk": filesystem(disk())}
    parts: list[Part] = []
    for name in MEASURES if options.what is None else (options.what,):
        begun = time.monotonic()
        try:
            part = MEASURES[name](options)
        except ImportError as error:
            say(f"{name} is left out: it needs pseudo-terminals and sockets of Linux or macOS ({error})")
            continue
        part.facts = common | part.facts | {"took": f"{(time.monotonic() - begun) / 60:.0f} minutes"}
        parts.append(part)
        if options.write:
            report.write(part)
    for part in parts:
        print(f"\n{report.where(part)}\n")
        print(table(HEADER, lines(part.rows)))
        print("".join(f"\n{note}" for note in part.notes))
    if options.json:
        report.keep(options.json, parts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure chat-server and chat-tui beside their peers, in one table.")
    add = parser.add_argument
    add("what", nargs="?", choices=MEASURES, help="only this part")
    add("--quick", action="store_true", help="one short run of each: whether it works, not how fast")
    add("--only", default="", metavar="NAMES", help="these scenarios of scenarios.py, separated by commas")
    add("--python", type=Path, metavar="PATH", help="the interpreter that runs chat-server and chat-tui")
    add("--json", type=Path, metavar="FILE", help="write all figures to a file, too")
    add("--write", action="store_true", help="put the table of each part in its place in docs/performance.md")
    add("--messages", type=int, default=10_000_000, help="of history (default: %(default)s)")
    add("--minutes", type=float, default=10, help="of growth (default: %(default)s)")
    add(
        "--data",
        type=Path,
        default=disk() / f"chat-past-{os.getuid()}",
        help="where that history is kept; it is made once, which takes a while (default: %(default)s)",
    )
    options = parser.parse_args()
    if options.write and (options.quick or options.only):
        parser.error("--write is for whole parts, measured at length")
    return options


def _clients(name: str, options: argparse.Namespace) -> Part:
    """Measure the server among many clients, in the scenarios of a part."""
    from benchmarks import building, fanout, scenarios

    if why := building.missing():
        return Part(name, notes=[f"{name} is left out: {why}"])
    notes = [] if building.load()[1] else ["the rows of TLS are left out: OpenSSL's headers are not installed"]
    only = tuple(filter(None, options.only.split(",")))
    measured = [scenario for scenario in scenarios.PARTS[name] if not only or scenario.name in only]
    peers = {peer for scenario in measured for peer in scenario.peers if peer.installed}
    results = fanout.measure(measured, notes, quick=options.quick)
    facts = {peer.name: peer.version() for peer in sorted(peers, key=lambda peer: peer.name) if peer.program}
    return Part(name, list(fanout.rows(results)), facts, results, notes)


def _fanout(options: argparse.Namespace) -> Part:
    return _clients("fanout", options)


def _crowds(options: argparse.Namespace) -> Part:
    return _clients("crowds", options)


def _terminal(options: argparse.Namespace) -> Part:
    from benchmarks import terminal

    results = terminal.measure(quick=options.quick)
    return Part("terminal", list(terminal.rows(results)), terminal.versions(), results)


def _history(options: argparse.Namespace) -> Part:
    from benchmarks import history

    messages = 100_000 if options.quick else options.messages
    of = history.prepare(options.data, messages)
    with alone():
        starting = history.measure(of, draws=1, checks=0)
    with alone():
        asked = history.measure(of, draws=10 if options.quick else 100, arriving=ARRIVING)
    starts = [row for row in starting.rows if row.goal == history.START_GOAL]
    titled = [(f"{messages:,} messages", row) for row in starts]
    titled += [(f"{messages:,} messages, {ARRIVING} a second arrive", row) for row in asked.rows]
    rows = [Row(f"{title}: {row.what}, p95", row.p95, "ms", goal=f"<= {row.goal:g}") for title, row in titled]
    return Part("history", rows, figures=msgspec.to_builtins([*starts, *asked.rows]), notes=asked.notes)


def _growth(options: argparse.Namespace) -> Part:
    from benchmarks import growth

    results = growth.measure(0.5 if options.quick else options.minutes)
    return Part("growth", list(results.rows()), figures=msgspec.to_builtins(results), notes=results.notes())


MEASURES: Final[dict[str, Callable[[argparse.Namespace], Part]]] = {
    "fanout": _fanout,
    "crowds": _crowds,
    "terminal": _terminal,
    "history": _history,
    "growth": _growth,
}


if __name__ == "__main__":
    main()
