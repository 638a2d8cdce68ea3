"""The command line: light, and clear about what is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE

from chat_tui import config
from chat_tui.client.known import Known


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
