"""Signing in by a code: what the screen shows, where there is room for the square, and what its keys do."""

from datetime import UTC, datetime
from typing import Any

import pytest
import segno
from textual.app import App
from textual.color import Color
from textual.pilot import Pilot

from chat_tui.screens.sign_in import SignInScreen
from chat_tui.themes import THEMES
from chat_tui.widgets.qr import CHARACTERS, QUIET, QrCode, modules
from server.protocol import frames

URL = "https://login.lab.example/device"
COMPLETE = f"{URL}?user_code=WDJB-MJHT"
NOW = 1_800_000_000


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is NOW all the time."""
    monkeypatch.setattr("chat_tui.screens.sign_in.time", lambda: NOW)


class Host(App[None]):
    """Opens the screen, and remembers how it ended."""

    def __init__(self, *, seconds: float = 600, theme: str = THEMES[0].name, **changed: str) -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme
        expires = datetime.fromtimestamp(NOW + seconds, UTC).isoformat(timespec="milliseconds")
        fields = {"url": URL, "complete": COMPLETE, "code": "WDJB-MJHT", "expires": expires} | changed
        self.shown = SignInScreen(frames.Sso(**fields), "Lab")
        self.ended: list[str | None] = []

    def on_mount(self) -> None:
        """Open it."""
        self.push_screen(self.shown, self.ended.append)


def rows(app: Host) -> list[str]:
    """Return what the screen shows."""
    return [strip.text for strip in app.screen._compositor.render_strips(app.size)]


def seen(app: Host) -> str:
    """Return the same as one text with single spaces, without the code and the frame."""
    return " ".join("".join(c for c in "\n".join(rows(app)) if c not in "█▀▄│").split())


def photographed(app: Host, qr: QrCode) -> list[list[bool]]:
    """Return, module by module, whether the screen is dark there: from its colours."""
    region = qr.region
    strips = app.screen._compositor.render_strips(app.size)[region.y : region.bottom]
    picture: list[list[bool]] = []
    for strip in strips:
        upper: list[bool] = []
        lower: list[bool] = []
        for segment in strip.crop(region.x, region.right):
            style = segment.style
            assert style is not None
            assert style.color is not None
            assert style.bgcolor is not None
            ink, paper = (Color.from_rich_color(color).brightness < 0.5 for color in (style.color, style.bgcolor))
            for character in segment.text:
                upper.append(ink if character in "█▀" else paper)
                lower.append(ink if character in "█▄" else paper)
        picture += [upper, lower]
    return picture


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES] + ["textual-light", "ansi-dark"])
async def test_the_square_is_the_address_with_the_code_dark_on_light(theme: str) -> None:
    """Each module as the encoder made it, with four light ones around, in every theme."""
    app = Host(theme=theme)
    async with app.run_test(size=(80, 24)):
        picture = photographed(app, app.shown.query_one(QrCode))
    made = segno.make_qr(COMPLETE, error="l")
    wanted = [[bool(module) for module in row] for row in made.matrix_iter(border=QUIET)]
    assert picture[: len(wanted)] == wanted
    assert all(not any(row) for row in picture[len(wanted) :])
    assert len(picture) - len(wanted) <= 1


@pytest.mark.parametrize(
    ("size", "where"),
    [((120, 36), "-beside"), ((80, 24), "-beside"), ((79, 24), "-beside"), ((60, 46), "-below"),
     ((50, 20), ""), ((80, 20), ""), ((77, 24), ""), ((40, 12), ""), ((20, 6), "")],
)  # fmt: skip
async def test_the_square_is_whole_or_not_there(size: tuple[int, int], where: str) -> None:
    """Beside the words, below them, or left out; what one has to read and press is there at every size."""
    app = Host()
    async with app.run_test(size=size):
        assert [name for name in ("-beside", "-below") if app.shown.has_class(name)] == ([where] if where else [])
        qr = app.shown.query_one(QrCode)
        if where:
            assert qr.region.size == qr.room
            assert app.screen.region.contains_region(qr.region)
        else:
            assert not qr.display
        if size >= (40, 12):
            for text in (URL, "WDJB-MJHT", "Waiting · good for 10:00", "y copies", "Esc closes"):
                assert text in seen(app), text
        assert ("camera" in seen(app)) == bool(where)


async def test_a_resized_terminal_shows_what_fits() -> None:
    """The square comes and goes."""
    app = Host()
    async with app.run_test(size=(50, 20)) as pilot:
        assert not app.shown.query_one(QrCode).display
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert app.shown.query_one(QrCode).display


async def test_without_an_address_that_has_the_code_one_types_it() -> None:
    """The square is the address alone then."""
    app = Host(complete="")
    async with app.run_test(size=(80, 24)):
        assert "Then type the code." in seen(app)
        assert app.shown.query_one(QrCode).room.width == len(modules(URL))


async def test_no_square_of_an_address_that_is_too_long() -> None:
    """No terminal has room for it."""
    assert modules("x" * (CHARACTERS + 1)) == ()
    app = Host(complete=f"{URL}?" + "x" * CHARACTERS)
    async with app.run_test(size=(200, 100)):
        assert not app.shown.query(QrCode)
        assert "WDJB-MJHT" in seen(app)


@pytest.mark.parametrize(
    ("seconds", "said"), [(600, "good for 10:00"), (59, "good for 59 s"), (-5, "Waiting …"), (86_400, "Waiting …")]
)
async def test_it_says_how_long_the_code_is_good(seconds: float, said: str) -> None:
    """Nothing where the server's clock is another."""
    app = Host(seconds=seconds)
    async with app.run_test(size=(80, 24)):
        assert said in seen(app)


async def test_it_counts_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock."""
    app = Host(seconds=600)
    async with app.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr("chat_tui.screens.sign_in.time", lambda: NOW + 535)
        while "good for 1:05" not in seen(app):
            await pilot.pause(0.05)


async def test_y_copies_the_address_and_escape_gives_up() -> None:
    """The address that has the code in it."""
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == COMPLETE
        assert "y copied" in seen(app)
        await pilot.press("enter")
        assert app.ended == []
        await pilot.press("escape")
        await pilot.pause()
        assert app.ended == [None]


@pytest.mark.parametrize(("key", "ended"), [("enter", SignInScreen.AGAIN), ("escape", None)])
async def test_where_nothing_comes_of_it_another_code_is_offered(key: str, ended: str | None) -> None:
    """A code that is worthless is not shown any more."""
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        app.shown.fail("The code was not used in time.")
        await pilot.pause()
        assert "The code was not used in time." in seen(app)
        assert "Enter another code" in seen(app)
        assert "WDJB-MJHT" not in seen(app)
        assert not app.shown.query_one(QrCode).display
        await press(pilot, "y", key)
        assert app.clipboard == ""
        assert app.ended == [ended]


async def test_what_the_server_says_is_shown_as_it_is() -> None:
    """No markup is heeded."""
    app = Host(code="[red]x[/]", url="https://lab.example/[b]")
    async with app.run_test(size=(80, 24)):
        assert "[red]x[/]" in seen(app)
        assert "https://lab.example/[b]" in seen(app)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, and wait until what they do is done."""
    await pilot.press(*keys)
    await pilot.pause()
