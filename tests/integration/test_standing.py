"""How far people have read, on all their devices; and how several connections of one person go together."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from support import PATIENCE, Server, Wire

from server.archive.database import connect as open_database
from server.protocol import limits

ROOM = {"room": "general"}


async def said(wire: Wire, text: str, room: str = "general", **more: Any) -> int:
    """Say something and return its seq."""
    seq: int = (await wire.ask(type="send", room=room, text=text, **more))["seq"]
    return seq


async def stands(wire: Wire, room: str = "general") -> dict[str, Any]:
    """Return how one stands in a room."""
    info: dict[str, Any] = (await wire.ask(type="rooms", rooms=[room]))["rooms"][0]
    return info


async def another_device(wire: Wire, connect: Any) -> Wire:
    """Return a second connection of the same person, of a session of its own."""
    session = (await wire.ask(type="device"))["session"]
    device: Wire = await connect(resume={"session": session})
    assert device.welcome["user"] == wire.welcome["user"]
    return device


@pytest.fixture
async def alice(connect: Any) -> Wire:
    """Someone."""
    wire: Wire = await connect("alice")
    return wire


async def test_a_second_device_is_the_same_person(alice: Wire, connect: Any) -> None:
    """It needs no name; others see one person, who is there until the last device is gone; each sees all."""
    bob = await connect("bob")
    phone = await another_device(alice, connect)
    assert phone.welcome["name"] == "alice"
    assert phone.welcome["session"] != alice.welcome["session"]
    seq = await said(phone, "from the phone", id=1)
    assert (await alice.see("message", seq=seq))["sender"] == "alice"
    # The same number of another session is another message.
    assert await said(alice, "from the desk", id=1) > seq
    await phone.ask(type="nick", name="al")
    assert (await alice.see("renamed"))["new"] == "al"
    await alice.ask(type="quit")
    await said(phone, "still here")
    assert (await bob.see("message", text="still here"))["sender"] == "al"
    assert "left" not in [frame["type"] for frame in bob.heard]


async def test_who_comes_back_needs_no_name(connect: Any, alice: Wire) -> None:
    """They are called as they were called last."""
    await alice.ask(type="nick", name="al")
    await alice.ask(type="quit")
    await alice.rest()
    back = await connect(resume={"session": alice.welcome["session"]})
    assert (back.welcome["name"], back.welcome["user"]) == ("al", alice.welcome["user"])


async def test_reading_on_one_device_is_read_on_the_other(alice: Wire, connect: Any) -> None:
    """Told to both at once, the one that said so included; it only moves forward, and not past the end."""
    bob = await connect("bob")
    phone = await another_device(alice, connect)
    seqs = [await said(bob, f"m{number}") for number in range(4)]
    assert (await stands(alice))["count"] == 4
    await alice.say(type="mark", read=seqs[2], **ROOM)
    async with asyncio.timeout(1):
        marked = await phone.see("marked")
    assert marked == await alice.see("marked") == {"type": "marked", "room": "general", "read": seqs[2]}
    assert ((await stands(phone))["read"], (await stands(phone))["count"]) == (seqs[2], 1)
    await phone.ask(type="mark", read=seqs[0], **ROOM)
    assert (await alice.hear("marked"))["read"] == seqs[2]
    await phone.ask(type="mark", read=limits.SAFE_INTEGER, **ROOM)
    assert (await alice.hear("marked"))["read"] == seqs[3]
    seq = await said(bob, "one more")
    assert ((await stands(alice))["count"], (await stands(alice))["last"]) == (1, seq)
    assert (await stands(bob)).get("read", 0) == 0, "what one reads is one's own"
    assert "marked" not in [frame["type"] for frame in bob.heard]


async def test_unread_from_here_on_is_a_value_of_its_own(alice: Wire, connect: Any) -> None:
    """It counts from there, whatever was read; reading on takes it away."""
    bob = await connect("bob")
    seqs = [await said(bob, f"m{number} @alice") for number in range(4)]
    await alice.ask(type="mark", read=seqs[3], **ROOM)
    await alice.ask(type="mark", unread=seqs[1], **ROOM)
    info = await stands(alice)
    assert (info["read"], info["unread"], info["count"], info["mentions"]) == (seqs[3], seqs[1], 3, 3)
    await alice.ask(type="mark", unread=0, **ROOM)
    assert (await stands(alice)).get("count", 0) == 0
    await alice.ask(type="mark", unread=seqs[0], **ROOM)
    await alice.ask(type="mark", read=seqs[0], **ROOM)
    info = await stands(alice)
    assert (info["read"], info.get("unread", 0), info.get("count", 0)) == (seqs[3], 0, 0)


async def test_what_is_one_s_own_is_not_unread(alice: Wire, connect: Any) -> None:
    """Nor counted as a mention; what names everyone counts once."""
    bob = await connect("bob")
    await bob.ask(type="make", room="board", private=True)
    await bob.ask(type="invite", room="board", name="alice")
    await alice.ask(type="join", room="board")
    await said(alice, "@here @alice", room="board")
    assert (await stands(alice, "board")).get("count", 0) == 0
    await said(bob, "@here @alice", room="board")
    await said(bob, "nobody", room="board")
    info = await stands(alice, "board")
    assert (info["count"], info["mentions"]) == (2, 1)


async def test_what_one_wants_to_be_told_of_is_kept(alice: Wire, connect: Any) -> None:
    """Level, favourite, muted: each alone, for all devices, also for who comes back at once."""
    phone = await another_device(alice, connect)
    await alice.ask(type="mark", level="mentions", **ROOM)
    await phone.ask(type="mark", favourite=True, **ROOM)
    await alice.ask(type="mark", muted=True, **ROOM)
    for wire in (alice, phone):
        info = await stands(wire)
        assert (info["level"], info["favourite"], info["muted"]) == ("mentions", True, True)
    seq = await said(alice, "x")
    await alice.ask(type="mark", read=seq, **ROOM)
    for wire in (phone, alice):
        await wire.ask(type="quit")
        await wire.rest()
    back = await connect(resume={"session": alice.welcome["session"]})
    await back.ask(type="mark", favourite=False, **ROOM)
    info = await stands(back)
    assert (info["level"], info.get("favourite", False), info["muted"]) == ("mentions", False, True)
    assert info["read"] == seq
    assert (await back.ask(type="mark", level="loud", **ROOM))["code"] == "bad_frame"
    assert (await back.ask(type="mark", room="nowhere", read=1))["code"] == "no_such_room"


@pytest.mark.parametrize("kill", [False, True])
async def test_marks_outlive_the_server(start_server: Callable[..., Server], kill: bool) -> None:
    """Ended in order it keeps the last one; killed, those of more than a second ago."""
    server = start_server()
    alice = await Wire.connect(server.port, "alice")
    seq = await said(alice, "x")
    await alice.ask(type="mark", read=seq, level="none", **ROOM)
    if kill:
        await written(server)
    await alice.close()
    server.stop(9 if kill else 15)
    server = start_server()
    back = await Wire.connect(server.port, resume={"session": alice.welcome["session"]})
    info = await stands(back)
    assert (info["read"], info["level"]) == (seq, "none")
    await back.close()


async def written(server: Server) -> None:
    """Wait until marks are on the disk."""
    with contextlib.closing(open_database(server.data / "chat.db", read_only=True)) as database:
        async with asyncio.timeout(PATIENCE):
            while not database.execute("SELECT count(*) FROM marks").get:  # noqa: ASYNC110 - nothing says so
                await asyncio.sleep(0.02)


async def test_two_devices_converge_whatever_they_say(alice: Wire, connect: Any) -> None:
    """Both at once, any marks in any order: both end with the same, and so does the server."""
    bob = await connect("bob")
    phone = await another_device(alice, connect)
    seqs = [await said(bob, f"m{number}") for number in range(10)]
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    for _ in range(20):
        for wire in (alice, phone):
            wire.heard.clear()
        for _ in range(dice.randint(2, 12)):
            mark: dict[str, Any] = dice.choice(
                [
                    {"read": dice.choice(seqs)},
                    {"unread": dice.choice([0, *seqs])},
                    {"level": dice.choice(["all", "none"])},
                    {"muted": dice.random() < 0.5, "favourite": dice.random() < 0.5},
                ]
            )
            await dice.choice([alice, phone]).say(type="mark", **mark, **ROOM)
        for wire in (alice, phone, alice):  # the first may be asked before the other has said all
            info = await stands(wire)
        marks = [[frame for frame in wire.heard if frame["type"] == "marked"] for wire in (alice, phone)]
        # What was said while an answer was read is told once more after it.
        told = [[frame for frame, _ in itertools.groupby(frames)] for frames in marks]
        assert told[0] == told[1], f"seed {seed}"
        reads = [frame.get("read", 0) for frame in told[0]]
        assert reads == sorted(reads), f"seed {seed}"
        for key in ("read", "unread", "level", "muted", "favourite"):
            assert told[0][-1].get(key) == info.get(key), f"seed {seed}"


async def test_rooms_are_told_with_what_is_unread_in_each(alice: Wire, connect: Any) -> None:
    """Counted up to a bound; one's invitations are there, too; a room one is not in is left out."""
    bob = await connect("bob")
    await bob.ask(type="make", room="busy")
    await bob.ask(type="make", room="board", private=True, title="The board")
    await bob.ask(type="make", room="other")
    await bob.ask(type="invite", room="board", name="alice")
    await alice.ask(type="join", room="busy")
    pouring = b"".join(b'{"type":"send","room":"busy","text":"%d"}\n' % number for number in range(limits.UNREAD + 5))
    sending = asyncio.create_task(bob.raw(pouring))
    last = await bob.hear("message", text=str(limits.UNREAD + 4))
    await sending
    answer = await alice.ask(type="rooms")
    rooms = {room["room"]: room for room in answer["rooms"]}
    assert set(rooms) == {"general", "busy", "board"}
    busy = rooms["busy"]
    assert (busy["count"], busy["last"], busy["time"], busy["members"]) == (limits.UNREAD, last["seq"], last["time"], 2)
    assert answer["as_of"] >= last["seq"]
    assert (rooms["board"]["member"], rooms["board"]["invited_by"]) == (False, "bob")
    assert (await alice.ask(type="rooms", rooms=["other"]))["rooms"] == []
    await alice.ask(type="leave", room="busy")
    assert "busy" not in str(await alice.ask(type="rooms"))


async def test_a_device_learns_that_its_person_left_a_room_and_entered_it_again(alice: Wire, connect: Any) -> None:
    """On another device, while it was away: what was said in between is a gap to it, and the latest page follows."""
    bob: Wire = await connect("bob")
    for wire in (alice, bob):
        await wire.ask(type="join", room="dev")
    phone = await another_device(alice, connect)
    seen = await said(bob, "before", "dev")
    await phone.hear("message", seq=seen)
    cursor = {"session": phone.welcome["session"], "epoch": phone.welcome["epoch"], "seq": seen}
    await phone.close()
    await alice.ask(type="leave", room="dev")
    await said(bob, "while gone", "dev")
    await alice.ask(type="join", room="dev")
    after = await said(bob, "after", "dev")
    back: Wire = await connect(resume=cursor)
    gap = await back.see("gap", room="dev")
    assert gap["after"] <= seen
    page = await back.see("history", room="dev")
    assert [message["text"] for message in page["messages"]] == ["before", "while gone", "after"]
    assert page["messages"][-1]["seq"] == after
