"""Our themes, and that names can be read on every theme."""

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from chat_tui.themes import CHAT_DARK, READABLE, THEMES, contrast, nick_color, nick_colors, readable

_ALL = [*THEMES, *BUILTIN_THEMES.values()]


def _background(theme: Theme) -> Color:
    return Color.parse(theme.to_color_system().generate()["background"])


@pytest.mark.parametrize("theme", _ALL, ids=lambda theme: theme.name)
def test_names_are_readable_on_every_theme(theme: Theme) -> None:
    """With a contrast of 4.5 at least, and in enough colours to tell people apart."""
    background = _background(theme)
    if background.ansi is not None:
        assert nick_color("bob", background, theme.dark).ansi is not None
        return
    colors = nick_colors(background.rgb, theme.dark)
    assert len(set(colors)) == 14
    assert all(contrast(color, background) >= READABLE for color in colors)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_all_that_our_themes_write_is_readable(theme: Theme) -> None:
    """Text, what warns, fails, succeeds or is mine."""
    background = _background(theme)
    for color in (theme.foreground, theme.primary, theme.accent, theme.error, theme.warning, theme.success):
        assert color is not None
        assert contrast(Color.parse(color), background) >= READABLE


def test_a_name_keeps_its_colour() -> None:
    """In any case, in any run."""
    background = _background(CHAT_DARK)
    assert nick_color("Bob", background, True) == nick_color("bOB", background, True)
    assert len({nick_color(f"user{n}", background, True) for n in range(200)}) == 14


def test_a_middle_grey_gets_what_contrasts_most() -> None:
    """No lightness of a hue is readable there."""
    assert nick_colors((119, 119, 119), True) in {(Color(255, 255, 255),), (Color(0, 0, 0),)}


def test_an_unreadable_colour_is_moved_until_it_is() -> None:
    """A readable one stays as it is."""
    background = Color.parse("#E0E0E0")
    amber = Color.parse("#FEA62B")
    assert contrast(amber, background) < READABLE <= contrast(readable(amber, background), background)
    assert readable(Color(0, 0, 0), background) == Color(0, 0, 0)


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white is 21, equal colours are 1."""
    assert contrast(Color(0, 0, 0), Color(255, 255, 255)) == pytest.approx(21)
    assert contrast(Color(9, 9, 9), Color(9, 9, 9)) == 1
