"""The sidebar: who is here."""

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from chat_tui.state.people import People
from chat_tui.themes import nick_color
from chat_tui.widgets.log_grid import fit


class Sidebar(Widget):
    """The names in a room, me first, with their count. Only the rows that are seen are drawn.

    Rows: a blank one, the count, a blank one, then a name each.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"sidebar--title", "sidebar--quiet", "sidebar--me"}

    def __init__(self, people: People, *, id: str | None = None) -> None:
        """Show `people`."""
        super().__init__(id=id)
        self._people = people
        self._me = ""
        self._names: list[str] = []
        self._top = 0

    def update(self, me: str) -> None:
        """Show the names as they are now."""
        self._me = me
        self._names = self._people.ordered(me)
        self._scroll(0)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show names further down."""
        self._scroll(3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Show names further up."""
        self._scroll(-3)
        event.stop()

    def on_resize(self) -> None:
        """Leave no room unused."""
        self._scroll(0)

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        width, plain = self.size.width, self.rich_style
        if y == 1:
            title = plain + self.get_component_rich_style("sidebar--title")
            words = f"  Online · {len(self._names)}" if self._names else "  People"
            return Strip([Segment(words, title)]).adjust_cell_length(width, plain)
        index = self._top + y - 3
        if y < 3 or index >= len(self._names):
            return Strip.blank(width, plain)
        quiet = plain + self.get_component_rich_style("sidebar--quiet")
        below = len(self._names) - index - 1
        if y == self.size.height - 1 and below:
            return Strip([Segment(f"  and {below + 1} more ↓", quiet)]).adjust_cell_length(width, plain)
        return Strip(self._row(self._names[index], width)).adjust_cell_length(width, plain)

    def _row(self, name: str, width: int) -> list[Segment]:
        plain = self.rich_style
        if name == self._me:
            style = plain + self.get_component_rich_style("sidebar--me")
            shown = fit(name, width - 9)
            you = plain + self.get_component_rich_style("sidebar--quiet")
            return [Segment("  " + shown, style), Segment("  you", you)]
        color = nick_color(name, self.background_colors[1], self.app.current_theme.dark)
        return [Segment("  " + fit(name, width - 3), plain + Style(color=color.rich_color))]

    def _scroll(self, rows: int) -> None:
        hidden = len(self._names) - max(1, self.size.height - 3)
        self._top = max(0, min(self._top + rows, hidden))
        self.refresh()
