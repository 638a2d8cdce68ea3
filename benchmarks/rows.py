"""The one table that all figures stand in."""

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

HEADER: Final = ("what", "ours", "beside it", "ratio", "goal", "met")
_COMPARED: Final = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt}


@dataclass(frozen=True)
class Row:
    """A figure of ours, what it stands beside, and what it should be."""

    what: str
    ours: float
    unit: str = ""
    beside: str = ""
    """What it is compared with; empty where it stands alone."""
    other: float | None = None
    """That one's figure."""
    ratio: float | None = None
    """Of ours to that: the median over runs of neighbours, so it need not be that of the two figures."""
    goal: str = ""
    """Like `<= 4`: of the ratio where there is one and `absolute` is not set, else of ours. Empty: just to be known."""
    absolute: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if not self.goal:
            return None
        sign, _, bound = self.goal.partition(" ")
        judged = self.ours if self.ratio is None or self.absolute else self.ratio
        return bool(_COMPARED[sign](judged, float(bound.replace(",", ""))))

    def cells(self) -> list[str]:
        """Return the line of the table."""
        beside = f"{self.beside} {short(self.other)}" if self.other is not None else self.beside
        goal = self.goal
        if goal:
            goal += f" {self.unit}".rstrip() if self.ratio is None or self.absolute else " x"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        met = {None: "", True: "yes", False: "**no**"}[self.met]
        return [self.what, f"{short(self.ours)} {self.unit}".strip(), beside, ratio, goal, met]


def short(value: float | None) -> str:
    """Return a figure with as many digits as mean something."""
    if value is None:
        return ""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.2f} M"
    if size >= 1e4:
        return f"{value / 1e3:.0f} k"
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size else "0"


def lines(rows: Iterable[Row]) -> Iterator[list[str]]:
    """Yield the lines of the table; `HEADER` names their columns."""
    return (row.cells() for row in rows)
