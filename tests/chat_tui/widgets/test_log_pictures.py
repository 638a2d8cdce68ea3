"""Pictures of all that a message can look like: see tests/chat_tui/test_pictures.py for how to take changes in."""

import time
from typing import Any

import pytest
from rich.color import Color as RichColor
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App, ComposeResult
from textual.color import Color

from chat_tui.state.entries import Entry
from chat_tui.state.timeline import Timeline
from chat_tui.themes import READABLE, THEMES, contrast
from chat_tui.widgets.log import MessageLog
from server.protocol import frames

NINE = 1_795_251_600.0
"""2026-11-21 09:00:00 UTC."""


class Svg(SingleFileSnapshotExtension):
    """One SVG file a picture."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


class Host(App[None]):
    """An app that is a log."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, timeline: Timeline, theme: str) -> None:
        super().__init__()
        self.chat = MessageLog(timeline)
        self._its_theme = theme

    def compose(self) -> ComposeResult:
        """Nothing but a log."""
        yield self.chat

    def on_mount(self) -> None:
        """In the colours asked for."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._its_theme


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """At any desk, in a terminal of all colours."""
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()


_CODE = """> it *never* worked on Mondays
until now:
```python
def due(day: int) -> bool:
    # Mondays are 0
    return day in RUNS and not MODE[day] == "off"  # a line that is too long for any narrow terminal
```"""
_LIST = """I did, at last — @bob please check:
- first the **tag**, which is a longer item than the others and so goes on below itself
- then #release
1. and _only_ then the rest"""


def morning(thread: int = 0) -> Timeline:
    """Return a log with all that can stand in one."""
    timeline = Timeline("general", thread)
    timeline.my_user, timeline.my_name = 1, "alice"

    def said(seq: int, after: int, user: int, sender: str, text: str, **more: Any) -> frames.Message:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(NINE + after))
        return frames.Message(seq=seq, room="general", user=user, sender=sender, time=stamp, text=text, **more)

    reactions = {"tada": [1, 3], "thumbsup": [2, 3, 4, 5], "eyes": [6]}
    nightly = "The **nightly** is green again; see `make nightly` and [the log](https://ci.lab.example/nightly/77)"
    messages = [
        said(1, 0, 2, "bob", nightly, replies=3, rev=9, reactions=reactions),
        said(2, 70, 3, "carol", "nice. who merged the fix?", reply=1, thread=1),
        said(3, 80, 3, "carol", _CODE, edited=True, rev=10),
        said(4, 300, 1, "alice", _LIST, reply=2, thread=1, rev=11, pinned=True),
        said(5, 320, 4, "李雷", "", deleted=True, rev=12),
        said(6, 400, 3, "carol", "waves at @alice", me=True),
        said(7, 700, 2, "bob", "@alice please check `v1.2`, too", reply=90, thread=90, mentions=[1]),
        said(8, 760, 2, "bob", "see chat://chat.lab:7373/dev/42 or https://example.org/a_(b)"),
    ]
    timeline.quotes[90] = Entry(90, 0, "a.long.name", "what was said **long ago**, and was fetched for its quote alone")
    if thread:
        messages = [message for message in messages if thread in (message.seq, message.thread)]
    timeline.add_page(frames.History(room="general", messages=messages, more=False, as_of=12))
    timeline.open(6, 8)
    timeline.came_in(["dave"], NINE + 800)
    timeline.pend(1, "checking", NINE + 800, reply=2 if thread else 8)
    return timeline


@pytest.mark.parametrize(
    ("size", "theme", "focus"),
    [
        ((120, 32), "chat-dark", 0),
        ((120, 32), "chat-light", 3),
        ((80, 36), "chat-light", 4),
        ((80, 36), "chat-dark", 7),
        ((80, 36), "ansi-dark", 1),
        ((40, 48), "chat-dark", 3),
    ],
)
async def test_messages(snapshot: SnapshotAssertion, size: tuple[int, int], theme: str, focus: int) -> None:
    """Markdown, code, quotes, reactions, a thread, edited, deleted, pinned, new, and one that has the focus."""
    app = Host(morning(), theme)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        if focus:
            app.chat.focus_on(focus)
        await pilot.pause()
        await pilot.pause()
        assert app.export_screenshot() == snapshot(extension_class=Svg)


async def test_a_thread(snapshot: SnapshotAssertion) -> None:
    """What answers its first message has no quote."""
    app = Host(morning(thread=1), "chat-dark")
    async with app.run_test(size=(80, 20)) as pilot:
        await pilot.pause()
        await pilot.pause()
        assert app.export_screenshot() == snapshot(extension_class=Svg)


@pytest.mark.parametrize("theme", ["chat-dark", "chat-light", "solarized-light", "dracula"])
@pytest.mark.parametrize("focus", [0, 3, 4, 7])
async def test_everything_can_be_read(theme: str, focus: int) -> None:
    """On its own background, whatever the theme and whichever message has the focus."""
    app = Host(morning(), theme)
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        if focus:
            app.chat.focus_on(focus)
        await pilot.pause()
        for number in range(40):
            for text, style, _ in app.chat.render_line(number):
                if text.isspace():
                    continue
                assert style is not None
                assert style.color is not None
                assert style.bgcolor is not None
                ratio = contrast(_color(style.color), _color(style.bgcolor))
                assert ratio >= READABLE - 0.01, f"{text!r}: {ratio:.2f}"


def _color(color: RichColor) -> Color:
    return Color.from_rich_color(color)
