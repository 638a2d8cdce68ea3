"""Input history and completion."""

from chat_tui.state.recall import Completion, InputHistory


def test_up_and_down_walk_through_what_was_sent_and_end_at_the_draft() -> None:
    """The draft is kept while one looks back."""
    history = InputHistory()
    assert history.up("draft") is None
    for line in ("one", "two", "two"):
        history.add(line)
    assert history.up("draft") == "two"
    assert history.up("two") == "one"
    assert history.up("one") is None
    assert history.down() == "two"
    assert history.down() == "draft"
    assert history.down() is None


def test_tab_completes_a_name_and_goes_on_to_the_next() -> None:
    """At the start of a message the name is followed by a colon, elsewhere by a space."""
    completion = Completion()
    names = ["bob", "Bea", "carol"]
    first = completion.next("b", 1, names)
    assert first == ("bob: ", 5)
    second = completion.next(*first, names)
    assert second == ("Bea: ", 5)
    assert completion.next(*second, names) == ("bob: ", 5)
    assert Completion().next("hi @ca, you", 6, names) == ("hi @carol , you", 10)
    assert Completion().next("hi b", 4, names, step=-1) == ("hi Bea ", 7)
    assert Completion().next("x", 1, names) is None
    assert Completion().next("", 0, names) is None


def test_tab_completes_a_command() -> None:
    """A slash at the start means a command."""
    assert Completion().next("/ni", 3, ["nina", "/nick"]) == ("/nick ", 6)
