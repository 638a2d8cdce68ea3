"""Messages that change while they are fetched, missed and delivered: every view of a room ends up as the server has it.

A room on a server, as a list of messages and what became of each; readers whose lines come late, in slices, with gaps,
and whose pages were read at one moment and arrive at another. At every step each message that a reader holds is as the
server had it at some moment, namely the one that its `rev` names: so nothing is counted twice or left out. Once all has
arrived it is as the server has it now, and nothing is missing between the oldest and the newest message.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chat_tui.state import changes, rooms
from chat_tui.state.entries import DELETED, EDITED, MENTION, NOTICE, PINNED, Entry, revision
from chat_tui.state.rooms import Room
from chat_tui.state.timeline import Timeline
from server.protocol import frames

REMEMBERED = 3
"""Changes that a room remembers here: so few that pages come too late all the time."""
PAGE = 3
ME = 1
EMOJI = ("thumbsup", "tada")
LOOKS = ("older", "older", "newer", "visit", "thread", "quote", "back")
"""What a reader does."""


class House:
    """The server's side of one room."""

    def __init__(self) -> None:
        self.head = 0
        self.events: list[Any] = []
        self.messages: dict[int, frames.Message] = {}
        self.past: dict[tuple[int, int], frames.Message] = {}
        """By message and rev: all that it ever was."""

    def say(self, user: int, reply: int = 0, naming: bool = False) -> None:
        """Say something."""
        self.head += 2
        thread = (self.messages[reply].thread or reply) if reply else 0
        message = frames.Message(
            **self._header(user), text=f"said at {self.head}", reply=reply, thread=thread, mentions=[ME] * naming
        )
        self.messages[self.head] = message
        self._remember(message)
        self.events.append(deepcopy(message))
        if thread:
            root = self.messages[thread]
            root.replies += 1
            self._changed(root)

    def edit(self, user: int, seq: int, naming: bool) -> None:
        """Let a message say something else."""
        message = self._act(seq)
        message.text, message.edited, message.mentions = f"edited at {self.head}", True, [ME] * naming
        self._tell(frames.Edited(**self._header(user), target=seq, text=message.text, mentions=message.mentions), seq)

    def delete(self, user: int, seq: int) -> None:
        """Take a message away."""
        message = self._act(seq)
        message.text, message.reactions, message.mentions, message.reply = "", {}, [], 0
        message.edited, message.pinned, message.deleted = False, False, True
        self._tell(frames.Deleted(**self._header(user), target=seq, author=message.sender), seq)

    def react(self, user: int, seq: int, emoji: str) -> None:
        """React, or take that back."""
        users = self._act(seq).reactions.setdefault(emoji, [])
        on = user not in users
        if on:
            users.append(user)
        else:
            users.remove(user)
            if not users:
                del self.messages[seq].reactions[emoji]
        self._tell(frames.Reacted(**self._header(user), target=seq, emoji=emoji, on=on), seq)

    def pin(self, user: int, seq: int) -> None:
        """Pin, or take off."""
        message = self._act(seq)
        message.pinned = not message.pinned
        self._tell(frames.Pinned(**self._header(user), target=seq, on=message.pinned), seq)

    def page(
        self,
        as_of: int,
        *,
        before: int | None = None,
        after: int | None = None,
        around: int | None = None,
        thread: int | None = None,
        seqs: list[int] | None = None,
    ) -> frames.History:
        """Return a page that was asked for when the head was `as_of`, as it is read now."""
        all_of_them = [
            seq for seq in self.messages if seq <= as_of and thread in (None, self.messages[seq].thread, seq)
        ]
        if seqs is not None:
            some = [seq for seq in all_of_them if seq in seqs]
        elif around is not None:
            some = [seq for seq in all_of_them if seq <= around][-2:] + [s for s in all_of_them if s > around][:1]
        elif after is not None:
            some = [seq for seq in all_of_them if seq > after][:PAGE]
        else:
            some = [seq for seq in all_of_them if before is None or seq < before][-PAGE:]
        messages = [deepcopy(self.messages[seq]) for seq in some]
        more = bool(some) and all_of_them[0] < some[0]
        more_after = bool(some) and all_of_them[-1] > some[-1]
        return frames.History(room="general", messages=messages, more=more, more_after=more_after, as_of=as_of)

    def _header(self, user: int) -> dict[str, Any]:
        stamp = f"2026-11-21T09:00:{self.head % 60:02}.000Z"
        return {"seq": self.head, "room": "general", "user": user, "sender": f"user{user}", "time": stamp}

    def _act(self, seq: int) -> frames.Message:
        self.head += 1
        return self.messages[seq]

    def _tell(self, event: frames.Event, seq: int) -> None:
        self.events.append(event)
        self._changed(self.messages[seq])

    def _changed(self, message: frames.Message) -> None:
        message.rev = self.head
        self._remember(message)

    def _remember(self, message: frames.Message) -> None:
        self.past[message.seq, message.rev] = deepcopy(message)


class Asked:
    """A page on its way: read at one moment, true as of an earlier one, and taken in at a later one."""

    def __init__(self, house: House, take: Callable[[frames.History], bool], bounds: dict[str, Any]) -> None:
        self.take = take
        self.bounds = bounds
        self._house = house
        self._as_of = house.head
        self._page: frames.History | None = None

    def read(self) -> frames.History:
        """Return the page, as it is when it is read first."""
        self._page = self._page or self._house.page(self._as_of, **self.bounds)
        return self._page


class Reader:
    """Someone's view of the room, what is on its way to them, and what they have asked for."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.room = Room("general")
        self.room.call_me(ME, "user1")
        self.position = len(house.events)
        """Events up to here were delivered."""
        self.withheld: set[int] = set()
        """Messages of which an edit was not shown: that they are gone for good follows."""
        self.asked: list[Asked] = []
        self._load()

    def ask(self, take: Callable[[frames.History], bool], **bounds: Any) -> None:
        """Ask for a page; `take` is called with it when it arrives, and says whether it was of use."""
        self.asked.append(Asked(self.house, take, bounds))

    def deliver(self, from_archive: bool) -> None:
        """Take in the next event; from the archive, what is gone for good is not shown as it was."""
        event = self.house.events[self.position]
        self.position += 1
        if isinstance(event, frames.Message):
            now = self.house.messages[event.seq]
            self.room.add(deepcopy(now if from_archive and now.deleted else event))
        elif from_archive and isinstance(event, frames.Edited) and self.house.messages[event.target].deleted:
            self.withheld.add(event.target)
        else:
            self.room.apply(event)

    def arrive(self, which: int) -> None:
        """Let a page arrive; one that is too old is asked for again."""
        asked = self.asked.pop(which % len(self.asked))
        if not asked.take(asked.read()):
            self.ask(asked.take, **asked.bounds)

    def start_anew(self, floor: int) -> None:
        """Nothing that was missed comes any more; the latest page does."""
        self.position = len(self.house.events)
        self.room.reset(floor)
        self._load()

    def older(self) -> None:
        """Page up in what is shown."""
        timeline = self.room.shown
        oldest = timeline.oldest
        if oldest is None:
            return

        def take(page: frames.History) -> bool:
            return timeline.oldest != oldest or self.room.add_page(page, timeline)

        self.ask(take, before=oldest, thread=timeline.thread or None)

    def visit(self, seq: int) -> None:
        """Look at an old message."""

        def take(page: frames.History) -> bool:
            self.room.visit = self.room.look_around(page)
            return self.room.visit is not None

        self.ask(take, around=seq)

    def newer(self) -> None:
        """Page down in what stands around an old message."""
        window = self.room.visit
        if window is None or not window.more_after:
            return
        newest = window.newest

        def take(page: frames.History) -> bool:
            if window.newest == newest:
                if not self.room.add_page(page, window):
                    return False
                self.room.see_end(window, page)
            return True

        self.ask(take, after=newest)

    def open_thread(self, root: int) -> None:
        """Open a thread."""
        thread = self.room.open_thread(root)
        self.ask(lambda page: self.room.add_page(page, thread), thread=root)

    def quote(self, seq: int) -> None:
        """Have a message fetched, to be quoted."""
        self.room.timeline.want(seq)
        if seq in self.room.wanted():
            self.ask(partial(self._quote, seq), seqs=[seq])

    def timelines(self) -> list[Timeline]:
        """Return all views of the room."""
        return [timeline for timeline in (self.room.timeline, self.room.thread, self.room.visit) if timeline]

    def held(self) -> list[Entry]:
        """Return all messages held, in any view."""
        entries = [entry for timeline in self.timelines() for entry in timeline.entries if not entry.flags & NOTICE]
        return [*entries, *(entry for entry in self.room.timeline.quotes.values() if entry.name)]

    def _load(self) -> None:
        self.ask(self.room.load, before=self.room.timeline.oldest)

    def _quote(self, seq: int, page: frames.History) -> bool:
        self.room.quote(page, [seq])
        return seq not in self.room.wanted()


users = st.integers(1, 3)
choices = st.integers(0, 1000)


class Converging(RuleBasedStateMachine):
    """One room, two readers."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(changes, "REMEMBERED", REMEMBERED)
        self.patch.setattr(rooms, "HELD", 4)
        self.patch.setattr(rooms, "KEPT", 2)
        self.house = House()
        self.readers: list[Reader] = []

    def teardown(self) -> None:
        """All arrives in the end."""
        for reader in self.readers:
            while reader.position < len(self.house.events):
                reader.deliver(from_archive=False)
            while reader.asked:
                reader.arrive(0)
            self._converged(reader)
        self.patch.undo()

    @initialize(said=st.integers(0, 12))
    def begin(self, said: int) -> None:
        """Something was said before anyone came."""
        for _ in range(said):
            self.house.say(2)
        self.readers = [Reader(self.house), Reader(self.house)]

    @rule(user=users, naming=st.booleans(), reply=st.none() | choices)
    def say(self, user: int, naming: bool, reply: int | None) -> None:
        """Someone says something, perhaps in answer to something."""
        self.house.say(user, self._some(reply) if reply is not None else 0, naming)

    @rule(user=users, which=choices, what=st.sampled_from(["edit", "delete", "pin", *EMOJI]), naming=st.booleans())
    def change(self, user: int, which: int, what: str, naming: bool) -> None:
        """Someone changes a message that is not gone."""
        seq = self._some(which)
        if not seq or self.house.messages[seq].deleted:
            return
        match what:
            case "edit":
                self.house.edit(user, seq, naming)
            case "delete":
                self.house.delete(user, seq)
            case "pin":
                self.house.pin(user, seq)
            case emoji:
                self.house.react(user, seq, emoji)

    @rule(who=choices, count=st.integers(1, 5), from_archive=st.booleans())
    def deliver(self, who: int, count: int, from_archive: bool) -> None:
        """Some events reach a reader."""
        reader = self._reader(who)
        for _ in range(min(count, len(self.house.events) - reader.position)):
            reader.deliver(from_archive)

    @rule(who=choices, which=choices)
    def read(self, who: int, which: int) -> None:
        """The server reads a page, which is then on its way."""
        reader = self._reader(who)
        if reader.asked:
            reader.asked[which % len(reader.asked)].read()

    @rule(who=choices, which=choices)
    def arrive(self, who: int, which: int) -> None:
        """A page reaches a reader: any of those on their way."""
        reader = self._reader(who)
        if reader.asked:
            reader.arrive(which)

    @rule(who=choices, what=st.sampled_from(LOOKS), at=choices)
    def look(self, who: int, what: str, at: int) -> None:
        """A reader looks at something else."""
        reader = self._reader(who)
        seq = self._some(at)
        match what:
            case "older":
                reader.older()
            case "newer":
                reader.newer()
            case "visit" if seq:
                reader.visit(seq)
            case "thread" if seq:
                reader.open_thread(self.house.messages[seq].thread or seq)
            case "quote" if seq:
                reader.quote(seq)
            case "back":
                reader.room.thread = reader.room.visit = None

    @rule(who=choices)
    def gap(self, who: int) -> None:
        """Too much was missed."""
        reader = self._reader(who)
        reader.start_anew(self.house.head)

    @rule(who=choices)
    def come_back_without_a_session(self, who: int) -> None:
        """Nothing is gone on with; what was on its way is lost with the connection."""
        reader = self._reader(who)
        reader.asked.clear()
        reader.start_anew(0)

    @rule(who=choices, clear=st.booleans())
    def cut(self, who: int, clear: bool) -> None:
        """A room that is not shown lets go of its oldest messages; or someone empties the view."""
        room = self._reader(who).room
        if clear:
            room.timeline.clear()
        else:
            room.leave()

    @precondition(lambda self: self.readers)
    @invariant()
    def everything_held_was_so_once(self) -> None:
        """By its `rev`: no change is half in, or in twice."""
        for reader in self.readers:
            for entry in reader.held():
                if entry.seq not in reader.withheld or entry.flags & DELETED:
                    assert _look(entry) == _look_of(self.house.past[entry.seq, revision(entry)])

    def _converged(self, reader: Reader) -> None:
        for entry in reader.held():
            assert _look(entry) == _look_of(self.house.messages[entry.seq])
        for timeline in reader.timelines():
            if timeline.oldest is None:
                continue
            seqs = [entry.seq for entry in timeline.entries if not entry.flags & NOTICE]
            newest = timeline.newest if timeline.more_after else self.house.head
            assert seqs == [
                seq
                for seq, message in self.house.messages.items()
                if timeline.oldest <= seq <= newest and timeline.thread in (0, message.thread, seq)
            ]
            if not timeline.more and not timeline.thread:
                assert seqs[:1] == list(self.house.messages)[:1]

    def _reader(self, who: int) -> Reader:
        return self.readers[who % len(self.readers)]

    def _some(self, which: int) -> int:
        """Return one of the messages, a late one rather than an early one; 0 where there is none."""
        seqs = list(self.house.messages)[-12:]
        return seqs[which % len(seqs)] if seqs else 0


def _look(entry: Entry) -> tuple[Any, ...]:
    """Return what can be seen of a message."""
    more = entry.more
    shown = entry.flags & (EDITED | DELETED | PINNED | MENTION)
    if more is None:
        return (entry.text, entry.name, entry.user, shown, 0, 0, 0, {})
    return (entry.text, entry.name, entry.user, shown, more.reply, more.thread, more.replies, more.reactions)


def _look_of(message: frames.Message) -> tuple[Any, ...]:
    """Return what should be seen of it."""
    flags = EDITED * message.edited | DELETED * message.deleted | PINNED * message.pinned
    if ME in message.mentions and message.user != ME:
        flags |= MENTION
    return (
        message.text,
        message.sender,
        message.user,
        flags,
        message.reply,
        message.thread,
        message.replies,
        message.reactions,
    )


TestConverging = Converging.TestCase
TestConverging.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
