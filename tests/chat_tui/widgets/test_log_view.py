"""The window on a timeline, against a list of all rows: what it shows, how it moves, what holds it in place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from textual.color import Color
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from chat_tui.state.timeline import Timeline
from chat_tui.widgets.log_grid import Grid, Ink, fit
from chat_tui.widgets.log_rows import Rows
from chat_tui.widgets.log_shape import ROW, Shape
from chat_tui.widgets.log_view import LogView, nick_width
from server.protocol import frames

_WHITE, _BLACK, _RED = Color(255, 255, 255), Color(0, 0, 0), Color(250, 120, 120)
INK = Ink(**dict.fromkeys(Ink._fields[:-1], _WHITE) | {"background": _BLACK, "error": _RED}, dark=True)
WIDE, NARROW = Grid(60, 8), Grid(30, 0)
_LONG = "a rather long message that takes a few rows to be shown, 漢字 included, and then some more words"


def message(seq: int, text: str | None = None, sender: str | None = None, me: bool = False) -> frames.Message:
    """Return a message; long and short ones, and some senders, take turns, twenty messages a day."""
    text = text or (f"{seq} {_LONG}" if seq % 4 == 0 else f"{seq} short")
    sender = sender or ["bob", "carol", "bob", "bob", "dave"][seq % 5]
    time = f"2026-11-{1 + seq // 20:02}T09:{seq % 60:02}:00.000Z"
    return frames.Message(seq=seq, room="general", user=2, sender=sender, time=time, text=text, me=me)


def page(*seqs: int) -> frames.History:
    """Return a page of history."""
    return frames.History(room="general", messages=[message(seq) for seq in seqs], more=True, as_of=1000)


def view_of(log: Timeline, grid: Grid = WIDE, height: int = 10) -> LogView:
    """Return a window that follows the log's changes."""
    view = LogView(log, Rows(grid, INK), height)
    log.listeners.append(view.changed)
    return view


def seen(view: LogView) -> list[str]:
    """Return the rows of the window as text."""
    return [strip.text.rstrip() for strip in view.fill()]


def all_rows(view: LogView) -> list[str]:
    """All rows of the log, drawn by a window that is tall enough for them."""
    return seen(LogView(view.timeline, view.rows, 100_000))


def test_the_grid_at_a_glance() -> None:
    """Days, groups, notices, actions, what waits and what failed."""
    log = Timeline("general")
    log.add(message(1, "good morning, everyone", "bob"))
    log.add(message(1 + 60, "see https://ci.lab/77", "a.name.too.long"))
    log.add(message(2 + 60, "waves", "carol", me=True))
    log.came_in(["dave"], log.entries[-1].time)
    log.pend(1, "sending", log.entries[-1].time)
    log.pend(2, "refused", log.entries[-1].time)
    log.fail(2, "Too fast.")
    rows = seen(view_of(log, height=40))
    day = [index for index, row in enumerate(rows) if "──" in row]
    assert rows[day[0]].strip() == "── Sunday 1 November ──"
    assert rows[day[0] + 1] == ""
    assert rows[day[0] + 2][9:] == "     bob  good morning, everyone"
    assert rows[day[1] + 2][9:] == "a.name.…  see https://ci.lab/77"
    assert rows[day[1] + 3][9:] == "       *  carol waves"
    assert rows[day[1] + 4] == "                ·  dave came in"
    assert "sending" in rows[day[1] + 5]
    assert rows[day[1] + 5].endswith("◌")
    assert rows[day[1] + 6].endswith("✗")
    assert "Not sent: Too fast." in rows[day[1] + 7]


def test_narrow_the_name_stands_above_its_group() -> None:
    """And the time only where the minute changed."""
    log = Timeline("general")
    for seq, sender in ((1, "bob"), (2, "carol"), (3, "carol")):
        frame = message(seq, f"text {seq}", sender)
        frame.time = "2026-11-01T09:00:00.000Z"
        log.add(frame)
    rows = seen(view_of(log, NARROW))[1:]
    assert rows[0].startswith("  bob  ")
    assert rows[1:] == ["  text 1", "  carol", "  text 2", "  text 3"]


@given(st.integers(1, 60), st.integers(1, 15), st.sampled_from([WIDE, NARROW]), st.lists(st.integers(-25, 25)))
def test_the_window_is_a_slice_of_all_rows(count: int, height: int, grid: Grid, moves: list[int]) -> None:
    """Wherever it is moved: never past either end."""
    log = Timeline("general")
    for seq in range(1, count + 1):
        log.add(message(seq))
    view = view_of(log, grid, height)
    rows = all_rows(view)
    last = max(0, len(rows) - height)
    top = last
    assert seen(view) == rows[top : top + height]
    for move in moves:
        if move < 0:
            view.up(-move)
        else:
            view.down(move)
        top = min(last, max(0, top + move))
        assert seen(view) == rows[top : top + height]
        assert view.following == (top == last)
    view.home()
    assert seen(view) == rows[:height]
    view.end()
    assert seen(view) == rows[last:]


_changes = st.lists(st.sampled_from(["add", "page", "notice", "pend", "fail", "confirm"]), max_size=12)


@given(st.integers(5, 40), st.integers(3, 15), st.sampled_from([WIDE, NARROW]), st.integers(1, 200), _changes)
def test_what_is_read_stays_while_the_log_changes(
    count: int, height: int, grid: Grid, back: int, changes: list[str]
) -> None:
    """Scrolled up, whatever comes below or is paged in above; only rows of day and name may give way to older ones."""
    log = Timeline("general")
    for seq in range(500, 500 + count):
        log.add(message(seq % 100 + 500))
    view = view_of(log, grid, height)
    seen(view)
    view.up(back)
    seen(view)
    for newest, change in enumerate(changes, 600):
        before = _texts(seen(view))
        following = view.following
        oldest = log.oldest or 0
        match change:
            case "add":
                log.add(message(newest))
            case "page":
                log.add_page(page(*range(oldest - 5, oldest)))
            case "notice":
                log.notice("note", 0)
            case "pend":
                log.pend(newest, "mine", 0)
            case "fail":
                log.fail(newest - 1, "no")
            case "confirm":
                log.confirm(newest - 1, newest)
        after = seen(view)
        assert after == seen_anew(view)
        if not following and not view.following and change != "fail":
            shown = _texts(after)
            assert all(shown.get(row, text) == text for row, text in before.items())


def _texts(rows: list[str]) -> dict[int, str]:
    """Return the rows that are text, by where they stand; the last one may be cut off by what changed below."""
    return {row: text[19:] for row, text in enumerate(rows[:-1]) if "──" not in text and text[19:].strip()}


def seen_anew(view: LogView) -> list[str]:
    """Return what a new view at the same place shows: nothing remembered is out of date."""
    fresh = LogView(view.timeline, view.rows, view.height)
    fresh.following, fresh.top, fresh.skip = view.following, view.top, view.skip
    return seen(fresh)


def test_newer_below_counts_messages_only() -> None:
    """Those whose first row is not in the window."""
    log = Timeline("general")
    for seq in range(1, 31):
        frame = message(seq, "x")
        frame.time = "2026-11-01T09:00:00.000Z"
        log.add(frame)
        log.notice("note", log.entries[-1].time)
    view = view_of(log)
    assert (seen(view), view.newer_below)[1] == 0
    view.home()
    rows = seen(view)
    assert view.newer_below == 30 - sum(row.endswith("x") for row in rows)
    log.add(message(31))
    assert seen(view) == rows
    assert view.newer_below == 31 - sum(row.endswith("x") for row in rows)


def test_a_message_of_thousands_of_lines_costs_only_what_is_seen() -> None:
    """Its other rows are never drawn."""
    log = Timeline("general")
    log.add(message(1, "\n".join("abcdefgh" for _ in range(8000))))
    view = view_of(log)
    seen(view)
    view.up(4000)
    seen(view)
    assert sum(row is not None for row in view.shape(0).rows) <= 20


@pytest.mark.parametrize("skip", [0, 3])
def test_a_page_up_is_drawn_ahead(skip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what it shows: of a message of thousands of lines a window, and nothing while the window follows."""
    log = Timeline("general")
    log.add(message(1, "\n".join(map(str, range(5000)))))
    for seq in range(2, 40):
        log.add(message(seq))
    drawn: list[int] = []
    view = view_of(log)
    draw = Rows.row

    def count(rows: Rows, shape: Shape, number: int, *args: Any, **more: Any) -> Strip:
        drawn.append(number)
        return draw(rows, shape, number, *args, **more)

    monkeypatch.setattr(Rows, "row", count)
    view.prepare()
    assert not drawn
    view.up(60 + skip)
    view.fill()
    for _ in range(8):
        drawn.clear()
        view.prepare()
        assert len(drawn) == view.height
        drawn.clear()
        view.up(view.height)
        view.fill()
        assert not drawn
    view.home()
    view.fill()
    drawn.clear()
    view.prepare()
    assert not drawn


def test_the_window_stays_when_its_size_changes() -> None:
    """The first entry seen is the first entry seen."""
    log = Timeline("general")
    for seq in range(1, 80):
        log.add(message(seq))
    view = view_of(log)
    view.up(60)
    seen(view)
    top = view.top
    view.use(Rows(NARROW, INK), 12)
    seen(view)
    assert view.top == top
    view.use(Rows(WIDE, INK), 10)
    seen(view)
    assert view.top == top


def test_copied_text_is_as_it_was_written() -> None:
    """Wrapped lines are one, columns and padding are none; names stand where they were shown and selected."""
    log = Timeline("general")
    log.add(message(4, _LONG, "bob"))
    log.add(message(5, "漢字 and more", "carol"))
    log.add(message(6, "same voice", "carol"))
    log.came_in(["dave"], log.entries[-1].time)
    view = view_of(log, height=30)
    seen(view)
    text_at = WIDE.text_at

    def copied(start: tuple[int, int, int], end: tuple[int, int, int]) -> str:
        """From and to (entry, row of its text, column)."""
        points = [
            Offset((row + len(view.shape(entry).above)) * ROW + column, entry + view._origin)
            for entry, row, column in (start, end)
        ]
        return view.copied(Selection(*points))

    assert copied((0, 0, text_at + 2), (0, 0, text_at + 8)) == "rather"
    assert copied((0, 1, 0), (0, 9, 0)) == _LONG[view.shape(0).lines[1].start :]
    whole = copied((0, 0, 0), (3, 0, 60))
    lines = whole.splitlines()
    assert lines[0][5:] == f" bob: {_LONG}"
    assert lines[1][5:] == " carol: 漢字 and more"
    assert lines[2:] == ["same voice", "dave came in"]
    assert copied((1, 0, text_at), (1, 0, text_at + 1)) == "漢"
    assert view.copied(Selection(None, None)) == whole
    assert view.copied(view.whole(0 + view._origin)) == _LONG


def test_what_is_selected_is_shown_selected() -> None:
    """The characters, no more."""
    log = Timeline("general")
    log.add(message(1, "good morning", "bob"))
    view = view_of(log)
    y = view._origin
    row = len(view.shape(0).above)
    selection = Selection(Offset(row * ROW + WIDE.text_at + 5, y), Offset(row * ROW + WIDE.text_at + 12, y))
    style = Style(bold=True, bgcolor="blue")
    strip = view.fill(selection, style)[-1]
    assert "".join(segment.text for segment in strip if segment.style and segment.style.bold) == "morning"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://ci.lab/77.", ["https://ci.lab/77"]),
        ("(https://x.org/a_(b)) and http://y.org!", ["https://x.org/a_(b)", "http://y.org"]),
        ("https:// and javascript://x", []),
        ("https://x.org/ü", ["https://x.org/%C3%BC"]),
        ("https://x.org/" + "a" * 80, ["https://x.org/" + "a" * 80]),
    ],
)
def test_addresses_are_links(text: str, links: list[str]) -> None:
    """Without the punctuation around them, in ASCII, and one link over all their rows."""
    log = Timeline("general")
    log.add(message(1, text))
    view = view_of(log)
    found = {}
    for strip in view.fill():
        for segment in strip:
            if segment.style and segment.style.link:
                found[segment.style.link_id.split("-")[0]] = segment.style.link
    assert sorted(set(found.values())) == sorted(links)


def test_names_have_a_column_as_wide_as_the_longest_recent_one() -> None:
    """Within bounds."""
    log = Timeline("general")
    assert nick_width(log, 8, 14) == 8
    log.add(message(1, sender="twelve-chars"))
    assert nick_width(log, 8, 14) == 12
    assert nick_width(log, 8, 10) == 10
    assert fit("twelve-chars", 10) == "twelve-ch…"
    assert fit("漢字漢字", 5) == "漢字…"


# The focus, and coming back.


def short(seq: int) -> frames.Message:
    """Return a message of one row; a minute passes with each."""
    frame = message(seq, f"{seq} short", "bob")
    frame.time = f"2026-11-01T{9 + seq // 60:02}:{seq % 60:02}:00.000Z"
    return frame


def short_log(*seqs: int) -> Timeline:
    """Return a log of them."""
    log = Timeline("general")
    for seq in seqs:
        log.add(short(seq))
    return log


def test_what_has_the_focus_stays_while_messages_arrive() -> None:
    """At the end new ones are followed as long as it can be seen; then it holds the view."""
    log = short_log(*range(1, 31))
    view = view_of(log)
    seen(view)
    view.focus = 25
    for seq in range(31, 35):
        log.add(short(seq))
        assert "25 short" in "".join(seen(view))
        assert view.following
    for seq in range(35, 40):
        log.add(short(seq))
        assert "25 short" in seen(view)[0]
    assert not view.following
    assert view.newer_below == 5
    view.end()
    seen(view)
    assert view.following


def test_scrolling_away_from_the_focus_is_free() -> None:
    """The end can be reached, and is followed."""
    log = short_log(*range(1, 31))
    view = view_of(log)
    view.home()
    seen(view)
    view.focus = 3
    for _ in range(30):
        view.down(1)
        seen(view)
    assert view.following
    log.add(short(31))
    assert seen(view)[-1].endswith("31 short")


@given(st.integers(1, 60), st.integers(4, 15), st.sampled_from([WIDE, NARROW]), st.lists(st.integers(0, 59)))
def test_whatever_is_revealed_is_seen(count: int, height: int, grid: Grid, asked: list[int]) -> None:
    """Its beginning always, all of it where that fits; what was seen whole already does not move."""
    log = Timeline("general")
    for seq in range(1, count + 1):
        log.add(message(seq))
    view = view_of(log, grid, height)
    seen(view)
    for number, index in enumerate(asked):
        index %= count
        whole = [(row * ROW, index + view._origin) for row in range(view.shape(index).first, len(view.shape(index)))]
        before = list(view.places)
        floats = view.places[-1:] if not view.following else []  # hides the last row
        view.reveal(index, middle=bool(number % 2))
        seen(view)
        assert whole[0] in view.places[: height - (not view.following)]
        if len(whole) < height - view.shape(index).first:
            assert set(whole) <= set(view.places[: height - (not view.following)])
        if set(whole) <= set(before) and not set(whole) & set(floats):
            assert view.places == before


def test_the_focus_walks_over_messages_only() -> None:
    """Not over notices, nor what is not sent yet."""
    log = short_log(1, 2)
    log.notice("note", log.entries[-1].time)
    log.add(short(3))
    log.pend(1, "mine", log.entries[-1].time)
    view = view_of(log)
    assert [entry.text for entry in log.entries] == ["1 short", "2 short", "note", "3 short", "mine"]
    assert view.next_message(3, -1) == 1
    assert view.next_message(1, 1) == 3
    assert view.next_message(3, 1) is None
    assert view.next_message(0, -1) is None


def test_a_view_comes_back_to_its_place() -> None:
    """Whatever has come at either end meanwhile; at the end there is no place to come back to."""
    log = short_log(*range(100, 160))
    view = view_of(log)
    assert view.place() is None
    view.up(20)
    rows = seen(view)
    place = view.place()
    assert place is not None
    log.add_page(page(*range(50, 100)))
    log.add(short(160))
    other = view_of(log)
    other.go(place)
    assert seen(other) == rows
    other.go((7, 3))  # let go of
    assert seen(other) == rows


def test_how_far_was_read() -> None:
    """Up to the last message of which any text is seen."""
    log = short_log(*range(1, 31))
    view = view_of(log)
    seen(view)
    assert view.read == 30
    view.up(5)
    seen(view)
    assert view.read == 25
    log.notice("note", 0)
    view.end()
    seen(view)
    assert view.read == 30


def test_an_old_time_ends_where_the_next_page_begins() -> None:
    """Newer messages that come in below do not move it; the live end is followed once it is reached."""
    log = short_log(*range(1, 31))
    log.more_after = True
    view = view_of(log)
    rows = seen(view)
    assert rows[-1].endswith("30 short")
    assert view.at_bottom
    log.add_page(frames.History(room="general", messages=[short(31)], more=True, as_of=40, more_after=True))
    assert seen(view) == rows
    assert not view.at_bottom
    log.more_after = False
    view.down(5)
    seen(view)
    assert view.following
