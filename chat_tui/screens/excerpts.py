"""A message on a line or two, where it stands among others: found, unread, pinned."""

import re

from rich.cells import cell_len
from textual.content import Content

from chat_tui.state.dates import seconds_of, when
from chat_tui.state.markup import plain
from server.protocol import frames

_BEFORE = 40
"""Characters shown at most before the first word that was found."""


def head(message: frames.Message, now: float, room: str = "", *, names: int = 0) -> Content:
    """Return who said it where and when; `names` is the least width of the first."""
    said = seconds_of(message.time)
    parts = [Content.styled(message.sender + " " * (names - cell_len(message.sender)), "bold")]
    if room:
        parts.append(Content.styled(room, "$foreground 75%"))
    if said is not None:
        parts.append(Content.styled(when(said, now), "$foreground 60%"))
    return Content("  ").join(parts)


def body(message: frames.Message, most: int, words: list[str] | None = None) -> Content:
    """Return what it says on one line, from a little before the first of `words` on; each of them marked.

    Args:
        message: what was said.
        most: characters that are shown.
        words: what was searched for; None for nothing.
    """
    if message.deleted:
        return Content.styled("deleted", "italic $foreground 60%")
    text = plain(message.text, len(message.text) if words else most + 1)
    pattern = _any_of(words or [])
    found = pattern.search(text) if pattern else None
    start = text.rfind(" ", 0, max(0, found.start() - _BEFORE) + 1) + 1 if found else 0
    cut = shorten(text[start : start + most + 1], most)
    shown = Content(("…" if start else "") + cut)
    for match in pattern.finditer(shown.plain) if pattern else ():
        shown = shown.stylize("bold $accent", match.start(), match.end())
    return shown


def shorten(text: str, most: int) -> str:
    """Return at most so many characters of a text, cut after a word, with an ellipsis where it goes on."""
    if len(text) <= most:
        return text
    return (text[:most].rpartition(" ")[0] or text[:most]).rstrip() + "…"


def searched(query: str) -> list[str]:
    """Return the words and phrases of a query, without what marks them."""
    return [word for phrase, one in re.findall(r'"([^"]+)"?|(\S+)', query) if (word := phrase or one.strip('"*'))]


def _any_of(words: list[str]) -> re.Pattern[str] | None:
    parts = [r"\s+".join(map(re.escape, word.split())) for word in words if word.strip()]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None
