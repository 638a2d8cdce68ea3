"""Coming in: as a guest, with a password, by the provider, as a new person; against servers that are scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake import ACCOUNT, GUEST, HERE, PASSWORD, Fake, ended, faking, on_disk, someone, welcome

from chat_tui.client import Lost, Refused
from chat_tui.client.known import Known
from server.protocol import frames
from server.protocol.errors import Code

OLD, NEW = "old horse", "new horse"


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[Fake]:
    """A server on this machine."""
    async with faking(tmp_path) as one:
        yield one


async def test_a_guest_on_this_machine_talks_in_plain_and_learns_which_ways_there_are(fake: Fake) -> None:
    """There is nothing secret to be said, and a script that keeps nothing has nothing to trust."""
    async with someone(fake) as alice:
        await alice.connect()
        assert (alice.secure, alice.key, alice.account, alice.role) == (False, "", False, "guest")
        assert alice.ways is not None
        assert alice.ways.sso == "Example"
        assert await alice.fetch_key() == fake.certificate.short


async def test_who_registers_goes_over_tls_first_and_stays_who_they_are(fake: Fake, tmp_path: Path) -> None:
    """The same session comes back over TLS, the password is said there alone, and who listens notices no end."""
    async with someone(fake, tmp_path, ticket="t1", device_name="the desk") as alice:
        await alice.connect()
        heard: list[frames.ServerFrame] = []

        async def listen() -> None:
            async for batch in alice.batches():
                heard.extend(batch)

        listening = asyncio.create_task(listen())
        fake.answers[frames.Hello] = lambda hello: [
            welcome(GUEST, resumed=True),
            frames.Typing(room=hello.resume.session, names=["bob"]),
        ]
        await alice.register(PASSWORD)
        assert (alice.secure, alice.account, alice.role, alice.session) == (True, True, "member", ACCOUNT)
        assert [secure for secure, frame in fake.heard if isinstance(frame, frames.Register)] == [True]
        (register,) = fake.said(frames.Register)
        assert (register.password, register.ticket, register.name) == (PASSWORD, "t1", "")
        assert [hello.resume.session for hello in fake.said(frames.Hello)[1:]] == [GUEST]
        assert fake.said(frames.Hello)[1].device == "the desk"
        assert Known(tmp_path / "known").get(HERE, fake.port) == fake.certificate.digest.hex()
        assert [type(frame) for frame in heard] == [frames.Welcome, frames.Welcome, frames.Typing]
        assert not listening.done()
    await listening
    assert not on_disk(tmp_path / "keep", GUEST)


async def test_what_is_on_its_way_while_somebody_registers_arrives(fake: Fake) -> None:
    """It is sent again in the same session over TLS, and once more in the session's new name after the next loss."""
    async with someone(fake) as alice:
        await alice.connect()
        sending = asyncio.create_task(alice.send("hi"))
        await fake.hear(frames.Send)
        await alice.register(PASSWORD)
        fake.writers[-1].close()
        async for _ in alice.batches():
            pass
        with pytest.raises(Lost):
            await sending
        other = alice.post("later")
        fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True, resumed=True)]
        fake.answers[frames.Send] = lambda send: [frames.Ok(id=send.id, seq=7)]
        await alice.reconnect()
        while alice.unconfirmed:
            await anext(alice.batches())
        assert not alice.failed
        sends = fake.said(frames.Send)
        assert [send.text for send in sends] == ["hi", "hi", "hi", "later"]
        assert len({send.id for send in sends[:3]}) == 1
        assert sends[3].id == other.id


async def test_nobody_registers_over_plain_lines_when_tls_does_not_come_about(fake: Fake) -> None:
    """The error says why, the password is not said, and who listens learns that the connection ended."""
    async with someone(fake, pin="") as alice:
        await alice.connect()
        listening = asyncio.create_task(ended(alice))
        fake.answers[frames.Hello] = lambda _: [frames.Error(code=Code.BANNED, message="Not you.")]
        with pytest.raises(Refused, match="Not you"):
            await alice.register(PASSWORD)
        await listening
        assert not fake.said(frames.Register)


async def test_who_registers_before_coming_in_is_in_then(fake: Fake) -> None:
    """As a new person, who says the password once more, and never in plain."""
    fake.answers[frames.Register] = lambda ask: [frames.Account(user=1, name="alice", ref=ask.ref)]
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True, role="member")]
    async with someone(fake, name="Alice") as alice:
        await alice.register(PASSWORD, ticket="t2")
        assert (alice.name, alice.account, alice.role, alice.session) == ("alice", True, "member", ACCOUNT)
        assert [(register.name, register.ticket) for register in fake.said(frames.Register)] == [("Alice", "t2")]
        assert [hello.password for hello in fake.said(frames.Hello)] == [PASSWORD]
        assert all(secure for secure, _ in fake.heard)


async def test_a_password_is_said_once(fake: Fake) -> None:
    """After a wrong one the next is asked for on the same connection; coming back takes the session."""
    right = {NEW: [welcome(ACCOUNT, account=True)]}
    wrong = [frames.Error(code=Code.LOGIN_FAILED, message="No.", wait_ms=5)]
    fake.answers[frames.Hello] = lambda hello: list(
        [welcome(ACCOUNT, account=True, resumed=True)] if hello.resume else right.get(hello.password, wrong)
    )
    async with someone(fake) as alice:
        alice.password = OLD
        with pytest.raises(Refused) as refusal:
            await alice.connect()
        assert (refusal.value.code, alice.password) == (Code.LOGIN_FAILED, "")
        alice.password = NEW
        await alice.connect()
        assert alice.account
        await alice.close()
        await alice.reconnect()
        said = [(hello.password, hello.resume is not None) for hello in fake.said(frames.Hello)]
        assert said == [(OLD, False), (NEW, False), ("", True)]
        assert len(fake.said(frames.About)) == 2
        assert all(secure for secure, _ in fake.heard)


async def test_an_account_session_that_is_kept_never_goes_over_plain_lines(fake: Fake, tmp_path: Path) -> None:
    """Also where nobody knows the server's key any more: which server it is is asked in plain, all else in TLS."""
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, tmp_path) as alice:
        alice.password = PASSWORD
        await alice.connect()
    (tmp_path / "known").unlink()
    fake.heard.clear()
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
        assert [(secure, type(frame)) for secure, frame in fake.heard] == [
            (False, frames.About),
            (True, frames.About),
            (True, frames.Hello),
        ]
        assert fake.said(frames.Hello)[0].resume.session == ACCOUNT


async def test_an_account_comes_back_over_tls_also_where_nothing_is_kept(fake: Fake, tmp_path: Path) -> None:
    """Another program holds the box, and the server's key was forgotten meanwhile: the session is no less secret."""
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, tmp_path) as first, someone(fake, tmp_path) as alice:
        await first.connect()
        alice.password = PASSWORD
        await alice.connect()
        assert not alice.keeps
        await alice.close()
        (tmp_path / "known").unlink()
        fake.heard.clear()
        await alice.reconnect()
        assert fake.said(frames.Hello)[0].resume.session == ACCOUNT
        assert all(secure for secure, _ in fake.heard)


@pytest.mark.parametrize("account", [False, True])
async def test_what_waits_goes_along_to_another_name_unless_an_account_wrote_it(
    fake: Fake, tmp_path: Path, account: bool
) -> None:
    """It is said once, by whom it belongs to: whose session is known no more may log in again."""

    def answer(hello: frames.Hello) -> list[frames.Frame]:
        if hello.resume:
            return [frames.Error(code=Code.NO_SUCH_SESSION, message="Who?")]
        if hello.name == "alice" and not hello.password:
            return [frames.Error(code=Code.LOGIN_NEEDED, message="Whose?")]
        return [msgspec.structs.replace(welcome(ACCOUNT, account=bool(hello.password)), name=hello.name)]

    async def said() -> int:
        while one.unconfirmed:
            await anext(one.batches())
        return len(fake.said(frames.Send))

    fake.answers[frames.Hello] = answer
    fake.answers[frames.Send] = lambda send: [frames.Ok(id=send.id, seq=7)]
    async with someone(fake, tmp_path) as one:
        one.password = PASSWORD if account else ""
        with nullcontext() if account else pytest.raises(Refused):
            await one.connect()
    async with someone(fake, tmp_path) as one:
        one.remember()
        one.post("hi")
        with pytest.raises(Refused):
            await one.connect()
        one.name = "bob"
        await one.connect()
        assert await said() == (0 if account else 1)
    async with someone(fake, tmp_path) as one:
        one.password = PASSWORD
        await one.connect()
        assert await said() == 1


async def test_a_server_that_wants_tls_gets_it(fake: Fake) -> None:
    """The client comes back by itself."""
    wanted = [frames.Error(code=Code.TLS_REQUIRED, message="Not in the open.")]
    fake.answers[frames.Hello] = lambda _: [welcome(GUEST)] if fake.heard[-1][0] else wanted
    async with someone(fake) as alice:
        await alice.connect()
        assert alice.secure


async def test_a_device_code_goes_over_tls_and_its_successor_is_kept(fake: Fake, tmp_path: Path) -> None:
    """The code is good once: what comes back is the session that the welcome gave."""
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, tmp_path, name="", device="c" * 26) as alice:
        await alice.connect()
        await alice.close()
        await alice.reconnect()
    assert [hello.resume.session for hello in fake.said(frames.Hello)] == ["c" * 26, ACCOUNT]
    assert all(secure for secure, _ in fake.heard)
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
    assert fake.said(frames.Hello)[-1].resume.session == ACCOUNT


async def test_who_logs_out_is_out_when_the_server_says_that_the_session_ended(fake: Fake, tmp_path: Path) -> None:
    """It ends the connection: perhaps before the answer."""
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
        fake.answers[frames.End] = lambda _: [frames.Error(code=Code.SESSION_ENDED, message="Ended.")]
        fake.hangs_up.add(frames.End)
        await alice.logout()
        assert not alice.session


async def test_who_can_not_log_out_stays_who_they_are(fake: Fake) -> None:
    """The session goes on at the server: forgotten here alone, nobody could end it."""
    async with someone(fake) as alice:
        await alice.connect()
        fake.answers[frames.End] = lambda ask: [frames.Error(code=Code.TRY_AGAIN, message="Later.", ref=ask.ref)]
        with pytest.raises(Refused, match="Later"):
            await alice.logout()
        assert alice.session == GUEST


async def test_a_sign_in_takes_as_long_as_people_take(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where to go is told, the connection is kept alive meanwhile, and then one is in."""
    monkeypatch.setattr("chat_tui.client.entering.SILENCE", 0.03)
    place = frames.Sso(url="https://sso.example/\x1b]0;x\x07", code="ABCD", expires="2026-11-21T10:00:00.000Z")
    fake.answers[frames.Hello] = lambda _: [place]
    pings = 0

    def ping(_: frames.Ping) -> list[frames.Frame]:
        nonlocal pings
        pings += 1
        return [welcome(ACCOUNT, account=True)] if pings == 3 else [frames.Pong()]

    fake.answers[frames.Ping] = ping
    told: list[frames.Sso] = []
    async with someone(fake) as alice:
        alice.sso, alice.on_sso = True, told.append
        await alice.connect()
        assert [(where.url, where.code) for where in told] == [("https://sso.example/␛]0;x␇", "ABCD")]
        assert (alice.sso, alice.account, alice.secure) == (False, True, True)
        assert [hello.sso for hello in fake.said(frames.Hello)] == [True]


async def test_a_sign_in_that_is_given_up_lets_nobody_in_later(fake: Fake) -> None:
    """Its connection ends with it."""
    told = asyncio.Event()
    place = frames.Sso(url="https://sso.example/", code="ABCD", expires="2026-11-21T10:00:00.000Z")
    fake.answers[frames.Hello] = lambda hello: [place] if hello.sso else [welcome(GUEST)]
    async with someone(fake) as alice:
        alice.sso, alice.on_sso = True, lambda _: told.set()
        connecting = asyncio.create_task(alice.connect())
        await told.wait()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        fake.say(welcome(ACCOUNT, account=True))
        await alice.connect()
        assert (alice.session, alice.account) == (GUEST, False)


async def test_an_account_by_the_provider_is_got_while_one_is_in(fake: Fake) -> None:
    """The frame that says where to sign in comes first, the account when that is done."""
    told: list[str] = []
    place = frames.Sso(url="https://sso.example/", code="ABCD", expires="2026-11-21T10:00:00.000Z")
    fake.answers[frames.Register] = lambda ask: [
        place,
        frames.Account(user=1, name="alice", session=ACCOUNT, ref=ask.ref),
    ]
    async with someone(fake) as alice:
        await alice.connect()
        alice.on_sso = lambda where: told.append(where.code)
        await alice.register(sso=True)
        assert (told, alice.session, alice.account) == (["ABCD"], ACCOUNT, True)


@pytest.mark.parametrize("ticket", ["", "t1"])
async def test_an_account_by_the_provider_is_got_by_coming_in(fake: Fake, ticket: str) -> None:
    """A ticket has to be shown first; without one the first sign-in makes the account."""
    fake.answers[frames.Register] = lambda ask: [frames.Account(user=1, name=ask.name, ref=ask.ref)]
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, name="", ticket=ticket) as alice:
        await alice.register(sso=True, name="alice")
        assert (alice.account, alice.secure) == (True, True)
    shown = [("alice", True, ticket)] if ticket else []
    assert [(ask.name, ask.sso, ask.ticket) for ask in fake.said(frames.Register)] == shown
    assert [(hello.name, hello.sso) for hello in fake.said(frames.Hello)] == [("alice", True)]


async def test_what_is_secret_is_not_asked_over_plain_lines(fake: Fake) -> None:
    """Whoever is in plain has no account: they are told so, and nothing is sent."""
    async with someone(fake) as alice:
        await alice.connect()
        for asking in (alice.claim("code"), alice.change_password(PASSWORD, "new"), alice.erase(password=PASSWORD)):
            with pytest.raises(Refused) as refusal:
                await asking
            assert refusal.value.code == Code.NO_ACCOUNT
        assert {type(frame) for _, frame in fake.heard} == {frames.About, frames.Hello}


async def test_who_is_erased_is_told_so_by_the_last_word_alone(fake: Fake, tmp_path: Path) -> None:
    """It ends the connection, perhaps before the answer; a refusal is one."""

    def erase(ask: frames.Erase) -> list[frames.Frame]:
        if ask.password == PASSWORD:
            return [frames.Error(code=Code.ERASED, message="Erased.")]
        return [frames.Error(code=Code.LOGIN_FAILED, message="No.", ref=ask.ref)]

    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    fake.answers[frames.Erase] = erase
    async with someone(fake, tmp_path) as alice:
        alice.password = PASSWORD
        await alice.connect()
        with pytest.raises(Refused, match="No"):
            await alice.erase(password=OLD)
        assert alice.session == ACCOUNT
        fake.hangs_up.add(frames.Erase)
        await alice.erase(password=PASSWORD)
        assert not alice.session


async def test_role_and_blocked_people_are_known(fake: Fake) -> None:
    """As the welcome says them, and as they change; a role in another room is another matter."""
    fake.answers[frames.Hello] = lambda _: [
        welcome(ACCOUNT, account=True, role="member"),
        frames.Blocked(people=[(7, "mallory\x1b")]),
    ]
    rising: dict[str, Any] = {"user": 2, "sender": "bob", "time": "2026-11-21T09:00:00.000Z", "name": "alice"}
    async with someone(fake) as alice:
        await alice.connect()
        assert alice.role == "member"
        fake.say(
            frames.Appointed(seq=5, room="dev", who=1, role="owner", **rising),
            frames.Appointed(seq=6, room="general", who=2, role="admin", **rising),
            frames.Appointed(seq=7, room="general", who=1, role="moderator", **rising),
        )
        async for frame in alice.events():
            if isinstance(frame, frames.Appointed) and frame.seq == 7:
                break
        assert (alice.role, alice.seq, alice.blocked) == ("moderator", 7, {7: "mallory␛"})


async def test_an_export_comes_in_as_many_parts_as_it_takes(fake: Fake) -> None:
    """Each line harmless; a server that says the same part for ever is not asked for ever."""
    parts = {
        0: ([{"kind": "user", "name": "al\x1bice"}, {"kind": "message", "text": "one\ntwo\u202e"}], 5, True),
        5: ([{"kind": "message", "text": "three"}], 5, True),
    }

    def export(ask: frames.Export) -> list[frames.Frame]:
        lines, after, more = parts[ask.after]
        raw = [msgspec.Raw(msgspec.json.encode(line)) for line in lines]
        return [frames.Exported(lines=raw, after=after, more=more, ref=ask.ref)]

    fake.answers[frames.Export] = export
    async with someone(fake) as alice:
        await alice.connect()
        assert [line async for line in alice.export()] == [
            {"kind": "user", "name": "al␛ice"},
            {"kind": "message", "text": "one\ntwo\ufffd"},
            {"kind": "message", "text": "three"},
        ]
