"""Sessions, passwords and tickets in the log: judged when they are written, whatever was known before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE

from server.archive.database import connect
from server.log import sessions
from server.log.accounts import BLOCKED
from server.log.sqlite import SqliteLog
from server.protocol.errors import Code
from server.record.entries import Blocking, Crediting, Draft, Ending, Entry, Naming, Opening, Registering, Ticketing
from server.record.events import FOREVER, SERVER, AccountBody, BanBody, Kind, RangeBody, SettingsBody

HASH = "hash"
"""What is stored of everybody's password here."""


class Running:
    """A log at work."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = SqliteLog(path)
        self.general = self.log.open()[0].id
        self._left = 0
        self._done = asyncio.Event()
        self.log.start(self._take)

    def _take(self, entries: list[Entry]) -> None:
        self._left -= len(entries)
        if not self._left:
            self._done.set()

    async def done(self, *entries: Entry) -> None:
        """Queue entries and wait until they are back."""
        self._left, self._done = len(entries), asyncio.Event()
        for entry in entries:
            self.log.append(entry)
        async with asyncio.timeout(PATIENCE):
            await self._done.wait()

    async def guest(self, name: str, secret: bytes) -> Opening:
        """Open a guest's session."""
        opening = Opening(name=name, secret=secret)
        await self.done(opening)
        assert opening.code is None
        return opening

    async def account(self, name: str, password: str = HASH, **more: Any) -> Registering:
        """Make an account."""
        draft = self.registering(name, password=password, **more)
        await self.done(draft)
        assert draft.code is None
        return draft

    def registering(self, name: str, **more: Any) -> Registering:
        """Return an account that is to be."""
        return Registering(kind=Kind.ACCOUNT, room=self.general, user=0, about=AccountBody(name), **more)

    def by_server(self, kind: Kind, about: Any) -> Draft:
        """Return an event of the server's own."""
        return Draft(kind=kind, room=self.general, user=SERVER, about=about)

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Read what is stored."""
        with closing(connect(self.path, read_only=True)) as database:
            return database.execute(query, values).fetchall()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """A log with an empty history."""
    log = Running(tmp_path / "chat.db")
    yield log
    await log.log.close()


def login(user: int, secret: bytes, proof: str = HASH, **more: Any) -> Opening:
    """Return a session of someone who has shown who they are."""
    return Opening(name="", secret=secret, user=user, account=True, secure=True, proof=proof, **more)


async def test_a_password_that_was_changed_meanwhile_opens_nothing(running: Running) -> None:
    """What was compared with the old hash is worth nothing once there is a new one, in the order of the log."""
    alice = await running.account("alice")
    late, new = login(alice.user, b"late"), login(alice.user, b"new", "other hash")
    await running.done(Crediting(user=alice.user, password="other hash", instead=HASH), late, new)  # noqa: S106
    assert (late.code, new.code) == (Code.LOGIN_FAILED, None)
    assert running.rows("SELECT count(*) FROM sessions") == [(1,)]


async def test_a_hash_made_anew_takes_no_other_passwords_place(running: Running) -> None:
    """Who logged in with the old password as it was changed does not bring it back."""
    alice = await running.account("alice")
    changed = Crediting(user=alice.user, password="changed", instead=HASH)  # noqa: S106
    rehashed = Crediting(user=alice.user, password="old one anew", instead=HASH)  # noqa: S106
    await running.done(changed, rehashed)
    assert (changed.code, rehashed.code) == (None, Code.LOGIN_FAILED)
    assert running.rows("SELECT password FROM credentials") == [("changed",)]


async def test_an_accounts_session_takes_tls_and_a_guests_does_not(running: Running) -> None:
    """Refused, it is as good as before."""
    alice = await running.account("alice")
    await running.done(login(alice.user, b"s"))
    plain = Opening(name="", secret=b"s", resume=True)
    secure = Opening(name="bob", secret=b"s", resume=True, secure=True)
    await running.done(plain, secure)
    assert (plain.code, secure.code) == (Code.TLS_REQUIRED, None)
    assert (secure.user, secure.known_as, secure.account) == (alice.user, "alice", True)
    await running.guest("guest", b"g")
    back = Opening(name="", secret=b"g", resume=True)
    await running.done(back)
    assert (back.code, back.account) == (None, False)


async def test_a_code_for_a_device_is_good_once_and_for_its_time(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Used, it is another secret; too late, it is nothing."""
    guest = await running.guest("guest", b"g")
    code = Opening(name="guest", secret=b"code", user=guest.user, once=True)
    first = Opening(name="", secret=b"code", resume=True, fresh=b"fresh", device="laptop")
    second = Opening(name="", secret=b"code", resume=True, fresh=b"other")
    fresh = Opening(name="", secret=b"fresh", resume=True)
    await running.done(code, first, second, fresh)
    assert (code.code, first.code, second.code, fresh.code) == (None, None, Code.NO_SUCH_SESSION, None)
    assert (first.used_code, fresh.used_code) == (True, False)
    assert first.session == fresh.session == code.session
    monkeypatch.setattr("server.protocol.limits.DEVICE_MINUTES", -1)
    stale = Opening(name="guest", secret=b"stale", user=guest.user, once=True)
    late = Opening(name="", secret=b"stale", resume=True, fresh=b"fresh")
    await running.done(stale, late)
    assert late.code is Code.NO_SUCH_SESSION


async def test_who_is_kept_out_opens_nothing(running: Running) -> None:
    """By name or address, for as long as it lasts, and is told so; others come in."""
    alice, bob = await running.account("alice"), await running.guest("bob", b"b")
    ban = running.by_server(Kind.BAN, BanBody("chat-server", alice.user, "alice", reason="spam"))
    past = running.by_server(Kind.BAN, BanBody("chat-server", bob.user, "bob", until="2020-01-01T00:00:00.000Z"))
    network = running.by_server(Kind.RANGE, RangeBody("chat-server", "203.0.113.0/24"))
    opened = [
        login(alice.user, b"1"),
        Opening(name="", secret=b"b", resume=True),
        Opening(name="carol", secret=b"2", address="203.0.113.7"),
        Opening(name="dave", secret=b"3", address="203.0.114.7"),
    ]
    register = running.registering("erin", password=HASH, address="203.0.113.7")
    await running.done(ban, past, network, *opened, register)
    assert [opening.code for opening in opened] == [Code.BANNED, None, Code.BANNED, None]
    assert "spam" in opened[0].why
    assert register.code is Code.BANNED
    assert running.rows("SELECT name FROM users ORDER BY id") == [("alice",), ("bob",), ("dave",)]


async def test_a_refused_account_leaves_nothing(running: Running) -> None:
    """No user, no ticket used; what the table of sessions has stays."""
    guest = await running.guest("guest", b"g")
    await running.account("alice")
    await running.done(
        Ticketing(hashed=b"t", uses=1, until=FOREVER, by=SERVER),
        running.by_server(Kind.SETTINGS, SettingsBody("chat-server", sign_up="invite")),
    )
    taken = running.registering("ALICE", password=HASH, ticket=b"t")
    upgrade = running.registering("alice", password=HASH, ticket=b"t", session=guest.session, secret=b"new")
    upgrade.user = guest.user
    await running.done(taken, upgrade)
    assert (taken.code, upgrade.code) == (Code.NAME_TAKEN, Code.NAME_TAKEN)
    assert running.rows("SELECT uses FROM tickets") == [(1,)]
    assert running.rows("SELECT name FROM users ORDER BY id") == [("guest",), ("alice",)]
    assert running.rows("SELECT secret FROM sessions") == [(b"g",)]
    assert running.rows("SELECT count(*) FROM credentials") == [(1,)]


async def test_one_subject_has_one_account(running: Running) -> None:
    """The provider's people are who they are: a second account for one is refused."""
    await running.account("alice", "", subject="https://id.example.org 1")
    again = running.registering("bob", subject="https://id.example.org 1")
    other = running.registering("bob", subject="https://id.example.org 2")
    await running.done(again, other)
    assert (again.code, other.code) == (Code.HAS_ACCOUNT, None)


async def test_sessions_nobody_used_are_forgotten(running: Running, tmp_path: Path) -> None:
    """A guest's after 90 days, an account's after a year, a code once its time is over."""
    alice, guest = await running.account("alice"), await running.guest("guest", b"g")
    await running.done(login(alice.user, b"a"), login(alice.user, b"b"))
    await running.done(Opening(name="guest", secret=b"code", user=guest.user, once=True))
    await running.log.close()
    with closing(connect(running.path)) as database:
        for secret, days in ((b"a", 364), (b"b", 366), (b"g", 91)):
            query = "UPDATE sessions SET used = used - ? WHERE secret = ?"
            database.execute(query, (days * sessions.DAY, secret))
        database.execute("UPDATE sessions SET once = 1 WHERE once != 0")
    again = SqliteLog(running.path)
    again.open()
    assert running.rows("SELECT secret FROM sessions") == [(b"a",)]
    running.log = again
    again.start(lambda _entries: None)


async def test_one_user_has_so_many_sessions(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more, those that were used longest ago are forgotten."""
    monkeypatch.setattr(sessions, "MOST", 3)
    alice, bob = await running.account("alice"), await running.account("bob")
    await running.done(login(bob.user, b"b"))
    await running.done(*(login(alice.user, bytes([number])) for number in range(5)))
    assert running.rows("SELECT secret FROM sessions WHERE user = ? ORDER BY id", alice.user) == [
        (b"\2",),
        (b"\3",),
        (b"\4",),
    ]
    assert running.rows("SELECT secret FROM sessions WHERE user = ?", bob.user) == [(b"b",)]


async def test_what_ends_is_told(running: Running) -> None:
    """One session, all, or all but one; of one's own alone."""
    alice, bob = await running.account("alice"), await running.account("bob")
    opened = [login(alice.user, b"1"), login(alice.user, b"2"), login(alice.user, b"3"), login(bob.user, b"4")]
    await running.done(*opened)
    numbers = [opening.session for opening in opened]
    others = Ending(user=bob.user, session=numbers[0])
    one = Ending(user=alice.user, session=numbers[0])
    rest = Ending(user=alice.user, kept=numbers[2])
    await running.done(others, one, rest)
    assert others.code is Code.NO_SUCH_SESSION
    assert (one.sessions, rest.sessions) == ([numbers[0]], [numbers[1]])
    assert running.rows("SELECT id FROM sessions ORDER BY id") == [(numbers[2],), (numbers[3],)]


async def test_a_guests_new_name_is_no_accounts(running: Running) -> None:
    """Judged in the log's order: an account may have come between."""
    guest = await running.guest("guest", b"g")
    register, named = running.registering("alice", password=HASH), Naming(user=guest.user, name="alice")
    await running.done(register, named)
    assert named.code is Code.LOGIN_NEEDED
    assert running.rows("SELECT name FROM users WHERE id = ?", guest.user) == [("guest",)]


async def test_only_so_many_are_blocked(running: Running) -> None:
    """Their names fit a line."""
    guest = await running.guest("guest", b"g")
    many = [Blocking(user=guest.user, who=number, on=True) for number in range(1000, 1000 + BLOCKED + 1)]
    await running.done(*many)
    assert [entry.code for entry in many] == [None] * BLOCKED + [Code.TOO_MANY]
    another = Blocking(user=guest.user, who=1, on=True)
    await running.done(Blocking(user=guest.user, who=1000, on=False), another)
    assert another.code is None
    assert running.rows("SELECT count(*) FROM blocks") == [(BLOCKED,)]
