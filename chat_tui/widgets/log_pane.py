"""The part of the message log that scrolls and paints: what its keys and clicks mean is in `log`."""

from collections.abc import Callable
from time import monotonic
from weakref import WeakKeyDictionary

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from chat_tui.state.timeline import Timeline
from chat_tui.widgets.log_grid import Grid, Ink
from chat_tui.widgets.log_ink import differences, join_links, mix_ink
from chat_tui.widgets.log_rows import Rows
from chat_tui.widgets.log_view import LogView, nick_width
from chat_tui.widgets.log_wrap import wrap

_FRAME = 1 / 25
"""Seconds between two paintings while messages pour in; the first after a quiet time is painted at once."""
LONGEST, KEPT = 150_000, 100_000
"""Entries of a log that somebody follows for weeks, and of which that many stay then: some 80 MB."""
_REST = 0.05
"""Seconds without a move after which what comes next is drawn ahead."""
_WHEEL = 3
"""Rows that a notch of the mouse wheel moves."""
_NARROW = 60
"""Columns of the screen below which names stand above the text."""
_ROOMY = 84
"""Columns of the log from which long names have more room."""


class LogPane(Widget, can_focus=True):
    """Shows a timeline: only the rows that are seen are ever cut, coloured or drawn."""

    COMPONENT_CLASSES = {
        "log--quiet",
        "log--own",
        "log--error",
        "log--link",
        "log--mention",
        "log--focus",
        "log--floating",
        "log--keyword",
        "log--string",
        "log--number",
    }
    DEFAULT_CSS = """
    LogPane {
        height: 1fr;
        background: $background;
        color: $foreground;
        pointer: text;
        & > .log--quiet { color: $foreground 58%; }
        & > .log--own { color: $accent; }
        & > .log--error { color: $error; }
        & > .log--link { color: $primary; }
        & > .log--mention { background: $accent 13%; }
        & > .log--focus { background: $primary 16%; }
        & > .log--floating { background: $panel; }
        & > .log--keyword { color: $primary; }
        & > .log--string { color: $success; }
        & > .log--number { color: $secondary; }
    }
    """

    newer_below = reactive(0)
    """Messages below the view while it is scrolled up; at least 1 where some exist that are not held."""
    empty_text = reactive("")
    """What an empty log says."""

    class _Asked(Message):
        """Something that is not held is to be fetched."""

        def __init__(self, log: "LogPane") -> None:
            super().__init__()
            self.log = log

        @property
        def control(self) -> "LogPane":
            """The log that asks."""
            return self.log

    class OlderWanted(_Asked, namespace="message_log"):
        """The oldest message held is seen and the server has older ones: `Timeline.oldest` says before which."""

    class NewerWanted(_Asked, namespace="message_log"):
        """The newest message held is seen and the server has newer ones: `Timeline.newest` says after which."""

    class EndWanted(_Asked, namespace="message_log"):
        """The newest message of all is to be shown, and this timeline does not hold it."""

    class Read(Message, namespace="message_log"):
        """The newest message that was seen so far is `seq`; not said of threads and of old times."""

        def __init__(self, timeline: Timeline, seq: int) -> None:
            super().__init__()
            self.timeline = timeline
            self.seq = seq

    def __init__(
        self, timeline: Timeline, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        """Show `timeline`.

        Args:
            timeline: the room's log.
            name: of the widget.
            id: of the widget.
            classes: of the widget.
        """
        super().__init__(name=name, id=id, classes=classes)
        self._timeline = timeline
        self._view: LogView | None = None
        self._strips: list[Strip] | None = None
        self._ink: Ink | None = None
        self._nick = 0
        self._asked_older = self._asked_newer = False
        self._read = 0
        self._painted_at = 0.0
        self._preparing: Timer | None = None
        self._paint_planned = False
        self._places: WeakKeyDictionary[Timeline, tuple[int, int]] = WeakKeyDictionary()
        """Where other timelines had been scrolled to."""

    @property
    def timeline(self) -> Timeline:
        """What is shown."""
        return self._timeline

    @property
    def following(self) -> bool:
        """Whether the newest message is seen, and the view moves on with it."""
        return self._view is None or self._view.following

    def show(self, timeline: Timeline) -> None:
        """Show another timeline: where it had been scrolled to, else at its end."""
        self._stop_listening()
        self._keep_place()
        self._timeline = timeline
        self._view = None
        self._nick = self._read = 0
        self._asked_older = self._asked_newer = False
        if not self.is_mounted:
            return
        self._listen()
        self.screen.clear_selection()
        self._paint()

    def older_answered(self) -> None:
        """Say that nothing more will come for the last `OlderWanted`: reaching the top asks again."""
        self._asked_older = False

    def newer_answered(self) -> None:
        """Say that nothing more will come for the last `NewerWanted`: reaching the end asks again."""
        self._asked_newer = False

    def say(self, make: Callable[[], Message]) -> None:
        """Post a message of the log's own. One that is made while a screen paints or acts would not get past that."""
        self.call_next(lambda: self.post_message(make()))

    # What Textual asks.

    def on_mount(self) -> None:
        """Listen to the timeline."""
        self._listen()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._stop_listening()

    def watch_empty_text(self) -> None:
        """Say it."""
        self._stale()

    def on_resize(self) -> None:
        """Cut what is seen anew."""
        self._nick = 0
        self._stale()

    def notify_style_update(self) -> None:
        """Take up the colours of another theme."""
        super().notify_style_update()
        self._ink = None
        if self._view is not None:
            self._stale()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the rows seen. Strips are kept, and with them what Textual made of them: repainting is cheap."""
        filters = self.get_line_filters()
        background = self.background_colors[1]
        strips = []
        for strip in self._rows_seen()[crop.y : crop.bottom]:
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            join_links(strip)
            strips.append(strip if crop.column_span == (0, self.size.width) else strip.crop(*crop.column_span))
        return strips

    def render_line(self, y: int) -> Strip:
        """Return a row seen, telling whoever selects with the mouse which characters of which entry it holds."""
        rows = self._rows_seen()
        if y >= len(rows):
            return Strip.blank(self.size.width)
        places = self._looked_at().places
        place = y - (len(rows) - len(places))
        return rows[y] if place < 0 else rows[y].apply_offsets(*places[place])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as it was written."""
        text = self._looked_at().copied(selection)
        return (text, "\n") if text else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected now."""
        self._stale()

    # What the mouse does.

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move towards older messages."""
        event.prevent_default().stop()
        self._move_up(_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move towards newer messages."""
        event.prevent_default().stop()
        self._move_down(_WHEEL)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move on while text is selected beyond the first or last row."""
        if self.text_selection is not None and event.button:
            if event.y <= 0:
                self._move_up(1)
            elif event.y >= self.size.height - 1:
                self._move_down(1)

    # What keys do.

    def action_scroll_up(self) -> None:
        """Move one row towards older messages."""
        self._move_up(1)

    def action_scroll_down(self) -> None:
        """Move one row towards newer messages."""
        self._move_down(1)

    def action_page_up(self) -> None:
        """Move a screen towards older messages; two rows stay in sight."""
        self._move_up(max(1, self.size.height - 2))

    def action_page_down(self) -> None:
        """Move a screen towards newer messages; two rows stay in sight."""
        self._move_down(max(1, self.size.height - 2))

    def action_home(self) -> None:
        """Go to the oldest message held."""
        self._looked_at().home()
        self._moved()

    def action_end(self) -> None:
        """Go to the newest message and follow; where it is not held, say that it is wanted."""
        if self._timeline.more_after:
            self.say(lambda: self.EndWanted(self))
            return
        self._looked_at().end()
        self._moved()

    def _move_up(self, rows: int) -> None:
        self._looked_at().up(rows)
        self._moved()
        if self._preparing is not None:
            self._preparing.stop()
        self._preparing = self.set_timer(_REST, self._prepare)

    def _prepare(self) -> None:
        """Draw ahead while nothing moves: who reads upwards goes on with that."""
        self._looked_at().prepare()

    def _move_down(self, rows: int) -> None:
        self._looked_at().down(rows)
        self._moved()

    def _moved(self) -> None:
        self._stale()
        self._rows_seen()
        self._want()

    def _want(self) -> None:
        """Ask for what lies beyond an end that is seen."""
        view, timeline = self._looked_at(), self._timeline
        if view.at_top and timeline.more and not self._asked_older:
            self._asked_older = True
            self.say(lambda: self.OlderWanted(self))
        if view.at_bottom and timeline.more_after and not self._asked_newer:
            self._asked_newer = True
            self.say(lambda: self.NewerWanted(self))

    # How it is painted.

    def _listen(self) -> None:
        self._timeline.listeners.append(self._changed)

    def _stop_listening(self) -> None:
        if self._changed in self._timeline.listeners:
            self._timeline.listeners.remove(self._changed)

    def _changed(self, at: int, removed: int, added: int) -> None:
        """Take in a change of the timeline: at once in the arithmetic, soon on the screen."""
        if added > removed:
            if at == 0:
                self._asked_older = False
            if at + added == len(self._timeline.entries):
                self._asked_newer = False
        if self._view is not None:
            self._view.changed(at, removed, added)
        if not self._paint_planned:
            self._paint_planned = True
            wait = self._painted_at + _FRAME - monotonic()
            first = added == len(self._timeline.entries)  # a room's first page: somebody looks at nothing
            if wait > 0 and not first:
                self.set_timer(wait, self._paint)
            else:
                self.call_next(self._paint)

    def _paint(self) -> None:
        self._paint_planned = False
        self._painted_at = monotonic()
        before, self._strips = self._strips, None
        after = self._rows_seen()
        if before is None or len(before) != len(after):
            self.refresh()
        elif different := differences(before, after, self.background_colors[1].rich_color):
            self.refresh(*different)
        view = self._looked_at()
        if view.at_bottom and view.at_top and not self._timeline.cleared:
            self._want()  # nobody can scroll a log that is shorter than its window
        if view.following and len(self._timeline.entries) > LONGEST and self.text_selection is None:
            self._timeline.trim(KEPT)

    def _stale(self) -> None:
        """Draw all rows anew."""
        self._strips = None
        self.refresh()

    def _keep_place(self) -> None:
        """Remember where the timeline is scrolled to."""
        place = self._view.place() if self._view is not None else None
        if place is None:
            self._places.pop(self._timeline, None)
        else:
            self._places[self._timeline] = place

    def _looked_at(self) -> LogView:
        """Return the view, on the grid that fits its size and names."""
        width, height = self.size
        nick = 0
        if self.app.size.width >= _NARROW:
            # The column of names never shrinks while it is looked at: text would jump.
            least, most = (8, 14) if width >= _ROOMY else (6, 10)
            nick = self._nick = max(self._nick, nick_width(self._timeline, least, most))
        if self._ink is None:
            self._ink = mix_ink(self)
        rows = Rows(Grid(width, nick), self._ink)
        if self._view is None:
            self._view = LogView(self._timeline, rows, height)
            if self._timeline in self._places:
                self._view.go(self._places[self._timeline])
        else:
            self._view.use(rows, height)
        return self._view

    def _rows_seen(self) -> list[Strip]:
        if self._strips is None:
            view = self._looked_at()
            strips = view.fill(self.text_selection, self._selection_style())
            if not self._timeline.entries and self.empty_text:
                strips = self._empty(view.rows)
            self._strips = [*[view.rows.blank()] * (self.size.height - len(strips)), *strips]
            self.newer_below = max(view.newer_below, int(self._timeline.more_after))
            if self.newer_below and self._strips:
                self._strips[-1] = self._floating(view.rows)
            self._say_read(view)
        return self._strips

    def _say_read(self, view: LogView) -> None:
        """Say how far the timeline was seen. What lies between an old time or a thread and now was not."""
        timeline = self._timeline
        if view.read > self._read and not timeline.thread and not timeline.more_after:
            seq = self._read = view.read
            self.say(lambda: self.Read(timeline, seq))

    def _floating(self, rows: Rows) -> Strip:
        count = self.newer_below
        many = "" if self._timeline.more_after else f"{count:,} "
        text = f" ↓ {many}newer message{'s' if count > 1 or not many else ''} · End "
        return rows.centred(text, rows.ink.floating())

    def _empty(self, rows: Rows) -> list[Strip]:
        style = rows.ink.style(rows.ink.quiet)
        width = max(2, min(76, self.size.width - 4))
        lines = [rows.centred(self.empty_text[start:end], style) for start, end in wrap(self.empty_text, width)]
        below = max(0, self.size.height - len(lines)) // 2
        return [*lines, *[rows.blank()] * below]

    def _selection_style(self) -> Style | None:
        if self.text_selection is None:
            return None
        return self.screen.get_component_rich_style("screen--selection")
