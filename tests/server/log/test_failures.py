"""The log while nothing can be written: who comes back is let in, order holds, and the file decides. Real files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import PATIENCE

from server.archive.database import open_store
from server.log.sqlite import SqliteLog
from server.protocol.errors import Code
from server.record.entries import Draft, Entry, Opening, Registering
from server.record.events import AccountBody, BanBody, ChangeBody, Kind, MessageBody, ReactBody, RoomBody, encode_body


class Running:
    """A log at work."""

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

    async def opened(self, secret: bytes = b"s", *, resume: bool = False) -> Opening:
        """Open a session."""
        opening = Opening(name="alice", secret=secret, resume=resume)
        await self.done(opening)
        return opening

    def fill_up(self) -> None:
        """Let the writer's next growth of the file meet SQLite's own "database or disk is full"."""
        assert self.log._writer._database is not None
        self.log._writer._database.pragma("max_page_count", 1)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A log with an empty history."""
    log = Running(tmp_path / "chat.db")
    yield log
    await log.log.close()


def message(opened: Opening, number: int, text: str = "hi") -> Draft:
    """Return a numbered message."""
    body = encode_body(MessageBody("alice", text))
    return Draft(kind=Kind.MESSAGE, room=1, user=opened.user, session=opened.session, id=number, body=body)


BIG = "x" * 10_000


async def test_who_comes_back_is_let_in_without_a_write(running: Running) -> None:
    """Their rooms are those of what everyone has seen; a newcomer, and a session that is none, are told so."""
    alice = await running.opened()
    dev = Draft(kind=Kind.ROOM, room=0, user=alice.user, about=RoomBody("dev", "dev"))
    await running.done(dev)
    await running.done(Draft(kind=Kind.MEMBER, room=dev.seq, user=alice.user))
    running.fill_up()
    back, unknown = (Opening(name="alice", secret=secret, resume=True) for secret in (b"s", b"unknown"))
    new = Opening(name="bob", secret=b"b")
    ops = Draft(kind=Kind.ROOM, room=0, user=alice.user, about=RoomBody("ops", "ops"))
    await running.done(
        ops, Draft(kind=Kind.MEMBER, room=dev.seq + 2, user=alice.user), back, unknown, new, message(alice, 1, BIG)
    )
    assert ops.code is new.code is Code.TRY_AGAIN
    assert (back.code, back.user, back.session, back.rooms) == (None, alice.user, alice.session, [1, dev.seq])
    assert unknown.code is Code.NO_SUCH_SESSION


async def test_who_may_not_come_back_does_not_while_nothing_can_be_written(running: Running) -> None:
    """A ban holds, an account's session takes TLS; a code for a device is kept for when it can be used up."""
    alice, bob = await running.opened(), await running.opened(b"b")
    account = Registering(kind=Kind.ACCOUNT, room=1, user=bob.user, session=bob.session, about=AccountBody("bob"))
    account.secret = b"b2"
    code = Opening(name="alice", secret=b"code", user=alice.user, once=True)
    await running.done(account, code)
    assert (account.code, code.code) == (None, None)
    running.fill_up()
    used, plain = (Opening(name="", secret=secret, resume=True, fresh=b"f") for secret in (b"code", b"b2"))
    secure = Opening(name="", secret=b"b2", resume=True, secure=True)
    await running.done(used, plain, secure, Draft(kind=Kind.ROOM, room=0, user=0, about=RoomBody("ops", BIG)))
    assert (used.code, plain.code, secure.code) == (Code.TRY_AGAIN, Code.TLS_REQUIRED, None)
    again = Opening(name="", secret=b"code", resume=True, fresh=b"f")
    await running.done(again)
    assert (again.code, again.used_code) == (None, True)
    await running.done(Draft(kind=Kind.BAN, room=1, user=0, about=BanBody("chat-server", alice.user, "alice")))
    running.fill_up()
    banned = Opening(name="", secret=b"s", resume=True)
    await running.done(banned, Draft(kind=Kind.ROOM, room=0, user=0, about=RoomBody("ops", BIG)))
    assert banned.code is Code.BANNED


async def test_a_second_failure_forgets_nothing_of_the_order(running: Running) -> None:
    """A message that fails, and fails again when it comes anew, still holds up the later ones."""
    alice = await running.opened()
    running.fill_up()
    await running.done(message(alice, 1, BIG), message(alice, 2, BIG), message(alice, 3, BIG))
    await running.done(message(alice, 1))
    running.fill_up()
    failed = message(alice, 2, BIG)
    await running.done(failed)
    assert failed.code is Code.TRY_AGAIN
    early, two, three = message(alice, 3), message(alice, 2), message(alice, 3)
    await running.done(early, two, three)
    assert [draft.code for draft in (early, two, three)] == [Code.TRY_AGAIN, None, None]


async def test_another_file_in_its_place_is_not_taken_for_this_history(tmp_path: Path) -> None:
    """Where the file was replaced while nothing could be written, nothing is mixed: it takes a new start."""
    running, other = Running(tmp_path / "chat.db"), Running(tmp_path / "other.db")
    alice = await running.opened()
    bob = await other.opened()
    await other.done(*(message(bob, number) for number in range(1, 10)))
    await other.log.close()
    running.fill_up()
    await running.done(message(alice, 1, BIG))
    (tmp_path / "chat.db-wal").unlink(missing_ok=True)
    (tmp_path / "other.db").replace(running.path)
    again = message(alice, 1)
    await running.done(again)
    assert again.code is Code.TRY_AGAIN
    await running.log.close()
    stored = open_store(running.path).execute("SELECT count(*) FROM events WHERE kind = ?", (int(Kind.MESSAGE),)).get
    assert stored == 9


async def test_what_is_not_on_the_disk_changes_nothing_that_others_see(tmp_path: Path) -> None:
    """The rooms that a start hands over are the reader's own: a change that fails is not seen in them."""
    running = Running(tmp_path / "chat.db")
    alice = await running.opened()
    dev = Draft(kind=Kind.ROOM, room=0, user=alice.user, about=RoomBody("dev", "dev", members=[alice.user]))
    await running.done(dev)
    await running.log.close()
    again = Running(tmp_path / "chat.db")
    room = next(record for record in again.rooms if record.handle == "dev")
    again.fill_up()
    change = Draft(kind=Kind.CHANGE, room=dev.seq, user=alice.user, about=ChangeBody("alice", title="Development"))
    await again.done(change, message(alice, 1, BIG))
    assert change.code is Code.TRY_AGAIN
    assert room.title == "dev"
    await again.log.close()


async def test_the_queue_s_bytes_are_counted_as_they_were_put_in(running: Running) -> None:
    """Also of what the log completes: whom a text names, and what is done to a message."""
    alice = await running.opened()
    first = message(alice, 1, "@alice hi")
    first.about, first.names = MessageBody("alice", "@alice hi"), ("alice",)
    await running.done(first)
    react = Draft(kind=Kind.REACT, room=1, user=alice.user, about=ReactBody("alice", first.seq, "thumbsup"))
    await running.done(react)
    running.fill_up()
    await running.done(message(alice, 2, BIG))
    await running.done(message(alice, 2, BIG))
    assert running.log._queued == running.log._back
