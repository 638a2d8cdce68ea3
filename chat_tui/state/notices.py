"""What nobody said, and the log shows all the same: who came and went, answers of commands."""

from collections.abc import Callable, Iterable
from typing import Literal

from chat_tui.state.changes import shown
from chat_tui.state.entries import ERROR, INFO, NOTICE, Entry, left_in_words, names_in_words
from chat_tui.state.splices import Splices
from server.protocol.text import clean_line

_MERGE = 60
"""Seconds in which people who come in or leave one after the other share one notice."""


class Notices(Splices):
    """Lines of our own between the messages."""

    def __init__(self, thread: int) -> None:
        super().__init__(thread)
        self._gathering: tuple[Entry, str, dict[str, None]] | None = None

    def came_in(self, names: Iterable[str], time: float) -> None:
        """Say who came in. Many within a minute share one notice."""
        self._gather("came in", names, time, lambda all_of_them: f"{names_in_words(all_of_them)} came in")

    def left(self, names: Iterable[str], reason: str, time: float) -> None:
        """Say who left and why. Many within a minute, for one reason, share one notice."""
        why = clean_line(reason)
        self._gather(f"left {why}", names, time, lambda all_of_them: left_in_words(all_of_them, why))

    def renamed(self, old: str, new: str, time: float) -> None:
        """Say that someone has another name now."""
        if self._my_name in (old, new):
            self._notice(f"you are now called {clean_line(new)}", time)
        else:
            self._notice(f"{clean_line(old)} is now called {clean_line(new)}", time)

    def notice(self, text: str, time: float, tone: Literal["quiet", "info", "error"] = "quiet") -> None:
        """Show a line of our own: the answer of a command, a hint."""
        self._notice(shown(text), time, {"quiet": 0, "info": INFO, "error": ERROR}[tone])

    # How.

    def _notice(self, text: str, time: float, tone: int = 0) -> Entry:
        """Put a notice after the last message that was sent."""
        at = self._end
        seq = self.entries[at - 1].seq if at else 0
        entry = Entry(seq, int(time), "", text, NOTICE | tone)
        self._insert(at, [entry])
        return entry

    def _gather(self, what: str, names: Iterable[str], time: float, say: Callable[[Iterable[str]], str]) -> None:
        """Add names to the last notice if it says the same of others, and is young; else make a new one."""
        some = {clean_line(name): None for name in names}
        if not some:
            return
        at = self._end - 1
        if self._gathering is not None and at >= 0:
            entry, same, so_far = self._gathering
            if same == what and entry is self.entries[at] and 0 <= time - entry.time < _MERGE:
                so_far.update(some)
                entry.text = say(so_far)
                self._tell(at, 1, 1)
                return
        self._gathering = (self._notice(say(some), time), what, some)
