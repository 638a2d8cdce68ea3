"""What is typed to search."""

from datetime import date, datetime

import pytest

from chat_tui.state.dates import start
from chat_tui.state.query import QueryError, parse
from server.protocol.frames import Search

NOW = datetime(2026, 11, 21, 9, 30).timestamp()
ROOMS = {"#dev": "dev", "dev": "dev", "release plans": "release"}


def midnight(year: int, month: int, day: int) -> str:
    """When a day starts here, on the wire."""
    return start(date(year, month, day))


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("  ", None),
        ("two words", Search(text="two words")),
        ('a "whole phrase" b', Search(text='a "whole phrase" b')),
        ("from:@bob soup", Search(text="soup", sender="bob")),
        ("soup FROM:bob", Search(text="soup", sender="bob")),
        ('in:#dev in:"release plans"', Search(rooms=["dev", "release"])),
        ("after:2025-03-14 x", Search(text="x", since=midnight(2025, 3, 14))),
        ("before:2025-03-14 x", Search(text="x", till=midnight(2025, 3, 14))),
        ('on:"14 march 2025"', Search(since=midnight(2025, 3, 14), till=midnight(2025, 3, 15))),
        ("has:links", Search(has=["link"])),
        ("within:x", Search(text="within:x")),
        ("from:李雷 早上", Search(text="早上", sender="李雷")),
    ],
)
def test_what_is_asked(typed: str, asked: Search | None) -> None:
    """Words stay words, the rest narrows."""
    assert parse(typed, NOW, ROOMS.get) == asked


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("from: bob", "right after it"),
        ("in:nowhere x", "no room called nowhere"),
        ("before:soon x", "no day"),
        ("has:soup", "link or file"),
        ("x" * 501, "at most 500"),
    ],
)
def test_what_makes_no_sense_is_said(typed: str, why: str) -> None:
    """With what to type instead."""
    with pytest.raises(QueryError, match=why):
        parse(typed, NOW, ROOMS.get)
