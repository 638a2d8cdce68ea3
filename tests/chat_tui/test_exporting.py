"""Saving what the server holds of oneself."""

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chat_tui.client import ClientError, Lost
from chat_tui.session.exporting import AT_ONCE, file_for, save_export


async def objects(count: int, then: BaseException | None = None) -> AsyncIterator[dict[str, Any]]:
    """Yield so many, and fail after them where told so."""
    for number in range(count):
        yield {"kind": "message", "seq": number, "text": "line\nbreak — ü"}
    if then is not None:
        raise then


def files(folder: Path) -> list[Path]:
    """Return what lies in a folder."""
    return list(folder.iterdir())


async def test_every_object_is_a_line_of_a_file_of_ones_own(tmp_path: Path) -> None:
    """And it is told how far that is."""
    path, told = tmp_path / "mine.jsonl", list[int]()
    assert await save_export(objects(2 * AT_ONCE + 1), path, told.append) == 2 * AT_ONCE + 1
    saved = [json.loads(line) for line in path.read_text().splitlines()]
    assert [one["seq"] for one in saved] == list(range(2 * AT_ONCE + 1))
    assert saved[0]["text"] == "line\nbreak — ü"
    assert told == [AT_ONCE, 2 * AT_ONCE]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_half_of_it_is_not_left(tmp_path: Path) -> None:
    """Where the connection ends in between."""
    with pytest.raises(Lost):
        await save_export(objects(AT_ONCE + 1, Lost("The connection was lost.")), tmp_path / "mine.jsonl", print)
    assert files(tmp_path) == []


async def test_nothing_of_others_is_written_over(tmp_path: Path) -> None:
    """A file, or a link to one, that is there stays; what can't be written says so."""
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("precious")
    link.symlink_to(tmp_path / "elsewhere")
    for path, why in ((there, "is there already"), (link, "is there already"), (tmp_path / "no" / "file", "No such")):
        with pytest.raises(ClientError, match=why):
            await save_export(objects(1), path, print)
    assert there.read_text() == "precious"
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_named_after_who_and_where(tmp_path: Path) -> None:
    """In letters that every file system takes; a second one has a number."""
    first = file_for("李雷", "2001:db8::1", tmp_path)
    assert first.name == "李雷-2001_db8_1-export.jsonl"
    first.touch()
    assert file_for("李雷", "2001:db8::1", tmp_path).name == "李雷-2001_db8_1-export-2.jsonl"
    assert file_for("..", "../../etc", tmp_path).parent == tmp_path
