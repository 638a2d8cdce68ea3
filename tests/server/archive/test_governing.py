"""Acts of moderators in the log: whatever was done, all tables and who may do what are made from it again, the same.

Nothing is expected of a single act here, only that what the log took is all there is.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.archive.projections import TABLES, load_directory, rebuild
from server.chat.directory import Directory
from server.chat.entries import Draft, Entry, Opening, Registering
from server.chat.events import (
    AccountBody,
    AppointBody,
    BanBody,
    ChangeBody,
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
from server.chat.rights import ROLES
from server.log.sqlite import SqliteLog

USERS: Final = [1, 2, 3]
ENDS: Final = ["", "2023-11-14T22:13:20.001Z", "2999-01-01T00:00:00.000Z"]
"""Of bans: none, long ago, long from now."""

USER, FLAG, END = st.sampled_from(USERS), st.booleans(), st.sampled_from(ENDS)
BODIES: Final = st.one_of(
    st.tuples(
        st.just(Kind.APPOINT), st.builds(AppointBody, st.just("x"), USER, st.just("x"), st.sampled_from([*ROLES]))
    ),
    st.tuples(st.just(Kind.KICK), st.builds(KickBody, st.just("x"), USER, st.just("x"), st.just("spam"))),
    st.tuples(
        st.sampled_from([Kind.BAN, Kind.SILENCE]),
        st.builds(BanBody, st.just("x"), USER, st.just("x"), END, st.just("spam"), FLAG),
    ),
    st.tuples(
        st.just(Kind.CHANGE),
        st.builds(
            ChangeBody,
            st.just("x"),
            archived=FLAG,
            read_only=FLAG,
            slow=st.integers(0, 1),
            keep_days=st.integers(0, 2),
            keep_count=st.integers(0, 2),
        ),
    ),
    st.tuples(st.just(Kind.INVITE), st.builds(InviteBody, st.just("x"), USER, st.just("x"), st.just("x"), FLAG)),
    st.tuples(st.sampled_from([Kind.MEMBER, Kind.UNMEMBER]), st.none()),
    st.tuples(st.just(Kind.MESSAGE), st.builds(MessageBody, st.just("x"), st.just("hi"), here=FLAG)),
    st.tuples(st.just(Kind.FORGET), st.builds(ForgetBody, st.just("x"), st.integers(1, 20))),
)
"""What is done in a room."""

OF_THE_SERVER: Final = st.one_of(
    st.tuples(
        st.just(Kind.RANGE),
        st.builds(
            RangeBody, st.just("x"), st.sampled_from(["203.0.113.0/24", "2001:db8::/32"]), END, st.just("spam"), FLAG
        ),
    ),
    st.tuples(st.just(Kind.REPORT), st.builds(ReportBody, st.just("x"), st.integers(1, 30), st.just("look"))),
    st.tuples(st.just(Kind.SETTLE), st.builds(SettleBody, st.just("x"), st.integers(1, 40))),
    st.tuples(
        st.just(Kind.SETTINGS),
        st.builds(SettingsBody, st.just("x"), guests=FLAG, sign_up=st.sampled_from(["open", "invite", "closed"])),
    ),
    st.tuples(st.just(Kind.ACCOUNT), st.builds(AccountBody, st.sampled_from(["anna", "ben", "cleo", "dora"]))),
    st.tuples(st.just(Kind.ERASE), st.builds(EraseBody, st.just("x"), USER)),
)
ACTS: Final = st.one_of(
    st.tuples(st.integers(1, 3), st.sampled_from([0, 0, *USERS]), BODIES),
    st.tuples(st.just(1), st.sampled_from([0, *USERS]), OF_THE_SERVER),
)
"""Room, who does it, and what."""


@contextmanager
def opened() -> Iterator[SqliteLog]:
    """Open a log with `general`, a public room, a private one, and people who have been in both."""
    folder = Path(tempfile.mkdtemp())
    log = SqliteLog(folder / "chat.db")
    log.open()
    try:
        log._writer.write([Opening(name=f"u{user}", secret=bytes([user])) for user in USERS])
        log._writer.write([made(Kind.ROOM, 0, 1, RoomBody("open", "open", members=[1, 2]))])
        log._writer.write([made(Kind.ROOM, 0, 2, RoomBody("board", "board", "private", "joined", "", [2, 3]))])
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
    known["_of_user"] = {user: rooms for user, rooms in known["_of_user"].items() if rooms}
    return known


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(acts=st.lists(st.lists(ACTS, min_size=1, max_size=4), max_size=12))
def test_what_was_done_is_made_from_the_log_again(acts: list[list[tuple[int, int, tuple[Kind, Any]]]]) -> None:
    """Any acts, in any transactions: the tables, and who may do what, are the same when they are made anew."""
    with opened() as log:
        for several in acts:
            entries: list[Entry] = [made(kind, room, user, about) for room, user, (kind, about) in several]
            log._writer.write(entries)
        before, directory = tables(log), log._writer.directory
        database = log._writer.database
        again = rebuild(database)
        assert tables(log) == before
        for known in (directory, load_directory(database)):
            assert state(again) == state(known)
