"""Entries in order, who starts a group and a day among them, and each change told as a splice."""

from bisect import bisect_left
from collections.abc import Callable
from operator import attrgetter
from typing import Final

from chat_tui.state.clock import Clock
from chat_tui.state.entries import ACTION, DAY, GROUP, HEAD, HERE, MENTION, NOTICE, Entry, Waiting
from chat_tui.state.names import names_whom

Listener = Callable[[int, int, int], None]
"""Called after a change with (at, removed, added): `removed` entries from index `at` on became `added` ones."""

seq_of: Final = attrgetter("seq")


class Splices:
    """Entries sorted by `seq`; the own messages that are not confirmed stand at their end.

    Args:
        thread: the message out of which the thread grew that is shown alone; 0 for all.
    """

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.entries: list[Entry] = []
        self.messages = 0
        """How many entries are messages, unconfirmed ones included."""
        self.new_from = 0
        """The first message that was unread when this was opened, where it is held; 0 for none."""
        self.listeners: list[Listener] = []
        self.my_user: int | None = None
        self._my_name: str | None = None
        self._names_me: Callable[[str], bool] = names_whom(None)
        self._clock = Clock()
        self._waiting: dict[int, Waiting] = {}

    @property
    def my_name(self) -> str | None:
        """My name here: who names it in a message is marked. Case and a leading @ make no difference."""
        return self._my_name

    @my_name.setter
    def my_name(self, name: str | None) -> None:
        self._my_name = name
        self._names_me = names_whom(name)

    def messages_between(self, start: int, end: int) -> int:
        """Return how many of the entries from index `start` up to `end` are messages."""
        size = len(self.entries)
        if end - start > size // 2:  # count the shorter side
            return self.messages - self.messages_between(0, start) - self.messages_between(end, size)
        return sum(1 for index in range(start, end) if not self.entries[index].flags & NOTICE)

    def index_of(self, seq: int) -> int | None:
        """Return the index of a message; None where it is not held."""
        end = self._end
        at = bisect_left(self.entries, seq, hi=end, key=seq_of)
        if at < end and self.entries[at].seq == seq and not self.entries[at].flags & NOTICE:
            return at
        return None

    # How.

    @property
    def _end(self) -> int:
        """The index after the last entry that is not an own message on its way."""
        return len(self.entries) - len(self._waiting)

    def naming(self, user: int, text: str, mentions: list[int], here: bool) -> int:
        """Return the flags of a message that names me, or everyone."""
        if user == self.my_user:
            return 0
        if here:
            return MENTION | HERE
        return MENTION if self.my_user in mentions or self._names_me(text) else 0

    def _insert(self, at: int, new: list[Entry]) -> None:
        count = len(new)
        self.entries[at:at] = new
        changed = self._regroup(at, at_least=count)
        self._tell(at, changed - count, changed)

    def _regroup(self, start: int, at_least: int = 0) -> int:
        """Decide from `start` on who starts a group or a day; stop where nothing changes any more.

        Returns how many entries were looked at and changed, `at_least` those that are new.
        """
        entries = self.entries
        before = entries[start - 1] if start else None
        for index in range(start, len(entries)):
            entry = entries[index]
            flags, since = entry.flags, entry.since
            self._group(entry, before)
            if index - start >= at_least and entry.flags == flags and entry.since == since:
                return index - start
            before = entry
        return len(entries) - start

    def _group(self, entry: Entry, before: Entry | None) -> None:
        """Decide whether `entry` starts a day, or a group, after the one before it."""
        flags = entry.flags & ~(HEAD | DAY)
        if before is None or (before.time != entry.time and self._clock.day(entry.time) > self._clock.day(before.time)):
            flags |= DAY
        if (
            flags & (DAY | NOTICE | ACTION)
            or before is None
            or (entry.more is not None and entry.more.reply and entry.more.reply != self.thread)  # a quote is above it
            or entry.seq == self.new_from  # and so is a line here
            or before.flags & (NOTICE | ACTION)
            or before.name != entry.name
            or not 0 <= entry.time - before.since < GROUP
        ):
            flags |= HEAD
            entry.since = entry.time
        else:
            entry.since = before.since
        entry.flags = flags

    def _tell(self, at: int, removed: int, added: int) -> None:
        for listener in self.listeners:
            listener(at, removed, added)
