"""The sidebar at the right: who is here."""

from collections.abc import Collection
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from chat_tui.state.people import People
from chat_tui.themes import nick_color
from chat_tui.widgets.log_grid import fit
from chat_tui.widgets.sidebar import Sidebar

_SAID = 9
"""Cells that what is said beside a name has at least."""


class Someone(NamedTuple):
    """A row."""

    name: str
    mine: bool
    away: bool
    said: str
    """What stands beside the name."""


class PeopleBar(Sidebar[Someone]):
    """The names in a room, me first, with their count."""

    COMPONENT_CLASSES = {"sidebar--me"}

    def update(self, people: People, me: str, writing: Collection[str] = (), role: str = "") -> None:
        """Show who is here now, who of them is writing, and what `role` I have here, where that is to be said."""
        rows = [_row(people, name, me, writing, role) for name in people.ordered(me)]
        self.put(f"Online · {len(rows)}" if rows else "People", rows)

    def draw(self, row: Someone, width: int) -> list[Segment]:
        """Draw a name. It is cut only after what is said beside it has been."""
        plain = self.rich_style
        quiet = plain + self.get_component_rich_style("sidebar--quiet")
        if row.mine:
            style = plain + self.get_component_rich_style("sidebar--me")
        elif row.away:
            style = quiet
        else:
            color = nick_color(row.name, self.background_colors[1], self.app.current_theme.dark)
            style = plain + Style(color=color.rich_color)
        said = f"  {row.said}" if row.said else ""
        said = fit(said, max(width - 3 - cell_len(row.name), min(cell_len(said), _SAID))) if said else ""
        return [Segment("  " + fit(row.name, width - 3 - cell_len(said)), style), Segment(said, quiet)]


def _row(people: People, name: str, me: str, writing: Collection[str], role: str) -> Someone:
    away = people.away.get(name)
    state = "writing" if name in writing else away or "away" if away is not None else ""
    mine = ("you", role) if name == me else ()
    said = " · ".join(words for words in (*mine, state) if words)
    return Someone(name, name == me, away is not None, said)
