"""Invitations as lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_tui.state.link import Address, invitation, parse_invitation

KEY = "k7qd-93mf-x2wp-08tz-hv4n"


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("chat://chat.example", Address("chat.example", 7373)),
        ("chat.example:7000", Address("chat.example", 7000)),
        (f"chat://chat.example/{KEY}", Address("chat.example", 7373, pin=KEY)),
        (f" chat://chat.example:7000/{KEY}/ ", Address("chat.example", 7000, pin=KEY)),
        ("chat://h/K7QD93MFX2WPO8TZHV4N", Address("h", 7373, pin=KEY)),
        (f"chat://h/{KEY}/{KEY}", Address("h", 7373, pin=KEY, ticket=KEY)),
        (f"chat://h//{KEY}", Address("h", 7373, ticket=KEY)),
        (f"chat://[fd00::1]:7000/{KEY}", Address("fd00::1", 7000, pin=KEY)),
    ],
)
def test_where_an_invitation_leads(line: str, where: Address) -> None:
    """A key is taken as people write it."""
    assert parse_invitation(line) == where


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "no invitation"),
        ("https://chat.example/room", "no invitation"),
        ("chat://a b", "no invitation"),
        ("chat://alice@host", "no invitation"),
        ("chat://host?x=1", "no invitation"),
        ("chat://host:0", "no port"),
        ("chat://host:70000", "no port"),
        ("chat://host/general/42", "not whole"),
        (f"chat://host/{KEY[:-1]}", "not whole"),
        (f"chat://host/{KEY}/{KEY}/more", "no invitation"),
        (f"chat://host/{KEY}/{KEY[:-1]}", "ticket is not whole"),
    ],
)
def test_what_is_no_invitation_is_said(line: str, words: str) -> None:
    """A key that is not whole is never left out: the server would be taken unseen."""
    with pytest.raises(ValueError, match=words):
        parse_invitation(line)


@given(
    st.sampled_from(["chat.example", "192.0.2.7", "fd00::1"]),
    st.integers(1, 65535),
    st.sampled_from(["", KEY]),
    st.sampled_from(["", KEY[::-1]]),
)
def test_what_is_written_is_read(host: str, port: int, pin: str, ticket: str) -> None:
    """And holds nothing that a shell would take for its own."""
    line = invitation(host, port, pin, ticket)
    assert parse_invitation(line) == Address(host, port, pin=pin, ticket=ticket)
    assert not set(line) & set("?&;'\"$*() ")


def test_a_ticket_is_in_no_repr() -> None:
    """It is secret."""
    assert KEY not in repr(parse_invitation(f"chat://h//{KEY}"))
