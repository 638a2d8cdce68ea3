"""The command line: light, and clear about what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE

from chat_tui import cli, config
from chat_tui.client.known import Known
from chat_tui.state.link import Address


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `chat-tui` without a terminal."""
    command = [sys.executable, "-m", "chat_tui.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_what_is_only_said_needs_no_textual(flag: str) -> None:
    """Textual takes most of the start-up: it is not loaded for a line of text."""
    code = f"""
import sys
from chat_tui.cli import main
try:
    main([{flag!r}])
finally:
    assert not {{"textual", "rich", "msgspec", "asyncio"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "chat-tui" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "0"], "is no port"),
        (["--port", "x"], "is no port"),
        (["--share", "--host", "h"], "with --host none is started"),
        (["join"], "chat-tui join chat://HOST:PORT/KEY"),
        (["jion", "chat://h"], "chat-tui join chat://HOST:PORT/KEY"),
        (["join", "chat://h", "--host", "h"], "leave --host and --share out"),
        (["--ticket"], "belongs to an invitation"),
        (["--forget-key"], "whose key"),
        (["--host", "h:7421", "--port", "7422"], "leave one of them out"),
        ([], "needs a terminal"),
        (["join", "--name", "ann", "chat://h"], "needs a terminal"),
    ],
)
def test_a_wrong_call_is_one_clear_line(arguments: list[str], words: str) -> None:
    """No traceback, and a non-zero exit."""
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


_TWICE = """
import sys, weakref
from unittest.mock import patch
from chat_tui import cli
from chat_tui.acts.coming_in import Again
from chat_tui.app import ChatApp

apps = []
run, mount = ChatApp.run, ChatApp.on_mount

def begin(app):
    apps.append(weakref.ref(app))
    mount(app)
    if len(apps) == 1:
        app.set_timer(0.1, lambda: app.begin_again(Again("bob", ask=True)))
    else:
        print("gone" if apps[0]() is None else "here")
        app.exit(0)

sys.stdin.isatty = sys.stdout.isatty = lambda: True
with patch.object(ChatApp, "on_mount", begin), patch.object(ChatApp, "run", lambda app: run(app, headless=True)):
    cli.main(["--host", "127.0.0.1", "--port", "9", "--name", "alice"])
"""


def test_nothing_of_who_logged_out_stays_in_memory() -> None:
    """The app of who comes next has taken the place of theirs, with all that it held."""
    done = subprocess.run([sys.executable, "-c", _TWICE], capture_output=True, text=True, timeout=2 * PATIENCE)
    assert "gone" in done.stdout, done.stdout + done.stderr


def test_a_key_is_forgotten_without_a_terminal(home: Path) -> None:
    """It says what it did, and ends with 1 where there was nothing to forget."""
    known = Known(config.known_path())
    known.keep("chat.example", 7373, "ab" * 32)
    known.keep("chat.example", 7000, "cd" * 32)
    done = run("--forget-key", "--host", "chat.example")
    assert (done.returncode, done.stdout) == (
        0,
        "The key of chat.example:7373 is forgotten: the next visit asks again.\n",
    )
    assert known.get("chat.example", 7373) == ""
    assert known.get("chat.example", 7000) == "cd" * 32
    again = run("--forget-key", "--host", "chat.example")
    assert (again.returncode, again.stdout) == (1, "No key of chat.example:7373 was remembered here.\n")


@pytest.mark.parametrize(
    ("names", "who"),
    [([], (None, "login")), (["ann"], ("ann", "")), (["bob", "ann"], (None, "bob"))],
)
def test_a_single_name_comes_in_without_asking(
    names: list[str], who: tuple[str | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several the last one is offered, else the login name."""
    monkeypatch.setattr("getpass.getuser", lambda: "login")
    config.save_names(config.names_path(), "h:7373", names)
    assert cli._who(Address("h", 7373)) == who
    assert cli._who(Address("h", 7374)) == (None, "login")


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("h", "h", 0),
        ("192.0.2.2:7421", "192.0.2.2", 7421),
        ("::1", "::1", 0),
        ("[::1]", "::1", 0),
        ("[::1]:7421", "::1", 7421),
        ("h:0", "h:0", 0),
        ("h:x", "h:x", 0),
    ],
)
def test_a_port_may_stand_behind_the_host(typed: str, host: str, port: int) -> None:
    """As everywhere else; an IPv6 address needs brackets then."""
    assert cli._host(typed) == (host, port)


def test_codes_are_taken_as_people_type_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With and without blocks; what can't be a ticket is asked for again."""
    assert cli.device_code("0123-4567 89AB-cdef") == "0123456789abcdef"
    typed = iter(["nonsense", "K7QD 93mf x2wp 08tz hv4n"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert cli._ask_ticket() == "k7qd-93mf-x2wp-08tz-hv4n"
    assert "The ticket is not whole" in capsys.readouterr().out
