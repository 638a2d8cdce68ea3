"""The reducer: frames to what the screen shows."""

from typing import Any

import pytest

from chat_tui.state.chat import Changed, Chat
from chat_tui.state.rooms import Room
from server.protocol import frames


def chat() -> Chat:
    """Return a chat that came in as alice."""
    chat = Chat("alice", clock=lambda: 1_800_000_000.0)
    assert Changed.NAME in chat.apply(welcome("general"))
    chat.apply(frames.Roster(room="general", names=["alice"]))
    return chat


def welcome(*rooms: str, **more: Any) -> frames.Welcome:
    """Return what the server says to alice who comes in."""
    return frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=4, rooms=list(rooms), **more)


def said(seq: int, text: str, user: int = 2, sender: str = "bob") -> frames.Message:
    """Return a message."""
    return frames.Message(seq=seq, room="general", user=user, sender=sender, time="2026-11-21T09:00:00.000Z", text=text)


def log(chat: Chat) -> list[str]:
    """Return the texts of the log."""
    return [entry.text for entry in chat.current.timeline.entries]


def test_messages_and_pages_are_merged() -> None:
    """A page that comes after a live message stands before it."""
    state = chat()
    state.apply_all([said(7, "live")])
    state.apply(frames.History(room="general", messages=[said(5, "old"), said(7, "live")], more=False, as_of=7))
    assert log(state) == ["old", "live"]


def test_presence_is_told_once_and_never_of_me() -> None:
    """Who was known already, and I, make no notice."""
    state = chat()
    assert state.apply(frames.Joined(room="general", names=["alice", "bob"])) is Changed.PEOPLE
    state.apply(frames.Joined(room="general", names=["bob"]))
    state.apply(frames.Left(room="general", names=["bob", "stranger"], reason="quit"))
    assert log(state) == ["bob came in", "bob left"]
    assert state.current.people.ordered("alice") == ["alice"]


def test_my_new_name_is_mine_everywhere() -> None:
    """Name, people and log."""
    state = chat()
    assert Changed.NAME in state.apply(frames.Renamed(user=1, old="alice", new="alicia"))
    assert state.name == "alicia"
    assert state.current.people.names == {"alicia"}
    assert log(state) == ["you are now called alicia"]
    assert Changed.NAME not in state.apply(frames.Renamed(user=9, old="x", new="y"))


def test_a_refused_message_fails_and_other_errors_are_told() -> None:
    """By its id; an error with a ref is its asker's to tell."""
    state = chat()
    state.current.timeline.pend(1, "hi", 0)
    state.apply(frames.Error(code="bad_text", message="Too long.", room="general", id=1))
    assert [failed.reason for failed in state.current.timeline.failed()] == ["Too long."]
    state.apply(frames.Error(code="bad_frame", message="Odd.", ref="1"))
    state.apply(frames.Error(code="bad_frame", message="Odd."))
    state.apply(frames.Error(code="no_such_room", message="Odd.", room="nowhere"))
    assert log(state).count("Odd.") == 2
    assert list(state.rooms) == ["general"]
    state.room("dev").pend(2, "there", 0)
    state.apply(frames.Error(code="bad_text", message="Too long.", id=2))
    assert [failed.raw for failed in state.rooms["dev"].timeline.failed()] == ["there"]


def test_another_history_starts_the_log_anew_and_a_resume_keeps_it() -> None:
    """After a resume nothing is forgotten, even by a server that was started again."""
    state = chat()
    state.apply(said(5, "before"))
    again = frames.Welcome(name="alice", user=1, session="s", epoch="later", seq=9, rooms=["general"], resumed=True)
    state.apply(again)
    assert log(state) == ["before"]
    state.apply(frames.Welcome(name="alice", user=1, session="s", epoch="later", seq=9, rooms=["general"]))
    assert log(state) == []


def test_nobody_is_known_to_be_online_without_a_connection() -> None:
    """The roster of the next connection says it."""
    state = chat()
    state.disconnected()
    assert state.current.people.ordered("alice") == []


def info(room: str, **more: Any) -> frames.RoomInfo:
    """Return what the server says of a room."""
    return frames.RoomInfo(room=room, title=room, **more)


def busy() -> Chat:
    """Return a chat with several rooms, of which all is known."""
    state = chat()
    rooms = [
        info("general", last=4),
        info("dev", last=40, count=3, mentions=1, read=30),
        info("ops", last=50, count=2, read=30),
        info("loud", last=60, count=9, muted=True),
        info("old", last=10, archived=True),
        info("fav", last=20, favourite=True),
        info("secret", member=False, invited_by="bob"),
        info("@1-2", kind="direct", people=[(1, "alice"), (2, "bob")], last=45, count=1),
    ]
    state.apply(welcome(*(one.room for one in rooms if one.member), resumed=True))
    state.apply(frames.Rooms(rooms=rooms, as_of=70))
    return state


def handles(rooms: list[Room]) -> list[str]:
    """Return which rooms these are."""
    return [room.handle for room in rooms]


def test_rooms_are_in_the_order_in_which_they_matter() -> None:
    """Invitations, favourites, then the latest first or by name; muted and archived ones last."""
    state = busy()
    assert handles(state.ordered()) == ["secret", "fav", "ops", "@1-2", "dev", "general", "loud", "old"]
    assert handles(state.ordered("name")) == ["secret", "fav", "@1-2", "dev", "general", "ops", "loud", "old"]
    assert (state.unread_total, state.mention_total) == (6, 2)


def test_a_room_that_was_just_made_or_entered_stands_above_those_where_less_happened_since() -> None:
    """Whichever device did it, and although nobody has said anything there."""
    state = busy()
    state.apply(frames.Roster(room="new", names=["alice"]))
    assert handles(state.ordered())[2:4] == ["new", "ops"]
    state.left("ops")
    state.apply(frames.Roster(room="dev", names=["alice"]))  # was in it all the time
    state.apply(frames.Roster(room="ops", names=["alice"]))
    assert handles(state.ordered())[2:4] == ["ops", "new"]
    state.apply(said(71, "hi"))
    state.apply(welcome(*state.rooms, "newer", resumed=True))
    assert handles(state.ordered())[2:5] == ["newer", "general", "ops"]


def test_a_room_that_was_entered_again_meanwhile_is_not_gone_on_with() -> None:
    """Between leaving and coming back on another device, things were said that this one was not sent."""
    state = chat()
    state.apply(said(5, "before"))
    state.show("general")
    state.left("general")
    state.apply(welcome("general", resumed=True))
    assert (log(state), state.current.member, state.current.loaded) == ([], True, False)


def test_who_is_done_writing_is_shown_at_once() -> None:
    """Alone, or in the middle of much; not who was not shown as writing."""
    for listen in (Chat.apply, lambda state, frame: Chat.apply_all(state, [frame])):
        state = chat()
        assert Changed.TYPING not in listen(state, said(5, "hi"))
        state.apply(frames.Typing(room="general", names=["bob"]))
        assert Changed.TYPING in listen(state, said(6, "hi"))
        assert Changed.TYPING not in listen(state, said(7, "hi"))


def test_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those met first are forgotten first."""
    monkeypatch.setattr("chat_tui.state.chat.NAMES", 4)
    state = chat()
    for user in range(10, 17):
        state.apply_all([said(user, "hi", user, f"user{user}")])
    assert len(state.names) <= 4
    assert state.names[16] == "user16"


def test_the_next_unread_room_is_where_i_am_named() -> None:
    """The one that has waited longest first; then the others that I want to hear of; then invitations."""
    state = busy()
    order = []
    while (room := state.next_unread()) is not None and room.member:
        order.append(room.handle)
        room.marks.saw(room.last)
    assert order == ["dev", "@1-2", "ops"]
    assert room is not None
    assert room.invited_by


def test_a_room_that_nobody_told_of_is_asked_for() -> None:
    """It is there at once; what it is, the answer says."""
    state = chat()
    state.apply(frames.Roster(room="new", names=["alice", "bob"], users=[1, 2], away={"bob": "lunch"}))
    assert state.strange == {"new"}
    assert state.rooms["new"].people.away == {"bob": "lunch"}
    assert state.names[2] == "bob"
    state.apply(frames.Rooms(rooms=[info("new", topic="x")], as_of=5))
    assert not state.strange
    state.keep_only(["general"])
    assert handles(state.ordered()) == ["general"]


def test_being_invited_coming_in_and_leaving() -> None:
    """On any device."""
    state = chat()
    invited = frames.Invited(seq=5, room="dev", user=2, sender="bob", time="", who=1, name="alice", title="Dev")
    assert Changed.ROOMS in state.apply(invited)
    room = state.rooms["dev"]
    assert (room.member, room.invited_by, room.title) == (False, "bob", "Dev")
    assert log(state)[-1] == "bob invites you to #Dev: Alt+G goes there"
    assert not state.strange
    state.apply(frames.Roster(room="dev", names=["alice"]))
    assert (room.member, room.invited_by) == (True, "")
    state.show("dev")
    assert Changed.SHOWN in state.apply(frames.Left(room="dev", names=["alice"], reason="left"))
    assert (state.current.handle, handles(state.ordered())) == ("general", ["general"])
    state.apply(invited)
    invited.on = False
    state.apply(invited)
    assert (handles(state.ordered()), "dev" in state.rooms) == (["general"], False)
    invited.who, invited.name, invited.room = 7, "eve", "general"
    state.apply(invited)
    assert log(state)[-1] == "eve is not invited any more"
    state.apply(frames.Invited(seq=6, room="general", user=1, sender="alice", time="", who=7, name="eve", title=""))
    assert log(state)[-1] == "you invited eve"


def test_a_direct_room_does_not_say_who_comes_and_goes() -> None:
    """Its mark does. That it is one its handle says, before the server has."""
    state = chat()
    state.show("@1-2")
    state.apply(frames.Joined(room="@1-2", names=["bob"], users=[2]))
    assert state.current.people.names == {"bob"}
    state.apply(frames.Left(room="@1-2", names=["bob"], reason="quit"))
    assert (state.current.kind, state.current.people.names, log(state)) == ("direct", set(), [])


def test_what_becomes_of_messages_and_rooms_reaches_them() -> None:
    """Each frame its room."""
    state = chat()
    state.apply(said(5, "before"))
    header: dict[str, Any] = {"room": "general", "user": 2, "sender": "bob", "time": "2026-11-21T09:00:00.000Z"}
    assert state.apply(frames.Edited(seq=6, target=5, text="after", **header)) is Changed.MARKS
    assert log(state) == ["after"]
    assert state.apply(frames.Changed(seq=7, topic="tea", **header)) is Changed.ROOMS
    assert log(state)[-1] == "bob set the topic: tea"
    assert state.apply(frames.Typing(room="general", names=["alice", "bob"])) is Changed.TYPING
    assert state.current.people.typing(state.clock()) == ["bob"]
    state.apply(frames.Roster(room="general", names=["alice", "bob"], users=[1, 2]))
    assert state.apply(frames.Status(user=2, name="bob", away=True, text="tea")) is Changed.STATUS
    assert state.current.people.away == {"bob": "tea"}
    state.apply(frames.Status(user=2, name="bob"))
    assert state.current.people.away == {}
    marked = frames.Marked(room="general", read=5, level="none", favourite=True, muted=True)
    assert Changed.MARKS in state.apply(marked)
    room = state.current
    assert (room.read, room.level, room.favourite, room.muted, room.unread) == (5, "none", True, True, 0)
    assert state.apply(frames.People(people=[(9, "zoe")])) is Changed.PEOPLE
    assert state.names[9] == "zoe"


def test_a_page_with_a_ref_is_for_whoever_asked() -> None:
    """It may be of a thread, or stand anywhere."""
    state = chat()
    state.apply(frames.History(room="general", messages=[said(5, "old")], more=False, as_of=7, ref="1"))
    assert log(state) == []


def test_too_much_missed_ends_what_was_looked_at() -> None:
    """A thread, or an old message: nothing tells any more what became of them."""
    state = chat()
    state.apply(said(5, "before"))
    state.current.open_thread(5)
    assert state.apply(frames.Gap(room="general", after=5, before=900)) is Changed.SHOWN
    assert state.current.shown is state.current.timeline
    assert not state.current.loaded
    state.apply(frames.History(room="general", messages=[said(890, "late")], more=True, as_of=950))
    assert log(state)[0] == "late"
    assert state.current.loaded


def test_showing_another_room_and_coming_back() -> None:
    """What was open in it is closed; what is new is told apart."""
    state = busy()
    state.current.visit = state.current.look_around(
        frames.History(room="general", messages=[said(2, "x")], more=False, as_of=70, more_after=True)
    )
    state.show("dev")
    assert state.current.handle == "dev"
    assert state.rooms["general"].visit is None
    message = said(80, "hi")
    message.room = "general"
    state.apply_all([message])
    state.show("general")
    assert state.current.timeline.new_from == 80
