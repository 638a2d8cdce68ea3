"""Catching up: everything unread, room by room, on one screen."""

from collections.abc import Awaitable, Callable

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from chat_tui.errors import ClientError
from chat_tui.screens.excerpts import body, head
from chat_tui.screens.search import Place
from chat_tui.state.rooms import Room
from chat_tui.widgets.choices import Choices
from server.protocol import frames

Unread = list[tuple[Room, list[frames.Message]]]

_NAME = 14
"""Cells to which names are padded at most."""
_AROUND, _NARROW = 8, 56
"""Columns beside a message: border, space, scrollbar. Below so many for it, its text stands under its name."""
_DONE = "Nothing unread. You are up to date."


class CatchUpScreen(ModalScreen[Place]):
    """What is unread; ends with the message to go to.

    Args:
        load: asks the server for all of it; raises ClientError.
        read: marks a room as read, by its handle.
        me: my name and user.
        now: seconds since 1970.
    """

    AUTO_FOCUS = "Choices"
    CSS_PATH = "../styles/floating.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]
    BINDINGS = [
        Binding("r", "read", "This room is read", show=False),
        Binding("R", "read_all", "All is read", show=False),
        Binding("j,down", "walk('down')", show=False, priority=True),
        Binding("k,up", "walk('up')", show=False, priority=True),
    ]

    def __init__(
        self,
        load: Callable[[], Awaitable[Unread]],
        read: Callable[[str], None],
        me: tuple[str, int | None],
        now: Callable[[], float],
    ) -> None:
        super().__init__()
        self._load, self._read, self._now = load, read, now
        self._me, self._user = me
        self._unread: Unread = []
        self._list = Choices()
        self._state = Static("Looking…", markup=False, classes="state")

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="floating") as box:
            box.border_title = "Unread"
            box.border_subtitle = "Enter opens · r read · R all read"
            yield self._state
            yield self._list

    def on_mount(self) -> None:
        """Look."""
        self.run_worker(self._look())

    def on_resize(self) -> None:
        """Fit what is listed."""
        if self._unread:
            self._show(self._list.highlighted or 0)

    def on_key(self, event: events.Key) -> None:
        """Escape closes; so does Enter where nothing is left."""
        if event.key == "escape" or (event.key == "enter" and not self._unread):
            event.stop()
            self.dismiss(None)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Go to the message."""
        handle, _, seq = (message.option_id or "").rpartition(" ")
        self.dismiss(Place(handle, int(seq)))

    def action_walk(self, way: str) -> None:
        """Move to the message above or below."""
        getattr(self._list, f"action_cursor_{way}")()

    def action_read(self) -> None:
        """Mark the room of the message as read: it leaves the list."""
        chosen = self._list.highlighted_option
        handle = (chosen.id or "").rpartition(" ")[0] if chosen is not None else ""
        self._mark([room for room, _ in self._unread if room.handle == handle])

    def action_read_all(self) -> None:
        """Mark all that is listed as read."""
        self._mark([room for room, _ in self._unread])

    def _mark(self, rooms: list[Room]) -> None:
        for room in rooms:
            self._read(room.handle)
        at = self._list.highlighted or 0
        self._unread = [(room, messages) for room, messages in self._unread if room not in rooms]
        self._show(at)

    async def _look(self) -> None:
        try:
            self._unread = await self._load()
        except ClientError as error:
            self._state.update(error.message)
            self._state.add_class("-bad")
            return
        self._show(0)

    def _show(self, at: int) -> None:
        """Show what is left, with the message nearest to where one was chosen."""
        options = [option for room, messages in self._unread for option in self._of_room(room, messages)]
        self._list.set_options(options)
        self._state.update(self._words() if options else _DONE)
        if options:
            able = [index for index, option in enumerate(options) if not option.disabled]
            self._list.highlighted = min(able, key=lambda index: abs(index - at))

    def _words(self) -> str:
        rooms = "1 room" if len(self._unread) == 1 else f"{len(self._unread)} rooms"
        return f"{rooms} with something new"

    def _of_room(self, room: Room, messages: list[frames.Message]) -> list[Option]:
        label = room.label(self._me)
        title = [f"{'@' if room.kind == 'direct' else '#'} {label}", f"  {room.unread} unread"]
        named = f" · @{room.mentions}" if room.mentions and room.kind != "direct" else ""
        options = [
            Option(
                Content.assemble((title[0], "bold"), (title[1], "$foreground 60%"), (named, "bold $accent")),
                disabled=True,
            )
        ]
        names = max((cell_len(message.sender) for message in messages), default=0)
        lines = (self._line(message, min(names, _NAME)) for message in messages)
        options += [Option(line, f"{room.handle} {message.seq}") for line, message in zip(lines, messages, strict=True)]
        left = room.unread - sum(message.user != self._user for message in messages)
        if left > 0:
            options.append(Option(Content.styled(f"  and {left} more in the room", "$foreground 60%"), disabled=True))
        options.append(Option("", disabled=True))
        return options

    def _line(self, message: frames.Message, names: int) -> Content:
        """Return a message on two lines at most, its text in a column of its own; `names` is the width of names."""
        named = message.here or self._user in message.mentions
        mark = ("@ ", "bold $accent") if named else "  "
        left = self.size.width - _AROUND
        if left < _NARROW:
            first = Content.assemble(mark, head(message, self._now()), "\n  ")
            indent = 2
        else:
            first = Content.assemble(mark, head(message, self._now(), names=names), "  ")
            indent = first.cell_length
        lines = body(message, 2 * (left - indent)).wrap(left - indent)
        if len(lines) > 2:
            lines[1] = lines[1].truncate(left - indent - 1).rstrip() + "…"
        return first + Content("\n" + " " * indent).join(lines[:2])
