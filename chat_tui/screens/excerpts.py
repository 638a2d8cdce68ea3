"""A message on a line or two, where it stands among others: found, unread, pinned."""

import re

from textual.content import Content

from chat_tui.state.dates import seconds_of, when
from chat_tui.state.markup import plain
from server.protocol import frames

_LONGEST = 400
"""Characters of a message that are shown; the end of a longer one is left out."""
_BEFORE = 60
"""Characters shown before the first word that was found."""


def head(message: frames.Message, now: float, room: str = "") -> Content:
    """Return who said it where and when."""
    said = seconds_of(message.time)
    parts = [Content.styled(message.sender, "bold")]
    if room:
        parts.append(Content.styled(room, "$foreground 75%"))
    if said is not None:
        parts.append(Content.styled(when(said, now), "$foreground 60%"))
    return Content("  ").join(parts)


def body(message: frames.Message, words: list[str] | None = None) -> Content:
    """Return what it says on one line, from a little before the first of `words` on; each of them marked."""
    if message.deleted:
        return Content.styled("deleted", "italic $foreground 60%")
    text = plain(message.text, len(message.text) if words else _LONGEST)
    pattern = _any_of(words or [])
    found = pattern.search(text) if pattern else None
    start = max(0, found.start() - _BEFORE) if found else 0
    cut = ("…" if start else "") + text[start : start + _LONGEST]
    shown = Content(cut)
    for match in pattern.finditer(cut) if pattern else ():
        shown = shown.stylize("bold $accent", match.start(), match.end())
    return shown


def searched(query: str) -> list[str]:
    """Return the words and phrases of a query, without what marks them."""
    return [word for phrase, one in re.findall(r'"([^"]+)"?|(\S+)', query) if (word := phrase or one.strip('"*'))]


def _any_of(words: list[str]) -> re.Pattern[str] | None:
    parts = [r"\s+".join(map(re.escape, word.split())) for word in words if word.strip()]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None
