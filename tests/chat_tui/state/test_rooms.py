"""A room: its views, its changes, who is there and who writes."""

from typing import Any

import pytest

from chat_tui.state import rooms
from chat_tui.state.changes import REMEMBERED, TEXT
from chat_tui.state.entries import DELETED, EDITED, FAILED, HEAD, MENTION, NOTICE, PINNED
from chat_tui.state.rooms import HELD, KEPT, Room
from chat_tui.state.timeline import Timeline
from server.protocol import frames


def room() -> Room:
    """Return a room in which I am alice, user 1."""
    room = Room("dev")
    room.call_me(1, "alice")
    return room


def header(seq: int, user: int = 2) -> dict[str, Any]:
    """Return what every event says."""
    stamp = f"2026-11-21T09:{seq // 60 % 60:02}:{seq % 60:02}.000Z"
    return {"seq": seq, "room": "dev", "user": user, "sender": ["", "alice", "bob"][user], "time": stamp}


def said(seq: int, text: str = "hi", user: int = 2, **more: Any) -> frames.Message:
    """Return a message."""
    return frames.Message(**header(seq, user), text=text, **more)


def page(*messages: frames.Message, as_of: int = 100, more: bool = False, more_after: bool = False) -> frames.History:
    """Return a page of history."""
    return frames.History(room="dev", messages=list(messages), more=more, more_after=more_after, as_of=as_of)


def texts(timeline: Timeline) -> list[str]:
    """Return the texts of messages."""
    return [entry.text for entry in timeline.entries if not entry.flags & NOTICE]


def test_changes_show_on_the_message_they_are_about() -> None:
    """Each redraws it, and nothing else."""
    one = room()
    one.add(said(10, "before"))
    told: list[tuple[int, int, int]] = []
    one.timeline.listeners.append(lambda *splice: told.append(splice))
    one.apply(frames.Edited(**header(11), target=10, text="for alice\x1b[2J", mentions=[1]))
    one.apply(frames.Reacted(**header(12), target=10, emoji="tada"))
    one.apply(frames.Reacted(**header(13, 1), target=10, emoji="tada"))
    one.apply(frames.Pinned(**header(14), target=10))
    one.apply(frames.Pinned(**header(14), target=10, on=False))  # of the past: it is known to be pinned as of 14
    entry = one.timeline.message(10)
    assert entry is not None
    assert entry.more is not None
    assert (entry.text, entry.more.reactions) == ("for alice␛[2J", {"tada": [2, 1]})
    assert entry.flags & (EDITED | PINNED | MENTION | DELETED) == EDITED | PINNED | MENTION
    one.apply(frames.Deleted(**header(15), target=10, author="bob"))
    assert (entry.text, entry.more.reactions) == ("", {})
    assert entry.flags & (EDITED | PINNED | MENTION | DELETED) == DELETED
    assert told == [(0, 1, 1)] * 5


def test_a_page_older_than_what_is_remembered_is_refused() -> None:
    """It could miss changes that nobody tells again."""
    one = room()
    assert one.load(page(said(1), as_of=1))
    for seq in range(2, 3 + REMEMBERED):
        one.apply(frames.Reacted(**header(seq), target=1, emoji="tada", on=seq % 2 == 0))
    assert not one.add_page(page(said(0), as_of=1), one.timeline)
    assert one.add_page(page(said(0), as_of=2), one.timeline)


def test_long_texts_do_not_fill_the_memory_of_changes() -> None:
    """Pages from before those that were let go of are asked for again."""
    one = room()
    for seq in range(1, 101):
        one.apply(frames.Edited(**header(seq), target=1, text="x" * 16_000))
    kept = list(one._changes.after(0))
    assert sum(len(change.text) for change in kept if isinstance(change, frames.Edited)) <= TEXT
    assert (len(kept), kept[-1].seq, kept[0].seq) == (TEXT // 16_000, 100, one._changes.floor + 1)


def test_a_thread_shows_its_messages_alone_and_the_flat_view_all() -> None:
    """A quote stands above an answer, but not where it would say what stands at the top."""
    one = room()
    one.add(said(10, "root"))
    one.add(said(11, "other"))
    thread = one.open_thread(10)
    assert one.shown is thread
    one.add_page(page(said(10, "root"), as_of=11), thread)
    one.add(said(12, "answer", reply=10, thread=10))
    one.add(said(13, "to the answer", reply=12, thread=10))
    assert texts(thread) == ["root", "answer", "to the answer"]
    assert texts(one.timeline) == ["root", "other", "answer", "to the answer"]
    assert [bool(entry.flags & HEAD) for entry in thread.entries] == [True, False, True]
    assert [bool(entry.flags & HEAD) for entry in one.timeline.entries] == [True, False, True, True]
    for timeline in (thread, one.timeline):
        root = timeline.message(10)
        assert root is not None
        assert root.more is not None
        assert root.more.replies == 2


def test_an_own_answer_shows_in_the_thread_while_it_is_sent() -> None:
    """Where the thread is opened later, too; as failed, sent or taken back in both views."""
    one = room()
    one.add(said(10, "root"))
    one.add(said(11, "answer", reply=10, thread=10))
    one.pend(1, "early", 0, reply=11)
    one.pend(2, "not here", 0)
    one.fail(1, "why")
    thread = one.open_thread(10)
    one.pend(3, "late", 0, reply=10)
    assert texts(thread) == ["early", "late"]
    assert thread.entries[0].flags & FAILED
    assert one.withdraw(1).raw == "early"
    assert one.withdraw(2).raw == "not here"
    one.confirm(3, 20)
    one.add(said(20, "late", 1, id=3, reply=10, thread=10))
    assert texts(thread) == ["late"]
    assert texts(one.timeline) == ["root", "answer", "late"]
    assert not thread.waiting()


def test_a_window_on_the_past_follows_once_it_reaches_the_end() -> None:
    """Not before: what came between is missing in it."""
    one = room()
    one.add(said(50, "live"))
    window = one.look_around(page(said(10), said(11), as_of=50, more=True, more_after=True))
    assert window is not None
    one.visit = window
    one.add(said(51, "more"))
    assert texts(window) == ["hi", "hi"]
    assert (window.more, window.more_after) == (True, True)
    newer = page(said(50, "live"), as_of=50)
    assert one.add_page(newer, window)
    one.see_end(window, newer)
    assert window.more_after  # 51 came while the page was on its way
    newer = page(said(51, "more"), as_of=51)
    assert one.add_page(newer, window)
    one.see_end(window, newer)
    one.add(said(52, "now"))
    assert texts(window) == ["hi", "hi", "live", "more", "now"]
    one.leave()
    assert one.shown is one.timeline


def test_what_is_quoted_is_fetched_once_and_changes_with_the_original() -> None:
    """One that is gone is a tombstone without a name; who quotes it is drawn anew."""
    one = room()
    asked: list[int] = []
    one.timeline.asked = lambda: asked.append(1)
    one.add(said(50, "answer", reply=3, thread=3))
    one.add(said(51, "answer", reply=4, thread=4))
    for _ in range(2):
        for seq in (3, 4, 50):
            one.timeline.want(seq)
    assert (len(asked), one.wanted()) == (2, {3, 4})
    told: list[tuple[int, int, int]] = []
    one.timeline.listeners.append(lambda *splice: told.append(splice))
    one.quote(page(said(3, "first words"), as_of=51), [3, 4])
    assert told == [(0, 1, 1), (1, 1, 1)]
    assert not one.wanted()
    gone = one.timeline.message(4)
    assert gone is not None
    assert (gone.flags & DELETED, gone.name) == (DELETED, "")
    one.apply(frames.Edited(**header(60), target=3, text="other words"))
    quoted = one.timeline.message(3)
    assert quoted is not None
    assert quoted.text == "other words"
    assert told[2:] == [(0, 1, 1)]


def test_quotes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those fetched first are let go of."""
    monkeypatch.setattr(rooms, "QUOTES", 2)
    one = room()
    for seq in range(1, 5):
        one.quote(page(said(seq)), [seq])
    assert list(one.timeline.quotes) == [2, 3, 4]


def test_the_line_of_what_is_new_stands_above_the_first_unread_message() -> None:
    """It is found once what comes before it is there, not moved by what comes later, and gone the next time."""
    one = room()
    one.told(frames.RoomInfo(room="dev", title="dev", last=50, read=20, count=3), 60)
    one.enter()
    one.load(page(said(40), said(50), as_of=60, more=True))
    assert one.timeline.new_from == 0
    one.add_page(page(said(20), said(30, user=1), said(35), as_of=60), one.timeline)
    assert one.timeline.new_from == 35
    told: list[tuple[int, int, int]] = []
    one.timeline.listeners.append(lambda *splice: told.append(splice))
    one.marks.saw(50)
    one.add(said(61))
    assert one.timeline.new_from == 35
    one.marks.saw(61)
    one.enter()
    assert one.timeline.new_from == 0
    assert (2, 1, 1) in told


def test_a_room_that_is_not_shown_lets_go_of_what_is_old() -> None:
    """What stays is the newest, and pages bring the rest back."""
    one = room()
    for seq in range(1, HELD + 2):
        one.add(said(seq))
    assert len(one.timeline.entries) == KEPT
    assert (one.timeline.oldest, one.timeline.more, one.timeline.messages) == (HELD + 2 - KEPT, True, KEPT)
    assert one.timeline.entries[0].flags & HEAD
    shown = room()
    shown.enter()
    for seq in range(1, HELD + 2):
        shown.add(said(seq))
    assert len(shown.timeline.entries) == HELD + 1
    shown.leave()
    assert len(shown.timeline.entries) == KEPT


def test_what_the_server_says_of_a_room() -> None:
    """Its title where it has one; who it is with, where it is between a few; nothing of an invitation's inside."""
    one = room()
    one.told(frames.RoomInfo(room="dev", title="", topic="builds", owner=2), 5)
    assert (one.label("alice"), one.topic, one.owner) == ("dev", "builds", 2)
    one.told(frames.RoomInfo(room="dev", title="", kind="direct", people=[(1, "alice"), (2, "bob"), (3, "eve")]), 5)
    assert one.label("alice") == "bob, eve"
    one.add(said(6))
    assert (one.unread, one.mentions) == (1, 1)
    one.told(frames.RoomInfo(room="dev", title="secret", kind="private", member=False, invited_by="bob"), 7)
    assert (one.member, one.invited_by, one.title) == (False, "bob", "secret")
    one.let_in(70)
    assert (one.member, one.invited_by, texts(one.timeline)) == (True, "", [])


def test_a_change_of_the_room_is_said_unless_it_is_known() -> None:
    """In words."""
    one = room()
    one.told(frames.RoomInfo(room="dev", title="Now"), 10)
    assert one.changed(frames.Changed(**header(10), title="Once")) == []
    assert one.changed(frames.Changed(**header(11), title="New", topic="", archived=True)) == [
        "bob renamed the room: New",
        "bob took the topic away",
        "bob archived the room",
    ]
    assert one.changed(frames.Changed(**header(12), topic="builds", archived=False)) == [
        "bob set the topic: builds",
        "bob opened the room again",
    ]
    assert (one.title, one.topic, one.archived) == ("New", "builds", False)


def test_who_writes_is_shown_for_a_while_or_until_it_is_said() -> None:
    """In order of the names."""
    one = room()
    one.people.write(["carol", "bob"], 100.0)
    assert one.people.typing(101.0) == ["bob", "carol"]
    one.add(said(1))
    assert one.people.typing(101.0) == ["carol"]
    assert one.people.typing(200.0) == []
    one.people.write(["bob"], 200.0)
    one.people.wrote("bob")
    one.people.write(["eve"], 201.0)
    assert one.people.typing(202.0) == ["eve"]
    one.people.clear()
    assert one.people.typing(202.0) == []
