"""Emoji by their short names."""

import re

from rich.cells import cell_len

from chat_tui.state.emoji import _pictures, matching, picture, short_name


def test_each_can_be_sent_and_takes_the_same_room_everywhere() -> None:
    """The wire's pattern; a character of two cells, or the heart's one: no joiners, no variation selectors."""
    for name, shown in _pictures().items():
        assert re.fullmatch(r"[a-z0-9_+-]{1,32}", name), name
        assert len(shown) == 1
        assert cell_len(shown) == 2 or shown == "❤"
        assert picture(name) == shown


def test_what_is_unknown_is_shown_by_its_name() -> None:
    """Another program may know more of them."""
    assert picture("rare_bird") == ":rare_bird:"


def test_what_is_typed_becomes_one_name() -> None:
    """Two people who mean the same picture react with the same."""
    assert [short_name(typed) for typed in ("thumbsup", "+1", ":+1:", "👍", "THUMBSUP")] == ["thumbsup"] * 5
    assert short_name("❤\ufe0f") == "heart"
    assert short_name("nothing_like_it") is None


def test_names_that_start_so_come_first() -> None:
    """Each picture once."""
    names = matching("heart")
    assert names[0] == "heart"
    assert "broken_heart" in names
    assert len(set(names)) == len(names)
    assert matching("+")[0] == "thumbsup"
    assert matching("qqq") == []
