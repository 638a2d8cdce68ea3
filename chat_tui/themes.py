"""Our two themes, and the colours of names, which are computed for whatever theme is on."""

import math
from functools import lru_cache
from zlib import crc32

from textual.color import Color, Lab, lab_to_rgb
from textual.theme import Theme

CHAT_DARK = Theme(
    name="chat-dark",
    dark=True,
    primary="#7aa7e0",
    secondary="#8f9bb3",
    accent="#e6b673",
    foreground="#d5d9e0",
    background="#14171c",
    surface="#191d24",
    panel="#20252e",
    success="#86c08f",
    warning="#d9a441",
    error="#ef7a7a",
    variables={"footer-key-foreground": "#e6b673", "input-selection-background": "#7aa7e0 30%"},
)
CHAT_LIGHT = Theme(
    name="chat-light",
    dark=False,
    primary="#2f66b0",
    secondary="#5c667a",
    accent="#8a5200",
    foreground="#23272e",
    background="#fbfaf7",
    surface="#f4f2ed",
    panel="#eae7e0",
    success="#2e7d4f",
    warning="#8f5f00",
    error="#b3261e",
    variables={"footer-key-foreground": "#8a5200", "input-selection-background": "#2f66b0 22%"},
)
THEMES = (CHAT_DARK, CHAT_LIGHT)
"""Ours, the default first."""

READABLE = 4.5
"""Contrast that small text needs (WCAG 2.2, 1.4.3)."""

# Hues of CIELAB in degrees. Those left out are red, which means failure, and amber, which means not yet.
_HUES = (105, 128, 148, 166, 186, 206, 228, 250, 268, 284, 300, 316, 332, 350)
_CHROMA = 48
# Six of the sixteen colours that a terminal's own palette offers: neither red nor a grey.
_ANSI = ("ansi_green", "ansi_cyan", "ansi_blue", "ansi_magenta", "ansi_bright_green", "ansi_bright_cyan")


def nick_color(name: str, background: Color, dark: bool) -> Color:
    """Return the colour of a name on `background`: the same for a name in any case, readable, none lighter than others.

    Where the background is the terminal's own, which nobody can ask for, it is one of the terminal's own colours.
    """
    number = crc32(name.casefold().encode("utf-8", "replace"))
    if background.ansi is not None:
        return Color.parse(_ANSI[number % len(_ANSI)])
    colors = nick_colors(background.rgb, dark)
    return colors[number % len(colors)]


@lru_cache(maxsize=16)
def nick_colors(background: tuple[int, int, int], dark: bool) -> tuple[Color, ...]:
    """Return the hues, all of the lightness at which each is readable on `background`."""
    behind = Color(*background)
    lightness = range(74, 101, 2) if dark else range(48, -1, -2)
    for level in lightness:
        colors = tuple(_of_hue(hue, level) for hue in _HUES)
        if all(contrast(color, behind) >= READABLE for color in colors):
            return colors
    # A background of middle lightness, on which no lightness does: what contrasts most.
    return (max((Color(255, 255, 255), Color(0, 0, 0)), key=lambda color: contrast(color, behind)),)


def readable(color: Color, background: Color, ratio: float = READABLE) -> Color:
    """Return `color`, moved towards white or black as far as it takes to be read on `background`."""
    if color.ansi is not None or background.ansi is not None:
        return color
    white, black = Color(255, 255, 255), Color(0, 0, 0)
    goal = max((white, black), key=lambda end: contrast(end, background))
    for step in range(21):
        moved = color.blend(goal, step / 20)
        if contrast(moved, background) >= ratio:
            return moved
    return goal


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of WCAG 2.2, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _of_hue(hue: int, lightness: int) -> Color:
    """Return a hue at a lightness (0 to 100), as colourful as a screen can show it, up to a calm bound."""
    for chroma in range(_CHROMA, 0, -4):
        angle = math.radians(hue)
        color = lab_to_rgb(Lab(lightness, chroma * math.cos(angle), chroma * math.sin(angle)))
        if all(0 <= part <= 255 for part in color.rgb):
            return color
    return lab_to_rgb(Lab(lightness, 0, 0)).clamped


def _luminance(color: Color) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part <= 10.31 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in color.rgb
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
