"""What is said of a room, and of a message in a list."""

from chat_tui.screens.excerpts import body, head, searched, shorten
from chat_tui.screens.words import counts, empty, heading, placeholder, writing
from chat_tui.state.chat import Chat
from server.protocol import frames

NOW = 1_795_251_600.0


def message(text: str, **more: object) -> frames.Message:
    """Something bob said at nine."""
    given = {"seq": 1, "room": "dev", "user": 2, "sender": "bob", "time": "2026-11-21T09:00:00.000Z", "text": text}
    return frames.Message(**(given | more))  # type: ignore[arg-type]


def test_an_excerpt_starts_a_little_before_what_was_found() -> None:
    """Each word that was searched for is marked, whatever its case."""
    text = "one two three four five six seven eight nine ten eleven Green twelve green"
    found = body(message(text), 60, ["green"])
    assert found.plain == "…four five six seven eight nine ten eleven Green twelve green"
    assert [found.plain[span.start : span.end] for span in found.spans] == ["Green", "green"]


def test_an_excerpt_is_plain() -> None:
    """Nobody's markup is taken for ours."""
    assert body(message("[red]**very**[/] so"), 60).plain == "[red]very[/] so"
    assert body(message("", deleted=True), 60).plain == "deleted"
    assert "[b]eve" in head(message("x", sender="[b]eve"), NOW).plain


def test_what_is_too_long_ends_after_a_word() -> None:
    """With an ellipsis."""
    assert shorten("one two three", 20) == "one two three"
    assert shorten("one two three", 9) == "one two…"
    assert shorten("x" * 20, 9) == "x" * 9 + "…"


def test_what_was_searched_for() -> None:
    """Phrases stay whole, a star is no letter."""
    assert searched('green "whole phrase" rel*') == ["green", "whole phrase", "rel"]
    assert searched("") == []


def test_a_room_says_what_it_is() -> None:
    """At the top, in the empty input, in the empty log."""
    chat = Chat("alice")
    info = frames.RoomInfo(room="d", title="", kind="direct", people=[(1, "alice"), (2, "bob")])
    chat.apply(
        frames.Rooms(rooms=[info, frames.RoomInfo(room="dev", title="dev", topic="work", last=4, count=2)], as_of=5)
    )
    direct, dev = chat.room("d"), chat.room("dev")
    assert heading(dev, "alice", NOW) == ("# dev", "work")
    assert heading(direct, "alice", NOW) == ("@ bob", "")
    chat.show("d")
    assert placeholder(chat, troubled=False) == "Message bob"
    chat.show("dev")
    assert placeholder(chat, troubled=True) == "Message #dev · will be sent when connected"
    assert empty(direct, "alice", "join us") == "Only bob and you read what is said here."
    dev.thread = dev.open_thread(4)
    assert placeholder(chat, troubled=False) == "Reply in this thread"
    chat.show("general")
    assert empty(chat.current, "alice", "join us") == "join us"
    assert empty(chat.current, "alice", "") == ""
    assert counts(chat, rooms=True, people=True) == ("2 unread",)
    assert counts(chat, rooms=False, people=True) == ()
    chat.show("dev")
    assert counts(chat, rooms=True, people=True, reads=False) == ("2 unread",)
    assert counts(chat, rooms=True, people=True, reads=True) == ()  # read at this moment
    chat.user = 1
    chat.apply(frames.Invited(seq=6, room="board", user=2, sender="bob", who=1, name="alice", time="", title="board"))
    assert counts(chat, rooms=True, people=True) == ("2 unread", "1 invitation")
    assert writing([]) == ""
    assert writing(["bob", "carol"]) == "bob, carol are writing"


def test_a_room_says_why_nobody_writes_there() -> None:
    """Where one would; and where all is erased, that it is."""
    chat = Chat("alice")
    chat.apply(frames.Rooms(rooms=[frames.RoomInfo(room="general", title="general", read_only=True, last=4)], as_of=5))
    assert placeholder(chat, troubled=True) == "Only moderators write here"
    chat.current.loaded = True
    chat.current.keep("Kept for a day.")
    assert empty(chat.current, "alice", "join us") == "Kept for a day.\nNothing else is left."
