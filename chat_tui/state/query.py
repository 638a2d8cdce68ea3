"""What is typed to search, and what it asks the server for."""

import re
from collections.abc import Callable
from datetime import timedelta

from chat_tui.state.dates import parse_day, start
from server.protocol import frames, limits

WORDS = ("from:", "in:", "before:", "after:", "on:", "has:")
"""What narrows a search, each with its value right after it."""

_PART = re.compile(r'(?P<word>(?:from|in|before|after|on|has):)?(?P<value>"[^"]*"?|\S*)', re.IGNORECASE)


class QueryError(Exception):
    """A search that makes no sense; `str()` of it says why and what to type instead."""


def parse(typed: str, now: float, room: Callable[[str], str | None]) -> frames.Search | None:
    """Return the search that a line asks for; None for an empty one.

    Args:
        typed: words and "phrases", with from: in: before: after: on: has: anywhere between them.
        now: seconds since 1970.
        room: gives the handle of a room by what people call it; None where there is none.

    Raises:
        QueryError: with what to type instead.
    """
    words, search = [], frames.Search()
    for part in _PART.finditer(typed):
        if part["word"]:
            _narrow(search, part["word"].casefold(), part["value"].strip('"'), now, room)
        elif part["value"]:
            words.append(part["value"])
    search.text = " ".join(words)
    if len(search.text) > limits.QUERY_CHARS:
        raise QueryError(f"That is too long to search for: at most {limits.QUERY_CHARS} characters.")
    narrowed = search.rooms or search.sender or search.since or search.till or search.has
    return search if search.text or narrowed else None


def _narrow(search: frames.Search, word: str, value: str, now: float, room: Callable[[str], str | None]) -> None:
    if not value:
        raise QueryError(f"{word} needs something right after it, without a space.")
    match word:
        case "from:":
            search.sender = value.removeprefix("@")
        case "in:":
            handle = room(value)
            if handle is None:
                raise QueryError(f"You are in no room called {value}.")
            search.rooms = [*search.rooms, handle]
        case "has:":
            kind = value.casefold().removesuffix("s")
            if kind == "link":
                search.has = ["link"]
            elif kind == "file":
                search.has = ["file"]
            else:
                raise QueryError("has: takes link or file.")
        case _:
            _when(search, word, value, now)


def _when(search: frames.Search, word: str, value: str, now: float) -> None:
    that = parse_day(value, now)
    if that is None:
        raise QueryError(
            f"{word}{value} is no day. Type for example {word}2025-03-14, {word}yesterday, {word}friday or {word}2w."
        )
    if word in ("after:", "on:"):
        search.since = start(that)
    if word == "before:":
        search.till = start(that)
    if word == "on:":
        search.till = start(that + timedelta(1))
