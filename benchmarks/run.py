"""All figures with one command: `python3 run.py python benchmarks/run.py [fanout|terminal|all]`."""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import fanout
from benchmarks.figures import filesystem, machine, table


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description="Measure the server's fan-out and the terminal program's figures.")
    parser.add_argument("what", nargs="?", choices=("fanout", "terminal", "all"), default="all")
    parser.add_argument("--quick", action="store_true", help="one short run of each: whether it works, not how fast")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file, too")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    options = parser.parse_args()

    facts = machine() | {"disk": filesystem(fanout.disk())}
    results: dict[str, Any] = {"machine": facts, "quick": options.quick}
    print(", ".join(f"{name} {value}" for name, value in facts.items()))
    if options.what != "terminal":
        crowds = fanout.measure(quick=options.quick)
        results["fanout"] = {name: {server: asdict(of) for server, of in by.items()} for name, by in crowds.items()}
        _print(fanout.TALK, fanout.talk_rows(crowds), markdown=options.markdown)
        _print(fanout.ENTRY, fanout.entry_rows(crowds), markdown=options.markdown)
    if options.what != "fanout":
        try:
            from benchmarks import terminal
        except ImportError as error:
            raise SystemExit("The terminal's figures need pseudo-terminals: Linux or macOS.") from error
        figures = terminal.measure(quick=options.quick)
        results["terminal"] = [asdict(figure) for figure in figures]
        _print(terminal.HEADER, terminal.rows(figures), markdown=options.markdown)
    if options.json:
        options.json.write_text(json.dumps(_rounded(results), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _print(header: Sequence[str], rows: Iterable[Sequence[str]], *, markdown: bool) -> None:
    print("\n" + table(header, rows, markdown=markdown), flush=True)


def _rounded(value: Any) -> Any:  # noqa: ANN401 - anything that JSON knows
    """Return figures with as many digits as mean something."""
    match value:
        case float():
            return float(f"{value:.4g}")
        case dict():
            return {name: _rounded(inner) for name, inner in value.items()}
        case list():
            return [_rounded(inner) for inner in value]
        case _:
            return value


if __name__ == "__main__":
    main()
