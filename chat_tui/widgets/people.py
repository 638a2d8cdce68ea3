"""The sidebar at the right: who is here."""

from collections.abc import Collection
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message

from chat_tui.state.people import People
from chat_tui.themes import nick_color
from chat_tui.widgets.log_grid import fit
from chat_tui.widgets.sidebar import Sidebar

_SAID = 9
"""Cells that what is said beside a name has at least."""
_MODERATES = "✦ "


class Someone(NamedTuple):
    """A row."""

    name: str
    mine: bool
    away: bool
    moderates: bool
    said: tuple[str, ...]
    """What stands beside the name, the longest first."""


class PeopleBar(Sidebar[Someone]):
    """The names in a room, me first, with their count. Who moderates follows, with a mark.

    Of a crowd it shows who is known; a click on the number of the others asks for them.
    """

    COMPONENT_CLASSES = {"sidebar--me"}

    class Wanted(Message):
        """Somebody wants to see all who are here."""

    def update(self, people: People, me: str, writing: Collection[str] = (), spoke: Collection[str] = ()) -> None:
        """Show who is here now, and who of them is writing; of a crowd first those who `spoke`."""
        rows = [_row(people, name, me, writing) for name in people.ordered(me, spoke)]
        self.put(f"Online · {len(people):,}" if rows else "People", rows, unlisted=people.unknown)

    def on_click(self, event: events.Click) -> None:
        """Ask for those who are not seen."""
        if self.counts(event.y):
            self.post_message(self.Wanted())

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
        left = width - 3 - cell_len(row.name)
        words = next((words for words in row.said if cell_len(words) + 2 <= left), row.said[-1])
        said = f"  {words}" if words else ""
        said = fit(said, max(left, min(cell_len(said), _SAID))) if said else ""
        name = fit(row.name, width - 3 - cell_len(said))
        if row.moderates:
            return [Segment(_MODERATES, quiet), Segment(name, style), Segment(said, quiet)]
        return [Segment(f"  {name}", style), Segment(said, quiet)]


def _row(people: People, name: str, me: str, writing: Collection[str]) -> Someone:
    away = people.away.get(name)
    state = "writing" if name in writing else away or "away" if away is not None else ""
    role = people.roles.get(name, "")
    mine = "you" if name == me else ""
    said = tuple(" · ".join(filter(None, words)) for words in ((mine, role, state), (mine, state)))
    return Someone(name, name == me, away is not None, bool(role), said)
