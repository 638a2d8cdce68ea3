"""What was written before, and what a word may become: helps for who writes."""

from collections.abc import Callable
from typing import NamedTuple

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


class Offer(NamedTuple):
    """One thing that a word may become."""

    put: str
    """What stands there then, what follows it included."""
    shown: str
    meaning: str = ""
    short: str = ""
    """`meaning` where there is little room; empty for the same."""


class Offers(NamedTuple):
    """What the text from `start` up to the cursor may become, in order of preference."""

    start: int
    offers: tuple[Offer, ...]
    floats: bool
    """They are shown before anybody asks for one."""
    name: str = ""
    """How a name begins that stands there; empty where nothing of one does."""

    def moved(self, by: int) -> "Offers":
        """Return the same for a text that starts so much later."""
        return self._replace(start=self.start + by)


NOTHING = Offers(0, (), floats=False)


class Completion:
    """Put offers in the place of the word before the cursor, one after the other."""

    def __init__(self) -> None:
        self._offers = NOTHING
        self._index = -1
        self._begun: tuple[str, int] | None = None
        """The text and cursor that `next` was called for first."""
        self._result: tuple[str, int] | None = None
        """The same once it had put an offer."""

    def next(
        self, text: str, cursor: int, offers: Callable[[str, int], Offers], step: int = 1
    ) -> tuple[str, int] | None:
        """Return the text and cursor with the word completed; None where nothing fits. Asking again gives the next.

        Args:
            text: what is written.
            cursor: where the cursor stands in it.
            offers: what the word before the cursor may become.
            step: 1 for the next one, -1 for the one before.
        """
        if self.going_on(text, cursor):
            self._index = (self._index + step) % len(self._offers.offers)
        else:
            self._begun, self._result = (text, cursor), None
            self._offers = offers(text, cursor)
            self._index = 0 if step > 0 else len(self._offers.offers) - 1
        if not self._offers.offers:
            return None
        head = text[: self._offers.start] + self._offers.offers[self._index].put
        self._result = (head + text[cursor:], len(head))
        return self._result

    def again(self, text: str, cursor: int, offers: Callable[[str, int], Offers]) -> tuple[str, int] | None:
        """Do what the last `next` would do now that more may fit.

        What it put stays, and can be replaced by the others. Where it found nothing, return the text and cursor with
        the word completed; None where there is nothing to put, or something else is written by now.
        """
        if self._result is None:
            return self.next(text, cursor, offers) if (text, cursor) == self._begun else None
        if self._begun is not None and (text, cursor) == self._result:
            put, found = self._offers.offers[self._index], offers(*self._begun)
            if put in found.offers:
                self._offers, self._index = found, found.offers.index(put)
        return None

    def going_on(self, text: str, cursor: int) -> bool:
        """Tell whether what stands there was put by the last `next`, and another call replaces it.

        An offer that is the only one is taken: what follows it is completed next.
        """
        return len(self._offers.offers) > 1 and (text, cursor) == self._result

    def shown(self, text: str, cursor: int, offers: Callable[[str, int], Offers]) -> tuple[tuple[Offer, ...], int]:
        """Return what to show in a list, and which of it stands in the text, -1 for none."""
        if self.going_on(text, cursor):
            return self._offers.offers, self._index
        found = offers(text, cursor)
        return (found.offers if found.floats else ()), -1
