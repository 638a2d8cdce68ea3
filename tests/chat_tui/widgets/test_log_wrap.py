"""Cutting text into lines by cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chat_tui.widgets.log_wrap import wrap

# What stands for one character to a reader; joiners only where they join.
_graphemes = st.sampled_from(
    ["a", "b", " ", " ", "-", "漢", "字", "，", "。", "é", "e\u0301", "👨\u200d👩", "☺\ufe0f", "\n"]
)
_texts = st.lists(_graphemes, max_size=60).map("".join)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("hello world this is", 7, ["hello", "world", "this is"]),
        ("a" * 12, 5, ["aaaaa", "aaaaa", "aa"]),
        ("to https://x.org/abc", 8, ["to", "https://", "x.org/ab", "c"]),
        ("漢字仮名、長い。", 8, ["漢字仮", "名、長", "い。"]),
        ("漢字abc def", 5, ["漢字", "abc", "def"]),
        ("e\u0301" * 4, 3, ["e\u0301" * 3, "e\u0301"]),
        ("👨\u200d👩👨\u200d👩", 3, ["👨\u200d👩", "👨\u200d👩"]),
        ("a\n\n  b", 9, ["a", "", "  b"]),
        ("ab  cd", 3, ["ab ", "cd"]),
    ],
)
def test_lines_end_where_a_reader_expects(text: str, width: int, lines: list[str]) -> None:
    """At spaces, after wide characters, never before what closes a phrase, else where the line is full."""
    assert [text[start:end] for start, end in wrap(text, width)] == lines


@given(_texts, st.integers(2, 12))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, width: int) -> None:
    """Between two lines there is at most the space or newline that ended the first."""
    position = 0
    for start, end in wrap(text, width):
        assert cell_len(text[start:end]) <= width
        assert text[position:start] in ("", " ", "\n")
        position = end
    assert position == len(text)


@given(st.text(max_size=80), st.integers(2, 12))
def test_any_text_is_cut(text: str, width: int) -> None:
    """Nonsense of joiners and marks, too."""
    spans = wrap(text, width)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
