"""Secrets that are typed where everyone reads them."""

import pytest

from chat_tui.state.guarded import is_invitation, what_it_is

KEY = "k7qd-93mf-x2wp-08tz-hv4n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (KEY, "a code or a ticket"),
        (f"  {KEY.upper()}\n", "a code or a ticket"),
        (KEY.replace("-", ""), "a code or a ticket"),
        ("0123456789abcdef0123456789abcdef", "a code or a ticket"),
        (f"chat-tui join chat://h:7000/{KEY}/{KEY}", "an invitation with a ticket"),
        (f"python3 run.py chat-tui join chat://[::1]/{KEY}/{KEY} --name ann", "an invitation with a ticket"),
        (f"chat://h//{KEY}", "an invitation with a ticket"),
        (f"chat-tui join chat://h:7000/{KEY}", ""),
        (f"the key is {KEY}", ""),
        ("the-long-and-wind-ing-road", ""),
        ("chat://chat.example/general/12", ""),
        ("christophersmith1990", ""),
        ("hello", ""),
        ("", ""),
    ],
)
def test_what_is_nothing_but_a_secret_is_told_by_its_looks(text: str, what: str) -> None:
    """Codes, tickets, and invitations that hold one."""
    assert what_it_is(text) == what


def test_the_servers_key_is_no_secret() -> None:
    """It looks like a code."""
    assert what_it_is(KEY, KEY) == ""


def test_an_invitation_is_told_from_a_name() -> None:
    """With and without the program."""
    assert is_invitation(f"chat-tui join chat://h/{KEY}")
    assert is_invitation("chat://h")
    assert not is_invitation("join")
