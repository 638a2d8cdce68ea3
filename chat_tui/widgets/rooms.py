"""The sidebar at the left: the rooms, and what is new in them."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message

from chat_tui.state.rooms import Room
from chat_tui.state.unread import UNREAD
from chat_tui.widgets.log_grid import fit
from chat_tui.widgets.sidebar import Sidebar

HERE, AWAY, GONE = "●", "○", "·"
"""How someone stands: told apart without colours, too."""


class Row(NamedTuple):
    """A room, as its row says it."""

    handle: str
    mark: str
    label: str
    news: str
    """How much is new; with @ where it names me."""
    current: bool = False
    loud: bool = False
    """Something is new there, and wants to be told."""
    quiet: bool = False
    """Muted, or closed."""


class RoomsBar(Sidebar[Row]):
    """The rooms, in the order that Alt+Up and Alt+Down walk. A click goes to one."""

    COMPONENT_CLASSES = {"rooms--current", "rooms--loud", "rooms--mention", "rooms--here"}

    class Picked(Message):
        """Somebody wants to go to a room."""

        def __init__(self, handle: str) -> None:
            super().__init__()
            self.handle = handle

    def update(self, rooms: Sequence[Room], current: Room, me: str) -> None:
        """Show how the rooms stand now."""
        rows = [row_of(room, me, current=room is current) for room in rooms]
        see = next((index for index, row in enumerate(rows) if row.current), None)
        self.put("Rooms", rows, see=see)

    def draw(self, row: Row, width: int) -> list[Segment]:
        """Draw a row: its mark, what it is called, what is new."""
        plain = self.rich_style
        style = self._style(row)
        mark = style
        if row.mark == HERE:
            mark += Style(color=self.get_component_rich_style("rooms--here").color)
        news = style + self.get_component_rich_style("rooms--mention") if "@" in row.news else style
        label = fit(row.label, width - 6 - cell_len(row.news))
        gap = width - 5 - cell_len(label) - cell_len(row.news)
        return [
            Segment("▌ " if row.current else "  ", style),
            Segment(f"{row.mark} ", mark),
            Segment(label + " " * gap, style),
            Segment(row.news, news),
            Segment(" ", style if row.current else plain),
        ]

    def on_click(self, event: events.Click) -> None:
        """Go to the room that was clicked."""
        row = self.row_at(event.y)
        if row is not None:
            self.post_message(self.Picked(row.handle))

    def _style(self, row: Row) -> Style:
        style = self.rich_style
        if row.loud:
            style += self.get_component_rich_style("rooms--loud")
        elif row.quiet:
            style += self.get_component_rich_style("sidebar--quiet")
        if row.current:
            style += self.get_component_rich_style("rooms--current")
        return style


def row_of(room: Room, me: str, *, current: bool = False) -> Row:
    """Return a room as its row says it."""
    label = room.label(me)
    if not room.member:
        return Row(room.handle, "+", label, "invited", current, loud=True)
    silent = room.muted or room.archived
    return Row(room.handle, mark_of(room, me), label, news_of(room), current, bool(room.news[0]), silent)


def news_of(room: Room) -> str:
    """Return how much is new in a room: `3`, or `@1` where it names me; nothing where I want to be told of nothing."""
    if room.muted or room.level == "none":
        return ""
    if room.mentions:
        return f"@{_count(room.mentions)}"
    return _count(room.unread) if room.unread else ""


def mark_of(room: Room, me: str) -> str:
    """Return the mark of a room: how the other stands where it is a direct one."""
    if room.kind != "direct":
        return "#"
    others = [name for _, name in room.people_in if name != me]
    if len(others) != 1:
        return "&"
    if others[0] not in room.people.names:
        return GONE
    return AWAY if others[0] in room.people.away else HERE


def _count(number: int) -> str:
    return str(number) if number < UNREAD else f"{UNREAD - 1}+"
