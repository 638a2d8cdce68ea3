"""Where figures are kept: a JSON file, and docs/performance.md with its plot."""

import json
from html import escape
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.figures import table
from benchmarks.rows import HEADER, Row, lines, short

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- figures: benchmarks/run.py --write -->", "<!-- end of figures -->"
PLOTTED: Final = {
    "busy": "1 room x 1,000, 100 send",
    "rooms": "100 rooms x 10, all send",
    "single": "1 room x 1,000, one at a time",
}
"""Scenarios, of which the deliveries per CPU second are drawn."""
_WIDTH, _NAME, _BAR, _LINE, _HEAD = 720, 120, 500, 22, 34


def keep(path: Path, facts: dict[str, str], figures: dict[str, Any], rows: list[Row]) -> None:
    """Write all figures of all runs."""
    table_ = [dict(zip(HEADER, row.cells(), strict=True)) for row in rows]
    whole = {"machine": facts, "table": table_, "figures": _rounded(figures)}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write(facts: dict[str, str], figures: dict[str, Any], rows: list[Row], notes: list[str]) -> None:
    """Put the table between the markers of docs/performance.md, and draw the plot beside it."""
    page = DOCS / "performance.md"
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} has no place for figures: {BEGIN} … {END}")
    where = "; ".join(f"{name} {value}" for name, value in facts.items() if value)
    parts = [where, table(HEADER, lines(rows), markdown=True), *notes]
    if any(name in figures.get("fanout", {}) for name in PLOTTED):
        (DOCS / "performance.svg").write_text(plot(figures["fanout"]), encoding="utf-8")
        parts.insert(0, "![Deliveries per second of the server's processor time](performance.svg)")
    page.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}", encoding="utf-8")


def plot(results: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    """Return a drawing of the deliveries per CPU second, a bar a server."""
    drawn, y = [], 0
    for scenario, title in PLOTTED.items():
        if scenario not in results:
            continue
        values = {name: median(run["per_cpu_second"] for run in runs) for name, runs in results[scenario].items()}
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
