"""What a key makes the terminal draw, and when."""

from types import SimpleNamespace
from typing import Any

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from chat_tui.themes import THEMES
from chat_tui.widgets.at_once import paint
from chat_tui.widgets.composer import Composer
from chat_tui.widgets.still import Still


class Sign(Still):
    """Says something, and counts how often it is asked what."""

    DEFAULT_CSS = "Sign { height: 1; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self.text, self.asked = "open", 0

    def render_line(self, y: int) -> Strip:
        """Say it."""
        self.asked += 1
        return Strip([Segment(self.text.ljust(self.size.width), self.rich_style)])


class Shop(App[None]):
    """A sign and a composer; notes in which order things happen."""

    CSS = "Composer { height: auto; }"

    def __init__(self) -> None:
        super().__init__()
        self.sign, self.composer = Sign(), Composer(lambda _: "")
        self.events: list[str] = []
        for theme in THEMES:
            self.register_theme(theme)

    def compose(self) -> ComposeResult:
        """Stand one above the other."""
        yield self.sign
        yield self.composer

    def post_display_hook(self) -> None:
        """Note that something was painted, and how far the text is by then."""
        self.events.append(f"painted {self.composer.text}")

    def on_composer_edited(self, message: Composer.Edited) -> None:
        """Note that it is told."""
        self.events.append(f"told {message.text}")

    def row(self, widget: Still | Composer) -> str:
        """Return what stands in the first row of a widget."""
        return self.screen._compositor.render_strips(self.size)[widget.region.y].text.strip()


async def test_a_key_is_painted_before_it_is_told() -> None:
    """Whatever it leads to comes after its echo."""
    async with Shop().run_test() as pilot:
        app: Any = pilot.app
        await pilot.pause()
        for key in "ab":
            app.events.clear()
            app.composer._painted = 0.0  # long ago
            await pilot.press(key)
            assert [event.split()[0] for event in app.events[:2]] == ["painted", "told"]
        assert app.row(app.composer) == "❯ ab"


async def test_keys_of_a_text_are_painted_together() -> None:
    """A text that comes faster than pictures do would take as many of them as it has letters."""
    async with Shop().run_test() as pilot:
        app: Any = pilot.app
        await pilot.pause()
        app.composer._painted = float("inf")  # as if a moment ago, for ever
        app.events.clear()
        await pilot.press(*"abc")
        assert app.events[0].startswith("told")
        assert app.row(app.composer) == "❯ abc"


async def test_a_line_more_is_laid_out_first() -> None:
    """Painted at once it would stand outside."""
    async with Shop().run_test() as pilot:
        app: Any = pilot.app
        await pilot.pause()
        await pilot.press("a", "ctrl+j", "b")
        assert app.composer.size.height == 2
        assert app.row(app.composer) == "❯ a"


def test_another_textual_paints_as_it_does() -> None:
    """What is not there is not used."""
    stranger: Any = SimpleNamespace(screen=SimpleNamespace())
    paint(stranger)
    assert vars(stranger) == {"screen": stranger.screen}


async def test_what_stands_still_is_not_drawn_again() -> None:
    """Only what it says anew, in another size or in other colours is."""
    async with Shop().run_test(size=(40, 10)) as pilot:
        app: Any = pilot.app
        await pilot.pause()
        asked = app.sign.asked
        await pilot.press(*"abc")
        assert app.sign.asked == asked
        app.sign.text = "closed"
        app.sign.refresh()
        await pilot.pause()
        assert app.row(app.sign) == "closed"
        await pilot.resize_terminal(30, 10)
        assert app.sign.render_lines(Region(0, 0, 30, 1))[0].cell_length == 30


async def test_what_stands_still_takes_other_colours() -> None:
    """A theme changes them without a word."""
    async with Shop().run_test() as pilot:
        seen = []
        for theme in THEMES[:2]:
            pilot.app.theme = theme.name
            await pilot.pause()
            app: Any = pilot.app
            strip = app.screen._compositor.render_strips(app.size)[app.sign.region.y]
            seen.append({segment.style.bgcolor for segment in strip})
        assert seen[0] != seen[1]
