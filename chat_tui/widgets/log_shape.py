"""How an entry of the log is cut into rows: what stands above its text, the text, what stands below."""

import time
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

from rich.cells import cell_len
from textual.strip import Strip

from chat_tui.state.emoji import picture
from chat_tui.state.entries import (
    ACTION,
    DAY,
    DELETED,
    EDITED,
    FAILED,
    HEAD,
    HERE,
    HIDDEN,
    MENTION,
    NOTICE,
    PINNED,
    RETURNING,
    UNSURE,
    Entry,
    Waiting,
    reply_of,
)
from chat_tui.state.markup import Block, Kind, Mark, addresses, plain, read
from chat_tui.state.timeline import Timeline
from chat_tui.widgets.log_grid import Grid, fit
from chat_tui.widgets.log_wrap import cut, wrap

ROW = 4096
"""Selection counts an entry's characters row by row, each row as this many: more than any terminal has columns."""
BAR = 2
"""Cells left of a quote or of code: a bar and a space."""
_EDITED, _PINNED = " (edited)", " ◆\N{NO-BREAK SPACE}pinned"
_DELETED = "message deleted"
_HIDDEN = "hidden"


class Line(NamedTuple):
    """A row of text."""

    start: int
    end: int
    indent: int = 0
    """Cells left of it, within the column of text."""
    block: Block | None = None
    """The quote or code that it belongs to."""


class Part(Enum):
    """What a row is that is not text."""

    BLANK = auto()
    KEPT = auto()
    DAY = auto()
    NEW = auto()
    NAME = auto()
    QUOTE = auto()
    REACTIONS = auto()
    THREAD = auto()
    REASON = auto()


_SEPARATES = (Part.BLANK, Part.KEPT, Part.DAY, Part.NEW)


class Reaction(NamedTuple):
    """What some people reacted with."""

    name: str
    text: str
    mine: bool


class Extra(NamedTuple):
    """A row that is not text."""

    part: Part
    text: str = ""
    """Its words; of a name the time, if that is shown; of a quote the name of who is quoted."""
    quoted: str = ""
    reactions: tuple[Reaction, ...] = ()


class Tail(NamedTuple):
    """Words after the text that are not its writer's."""

    start: int
    end: int
    flag: int
    """EDITED or PINNED."""


class Shape:
    """How an entry is cut into rows on one grid."""

    __slots__ = (
        "above",
        "below",
        "body",
        "entry",
        "first",
        "flags",
        "lines",
        "lit",
        "marks",
        "me",
        "reply",
        "rows",
        "tail",
        "text",
    )

    def __init__(self, entry: Entry, before: Entry | None, grid: Grid, timeline: Timeline) -> None:
        """Cut an entry.

        Args:
            entry: to be shown.
            before: the one above it, None for the first.
            grid: where things stand.
            timeline: which knows what an entry quotes, and who I am.
        """
        self.entry = entry
        self.flags = _shown_flags(entry.flags)
        self.me = (timeline.my_name or "").casefold()
        """My name: where it is called, it looks like mine."""
        self.reply = reply_of(entry)
        """The message that is quoted above it; 0 for none."""
        if self.reply == timeline.thread or entry.flags & (DELETED | HIDDEN):
            self.reply = 0
        text, self.marks, blocks = _marked(entry, self.flags)
        self.body = len(text)
        """Characters of the text that are its writer's: the rest says what became of it."""
        self.tail: list[Tail] = []
        if self.flags & (EDITED | PINNED):
            text, blocks = self._tell(text, list(blocks))
        self.text = text
        # Any number of hidden messages is one line.
        again = before is not None and folds(entry, before)
        self.lines = [] if again else _lines(text, blocks, grid.text_width)
        self.above = _above(self, before, grid, timeline)
        self.first = sum(row.part in _SEPARATES for row in self.above)
        """The first row that is the message's own: what stands above it separates."""
        self.below = _below(entry, grid, timeline)
        self.rows: list[Strip | None] = [None] * (len(self.above) + len(self.lines) + len(self.below))
        """Those drawn so far."""
        self.lit: dict[int, Strip] = {}
        """Those drawn while the message had the focus."""

    def __len__(self) -> int:
        return len(self.rows)

    def _tell(self, text: str, blocks: list[Block]) -> tuple[str, list[Block]]:
        """Say at the end of the text that it was edited or is pinned."""
        *most, last = blocks
        if last.kind is Kind.CODE:
            text += "\n"
            most, last = blocks, Block(len(text), len(text))
        for flag, words in ((EDITED, _EDITED), (PINNED, _PINNED)):
            if self.flags & flag:
                words = words if last.end > last.start else words.lstrip()
                self.tail.append(Tail(len(text), len(text) + len(words), flag))
                text += words
                last = last._replace(end=len(text))
        return text, [*most, last]

    # What a selection means.

    def character(self, x: int, grid: Grid) -> int:
        """Return which character of the text a selection's `x` means; -1 for what stands before the text."""
        row, column = divmod(x, ROW)
        number = row - len(self.above)
        if number >= len(self.lines):
            return len(self.text)
        before = self.characters_before(grid) if number == 0 else grid.text_at
        if number < 0 or (number == 0 and column < before):
            return -1
        line = self.lines[number]
        return min(line.end, line.start + max(0, column - before - line.indent))

    def characters_before(self, grid: Grid) -> int:
        """Return how many characters stand before the first line of text: one a cell, but for a name."""
        if not grid.nick or self.reply or not self.flags & HEAD or self.flags & (ACTION | NOTICE):
            return grid.text_at
        name = fit(self.entry.name, grid.nick)
        return grid.text_at - cell_len(name) + len(name)

    def copied(self, start: int, end: int) -> str:
        """Return the text from `start` to `end`; all of a message as it was written.

        Where `start` is -1, time and name stand before it if they are shown.
        """
        whole = start <= 0 and end >= self.body and not self.flags & (ACTION | DELETED | HIDDEN)
        text = self.entry.text if whole else self.text[max(0, start) : max(0, min(end, self.body))]
        if start >= 0 or self.flags & NOTICE or not self.flags & HEAD:
            return text
        who = "*" if self.flags & ACTION else f"{self.entry.name}:"
        return f"{clock(self.entry.time)} {who} {text}"


def folds(entry: Entry, before: Entry) -> bool:
    """Say whether an entry is hidden behind the line that stands for the one before it."""
    return bool(entry.flags & before.flags & HIDDEN) and not entry.flags & DAY


def _shown_flags(flags: int) -> int:
    """Return what an entry is to the eye: what is gone was done by nobody, what is hidden is a line of our own."""
    if flags & HIDDEN:
        return flags & ~(ACTION | EDITED | HERE | MENTION | PINNED) | NOTICE
    return flags & ~ACTION if flags & DELETED else flags


def _marked(entry: Entry, flags: int) -> tuple[str, Sequence[Mark], Sequence[Block]]:
    """Return what an entry says, as it is shown."""
    if flags & (DELETED | HIDDEN):
        words = _HIDDEN if flags & HIDDEN else _DELETED
        return words, (), (Block(0, len(words)),)
    if flags & NOTICE:
        return entry.text, addresses(entry.text), (Block(0, len(entry.text)),)
    if not flags & ACTION:
        return read(entry.text)
    text, marks, _ = read(entry.text, blocks=False)
    shift = len(entry.name) + 1
    text = f"{entry.name} {text}"
    marks = [mark._replace(start=mark.start + shift, end=mark.end + shift) for mark in marks]
    return text, marks, (Block(0, len(text)),)


def _lines(text: str, blocks: Sequence[Block], width: int) -> list[Line]:
    """Cut a text into lines, each block by its own rule."""
    if len(blocks) == 1 and blocks[0].kind is Kind.TEXT:
        return [Line(start, end) for start, end in wrap(text, width)]
    lines: list[Line] = []
    for block in blocks:
        start, end, kind, hang, _ = block
        match kind:
            case Kind.CODE:
                spans = cut(text[start:end], max(2, width - BAR))
                lines += [Line(start + from_, start + to, BAR, block) for from_, to in spans]
            case Kind.QUOTE:
                spans = wrap(text[start:end], max(2, width - BAR))
                lines += [Line(start + from_, start + to, BAR, block) for from_, to in spans]
            case _:
                spans = wrap(text[start + hang : end], max(2, width - hang))
                lines += [Line(start + hang + from_, start + hang + to, hang) for from_, to in spans]
                if hang:  # what marks an item stands in its first line
                    lines[-len(spans)] = Line(start, start + hang + spans[0][1])
    return lines


def _above(shape: Shape, before: Entry | None, grid: Grid, timeline: Timeline) -> list[Extra]:
    """Return what stands above an entry's text."""
    entry, flags = shape.entry, shape.flags
    rows = []
    if before is None and timeline.kept and not timeline.more:
        rows = [Extra(Part.KEPT, timeline.kept[start:end]) for start, end in wrap(timeline.kept, grid.width - 4)]
    if flags & DAY:
        day = Extra(Part.DAY, _day(entry.time))
        rows += [day] if not grid.nick else [_BLANK, day, _BLANK] if before or rows else [day, _BLANK]
    if timeline.new_from == entry.seq and not entry.flags & NOTICE and not isinstance(entry, Waiting):
        rows.append(Extra(Part.NEW, clock(entry.time)))
    if not grid.nick and flags & HEAD and not flags & (NOTICE | ACTION):
        same_minute = before is not None and before.time // 60 == entry.time // 60
        rows.append(Extra(Part.NAME, "" if same_minute else clock(entry.time)))
    if shape.reply:
        rows.append(_quote(shape.reply, timeline))
    return rows


_BLANK = Extra(Part.BLANK)


def _quote(seq: int, timeline: Timeline) -> Extra:
    """Return the first words of what is answered; what is not known yet is asked for, and comes by itself."""
    entry = timeline.message(seq)
    if entry is None:
        timeline.want(seq)
        return Extra(Part.QUOTE, "", "…")
    if entry.flags & DELETED:
        return Extra(Part.QUOTE, "", "a deleted message")
    if entry.flags & HIDDEN:
        return Extra(Part.QUOTE, "", "someone you blocked")
    return Extra(Part.QUOTE, entry.name, plain(entry.text))


def _below(entry: Entry, grid: Grid, timeline: Timeline) -> list[Extra]:
    """Return what stands below an entry's text."""
    rows: list[Extra] = []
    more = entry.more if not entry.flags & HIDDEN else None
    if more is not None and more.reactions:
        rows += _reactions(more.reactions, timeline.my_user, grid.text_width)
    if more is not None and more.replies and entry.seq != timeline.thread:
        rows.append(Extra(Part.THREAD, f"{more.replies:,} {'reply' if more.replies == 1 else 'replies'}"))
    reason = _reason(entry)
    if reason:
        rows += [Extra(Part.REASON, reason[start:end]) for start, end in wrap(reason, grid.text_width)]
    return rows


def _reactions(reactions: dict[str, list[int]], me: int | None, width: int) -> Iterator[Extra]:
    """Yield as many rows as it takes, one reaction after the other."""
    row: list[Reaction] = []
    used = 0
    for name, users in reactions.items():
        reaction = Reaction(name, f" {picture(name)} {len(users)} ", me in users)
        cells = cell_len(reaction.text) + 1
        if row and used + cells > width + 1:
            yield Extra(Part.REACTIONS, reactions=tuple(row))
            row, used = [], 0
        row.append(reaction)
        used += cells
    yield Extra(Part.REACTIONS, reactions=tuple(row))


def _reason(entry: Entry) -> str:
    if entry.flags & RETURNING:
        return "Taking it back: the server says whether it came in time."
    if not (isinstance(entry, Waiting) and entry.flags & FAILED):
        return ""
    # Short enough for one line at 40 columns.
    what = "" if entry.flags & UNSURE else "Not sent: "
    return f"{what}{entry.reason.rstrip('.')}.\nAlt+R again · Alt+X takes it back"


def _day(seconds: int) -> str:
    local = time.localtime(seconds)
    year = "" if local.tm_year == time.localtime().tm_year else f" {local.tm_year}"
    return f"{time.strftime('%A', local)} {local.tm_mday} {time.strftime('%B', local)}{year}"


def clock(seconds: int) -> str:
    """Return the local time of day."""
    return time.strftime("%H:%M", time.localtime(seconds))
