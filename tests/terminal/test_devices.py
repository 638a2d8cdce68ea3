"""Two devices of one person, each in a terminal of its own."""

import re
from collections.abc import Callable
from typing import Any

from support import Server

Start = Callable[..., Any]


def test_a_second_device_comes_in_and_what_is_read_on_one_is_read_on_the_other(terminal: Start, server: Server) -> None:
    """By a code that is typed unseen; who has none is told."""
    address = ("chat_tui.cli", "--host", "127.0.0.1", "--port", str(server.port))
    first, bob = (terminal(*address, "--name", name, columns=120) for name in ("alice", "bob"))
    first.sees("Online · 2")
    first.press("/device\r")
    shown = first.sees("It is good once")
    code = re.search(r"give it this code:[\s│]+(\S{20,})", shown)
    assert code, shown
    first.press("\x1b")

    second = terminal(*address, "--device", columns=120)
    second.sees("The code that /device shows on your other device:")
    second.press(code[1] + "\r")
    assert code[1] not in second.sees("alice  you", "Online · 2")

    for one in (first, bob):
        one.press("/join dev\r")
        one.sees("Message #dev")
    second.sees("# dev")
    first.press("/go general\r")
    first.sees("Message #general")
    bob.press("news\r")
    for one in (first, second):
        one.sees("Alt+A next unread")
    first.press("\x1ba")
    first.sees("Message #dev", "news")
    second.sees("Message #general", gone="Alt+A next unread")

    wrong = terminal(*address, "--device")
    wrong.sees("The code that /device shows")
    wrong.press("no such code\r")
    wrong.sees("This code is not known here.")
