"""Real terminals."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pty is POSIX's", allow_module_level=True)

from terminals import Terminal


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    """Start a program in a terminal."""
    open_ones: list[Terminal] = []

    def start(*command: str, columns: int = 100, rows: int = 30) -> Terminal:
        one = Terminal(*command, columns=columns, rows=rows)
        open_ones.append(one)
        return one

    yield start
    for one in open_ones:
        one.close()


@pytest.fixture
def data(home: Path) -> Path:
    """Where a server that chat-tui starts keeps its data: in the home of this test."""
    folder = "Library/Application Support" if sys.platform == "darwin" else ".local/share"
    return home / folder / "chat-tui" / "server"
