"""What the word before the cursor may become."""

import pytest

from chat_tui.commands import COMMANDS
from chat_tui.completion import Known, emoji_before, offers

KNOWN = Known(["bob", "carol", "李雷"], [("dev", "dev"), ("release", "plans of the release")])


@pytest.mark.parametrize(
    ("text", "put", "floats"),
    [
        ("", [], False),
        ("b", ["bob: "], False),
        ("hi b", ["bob "], False),
        ("hi @c", ["@carol "], True),
        ("@her", ["@here "], True),
        ("see #", ["#dev ", "#release "], True),
        ("see #plans", ["#release "], True),
        (":tad", ["🎉 "], True),
        ("10:30", [], False),
        ("/ni", ["/nick "], True),
        ("//ni", [], False),
        ("/join ", ["dev ", "release "], True),
        ("/go #d", ["dev "], True),
        ("/go c", ["carol "], True),
        ("/msg bob,c", ["carol "], True),
        ("/msg @bo", ["bob "], True),
        ("/msg bob hello ca", ["carol "], False),
        ("/invite bob rel", ["release "], True),
        ("/react tad", ["tada "], True),
        ("/notify ", ["all ", "mentions ", "none "], True),
        ("/ban bob 1", ["10m ", "1h ", "1d "], True),
        ("/ban bob 1h sp", [], False),
        ("/slow o", ["off "], True),
        ("/role bob ad", ["admin "], True),
        ("/make plans p", ["private "], True),
        ("/make plans topic about bo", ["bob "], False),
        ("/me waves at b", ["bob "], False),
        ("/who ", [], False),
    ],
)
def test_what_is_offered(text: str, put: list[str], floats: bool) -> None:
    """By what is announced, and by what is due; the rest only where it is asked for."""
    found = offers(text, len(text), KNOWN)
    assert [offer.put for offer in found.offers] == put
    assert found.floats is floats or not put


def test_what_is_put_takes_the_place_of_the_word() -> None:
    """And of nothing else, wherever in the line it stands."""
    found = offers("/msg bob, ca hi", 12, KNOWN)
    assert ("/msg bob, ca hi"[: found.start], found.offers[0].put) == ("/msg bob, ", "carol ")
    found = offers("/me greets @b", 13, KNOWN)
    assert found.start == len("/me greets ")


def test_all_commands_are_offered_after_a_slash() -> None:
    """With how they are typed and what they do."""
    found = offers("/", 1, KNOWN)
    assert [offer.meaning for offer in found.offers] == [command.help for command in COMMANDS]


def test_an_emoji_written_out_is_its_picture() -> None:
    """A word by itself, between colons."""
    assert emoji_before("well :tada:", 11) == (5, "🎉")
    assert emoji_before("well:tada:", 10) is None
    assert emoji_before("at 10:30:", 9) is None
    assert emoji_before("::", 2) is None
