"""Attacks over real sockets, one test each: what was tried on this server, and does not work."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from support import Server, Wire

PASSWORD = "correct horse"  # noqa: S105

LONG = "\U0001f642" * 200
"""Pages of such texts are full, and 120 of them more than the systems in between take off the server's hands."""

PAGES: list[dict[str, Any]] = [{"type": "history", "room": "general", "ref": str(number)} for number in range(120)]

Connect = Callable[..., Awaitable[Wire]]


@pytest.fixture
async def connect(server: Server) -> Any:
    """Connect over TLS; all connections are closed with the test."""
    wires: list[Wire] = []

    async def open_one(name: str | None = None, **hello: Any) -> Wire:
        wires.append(await Wire.connect(server.port, name, tls=True, **hello))
        return wires[-1]

    yield open_one
    for wire in wires:
        await wire.close()


@pytest.fixture
async def host(server: Server, connect: Connect) -> Wire:
    """Whoever runs the server."""
    return await connect(token=(server.data / "control.key").read_text().strip())


async def done(wire: Wire, **frame: Any) -> dict[str, Any]:
    """Do something that is allowed."""
    answer = await wire.ask(**frame)
    assert answer["type"] != "error", (frame, answer)
    return answer


async def refused(wire: Wire, **frame: Any) -> str:
    """Return the code with which a request is refused."""
    answer = await wire.ask(**frame)
    assert answer["type"] == "error", answer
    code: str = answer["code"]
    return code


async def registered(connect: Connect, name: str) -> Wire:
    """Come in with a new account."""
    wire = await connect(name)
    await done(wire, type="register", password=PASSWORD)
    return wire


def lines(*frames: dict[str, Any]) -> bytes:
    """Return frames as they are said in one breath: all are taken before the answers fill anything."""
    return b"".join(json.dumps(frame).encode() + b"\n" for frame in frames)


@contextmanager
def reading_nothing(wire: Wire) -> Iterator[None]:
    """Have a client take nothing of what it is sent."""
    wire.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    transport = cast("asyncio.Transport", wire.writer.transport)
    transport.pause_reading()
    yield
    transport.resume_reading()


async def test_an_account_is_not_taken_over_by_a_name_that_is_half_ones_own(connect: Connect) -> None:
    """Ian is lan's by its looks and ian's by its letters: while ian is away, lan does not get it."""
    ian = await registered(connect, "ian")
    user = ian.welcome["user"]
    lan = await registered(connect, "lan")
    await ian.say(type="quit")
    await ian.rest()
    assert await refused(lan, type="nick", name="Ian") == "name_taken"
    again = await connect("ian", password=PASSWORD)
    assert again.welcome["user"] == user


async def test_who_asks_for_a_name_gets_nothing_that_is_meant_for_its_owner(connect: Connect, host: Wire) -> None:
    """A crowd asks for the owner's name all the time; what is said of it meanwhile is said of its owner."""
    bob = await registered(connect, "bob")
    user = bob.welcome["user"]
    await bob.say(type="quit")
    await bob.rest()
    crowd = [await connect(f"mallory{number}") for number in range(4)]
    ended = asyncio.Event()

    async def ask(wire: Wire) -> None:
        while not ended.is_set():
            await wire.ask(type="nick", name="bob")

    asking = [asyncio.create_task(ask(wire)) for wire in crowd]
    found = {(await done(host, type="whois", name="bob"))["user"] for _ in range(50)}
    back = await connect("bob", password=PASSWORD)
    ended.set()
    await asyncio.gather(*asking)
    assert found == {user}
    assert back.welcome["user"] == user


async def test_who_is_silenced_says_nothing_by_being_away_nor_by_leaving(connect: Connect, host: Wire) -> None:
    """These are words that others read, too."""
    alice, mallory = await connect("alice"), await connect("mallory")
    await done(host, type="silence", name="mallory")
    assert await refused(mallory, type="away", text="alice is a thief") == "silenced"
    await done(mallory, type="away")
    assert "text" not in await alice.hear("status")
    await mallory.say(type="quit", reason="alice is a thief")
    assert (await alice.hear_of("left", "mallory"))["reason"] == "quit"
    bob = await connect("bob")
    await done(bob, type="away", text="lunch")
    assert (await alice.hear("status"))["text"] == "lunch"
    await bob.say(type="quit", reason="home")
    assert (await alice.hear_of("left", "bob"))["reason"] == "home"


async def test_what_waits_to_be_read_is_not_of_rooms_that_one_was_put_out_of(connect: Connect) -> None:
    """They ask for much, read nothing, and are put out of a private room before it is its turn."""
    alice, mallory = await connect("alice"), await connect("mallory")
    await done(alice, type="make", room="plans", private=True)
    await done(alice, type="invite", room="plans", name="mallory")
    await done(mallory, type="join", room="plans")
    for _ in range(50):
        await done(alice, type="send", room="general", text=LONG * 2)
    with reading_nothing(mallory):
        some: list[dict[str, Any]] = [
            {"type": "rooms", "ref": "all"},
            {"type": "rooms", "rooms": ["plans"], "ref": "one"},
        ]
        await mallory.raw(lines(*PAGES, *some, {"type": "list", "ref": "list"}))
        await done(alice, type="kick", room="plans", name="mallory")
        await done(alice, type="change", room="plans", topic="a secret")
    for ref in ("all", "one", "list"):
        answer = await mallory.hear("rooms", "list", ref=ref)
        assert "plans" not in [room["room"] for room in answer.get("rooms", ())]
    assert "a secret" not in str(mallory.heard)


async def test_what_waits_to_be_read_is_not_for_who_lost_the_right(connect: Connect, host: Wire) -> None:
    """An admin asks for much, reads nothing, and is no admin any more when it is its turn."""
    admin = await registered(connect, "admina")
    await done(host, type="appoint", name="admina", role="admin")
    for _ in range(50):
        await done(host, type="send", room="general", text=LONG * 2)
    with reading_nothing(admin):
        await admin.raw(lines(*PAGES, {"type": "bans", "ref": "bans"}, {"type": "audit", "ref": "audit"}))
        await done(host, type="appoint", name="admina", role="member")
        await done(host, type="ban", range="198.51.100.8", reason="a secret")
    for ref in ("bans", "audit"):
        assert (await admin.hear("bans", "audit", "error", ref=ref))["type"] == "error"
    assert "a secret" not in str(admin.heard)


async def test_no_range_keeps_out_who_stands_as_high_as_who_made_it(connect: Connect, host: Wire) -> None:
    """Else an admin who could never ban the owner would shut them out by their address."""
    owner, guest = await registered(connect, "alice"), await connect("mallory")
    await done(host, type="appoint", name="alice", role="owner")
    await done(host, type="ban", range="127.0.0.0/8", reason="all of you")
    assert (await guest.rest())[-1]["code"] == "banned"
    assert (await owner.ask(type="whois", name="alice"))["online"]
    again = await connect("alice", password=PASSWORD)
    assert again.welcome["role"] == "owner"
    assert await refused(await connect(), type="hello", name="mallory") == "banned"
    await done(host, type="appoint", name="alice", role="moderator")
    await done(host, type="ban", range="127.0.0.0/9")
    assert (await owner.rest())[-1]["code"] == "banned"
    assert await refused(await connect(), type="hello", name="alice", password=PASSWORD) == "banned"


async def test_a_server_for_accounts_tells_strangers_nothing_of_names(connect: Connect, host: Wire) -> None:
    """Whether somebody has an account there, and is there, is not told to who may not come in."""
    await registered(connect, "alice")
    await done(host, type="settings", guests=False, sign_up="invite")
    stranger = await connect()
    for name in ("alice", "nobody-else"):
        assert await refused(stranger, type="hello", name=name) == "no_guests"
        assert await refused(stranger, type="register", name=name, password=PASSWORD) == "no_sign_up"
        assert await refused(stranger, type="hello", name=name, password="wrong horse") == "login_failed"  # noqa: S106


@pytest.mark.parametrize("tls", [True, False])
async def test_a_web_page_says_nothing_here(server: Server, connect: Connect, tls: bool) -> None:
    """A browser sends to any port what a page wants, from its user's machine; frames would stand in the body."""
    alice = await connect("alice")
    browser = await Wire.connect(server.port, tls=tls)
    hello = b'{"type":"hello","name":"page"}\n{"type":"send","room":"general","text":"buy"}\n'
    await browser.raw(b"POST / HTTP/1.1\r\nHost: chat:7373\r\nContent-Type: text/plain\r\n\r\n" + hello)
    assert [frame["code"] for frame in await browser.rest()] == ["abuse"]
    await browser.close()
    await done(alice, type="send", room="general", text="hi")
    assert not [frame for frame in alice.heard if frame["type"] == "message" and frame["sender"] != "alice"]
