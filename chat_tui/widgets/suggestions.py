"""The commands that fit what is being written, floating above the composer."""

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from chat_tui.commands import Command


class Suggestions(Widget):
    """A list to look at: Tab in the composer completes."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Suggestions {
        layer: above;
        dock: bottom;
        width: auto;
        height: auto;
        max-width: 100%;
        margin: 0 0 2 2;
        padding: 0 1;
        border: round $foreground 30%;
        background: $surface;
        color: $foreground;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self.display = False
        self._commands: Sequence[Command] = ()

    def update(self, commands: Sequence[Command]) -> None:
        """Show commands; none hides the list."""
        if commands != self._commands:
            self._commands = commands
            self.display = bool(commands)
            self.refresh(layout=True)

    def render(self) -> Content:
        """Draw a line for each."""
        narrow = self.screen.size.width < 60
        return Content("\n").join([_line(command, narrow=narrow) for command in self._commands])


def _line(command: Command, *, narrow: bool) -> Content:
    name = f"/{command.name} "
    args = (command.args if not narrow else "").ljust((20 if not narrow else 7) - len(name))
    what = command.help if not narrow else command.short
    return Content.assemble((name, "bold"), args, " ", (what, "$foreground 70%"))
