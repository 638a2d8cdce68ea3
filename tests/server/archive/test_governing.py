"""Acts of moderators in the log: whatever was done, all tables and who may do what are made from it again, the same.

Nothing is expected of a single act here, only that what the log took is all there is.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from server.archive.governing import TABLES as GOVERNED
from server.archive.projections import TABLES, load_directory, rebuild
from server.log.sqlite import SqliteLog
from server.record.directory import Directory
from server.record.entries import Draft, Entry, Erasing, Opening, Registering
from server.record.events import (
    SERVER,
    AccountBody,
    AppointBody,
    BanBody,
    ChangeBody,
    DeleteBody,
    EraseBody,
    ForgetBody,
    InviteBody,
    KickBody,
    Kind,
    MessageBody,
    RangeBody,
    ReportBody,
    RoomBody,
    SettingsBody,
    SettleBody,
    encode_body,
)
from server.record.rights import ROLES

USERS: Final = [1, 2, 3]
ENDS: Final = ["", "2023-11-14T22:13:20.001Z", "2999-01-01T00:00:00.000Z"]
"""Of bans: none, long ago, long from now."""

Act = tuple[Kind, Any]


def in_a_room(some: Random) -> Act:
    """Return something that is done in a room."""
    who, on, end = some.choice(USERS), some.random() < 0.6, some.choice(ENDS)
    acts: list[Act] = [
        (Kind.APPOINT, AppointBody("x", who, "x", some.choice([*ROLES]))),
        (Kind.KICK, KickBody("x", who, "x", "spam")),
        (Kind.BAN, BanBody("x", who, "x", end, "spam", on)),
        (Kind.SILENCE, BanBody("x", who, "x", end, "spam", on)),
        (Kind.CHANGE, ChangeBody("x", archived=not on, slow=some.randrange(2), keep_days=some.randrange(3))),
        (Kind.CHANGE, ChangeBody("x", read_only=not on, keep_count=some.randrange(3))),
        (Kind.INVITE, InviteBody("x", who, "x", "x", on)),
        (Kind.MEMBER, None),
        (Kind.MEMBER, None),
        (Kind.UNMEMBER, None),
        (Kind.MESSAGE, MessageBody("x", "hi", here=on)),
        (Kind.DELETE, DeleteBody("x", some.randrange(4, 30))),
        (Kind.FORGET, ForgetBody("x", some.randrange(1, 20))),
    ]
    return some.choice(acts)


def on_the_server(some: Random) -> Act:
    """Return something that is done on the server."""
    on, end = some.random() < 0.6, some.choice(ENDS)
    acts: list[Act] = [
        (Kind.RANGE, RangeBody("x", some.choice(["203.0.113.0/24", "2001:db8::/32"]), end, "spam", on)),
        (Kind.REPORT, ReportBody("x", some.randrange(3, 30), "look")),
        (Kind.REPORT, ReportBody("x", some.randrange(3, 30), "look")),
        (Kind.SETTLE, SettleBody("x", some.randrange(13, 60))),
        (Kind.SETTINGS, SettingsBody("x", guests=on, sign_up=some.choice(["open", "invite", "closed"]))),
        (Kind.ACCOUNT, AccountBody(some.choice(["anna", "ben", "cleo", "dora"]))),
    ]
    return some.choice(acts)


@contextmanager
def opened() -> Iterator[SqliteLog]:
    """Open a log with `general`, a public room, a private one, and people who have been in both."""
    folder = Path(tempfile.mkdtemp())
    log = SqliteLog(folder / "chat.db")
    log.open()
    try:
        log._writer.write([Opening(name=f"u{user}", secret=bytes([user])) for user in USERS])
        log._writer.write([made(Kind.ACCOUNT, 1, 2, AccountBody("beth"))])
        log._writer.write([made(Kind.ROOM, 0, 1, RoomBody("open", "open", members=[1, 2]))])
        log._writer.write([made(Kind.ROOM, 0, 2, RoomBody("board", "board", "private", "joined", "", [2, 3]))])
        log._writer.write(
            [made(Kind.MESSAGE, room, 2, MessageBody("u2", "hi")) for room in (1, 3, 4) for _ in range(3)]
        )
        yield log
    finally:
        log._writer.database.close()
        shutil.rmtree(folder)


def made(kind: Kind, room: int, user: int, about: Any) -> Draft:
    """Return an event that is to be."""
    values = {"kind": kind, "room": room, "user": user, "about": about}
    body = encode_body(about) if about is not None else b"{}"
    if kind is Kind.ACCOUNT:
        return Registering(body=body, subject=f"{user}", **values)
    return Draft(body=body, **values)


def tables(log: SqliteLog) -> dict[str, list[Any]]:
    """Return all rows of all projections."""
    return {
        table: sorted(log._writer.database.execute(f"SELECT * FROM {table}").fetchall(), key=repr)  # noqa: S608
        for table in TABLES
    }


def state(directory: Directory) -> dict[str, Any]:
    """Return all that a directory knows."""
    known = dict(vars(directory))
    known["_of_user"] = {user: sorted(rooms) for user, rooms in known["_of_user"].items() if rooms}
    del known["free"]  # what it has worked out already
    return known


def erase(log: SqliteLog) -> None:
    """Have all be erased that is to be, as the search index asks for: until then the tables know more than the log."""
    gone = "SELECT seq FROM events WHERE kind IN (?, ?, ?)"
    kinds = (int(Kind.DELETE), int(Kind.FORGET), int(Kind.ERASE))
    left = [seq for (seq,) in log._writer.database.execute(gone, kinds)]
    while left:
        erasing = Erasing(seqs=left)
        log._writer.write([erasing])
        left = erasing.left


@pytest.mark.parametrize("seed", range(8))
def test_what_was_done_is_made_from_the_log_again(seed: int) -> None:
    """Any acts, in any transactions: the tables, and who may do what, are the same when they are made anew."""
    some, filled = Random(seed), {"erased"}
    with opened() as log:
        for _ in range(60):
            entries: list[Entry] = []
            for _ in range(some.randrange(1, 9)):
                room, (kind, about) = (
                    (some.choice([1, 3, 4]), in_a_room(some)) if some.random() < 0.6 else (1, on_the_server(some))
                )
                entries.append(made(kind, room, some.choice([SERVER, SERVER, *USERS]), about))
            log._writer.write(entries)
            if seed % 2 and not some.randrange(40):
                log._writer.write([made(Kind.ERASE, 1, SERVER, EraseBody("x", some.choice(USERS)))])
            erase(log)
            before, directory = tables(log), log._writer.directory
            database = log._writer.database
            again = rebuild(database)
            assert tables(log) == before
            filled |= {table for table in GOVERNED if before[table]}
            for known in (directory, load_directory(database)):
                assert state(again) == state(known)
    assert filled == set(GOVERNED), "a table that stays empty shows nothing"
