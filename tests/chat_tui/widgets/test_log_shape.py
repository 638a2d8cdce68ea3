"""How messages are cut into rows and drawn: blocks, what stands above and below, what a selection copies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.color import Color

from chat_tui.state.entries import Entry
from chat_tui.state.timeline import Timeline
from chat_tui.widgets.log_grid import Grid, Ink
from chat_tui.widgets.log_rows import Rows
from chat_tui.widgets.log_shape import ROW, Part, Shape
from server.protocol import frames

_WHITE, _GREY, _BLACK, _ACCENT = Color(255, 255, 255), Color(150, 150, 150), Color(0, 0, 0), Color(250, 200, 100)
_BLUE, _TINT = Color(120, 160, 250), Color(30, 30, 40)
_COLORS = [_BLACK, _WHITE, _GREY, _ACCENT, _WHITE, _BLUE, *[_TINT] * 3, *[_BLUE] * 3]
INK = Ink(**dict(zip(Ink._fields, [*_COLORS, True], strict=True)))  # type: ignore[arg-type]
WIDE, NARROW = Grid(60, 8), Grid(30, 0)
TEXT = WIDE.text_at


def log_of(*messages: frames.Message, thread: int = 0) -> Timeline:
    """Return a log of alice's that holds these."""
    log = Timeline("general", thread)
    log.my_user, log.my_name = 1, "alice"
    for message in messages:
        log.add(message)
    return log


def message(seq: int, text: str, **more: Any) -> frames.Message:
    """Return bob's message at nine in the morning, and `seq` minutes."""
    time = f"2026-11-21T09:{seq:02}:00.000Z"
    return frames.Message(**{"seq": seq, "room": "g", "user": 2, "sender": "bob", "time": time, "text": text, **more})


def shape_of(log: Timeline, seq: int, grid: Grid = WIDE) -> Shape:
    """Return how a message of the log is cut."""
    index = log.index_of(seq)
    assert index is not None
    return Shape(log.entries[index], log.entries[index - 1] if index else None, grid, log)


def rows_of(shape: Shape, grid: Grid = WIDE, *, focused: bool = False) -> list[str]:
    """Return a message's own rows as text."""
    rows = Rows(grid, INK)
    return [rows.row(shape, number, focused=focused).text.rstrip() for number in range(shape.first, len(shape))]


def style_at(shape: Shape, text: str, grid: Grid = WIDE) -> Style:
    """Return the style in which some words of a message are drawn."""
    for number in range(len(shape)):
        for segment in Rows(grid, INK).row(shape, number):
            if text in segment.text:
                assert segment.style is not None
                return segment.style
    raise AssertionError(f"{text!r} is not shown")


def test_each_block_keeps_its_own_rule() -> None:
    """Quotes have a bar, items hang below their first word, code is cut where it is full and keeps its spaces."""
    text = "so:\n> " + "quoted " * 8 + "\n- " + "item " * 10 + "\n```\nif x:\n    " + "y" * 40 + "\n```\nend"
    shape = shape_of(log_of(message(1, text)), 1)
    assert [row[TEXT:] for row in rows_of(shape)] == [
        "so:",
        "│ quoted quoted quoted quoted quoted",
        "│ quoted quoted quoted",
        "• item item item item item item item",
        "  item item item",
        "▏ if x:",
        "▏     yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        "▏ yyyyyyyy",
        "end",
    ]


def test_marks_are_drawn() -> None:
    """Weight, slant, tint and colour; my name as mine."""
    shape = shape_of(log_of(message(1, "**a1** *b2* `c3` [d4](https://x.org) #e5 @bob @Alice")), 1)
    assert style_at(shape, "a1").bold
    assert style_at(shape, "b2").italic
    assert style_at(shape, "c3").bgcolor == INK.chip(_TINT).rich_color  # it names me
    assert style_at(shape, "d4").underline
    assert style_at(shape, "d4").link == style_at(shape, "(x.org)").link == "https://x.org"
    assert style_at(shape, "#e5").meta == {"room": "e5"}
    assert style_at(shape, "@Alice").color == _ACCENT.rich_color
    assert style_at(shape, "@bob").color not in (_ACCENT.rich_color, _WHITE.rich_color)


def test_a_link_into_a_chat_is_not_the_terminals_to_open() -> None:
    """It leads within the program."""
    style = style_at(shape_of(log_of(message(1, "see chat://lab:7373/dev/42")), 1), "chat://")
    assert style.link is None
    assert style.meta == {"link": "chat://lab:7373/dev/42"}


def test_a_reply_begins_with_what_it_answers() -> None:
    """On the row of time and name; in the thread itself, what answers its first message has no quote."""
    first = message(1, "who **merged** it? " + "really " * 20, replies=2, rev=3)
    second = message(2, "I did", sender="carol", user=3, reply=1, thread=1)
    third = message(3, "no, me", sender="carol", user=3, reply=2, thread=1)
    log = log_of(first, second, third)
    rows = rows_of(shape_of(log, 2))
    assert rows[0][9:] == "   carol  ↪ bob: who merged it? really really r…"
    assert rows[1].strip() == "I did"
    assert rows_of(shape_of(log, 1))[-1].strip() == "↳ 2 replies"
    assert rows_of(shape_of(log, 1), focused=True)[-1].strip("│ ") == "↳ 2 replies · t opens"
    thread = log_of(first, second, third, thread=1)
    assert rows_of(shape_of(thread, 1))[-1].endswith("really")
    assert [row[TEXT:] for row in rows_of(shape_of(thread, 2))] == ["I did"]
    assert [row[TEXT:] for row in rows_of(shape_of(thread, 3))] == ["↪ carol: I did", "no, me"]
    narrow = rows_of(shape_of(log, 2, NARROW), NARROW)
    assert [row.strip() for row in narrow][1:] == ["↪ bob: who merged it? re…", "I did"]
    assert narrow[0].startswith("  carol")


def test_what_is_quoted_comes_when_it_is_fetched() -> None:
    """Until then there is a row for it: nothing moves."""
    log = log_of(message(5, "yes", reply=1), message(6, "gone", reply=2))
    assert rows_of(shape_of(log, 5))[0].endswith("↪ …")
    assert rows_of(shape_of(log, 6))[0].endswith("↪ …")
    assert log.wanted == {1, 2}
    log.quote_page(frames.History(room="g", messages=[message(1, "> is it\n`done`?")], more=False, as_of=6), {1, 2})
    assert rows_of(shape_of(log, 5))[0].endswith("↪ bob: is it done?")
    assert rows_of(shape_of(log, 6))[0].endswith("↪ a deleted message")


def test_what_became_of_a_message() -> None:
    """Edited and pinned stand behind its text, or below its code; of a deleted one nothing else remains."""
    log = log_of(message(1, "tag it", edited=True, pinned=True, rev=9), message(2, "```\nx\n```", edited=True, rev=9))
    assert rows_of(shape_of(log, 1))[0].endswith("tag it (edited) ◆\xa0pinned")
    assert [row[TEXT:] for row in rows_of(shape_of(log, 2))] == ["▏ x", "(edited)"]
    log.apply(frames.Deleted(seq=10, room="g", user=2, sender="bob", time="", target=1, author="bob"))
    assert rows_of(shape_of(log, 1))[0].endswith("message deleted")
    assert style_at(shape_of(log, 1), "message deleted").italic


def test_reactions_stand_below() -> None:
    """Mine are marked; where a row is full, another one goes on; a click says which one it was."""
    names = ["tada", "eyes", "rocket", "fire", "wave", "bug", "not_known_here"]
    reactions = {name: [2, 1] if name == "eyes" else [2] for name in names}
    shape = shape_of(log_of(message(1, "hi", reactions=reactions, rev=9)), 1)
    below = rows_of(shape)[1:]
    assert below[0].split() == ["🎉", "1", "👀", "2", "🚀", "1", "🔥", "1", "👋", "1"]
    assert below[1].split() == ["🐛", "1", ":not_known_here:", "1"]
    assert style_at(shape, "👀").bold
    assert not style_at(shape, "🎉").bold
    assert style_at(shape, "👀").meta == {"act": ("react", 1, "eyes")}


def test_new_messages_begin_below_a_line() -> None:
    """From edge to edge, with the time of the first."""
    log = log_of(message(1, "old"), message(2, "new"), message(3, "newer"))
    log.open(1, 3)
    shape = shape_of(log, 2)
    line = Rows(WIDE, INK).row(shape, 0).text
    assert line.strip("─ ").startswith("new since ")
    assert line.startswith("  ──")
    assert line.endswith("──  ")
    assert rows_of(shape)[0][TEXT - 5 :] == "bob  new"
    assert shape_of(log, 3).first == 0


def test_the_focus_is_seen_without_any_colour() -> None:
    """By a mark at its first row and a bar at all others, on the separators above it neither."""
    log = log_of(message(1, "one\ntwo", reactions={"tada": [2]}, rev=2))
    shape = shape_of(log, 1)
    assert [row[0] for row in rows_of(shape, focused=True)] == ["❯", "│", "│"]
    assert shape.first == 2
    assert Rows(WIDE, INK).row(shape, 0, focused=True).text.startswith(" ")


_texts = st.lists(
    st.sampled_from(
        [
            *"*_`[ ]()\n漢x",
            "**",
            "```",
            "```py\n",
            "> ",
            "- ",
            "word ",
            "e\u0301",
            "👨\u200d👩",
            "https://x.org",
            "@alice",
        ]
    ),
    min_size=1,
    max_size=60,
).map("".join)


@given(_texts, st.sampled_from([WIDE, NARROW, Grid(20, 0)]), st.booleans(), st.booleans())
def test_any_message_fits_its_rows(text: str, grid: Grid, changed: bool, me: bool) -> None:
    """Each row is as wide as the log, focused or not, and every character of the text stands in one of them."""
    more = {"edited": True, "pinned": True, "rev": 9, "reactions": {"tada": [1]}, "replies": 1} if changed else {}
    shape = shape_of(log_of(message(1, f"x{text}", me=me, reply=7, **more)), 1, grid)
    rows = Rows(grid, INK)
    for number in range(len(shape)):
        for focused in (True, False):
            strip = rows.row(shape, number, focused=focused)
            assert strip.cell_length == sum(cell_len(segment.text) for segment in strip) == grid.width
    position = 0
    for line in shape.lines:
        assert shape.text[position : line.start] in ("", " ", "\n")
        position = line.end
    assert position == len(shape.text)


@given(_texts, st.sampled_from([WIDE, NARROW]))
def test_a_selection_means_what_it_shows(text: str, grid: Grid) -> None:
    """From a column of a row to the character that stands there."""
    shape = shape_of(log_of(message(1, f"x{text}")), 1, grid)
    for number, line in enumerate(shape.lines):
        row = Rows(grid, INK).row(shape, len(shape.above) + number).text
        before = shape.characters_before(grid) if number == 0 else grid.text_at
        for at in range(line.start, line.end):
            column = before + line.indent + at - line.start
            assert row[column] == shape.text[at]
            assert shape.character((len(shape.above) + number) * ROW + column, grid) == at


@pytest.mark.parametrize("more", [{}, {"edited": True, "rev": 9}])
def test_a_whole_message_is_copied_as_it_was_written(more: dict[str, Any]) -> None:
    """Part of it as it is shown; never what only says what became of it."""
    shape = shape_of(log_of(message(1, "a **bold** word", **more)), 1)
    assert shape.copied(0, len(shape.text)) == "a **bold** word"
    assert shape.copied(2, len(shape.text)) == "bold word"
    assert shape.copied(-1, len(shape.text)).endswith(" bob: a **bold** word")
    assert shape.copied(-1, 6).endswith(" bob: a bold")


def test_an_entry_of_a_quote_alone_is_enough() -> None:
    """What was fetched to be quoted is no part of the log."""
    log = log_of(message(5, "yes", reply=1))
    log.quotes[1] = Entry(1, 0, "dave", "long ago")
    assert rows_of(shape_of(log, 5))[0].endswith("↪ dave: long ago")


def test_what_is_hidden_is_one_quiet_line() -> None:
    """Of any number of messages: neither name nor words, nothing that hangs on them, and nothing of it is copied."""
    log = Timeline("general")
    log.my_user, log.my_name, log.blocked = 1, "alice", {2: "bob"}
    log.add(message(1, "@alice look", mentions=[1], rev=9, reactions={"tada": [3]}, replies=2, edited=True))
    log.add(message(2, "and again"))
    log.add(message(3, "hello", user=3, sender="carol", reply=2))
    first, second = shape_of(log, 1), shape_of(log, 2)
    for grid in (WIDE, NARROW):
        rows = rows_of(shape_of(log, 1, grid), grid)
        assert [row.strip(" ·") for row in rows[:1]] == ["hidden"[: len(rows[0].strip(" ·"))]]
        assert not any(word in "".join(rows) for word in ("bob", "look", "edited", "replies"))
        assert len(shape_of(log, 2, grid)) == 0
    assert style_at(first, "hidden").italic
    assert first.copied(0, len(first.text)) == first.text
    assert second.lines == []
    assert "someone you blocked" in "".join(rows_of(shape_of(log, 3)))
    log.reveal(1)
    assert rows_of(shape_of(log, 1))[0][TEXT:].startswith("@alice look")
    assert rows_of(shape_of(log, 2))[0][TEXT:] == "and again"


def test_another_day_has_its_own_line_of_what_is_hidden() -> None:
    """Below its separator stands something."""
    log = Timeline("general")
    log.blocked = {2: "bob"}
    log.add(message(1, "one"))
    log.add(message(2, "two", time="2026-11-23T09:00:00.000Z"))
    assert rows_of(shape_of(log, 2))[-1].strip(" ·") == "hidden"


def test_how_long_messages_are_kept_stands_above_the_oldest() -> None:
    """Once nothing older is left."""
    log = log_of(message(1, "one"), message(2, "two"))
    log.keep("Older messages are erased here after 30 days.")
    assert [row.part for row in shape_of(log, 1).above][:2] == [Part.KEPT, Part.BLANK]
    assert "after 30 days" in Rows(WIDE, INK).row(shape_of(log, 1), 0).text
    assert Part.KEPT not in [row.part for row in shape_of(log, 2).above]
    assert all(cell_len(Rows(NARROW, INK).row(shape_of(log, 1, NARROW), row).text) == NARROW.width for row in (0, 1))
    log.more = True
    assert Part.KEPT not in [row.part for row in shape_of(log, 1).above]
