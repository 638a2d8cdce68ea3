"""One room: what is known of it, who is there, its log and how far that is read."""

import sys
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final, Literal

from chat_tui.state.about import About
from chat_tui.state.changes import Changes, alter, is_news, target_of
from chat_tui.state.entries import ACTION, FAILED, UNSURE, Entry, Waiting, reply_of, thread_of
from chat_tui.state.people import People
from chat_tui.state.timeline import Timeline
from chat_tui.state.unread import Unread

if TYPE_CHECKING:
    from chat_tui.state.changes import Change
    from server.protocol import frames  # only named here: not loaded before the first paint

HELD: Final = 1000
"""Entries that a room may hold while it is not shown; beyond, the newest `KEPT` stay."""
KEPT: Final = 500
QUOTES: Final = 1000
"""Messages held only to be quoted, a room."""


class Room(About):
    """One room.

    Args:
        handle: its name on the wire.
        names: by user, how people are called; shared by all rooms.
        asked: called when a message is wanted that is not held: see `Timeline.want`.
        blocked: users whose messages are hidden; shared by all rooms.
        erased: users that are gone for good; shared by all rooms.
    """

    def __init__(
        self,
        handle: str,
        names: dict[int, str] | None = None,
        asked: Callable[[], None] = lambda: None,
        blocked: Mapping[int, object] | None = None,
        erased: Collection[int] = (),
    ) -> None:
        super().__init__(handle)
        self.member = True
        self.invited_by = ""
        """Who invites me; empty where I am a member."""
        self.members = 0
        """How many; 0 where everyone is, or that is not known."""
        self.people_in: list[tuple[int, str]] = []
        """Of a direct room: the users and their names, myself included."""
        self.level: Literal["all", "mentions", "none"] = "all"
        self.favourite = False
        self.muted = False
        self.marks = Unread()
        self.last = 0
        """The latest message, 0 for none."""
        self.last_time = ""
        """When that was said: RFC 3339; empty for never."""
        self.since = 0
        """What the log had come to when I came in, as far as this program was there: a new room is no old one."""
        self.people = People()
        """Who is online."""
        self.put_out: set[str] = set()
        """Who was put out just now: that is told already when they leave."""
        self.loaded = False
        """The latest page is there."""
        self.thread: Timeline | None = None
        """The thread that is shown instead of all."""
        self.visit: Timeline | None = None
        """What stands around an old message, shown instead of the live end."""
        self._names = {} if names is None else names
        self._asked = asked
        self._blocked = {} if blocked is None else blocked
        self._erased = erased
        self._forgotten = 0
        """All up to here is erased: a page that was asked for before may still have it."""
        self._me: tuple[int | None, str | None] = (None, None)
        self._changes = Changes()
        self.known = False
        """The server has said what it is, and how far it is read."""
        self.kept = ""
        """For how long messages are kept here, as a sentence; empty for for ever."""
        self._most = HELD
        self._quotes: dict[int, Entry] = {}
        self.timeline = self._window()

    # What is shown.

    @property
    def shown(self) -> Timeline:
        """What is shown of it."""
        return self.thread or self.visit or self.timeline

    @property
    def place(self) -> str:
        """Where one writes: the room, or the thread of it that is shown."""
        return f"{self.handle}/{self.thread.thread}" if self.thread is not None else self.handle

    def label(self, me: str) -> str:
        """Return what it is called; a direct one by the others in it."""
        if self.kind != "direct":
            return self.title
        return ", ".join(name or "somebody who is gone" for _, name in self.people_in if name != me) or me

    @property
    def unread(self) -> int:
        """Unread messages of others; `unread.UNREAD` means so many or more."""
        return self.marks.count

    @property
    def mentions(self) -> int:
        """Those among them that name me, or everyone; said to me alone, all of them."""
        return self.marks.count if self.kind == "direct" else self.marks.mentions

    @property
    def news(self) -> tuple[int, int]:
        """What of this I want to be told of: messages, and those among them that name me."""
        if not self.member or self.muted or self.archived or self.level == "none":
            return 0, 0
        return (self.unread if self.level == "all" else self.mentions), self.mentions

    @property
    def read(self) -> int:
        """All up to here is read."""
        return self.marks.read

    @property
    def unread_from(self) -> int:
        """Marked as unread from here on; 0 for no."""
        return self.marks.since

    def enter(self) -> None:
        """Show it from now on: at its live end."""
        self._most = sys.maxsize
        self.timeline.open(self.marks.floor, self.last)

    def leave(self) -> None:
        """Show it no more."""
        self._most = HELD
        self.thread = self.visit = None
        self._trim()

    # What the server says.

    def add(self, message: "frames.Message") -> bool:
        """Take in a message as it is delivered; return whether it ends that someone is shown as writing."""
        timeline = self.timeline
        said_here = timeline.add(message)
        if message.seq > self.last:
            self.last, self.last_time = message.seq, message.time
            if said_here:
                self.marks.saw(message.seq)  # who answers has read what came before
            elif message.user != timeline.my_user and message.user not in self._blocked:
                self.marks.heard(message.seq, message.here or timeline.my_user in message.mentions)
        if message.thread:
            self._changes.add(message)
            self._apply(message)
            if self.thread is not None and self.thread.thread == message.thread:
                self.thread.add(message)
        if self.visit is not None and not self.visit.more_after:
            self.visit.add(message)
        if len(timeline.entries) > self._most:
            self._trim()
        return self.people.wrote(message.sender)

    def apply(self, change: "Change") -> None:
        """Take in what has become of a message, as it is delivered."""
        from server.protocol import frames

        self._changes.add(change)
        if isinstance(change, frames.Deleted):
            self.marks.altered(change.target, named=False)
        elif isinstance(change, frames.Edited):
            self.marks.altered(change.target, named=change.here or self.timeline.my_user in change.mentions)
        self._apply(change)

    def add_page(self, page: "frames.History", timeline: Timeline) -> bool:
        """Take in a page of history for one of the timelines.

        Returns whether that was possible: not where it is from before something that is not remembered any more.
        It has to be asked for again then.
        """
        if page.as_of < self._changes.floor:
            return False
        timeline.add_page(page)
        if timeline.oldest is not None and timeline.oldest <= self._forgotten:
            timeline.forget(self._forgotten)
        if self._erased:
            timeline.erase(self._erased)
        for change in self._changes.after(page.as_of):
            timeline.apply(change)
        return True

    def load(self, page: "frames.History") -> bool:
        """Take in the latest page, or where messages are held the one before those; see `add_page`.

        Where the view was emptied since it was asked for, or cut short, it has no place any more.
        """
        first = self.timeline.oldest
        if self.timeline.cleared and first is not None:
            self.loaded = self.timeline.more = True
        if self.loaded:
            return True
        if not self.add_page(page, self.timeline):
            return False
        if page.messages and first is not None and first < page.messages[0].seq:
            self.timeline.more = True  # older ones than what came since were not in it
        if page.messages and page.messages[-1].seq > self.last:
            self.last, self.last_time = page.messages[-1].seq, page.messages[-1].time
        self.loaded = True
        return True

    def look_around(self, page: "frames.History") -> Timeline | None:
        """Return a window around an old message; None where the page is too old, see `add_page`."""
        window = self._window()
        if not self.add_page(page, window):
            return None
        self.see_end(window, page)
        return window

    def open_thread(self, root: int) -> Timeline:
        """Show the thread that grows out of a message, with what is said in it from now on; return it."""
        thread = self.thread = self._window(root)
        for waiting in self.waiting():
            if thread_of(waiting) == root:
                me = bool(waiting.flags & ACTION)
                thread.pend(waiting.id, waiting.raw, waiting.time, me, reply_of(waiting))
                if waiting.flags & FAILED:
                    thread.fail(waiting.id, waiting.reason, unsure=bool(waiting.flags & UNSURE))
        return thread

    def see_end(self, window: Timeline, page: "frames.History") -> None:
        """Note by the page last taken in whether a window reaches the live end, and follows it from now on."""
        last = max(page.as_of, window.newest)
        window.more_after = page.more_after or self.timeline.newest > last

    def wanted(self) -> set[int]:
        """Return the messages that are to be quoted, and are not known here."""
        return set().union(*(timeline.wanted for timeline in self._timelines()))

    def quote(self, page: "frames.History", asked: list[int]) -> None:
        """Take in what is to be quoted, of what was asked for; a page that is too old changes nothing."""
        if page.as_of < self._changes.floor:
            return
        while len(self._quotes) > QUOTES:
            del self._quotes[next(iter(self._quotes))]
        for timeline in self._timelines():
            timeline.quote_page(page, asked)
        for change in self._changes.after(page.as_of):
            self._apply(change)

    def told(self, info: "frames.RoomInfo", as_of: int) -> None:
        """Take in what the server says of it, true as of a seq."""
        self._take_in(info, as_of)
        self.members = info.members
        if info.member:
            self.let_in(as_of)
        self.member, self.invited_by = info.member, info.invited_by
        self.known = True
        if info.people:
            self.people_in = info.people
            self._names.update(info.people)
        if info.member:
            if info.last > self.last:
                self.last, self.last_time = info.last, info.time
            self.level, self.favourite, self.muted = info.level, info.favourite, info.muted
            self.marks.told(info.read, info.unread, info.count, info.mentions, info.last, as_of)

    def let_in(self, head: int) -> None:
        """I am a member: if I was none, since `head`, the latest of all that has happened."""
        if not self.member:
            self.member, self.invited_by, self.since = True, "", head
            self.reset()  # what was said while I was none is not held

    def marked(self, frame: "frames.Marked") -> None:
        """Take in where I stand in it."""
        self.level, self.favourite, self.muted = frame.level, frame.favourite, frame.muted
        self.marks.marked(frame.read, frame.unread)

    def reset(self, floor: int = 0) -> None:
        """Forget what was said: nothing is known up to `floor`. Messages not yet sent stay."""
        self.timeline.reset()
        self.thread = self.visit = None
        self._quotes.clear()
        self._changes.forget(floor)
        self.loaded = False

    # What is taken out of it.

    def forget(self, upto: int) -> None:
        """All up to a seq is erased."""
        self._forgotten = max(self._forgotten, upto)
        for seq in [seq for seq in self._quotes if seq <= upto]:
            del self._quotes[seq]
        for timeline in self._timelines():
            timeline.forget(upto)
        self.marks.forget(upto)

    def erase(self, users: Collection[int]) -> None:
        """These people are gone for good."""
        self.people_in = [(user, "" if user in users else name) for user, name in self.people_in]
        for timeline in self._timelines():
            timeline.erase(users)

    def hide(self) -> None:
        """Others are blocked now."""
        for timeline in self._timelines():
            timeline.hide()

    def keep(self, words: str) -> None:
        """Say for how long messages are kept here, as a sentence; empty for for ever."""
        self.kept = words
        for timeline in self._timelines():
            timeline.keep("" if timeline.thread else words)

    # Own messages on their way.

    def pend(self, id: int, text: str, time: float, me: bool = False, reply: int = 0) -> None:
        """Show an own message that is being sent; see `Timeline.pend`."""
        self.timeline.pend(id, text, time, me, reply)
        if self.thread is not None and reply and self.thread.thread == self.timeline.thread_of(reply):
            self.thread.pend(id, text, time, me, reply)

    def confirm(self, id: int, seq: int) -> None:
        """Take an own message as sent."""
        for timeline in self._timelines():
            timeline.confirm(id, seq)

    def fail(self, id: int, reason: str, *, unsure: bool = False) -> None:
        """Show an own message as not sent, with why."""
        for timeline in self._timelines():
            timeline.fail(id, reason, unsure=unsure)

    def taking_back(self, id: int) -> None:
        """Show an own message as one that is being taken back."""
        for timeline in self._timelines():
            timeline.taking_back(id)

    def withdraw(self, id: int) -> Waiting:
        """Take an own message out of the log; return it. KeyError where none has this id."""
        if self.thread is not None and any(waiting.id == id for waiting in self.thread.waiting()):
            self.thread.withdraw(id)
        return self.timeline.withdraw(id)

    def waiting(self) -> list[Waiting]:
        """Return the own messages that are not confirmed, oldest first."""
        return self.timeline.waiting()

    # How.

    def _window(self, thread: int = 0) -> Timeline:
        """Return another view of its log, empty; with `thread` of that thread alone."""
        window = Timeline(self.handle, thread, self._quotes)
        window.users, window.asked = self._names, self._asked
        window.my_user, window.my_name = self._me
        window.blocked, window.kept = self._blocked, "" if thread else self.kept
        return window

    def call_me(self, user: int | None, name: str) -> None:
        """Take a name as mine."""
        self._me = (user, name)
        for timeline in self._timelines():
            timeline.my_user, timeline.my_name = user, name

    def _timelines(self) -> list[Timeline]:
        return [timeline for timeline in (self.timeline, self.thread, self.visit) if timeline is not None]

    def _apply(self, change: "Change") -> None:
        timelines = self._timelines()
        for timeline in timelines:
            timeline.apply(change)
        quoted = self._quotes.get(target_of(change))
        if quoted is not None and is_news(quoted, change) and alter(quoted, change, self.timeline.naming):
            for timeline in timelines:
                timeline.requote({quoted.seq})

    def _trim(self) -> None:
        if len(self.timeline.entries) > HELD:
            self.timeline.trim(KEPT)
            self.loaded = True
