"""The text being written and readline's ways to change it, as plain data."""

import re
import unicodedata
from typing import NamedTuple

_WORD = r"\w+"
_MOST_UNDO = 200
"""Steps back that are remembered: more than anyone takes in a chat message."""


class _Before(NamedTuple):
    text: str
    cursor: int


class Editor:
    """A text, a cursor in it, and what was cut from it.

    Positions are indices into `text`. Words are readline's: runs of letters and digits, but for `rubout_word`, which
    takes all up to a space.
    """

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.cursor = len(text)
        self.killed = ""
        """What was cut last: `yank` puts it back."""
        self._undo: list[_Before] = []
        self._joining = ""
        """The kind of the last change: typing one character after the other is undone as one, kills add up."""

    def set(self, text: str, cursor: int | None = None) -> None:
        """Replace the whole text. Can be undone."""
        self._change(text, len(text) if cursor is None else cursor, "")

    def clear(self) -> None:
        """Start anew, with nothing to undo."""
        self.text, self.cursor, self._joining = "", 0, ""
        self._undo.clear()

    def insert(self, text: str) -> None:
        """Put text in at the cursor."""
        kind = "typing" if len(text) == 1 and not text.isspace() else ""
        self._change(self.text[: self.cursor] + text + self.text[self.cursor :], self.cursor + len(text), kind)

    def undo(self) -> None:
        """Take the last change back."""
        if self._undo:
            self.text, self.cursor = self._undo.pop()
        self._joining = ""

    # Where the cursor can go.

    def move(self, position: int) -> None:
        """Put the cursor somewhere."""
        self.cursor = max(0, min(position, len(self.text)))
        self._joining = ""

    def left(self) -> None:
        """One character back: an accent or a joined emoji moves with what it belongs to."""
        self.move(self._before(self.cursor))

    def right(self) -> None:
        """One character on."""
        self.move(self.after(self.cursor))

    def word_left(self) -> None:
        """To the start of this word or the one before."""
        self.move(self._word_start())

    def word_right(self) -> None:
        """To the end of this word or the next."""
        self.move(self._word_end())

    def line_start(self) -> None:
        """To the start of the line."""
        self.move(self._line()[0])

    def line_end(self) -> None:
        """To the end of the line."""
        self.move(self._line()[1])

    @property
    def on_first_line(self) -> bool:
        """No line stands above the cursor."""
        return "\n" not in self.text[: self.cursor]

    @property
    def on_last_line(self) -> bool:
        """No line stands below the cursor."""
        return "\n" not in self.text[self.cursor :]

    # What is taken out.

    def delete_left(self) -> None:
        """Take out the character before the cursor."""
        self._cut(self._before(self.cursor), self.cursor, "")

    def delete_right(self) -> None:
        """Take out the character at the cursor."""
        self._cut(self.cursor, self.after(self.cursor), "")

    def kill_line(self) -> None:
        """Cut up to the end of the line, or the line break where that is here."""
        end = self._line()[1]
        self._kill(self.cursor, max(end, self.after(self.cursor)) if end == self.cursor else end)

    def kill_to_start(self) -> None:
        """Cut from the start of the line, or the line break where that is here."""
        start = self._line()[0]
        self._kill(self._before(self.cursor) if start == self.cursor else start, self.cursor)

    def kill_word_right(self) -> None:
        """Cut up to the end of the word."""
        self._kill(self.cursor, self._word_end())

    def kill_word_left(self) -> None:
        """Cut from the start of the word."""
        self._kill(self._word_start(), self.cursor)

    def rubout_word(self) -> None:
        """Cut back to the space before."""
        before = self.text[: self.cursor].rstrip()
        self._kill(max(before.rfind(space) for space in " \n\t") + 1, self.cursor)

    def yank(self) -> None:
        """Put back what was cut last."""
        if self.killed:
            self.insert(self.killed)

    def transpose(self) -> None:
        """Swap the characters around the cursor."""
        at = min(self.cursor, len(self.text) - 1)
        if at >= 1:
            swapped = self.text[: at - 1] + self.text[at] + self.text[at - 1] + self.text[at + 1 :]
            self._change(swapped, at + 1, "")

    # How.

    def _change(self, text: str, cursor: int, kind: str) -> None:
        if text == self.text:
            self.cursor = cursor
            return
        if not kind or kind != self._joining:
            self._undo.append(_Before(self.text, self.cursor))
            del self._undo[:-_MOST_UNDO]
        self.text, self.cursor, self._joining = text, cursor, kind

    def _cut(self, start: int, end: int, kind: str) -> None:
        self._change(self.text[:start] + self.text[end:], start, kind)

    def _kill(self, start: int, end: int) -> None:
        """Cut a range; what several kills in a row take comes back together."""
        if start == end:
            return
        cut = self.text[start:end]
        if self._joining == "kill":
            self.killed = cut + self.killed if start < self.cursor else self.killed + cut
        else:
            self.killed = cut
        self._cut(start, end, "kill")

    def _line(self) -> tuple[int, int]:
        """Return where the cursor's line starts and ends."""
        end = self.text.find("\n", self.cursor)
        return self.text.rfind("\n", 0, self.cursor) + 1, len(self.text) if end < 0 else end

    def _word_start(self) -> int:
        words = [match.start() for match in re.compile(_WORD).finditer(self.text, 0, self.cursor)]
        return words[-1] if words else 0

    def _word_end(self) -> int:
        match = re.compile(_WORD).search(self.text, self.cursor)
        return match.end() if match else len(self.text)

    def _before(self, at: int) -> int:
        """Return where the character before `at` starts."""
        at -= 1
        while at > 0 and _joins(self.text, at):
            at -= 1
        return max(at, 0)

    def after(self, at: int) -> int:
        """Return where the character at `at` ends."""
        at += 1
        while at < len(self.text) and _joins(self.text, at):
            at += 1
        return min(at, len(self.text))


def _joins(text: str, at: int) -> bool:
    """Tell whether the code point at `at` belongs to what stands before it."""
    point = text[at]
    if point < "\u0300":
        return False
    return (
        unicodedata.category(point) in ("Mn", "Me", "Mc")
        or point == "\u200d"
        or text[at - 1] == "\u200d"
        or "\U0001f3fb" <= point <= "\U0001f3ff"  # skin tones
    )
