"""The reducer: frames to what the screen shows."""

from chat_tui.state.chat import Changed, Chat
from server.protocol import frames


def chat() -> Chat:
    """Return a chat that came in as alice."""
    chat = Chat("alice", clock=lambda: 1_800_000_000.0)
    welcome = frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=4, rooms=["general"])
    assert Changed.NAME in chat.apply(welcome)
    chat.apply(frames.Roster(room="general", names=["alice"]))
    return chat


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
    assert log(state).count("Odd.") == 1


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
