"""Settings survive a restart; a broken file costs nothing."""

from pathlib import Path

import pytest

from chat_tui.config import Settings, load, save


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """The directory is made."""
    path = tmp_path / "new" / "settings.json"
    save(Settings(theme="chat-light", people=False), path)
    assert load(path) == Settings(theme="chat-light", people=False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"theme": 7, "people": "no", "other": 1}', "\udcff"])
def test_what_makes_no_sense_is_left_out(tmp_path: Path, text: str) -> None:
    """The defaults stand."""
    path = tmp_path / "settings.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert load(path) == Settings()


def test_a_disk_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """Choices are forgotten, nothing else."""
    (tmp_path / "file").write_text("")
    save(Settings(), tmp_path / "file" / "settings.json")
    assert load(tmp_path / "file" / "settings.json") == Settings()
