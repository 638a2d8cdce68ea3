"""The log in SQLite: order, numbering, failed commits, epochs. Real files."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import PATIENCE

from server.archive.database import open_store
from server.log.sqlite import SqliteLog
from server.protocol.errors import Code
from server.record.entries import Draft, Entry, Erasing, GivenUp, Opening
from server.record.events import DeleteBody, Kind, MessageBody, RoomBody, encode_body


class Running:
    """A log at work, and what it has handed back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = SqliteLog(path)
        self.rooms = self.log.open()
        self.back: list[Entry] = []
        self._news = asyncio.Event()
        self.log.start(self._take)

    def _take(self, entries: list[Entry]) -> None:
        self.back += entries
        self._news.set()

    async def done(self, *entries: Entry) -> None:
        """Queue entries and wait until they are back."""
        for entry in entries:
            self.log.append(entry)
        async with asyncio.timeout(PATIENCE):
            while not all(any(entry is other for other in self.back) for entry in entries):
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A log with an empty history."""
    log = Running(tmp_path / "chat.db")
    yield log
    await log.log.close()


async def session(running: Running, secret: bytes = b"s", *, resume: bool = False) -> Opening:
    """Open a session."""
    opening = Opening(name="alice", secret=secret, resume=resume)
    await running.done(opening)
    return opening


def message(opened: Opening, number: int, text: str = "hi", room: int = 1) -> Draft:
    """Return a numbered message."""
    body = encode_body(MessageBody("alice", text))
    return Draft(kind=Kind.MESSAGE, room=room, user=opened.user, session=opened.session, id=number, body=body)


async def test_entries_come_back_in_order_with_growing_seqs(running: Running) -> None:
    """A burst is taken in the order it was handed over, and its times never decrease."""
    alice = await session(running)
    drafts = [message(alice, number) for number in range(1, 2001)]
    await running.done(*drafts)
    assert running.back[1:] == drafts
    assert [draft.seq for draft in drafts] == list(range(2, 2002))
    assert all(one.time <= other.time for one, other in itertools.pairwise(drafts))
    assert running.log.head == 2001
    stored = open_store(running.path).execute("SELECT seq, id, prev, time FROM events WHERE kind = 4 ORDER BY seq")
    assert list(stored) == [(d.seq, d.id, d.seq - 1 if d.id > 1 else 0, d.time) for d in drafts]


async def test_a_repeated_id_gets_what_it_got(running: Running) -> None:
    """The same message: its seq, and nothing new. Another text or room: id_reused. An id that was left out: refused."""
    alice = await session(running)
    sent = [message(alice, number, f"m{number}") for number in (1, 2, 5)]
    await running.done(*sent)
    again = [message(alice, number, f"m{number}") for number in (5, 1, 2)]
    other, skipped = message(alice, 2, "else"), message(alice, 4, "m4")
    await running.done(*again, other, skipped)
    assert [(draft.code, draft.repeated, draft.seq) for draft in again] == [
        (None, True, 4),
        (None, True, 2),
        (None, True, 3),
    ]
    assert (other.code, skipped.code) == (Code.ID_REUSED, Code.ID_ORDER)
    assert running.log.head == 4


async def test_numbering_and_people_survive_a_restart(tmp_path: Path) -> None:
    """Who comes back with the secret is the same user, and ids go on counting."""
    first = Running(tmp_path / "chat.db")
    alice = await session(first)
    await first.done(message(alice, 1), message(alice, 2))
    epoch = first.log.epoch
    await first.log.close()

    second = Running(tmp_path / "chat.db")
    back = await session(second, resume=True)
    stranger = await session(second, b"unknown", resume=True)
    again, new = message(back, 2), message(back, 3)
    await second.done(again, new)
    assert (back.user, back.session) == (alice.user, alice.session)
    assert stranger.code is Code.NO_SUCH_SESSION
    assert (again.seq, again.repeated, new.seq) == (3, True, 4)
    assert second.log.epoch != epoch
    assert second.log.knows(epoch, 3)
    assert not second.log.knows(epoch, 4), "a seq of a later epoch was never seen in this one"
    assert second.log.knows(second.log.epoch, 4)
    assert not second.log.knows(second.log.epoch, 5), "nobody has seen what is not there"
    assert not second.log.knows("0123", 1)
    await second.log.close()


async def test_a_failed_commit_is_told_and_order_is_kept(running: Running) -> None:
    """A full disk: nothing is acknowledged, later ids wait for the first, and with space all goes on where it stood."""
    alice = await session(running)
    await running.done(message(alice, 1))
    # The writer's own connection meets SQLite's real "database or disk is full".
    assert running.log._writer._database is not None
    running.log._writer._database.pragma("max_page_count", running.log._writer._database.pragma("page_count"))
    big = "x" * 10_000
    failed = [message(alice, number, big) for number in (2, 3)]
    await running.done(*failed)
    assert [draft.code for draft in failed] == [Code.TRY_AGAIN, Code.TRY_AGAIN]
    # Opened anew, the file has room again; what comes out of turn is still refused.
    early, second, third = message(alice, 3, big), message(alice, 2, big), message(alice, 3, big)
    await running.done(early, second, third)
    assert [draft.code for draft in (early, second, third)] == [Code.TRY_AGAIN, None, None]
    assert [second.seq, third.seq] == [3, 4]
    assert running.log.head == 4


async def test_after_a_failure_messages_come_again_in_their_order(running: Running) -> None:
    """All that were told to come again come before anything later, or are given up."""
    alice = await session(running)
    running.log._writer._database.pragma("max_page_count", 1)  # type: ignore[union-attr]
    failed = [message(alice, number, "x" * 10_000) for number in (1, 2, 3, 4)]
    await running.done(*failed)
    assert {draft.code for draft in failed} == {Code.TRY_AGAIN}
    one, five, two = message(alice, 1), message(alice, 5), message(alice, 2)
    await running.done(one, five, two)
    assert [draft.code for draft in (one, five, two)] == [None, Code.TRY_AGAIN, None]
    await running.done(GivenUp(session=alice.session, id=3))
    four, again = message(alice, 4), message(alice, 5)
    await running.done(four, again)
    assert [draft.code for draft in (four, again)] == [None, None]


async def test_a_withdrawal_finds_what_was_taken(running: Running) -> None:
    """In the same transaction or long after; what waited behind a withdrawn message need not wait any more."""
    alice = await session(running)

    def withdraw(number: int) -> GivenUp:
        return GivenUp(session=alice.session, id=number, then=lambda _: None)

    one, at_once = message(alice, 1), withdraw(1)
    await running.done(one, at_once, message(alice, 2))
    later, never = withdraw(1), withdraw(7)
    await running.done(later, never)
    assert at_once.seq == later.seq == one.seq > 0
    assert never.seq == 0
    running.log._writer._database.pragma("max_page_count", 1)  # type: ignore[union-attr]
    await running.done(message(alice, 3, "x" * 10_000), message(alice, 4))
    withdrawn, four = withdraw(3), message(alice, 4)
    await running.done(withdrawn, four)
    assert (withdrawn.seq, four.code) == (0, None)


async def test_what_reached_the_disk_against_appearance_is_handed_back(running: Running) -> None:
    """After a failure the file decides: an event that is in it is delivered, and its sender's retry finds it."""
    alice = await session(running)
    await running.done(message(alice, 1))
    running.log._writer._database.pragma("max_page_count", 1)  # type: ignore[union-attr]
    await running.done(message(alice, 2, "x" * 10_000))
    writer = open_store(running.path)
    writer.execute(
        "INSERT INTO events VALUES (3, 1, ?, ?, 2, 2, 0, 4, ?)",
        (alice.user, alice.session, encode_body(MessageBody("alice", "there"))),
    )
    writer.execute("UPDATE sessions SET last_id = 2, last_seq = 3 WHERE id = ?", (alice.session,))
    writer.close()
    again = message(alice, 2, "there")
    await running.done(again)
    assert again.repeated
    assert again.seq == 3
    assert [entry.seq for entry in running.back if isinstance(entry, Draft) and entry.peer is None][-2:] == [3, 3]


async def test_two_who_make_one_room_get_one(running: Running) -> None:
    """The event that comes second has no effect, and says so."""
    await session(running)
    one, other = (Draft(kind=Kind.ROOM, room=0, user=1, about=RoomBody("dev", "dev")) for _ in range(2))
    await running.done(one, other)
    assert (one.code, other.code) == (None, Code.ROOM_EXISTS)
    assert one.room == one.seq


async def test_what_comes_too_fast_keeps_its_place(running: Running) -> None:
    """Later ids wait for it, whether they came too fast or not; then all are taken in the order written."""
    alice = await session(running)
    drafts = [message(alice, number) for number in range(1, 6)]
    drafts[1].limited = drafts[3].limited = 100
    await running.done(*drafts)
    again = Code.TRY_AGAIN
    assert [draft.code for draft in drafts] == [None, Code.RATE_LIMITED, again, again, again]
    assert [draft.seq for draft in drafts[1:]] == [0] * 4
    retries = [message(alice, number) for number in range(2, 6)]
    retries[1].limited = 100
    await running.done(*retries)
    assert [draft.code for draft in retries] == [None, Code.RATE_LIMITED, again, again]
    last = [message(alice, number) for number in (3, 4, 5)]
    await running.done(*last)
    taken = [drafts[0], retries[0], *last]
    assert [draft.seq for draft in taken] == list(range(taken[0].seq, taken[0].seq + 5))


async def test_what_came_too_fast_and_is_withdrawn_holds_nothing(running: Running) -> None:
    """The next one goes on."""
    alice = await session(running)
    one, two = message(alice, 1), message(alice, 2)
    one.limited = 100
    await running.done(one, two, GivenUp(session=alice.session, id=1))
    again = message(alice, 2)
    await running.done(again)
    assert (one.code, two.code, again.code) == (Code.RATE_LIMITED, Code.TRY_AGAIN, None)


async def test_what_was_taken_before_is_never_too_fast(running: Running) -> None:
    """Sent again, it is answered with its seq; and what can't be at all is refused for good, not for a while."""
    alice = await session(running)
    one, again, nowhere = message(alice, 1), message(alice, 1), message(alice, 2, room=99)
    again.limited = nowhere.limited = 100
    await running.done(one, again, nowhere)
    assert (again.code, again.repeated, again.seq) == (None, True, one.seq)
    assert nowhere.code is not None
    assert nowhere.code not in (Code.RATE_LIMITED, Code.TRY_AGAIN)
    three = message(alice, 3)
    await running.done(three)
    assert three.code is None


async def test_what_was_erased_leaves_the_wal_while_others_write_on(running: Running) -> None:
    """There need be no pause for that."""
    alice = await session(running)
    assert running.log._writer._database is not None
    running.log._writer._database.pragma("wal_autocheckpoint", 0)  # by itself, it would be overwritten only by chance
    secret = message(alice, 1, "a zanzibar secret")
    await running.done(secret)
    delete = Draft(kind=Kind.DELETE, room=1, user=alice.user, about=DeleteBody("alice", secret.seq))
    await running.done(delete)
    await running.done(Erasing(seqs=[delete.seq]))
    files = [running.path, running.path.with_name("chat.db-wal")]
    number = 1
    async with asyncio.timeout(PATIENCE):
        while any(b"zanzibar" in file.read_bytes() for file in files):
            number += 1
            await running.done(message(alice, number))
    assert number > 1
