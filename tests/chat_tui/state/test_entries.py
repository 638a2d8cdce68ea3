"""The sentences of notices."""

import pytest

from chat_tui.state.entries import left_in_words, names_in_words


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["bob"], "bob"),
        (["bob", "carol"], "bob and carol"),
        (["bob", "carol", "dave"], "bob, carol and dave"),
        (["bob", "carol", "dave", "erin"], "bob, carol and 2 others"),
    ],
)
def test_names_are_listed_as_people_do(names: list[str], words: str) -> None:
    """From four on, the rest is a number."""
    assert names_in_words(names) == words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "bob left"),
        ("quit", "bob left"),
        ("left", "bob left the room"),
        ("connection lost", "bob left: connection lost"),
        ("shutdown", "bob left: the server is shutting down"),
        ("gone fishing", "bob left: gone fishing"),
    ],
)
def test_a_reason_is_said_where_it_says_more(reason: str, words: str) -> None:
    """`quit` alone is what leaving is."""
    assert left_in_words(["bob"], reason) == words
