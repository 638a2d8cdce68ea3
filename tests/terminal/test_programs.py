"""Both programs as a user runs them, each in a terminal of its own."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Server

Start = Callable[..., Any]
TUI = "chat_tui.cli"


@pytest.fixture
def port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def listening(port: int) -> bool:
    """Tell whether something listens at a port of this machine."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def gone(port: int) -> bool:
    """Wait until nothing listens at a port."""
    end = time.monotonic() + PATIENCE
    while listening(port) and time.monotonic() < end:
        time.sleep(0.05)  # another process ends: there is nothing to be woken by
    return not listening(port)


def test_one_command_hosts_a_second_joins_and_the_server_outlives_the_first(
    terminal: Start, port: int, data: Path
) -> None:
    """The promise of the first minute; a killed terminal takes nobody's server away; the last one out ends it."""
    alice = terminal(TUI, "--name", "alice", "--port", str(port))
    alice.sees("hosting, only this machine", "alice  you", "Others on this machine join with", "chat-tui --port")
    bob = terminal(TUI, "--name", "bob", "--port", str(port))
    bob.sees(f"● 127.0.0.1:{port}", "Online · 2")
    alice.sees("bob came in", "Online · 2")
    bob.press("hello alice\r")
    alice.sees("hello alice")
    alice.press("hi bob\r")
    bob.sees("hi bob")
    assert data.joinpath("server.log").is_file()
    alice.process.send_signal(signal.SIGKILL)
    alice.ended()
    bob.press("still here\r")
    bob.sees("still here", gone="◌")
    bob.press("exit\r")
    assert bob.ended() == 0
    assert bob.is_sane()
    assert gone(port)


def test_two_that_start_at_once_end_up_at_one_server(terminal: Start, port: int) -> None:
    """Whoever loses the race joins the winner."""
    both = [terminal(TUI, "--name", name, "--port", str(port)) for name in ("alice", "bob")]
    for one in both:
        one.sees("Online · 2")
    end = time.monotonic() + PATIENCE
    while sum("hosting" in one.text() for one in both) != 1:
        assert time.monotonic() < end
    for one in both:
        one.press("\x11")
        assert one.ended() == 0
    assert gone(port)


def test_names_that_conflict_are_refused_with_the_reason_and_another_can_be_chosen(
    terminal: Start, server: Server
) -> None:
    """Another case, and a Cyrillic letter that looks the same."""
    arguments = (TUI, "--host", "127.0.0.1", "--port", str(server.port), "--name")
    alice = terminal(*arguments, "alice")
    alice.sees("alice  you")
    for name, other in (("Alice", "carol"), ("аlice", "dave")):
        one = terminal(*arguments, name)
        one.sees("Pick another name:", "alice")
        one.press(f"\x15{other}\r")
        one.sees(f"{other}  you")
    alice.sees("Online · 3")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_leaves_the_terminal_as_it_was(terminal: Start, server: Server, number: int) -> None:
    """And says goodbye to the others."""
    arguments = (TUI, "--host", "127.0.0.1", "--port", str(server.port), "--name")
    alice, bob = terminal(*arguments, "alice"), terminal(*arguments, "bob")
    alice.sees("Online · 2")
    bob.sees("Online · 2")
    bob.process.send_signal(number)
    assert bob.ended() == 0
    assert bob.is_sane()
    alice.sees("bob left", "Online · 1")


def test_a_terminal_that_is_closed_ends_it(terminal: Start, server: Server) -> None:
    """A window closed by the mouse leaves no process behind."""
    one = terminal(TUI, "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice")
    one.sees("alice  you")
    one.hang_up()
    one.process.wait(PATIENCE)


def test_ctrl_z_gives_the_shell_back_and_fg_the_chat(terminal: Start, server: Server) -> None:
    """Stopped with a sane terminal, and drawn again when it goes on."""
    one = terminal(TUI, "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice")
    one.sees("alice  you")
    one.press("\x1a")
    _, status = os.waitpid(one.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    one.text()
    assert one.is_sane()
    one.process.send_signal(signal.SIGCONT)
    one.press("back again\r")
    one.sees("back again", "alice  you")


def test_nobody_there_is_said_with_what_to_do(terminal: Start, port: int) -> None:
    """An explicit host never hosts."""
    one = terminal(TUI, "--host", "127.0.0.1", "--port", str(port), "--name", "alice")
    one.sees(f"Nothing listens at 127.0.0.1:{port}. F5 tries again.", "✗ not connected")
    assert not listening(port)
    one.press("\x11")
    assert one.ended() == 0
    assert one.is_sane()


def test_text_of_others_never_acts_on_the_terminal(terminal: Start, server: Server) -> None:
    """Raw lines with everything that a terminal obeys: shown, not done."""
    one = terminal(TUI, "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice")
    one.sees("alice  you")
    evil = r"\u001b]52;c;ZXZpbA==\u0007 \u001b[2J \u009b31m \u202e [red]markup[/] end"
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(b'{"type":"hello","name":"eve"}\n')
        sock.sendall(f'{{"type":"send","room":"general","text":"{evil}"}}\n'.encode())
        screen = one.sees("[red]markup[/] end")
    assert "# general" in screen
    assert "␛]52;c;ZXZpbA==␇ ␛[2J" in screen
    for sequence in (b"\x1b]52;", b"\xc2\x9b", "\u202e".encode()):
        assert sequence not in one.written


def test_alt_enter_of_a_plain_terminal_makes_a_new_line(terminal: Start, server: Server) -> None:
    """Escape and Enter, as terminals without the kitty protocol send it; text and Enter at once are one message."""
    one = terminal(TUI, "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice")
    one.sees("alice  you")
    one.press("first\x1b\r")
    one.sees("❯ first")
    one.press("second\r")
    one.sees("alice  first\n", "second", "❯ Message #general")
    one.press("\x1b[200~pasted\rlines\x1b[201~\r")
    one.sees("pasted\n", "lines")
