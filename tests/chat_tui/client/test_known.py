"""The file of known servers: whole at every moment, and never taken for empty."""

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from chat_tui.client.known import CA, Known
from chat_tui.errors import NoRecord

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "share" / "known_servers"


def test_what_is_kept_is_known_to_the_next(path: Path) -> None:
    """By address and port; hosts are compared without capitals, and IPv6 as it stands in an address."""
    assert Known(path).get("example.org", 7373) == ""
    Known(path).keep("example.org", 7373, ONE)
    Known(path).keep("ca.example", 7373, CA)
    Known(path).keep("2001:DB8::1", 7373, TWO)
    assert Known(path).get("Example.ORG", 7373) == ONE
    assert Known(path).get("ca.example", 7373) == CA
    assert Known(path).get("[2001:db8::1]", 7373) == TWO
    assert Known(path).get("example.org", 7374) == ""


def test_the_file_is_one_line_a_server(path: Path) -> None:
    """As it is written down for those who look into it."""
    Known(path).keep("example.org", 7373, ONE)
    Known(path).keep("::1", 7373, CA)
    first, second = path.read_text().splitlines()
    assert first.rpartition(" ")[0] == f"example.org:7373 pin:{ONE}"
    assert second.rpartition(" ")[0] == "[::1]:7373 ca"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_the_file_is_its_users_alone(path: Path) -> None:
    """Who was where is nobody's business."""
    Known(path).keep("example.org", 7373, ONE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_key_takes_the_place_of_the_one_before(path: Path) -> None:
    """There is one line a server."""
    Known(path).keep("example.org", 7373, ONE)
    Known(path).keep("example.org", 7373, TWO)
    assert Known(path).get("example.org", 7373) == TWO
    assert len(path.read_text().splitlines()) == 1


def test_a_server_can_be_forgotten(path: Path) -> None:
    """And that says whether there was anything to forget."""
    Known(path).keep("example.org", 7373, ONE)
    assert Known(path).forget("example.org", 7373)
    assert not Known(path).forget("example.org", 7373)
    assert Known(path).get("example.org", 7373) == ""


def test_lines_that_say_something_else_are_kept(path: Path) -> None:
    """A comment, an empty line, what a newer version writes."""
    path.parent.mkdir()
    others = ["# mine", "", "later.example:1 another:way", "a line with\u2028all\x85sorts"]
    path.write_text("\n".join(others) + "\n", encoding="utf-8")
    Known(path).keep("example.org", 7373, ONE)
    Known(path).forget("nobody.example", 7373)
    assert path.read_text(encoding="utf-8").split("\n")[:4] == others


@pytest.mark.parametrize("mark", ["pin:12", "", "another:way", f"pin:{ONE}0"])
def test_a_broken_line_is_no_unknown_server(path: Path, mark: str) -> None:
    """Whoever could garble a line would else be trusted at the next visit."""
    path.parent.mkdir()
    path.write_text(f"example.org:7373 {mark} 2026-11-21\n")
    with pytest.raises(NoRecord, match="Line 1"):
        Known(path).get("example.org", 7373)
    assert Known(path).get("other.example", 7373) == ""
    Known(path).forget("example.org", 7373)
    assert Known(path).get("example.org", 7373) == ""


@pytest.mark.parametrize("host", [f"one.example:1 pin:{ONE}\ntwo.example", "one two", "#one", "one\u2028two"])
def test_a_host_that_is_none_adds_no_line(path: Path, host: str) -> None:
    """Nor two: an invitation may say anything."""
    with pytest.raises(NoRecord):
        Known(path).keep(host, 7373, TWO)
    assert not path.exists()


def test_a_file_that_can_not_be_read_knows_nobody_as_unknown(path: Path) -> None:
    """A folder in its place, and bytes that are no text."""
    path.mkdir(parents=True)
    with pytest.raises(NoRecord, match="can't be read"):
        Known(path).get("example.org", 7373)
    with pytest.raises(NoRecord):
        Known(path).keep("example.org", 7373, ONE)
    path.rmdir()
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(NoRecord, match="no text"):
        Known(path).get("example.org", 7373)
    with pytest.raises(NoRecord):
        Known(path).keep("example.org", 7373, ONE)
    assert path.read_bytes() == b"\xff\xfe\xff"


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "share").write_text("")
    with pytest.raises(NoRecord, match="can't be written"):
        Known(tmp_path / "share" / "known_servers").keep("example.org", 7373, ONE)


def test_what_a_kill_left_behind_does_no_harm(path: Path) -> None:
    """Half of a new file, longer than the next one."""
    path.parent.mkdir()
    path.with_name("known_servers.new").write_text("x" * 10_000)
    Known(path).keep("example.org", 7373, ONE)
    assert Known(path).get("example.org", 7373) == ONE
    assert len(path.read_text().splitlines()) == 1


def test_those_who_write_at_once_lose_nothing(path: Path) -> None:
    """Each reads what the one before has written."""

    def write(number: int) -> None:
        for port in range(10):
            Known(path).keep(f"host{number}.example", port + 1, ONE)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(path.read_text().splitlines()) == 40


@pytest.mark.skipif(sys.platform == "win32", reason="locks by another call there")
def test_whoever_holds_the_file_for_ever_is_told_of(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever."""
    import fcntl

    monkeypatch.setattr("chat_tui.client.known._PATIENCE", 0.05)
    path.parent.mkdir()
    held = os.open(path.with_name("known_servers.lock"), os.O_CREAT | os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(NoRecord, match="Another program"):
            Known(path).keep("example.org", 7373, ONE)
    finally:
        os.close(held)
    Known(path).keep("example.org", 7373, ONE)


def test_without_a_file_it_is_kept_in_memory() -> None:
    """For scripts that keep nothing."""
    known = Known(None)
    known.keep("example.org", 7373, ONE)
    assert known.get("example.org", 7373) == ONE
    assert Known(None).get("example.org", 7373) == ""
    assert known.forget("example.org", 7373)
