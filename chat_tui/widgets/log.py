"""The message log."""

from contextlib import suppress
from time import monotonic
from zlib import crc32

from rich.color import Color as RichColor
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from chat_tui.state.timeline import Timeline
from chat_tui.themes import readable
from chat_tui.widgets.log_grid import Grid, Ink
from chat_tui.widgets.log_rows import Rows
from chat_tui.widgets.log_view import LogView, nick_width
from chat_tui.widgets.log_wrap import wrap

_FRAME = 1 / 25
"""Seconds between two paintings while messages pour in; the first after a quiet time is painted at once."""
_WHEEL = 3
"""Rows that a notch of the mouse wheel moves."""
_NARROW = 60
"""Columns of the screen below which names stand above the text."""
_ROOMY = 84
"""Columns of the log from which long names have more room."""


class MessageLog(Widget, can_focus=True):
    """Shows a timeline: only the rows that are seen are ever cut, coloured or drawn."""

    COMPONENT_CLASSES = {
        "log--quiet",
        "log--own",
        "log--error",
        "log--link",
        "log--mention",
        "log--floating",
    }
    DEFAULT_CSS = """
    MessageLog {
        height: 1fr;
        background: $background;
        color: $foreground;
        pointer: text;
        & > .log--quiet { color: $foreground 58%; }
        & > .log--own { color: $accent; }
        & > .log--error { color: $error; }
        & > .log--link { color: $primary; }
        & > .log--mention { background: $accent 13%; }
        & > .log--floating { background: $panel; }
    }
    """

    newer_below = reactive(0)
    """Messages below the view while it is scrolled up."""
    empty_text = reactive("")
    """What an empty log says."""

    class OlderWanted(Message):
        """The oldest message held is seen and the server has older ones: `Timeline.oldest` says before which."""

        def __init__(self, log: "MessageLog") -> None:
            super().__init__()
            self.log = log

        @property
        def control(self) -> "MessageLog":
            """The log that asks."""
            return self.log

    class LinkOpened(Message):
        """A link was clicked."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

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
        self._asked_older = False
        self._painted_at = 0.0
        self._paint_planned = False

    @property
    def timeline(self) -> Timeline:
        """What is shown."""
        return self._timeline

    @property
    def following(self) -> bool:
        """Whether the newest message is seen, and the view moves on with it."""
        return self._view is None or self._view.following

    def show(self, timeline: Timeline) -> None:
        """Show another room, at its end."""
        self.on_unmount()
        self._timeline = timeline
        self._view = None
        self._nick = 0
        self._asked_older = False
        if not self.is_mounted:
            return
        self.on_mount()
        self.screen.clear_selection()
        self._paint()

    def older_answered(self) -> None:
        """Say that nothing more will come for the last `OlderWanted`: reaching the top asks again."""
        self._asked_older = False

    # What Textual asks.

    def on_mount(self) -> None:
        """Listen to the timeline."""
        self._timeline.listeners.append(self._changed)

    def on_unmount(self) -> None:
        """Stop listening."""
        if self._changed in self._timeline.listeners:
            self._timeline.listeners.remove(self._changed)

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
            _join_links(strip)
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

    def on_click(self, event: events.Click) -> None:
        """Open a link; go to the end by what says how many wait there; select a message by a double click."""
        if self.newer_below and event.y == self.size.height - 1:
            self.action_end()
        elif event.chain > 1:
            event.prevent_default()  # which would select the whole log
            widget, place = self.screen.get_widget_and_offset_at(*event.screen_offset)
            if widget is self and place is not None:
                self.screen.selections = {self: self._looked_at().whole(place.y)}
        elif event.style.link and self.text_selection is None:
            self.post_message(self.LinkOpened(event.style.link))

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
        """Go to the newest message and follow."""
        self._looked_at().end()
        self._moved()

    action_scroll_home = action_home
    action_scroll_end = action_end

    def _move_up(self, rows: int) -> None:
        self._looked_at().up(rows)
        self._moved()

    def _move_down(self, rows: int) -> None:
        self._looked_at().down(rows)
        self._moved()

    def _moved(self) -> None:
        self._stale()
        self._rows_seen()
        self._want_older()

    def _want_older(self) -> None:
        view = self._looked_at()
        if view.at_top and self._timeline.more and not self._asked_older:
            self._asked_older = True
            self.post_message(self.OlderWanted(self))

    # How it is painted.

    def _changed(self, at: int, removed: int, added: int) -> None:
        """Take in a change of the timeline: at once in the arithmetic, soon on the screen."""
        if at == 0 and added > removed:
            self._asked_older = False
        if self._view is not None:
            self._view.changed(at, removed, added)
        if not self._paint_planned:
            self._paint_planned = True
            wait = self._painted_at + _FRAME - monotonic()
            if wait > 0:
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
        elif different := _differences(before, after, self.background_colors[1].rich_color):
            self.refresh(*different)
        view = self._looked_at()
        if view.following and view.at_top and not self._timeline.cleared:
            self._want_older()  # nobody can scroll a log that is shorter than its window

    def _stale(self) -> None:
        """Draw all rows anew."""
        self._strips = None
        self.refresh()

    def _looked_at(self) -> LogView:
        """Return the view, on the grid that fits its size and names."""
        width, height = self.size
        nick = 0
        if self.app.size.width >= _NARROW:
            # The column of names never shrinks while it is looked at: text would jump.
            least, most = (8, 14) if width >= _ROOMY else (6, 10)
            nick = self._nick = max(self._nick, nick_width(self._timeline, least, most))
        if self._ink is None:
            self._ink = self._mix_ink()
        rows = Rows(Grid(width, nick), self._ink)
        if self._view is None:
            self._view = LogView(self._timeline, rows, height)
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
            self.newer_below = view.newer_below
            if self.newer_below and self._strips:
                self._strips[-1] = self._floating(view.rows)
        return self._strips

    def _floating(self, rows: Rows) -> Strip:
        count = self.newer_below
        text = f" ↓ {count:,} newer message{'s' if count > 1 else ''} · End "
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

    def _mix_ink(self) -> Ink:
        background = self.background_colors[1]
        foreground = self.styles.color

        def color(name: str) -> Color:
            own = self.get_component_styles(f"log--{name}").color
            return own if own.ansi is not None else background + own

        def behind(name: str) -> Color:
            own = self.get_component_styles(f"log--{name}").background
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
            pill=behind("floating"),
            dark=self.app.current_theme.dark,
        )


def _differences(before: list[Strip], after: list[Strip], background: RichColor) -> list[Region]:
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


def _join_links(strip: Strip) -> None:
    """Give all parts of a link one OSC 8 id, so that a terminal underlines them as one.

    Rich numbers each style anew and offers no other way. Where it no longer has this attribute, each row is a link of
    its own, which leads to the same place.
    """
    for _, style, _ in strip:
        if style is not None and style.link:
            with suppress(AttributeError):
                style._link_id = f"{crc32(style.link.encode()):x}"
