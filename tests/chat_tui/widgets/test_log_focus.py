"""Choosing a message by key or mouse, what is done with it, how far was read, and other timelines."""

from time import perf_counter

from textual import on
from textual.app import App, ComposeResult
from textual.events import Key
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from chat_tui.state.timeline import Timeline
from chat_tui.themes import THEMES
from chat_tui.widgets.log import MessageLog
from server.protocol import frames

SIZE = (80, 12)


class Host(App[None]):
    """A log and an input below it."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self.timeline = timeline
        self.chat = MessageLog(timeline)
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        """The input is where one starts."""
        yield self.chat
        yield Input()

    def on_mount(self) -> None:
        """In our colours, writing."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "chat-dark"
        self.query_one(Input).focus()

    @on(MessageLog.Acted)
    @on(MessageLog.Unfocused)
    @on(MessageLog.RoomOpened)
    @on(MessageLog.LinkOpened)
    @on(MessageLog.OlderWanted)
    @on(MessageLog.NewerWanted)
    @on(MessageLog.EndWanted)
    @on(MessageLog.Read)
    def hear(self, message: Message) -> None:
        """Remember."""
        self.heard.append(message)

    def said(self, kind: type[Message]) -> list[Message]:
        """Return what was heard of one kind."""
        return [message for message in self.heard if type(message) is kind]

    @property
    def acts(self) -> list[tuple[str, int, str]]:
        """What is to be done."""
        return [(act.action, act.seq, act.argument) for act in self.heard if isinstance(act, MessageLog.Acted)]

    @property
    def read(self) -> list[int]:
        """How far was read."""
        return [read.seq for read in self.heard if isinstance(read, MessageLog.Read)]

    @property
    def rows(self) -> list[str]:
        """What the log shows."""
        height = self.chat.size.height
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()][:height]

    def row(self, text: str) -> int:
        """Return the row on which a text stands."""
        return next(number for number, row in enumerate(self.rows) if text in row)


def message(seq: int, text: str = "", **more: int) -> frames.Message:
    """Return a message of bob's, a second later than the one before."""
    time = f"2026-11-21T09:{seq // 60:02}:{seq % 60:02}.000Z"
    frame = frames.Message(seq=seq, room="g", user=2, sender="bob", time=time, text=text or f"text {seq}")
    for name, value in more.items():
        setattr(frame, name, value)
    return frame


def log_of(*seqs: int, thread: int = 0, more: bool = False, more_after: bool = False) -> Timeline:
    """Return a log of alice's."""
    log = Timeline("g", thread)
    log.my_user, log.my_name = 1, "alice"
    messages = [message(seq) for seq in seqs]
    log.add_page(frames.History(room="g", messages=messages, more=more, more_after=more_after, as_of=1000))
    log.more_after = more_after
    return log


async def settle(pilot: Pilot[None]) -> None:
    """Let all that is due be done, paintings that were put off included."""
    app = pilot.app
    assert isinstance(app, Host)
    await pilot.pause()
    while app.chat._paint_planned:
        await pilot.pause(0.01)
    await pilot.pause()


async def test_keys_choose_a_message_and_act_on_it() -> None:
    """The newest first, up and down by message; Escape, or going on past the newest, ends it."""
    app = Host(log_of(*range(1, 31)))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.chat.focus()
        app.chat.action_focus_last()
        assert app.chat.focused_message == 30
        await pilot.press("up", "k", "down", "r", "plus", "d")
        assert app.acts == [("reply", 29, ""), ("react", 29, ""), ("delete", 29, "")]
        assert app.rows[app.row("text 29")].startswith("❯")
        assert app.chat.focused_entry is app.timeline.entries[28]
        assert app.chat.following
        await pilot.press("escape")
        assert len(app.said(MessageLog.Unfocused)) == 1
        assert app.chat.focused_message is None
        assert not any(row.startswith("❯") for row in app.rows)
        app.chat.action_focus_last()
        await pilot.press("down")
        assert len(app.said(MessageLog.Unfocused)) == 2


async def test_without_a_message_its_keys_are_letters() -> None:
    """The log has the focus alone where text in it was selected with the mouse: what is typed goes on to the screen."""
    typed: list[str] = []

    class Typed(Host):
        def on_key(self, event: Key) -> None:
            typed.append(event.key)

    app = Typed(log_of(1, 2, 3))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.chat.focus()
        await pilot.press("r", "j", "d")
        assert (typed, app.acts, app.chat.focused_message) == (["r", "j", "d"], [], None)


async def test_the_focus_brings_the_view_along() -> None:
    """Row by row and page by page, and asks for older messages at the top."""
    app = Host(log_of(*range(1, 101), more=True))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.chat.focus()
        app.chat.action_focus_last()
        await pilot.press(*["up"] * 15)
        assert app.chat.focused_message == 85
        assert app.rows[0].startswith("❯")
        assert not app.chat.following
        app.chat.action_page_up()
        assert app.chat.focused_message in range(70, 85)
        await settle(pilot)
        assert any(row.startswith("❯") for row in app.rows)
        app.chat.action_home()
        assert app.chat.focused_message == 1
        await pilot.press("up")
        assert len(app.said(MessageLog.OlderWanted)) == 1
        app.timeline.add_page(frames.History(room="g", messages=[message(0)], more=False, as_of=1000))
        await settle(pilot)
        assert app.chat.focused_message == 1
        assert app.rows[app.row("text 1")].startswith("❯")
        app.chat.action_end()
        assert app.chat.focused_message == 100
        assert app.chat.following


async def test_it_keeps_its_message_while_others_come() -> None:
    """Until the message itself is gone."""
    app = Host(log_of(*range(1, 31)))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert app.chat.focus_on(24)
        for seq in range(31, 61):
            app.timeline.add(message(seq))
        await settle(pilot)
        assert app.rows[0].startswith("❯")
        assert app.rows[0].endswith("text 24")
        assert app.chat.newer_below > 20
        app.timeline.reset()
        await settle(pilot)
        assert app.chat.focused_message is None
        assert app.said(MessageLog.Unfocused)
        assert not app.chat.focus_on(24)


async def test_where_to_jump_is_shown_among_its_neighbours() -> None:
    """In the middle, unless it can be seen already."""
    app = Host(log_of(*range(1, 101)))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert app.chat.focus_on(50)
        await settle(pilot)
        assert 3 <= app.row("text 50") <= 6
        before = app.rows
        assert app.chat.focus_on(51)
        await settle(pilot)
        assert [row.lstrip("❯ ") for row in app.rows] == [row.lstrip("❯ ") for row in before]


async def test_another_widget_takes_the_focus_away() -> None:
    """But not the whole terminal's losing it for a while."""
    app = Host(log_of(1, 2))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert app.chat.focus_on(2)
        await settle(pilot)
        app.screen.set_focus(None)
        await settle(pilot)
        assert app.chat.focused_message == 2
        app.chat.focus()
        await settle(pilot)
        app.query_one(Input).focus()
        await settle(pilot)
        assert app.chat.focused_message is None


async def test_a_click_chooses_or_does_what_it_says() -> None:
    """A message; a reaction, a quote, a thread, a room, a link into a chat; beside them all, nothing any more."""
    log = log_of(1)
    first = message(2, "see #dev or chat://lab:7373/dev/42", rev=9, replies=1)
    first.reactions = {"tada": [2]}
    log.add(first)
    log.add(message(3, "an answer", reply=2, thread=2))
    app = Host(log)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)

        async def click(text: str) -> None:
            row = app.row(text)
            await pilot.click(app.chat, offset=(app.rows[row].index(text) + 1, row))
            await settle(pilot)

        await click("text 1")
        assert app.chat.focused_message == 1
        for text in ("🎉", "1 reply", "↪ bob"):
            await click(text)
        assert app.acts == [("react", 2, "tada"), ("thread", 2, ""), ("quote", 3, "")]
        assert app.chat.focused_message == 1
        await click("#dev")
        await click("chat://")
        assert [room.room for room in app.heard if isinstance(room, MessageLog.RoomOpened)] == ["dev"]
        assert [link.url for link in app.heard if isinstance(link, MessageLog.LinkOpened)] == ["chat://lab:7373/dev/42"]
        await click("Saturday")
        assert app.chat.focused_message == 1  # the separator is the first message's
        await pilot.click(app.chat, offset=(5, 0))
        assert app.chat.focused_message is None


async def test_how_far_was_read_only_grows() -> None:
    """What is seen at the end, at once; scrolled up, not what comes below."""
    app = Host(log_of(*range(1, 31)))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert app.read == [30]
        app.chat.action_page_up()
        app.timeline.add(message(31))
        await settle(pilot)
        assert app.read == [30]
        app.chat.action_end()
        await settle(pilot)
        assert app.read == [30, 31]


async def test_threads_and_old_times_say_nothing_of_what_was_read() -> None:
    """What lies between them and now was not seen."""
    for timeline in (log_of(1, 2, thread=1), log_of(1, 2, more_after=True)):
        app = Host(timeline)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            assert app.read == []


async def test_an_old_time_goes_on_at_its_end() -> None:
    """It asks for newer messages once, does not move for them, and says when the very end is wanted."""
    app = Host(log_of(*range(1, 31), more_after=True))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.chat.action_scroll_down()
        app.chat.action_scroll_down()
        await settle(pilot)
        assert len(app.said(MessageLog.NewerWanted)) == 1
        assert app.rows[-1].strip() == "↓ newer messages · End"
        before = app.rows
        messages = [message(seq) for seq in range(31, 61)]
        app.timeline.add_page(frames.History(room="g", messages=messages, more=True, more_after=True, as_of=1000))
        await settle(pilot)
        assert app.rows[:-1] == before[:-1]
        for _ in range(6):
            app.chat.action_page_down()
        await settle(pilot)
        assert len(app.said(MessageLog.NewerWanted)) == 2
        app.chat.newer_answered()
        app.chat.action_scroll_down()
        await settle(pilot)
        assert len(app.said(MessageLog.NewerWanted)) == 3
        app.chat.action_end()
        await settle(pilot)
        assert len(app.said(MessageLog.EndWanted)) == 1


async def test_each_room_is_found_where_it_was_left() -> None:
    """Scrolled up, or at its end; and quickly: that of fifty rooms is no different from two."""
    rooms = [log_of(*range(1, 101)) for _ in range(50)]
    app = Host(rooms[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.chat.action_page_up()
        before = app.rows
        await settle(pilot)
        before = app.rows
        times = []
        for room in rooms[1:]:
            start = perf_counter()
            app.chat.show(room)
            times.append(perf_counter() - start)
            await settle(pilot)
            assert app.rows[-1].endswith("text 100")
        assert sorted(times)[len(times) // 2] < 0.05
        app.chat.show(rooms[0])
        await settle(pilot)
        assert app.rows == before
        app.chat.action_end()
        app.chat.show(rooms[1])
        app.chat.show(rooms[0])
        assert app.chat.following
        assert app.chat.focus_on(90)
        app.chat.show(rooms[0])
        assert app.chat.focused_message == 90
        app.chat.show(rooms[1])
        assert app.chat.focused_message is None


async def test_hidden_messages_are_one_stop_for_the_keys() -> None:
    """Whoever goes to one of them arrives at their line; Enter or a click asks to see them. Seen, they are read."""
    log = log_of()
    log.blocked = {3: "mallory"}
    for seq in range(1, 8):
        log.add(message(seq, user=3 if 2 <= seq <= 5 else 2))
    app = Host(log)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert app.read[-1] == 7
        assert sum("hidden" in row for row in app.rows) == 1
        app.chat.focus_on(4)
        await settle(pilot)
        assert app.chat.focused_message == 2
        await pilot.press("enter", "up")
        assert (app.acts, app.chat.focused_message) == ([("show", 2, "")], 1)
        await pilot.press("down", "down")
        assert app.chat.focused_message == 6
        await pilot.click(MessageLog, offset=(30, app.row("hidden")))
        assert app.acts == [("show", 2, "")] * 2
        log.reveal(2)
        await settle(pilot)
        await pilot.press("up")
        assert app.chat.focused_message == 5
        assert sum("text" in row for row in app.rows) == 7
