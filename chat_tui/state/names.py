"""Whether a text names someone."""

import re
from collections.abc import Callable


def names_whom(name: str | None) -> Callable[[str], bool]:
    """Return a test whether a text names `name` as a word: not within another word, name or path.

    Case and a leading @ make no difference.
    """
    if not name:
        return _never
    folded = name.casefold()
    word = re.compile(rf"(?<![\w/])(?<!\w[-.]){re.escape(folded)}(?![\w]|[-.]\w)")

    def named(text: str) -> bool:
        text = text.casefold()
        return folded in text and word.search(text) is not None

    return named


def _never(_: str) -> bool:
    return False
