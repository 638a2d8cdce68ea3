"""What is taken out of a log, or hidden in it: what was kept long enough, who is gone for good, who is blocked."""

from bisect import bisect_right
from collections.abc import Collection, Mapping

from chat_tui.state.entries import (
    ACTION,
    DELETED,
    EDITED,
    HERE,
    HIDDEN,
    MENTION,
    MINE,
    NOTICE,
    PINNED,
    Entry,
    reply_of,
)
from chat_tui.state.notices import Notices
from chat_tui.state.splices import seq_of


class Erasing(Notices):
    """A log of which parts go."""

    more: bool
    oldest: int | None
    quotes: dict[int, Entry]

    def __init__(self, thread: int) -> None:
        super().__init__(thread)
        self.blocked: Mapping[int, object] = {}
        """Users whose messages are hidden; `hide` after each change."""
        self.kept = ""
        """For how long messages are kept here, as a sentence that stands above the oldest; empty for for ever."""

    def keep(self, words: str) -> None:
        """Say for how long messages are kept here."""
        if words != self.kept:
            self.kept = words
            self._first_again()

    def forget(self, upto: int) -> None:
        """Take out all messages up to a seq: they are erased."""
        at = bisect_right(self.entries, upto, hi=self._end, key=seq_of)
        for entry in self.entries[:at]:
            self.quotes.pop(entry.seq, None)
        if self.new_from <= upto:
            self.new_from = 0
        if self.oldest is not None and self.oldest <= upto:
            self.more = False  # what is older was erased before, or is now
            left = (entry.seq for entry in self.entries[at : self._end] if not entry.flags & NOTICE)
            self.oldest = next(left, upto + 1)
        if at:
            self.messages -= self.messages_between(0, at)
            del self.entries[:at]
            changed = self._regroup(0)
            self._tell(0, at + changed, changed)
        for index, entry in enumerate(self.entries):
            if 0 < reply_of(entry) <= upto:
                self.quotes[reply_of(entry)] = _gone(reply_of(entry))
                self._tell(index, 1, 1)

    def erase(self, users: Collection[int]) -> None:
        """Let nobody have said what these have said, nor reacted where they did."""
        changed = False
        for entry in [*self.entries, *self.quotes.values()]:
            changed |= _without(entry, users)
        if changed:
            self._all_again()

    def hide(self) -> None:
        """Hide what was said by who is `blocked` now, and show all else."""
        changed = False
        for entry in self.entries:
            hidden = entry.user in self.blocked and not entry.flags & (NOTICE | MINE)
            if hidden is not bool(entry.flags & HIDDEN):
                entry.flags ^= HIDDEN
                changed = True
        if changed:
            self._all_again()

    def reveal(self, seq: int) -> None:
        """Show a hidden message, and those hidden right below it."""
        start = end = self.index_of(seq)
        if start is None or end is None:
            return
        while end < self._end and self.entries[end].flags & HIDDEN:
            self.entries[end].flags &= ~HIDDEN
            end += 1
        changed = self._regroup(start, at_least=end - start)
        self._tell(start, changed, changed)

    # How.

    def _first_again(self) -> None:
        """The first entry looks different, by what stands above it."""
        if self.entries:
            self._tell(0, 1, 1)

    def _all_again(self) -> None:
        count = len(self.entries)
        self._regroup(0, at_least=count)
        self._tell(0, count, count)


def _gone(seq: int) -> Entry:
    """Return what is left of a message that is erased."""
    return Entry(seq, 0, "", "", DELETED)


def _without(entry: Entry, users: Collection[int]) -> bool:
    """Take these people out of an entry; return whether they were in it."""
    more, changed = entry.more, False
    if entry.user in users and entry.user:
        entry.name = entry.text = ""
        entry.user = 0
        entry.flags = entry.flags & ~(ACTION | EDITED | HERE | HIDDEN | MENTION | MINE | PINNED) | DELETED
        if more is not None:
            more.reply, more.reactions = 0, {}
        changed = True
    if more is not None and any(user in users for reacted in more.reactions.values() for user in reacted):
        left = {emoji: [user for user in reacted if user not in users] for emoji, reacted in more.reactions.items()}
        more.reactions = {emoji: reacted for emoji, reacted in left.items() if reacted}
        changed = True
    return changed
