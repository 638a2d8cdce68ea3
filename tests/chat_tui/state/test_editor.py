"""The editor: readline's keys on plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_tui.state.editor import Editor


def at(marked: str) -> Editor:
    """Return an editor with the cursor where `|` stands."""
    editor = Editor(marked.replace("|", "", 1))
    editor.move(marked.index("|"))
    return editor


def shown(editor: Editor) -> str:
    """Return the text with `|` at the cursor."""
    return editor.text[: editor.cursor] + "|" + editor.text[editor.cursor :]


@pytest.mark.parametrize(
    ("before", "what", "after"),
    [
        ("one two|", "rubout_word", "one |"),
        ("a/b c/d|", "rubout_word", "a/b |"),
        ("a/b c/d|", "kill_word_left", "a/b c/|"),
        ("|one two", "kill_word_right", "| two"),
        ("one |two", "kill_line", "one |"),
        ("one|\ntwo", "kill_line", "one|two"),
        ("one |two", "kill_to_start", "|two"),
        ("one\n|two", "kill_to_start", "one|two"),
        ("one tw|o", "word_left", "one |two"),
        ("on|e two", "word_right", "one| two"),
        ("x\none| two", "line_start", "x\n|one two"),
        ("x\no|ne\ny", "line_end", "x\none|\ny"),
        ("ab|", "transpose", "ba|"),
        ("a|b", "transpose", "ba|"),
        ("|ab", "transpose", "|ab"),
        ("a|", "transpose", "a|"),
        ("ab|", "delete_left", "a|"),
        ("|ab", "delete_left", "|ab"),
        ("|ab", "delete_right", "|b"),
        ("ab|", "delete_right", "ab|"),
        ("e\u0301|x", "left", "|e\u0301x"),
        ("|e\u0301x", "delete_right", "|x"),
        ("👩\u200d👩|", "delete_left", "|"),
        ("👍🏽|", "left", "|👍🏽"),
    ],
)
def test_each_key_does_what_readline_does(before: str, what: str, after: str) -> None:
    """Text and cursor after one key."""
    editor = at(before)
    getattr(editor, what)()
    expected = at(after)
    assert (editor.text, editor.cursor) == (expected.text, expected.cursor)


def test_what_was_cut_comes_back() -> None:
    """Kills in a row add up, in the order of the text; a move between them starts anew."""
    editor = at("one two| three")
    editor.kill_word_left()
    editor.kill_word_left()
    editor.kill_line()
    editor.yank()
    assert shown(editor) == "one two three|"
    editor.kill_to_start()
    editor.move(0)
    editor.insert("x")
    editor.yank()
    assert editor.text == "xone two three"


def test_undo_takes_back_typing_by_words_and_other_changes_by_one() -> None:
    """Letters in a row are one step; a space, a cut or a completion is another."""
    editor = Editor()
    for character in "hi you":
        editor.insert(character)
    editor.kill_to_start()
    editor.undo()
    assert editor.text == "hi you"
    editor.undo()
    assert editor.text == "hi "
    editor.undo()
    editor.undo()
    assert editor.text == ""
    editor.undo()
    assert editor.text == ""


ACTIONS = [
    "left",
    "right",
    "word_left",
    "word_right",
    "line_start",
    "line_end",
    "delete_left",
    "delete_right",
    "kill_line",
    "kill_to_start",
    "kill_word_right",
    "kill_word_left",
    "rubout_word",
    "yank",
    "transpose",
    "undo",
]


@given(st.text(max_size=20), st.lists(st.sampled_from(ACTIONS), max_size=20))
def test_the_cursor_never_leaves_the_text(text: str, actions: list[str]) -> None:
    """Any keys on any text."""
    editor = Editor(text)
    for action in actions:
        getattr(editor, action)()
        assert 0 <= editor.cursor <= len(editor.text)
