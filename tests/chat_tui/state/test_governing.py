"""What moderators do, as the chat takes it in: roles, who may write, who is out, who is blocked."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from chat_tui.state import deeds
from chat_tui.state.chat import Chat
from chat_tui.state.entries import DELETED, HIDDEN
from chat_tui.state.parts import Changed
from server.protocol import frames
from server.protocol.frames import RoleName

NINE = 1_795_251_600.0
"""2026-11-21 09:00:00 UTC."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    if hasattr(time, "tzset"):
        time.tzset()
    yield
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


def chat(**rooms: Any) -> Chat:
    """Return alice's chat, in general and dev; per room what is known of it."""
    state = Chat("alice", clock=lambda: NINE)
    mine = ["general", "dev"]
    state.apply(frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=4, rooms=mine))
    infos = [frames.RoomInfo(room=room, title=room, **rooms.get(room, {})) for room in mine]
    state.apply(frames.Rooms(rooms=infos, as_of=4))
    state.apply(frames.Roster(room="dev", names=["alice", "bob", "carol"], users=[1, 2, 3]))
    return state


def header(seq: int = 10, room: str = "dev", user: int = 3) -> dict[str, Any]:
    """Return what every event says; carol does it."""
    sender = {0: "chat-server", 1: "alice", 2: "bob", 3: "carol"}[user]
    return {"seq": seq, "room": room, "user": user, "sender": sender, "time": "2026-11-21T09:00:00.000Z"}


BOB: dict[str, Any] = {"who": 2, "name": "bob"}
ME: dict[str, Any] = {"who": 1, "name": "alice"}
LATER, TOMORROW = "2026-11-21T14:30:00.000Z", "2026-11-22T09:00:00.000Z"


def log(state: Chat, room: str = "dev") -> list[str]:
    """Return the texts of a room's log."""
    return [entry.text for entry in state.room(room).timeline.entries]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (frames.Appointed(**header(), **BOB, role="moderator"), "carol made bob a moderator"),
        (frames.Appointed(**header(user=1), **BOB, role="owner"), "you made bob an owner"),
        (frames.Appointed(**header(), **ME, role="member"), "carol made you an ordinary member"),
        (
            frames.Appointed(**header(room="general", user=0), **BOB, role="admin"),
            "chat-server made bob an admin of the server",
        ),
        (frames.Appointed(**header(room="general", user=0), **ME, role="owner"), "you own this server now"),
        (frames.Kicked(**header(), **BOB, reason="spam"), "carol put bob out: spam"),
        (frames.Kicked(**header(room="general"), **BOB), "carol put bob out of the server"),
        (frames.Banned(**header(), **BOB, until=LATER, reason="spam"), "carol banned bob until 14:30: spam"),
        (frames.Banned(**header(room="general"), **BOB), "carol banned bob from the server for good"),
        (frames.Banned(**header(user=1), **BOB, on=False), "you let bob in again"),
        (frames.Silenced(**header(), **BOB, until=TOMORROW), "carol silenced bob here until tomorrow 09:00"),
        (
            frames.Silenced(**header(), **ME, until=LATER, reason="caps"),
            "You may only read here until 14:30: caps (carol)",
        ),
        (frames.Silenced(**header(), **ME, on=False), "carol lets you speak again here"),
        (frames.Changed(**header(), slow=30), "carol set slow mode: one message each in 30 seconds"),
        (frames.Changed(**header(), slow=0), "carol turned slow mode off"),
        (frames.Changed(**header(), read_only=True), "carol made the room read-only: only moderators write"),
        (frames.Changed(**header(), keep_days=30), "carol set how long messages are kept: 30 days"),
        (frames.Changed(**header(), keep_count=1000), "carol set how many messages are kept: the latest 1,000"),
    ],
)
def test_what_is_done_is_told_in_the_room(event: Any, words: str) -> None:
    """By whom, to whom, why and for how long."""
    state = chat()
    state.apply(event)
    assert log(state, event.room) == [words]


def test_who_is_put_out_is_told_of_once() -> None:
    """Not again when they leave for that; another time they leave as anybody does."""
    state = chat()
    state.apply(frames.Kicked(**header(), **BOB))
    state.apply(frames.Left(room="dev", names=["bob"], reason="kicked"))
    state.apply(frames.Joined(room="dev", names=["bob"]))
    state.apply(frames.Left(room="dev", names=["bob"], reason="quit"))
    assert log(state) == ["carol put bob out", "bob came in", "bob left"]
    state.apply(frames.Left(room="dev", names=["carol"], reason="banned"))  # of the server: the room was not told why
    assert log(state)[-1] == "carol was put out"


def test_i_am_put_out_of_a_room() -> None:
    """I am told so where I find myself then, and how I come back if I may."""
    state = chat()
    state.show("dev")
    assert Changed.SHOWN in state.apply(frames.Kicked(**header(), **ME, reason="spam"))
    assert state.current.handle == "general"
    assert not state.room("dev").member
    assert log(state, "general") == ["carol put you out of #dev: spam. /join dev enters it again."]
    state.room("dev").let_in(20)
    state.apply(frames.Banned(**header(21), **ME, until=LATER))
    assert log(state, "general")[-1] == "carol banned you from #dev until 14:30"
    state.apply(frames.Left(room="dev", names=["alice"], reason="banned"))
    assert len(log(state, "general")) == 2


def test_out_of_the_server_is_no_matter_of_a_room() -> None:
    """The server's last word says it; nobody stops being a member of general."""
    state = chat()
    state.apply(frames.Kicked(**header(room="general"), **ME))
    state.apply(frames.Left(room="general", names=["alice"], reason="kicked"))
    assert state.room("general").member
    assert log(state, "general") == []


def test_what_is_offered_follows_my_role() -> None:
    """In the room, and on the server; among a few people alone nobody moderates."""
    state = chat()
    state.show("dev")
    assert state.may("guest")
    assert not state.may("moderator")
    state.apply(frames.Appointed(**header(), **ME, role="admin"))
    assert state.may("admin")
    assert not state.may("owner")
    assert not state.may("moderator", server=True)
    state.apply(frames.Appointed(**header(11), **ME, role="member"))
    assert not state.may("moderator")
    state.apply(frames.Appointed(**header(12, room="general"), **ME, role="moderator"))
    assert state.may("moderator")
    assert state.may("moderator", server=True)
    state.room("dev").kind = "direct"
    assert not state.may("moderator")
    assert state.may("moderator", server=True)


def test_what_is_known_already_is_not_taken_back_by_an_older_event() -> None:
    """The server may tell how things stand before it delivers what led to that."""
    state = chat(dev={"role": "admin", "silenced": ""})
    state.apply(frames.Appointed(**header(3), **ME, role="member"))
    state.apply(frames.Silenced(**header(4), **ME))
    assert state.room("dev").role == "admin"
    assert state.room("dev").silenced == ""


@pytest.mark.parametrize(
    ("rooms", "words"),
    [
        ({}, ""),
        ({"dev": {"archived": True}}, "This room is closed: it can be read"),
        ({"dev": {"read_only": True}}, "Only moderators write here"),
        ({"dev": {"read_only": True, "role": "moderator"}}, ""),
        ({"dev": {"silenced": LATER}}, "You may only read here until 14:30"),
        ({"dev": {"silenced": "2026-11-21T08:59:00.000Z"}}, ""),
        ({"general": {"silenced": "forever"}, "dev": {"role": "owner"}}, "You may only read here"),
        ({"dev": {"slow": 30}}, ""),
    ],
)
def test_why_one_can_not_write(rooms: dict[str, Any], words: str) -> None:
    """In a few words, for where one would."""
    state = chat(**rooms)
    state.show("dev")
    assert state.why_not() == words


def test_slow_mode_counts_down() -> None:
    """From when I said something, or from what the server says; a clock that was set back keeps nobody waiting."""
    state = chat(dev={"slow": 90})
    state.show("dev")
    room = state.room("dev")
    room.next_at = NINE + 64.5
    assert (state.why_not(), state.wait(), state.passes()) == ("Next message in 1:05", 65, True)
    room.next_at = NINE + 12
    assert state.why_not() == "Next message in 12 s"
    room.next_at = NINE + 100_000
    assert state.wait() == 90
    room.next_at = NINE
    assert (state.why_not(), state.passes()) == ("", False)
    room.pend(7, "too soon", NINE)
    state.apply(frames.Error(code="slow_mode", message="Wait.", id=7, wait_ms=5000))
    assert state.wait() == 5
    room.role = "moderator"
    assert state.why_not() == ""


def test_what_ends_by_itself() -> None:
    """A silence that has an end does, read-only does not."""
    state = chat(dev={"silenced": LATER})
    state.show("dev")
    assert state.passes()
    state.room("dev").silenced = "forever"
    assert not state.passes()


def test_how_long_messages_are_kept_is_said_above_the_oldest() -> None:
    """By the room's rule, else by that of the server."""
    state = chat(general={"keep_days": 30})
    assert state.room("dev").kept == "Older messages are erased here after 30 days."
    state.apply(frames.Changed(**header(), keep_days=1, keep_count=1000))
    assert state.room("dev").kept == "Messages are erased here after 1 day, and all but the latest 1,000."
    state.apply(frames.Changed(**header(11, room="general"), keep_days=0))
    state.apply(frames.Changed(**header(12), keep_days=0))
    assert state.room("dev").kept == "Only the latest 1,000 messages are kept here."
    assert state.room("general").kept == ""


def said(seq: int, text: str, user: int = 2, sender: str = "bob", **more: Any) -> frames.Message:
    """Return a message."""
    return frames.Message(**{**header(seq), "user": user, "sender": sender, "text": text, **more})


def test_who_is_blocked_is_not_heard_of() -> None:
    """They come in, write and name me without a word of that; what they said comes back with them."""
    state = chat()
    state.apply_all([said(10, "before")])
    assert Changed.PEOPLE in state.apply(frames.Blocked(people=[(2, "bob")]))
    state.apply(frames.Left(room="dev", names=["bob"], reason="quit"))
    state.apply(frames.Joined(room="dev", names=["bob"], users=[2]))
    state.apply(frames.Typing(room="dev", names=["bob", "carol"]))
    count = state.room("dev").unread
    state.apply_all([said(11, "alice!", mentions=[1]), said(12, "hello", 3, "carol")])
    assert state.room("dev").people.typing(NINE) == []  # carol has said it
    assert (state.room("dev").unread, state.room("dev").mentions) == (count + 1, 0)
    assert log(state) == ["before", "alice!", "hello"]
    assert [bool(entry.flags & HIDDEN) for entry in state.room("dev").timeline.entries] == [True, True, False]
    state.apply(frames.Renamed(user=2, old="bob", new="bobby"))
    state.apply(frames.Left(room="dev", names=["bobby"], reason="quit"))
    state.apply(frames.Blocked(people=[]))
    assert not any(entry.flags & HIDDEN for entry in state.room("dev").timeline.entries)


def test_a_block_that_ended_elsewhere_ends_here() -> None:
    """While there was no connection; one that holds is told again, and nobody sees their messages in between."""
    state = chat()
    state.apply_all([said(10, "before")])
    state.apply(frames.Blocked(people=[(2, "bob")]))
    back = frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=11, rooms=["general", "dev"], resumed=True)
    shown = state.room("dev").timeline.entries
    for people, hidden in (([(2, "bob")], True), ([], False)):
        state.apply(back)
        assert shown[0].flags & HIDDEN
        if people:
            state.apply(frames.Blocked(people=people))
        state.apply(frames.Rooms(rooms=[], as_of=11))
        assert bool(shown[0].flags & HIDDEN) is hidden


def test_who_is_gone_for_good_is_gone_everywhere() -> None:
    """From messages, reactions, lists; and from a page that was asked for before."""
    state = chat()
    state.apply_all([said(10, "mine"), said(11, "hers", 3, "carol", rev=12, reactions={"tada": [2, 3], "heart": [2]})])
    state.apply(frames.Blocked(people=[(2, "bob")]))
    state.apply(frames.Erased(**{**header(13, room="general", user=2), "sender": ""}, who=2))
    first, second = state.room("dev").timeline.entries
    assert (first.text, first.name, first.user, bool(first.flags & DELETED)) == ("", "", 0, True)
    assert second.more is not None
    assert second.more.reactions == {"tada": [3]}
    assert 2 not in state.names
    assert state.blocked == {}
    assert "bob" not in state.room("dev").people.names
    page = frames.History(room="dev", messages=[said(9, "older"), said(10, "mine")], more=False, as_of=12)
    assert state.room("dev").add_page(page, state.room("dev").timeline)
    assert log(state) == ["", "", "hers"]


def report(seq: int, **more: str) -> frames.Reports:
    """Return what the server says unasked: dave reports bob."""
    one = {"by": "dave", "sender": "bob", "room": "dev", "reason": "spam", "time": LATER, **more}
    return frames.Reports(reports=[frames.ReportInfo(report=seq, seq=3, user=2, **one)])


def test_a_report_is_told_and_stays_marked_until_it_was_seen() -> None:
    """Wherever I am; what waited before I came is marked only, and what I have seen is not again."""
    state = chat()
    state.wait_for_me(report(4))
    assert (state.reports, log(state, "general")) == ({4}, [])
    state.apply(report(7))
    state.apply(report(8, room="@1-2", reason=""))
    assert log(state, "general") == [
        "dave reported what bob said in #dev: spam · /reports",
        "dave reported what bob said among a few people · /reports",
    ]
    assert state.reports == {4, 7, 8}
    state.look_at(report(8))
    state.wait_for_me(report(7))
    assert state.reports == set()
    state.apply(report(9, by="alice"))
    assert len(log(state, "general")) == 2
    assert state.reports == {9}


def test_everyone_sees_who_moderates() -> None:
    """First after me; a role on the server counts in every room, and its end takes away no other one."""
    state = chat()
    everyone = ["alice", "bob", "carol"]
    there: dict[str, dict[str, RoleName]] = {"general": {"carol": "admin"}}
    there["dev"] = {"carol": "admin", "bob": "moderator"}
    for room, roles in there.items():
        state.apply(frames.Roster(room=room, names=everyone, users=[1, 2, 3], roles=roles))
    dev, general = state.room("dev").people, state.general.people
    assert dev.ordered("alice") == ["alice", "carol", "bob"]
    state.apply(frames.Renamed(user=3, old="carol", new="ann"))
    state.apply(frames.Appointed(**header(11, "general", 0), **BOB, role="admin"))
    assert dev.roles == general.roles | {"ann": "admin", "bob": "admin"}
    state.apply(frames.Appointed(**header(12, "general", 0), who=3, name="ann", role="member"))
    assert (general.roles, dev.roles) == ({"bob": "admin"}, {"bob": "admin"})
    state.apply(frames.Appointed(**header(13), who=1, name="alice", role="owner"))
    assert dev.roles == {"alice": "owner", "bob": "admin"}
    state.apply(frames.Left(room="dev", names=["bob"], reason="quit"))
    state.apply(frames.Joined(room="dev", names=["eve"], users=[5], roles={"eve": "moderator"}))
    assert dev.roles == {"alice": "owner", "eve": "moderator"}


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("read only: off, slow: 0", "everyone writes · slow mode off"),
        ("read only: on, slow: 90", "only moderators write · one message each in 90 seconds"),
        ("archived: on", "closed"),
        ("keep days: 30, keep count: 0", "kept for 30 days · any number kept"),
        ("keep days: 0, keep count: 1000", "kept for ever · the latest 1,000 kept"),
        ("guests: off, sign up: invite", "guests may not come in · sign-up with a ticket"),
        ("guests: on, sign up: closed", "guests may come in · sign-up closed"),
        ("something: new", "something: new"),
        ("", ""),
    ],
)
def test_what_was_set_is_said_in_words(detail: str, words: str) -> None:
    """As the audit shows it."""
    assert deeds.rules(detail) == words
