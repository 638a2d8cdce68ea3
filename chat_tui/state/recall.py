"""What was written before, and names to complete: helps for who writes."""

from collections.abc import Iterable

_MOST = 500
"""Own messages that up and down can bring back."""


class InputHistory:
    """What was sent, to be brought back with up and down. What was being written meanwhile is kept below it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._at = 0
        self._draft = ""

    def add(self, text: str) -> None:
        """Remember what was sent, once where it is said twice in a row."""
        if text and self._lines[-1:] != [text]:
            self._lines.append(text)
            del self._lines[:-_MOST]
        self._at = len(self._lines)
        self._draft = ""

    def up(self, now: str) -> str | None:
        """Return what was written before; None at the oldest. `now` is what stands in the input."""
        if self._at == 0:
            return None
        if self._at == len(self._lines):
            self._draft = now
        self._at -= 1
        return self._lines[self._at]

    def down(self) -> str | None:
        """Return what was written after, at last what was being written; None below that."""
        if self._at >= len(self._lines):
            return None
        self._at += 1
        return self._lines[self._at] if self._at < len(self._lines) else self._draft


class Completion:
    """Complete the word before the cursor; asking again gives the next candidate."""

    def __init__(self) -> None:
        self._start = 0
        self._candidates: list[str] = []
        self._index = -1
        self._result: tuple[str, int] | None = None

    def next(self, text: str, cursor: int, names: Iterable[str], step: int = 1) -> tuple[str, int] | None:
        """Return the text and cursor with a name completed; None where none fits.

        At the start of a message a name gets `: ` after it, elsewhere a space.

        Args:
            text: what is written.
            cursor: where the cursor stands in it.
            names: all names that may be meant, in order of preference.
            step: 1 for the next one, -1 for the one before.
        """
        if (text, cursor) == self._result and self._candidates:
            self._index = (self._index + step) % len(self._candidates)
            rest = text[cursor:]
        else:
            self._start = max(text.rfind(space, 0, cursor) for space in " \n\t") + 1
            word = text[self._start : cursor]
            self._candidates = _fitting(word, names, at_start=self._start == 0)
            self._index = 0 if step > 0 else -1
            rest = text[cursor:]
        if not self._candidates:
            return None
        head = text[: self._start] + self._candidates[self._index]
        self._result = (head + rest, len(head))
        return self._result


def _fitting(word: str, names: Iterable[str], *, at_start: bool) -> list[str]:
    """Return what the word may become, what stands after the name included."""
    at = "@" if word.startswith("@") else ""
    wanted = word.removeprefix("@").casefold()
    if not word:
        return []
    if word.startswith("/"):
        return [name + " " for name in names if name.startswith(word)]
    end = ": " if at_start and not at else " "
    return [at + name + end for name in names if not name.startswith("/") and name.casefold().startswith(wanted)]
