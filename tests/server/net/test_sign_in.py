"""Signing in at a provider that does what a test says, in this process: the time it may take, and names from there."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from support import PATIENCE, Wire

from server.archive.reader import ThreadedArchive
from server.archive.search import SearchIndex
from server.chat import login
from server.chat.chat import Chat
from server.chat.limits import Limits
from server.chat.ports import Identity
from server.identity.passwords import ArgonPasswords
from server.log.sqlite import SqliteLog
from server.net import tls
from server.net.listener import Listener
from server.net.sessions import Sessions
from server.protocol.errors import Code, ProtocolError

URL: Final = "https://id.example.org/device"


class Lab:
    """A provider where everybody who signs in is who `next` says, once `open` is set."""

    def __init__(self) -> None:
        self.name = "Lab"
        self.url = self.complete = URL
        self.code = "WDJB-MJHT"
        self.expires = int((time.time() + 600) * 1000)
        self.fault: ProtocolError | None = None
        """What comes of a sign-in, instead."""
        self.next = Identity(subject="lab 1", name="Alice")
        self.open = asyncio.Event()
        self.open.set()

    async def begin(self) -> "Lab":
        """See `server.chat.ports.Provider`."""
        return self

    async def wait(self) -> Identity:
        """See `server.chat.ports.SignIn`."""
        await self.open.wait()
        if self.fault is not None:
            raise self.fault
        return self.next


@pytest.fixture
async def lab() -> Lab:
    """The provider."""
    return Lab()


@pytest.fixture
async def port(tmp_path: Path, lab: Lab) -> AsyncIterator[int]:
    """A server in this process with hardly any patience, and its port."""
    log = SqliteLog(tmp_path / "chat.db")
    index = SearchIndex(tmp_path / "chat.db", tmp_path / "search.db", lambda _seqs: None)
    archive = ThreadedArchive(tmp_path / "chat.db", index)
    passwords = ArgonPasswords(memory=64, passes=1)
    chat = Chat(log, archive, log.open(), "test", Limits(name=0.3), passwords=passwords, provider=lab)
    sessions = Sessions()
    log.start(chat.committed)
    listener = Listener(chat, sessions, tls.own(tmp_path / "tls.key", tmp_path / "tls.crt"))
    (_, number), *_ = await listener.open("127.0.0.1", 0)
    yield number
    listener.close()
    chat.stop_taking()
    await log.close()
    chat.shut_down(list(sessions), "end of test")
    async with asyncio.timeout(PATIENCE):
        await sessions.empty.wait()
    await archive.close()
    passwords.close()


async def test_a_sign_in_takes_the_time_it_takes(port: int, lab: Lab) -> None:
    """Others are sent away meanwhile for never coming in; who signs in elsewhere is waited for."""
    lab.open.clear()
    wire = await Wire.connect(port, tls=True)
    await wire.say(type="hello", sso=True, ref="in")
    assert (await wire.hear("sso"))["code"] == lab.code
    other = await Wire.connect(port, tls=True)
    await other.say(type="about")
    assert (await other.rest())[-1]["code"] == "hello_timeout"
    lab.open.set()
    assert (await wire.hear("welcome"))["name"] == "Alice"
    await wire.close()


async def test_but_where_it_came_to_nothing_it_is_over_soon(
    port: int, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is time to begin another, and no more than that."""
    monkeypatch.setattr(login, "AFTER", 0.1)
    lab.fault = ProtocolError(Code.SSO_EXPIRED, "too late")
    wire = await Wire.connect(port, tls=True)
    await wire.say(type="hello", sso=True)
    assert [frame.get("code") for frame in await wire.rest()] == [lab.code, "sso_expired", "hello_timeout"]


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("Álice", "Álice"),
        ("Alice B. Example", "AliceB.Example"),
        ("[red]\x1b]0;x\x07", "red0x"),
        ("admin", "user"),
        ("🙂", "user"),
        ("", "user"),
        ("x" * 200, None),
    ],
)
async def test_a_name_from_there_is_made_one_that_can_be_had(port: int, lab: Lab, there: str, here: str | None) -> None:
    """And the next of that name gets another one like it; the first is the same person again."""
    names = []
    for subject in ("lab 1", "lab 2", "lab 1"):
        lab.next = Identity(subject=subject, name=there)
        wire = await Wire.connect(port, tls=True, sso=True)
        names.append(wire.welcome["name"])
        assert wire.welcome["account"]
        await wire.close()
    first = names[0] if here is None else here
    assert names == [first, f"{first}2", first]
    assert len(names[1]) <= 32


@pytest.mark.parametrize("bound", ["SIGN_INS", "FROM_ONE"])
async def test_as_many_at_once_as_there_is_room_for(
    port: int, lab: Lab, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """In all, and from one address; one that has come to its end, or given up, makes room for the next."""
    monkeypatch.setattr(login, bound, 2)
    lab.open.clear()
    first, second, third = [await Wire.connect(port, tls=True) for _ in range(3)]
    for wire in (first, second):
        await wire.say(type="hello", sso=True)
        await wire.hear("sso")
    assert (await third.ask(type="hello", sso=True))["code"] == "try_again"
    await first.close()
    async with asyncio.timeout(PATIENCE):
        told = {"type": "error"}
        while told["type"] != "sso":
            await third.say(type="hello", sso=True)
            told = await third.hear("sso", "error")
    for wire in (second, third):
        await wire.close()


async def test_one_thing_at_a_time_for_one_connection(port: int, lab: Lab) -> None:
    """A guest who is signing in to register says something meanwhile, but begins nothing else that takes long."""
    lab.open.clear()
    guest = await Wire.connect(port, "guest", tls=True)
    await guest.say(type="register", sso=True, ref="r")
    await guest.hear("sso")
    again = await guest.ask(type="register", password="correct horse")  # noqa: S106
    assert again["code"] == "try_again"
    assert (await guest.ask(type="send", room="general", text="one moment"))["type"] == "ok"
    lab.open.set()
    answer = await guest.hear("account")
    assert (answer["ref"], answer["name"], answer["user"]) == ("r", "guest", guest.welcome["user"])
    await guest.close()
