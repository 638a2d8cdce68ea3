"""The log's colours, mixed from those of the theme; and what of its painting Textual needs help with."""

from contextlib import suppress
from zlib import crc32

from rich.color import Color as RichColor
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from chat_tui.themes import readable
from chat_tui.widgets.log_grid import Ink


def mix_ink(log: Widget) -> Ink:
    """Return the colours of a log: of its component classes, on its background."""
    background = log.background_colors[1]
    foreground = log.styles.color

    def color(name: str) -> Color:
        own = log.get_component_styles(f"log--{name}").color
        return own if own.ansi is not None else background + own

    def behind(name: str) -> Color:
        own = log.get_component_styles(f"log--{name}").background
        return background if own.ansi is not None or background.ansi is not None else background + own

    return Ink(
        background=background,
        foreground=foreground if foreground.ansi is not None else readable(background + foreground, background),
        # A copy: in a terminal's own colours all are one object, and by this one a quiet style is known.
        quiet=color("quiet")._replace(),
        own=color("own"),
        error=color("error"),
        link=color("link"),
        mention=behind("mention"),
        focus=behind("focus"),
        pill=behind("floating"),
        keyword=color("keyword"),
        string=color("string"),
        number=color("number"),
        dark=log.app.current_theme.dark,
    )


def differences(before: list[Strip], after: list[Strip], background: RichColor) -> list[Region]:
    """Return the parts of rows that look different: an end that is blank before and after is left out."""
    regions = []
    for y, (old, new) in enumerate(zip(before, after, strict=True)):
        if old is not new:
            cells = max(_extent(old, background), _extent(new, background))
            # In steps of eight: Textual remembers each region that it ever saw.
            regions.append(Region(0, y, min(new.cell_length, (cells + 7) & ~7), 1))
    return regions


def _extent(strip: Strip, background: RichColor) -> int:
    """Return the cells of a row up to its blank end, at least 1."""
    *_, last = strip
    if last.style is None or last.style.bgcolor != background:
        return strip.cell_length
    return max(1, strip.cell_length - len(last.text) + len(last.text.rstrip(" ")))


def join_links(strip: Strip) -> None:
    """Give all parts of a link one OSC 8 id, so that a terminal underlines them as one.

    Rich numbers each style anew and offers no other way. Where it no longer has this attribute, each row is a link of
    its own, which leads to the same place.
    """
    for _, style, _ in strip:
        if style is not None and style.link:
            with suppress(AttributeError):
                style._link_id = f"{crc32(style.link.encode()):x}"
