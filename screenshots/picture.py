"""A screen as SVG and as PNG."""

import re
from html import escape, unescape
from itertools import groupby
from pathlib import Path

import resvg_py
from rich.cells import cell_len
from textual.app import App

FONTS = ("Fira Code", "JetBrains Mono", "DejaVu Sans Mono", "Menlo", "Consolas", "monospace")
"""The first that is there draws a character."""
EMOJI_FONTS = ("Noto Color Emoji", "Apple Color Emoji", "DejaVu Sans Mono", *FONTS)
SYMBOL_FONTS = ("DejaVu Sans Mono", "Noto Sans Mono CJK JP", *EMOJI_FONTS)
"""The same for pictures, and for all else that is not Latin.

On Debian: fonts-firacode, fonts-dejavu, fonts-noto-cjk, fonts-noto-color-emoji.
"""
WIDEST = 1280
"""Pixels of a PNG's width. A smaller picture has two for each unit of its SVG, for dense screens."""
CELL = 12.2
"""Units of a character cell's width in Rich's SVG."""

_FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)
_TEXT = re.compile(
    r'<text class="(?P<look>[^"]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" textLength="[\d.]+"(?P<more>[^>]*)>'
    r"(?P<text>[^<]*)</text>"
)
_CLIP = re.compile(r'(-clip-terminal">\s*<rect x="0" y="0" width="[\d.]+" height=")([\d.]+)')
_DESCENT = 6
"""Units that a letter may reach below its row: the last row's would be cut off."""


def take(app: App[int], file: Path, title: str) -> None:
    """Write what an app shows to `file` with .svg and .png at its end."""
    svg = _own(app.export_screenshot(title=title, simplify=True), app)
    file.with_suffix(".svg").write_text(svg, encoding="utf-8")
    width = int(svg.partition('viewBox="0 0 ')[2].split(" ")[0].partition(".")[0])
    zoom = min(2.0, WIDEST / width)
    png = resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom)
    file.with_suffix(".png").write_bytes(bytes(png))


def _own(svg: str, app: App[int]) -> str:
    """Return a picture that loads nothing from elsewhere, with the theme's own frame."""
    theme = app.current_theme
    svg = _FONT_FACE.sub("", svg)
    # No ligatures: `--host` is not one long dash.
    svg = svg.replace(
        "font-family: Fira Code, monospace;", f"font-family: {_families(FONTS)}; font-variant-ligatures: none;"
    )
    svg = svg.replace("font-family: arial;", f"font-family: {_families(FONTS)};")
    for kind, fonts in (("symbol", SYMBOL_FONTS), ("emoji", EMOJI_FONTS)):
        svg = svg.replace("</style>", f".{kind} {{ font-family: {_families(fonts)}; }}\n</style>", 1)
    svg = svg.replace('<rect fill="#292929"', f'<rect fill="{theme.panel}"', 1)
    svg = re.sub(r'(<text class="[^"]+-title" fill=")[^"]+', rf"\g<1>{theme.foreground}", svg)
    svg = _CLIP.sub(lambda found: f"{found[1]}{float(found[2]) + _DESCENT}", svg)
    svg = _TEXT.sub(_by_font, svg)
    return "\n".join(line.strip() for line in svg.splitlines() if line.strip()) + "\n"


def _by_font(found: re.Match[str]) -> str:
    """Return a text in pieces of one font each: a renderer may draw all of a text in the font that one letter needs."""
    text = unescape(found["text"])
    pieces, x = [], float(found["x"])
    for kind, letters in groupby(text, key=_kind):
        piece = "".join(letters)
        length = CELL * cell_len(piece)
        look = f"{found['look']} {kind}".strip()
        shown = escape(piece).replace("\xa0", "&#160;")
        pieces.append(
            f'<text class="{look}" x="{x:.1f}" y="{found["y"]}" textLength="{length:.1f}"{found["more"]}>{shown}</text>'
        )
        x += length
    return "".join(pieces)


def _kind(letter: str) -> str:
    """Return which fonts draw a character."""
    if letter >= "\U0001f000":
        return "emoji"
    return "symbol" if letter > "\u024f" and letter not in "─│▌·" else ""


def _families(fonts: tuple[str, ...]) -> str:
    return ", ".join(f"'{font}'" if " " in font else font for font in fonts)
