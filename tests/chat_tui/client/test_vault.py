"""Where an account's session lies: in the system's keyring, where that is one, else in the box."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keyring
import pytest
from fake import ACCOUNT, GUEST, PASSWORD, Fake, ended, faking, on_disk, someone, welcome
from support import PATIENCE

from chat_tui.client import Refused, vault
from server.protocol import frames
from server.protocol.errors import Code


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[Fake]:
    """A server on this machine."""
    async with faking(tmp_path) as one:
        yield one


class Ring:
    """A system's keyring."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, entry: str, secret: str) -> None:
        """Put one in."""
        self.secrets[service, entry] = secret

    def get_password(self, service: str, entry: str) -> str | None:
        """Look for one."""
        return self.secrets.get((service, entry))

    def delete_password(self, service: str, entry: str) -> None:
        """Take one out."""
        del self.secrets[service, entry]


Ring.__module__ = "keyring.backends.SecretService"


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    """This system has a real keyring."""
    one = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: one)
    return one


async def test_an_account_session_lies_in_the_keyring(fake: Fake, tmp_path: Path, ring: Ring) -> None:
    """And nowhere on the disk; the next program finds it there, and logging out takes it out of there."""
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, tmp_path) as alice:
        alice.password = PASSWORD
        await alice.connect()
        assert list(ring.secrets.values()) == [ACCOUNT]
        await alice.nick("alicia")
        assert not on_disk(tmp_path / "keep", ACCOUNT)
    async with someone(fake, tmp_path, name="alicia") as alice:
        await alice.connect()
        assert fake.said(frames.Hello)[-1].resume.session == ACCOUNT
        await alice.logout()
        assert not ring.secrets
        assert not alice.session
        assert not alice.connected
    assert fake.said(frames.End) == [frames.End(ref=fake.said(frames.End)[0].ref)]
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
        assert fake.said(frames.Hello)[-1].resume is None


async def test_a_guests_session_does_not_go_into_the_keyring(fake: Fake, tmp_path: Path, ring: Ring) -> None:
    """It is worth no question to unlock it."""
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
    assert not ring.secrets
    assert on_disk(tmp_path / "keep", GUEST)


@pytest.fixture(params=["none", "null", "fail", "alt", "broken", "forgetful", "silent"])
def no_ring(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This system has no keyring that is one."""
    held = threading.Event()
    alt = type("PlaintextKeyring", (Ring,), {"__module__": "keyrings.alt.file"})()
    silent = type("Silent", (Ring,), {"set_password": lambda *_: held.wait(), "__module__": Ring.__module__})()
    broken = type("Broken", (Ring,), {"set_password": lambda *_: 1 / 0, "__module__": Ring.__module__})()
    forgetful = type("Forgetful", (Ring,), {"set_password": lambda *_: None, "__module__": Ring.__module__})()
    fail = type("Keyring", (Ring,), {"__module__": "keyring.backends.fail"})()
    null = type("Keyring", (Ring,), {"__module__": "keyring.backends.null"})()
    chain = SimpleNamespace(backends=[alt, null])
    one: dict[str, Any] = {"null": chain, "fail": fail, "alt": alt, "broken": broken, "forgetful": forgetful}
    if request.param == "none":
        monkeypatch.setitem(sys.modules, "keyring", None)
    else:
        monkeypatch.setattr(keyring, "get_keyring", lambda: one.get(request.param, silent))
    monkeypatch.setattr(vault, "_PATIENCE", 0.2 if request.param == "silent" else PATIENCE)
    yield
    held.set()


@pytest.mark.usefixtures("no_ring")
async def test_without_a_real_keyring_the_session_lies_in_the_box(fake: Fake, tmp_path: Path) -> None:
    """None at all, one that keeps nothing, one that writes plain text to the disk, one that fails, or hangs."""
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, tmp_path) as alice:
        alice.password = PASSWORD
        await alice.connect()
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
        assert fake.said(frames.Hello)[-1].resume.session == ACCOUNT
        await alice.logout()
    assert not on_disk(tmp_path / "keep", ACCOUNT)


async def test_a_session_that_ends_while_the_keyring_thinks_is_kept_nowhere(
    fake: Fake, tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored in the end is taken out again: else the next program would come as somebody who is gone."""
    asked, may = threading.Event(), threading.Event()

    def slowly(service: str, entry: str, secret: str) -> None:
        asked.set()
        may.wait(PATIENCE)
        ring.secrets[service, entry] = secret

    monkeypatch.setattr(ring, "set_password", slowly)
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, tmp_path) as alice:
        alice.password = PASSWORD
        connecting = asyncio.create_task(alice.connect())
        await asyncio.to_thread(asked.wait, PATIENCE)
        fake.say(frames.Error(code=Code.SESSION_ENDED, message="Out."))
        fake.writers[-1].close()
        await ended(alice)
        may.set()
        await connecting
        assert not ring.secrets
        assert not alice.session
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
    assert fake.said(frames.Hello)[-1].resume is None


@pytest.mark.parametrize("code", [Code.SESSION_ENDED, Code.ERASED, Code.KICKED, Code.BANNED])
async def test_last_words_say_why_it_ended(fake: Fake, tmp_path: Path, ring: Ring, code: Code) -> None:
    """Where nobody can come back as who this was, the session is forgotten; who was put out keeps it."""
    fake.answers[frames.Hello] = lambda _: [welcome(ACCOUNT, account=True)]
    async with someone(fake, tmp_path) as alice:
        alice.password = PASSWORD
        await alice.connect()
        fake.say(frames.Error(code=code, message="Out."))
        fake.writers[-1].close()
        await ended(alice)
        assert isinstance(alice.ended, Refused)
        assert (alice.ended.code, alice.ended.message) == (code, "Out.")
        forgotten = code in (Code.SESSION_ENDED, Code.ERASED)
        assert bool(alice.session) is not forgotten
    assert bool(ring.secrets) is not forgotten
    async with someone(fake, tmp_path) as alice:
        await alice.connect()
    assert (fake.said(frames.Hello)[-1].resume is None) is forgotten
