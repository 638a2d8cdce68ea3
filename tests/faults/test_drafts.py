"""A terminal that is killed: a short run, and one in which nothing can be kept, which must be found out."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pty is POSIX's", allow_module_level=True)

from faults import drafts


def test_drafts_and_outbox_survive_a_kill(tmp_path: Path) -> None:
    """Each message comes once, and what was being written is there again."""
    typist = drafts.run(tmp_path, 3, seed=7)
    assert not typist.faults
    assert typist.arrived()


def test_an_outbox_that_is_not_kept_is_found_out(tmp_path: Path) -> None:
    """Emptied after each kill: what waited is gone, and what was being written."""

    def empty() -> None:
        for box in (tmp_path / "share" / "chat-tui" / "outbox").glob("*.db"):
            with closing(sqlite3.connect(box)) as database, database:
                database.execute("DELETE FROM messages")
                database.execute("DELETE FROM drafts")

    assert drafts.run(tmp_path, 2, seed=7, harms=("kill",), after=empty).faults
