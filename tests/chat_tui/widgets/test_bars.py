"""The line above the log."""

import pytest
from textual.app import App, ComposeResult

from chat_tui.widgets.bars import TopLine


class Bar(App[None]):
    """The line alone."""

    CSS_PATH = "../../../chat_tui/styles/chat.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.line = TopLine("# plans of the week")

    def compose(self) -> ComposeResult:
        """Show it."""
        yield self.line


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (100, "  # plans of the week   soup at noon     @1  3 unread  1 invitation  ● chat.lab.example:7373"),
        (60, "  # plans of the week   @1  3 unread  1 invitation  ●"),
        (40, "  # plans of the week    @1  3 unread  ●"),
        (30, "  # plans of the week  @1  ●"),
        (20, "  # plans of the…"),
    ],
)
async def test_what_does_not_fit_is_left_out_the_connection_last(width: int, shown: str) -> None:
    """However much is new, it is seen whether one is connected."""
    app = Bar()
    async with app.run_test(size=(width, 3)) as pilot:
        app.line.where("# plans of the week", "soup at noon")
        app.line.update(("● chat.lab.example:7373", "●"), "good", ("@1", "3 unread", "1 invitation"))
        await pilot.pause()
        assert app.line.render_line(0).text.split() == shown.split()
