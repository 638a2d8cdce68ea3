"""One room's log as it is shown: messages by their place on the server, notices between them, unsent ones last."""

from bisect import bisect_left
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from chat_tui.state.changes import alter, is_news, shown, target_of
from chat_tui.state.entries import (
    ACTION,
    DELETED,
    EDITED,
    FAILED,
    HIDDEN,
    INFO,
    MINE,
    NOTICE,
    PARTLY,
    PINNED,
    RETURNING,
    SENDING,
    UNSURE,
    Entry,
    More,
    Waiting,
    reply_of,
    thread_of,
)
from chat_tui.state.erasing import Erasing
from chat_tui.state.splices import seq_of
from server.protocol.text import clean_line

if TYPE_CHECKING:
    from chat_tui.state.changes import Change
    from server.protocol import frames  # only named here: not loaded before the first paint

_LATELY: Final = 200
"""Entries looked through for who spoke lately: more than anybody has in mind."""


class Timeline(Erasing):
    """The log of one room, or a part of it: a thread, what stands around an old message.

    `entries` is sorted by `seq`; the own messages that are not confirmed stand at its end. Every change is told to
    `listeners` as a splice. Nothing here knows of a screen; adding at the end costs a few microseconds.

    Args:
        room: its handle.
        thread: the message out of which the thread grew that is shown alone; 0 for all.
        quotes: what was fetched of the room only to be quoted, shared by its timelines.
    """

    def __init__(self, room: str, thread: int = 0, quotes: dict[int, Entry] | None = None) -> None:
        super().__init__(thread)
        self.room = room
        self.quotes: dict[int, Entry] = {} if quotes is None else quotes
        """By seq: messages that were fetched only to be quoted."""
        self.wanted: set[int] = set()
        """Messages that are to be quoted and not known here: see `want`."""
        self.asked: Callable[[], None] = _nothing
        """Called when something new is wanted."""
        self.more = False
        """Older messages exist on the server."""
        self.more_after = False
        """Newer messages exist on the server, and what is said now does not come in here."""
        self.oldest: int | None = None
        """Lowest seq held: older pages lie before it. After `clear`, what was cleared lies before it, too."""
        self.newest = 0
        """Highest seq held, 0 for none."""
        self.cleared = False
        """The view was emptied by `clear` and nothing older was paged in since."""
        self.users: dict[int, str] = {}
        """By user: a name, noted for whoever speaks here and is not in it."""
        self._unread = range(0)
        """What was not read when this was opened."""
        self._names: dict[str, tuple[str, int]] = {}

    # What the server says.

    def add(self, message: "frames.Message") -> bool:
        """Take in a message as it was delivered; return whether it waited here to be sent.

        One that is held already changes nothing.
        """
        entry = self._entry(message)
        if entry.seq > self.newest and not self._waiting:  # nearly always
            self._append(entry)
            return False
        waiting = self._waiting.get(message.id) if message.user == self.my_user and message.id else None
        self._settle(entry, waiting)
        return waiting is not None

    def add_page(self, page: "frames.History") -> None:
        """Take in a page of history, ascending. Messages that are held stay as they are: `apply` changes them."""
        first = page.messages[0].seq if page.messages else None
        if first is None or self.oldest is None or first <= self.oldest:
            self.more = page.more
            if self.kept:
                self._first_again()
        if first is not None:
            self.cleared = False
            if self.oldest is None or page.messages[-1].seq < self.oldest:
                self._put_first([self._entry(message) for message in page.messages])
            elif first > self.newest and not self._waiting:
                self._put_last([self._entry(message) for message in page.messages])
            else:
                for message in page.messages:
                    self.add(message)
        self._find_new()

    def apply(self, change: "Change") -> None:
        """Take in what has become of a message. What is in it already, or is not held here, changes nothing."""
        at = self.index_of(target_of(change))
        if at is not None and is_news(self.entries[at], change):
            entry = self.entries[at]
            otherwise = alter(entry, change, self.naming)
            self._tell(at, 1, 1)
            if otherwise:
                self.requote({entry.seq})

    def confirm(self, id: int, seq: int) -> None:
        """Take an own message as sent, at `seq`, ahead of the message itself.

        Before all that is held it has no place: what lies between would be missing for good. A page brings it then.
        """
        waiting = self._waiting.get(id)
        if waiting is None:
            return
        if self.oldest is None or seq < self.oldest:
            self._too_late(waiting)
            self.withdraw(id)
            return
        flags = waiting.flags & ~(SENDING | FAILED | UNSURE | RETURNING) | PARTLY
        name, user = self._my_name or waiting.name, self.my_user or waiting.user
        self._settle(Entry(seq, waiting.time, name, waiting.text, flags, user=user, more=waiting.more), waiting)

    # Own messages on their way.

    def pend(self, id: int, text: str, time: float, me: bool = False, reply: int = 0) -> None:
        """Show an own message that is being sent, at the end; `reply` is the message that it answers, 0 for none."""
        flags = MINE | SENDING | (ACTION if me else 0)
        name, user = self._my_name or "", self.my_user or 0
        more = More(reply=reply, thread=self.thread_of(reply)) if reply else None
        waiting = Waiting(self.newest, int(time), name, shown(text), flags, user=user, more=more, id=id, raw=text)
        self._waiting[id] = waiting
        self.messages += 1
        self._insert(len(self.entries), [waiting])

    def fail(self, id: int, reason: str, *, unsure: bool = False) -> None:
        """Show an own message as not sent, with why. Its text stays. `unsure`: nobody knows, the reason says so."""
        self._mark(id, FAILED | UNSURE if unsure else FAILED, clean_line(reason))

    def taking_back(self, id: int) -> None:
        """Show an own message as one that is being taken back."""
        self._mark(id, SENDING | RETURNING, "taking it back")

    def withdraw(self, id: int) -> Waiting:
        """Take an own message out of the log; return it. KeyError where none has this id."""
        waiting = self._waiting.pop(id)
        at = self._index(waiting)
        del self.entries[at]
        self.messages -= 1
        changed = self._regroup(at)
        self._tell(at, 1 + changed, changed)
        return waiting

    def waiting(self) -> list[Waiting]:
        """Return the own messages that are not confirmed, oldest first."""
        return list(self._waiting.values())

    def failed(self) -> list[Waiting]:
        """Return the own messages that failed, oldest first, each with `id`, `raw` and `reason`."""
        return [waiting for waiting in self._waiting.values() if waiting.flags & FAILED]

    # Looking things up.

    def message(self, seq: int) -> Entry | None:
        """Return a message that is held, or was fetched to be quoted."""
        at = self.index_of(seq)
        return self.quotes.get(seq) if at is None else self.entries[at]

    def thread_of(self, seq: int) -> int:
        """Return the message out of which the thread grew, or would, that an answer to `seq` belongs to."""
        entry = self.message(seq)
        return (thread_of(entry) if entry is not None else 0) or seq

    def spoke(self) -> dict[str, None]:
        """Return who spoke lately, the latest first."""
        return dict.fromkeys(entry.name for entry in reversed(self.entries[-_LATELY:]) if entry.name)

    def want(self, seq: int) -> None:
        """Have a message fetched, to be quoted; it shows by itself once it is there."""
        if seq not in self.wanted and self.message(seq) is None:
            self.wanted.add(seq)
            self.asked()

    def quote_page(self, page: "frames.History", asked: Collection[int] = ()) -> None:
        """Take in what is to be quoted. What was asked for, and is not in the page, is a message that is gone."""
        for seq in asked:
            self.quotes[seq] = Entry(seq, 0, "", "", DELETED)
        for message in page.messages:
            self.quotes[message.seq] = self._entry(message)
        self.wanted -= self.quotes.keys()
        self.requote({*asked, *(message.seq for message in page.messages)})

    def requote(self, seqs: Collection[int]) -> None:
        """Have those shown anew that quote one of these messages."""
        start = bisect_left(self.entries, min(seqs, default=0), hi=self._end, key=seq_of)
        for index in range(start, len(self.entries)):
            if reply_of(self.entries[index]) in seqs:
                self._tell(index, 1, 1)

    # What is shown of it.

    def open(self, read: int, last: int) -> None:
        """Note that somebody looks at this from now on, who had read all up to `read`; `last` is the newest message."""
        self._unread = range(read + 1, last + 1)
        self._find_new()

    def clear(self) -> None:
        """Empty the view. What was in it can be paged in again; messages not yet sent stay."""
        if self.oldest is not None:
            self.more = True
            self.oldest = self.newest + 1
        self.cleared = True
        self._keep_waiting()

    def trim(self, keep: int) -> None:
        """Let go of all but the newest entries; pages bring them back."""
        drop = self._end - keep
        first = next((entry.seq for entry in self.entries[max(0, drop) :] if not entry.flags & NOTICE), None)
        if drop <= 0 or first is None:
            return
        self.messages -= self.messages_between(0, drop)
        del self.entries[:drop]
        self.more, self.oldest = True, first
        changed = self._regroup(0)
        self._tell(0, drop + changed, changed)

    def reset(self) -> None:
        """Forget what the server said, because its log is another one now; messages not yet sent stay."""
        self.more = self.more_after = self.cleared = False
        self.new_from = 0
        self.oldest = None
        self.newest = 0
        self._keep_waiting()

    # How.

    def _entry(self, message: "frames.Message") -> Entry:
        """Return what is kept of a message: cleaned once more, its name shared with the sender's other messages."""
        text = shown(message.text)
        name, user = self._names.get(message.sender) or _NOBODY
        if user != message.user:
            if len(self._names) >= _SENDERS:
                self._names.clear()
            name, user = self._names[message.sender] = (clean_line(message.sender), message.user)
            self.users.setdefault(user, name)
        flags = ACTION if message.me else 0
        if user == self.my_user:
            flags |= MINE
        elif message.here or message.mentions or self._names_me(text):
            flags |= self.naming(user, text, message.mentions, message.here)
        if user in self.blocked and user != self.my_user:
            flags |= HIDDEN
        last = self.entries[-1].time if self.entries else 0
        seconds = self._clock.seconds(message.time, last)
        more = None
        if message.rev or message.reply or message.thread:
            more = More(message.rev, message.reply, message.thread, message.replies, message.reactions)
            flags |= (
                (EDITED if message.edited else 0)
                | (DELETED if message.deleted else 0)
                | (PINNED if message.pinned else 0)
            )
        # Most messages of a burst share their second: one integer object for all of them.
        return Entry(message.seq, last if seconds == last else seconds, name, text, flags, 0, user, more)

    def _settle(self, entry: Entry, waiting: Waiting | None) -> None:
        """Put a message at its place; where it was waiting, it moves there from the end."""
        if waiting is not None:
            self._too_late(waiting)
            del self._waiting[waiting.id]
        end = self._end - (waiting is not None)
        at, held = (end, False) if entry.seq > self.newest else self._place(entry, end)
        if waiting is None and held:
            if self.entries[at].flags & PARTLY:
                self.entries[at] = entry
                changed = self._regroup(at, at_least=1)
                self._tell(at, changed, changed)
        elif waiting is None:
            self.messages += 1
            self._insert(at, [entry])
        else:
            was = self._index(waiting)
            del self.entries[was]
            if held:
                self.messages -= 1
            else:
                self.entries.insert(at, entry)
            changed = self._regroup(at, at_least=was - at + (not held))
            self._tell(at, changed + held, changed)
        self.newest = max(self.newest, entry.seq)
        self.oldest = entry.seq if self.oldest is None else min(self.oldest, entry.seq)

    def _append(self, entry: Entry) -> None:
        """Put a message after all others, where none is waiting."""
        at = len(self.entries)
        self._group(entry, self.entries[-1] if at else None)
        self.entries.append(entry)
        self.messages += 1
        self.newest = entry.seq
        if self.oldest is None:
            self.oldest = entry.seq
        self._tell(at, 0, 1)

    def _too_late(self, waiting: Waiting) -> None:
        """A message was sent; say so where it was to be taken back."""
        if waiting.flags & RETURNING:
            self._notice("Too late to take it back: it was sent.", waiting.time, INFO)

    def _place(self, entry: Entry, end: int) -> tuple[int, bool]:
        """Return the index at which a message belongs, and whether it is there already."""
        at = bisect_left(self.entries, entry.seq, hi=end, key=seq_of)
        if at < end and self.entries[at].seq == entry.seq and not self.entries[at].flags & NOTICE:
            return at, True
        while at and self.entries[at - 1].flags & NOTICE and self.entries[at - 1].time > entry.time:
            at -= 1
            self.entries[at].seq = entry.seq
        return at, False

    def _put_first(self, entries: list[Entry]) -> None:
        """Put older messages before all others. Notices that stood before the first message follow them."""
        for entry in self.entries:
            if not entry.flags & NOTICE:
                break
            entry.seq = entries[-1].seq
        self.messages += len(entries)
        self.oldest = entries[0].seq
        self.newest = max(self.newest, entries[-1].seq)
        self._insert(0, entries)

    def _put_last(self, entries: list[Entry]) -> None:
        """Put newer messages after all others that were sent."""
        self.messages += len(entries)
        self.newest = entries[-1].seq
        self._insert(self._end, entries)

    def _find_new(self) -> None:
        """Find the first message that was unread when this was opened; it is only known where all before it is."""
        found = 0
        if self._unread:
            at = bisect_left(self.entries, self._unread[0], hi=self._end, key=seq_of)
            if at or not self.more:
                found = next((entry.seq for entry in self.entries[at:] if not entry.flags & (NOTICE | MINE)), 0)
            if found not in self._unread:
                found = 0
        if found != self.new_from:
            before, self.new_from = self.new_from, found
            for index in map(self.index_of, filter(None, (before, found))):
                if index is not None:
                    changed = self._regroup(index, at_least=1)
                    self._tell(index, changed, changed)

    def _mark(self, id: int, state: int, reason: str) -> None:
        waiting = self._waiting.get(id)
        if waiting is not None:
            waiting.flags = waiting.flags & ~(SENDING | FAILED | UNSURE | RETURNING) | state
            waiting.reason = reason
            self._tell(self._index(waiting), 1, 1)

    def _index(self, waiting: Waiting) -> int:
        """Return the index of a message that waits, or just stopped waiting: it is near the end."""
        for index in range(len(self.entries) - 1, -1, -1):
            if self.entries[index] is waiting:
                return index
        raise KeyError(waiting.id)

    def _keep_waiting(self) -> None:
        before = len(self.entries)
        self.entries[:] = self._waiting.values()
        for entry in self.entries:
            entry.seq = self.newest
        self.messages = len(self.entries)
        self._gathering = None
        self._regroup(0, at_least=len(self.entries))
        self._tell(0, before, len(self.entries))


_NOBODY: Final = ("", -1)
_SENDERS: Final = 1000
"""Names that are kept cleaned."""


def _nothing() -> None:
    pass
