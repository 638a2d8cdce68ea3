"""A terminal that is killed: a short run, and one in which nothing can be kept, which must be found out."""

import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("a pty is POSIX's", allow_module_level=True)

from faults import drafts


def test_drafts_and_outbox_survive_a_kill(tmp_path: Path) -> None:
    """Each message comes once, and what was being written is there again."""
    typist = drafts.run(tmp_path, 4, seed=7)
    assert not typist.faults
    assert typist.arrived()


def test_an_outbox_that_is_not_kept_is_found_out(tmp_path: Path) -> None:
    """A file stands where the folder should be: what waited when the terminal was killed is gone."""
    share = tmp_path / "share" / "chat-tui"
    share.mkdir(parents=True)
    (share / "outbox").write_text("in the way")
    assert drafts.run(tmp_path, 3, seed=7, harms=("stop",)).faults
