"""The database file: ours or refused, brought up to date, projections that can be made anew."""

from pathlib import Path

import apsw
import pytest

from server.archive.database import APPLICATION_ID, StoreError, open_store
from server.archive.projections import load_directory, rebuild
from server.record.entries import Draft
from server.record.events import Kind, RoomBody, encode_body


def test_a_new_file_has_the_schema_and_the_settings(tmp_path: Path) -> None:
    """WAL and FULL: what the promises stand on. Opening it again changes nothing."""
    for _ in range(2):
        database = open_store(tmp_path / "chat.db")
        assert database.pragma("application_id") == APPLICATION_ID
        assert database.pragma("journal_mode") == "wal"
        assert database.pragma("synchronous") == 2
        assert database.execute("SELECT count(*) FROM events").get == 0
        database.close()


def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    """No database, another program's, a newer version's: each with what to do, and none is touched."""
    (tmp_path / "text.db").write_bytes(b"hello " * 1000)
    other = apsw.Connection(str(tmp_path / "other.db"))
    other.execute("CREATE TABLE mine (x)")
    other.close()
    newer = open_store(tmp_path / "newer.db")
    newer.pragma("user_version", 999)
    newer.close()
    for name, word in (("text.db", "not a database"), ("other.db", "another program"), ("newer.db", "newer")):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(StoreError, match=word):
            open_store(tmp_path / name)
        if name != "newer.db":
            assert (tmp_path / name).read_bytes() == before


def test_projections_are_made_from_events_alone(tmp_path: Path) -> None:
    """Dropped and rebuilt, rooms and memberships are the same again."""
    database = open_store(tmp_path / "chat.db")
    events = [
        Draft(seq=1, kind=Kind.ROOM, room=1, user=0, body=encode_body(RoomBody("general", "general"))),
        Draft(seq=2, kind=Kind.ROOM, room=2, user=5, body=encode_body(RoomBody("dev", "dev"))),
        Draft(seq=3, kind=Kind.MEMBER, room=2, user=5),
        Draft(seq=4, kind=Kind.MEMBER, room=2, user=6),
        Draft(seq=5, kind=Kind.UNMEMBER, room=2, user=5),
        Draft(seq=6, kind=Kind.MEMBER, room=2, user=5),
        Draft(seq=7, kind=Kind.MEMBER, room=2, user=5),
    ]
    database.executemany(
        "INSERT INTO events VALUES (?, ?, ?, 0, 0, 0, 0, ?, ?)",
        [(event.seq, event.room, event.user, int(event.kind), event.body) for event in events],
    )
    directory = rebuild(database)
    rows = [list(database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")) for table in ("rooms", "members")]  # noqa: S608
    assert rows[1] == [(2, 5, 3, 5), (2, 5, 6, None), (2, 6, 4, None)]
    assert directory.rooms_of(5) == load_directory(database).rooms_of(5) == [1, 2]
    database.execute("DELETE FROM rooms; DELETE FROM members")
    rebuild(database)
    assert rows == [list(database.execute(f"SELECT * FROM {t} ORDER BY 1, 2, 3")) for t in ("rooms", "members")]  # noqa: S608
