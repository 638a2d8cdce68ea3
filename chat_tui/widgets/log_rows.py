"""From an entry of the log to the rows that show it."""

import re
import time
from itertools import pairwise
from urllib.parse import quote

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from chat_tui.state.entries import (
    ACTION,
    DAY,
    ERROR,
    FAILED,
    HEAD,
    INFO,
    MENTION,
    MINE,
    NOTICE,
    RETURNING,
    SENDING,
    UNSURE,
    Entry,
    Waiting,
)
from chat_tui.widgets.log_grid import Grid, Ink, fit
from chat_tui.widgets.log_wrap import Span, wrap

ROW = 4096
"""Selection counts an entry's characters row by row, each row as this many: more than any terminal has columns."""

_BLANK, _NAME, _NAME_AND_TIME = "", "name", "name, time"

_URL = re.compile(r"https?://[^\s<>\"`]+", re.IGNORECASE)


class Shape:
    """How an entry is cut into rows on one grid: the rows above its text, its text, the reason why it failed."""

    __slots__ = ("above", "entry", "links", "reason", "reason_spans", "rows", "spans", "text")

    def __init__(self, entry: Entry, before: Entry | None, grid: Grid) -> None:
        self.entry = entry
        self.text = f"{entry.name} {entry.text}" if entry.flags & ACTION else entry.text
        self.spans = wrap(self.text, grid.text_width)
        self.above = _rows_above(entry, before, grid)
        self.links = _links(self.text)
        self.reason = _reason(entry)
        self.reason_spans = wrap(self.reason, grid.text_width) if self.reason else []
        self.rows: list[Strip | None] = [None] * (len(self.above) + len(self.spans) + len(self.reason_spans))

    def __len__(self) -> int:
        return len(self.rows)

    def character(self, x: int, grid: Grid) -> int:
        """Return which character of the text a selection's `x` means; -1 for what stands before the text."""
        row, column = divmod(x, ROW)
        line = row - len(self.above)
        if line >= len(self.spans):
            return len(self.text)
        before = self.characters_before(grid) if line == 0 else grid.text_at
        if line < 0 or (line == 0 and column < before):
            return -1
        start, end = self.spans[line]
        return min(end, start + max(0, column - before))

    def characters_before(self, grid: Grid) -> int:
        """Return how many characters stand before the first line of text: one a cell, but for a name."""
        if not grid.nick or not self.entry.flags & HEAD or self.entry.flags & (ACTION | NOTICE):
            return grid.text_at
        name = fit(self.entry.name, grid.nick)
        return grid.text_at - cell_len(name) + len(name)

    def copied(self, start: int, end: int) -> str:
        """Return the text from `start` to `end`, with time and name where `start` is -1 and they are shown."""
        if start >= 0:
            return self.text[start:end]
        text = self.text[: max(0, end)]
        if self.entry.flags & NOTICE or not self.entry.flags & HEAD:
            return text
        who = "*" if self.entry.flags & ACTION else f"{self.entry.name}:"
        return f"{_clock(self.entry.time)} {who} {text}"


class Rows:
    """Draw rows on one grid with one set of colours."""

    def __init__(self, grid: Grid, ink: Ink) -> None:
        self.grid = grid
        self.ink = ink

    def row(self, shape: Shape, number: int, selected: Span | None = None, selection: Style | None = None) -> Strip:
        """Return a row of an entry. Characters in `selected` are shown in the style `selection`."""
        line = number - len(shape.above)
        if line < 0:
            return self._above(shape, shape.above[number])
        if line >= len(shape.spans):
            start, end = shape.reason_spans[line - len(shape.spans)]
            return self._reason(shape.reason[start:end])
        segments = self._before(shape.entry, line == 0)
        if selected and selected[0] < 0 and line == 0 and selection:
            segments = [Segment(text, style + selection if style else selection) for text, style, _ in segments]
        segments += self._text(shape, *shape.spans[line], selected, selection)
        mark = line == len(shape.spans) - 1
        return self._finish(segments, shape.entry, mark)

    def centred(self, text: str, style: Style) -> Strip:
        """Return a row with a text in its middle."""
        blank = self.ink.style(self.ink.quiet)
        text = fit(text, self.grid.width)
        left = (self.grid.width - cell_len(text)) // 2
        right = self.grid.width - left - cell_len(text)
        return Strip([Segment(" " * left, blank), Segment(text, style), Segment(" " * right, blank)], self.grid.width)

    def blank(self) -> Strip:
        """Return an empty row."""
        return Strip.blank(self.grid.width, self.ink.style(self.ink.quiet))

    def _above(self, shape: Shape, what: str) -> Strip:
        entry, ink = shape.entry, self.ink
        if what == _BLANK:
            return self.blank()
        if what not in (_NAME, _NAME_AND_TIME):
            return self.centred(f"── {what} ──", ink.style(ink.quiet))
        tinted = bool(entry.flags & MENTION)
        name = fit(entry.name, max(2, self.grid.width - 10))
        segments = [
            self._gutter(tinted),
            Segment(name, ink.name(entry.name, bool(entry.flags & MINE), tinted) + Style(bold=True)),
        ]
        if what == _NAME_AND_TIME:
            segments.append(Segment(f"  {_clock(entry.time)}", ink.style(ink.quiet, tinted)))
        return self._finish(segments, entry, mark=False)

    def _before(self, entry: Entry, first: bool) -> list[Segment]:
        """Return what stands left of a line of text; time and name on the first line of a group's head."""
        ink, grid = self.ink, self.grid
        tinted = bool(entry.flags & MENTION)
        quiet = ink.style(ink.quiet, tinted)
        gutter = self._gutter(tinted)
        if not grid.nick:
            mark = self._mark(entry) if first and entry.flags & HEAD else None
            return [mark, Segment(" ", quiet)] if mark and not tinted else [gutter]
        if not (first and entry.flags & HEAD):
            return [gutter, Segment(" " * (grid.text_at - 2), quiet)]
        time_ = " " * 5 if entry.flags & NOTICE else _clock(entry.time)
        mark = self._mark(entry)
        if mark is None:
            style = ink.name(entry.name, bool(entry.flags & MINE), tinted)
            mark = Segment(fit(entry.name, grid.nick), style)
        indent = " " * (2 + grid.nick - cell_len(mark.text))
        return [gutter, Segment(time_ + indent, quiet), mark, Segment("  ", quiet)]

    def _mark(self, entry: Entry) -> Segment | None:
        """Return what stands for the name of an entry that has none, or has it in its text."""
        ink = self.ink
        if entry.flags & ACTION:
            return Segment("*", ink.name(entry.name, bool(entry.flags & MINE), bool(entry.flags & MENTION)))
        if not entry.flags & NOTICE:
            return None
        error = bool(entry.flags & ERROR)
        return Segment("!" if error else "·", ink.style(self._notice_color(entry), bold=error))

    def _gutter(self, tinted: bool) -> Segment:
        ink = self.ink
        return Segment("▌ ", ink.style(ink.own, tinted)) if tinted else Segment("  ", ink.style(ink.quiet))

    def _text(
        self, shape: Shape, start: int, end: int, selected: Span | None, selection: Style | None
    ) -> list[Segment]:
        """Return a line of text, cut where a link, a name or the selection begins or ends."""
        entry, ink = shape.entry, self.ink
        tinted = bool(entry.flags & MENTION)
        if entry.flags & NOTICE:
            plain = ink.style(self._notice_color(entry), tinted)
        else:
            plain = ink.style(ink.foreground, tinted, italic=bool(entry.flags & ACTION))
        styles = [(from_, to, ink.style(ink.link, tinted) + link) for from_, to, link in shape.links]
        if entry.flags & ACTION:
            styles.append((0, len(entry.name), ink.name(entry.name, bool(entry.flags & MINE), tinted)))
        if selected and selection:
            styles.append((selected[0], selected[1], selection))
        cuts = {start, end}
        for from_, to, _ in styles:
            cuts.update(cut for cut in (from_, to) if start < cut < end)
        edges = sorted(cuts)
        segments = []
        for left, right in pairwise(edges):
            style = plain
            for from_, to, over in styles:
                if from_ <= left and right <= to:
                    style = style + over
            segments.append(Segment(shape.text[left:right], style))
        return segments

    def _notice_color(self, entry: Entry) -> Color:
        ink = self.ink
        return ink.error if entry.flags & ERROR else ink.foreground if entry.flags & INFO else ink.quiet

    def _reason(self, text: str) -> Strip:
        ink = self.ink
        style = ink.style(ink.error)
        return self._pad([Segment(" " * self.grid.text_at, style), Segment(text, style)], ink.style(ink.quiet), None)

    def _finish(self, segments: list[Segment], entry: Entry, mark: bool) -> Strip:
        """Fill a row up to its width, with the mark of a message that is not sent."""
        ink = self.ink
        tinted = bool(entry.flags & MENTION)
        sign = None
        if mark and entry.flags & SENDING:
            sign = Segment("◌", ink.style(ink.quiet, tinted))
        elif mark and entry.flags & FAILED:
            sign = Segment("✗", ink.style(ink.error, tinted, bold=True))
        return self._pad(segments, ink.style(ink.quiet, tinted), sign)

    def _pad(self, segments: list[Segment], blank: Style, sign: Segment | None) -> Strip:
        grid = self.grid
        used = sum(cell_len(text) for text, _, _ in segments)
        if sign:
            at = grid.text_at + grid.text_width + 1
            segments = [*segments, Segment(" " * (at - used), blank), sign]
            used = at + 1
        if used < grid.width:
            segments = [*segments, Segment(" " * (grid.width - used), blank)]
        strip = Strip(_joined(segments))
        return strip if used <= grid.width else strip.crop(0, grid.width)


def _joined(segments: list[Segment]) -> list[Segment]:
    """Return the segments with blanks taken into a neighbour where no eye can tell: each spares a terminal 40 bytes."""
    joined: list[Segment] = []
    for segment in segments:
        if joined:
            text, style, _ = joined[-1]
            if style is segment.style or (_plain(style, segment.style) and segment.text.isspace()):
                joined[-1] = Segment(text + segment.text, style)
                continue
            if text.isspace() and _plain(segment.style, style):
                joined[-1] = Segment(text + segment.text, segment.style)
                continue
        joined.append(segment)
    return joined


def _plain(style: Style | None, other: Style | None) -> bool:
    """Whether blanks look the same in both styles, and `style` may hold them."""
    if style is None or other is None:
        return False
    return style.bgcolor == other.bgcolor and not (style.underline or style.link or other.underline or other.link)


def _rows_above(entry: Entry, before: Entry | None, grid: Grid) -> list[str]:
    """Return what stands above an entry's text: blank rows, the words of a separator, a name."""
    rows = []
    if entry.flags & DAY:
        day = _day(entry.time)
        rows = [day] if not grid.nick else [_BLANK, day, _BLANK] if before else [day, _BLANK]
    if not grid.nick and entry.flags & HEAD and not entry.flags & (NOTICE | ACTION):
        same_minute = before is not None and before.time // 60 == entry.time // 60
        rows.append(_NAME if same_minute else _NAME_AND_TIME)
    return rows


def _reason(entry: Entry) -> str:
    if entry.flags & RETURNING:
        return "Taking it back: the server says whether it came in time."
    if not (isinstance(entry, Waiting) and entry.flags & FAILED):
        return ""
    # Short enough for one line at 40 columns.
    what = "" if entry.flags & UNSURE else "Not sent: "
    return f"{what}{entry.reason.rstrip('.')}.\nAlt+R again · Alt+X takes it back"


def _links(text: str) -> list[tuple[int, int, Style]]:
    """Return where the text holds URLs. One style each: all lines of a URL are one link to the terminal."""
    if "://" not in text:
        return []
    links = []
    for match in _URL.finditer(text):
        url = match[0].rstrip(".,;:!?'*_")
        while url and url[-1] in ")]}" and url.count(url[-1]) > url.count("([{"[")]}".index(url[-1])]):
            url = url[:-1].rstrip(".,;:!?'*_")
        if url.endswith("://"):
            continue
        # OSC 8 takes printable ASCII only.
        target = quote(url, safe="!#$%&'()*+,-./:;=?@[]_~")
        links.append((match.start(), match.start() + len(url), Style(link=target, underline=True)))
    return links


def _day(seconds: int) -> str:
    local = time.localtime(seconds)
    year = "" if local.tm_year == time.localtime().tm_year else f" {local.tm_year}"
    return f"{time.strftime('%A', local)} {local.tm_mday} {time.strftime('%B', local)}{year}"


def _clock(seconds: int) -> str:
    return time.strftime("%H:%M", time.localtime(seconds))
