"""The command line: light, and clear about what is wrong."""

import subprocess
import sys

import pytest
from support import PATIENCE


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
        ([], "needs a terminal"),
    ],
)
def test_a_wrong_call_is_one_clear_line(arguments: list[str], words: str) -> None:
    """No traceback, and a non-zero exit."""
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
