"""What part of a timeline is seen, and how that part moves. Nothing here depends on how much is not seen."""

from collections.abc import Iterator

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from chat_tui.state.entries import NOTICE, Entry, Waiting
from chat_tui.state.timeline import Timeline
from chat_tui.widgets.log_rows import Rows
from chat_tui.widgets.log_shape import ROW, Shape, folds
from chat_tui.widgets.log_wrap import Span

_KEPT = 128
"""Shapes remembered: what was seen lately. Drawing one anew costs less than keeping many in the collector's way."""
_SEAM = 64
"""How many entries may look different after older ones came above them: a group of messages, mostly one."""
_RECENT = 200
"""Messages whose names decide how wide the column of names is."""


class LogView:
    """A window of `height` rows on a timeline.

    It is held in place by an entry, `top`, and how many of its rows lie above the window; or it follows the end. So
    no other entry's height has to be known: adding, paging in and resizing cost the same in any log.
    """

    def __init__(self, timeline: Timeline, rows: Rows, height: int) -> None:
        self.timeline = timeline
        self.rows = rows
        self.height = height
        self.following = True
        """The window shows the end, and moves on with it: not where newer messages exist that are not held."""
        self.top = 0
        """The first entry seen."""
        self.skip = 0
        """Its rows above the window."""
        self.seen = range(0)
        """Indexes of the entries in the window, as of the last `fill`."""
        self.places: list[tuple[int, int]] = []
        """What a selection calls the start of each row in the window, as of the last `fill`: x counts the characters
        of an entry, row by row, y the entries."""
        self.read = 0
        """The newest message whose text is in the window, as of the last `fill`; 0 for none."""
        self.focus: int | None = None
        """The message that has the focus."""
        self._shapes: dict[int, Shape] = {}
        self._holds_focus = False
        """Following, with the focus in the window."""
        # An entry's index plus this never changes by paging in older ones: what is remembered stays valid.
        self._origin = 0

    # What it looks like.

    def use(self, rows: Rows, height: int) -> None:
        """Show on another grid, in other colours or in another height; the first entry seen stays where it is."""
        if rows.grid != self.rows.grid or rows.ink != self.rows.ink:
            self._shapes.clear()
            self.skip = 0
        self.rows = rows
        self.height = height

    def changed(self, at: int, removed: int, added: int) -> None:
        """Take in that the timeline changed (see `Listener`). What is seen stays where it is."""
        more = added - removed
        # An entry's rows depend on it and on the one before it.
        held = None if self.following or not at <= self.top <= at + removed else self._text_row()
        if at == 0 and more > 0 and removed <= _SEAM:
            # Older messages above all others: of these only the first few may look different now.
            for key in range(self._origin, self._origin + removed + 1):
                self._shapes.pop(key, None)
            self._origin -= more
        elif removed or at + added < len(self.timeline.entries):
            for key in [key for key in self._shapes if key >= at + self._origin]:
                del self._shapes[key]
        if self.top >= at + removed or (self.top >= at and more >= 0):
            self.top += more
        elif self.top > at:
            self.top = at
        if self.top >= len(self.timeline.entries):
            self.following = True
        elif held is not None:
            self._hold(held)

    def fill(self, selection: Selection | None = None, style: Style | None = None) -> list[Strip]:
        """Return the rows that the window shows, the last at the end; fewer where the log is shorter."""
        if self.following or self._rows_below() <= self.height:
            self._find_end()
            self.following = not self.timeline.more_after
            focus = self.focus_index()
            if self._holds_focus and focus is not None and self._is_above(focus):
                # Newer messages push out what has the focus: it stays, and following ends for it.
                self.top, self.skip, self.following = focus, 0, False
        strips = list(self._draw(selection, style))
        focus = self.focus_index()
        self._holds_focus = self.following and focus is not None and focus in self.seen
        if len(self._shapes) > _KEPT:
            seen = range(self.seen.start + self._origin, self.seen.stop + self._origin)
            self._shapes = {key: shape for key, shape in self._shapes.items() if key in seen}
        return strips

    def _text_row(self) -> int:
        """Return how many rows of the first entry's text lie above the window; negative for rows above its text."""
        shape = self._shapes.get(self.top + self._origin)
        return 0 if shape is None else self.skip - len(shape.above)

    def _hold(self, text_row: int) -> None:
        """Move the window so that the first entry's text stands where it stood, whatever is above it now."""
        self.skip = len(self.shape(self.top).above) + text_row
        if self.skip < 0:
            rows, self.skip = -self.skip, 0
            self.up(rows)

    def _draw(self, selection: Selection | None, style: Style | None) -> Iterator[Strip]:
        self.places.clear()
        self.read = 0
        focus = self.focus_index()
        left = self.height
        index, skip = self.top, self.skip
        while left > 0 and index < len(self.timeline.entries):
            shape = self.shape(index)
            for number in range(skip, min(len(shape), skip + left)):
                self.places.append((number * ROW, index + self._origin))
                yield self._strip(index, shape, number, selection, style, index == focus)
            if len(shape.above) < skip + left and is_message(shape.entry):
                self.read = shape.entry.seq
            left -= len(shape) - skip
            index, skip = index + 1, 0
        self.seen = range(self.top, index)

    def _find_end(self) -> None:
        """Put the window on the last rows."""
        index, rows = len(self.timeline.entries), 0
        while rows < self.height and index:
            index -= 1
            rows += len(self.shape(index))
        self.top, self.skip = index, max(0, rows - self.height)

    def _rows_below(self) -> int:
        """Return how many rows there are from the window's first on, counting no further than one past the window."""
        rows = -self.skip
        for index in range(self.top, len(self.timeline.entries)):
            rows += len(self.shape(index))
            if rows > self.height:
                break
        return rows

    def shape(self, index: int) -> Shape:
        """Return how an entry is cut into rows."""
        shape = self._shapes.get(index + self._origin)
        if shape is None:
            shape = self._shapes[index + self._origin] = self._new_shape(index)
        return shape

    def _new_shape(self, index: int) -> Shape:
        entries = self.timeline.entries
        return Shape(entries[index], entries[index - 1] if index else None, self.rows.grid, self.timeline)

    def _strip(
        self, index: int, shape: Shape, number: int, selection: Selection | None, style: Style | None, focused: bool
    ) -> Strip:
        selected = self._selected(shape, index + self._origin, selection)
        if selected:
            return self.rows.row(shape, number, selected, style, focused)
        if focused:
            if number not in shape.lit:
                shape.lit[number] = self.rows.row(shape, number, focused=True)
            return shape.lit[number]
        strip = shape.rows[number]
        if strip is None:
            strip = shape.rows[number] = self.rows.row(shape, number)
        return strip

    # How it moves.

    def up(self, rows: int) -> None:
        """Move towards older messages."""
        if self.following:
            self._find_end()
        if rows <= 0 or (self.top == 0 and self.skip == 0):
            return
        self.following = False
        while rows > self.skip and self.top:
            rows -= self.skip
            self.top -= 1
            self.skip = len(self.shape(self.top))
        self.skip = max(0, self.skip - rows)

    def prepare(self) -> None:
        """Draw what the next page up shows, and keep it."""
        index, end, left = self.top, self.skip, self.height
        while not self.following and left > 0:
            shape = self.shape(index)
            for number in range(max(0, end - left), end):
                self._strip(index, shape, number, None, None, False)
            left -= end
            if not index:
                break
            index -= 1
            end = len(self.shape(index))

    def down(self, rows: int) -> None:
        """Move towards newer messages; at the end, follow it."""
        if self.following:
            return
        self.skip += rows
        while self.top < len(self.timeline.entries) - 1 and self.skip >= len(self.shape(self.top)):
            self.skip -= len(self.shape(self.top))
            self.top += 1

    def home(self) -> None:
        """Move to the oldest message held."""
        if self.timeline.entries:
            self.following = False
            self.top = self.skip = 0

    def end(self) -> None:
        """Move to the newest message, and follow."""
        self.following = True

    # What has the focus.

    def focus_index(self) -> int | None:
        """Return the index of the message that has the focus, if it is held."""
        return None if self.focus is None else self.timeline.index_of(self.focus)

    def next_message(self, index: int, step: int) -> int | None:
        """Return the index of the nearest message above (-1) or below (1) an index; None where there is none."""
        entries = self.timeline.entries
        index += step
        while 0 <= index < len(entries):
            if is_message(entries[index]) and not self._folded(index):
                return index
            index += step
        return None

    def first_of(self, index: int) -> int:
        """Return the index of the entry that is shown for one: of hidden messages, the first of those next to it."""
        while self._folded(index):
            index -= 1
        return index

    def _folded(self, index: int) -> bool:
        entries = self.timeline.entries
        return index > 0 and folds(entries[index], entries[index - 1])

    def reveal(self, index: int, *, middle: bool = False) -> None:
        """Move as little as it takes to see an entry whole, or at least its beginning.

        Args:
            index: of the entry.
            middle: where it is not seen at all, bring it to the middle: its neighbours matter as well.
        """
        if self.following:
            self._find_end()
        seen = self.height - (not self.following)  # what floats over the log hides its last row
        rows = len(self.shape(index))
        if self._is_above(index):
            above = 0
        elif self._rows_to(index, seen) > seen:
            above = max(0, seen - rows)
        else:
            return
        self.top, self.following = index, False
        # In a window of few rows what separates a message from others gives way to it.
        self.skip = max(0, self.shape(index).first + 2 - self.height)
        self.up(max(0, self.height - rows) // 2 if middle else above)

    def _is_above(self, index: int) -> bool:
        """Whether an entry begins above the window: a separator alone may."""
        hidden = self.skip if index == self.top else 0
        return index < self.top or hidden > self.shape(index).first

    def _rows_to(self, index: int, most: int) -> int:
        """Return how many rows there are from the window's first to an entry's end, counting little past `most`."""
        rows = -self.skip
        for number in range(self.top, index + 1):
            rows += len(self.shape(number))
            if rows > most:
                break
        return rows

    # Where it stands, to come back to.

    def place(self) -> tuple[int, int] | None:
        """Return what holds the window: a message's seq and its rows above the window; None where it follows."""
        if self.following or not self.timeline.entries:
            return None
        index = self.top if is_message(self.timeline.entries[self.top]) else self.next_message(self.top, -1)
        if index is None:
            return None
        return self.timeline.entries[index].seq, self.skip if index == self.top else 0

    def go(self, place: tuple[int, int]) -> None:
        """Return to where the window stood once, if that is still held."""
        index = self.timeline.index_of(place[0])
        if index is not None:
            self.following = False
            self.top, self.skip = index, max(0, min(place[1], len(self.shape(index)) - 1))

    @property
    def at_bottom(self) -> bool:
        """Whether the newest message held is seen, as of the last `fill`."""
        return self.seen.stop >= len(self.timeline.entries)

    def entry_at(self, row: int) -> Entry | None:
        """Return the entry that a row of the window belongs to, counted from the last one up: 0 is the last."""
        if not 0 <= row < len(self.places):
            return None
        return self.timeline.entries[self.places[-1 - row][1] - self._origin]

    @property
    def at_top(self) -> bool:
        """Whether the oldest message held is seen, or nearly."""
        return self.top == 0 and self.skip < self.height

    @property
    def newer_below(self) -> int:
        """Messages below the window."""
        if self.following:
            return 0
        return self.timeline.messages_between(self.seen.stop, len(self.timeline.entries))

    # What is selected.

    def _selected(self, shape: Shape, y: int, selection: Selection | None) -> Span | None:
        """Return which characters of an entry are selected; -1 as the start for its time and name, too."""
        span = selection.get_span(y) if selection else None
        if span is None or selection is None:
            return None
        grid = self.rows.grid
        starts_here = selection.start is not None and selection.start.y == y
        start = shape.character(span[0], grid) if starts_here else -1
        end = len(shape.text) if span[1] == -1 else shape.character(span[1], grid)
        return (start, end) if end > max(start, 0) or (start < 0 <= end) else None

    def copied(self, selection: Selection) -> str:
        """Return the selected text, an entry a line, as it was written: without columns, wrapping and padding."""
        first = 0 if selection.start is None else selection.start.y - self._origin
        last = len(self.timeline.entries) - 1 if selection.end is None else selection.end.y - self._origin
        lines = []
        for index in range(max(0, first), min(last, len(self.timeline.entries) - 1) + 1):
            shape = self._new_shape(index)  # not remembered: the selection may be long
            span = self._selected(shape, index + self._origin, selection)
            if span:
                lines.append(shape.copied(*span))
        return "\n".join(lines)

    def whole(self, y: int) -> Selection:
        """Return the selection of all that the entry at a selection's `y` says."""
        shape = self.shape(y - self._origin)
        start = len(shape.above) * ROW + shape.characters_before(self.rows.grid)
        return Selection(Offset(start, y), Offset(len(shape) * ROW, y))


def is_message(entry: Entry) -> bool:
    """Whether an entry is a message that the server knows, and that can be acted on."""
    return not entry.flags & NOTICE and not isinstance(entry, Waiting)


def nick_width(timeline: Timeline, least: int, most: int) -> int:
    """Return the cells that the longest of the recent names takes, from `least` to `most`."""
    names = {entry.name for entry in timeline.entries[-_RECENT:]}
    return max(least, min(most, max((cell_len(name) for name in names), default=0)))
