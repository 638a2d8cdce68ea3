"""The message log in a running app: painting, scrolling, asking for older messages, mouse, selection, themes."""

import asyncio
from collections.abc import Callable
from time import monotonic

import pytest
from textual import events, on
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from chat_tui.state.timeline import Timeline
from chat_tui.themes import THEMES
from chat_tui.widgets import log_pane
from chat_tui.widgets.log import MessageLog
from server.protocol import frames


class Host(App[None]):
    """An app that is a log."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self) -> None:
        super().__init__()
        self.timeline = Timeline("general")
        self.timeline.my_user = 1
        self.timeline.my_name = "alice"
        self.chat = MessageLog(self.timeline, id="log")
        self.wanted = 0
        self.opened: list[str] = []

    def compose(self) -> ComposeResult:
        """Nothing but a log."""
        yield self.chat

    def on_mount(self) -> None:
        """In our colours."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "chat-dark"

    @on(MessageLog.OlderWanted)
    def want(self) -> None:
        """Count."""
        self.wanted += 1

    @on(MessageLog.LinkOpened)
    def opened_link(self, event: MessageLog.LinkOpened) -> None:
        """Remember."""
        self.opened.append(event.url)

    @property
    def rows(self) -> list[str]:
        """What the screen shows."""
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]


def message(seq: int, text: str = "", sender: str = "bob") -> frames.Message:
    """Return a message, the next one a second later."""
    stamp = f"2026-11-21T09:{seq // 60 % 60:02}:{seq % 60:02}.000Z"
    return frames.Message(seq=seq, room="general", user=2, sender=sender, time=stamp, text=text or f"text {seq}")


def fill(app: Host, first: int, last: int) -> None:
    """Add messages."""
    for seq in range(first, last + 1):
        app.timeline.add(message(seq))


def page(first: int, last: int, more: bool) -> frames.History:
    """Return a page of history."""
    return frames.History(
        room="general", messages=[message(seq) for seq in range(first, last + 1)], more=more, as_of=10_000
    )


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait until something is so, at most five seconds."""
    end = monotonic() + 5
    while not true():
        assert monotonic() < end, "never came true"
        await pilot.pause()


async def test_new_messages_are_shown_at_the_bottom() -> None:
    """And followed; names and times stand once a group."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        fill(app, 1, 3)
        await until(pilot, lambda: app.rows[-1].endswith("text 3"))
        assert app.rows[-3].split()[-3:] == ["bob", "text", "1"]
        assert app.rows[-1].split() == ["text", "3"]
        fill(app, 4, 300)
        await until(pilot, lambda: app.rows[-1].endswith("text 300"))
        assert app.rows[0].endswith("text 289")
        assert app.chat.following


async def test_an_empty_log_says_what_to_do() -> None:
    """Until something happens."""
    app = Host()
    app.chat.empty_text = "You are the first here. Others join with: chat-tui"
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: any("You are the first" in row for row in app.rows))
        assert all(len(row) <= 40 for row in app.rows)
        app.chat.empty_text = "Nobody else is here yet."
        await until(pilot, lambda: any("Nobody else" in row for row in app.rows))
        app.timeline.came_in(["bob"], 0)
        await until(pilot, lambda: not any("Nobody" in row for row in app.rows))


async def test_scrolled_up_it_stays_and_counts_what_is_newer() -> None:
    """End, or a click on the count, leads back."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        fill(app, 1, 100)
        await until(pilot, lambda: app.rows[-1].endswith("text 100"))
        app.chat.action_page_up()
        await until(pilot, lambda: "↓ 10 newer messages · End" in app.rows[-1])
        before = app.rows[:-1]
        fill(app, 101, 150)
        await until(pilot, lambda: app.chat.newer_below == 60)
        await until(pilot, lambda: "↓ 60 newer messages · End" in app.rows[-1])
        assert app.rows[:-1] == before
        assert not app.chat.following
        await pilot.click(app.chat, offset=(40, 11))
        await until(pilot, lambda: app.rows[-1].endswith("text 150"))
        assert app.chat.newer_below == 0
        app.chat.action_scroll_up()
        await until(pilot, lambda: "↓ 1 newer message · End" in app.rows[-1])
        app.chat.action_end()
        await until(pilot, lambda: app.rows[-1].endswith("text 150"))


async def test_what_is_followed_for_weeks_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said long ago is let go of, and comes back by paging; not while somebody reads or selects."""
    monkeypatch.setattr(log_pane, "LONGEST", 60)
    monkeypatch.setattr(log_pane, "KEPT", 40)
    app = Host()
    fill(app, 1, 60)
    async with app.run_test(size=(60, 10)) as pilot:
        await until(pilot, lambda: "text 60" in app.rows[-1])
        app.chat.action_page_up()
        below = app.chat.newer_below
        fill(app, 61, 61)
        await until(pilot, lambda: app.chat.newer_below == below + 1)
        assert len(app.timeline.entries) == 61
        app.chat.action_end()
        fill(app, 62, 62)
        await until(pilot, lambda: len(app.timeline.entries) == 40)
        assert (app.timeline.entries[0].seq, app.timeline.oldest, app.timeline.more) == (23, 23, True)
        await until(pilot, lambda: "text 62" in app.rows[-1])


async def test_the_wheel_and_all_keys_move() -> None:
    """By rows, by pages, to both ends, and not past them."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        fill(app, 1, 100)
        await until(pilot, lambda: app.rows[-1].endswith("text 100"))
        await pilot._post_mouse_events([events.MouseScrollUp], app.chat, offset=(5, 5))
        await until(pilot, lambda: app.chat.newer_below == 3)
        app.chat.action_scroll_down()
        await until(pilot, lambda: app.chat.newer_below == 2)
        app.chat.action_page_down()
        await until(pilot, lambda: app.chat.newer_below == 0)
        app.chat.action_home()
        await until(pilot, lambda: "Saturday 21 November" in app.rows[0])
        app.chat.action_page_up()
        await until(pilot, lambda: "Saturday 21 November" in app.rows[0])
        app.chat.action_page_down()
        await until(pilot, lambda: app.rows[0].endswith("text 9"))


async def test_older_messages_are_asked_for_once_and_do_not_move_the_view() -> None:
    """Asked again when a page came, or after it was said to have failed, and the top is reached again."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        app.timeline.add_page(page(1000, 1049, more=True))
        await until(pilot, lambda: app.rows[-1].endswith("text 1049"))
        assert app.wanted == 0
        app.chat.action_home()
        app.chat.action_page_up()
        await until(pilot, lambda: app.wanted == 1)
        texts = [row for row in app.rows[:-1] if "text" in row]
        app.timeline.add_page(page(950, 999, more=True))
        await until(pilot, lambda: app.timeline.oldest == 950 and app.rows[0].endswith("text 998"))
        assert [row[-9:] for row in app.rows[2:-1]] == [row[-9:] for row in texts]
        assert app.wanted == 1
        app.chat.action_home()
        await until(pilot, lambda: app.wanted == 2)
        app.chat.action_page_up()
        await pilot.pause()
        assert app.wanted == 2
        app.chat.older_answered()
        app.chat.action_page_up()
        await until(pilot, lambda: app.wanted == 3)


async def test_a_log_shorter_than_its_window_asks_by_itself() -> None:
    """Nobody can scroll it; but what was cleared away is not fetched back unasked."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        app.timeline.add_page(page(100, 102, more=True))
        await until(pilot, lambda: app.wanted == 1)
        app.timeline.add_page(page(50, 99, more=False))
        app.timeline.clear()
        await until(pilot, lambda: not any("text" in row for row in app.rows))
        assert app.wanted == 1
        app.chat.action_page_up()
        await until(pilot, lambda: app.wanted == 2)


async def test_selected_text_is_copied_without_columns() -> None:
    """Dragged over several messages; shown selected while it is."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        app.timeline.add(message(1, "good morning everyone"))
        app.timeline.add(message(2, "second line", "carol"))
        app.timeline.add(message(3, "third line", "carol"))
        await until(pilot, lambda: app.rows[-1].endswith("third line"))
        column = app.rows[-1].index("third")
        await pilot.mouse_down(app.chat, offset=(column + 5, 9))
        await pilot.hover(app.chat, offset=(column + 4, 11))
        await pilot.mouse_up(app.chat, offset=(column + 4, 11))
        copied = app.screen.get_selected_text() or ""
        lines = copied.splitlines()
        assert lines[0] == "morning everyone"
        assert lines[1].endswith(" carol: second line")
        assert lines[2] == "third"
        selection = app.screen.get_component_rich_style("screen--selection").bgcolor
        strip = app.chat.render_line(11)
        shown = "".join(part.text for part in strip if part.style and part.style.bgcolor == selection)
        assert shown.strip() == "third"
        fill(app, 4, 5)
        await until(pilot, lambda: app.rows[-1].endswith("text 5"))
        assert app.screen.get_selected_text() == copied


async def test_a_double_click_selects_a_message_and_a_click_opens_a_link() -> None:
    """The log itself is never selected whole by accident."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        app.timeline.add(message(1, "see https://ci.lab/77 now"))
        await until(pilot, lambda: app.rows[-1].endswith("now"))
        column = app.rows[-1].index("https")
        await pilot.click(app.chat, offset=(column + 2, 11))
        await until(pilot, lambda: app.opened == ["https://ci.lab/77"])
        await pilot.click(app.chat, offset=(column + 20, 11), times=2)
        await until(pilot, lambda: app.screen.get_selected_text() == "see https://ci.lab/77 now")
        assert len(app.opened) == 1


@pytest.mark.parametrize("size", [(40, 12), (59, 20), (60, 20), (80, 24), (120, 40), (300, 80)])
async def test_nothing_is_cut_at_any_size(size: tuple[int, int]) -> None:
    """Rows are as wide as the log, all words are there, lines stop where reading gets hard."""
    app = Host()
    words = [f"word{n}" for n in range(40 if size[1] > 12 else 12)]
    async with app.run_test(size=size) as pilot:
        app.timeline.add(message(1, " ".join(words), "a.rather.long.name.indeed"))
        app.timeline.pend(1, "漢字" * 25, 1795251600)
        app.timeline.fail(1, "You are sending too fast.")
        await until(pilot, lambda: "takes" in app.rows[-1])
        shown = " ".join(app.rows).replace("\N{NO-BREAK SPACE}", " ").split()
        assert [word for word in shown if word.startswith("word")] == words
        assert "".join(shown).count("漢字") == 25
        assert sum("✗" in row for row in app.rows) == 1
        assert all(strip.cell_length == size[0] for strip in app.screen._compositor.render_strips())
        longest = max(row.rindex("word") - row.index("word") + 6 for row in app.rows if "word" in row)
        assert longest <= 110


async def test_resized_while_scrolled_up_the_same_message_stays_on_top() -> None:
    """In both layouts."""
    app = Host()
    async with app.run_test(size=(100, 20)) as pilot:
        fill(app, 1, 200)
        await until(pilot, lambda: app.rows[-1].endswith("text 200"))
        for _ in range(4):
            app.chat.action_page_up()
        await until(pilot, lambda: app.rows[0].endswith("text 109"))
        await pilot.resize_terminal(50, 15)
        await until(pilot, lambda: len(app.rows) == 15 and app.rows[0].endswith("text 109"))
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: len(app.rows) == 40 and app.rows[0].endswith("text 109"))


async def test_hostile_text_is_shown_harmlessly() -> None:
    """Controls, overrides and markup of a message that nobody cleaned never reach the terminal."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        app.timeline.add(message(1, "a\x1b]52;c;aGk=\x07\x1b[2J\u202e[red]b[/]\x9b1m", "ev\x1bil"))
        app.timeline.left(["x\x1b[2J"], "\x1b[31m", 1795251600)
        await until(pilot, lambda: any("[red]b[/]" in row for row in app.rows))
        for strip in app.screen._compositor.render_strips():
            assert strip.text.isprintable()


async def test_a_link_is_one_for_the_terminal_over_all_its_rows() -> None:
    """OSC 8 with one id."""
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        app.timeline.add(message(1, "https://example.org/" + "long/" * 30))
        await until(pilot, lambda: sum("long/" in row for row in app.rows) >= 4)
        links = {
            (part.style.link, part.style.link_id)
            for strip in app.chat.render_lines(Region(0, 0, 60, 12))
            for part in strip
            if part.style and part.style.link
        }
        assert len({link for link, _ in links}) == 1
        assert len({link_id for _, link_id in links}) == 1


async def test_a_burst_is_painted_in_a_few_frames() -> None:
    """10,000 messages are not 10,000 paintings, and only what is seen is drawn."""
    app = Host()
    painted = 0
    async with app.run_test(size=(80, 24)) as pilot:
        paint = app.chat._paint

        def counted() -> None:
            nonlocal painted
            painted += 1
            paint()

        app.chat._paint = counted  # type: ignore[method-assign]
        for start in range(0, 10_000, 500):
            fill(app, start + 1, start + 500)
            await asyncio.sleep(0)
        await until(pilot, lambda: app.rows[-1].endswith("text 10000"))
        assert painted <= 20


async def test_another_room_is_shown_at_its_end() -> None:
    """And the room left no longer moves the view."""
    app = Host()
    other = Timeline("dev")
    other.add(message(1, "in dev"))
    async with app.run_test(size=(80, 12)) as pilot:
        fill(app, 1, 50)
        await until(pilot, lambda: app.rows[-1].endswith("text 50"))
        app.chat.action_page_up()
        app.chat.show(other)
        await until(pilot, lambda: app.rows[-1].endswith("in dev"))
        assert app.chat.timeline is other
        assert app.chat.newer_below == 0
        fill(app, 51, 60)
        other.add(message(2, "more in dev"))
        await until(pilot, lambda: app.rows[-1].endswith("more in dev"))
        assert app.timeline.listeners == []


@pytest.mark.parametrize("theme", ["chat-light", "ansi-dark", "textual-dark", "solarized-light"])
async def test_every_theme_can_be_put_on(theme: str) -> None:
    """Colours change at once; marks and words tell what colours do."""
    app = Host()
    async with app.run_test(size=(80, 12)) as pilot:
        app.timeline.add(message(1, "hi alice", "bob"))
        app.timeline.add(message(2, "hello", "carol"))
        app.timeline.pend(1, "mine", 1795251600)
        await until(pilot, lambda: app.rows[-1].endswith("◌"))
        before = [part.style for part in app.chat.render_line(11)]
        app.theme = theme
        await until(pilot, lambda: [part.style for part in app.chat.render_line(11)] != before)
        assert app.rows[-3].startswith("▌")
