"""Where figures are kept: a JSON file, and docs/performance.md with its plot."""

import json
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.figures import table
from benchmarks.rows import HEADER, Row, lines, short

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
PLOTTED: Final = {
    "busy": "1 room x 1,000, 100 send",
    "rooms": "100 rooms x 10, all send",
    "single": "1 room x 1,000, one at a time",
}
"""Scenarios, of which the deliveries per CPU second are drawn."""
_WIDTH, _NAME, _BAR, _LINE, _HEAD = 720, 120, 500, 22, 34


@dataclass
class Part:
    """What one run of a part showed."""

    name: str
    rows: list[Row] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    """What figures depend on besides the program."""
    figures: Any = None
    """All figures of all runs, as JSON knows them."""
    notes: list[str] = field(default_factory=list)
    """What stands below the table."""


def where(part: Part) -> str:
    """Return a line of what was measured, when and on what."""
    return "; ".join(f"{name} {value}" for name, value in part.facts.items() if value)


def keep(path: Path, parts: list[Part]) -> None:
    """Write all figures of all runs."""
    whole = {
        part.name: {
            "machine": part.facts,
            "table": [dict(zip(HEADER, row.cells(), strict=True)) for row in part.rows],
            "figures": _rounded(part.figures),
            "notes": part.notes,
        }
        for part in parts
    }
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write(part: Part) -> None:
    """Put a part between its markers in docs/performance.md, and draw the plot beside it; other parts stay.

    Raises:
        SystemExit: the page has no such place.
    """
    page = DOCS / "performance.md"
    opening, closing = f"<!-- {part.name}: benchmarks/run.py {part.name} --write -->", f"<!-- end of {part.name} -->"
    before, begin, rest = page.read_text(encoding="utf-8").partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end:
        raise SystemExit(f"{page} has no place for these figures: {opening} … {closing}")
    said = [where(part), table(HEADER, lines(part.rows), markdown=True), "\n".join(f"- {note}" for note in part.notes)]
    if part.name == "fanout" and part.figures:
        (DOCS / "performance.svg").write_text(plot(part.figures), encoding="utf-8")
        said.insert(0, "![Deliveries per second of the server's processor time](performance.svg)")
    page.write_text(f"{before}{begin}\n\n" + "\n\n".join(filter(None, said)) + f"\n\n{end}{after}", encoding="utf-8")


def plot(results: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    """Return a drawing of the deliveries per CPU second, a bar a server."""
    drawn, y = [], 0
    for scenario, title in PLOTTED.items():
        if scenario not in results:
            continue
        values = {
            name: median(run["per_cpu_second"] for run in runs) for name, runs in results[scenario].items() if runs
        }
        most = max(values.values()) or 1.0
        y += _HEAD
        drawn.append(f'<text x="{_NAME}" y="{y - 9}" class="title">{escape(title)}</text>')
        for name, value in sorted(values.items(), key=lambda item: -item[1]):
            kind = "ours" if name == "chat-server" else "ceiling" if name == "ceiling" else "peer"
            length = value / most * _BAR
            drawn += [
                f'<text x="{_NAME - 8}" y="{y + 14}" class="name">{escape(name)}</text>',
                f'<rect x="{_NAME}" y="{y + 3}" width="{length:.1f}" height="{_LINE - 6}" class="{kind}"/>',
                f'<text x="{_NAME + length + 6:.1f}" y="{y + 14}">{short(value)}</text>',
            ]
            y += _LINE
    style = (
        "text{font:12px sans-serif;fill:#888}.title{font-weight:bold}.name{text-anchor:end}"
        ".ours{fill:#2a7f62}.ceiling{fill:#bbb}.peer{fill:#7a92b0}"
    )
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y + 8}" role="img">'
    title = "<title>Deliveries per second of the server's processor time</title>"
    return "\n".join([opening, title, f"<style>{style}</style>", *drawn, "</svg>\n"])


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
