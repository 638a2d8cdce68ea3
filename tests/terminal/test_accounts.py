"""Accounts, in real terminals, against a real server in TLS."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Server
from terminals import Terminal

Start = Callable[..., Any]
ENTER, ESCAPE, TAB = "\r", "\x1b", "\t"
PASSWORD = "correct horse battery"  # noqa: S105 - nobody else's
OUT_WITHIN = 1.0
"""Seconds after which a device that was logged out is out."""


def own_address() -> str:
    """Return an address of this machine that is not loopback; skip where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the way
            address = str(sock.getsockname()[0])
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    return address


@pytest.fixture
def at_home(terminal: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Start chat-tui as on a machine of its own: what it keeps lies in a home by that name."""

    def start(machine: str, *arguments: str, **size: int) -> Any:
        home = tmp_path / machine
        home.mkdir(exist_ok=True)
        monkeypatch.setenv("HOME", str(home))
        return terminal("chat_tui.cli", *arguments, **size)

    return start


def write(terminal: Terminal, text: str, shown: str = "") -> None:
    """Type a line, and send it once it stands there."""
    terminal.press(text)
    terminal.sees(shown or text)
    terminal.press(ENTER)


def register(terminal: Terminal, name: str) -> None:
    """Get an account."""
    write(terminal, "/register")
    terminal.sees("An account for you")
    terminal.press(PASSWORD + TAB + PASSWORD + ENTER)
    terminal.sees(f"The name {name} is yours now")


def test_log_out_a_device_from_another(at_home: Start, server: Server) -> None:
    """Register, log out, log in on a second device, end the first from the second: it is out within a second."""
    where = ("--host", "127.0.0.1", "--port", str(server.port), "--name", "alice")
    first = at_home("laptop", *where)
    first.sees("alice  you")
    register(first, "alice")
    write(first, "/logout")
    first.sees("you will need your password")
    first.press("y")
    first.sees("alice is logged out here.")
    first.press(ENTER)
    first.sees("alice has an account here")
    first.press("not my password" + ENTER)
    first.sees("No account has this name and this password.")
    first.press(PASSWORD + ENTER)
    first.sees("Message #general", "alice  you")

    second = at_home("phone", *where)
    second.sees("alice has an account here")
    second.press(PASSWORD + ENTER)
    second.sees("Message #general", "alice  you")
    write(second, "/devices")
    second.sees("Your devices", "this one", "here now")
    second.press("\x1b[B" + ENTER)
    second.sees("y does it")
    began = time.monotonic()
    second.press("y")
    first.sees("alice was logged out here", "Enter logs in again")
    assert time.monotonic() - began < OUT_WITHIN
    second.sees("is logged out.")
    first.press(ENTER)
    first.sees("Log in as alice")

    shown = first.written + second.written
    assert PASSWORD.encode() not in shown
    kept = [path.read_bytes() for path in Path(os.environ["HOME"]).parent.rglob("*") if path.is_file()]
    assert not any(PASSWORD.encode() in data for data in kept)


def test_a_guest_logs_in_to_an_account(at_home: Start, server: Server) -> None:
    """Nothing of the guest stays on the screen; Escape goes on as who one was."""
    where = ("--host", "127.0.0.1", "--port", str(server.port))
    first = at_home("laptop", *where, "--name", "alice")
    first.sees("alice  you")
    register(first, "alice")
    second = at_home("phone", *where, "--name", "bob")
    second.sees("bob  you")
    write(second, "/make den")
    second.sees("Message #den")
    write(second, "/login alice")
    second.sees("Log in as alice", gone="den")
    second.press(PASSWORD + ENTER)
    second.sees("Message #general", "alice  you", gone="den")
    write(second, "/login carol")
    second.sees("Log in as carol?")
    second.press("y")
    second.sees("Log in as carol", "Esc goes on as alice")
    second.press(ESCAPE)
    second.sees("Message #general", "alice  you")


def test_a_server_with_another_key_is_refused(
    at_home: Start, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """In the same place, with nothing said to it; once the key is forgotten it is asked about, or pinned, anew."""
    right = start_server("--limits", "off", data=tmp_path / "right")
    where = ("--host", "127.0.0.1", "--port", str(right.port), "--name", "alice")
    alice = at_home("laptop", *where)
    alice.sees("alice  you")
    register(alice, "alice")
    right.stop()
    wrong = start_server("--limits", "off", data=tmp_path / "wrong", port=right.port)
    alice.sees("is not the", "Answers now", "Nothing secret was sent", "chat-tui --forget-key")
    alice.press("q" + ENTER + " ")
    alice.sees("Answers now")
    alice.press(ESCAPE)
    assert alice.ended() == 2
    assert b"chat-tui: What answers" in alice.written

    forget = [sys.executable, "-m", "chat_tui.cli", "--forget-key", "--host", "127.0.0.1", "--port", str(wrong.port)]
    done = subprocess.run(forget, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is forgotten" in done.stdout
    assert subprocess.run(forget, capture_output=True, text=True, timeout=PATIENCE, check=False).returncode == 1
    again = at_home("laptop", *where)
    again.sees("Message #general", "alice  you")


def test_a_first_visit_and_an_invitation(at_home: Start, start_server: Callable[..., Server]) -> None:
    """A server in the network: its key is shown and asked about; an invitation line brings others in unasked."""
    address = own_address()
    server = start_server("--limits", "off", "--host", "0.0.0.0")
    alice = at_home("laptop", "--host", address, "--port", str(server.port), "--name", "alice", columns=120)
    asked = alice.sees("Is this the right server?", "Enter comes in")
    short = re.search(r"(?:[0-9a-z]{4}-){4}[0-9a-z]{4}", asked)
    assert short, asked
    alice.press(ENTER)
    alice.sees("Message #general", "Nobody has written yet")
    write(alice, "/key")
    line = f"chat-tui join chat://{address}:{server.port}/{short[0]}"
    alice.sees("The key of this server", line)

    bob = at_home("phone", "join", line.split()[-1], "--name", "bob")
    bob.sees("Message #general", "bob  you")
    wrong = line.split()[-1][:-4] + "0000"
    carol = at_home("tablet", "join", wrong, "--name", "carol")
    carol.sees("you are invited to", short[0])
    _, _, said = server.stop()
    assert short[0] in said or short[0] in asked


def test_the_owner_claims_the_server(at_home: Start, server: Server) -> None:
    """By the code that it showed at its first start, which is typed unseen."""
    code = server.owner_code
    alice = at_home("laptop", "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice", columns=120)
    alice.sees("alice  you")
    write(alice, "/claim")
    alice.sees("/register gets one")
    alice.press("\x15")
    register(alice, "alice")
    write(alice, "/claim")
    alice.sees("Own this server")
    alice.press("not-this-one" + ENTER)
    alice.sees("This code is not good")
    alice.press(code + ENTER)
    alice.sees("alice  you · owner")
    assert code.encode() not in alice.written
