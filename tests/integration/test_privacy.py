"""How long things are kept, what is held of somebody, and how all of it is erased: a real server, over the wire."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from support import PATIENCE, Server, Wire

PASSWORD = "four words of a password"  # noqa: S105 - of people who are not


class House:
    """A server, and those who are connected to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.data = server.data
        self.wires: list[Wire] = []

    async def come(self, name: str | None = None, *, tls: bool = False, **hello: Any) -> Wire:
        """Connect, and say hello if there is something to say."""
        wire = await Wire.connect(self.server.port, name, tls=tls, **hello)
        self.wires.append(wire)
        return wire

    async def host(self) -> Wire:
        """Come in as whoever runs the server."""
        return await self.come(tls=True, token=(self.data / "control.key").read_text())

    async def member(self, name: str) -> Wire:
        """Come in with a new account."""
        wire = await self.come(name, tls=True)
        answer = await wire.ask(type="register", password=PASSWORD)
        assert answer["type"] == "account", answer
        wire.welcome["session"] = answer["session"]
        return wire

    async def restart(self, meanwhile: Callable[[], None]) -> None:
        """End the server and start it again."""
        await self.close()
        await asyncio.to_thread(self.server.stop)
        meanwhile()
        self.server = await asyncio.to_thread(Server, self.data, "--limits", "off")

    async def close(self) -> None:
        """End all connections."""
        for wire in self.wires:
            await wire.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A server with no limits of rate."""
    house = House(await asyncio.to_thread(Server, tmp_path / "data", "--limits", "off"))
    yield house
    await house.close()
    code, _, err = await asyncio.to_thread(house.server.stop)
    assert (code, err) == (0, "")


async def gone(house: House, *words: str) -> None:
    """Wait until none of the data's files holds any of these."""
    async with asyncio.timeout(PATIENCE):
        while any([await asyncio.to_thread(holds, house.data, word) for word in words]):
            pass


def holds(data: Path, word: str) -> list[str]:
    """Return the files that hold a word."""
    found = []
    for file in data.iterdir():
        try:
            if word.encode() in file.read_bytes():
                found.append(file.name)
        except FileNotFoundError:  # it was replaced just now
            continue
    return found


async def texts(wire: Wire, room: str = "general") -> list[str]:
    """Return what a room's latest page says."""
    page = await wire.ask(type="history", room=room)
    return [message["text"] for message in page["messages"]]


async def latest(house: House, name: str, room: str) -> list[str]:
    """Return what somebody who enters a room sees there."""
    wire = await house.come(name)
    await wire.ask(type="join", room=room)
    return [message["text"] for message in (await wire.see("history", room=room))["messages"]]


async def export(wire: Wire, **of: str) -> list[dict[str, Any]]:
    """Return all that is held of someone."""
    lines: list[dict[str, Any]] = []
    part: dict[str, Any] = {"after": 0, "more": True}
    while part.get("more"):
        part = await wire.ask(type="export", after=part.get("after", 0), **of)
        assert part["type"] == "exported", part
        lines += part["lines"]
    return lines


async def test_what_is_kept_no_longer_is_erased(house: House) -> None:
    """From the disk, too; everybody is told, and who comes back later sees nothing of it."""
    alice = await house.come("alice")
    away = await house.come("bob", resumes=True)
    cursor = {"session": away.welcome["session"], "epoch": away.welcome["epoch"], "seq": away.welcome["seq"]}
    await away.close()
    seqs = [(await alice.ask(type="send", room="general", text=f"zanzibar {number}"))["seq"] for number in range(5)]
    await alice.ask(type="pin", room="general", seq=seqs[0])
    await alice.ask(type="edit", room="general", seq=seqs[1], text="zanzibar again")
    keeper = await house.host()
    assert (await keeper.ask(type="change", room="general", keep_count=2))["type"] == "ok"
    told = await alice.hear("forgotten")
    assert (told["upto"], told["sender"], told["user"]) == (seqs[2], "chat-server", 0)
    assert await texts(alice) == ["zanzibar 3", "zanzibar 4"]
    assert (await alice.ask(type="pins", room="general"))["messages"] == []
    assert (await alice.ask(type="get", room="general", seqs=seqs[:3]))["messages"] == []
    for act in ({"type": "send", "text": "?", "reply": seqs[0]}, {"type": "react", "seq": seqs[0], "emoji": "heart"}):
        assert (await alice.ask(room="general", **act))["code"] == "no_such_message"
    assert [found["seq"] for found in (await alice.ask(type="search", text="zanzibar"))["messages"]] == seqs[:2:-1]
    bob = await house.come(resume=cursor)
    await bob.hear("forgotten")
    assert [frame["seq"] for frame in bob.heard if frame["type"] == "message"] == seqs[3:]
    assert not any(frame["type"] == "edited" for frame in bob.heard)
    info = (await bob.ask(type="rooms", rooms=["general"]))["rooms"][0]
    assert (info["count"], info["keep_count"]) == (2, 2)
    await gone(house, "zanzibar 0", "zanzibar 1", "zanzibar 2", "zanzibar again")


async def test_what_is_too_old_is_forgotten_at_the_next_start(house: House) -> None:
    """By the rules of `general`, where a room has none of its own."""
    alice = await house.come("alice")
    await alice.ask(type="join", room="dev")
    await alice.ask(type="join", room="kept")
    for room in ("general", "dev", "kept"):
        await alice.ask(type="send", room=room, text="zanzibar")
    keeper = await house.host()
    await keeper.ask(type="change", room="general", keep_days=30)
    await keeper.ask(type="change", room="kept", keep_days=300)

    def grow_old() -> None:
        database = apsw.Connection(str(house.data / "chat.db"))
        database.execute("UPDATE events SET time = time - 40 * 24 * 3600 * 1000")
        database.close()

    await house.restart(grow_old)
    bob = await house.come("bob")
    async with asyncio.timeout(PATIENCE):
        while await texts(bob):
            pass
    await bob.ask(type="join", room="dev")
    await bob.ask(type="join", room="kept")
    async with asyncio.timeout(PATIENCE):
        while await texts(bob, "dev"):
            pass
    assert await texts(bob, "kept") == ["zanzibar"]


async def test_all_that_is_held_of_oneself(house: House) -> None:
    """One's own, in parts, and nothing of others; only whoever runs the server may ask for another's."""
    alice, bob = await house.member("alice"), await house.come("bob")
    await bob.ask(type="send", room="general", text="of bob")
    first = (await alice.ask(type="send", room="general", text="hello @bob"))["seq"]
    for number in range(200):
        await alice.ask(type="send", room="general", text=f"{number} " + "x" * 1000)
    await alice.ask(type="edit", room="general", seq=first, text="hello again")
    taken = (await alice.ask(type="send", room="general", text="taken back"))["seq"]
    await alice.ask(type="delete", room="general", seq=taken)
    await alice.ask(type="join", room="dev")
    await alice.ask(type="mark", room="general", read=first)
    await alice.ask(type="block", name="bob")
    lines = await export(alice)
    kinds = {line["kind"] for line in lines}
    assert kinds >= {"person", "account", "credentials", "session", "membership", "role", "message", "edit", "block"}
    assert [line["name"] for line in lines if line["kind"] == "person"] == ["alice"]
    said = [line["text"] for line in lines if line["kind"] in ("message", "edit")]
    assert (len(said), said[0], said[-1]) == (202, "hello @bob", "hello again")
    everything = json.dumps(lines)
    assert "of bob" not in everything
    assert "taken back" not in everything
    assert alice.welcome["session"] not in everything
    assert "$argon2" not in everything
    assert (await bob.ask(type="export", name="alice"))["code"] == "not_allowed"
    keeper = await house.host()
    assert [line["kind"] for line in await export(keeper, name="alice")] == [line["kind"] for line in lines]


async def test_who_is_erased_is_gone(house: House) -> None:
    """Their connections end, their messages are tombstones without a name, the name is free, and no file has either."""
    alice, bob = await house.member("mallory"), await house.come("bob")
    seq = (await alice.ask(type="send", room="general", text="a zanzibar secret"))["seq"]
    for wire in (alice, bob):
        await wire.ask(type="join", room="dev")
    await alice.ask(type="send", room="dev", text="another zanzibar")
    assert await latest(house, "carol", "dev") == ["another zanzibar"]
    await alice.ask(type="react", room="general", seq=seq, emoji="heart")
    session = alice.welcome["session"]
    wrong = await alice.ask(type="erase", password=PASSWORD + "!")
    assert (wrong["code"], wrong["message"]) == ("login_failed", "That is not your password.")
    assert (await bob.ask(type="erase", name="mallory"))["code"] == "not_allowed"
    assert await texts(bob) == ["a zanzibar secret"]
    await alice.say(type="erase", password=PASSWORD)
    assert (await alice.rest())[-1]["code"] == "erased"
    told = await bob.hear("erased")
    assert (told["who"], told["sender"]) == (alice.welcome["user"], "")
    (message,) = (await bob.ask(type="history", room="general"))["messages"]
    assert message["deleted"]
    assert (message["sender"], message["text"], message.get("reactions")) == ("", "", None)
    assert await latest(house, "dan", "dev") == [""]
    assert (await bob.ask(type="whois", name="mallory"))["code"] == "no_such_person"
    again = await house.come(tls=True)
    await again.say(type="hello", resume={"session": session})
    assert (await again.hear("error"))["code"] == "no_such_session"
    await gone(house, "zanzibar", "mallory")
    late = await house.come("mallory")
    assert late.welcome["user"] != alice.welcome["user"]


async def test_a_guest_is_erased_as_they_ask(house: House) -> None:
    """Without a password, since there is none; and the server's host may erase anybody."""
    guest, other = await house.come("guest"), await house.come("visitor")
    await guest.ask(type="send", room="general", text="zanzibar")
    await other.ask(type="send", room="general", text="timbuktu")
    await guest.say(type="erase")
    assert (await guest.rest())[-1]["code"] == "erased"
    keeper = await house.host()
    assert (await keeper.ask(type="erase", name="visitor"))["type"] == "ok"
    assert (await other.rest())[-1]["code"] == "erased"
    await gone(house, "zanzibar", "timbuktu")
