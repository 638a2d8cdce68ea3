"""From the shape of an entry to the strips that show it."""

from bisect import bisect_right
from functools import lru_cache
from itertools import pairwise, takewhile
from operator import itemgetter

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from chat_tui.actions import BY_ID, key_text
from chat_tui.state.entries import (
    ACTION,
    DELETED,
    ERROR,
    FAILED,
    HEAD,
    HERE,
    HIDDEN,
    INFO,
    MENTION,
    MINE,
    NOTICE,
    PINNED,
    SENDING,
)
from chat_tui.state.markup import Kind, Look, Mark
from chat_tui.widgets.log_grid import Grid, Ink, fit
from chat_tui.widgets.log_shape import Extra, Line, Part, Shape, clock
from chat_tui.widgets.log_wrap import Span

_OPENS_THREAD = key_text(BY_ID["message.thread"].keys[0])
_BOLD, _ITALIC = Style(bold=True), Style(italic=True)

_END = itemgetter(1)

Styled = tuple[int, int, Style]
"""Characters of a text, from and to, and what is laid over their style."""


class Rows:
    """Draw rows on one grid with one set of colours."""

    def __init__(self, grid: Grid, ink: Ink) -> None:
        self.grid = grid
        self.ink = ink

    def row(
        self,
        shape: Shape,
        number: int,
        selected: Span | None = None,
        selection: Style | None = None,
        focused: bool = False,
    ) -> Strip:
        """Return a row of an entry.

        Args:
            shape: the entry, cut into rows on this grid.
            number: which of its rows.
            selected: characters that are shown in the style `selection`.
            selection: that style.
            focused: whether the message has the focus.
        """
        return _Row(self.grid, self.ink, shape, focused).draw(number, selected, selection)

    def centred(self, text: str, style: Style) -> Strip:
        """Return a row with a text in its middle."""
        return self._middle(text, style, " ", self.ink.style(self.ink.quiet))

    def rule(self, text: str, style: Style) -> Strip:
        """Return a row with a text in the middle of a line from edge to edge."""
        return self._middle(f" {text} ", style, "─", style)

    def _middle(self, text: str, style: Style, filling: str, around: Style) -> Strip:
        width = self.grid.width
        blank = self.ink.style(self.ink.quiet)
        margin = "  " if filling != " " and width > 8 else ""
        text = fit(text, width - 2 * len(margin))
        left = (width - cell_len(text)) // 2 - len(margin)
        right = width - left - cell_len(text) - 2 * len(margin)
        segments = [
            Segment(margin, blank),
            Segment(filling * left, around),
            Segment(text, style),
            Segment(filling * right, around),
            Segment(margin, blank),
        ]
        return Strip(_joined([segment for segment in segments if segment.text]), width)

    def blank(self) -> Strip:
        """Return an empty row."""
        return Strip.blank(self.grid.width, self.ink.style(self.ink.quiet))


class _Row:
    """Draws the rows of one entry."""

    def __init__(self, grid: Grid, ink: Ink, shape: Shape, focused: bool) -> None:
        self.grid = grid
        self.ink = ink
        self.shape = shape
        self.entry = shape.entry
        self.flags = shape.flags
        self.focused = focused
        self.mine = bool(shape.flags & MINE)
        self.behind = ink.focus if focused else ink.mention if shape.flags & MENTION else ink.background
        self.quiet = ink.style(ink.quiet, self.behind)

    @property
    def chip(self) -> Color:
        """What is behind code and reactions."""
        return self.ink.chip(self.behind)

    def draw(self, number: int, selected: Span | None, selection: Style | None) -> Strip:
        """Return one of them."""
        shape = self.shape
        line = number - len(shape.above)
        if line < 0:
            return self._extra(shape.above[number], number == shape.first)
        if line >= len(shape.lines):
            return self._extra(shape.below[line - len(shape.lines)])
        segments = self._before(number == shape.first, line == 0 and not shape.reply)
        if selected and selected[0] < 0 and line == 0 and selection:
            segments = [Segment(text, style + selection if style else selection) for text, style, _ in segments]
        segments += self._text(shape.lines[line], selected, selection)
        return self._finish(segments, self._sign() if line == len(shape.lines) - 1 else None)

    # What is not text.

    def _extra(self, row: Extra, first: bool = False) -> Strip:
        rows, ink = Rows(self.grid, self.ink), self.ink
        match row.part:
            case Part.BLANK:
                return rows.blank()
            case Part.DAY | Part.KEPT:
                return rows.centred(f"── {row.text} ──" if row.part is Part.DAY else row.text, ink.style(ink.quiet))
            case Part.NEW:
                return rows.rule(f"new since {row.text}", ink.style(ink.own))
            case Part.NAME:
                return self._finish(self._name(row.text, first))
            case Part.QUOTE:
                return self._finish([*self._before(first, True), *self._quote(row)])
            case Part.REACTIONS:
                return self._finish([*self._before(), *self._reactions(row)])
            case Part.THREAD:
                return self._finish([*self._before(), *self._thread(row.text)])
            case Part.REASON:
                style = ink.style(ink.error)
                return self._pad(
                    [Segment(" " * self.grid.text_at, style), Segment(row.text, style)], rows.ink.style(ink.quiet)
                )

    def _name(self, time: str, first: bool) -> list[Segment]:
        """Return the name above its group, where there is no column for it."""
        ink = self.ink
        name = fit(self.entry.name, max(2, self.grid.width - 10))
        segments = [self._gutter(first), Segment(name, ink.name(self.entry.name, self.mine, self.behind) + _BOLD)]
        return [*segments, Segment(f"  {time}", self.quiet)] if time else segments

    def _quote(self, row: Extra) -> list[Segment]:
        act = _act("quote", self.entry.seq)
        words = f": {row.quoted}" if row.text else row.quoted
        sign = "↪ "
        name = fit(row.text, max(2, self.grid.text_width - len(sign)))
        left = self.grid.text_width - len(sign) - cell_len(name)
        mine = row.text.casefold() == self.shape.me
        segments = [Segment(sign, self.quiet + act)]
        if name:
            segments.append(Segment(name, self.ink.name(row.text, mine, self.behind) + act))
        return [*segments, Segment(fit(words, left), self.quiet + act)] if left > 2 else segments

    def _reactions(self, row: Extra) -> list[Segment]:
        ink = self.ink
        segments = []
        for reaction in row.reactions:
            style = ink.style(ink.own if reaction.mine else ink.foreground, self.chip, bold=reaction.mine)
            segments.append(Segment(reaction.text, style + _act("react", self.entry.seq, reaction.name)))
            segments.append(Segment(" ", self.quiet))
        return segments[:-1]

    def _thread(self, text: str) -> list[Segment]:
        style = self.ink.style(self.ink.link, self.behind) + _act("thread", self.entry.seq)
        segments = [Segment(f"↳ {text}", style)]
        return [*segments, Segment(f" · {_OPENS_THREAD} opens", self.quiet)] if self.focused else segments

    # What stands left of the text.

    def _before(self, first: bool = False, named: bool = False) -> list[Segment]:
        """Return what stands left of a row.

        Args:
            first: it is the message's first one.
            named: it is where time and name stand, if the message is the head of its group.
        """
        ink, grid, head = self.ink, self.grid, named and self.flags & HEAD
        gutter = self._gutter(first)
        if not grid.nick:
            mark = self._mark() if head and self.behind is ink.background else None
            return [mark, Segment(" ", self.quiet)] if mark else [gutter]
        if not head:
            return [gutter, Segment(" " * (grid.text_at - 2), self.quiet)]
        time = " " * 5 if self.flags & NOTICE else clock(self.entry.time)
        mark = self._mark()
        if mark is None:
            mark = Segment(fit(self.entry.name, grid.nick), ink.name(self.entry.name, self.mine, self.behind))
        indent = " " * (2 + grid.nick - cell_len(mark.text))
        return [gutter, Segment(time + indent, self.quiet), mark, Segment("  ", self.quiet)]

    def _mark(self) -> Segment | None:
        """Return what stands for the name of an entry that has none, or has it in its text."""
        ink = self.ink
        if self.flags & ACTION:
            return Segment("*", ink.name(self.entry.name, self.mine, self.behind))
        if not self.flags & NOTICE:
            return None
        error = bool(self.flags & ERROR)
        return Segment("!" if error else "·", ink.style(self._notice_color(), self.behind, bold=error))

    def _gutter(self, first: bool = False) -> Segment:
        """Return what tells the message that has the focus, or names me, without any colour."""
        if self.focused:
            return Segment("❯ " if first else "│ ", self.ink.style(self.ink.own, self.behind, bold=True))
        if self.flags & MENTION:
            return Segment("▌ ", self.ink.style(self.ink.own, self.behind))
        return Segment("  ", self.quiet)

    # The text.

    def _text(self, line: Line, selected: Span | None, selection: Style | None) -> list[Segment]:
        """Return a line of text, cut where anything that looks otherwise, or the selection, begins or ends."""
        plain, over = self._plain(line), self._over(line)
        if selected and selection:
            over.append((*selected, selection))
        segments = self._indent(line)
        if not over:
            return [*segments, Segment(self.shape.text[line.start : line.end], plain), *self._code_end(line)]
        cuts = {line.start, line.end}
        for from_, to, _ in over:
            cuts.update(cut for cut in (from_, to) if line.start < cut < line.end)
        for left, right in pairwise(sorted(cuts)):
            style = plain
            for from_, to, more in over:
                if from_ <= left and right <= to:
                    style = style + more
            segments.append(Segment(self.shape.text[left:right], style))
        return [*segments, *self._code_end(line)]

    def _plain(self, line: Line) -> Style:
        """Return the style of what is nothing else."""
        ink, flags = self.ink, self.flags
        if flags & NOTICE:
            return ink.style(self._notice_color(), self.behind, italic=bool(flags & HIDDEN))
        if flags & DELETED:
            return ink.style(ink.quiet, self.behind, italic=True)
        if line.block is None:
            return ink.style(ink.foreground, self.behind, italic=bool(flags & ACTION))
        if line.block.kind is Kind.CODE:
            return ink.style(ink.foreground, self.chip)
        return self.quiet

    def _over(self, line: Line) -> list[Styled]:
        """Return what in a line looks otherwise."""
        shape, ink = self.shape, self.ink
        over = [
            (mark.start, mark.end, self._look(mark))
            for mark in shape.marks
            if mark.start < line.end and line.start < mark.end
        ]
        if self.flags & ACTION and line.start < len(self.entry.name):
            over.append((0, len(self.entry.name), ink.name(self.entry.name, self.mine, self.behind)))
        for start, end, flag in shape.tail:
            color = ink.own if flag & PINNED else ink.quiet
            over.append((start, end, ink.style(color, self.behind) + Style(bold=False, italic=False)))
        if line.block is not None and line.block.language:
            over += self._tones(line)
        return over

    def _look(self, mark: Mark) -> Style:
        """Return how a part of the text looks that is more than its characters."""
        ink, behind = self.ink, self.behind
        match mark.look:
            case Look.BOLD:
                return _BOLD
            case Look.ITALIC:
                return _ITALIC
            case Look.CODE:
                return ink.code(behind)
            case Look.LINK:
                return ink.style(ink.link, behind) + _link(mark.target, True)
            case Look.WHERE:
                return ink.style(ink.quiet, behind) + _link(mark.target, False)
            case Look.ROOM:
                return ink.style(ink.link, behind) + Style.from_meta({"room": mark.target})
            case Look.NAME:
                name = mark.target.casefold()
                return ink.name(name, name == self.shape.me or (name == "here" and bool(self.flags & HERE)), behind)

    def _notice_color(self) -> Color:
        ink = self.ink
        return ink.error if self.flags & ERROR else ink.foreground if self.flags & INFO else ink.quiet

    # Code and quotes.

    def _indent(self, line: Line) -> list[Segment]:
        """Return what stands left of a line within the column of text."""
        if not line.indent:
            return []
        if line.block is None:
            return [Segment(" " * line.indent, self.quiet)]
        if line.block.kind is Kind.CODE:
            return [Segment("▏ ", self.ink.style(self.ink.quiet, self.chip))]
        return [Segment("│ ", self.quiet)]

    def _code_end(self, line: Line) -> list[Segment]:
        """Return the rest of a line of code, up to the end of the column: all its lines are one block."""
        if line.block is None or line.block.kind is not Kind.CODE:
            return []
        left = self.grid.text_width - line.indent - cell_len(self.shape.text[line.start : line.end])
        return [Segment(" " * left, self._plain(line))]

    def _tones(self, line: Line) -> list[Styled]:
        """Return the colours of a line of code."""
        from chat_tui.widgets.log_code import tones  # only here: its languages take a while to load

        block, ink, behind = line.block, self.ink, self.chip
        assert block is not None
        colors = {"keyword": ink.keyword, "string": ink.string, "number": ink.number, "comment": ink.quiet}
        found = tones(self.shape.text[block.start : block.end], block.language)
        first = bisect_right(found, line.start - block.start, key=_END)
        return [
            (block.start + start, block.start + end, ink.style(colors[tone], behind, italic=tone == "comment"))
            for start, end, tone in takewhile(lambda part: block.start + part[0] < line.end, found[first:])
        ]

    # The end of a row.

    def _sign(self) -> Segment | None:
        """Return the mark of a message that is not sent."""
        if self.flags & SENDING:
            return Segment("◌", self.quiet)
        if self.flags & FAILED:
            return Segment("✗", self.ink.style(self.ink.error, self.behind, bold=True))
        return None

    def _finish(self, segments: list[Segment], sign: Segment | None = None) -> Strip:
        """Fill a row up to its width."""
        return self._pad(segments, self.quiet, sign)

    def _pad(self, segments: list[Segment], blank: Style, sign: Segment | None = None) -> Strip:
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


def _act(action: str, seq: int, argument: str = "") -> Style:
    """Return a style that says what a click does: see `MessageLog.Acted`."""
    return Style.from_meta({"act": (action, seq, argument)})


@lru_cache(maxsize=64)
def _link(target: str, underline: bool) -> Style:
    """Return a link. A terminal itself can open nothing of a chat: such a link is for the log alone."""
    if target.startswith("chat:"):
        return Style(underline=underline or None, meta={"link": target})
    return Style(underline=underline or None, link=target)


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
    special = style.underline or style.link or style.meta or other.underline or other.link or other.meta
    return style.bgcolor == other.bgcolor and not special
