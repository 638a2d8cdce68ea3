"""A whole morning by keyboard alone, in a real terminal: nothing here uses a mouse, or waits without seeing."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import PATIENCE, Server

Start = Callable[..., Any]

ESCAPE, ENTER, SHIFT_TAB, UP, END = "\x1b", "\r", "\x1b[Z", "\x1b[A", "\x1b[F"
SEARCH, GO_TO, CATCH_UP, NEXT_UNREAD, FIRST_ROOM = "\x06", "\x1bg", "\x1bc", "\x1ba", "\x1b1"
ROOMS = 20


class Friend:
    """Somebody else, who says frames as they are."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._refs = 0
        self.ask("hello", name=name, ping=False)

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Say a frame; return its answer."""
        self._refs += 1
        ref = str(self._refs)
        self._socket.sendall(json.dumps({"type": kind, "ref": ref, **fields}).encode() + b"\n")
        while True:
            answer: dict[str, Any] = json.loads(self._lines.readline())
            if answer.get("ref") == ref or (kind == "hello" and answer["type"] == "welcome"):
                assert answer["type"] != "error", answer
                return answer

    def say(self, text: str, room: str = "general") -> int:
        """Say something; return its seq."""
        return int(self.ask("send", room=room, text=text)["seq"])

    def last(self, room: str = "general") -> dict[str, Any]:
        """Return the last message of a room."""
        message: dict[str, Any] = self.ask("history", room=room, limit=1)["messages"][-1]
        return message


@pytest.fixture
def bob(server: Server) -> Iterator[Friend]:
    """The friend."""
    friend = Friend(server.port, "bob")
    yield friend
    friend.close()


def test_a_morning(terminal: Start, server: Server, bob: Friend) -> None:
    """Invited, answered, edited, reacted, a thread, an old phrase, a day, twenty rooms, somebody alone."""
    for number in range(ROOMS):
        bob.ask("join", room=f"room{number:02}")
    bob.say("the projector was only the fuse")
    for number in range(120):
        bob.say(f"line {number}")
    alice = terminal("chat_tui.cli", "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice", columns=120)
    alice.sees("alice  you", "line 119")

    # A private room, by invitation.
    bob.ask("make", room="board", topic="who decides", private=True)
    bob.ask("invite", room="board", name="alice")
    alice.sees("+ board", "invited")
    alice.press(FIRST_ROOM)
    alice.sees("bob invites you to # board")
    alice.press(ENTER)
    alice.sees("# board   who decides", "Message #board")

    # Answer, edit, react.
    asked = bob.say("shall we paint it red?", "board")
    alice.sees("shall we paint it red?")
    alice.press(SHIFT_TAB + "r")
    alice.sees("Replying to bob")
    alice.press("blue, i think" + ENTER)
    alice.sees("alice", "blue, i think", gone="Replying")
    assert bob.last("board")["reply"] == asked
    alice.press(SHIFT_TAB)
    alice.sees("e edit")
    alice.press("e")
    alice.sees("Editing your message")
    alice.press("\x15green, I think" + ENTER)
    alice.sees("green, I think (edited)", gone="Editing")
    alice.press(SHIFT_TAB + UP + "+")
    alice.sees("the name of an emoji")
    alice.press("thumbsup")
    alice.sees("👍  thumbsup")
    alice.press(ENTER)
    alice.sees("👍 1")

    # The thread.
    alice.press("t")
    alice.sees("# board › thread", "back to all")
    alice.press("in the thread" + ENTER)
    alice.sees("in the thread")
    alice.press(ESCAPE)
    alice.sees("# board   who decides", "2 replies")

    # An old phrase, and back.
    alice.press(SEARCH)
    alice.sees("Search all your rooms")
    alice.press('"only the fuse"')
    alice.sees("1 message, newest first")
    alice.press(ENTER)
    alice.sees("# general · ", "the projector was only the fuse", gone="line 119")
    alice.press(ESCAPE)
    alice.sees("back to now")
    alice.press(END)
    alice.sees("line 119")

    # A day.
    alice.press("/goto today" + ENTER)
    alice.sees("the projector was only the fuse", gone="line 119")
    alice.press(ESCAPE)
    alice.sees("back to now")
    alice.press(ESCAPE)
    alice.sees("line 119")

    # Twenty rooms.
    for number in range(ROOMS):
        alice.press(f"/join room{number:02}{ENTER}")
        alice.sees(f"Message #room{number:02}")
    alice.press(GO_TO)
    alice.sees("a room or a person")
    alice.press("gnrl")
    alice.sees("# general")
    alice.press(ENTER)
    alice.sees("Message #general")
    for number in range(ROOMS):
        bob.say(f"news {number}" + (" @alice" if number == 7 else ""), f"room{number:02}")
    alice.sees("Alt+C catch up")
    alice.press(CATCH_UP)
    alice.sees(f"{ROOMS} rooms with something new", "# room07  1 unread · @1")
    alice.press("r")
    alice.sees(f"{ROOMS - 1} rooms with something new")
    alice.press("R")
    alice.sees("You are up to date.")
    alice.press(ESCAPE)
    alice.sees("Message #general", gone="Alt+A next unread")

    # Somebody alone.
    alice.press(GO_TO)
    alice.sees("a room or a person")
    alice.press("bob")
    alice.sees("@ bob")
    alice.press(ENTER)
    alice.sees("Message bob")
    alice.press("thank you" + ENTER)
    alice.sees("thank you")
    rooms = [room for room in bob.ask("rooms")["rooms"] if room.get("kind") == "direct"]
    assert bob.last(rooms[0]["room"])["text"] == "thank you"

    alice.press("\x11")
    assert alice.ended() == 0
    assert alice.is_sane()
