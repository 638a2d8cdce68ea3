"""What is taken out of a log, or hidden in it."""

from typing import Any

from chat_tui.state.entries import DELETED, HEAD, HIDDEN, Entry
from chat_tui.state.rooms import Room
from chat_tui.state.timeline import Timeline
from server.protocol import frames


def said(seq: int, text: str = "hi", user: int = 2, **more: Any) -> frames.Message:
    """Return a message of alice (1), bob (2) or carol (3), a minute after the one before it."""
    sender = {1: "alice", 2: "bob", 3: "carol"}[user]
    time = f"2026-11-21T09:{seq % 60:02}:00.000Z"
    return frames.Message(seq=seq, room="dev", user=user, sender=sender, time=time, text=text, **more)


def room(*messages: frames.Message, blocked: dict[int, str] | None = None, more: bool = False) -> Room:
    """Return alice's room that holds these as a page."""
    one = Room("dev", blocked=blocked)
    one.call_me(1, "alice")
    one.load(frames.History(room="dev", messages=list(messages), more=more, as_of=100))
    return one


def texts(timeline: Timeline) -> list[str]:
    """Return the texts of a log."""
    return [entry.text for entry in timeline.entries]


def mirrored(timeline: Timeline) -> list[Entry]:
    """Return a list that follows the log by what its listeners are told."""
    copy = list(timeline.entries)

    def follow(at: int, removed: int, added: int) -> None:
        copy[at : at + removed] = timeline.entries[at : at + added]

    timeline.listeners.append(follow)
    return copy


def test_what_was_kept_long_enough_goes() -> None:
    """Nothing older is asked for; what comes later stays, and what is not sent."""
    one = room(*(said(seq, f"m{seq}") for seq in range(1, 6)), more=True)
    shown = mirrored(one.timeline)
    one.pend(7, "on its way", 0)
    one.forget(3)
    assert texts(one.timeline) == ["m4", "m5", "on its way"] == [entry.text for entry in shown]
    assert one.timeline.entries[0].flags & HEAD
    assert (one.timeline.more, one.timeline.oldest, one.timeline.messages) == (False, 4, 3)
    one.forget(10)
    assert texts(one.timeline) == ["on its way"]
    one.add(said(11, "new"))
    assert texts(one.timeline) == ["new", "on its way"]


def test_what_is_not_held_may_be_older_still() -> None:
    """Only up to what is gone: between that and the oldest held there may be more."""
    one = room(said(20), said(21), more=True)
    one.forget(10)
    assert one.timeline.more
    assert texts(one.timeline) == ["hi", "hi"]


def test_a_page_from_before_brings_nothing_back() -> None:
    """It was on its way while that went."""
    one = room(said(5, "m5"))
    one.forget(3)
    page = frames.History(room="dev", messages=[said(2, "m2"), said(4, "m4")], more=True, as_of=1)
    assert one.add_page(page, one.timeline)
    assert texts(one.timeline) == ["m4", "m5"]
    assert not one.timeline.more


def test_what_quoted_it_quotes_nothing() -> None:
    """And nobody is asked for it."""
    one = room(said(3, "question"), said(5, "answer", 3, reply=3, thread=3))
    one.forget(4)
    quoted = one.timeline.message(3)
    assert quoted is not None
    assert quoted.flags & DELETED
    one.timeline.want(3)
    assert one.wanted() == set()


def test_unread_messages_that_are_gone_are_not_unread() -> None:
    """What the server counted among them is asked for anew."""
    one = room()
    for seq in (5, 6, 7):
        one.add(said(seq))
    assert one.unread == 3
    one.forget(6)
    assert one.unread == 1
    assert not one.marks.uncertain
    one.marks.told(0, 0, 4, 0, 7, 7)
    one.forget(7)
    assert one.marks.uncertain


def test_what_stands_above_the_oldest_is_drawn_anew() -> None:
    """When it is said, and when nothing older is left."""
    one = room(said(5), more=True)
    told: list[tuple[int, int, int]] = []
    one.timeline.listeners.append(lambda *splice: told.append(splice))
    one.keep("Kept for a day.")
    one.keep("Kept for a day.")
    assert told == [(0, 1, 1)]
    one.add_page(frames.History(room="dev", messages=[], more=False, as_of=100), one.timeline)
    assert told == [(0, 1, 1)] * 2
    assert one.open_thread(5).kept == ""


def test_hidden_messages_are_shown_together() -> None:
    """Those right below one another, and no others; a new page hides them as well."""
    blocked = {2: "bob"}
    one = room(said(1), said(2), said(3, user=3), said(4), said(5, user=1), blocked=blocked)
    hidden = [bool(entry.flags & HIDDEN) for entry in one.timeline.entries]
    assert hidden == [True, True, False, True, False]
    shown = mirrored(one.timeline)
    one.timeline.reveal(1)
    assert [bool(entry.flags & HIDDEN) for entry in shown] == [False, False, False, True, False]
    one.timeline.reveal(99)
    blocked.clear()
    one.hide()
    assert not any(entry.flags & HIDDEN for entry in shown)


def test_somebody_who_is_erased_leaves_the_rest_as_it_was() -> None:
    """Also where nothing was theirs."""
    one = room(said(1, "theirs"), said(2, "hers", 3))
    one.people_in = [(2, "bob"), (3, "carol")]
    shown = mirrored(one.timeline)
    one.erase({2})
    assert texts(one.timeline) == ["", "hers"] == [entry.text for entry in shown]
    one.kind = "direct"
    assert one.label("alice") == "somebody who is gone, carol"
    told: list[tuple[int, int, int]] = []
    one.timeline.listeners.append(lambda *splice: told.append(splice))
    one.erase({2})
    assert told == []
