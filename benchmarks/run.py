"""All figures with one command: `python3 run.py python benchmarks/run.py [fanout|terminal|history]`."""

import argparse
import os
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import report
from benchmarks.figures import alone, disk, filesystem, machine, table
from benchmarks.rows import HEADER, Row, lines

PARTS = ("fanout", "terminal", "history")
ARRIVING = 500
"""Messages a second, while the history is read."""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="Measure chat-server and chat-tui beside their peers, in one table.")
    parser.add_argument("what", nargs="?", choices=PARTS, help="only this part")
    parser.add_argument("--quick", action="store_true", help="one short run of each: whether it works, not how fast")
    parser.add_argument("--only", default="", metavar="NAMES", help="these scenarios of fanout.py, separated by commas")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file, too")
    parser.add_argument("--write", action="store_true", help="write table and plot into docs/performance.md and .svg")
    parser.add_argument("--messages", type=int, default=10_000_000, help="of history (default: %(default)s)")
    parser.add_argument(
        "--data",
        type=Path,
        default=disk() / f"chat-history-{os.getuid()}",
        help="where that history is kept; it is made once, which takes a while (default: %(default)s)",
    )
    options = parser.parse_args()

    facts = machine() | {"disk": filesystem(disk())}
    figures: dict[str, Any] = {"quick": options.quick}
    notes: list[str] = []
    rows: list[Row] = []
    for part in PARTS if options.what is None else (options.what,):
        try:
            measured = MEASURES[part](options, facts, notes)
        except ImportError as error:
            notes.append(f"{part} is left out: it needs pseudo-terminals and sockets of Linux or macOS ({error})")
            continue
        figures[part], more = measured
        rows += more
    print("\n" + "\n".join(f"{name}: {value}" for name, value in facts.items()) + "\n")
    print(table(HEADER, lines(rows)))
    print("".join(f"\n{note}" for note in notes))
    if options.json:
        report.keep(options.json, facts, figures, rows)
    if options.write:
        report.write(facts, figures, rows, notes)


def _fanout(options: argparse.Namespace, facts: dict[str, str], notes: list[str]) -> tuple[Any, list[Row]]:
    from benchmarks import building, fanout

    if why := building.missing():
        notes.append(f"fanout is left out: {why}")
        return {}, []
    if not building.load()[1]:
        notes.append("the rows of TLS are left out: OpenSSL's headers are not installed")
    facts |= fanout.versions()
    results = fanout.measure(quick=options.quick, only=tuple(filter(None, options.only.split(","))))
    return results, list(fanout.rows(results))


def _terminal(options: argparse.Namespace, facts: dict[str, str], _notes: list[str]) -> tuple[Any, list[Row]]:
    from benchmarks import terminal

    facts |= terminal.versions()
    results = terminal.measure(quick=options.quick)
    return results, list(terminal.rows(results))


def _history(options: argparse.Namespace, _facts: dict[str, str], notes: list[str]) -> tuple[Any, list[Row]]:
    from benchmarks import history

    messages = 100_000 if options.quick else options.messages
    of = history.prepare(options.data, messages)
    with alone():
        starting = history.measure(of, draws=1, checks=0)
    with alone():
        asked = history.measure(of, draws=10 if options.quick else 100, arriving=ARRIVING)
    notes += asked.notes
    starts = [row for row in starting.rows if row.goal == history.START_GOAL]
    titled = [(f"{messages:,} messages", row) for row in starts]
    titled += [(f"{messages:,} messages, {ARRIVING} a second arrive", row) for row in asked.rows]
    return msgspec.to_builtins([*starts, *asked.rows]), [
        Row(f"{title}: {row.what}, p95", row.p95, "ms", goal=f"<= {row.goal:g}") for title, row in titled
    ]


MEASURES = {"fanout": _fanout, "terminal": _terminal, "history": _history}


if __name__ == "__main__":
    main()
