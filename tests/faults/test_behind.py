"""What reaches those who are behind: in its place, and on all devices, as it reaches those who keep up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from faults.test_model import House, Socket
from support import PATIENCE

from server.chat import hub, privacy
from server.chat.ports import StandingQuery
from server.protocol import frames


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A server without its sockets."""
    made = House(tmp_path / "chat.db")
    yield made
    await made.close()


async def say(house: House, socket: Socket, **frame: Any) -> None:
    """Say a line, and wait until all has come of it."""
    socket.session.data_received(msgspec.json.encode(frame) + b"\n")
    await house.settle()


async def come(house: House, **hello: Any) -> Socket:
    """Let someone in."""
    socket = await house.connect()
    await say(house, socket, type="hello", backlog=0, **hello)
    return socket


def events(socket: Socket) -> list[frames.Message | frames.Invited]:
    """Return what was delivered, in its order."""
    return [frame for frame in socket.frames if isinstance(frame, frames.Message | frames.Invited)]


async def test_an_invitation_comes_in_its_place(house: House) -> None:
    """Of one connection the seqs grow, also where it does not take what it is sent for a while."""
    alice, bob = await come(house, name="alice"), await come(house, name="bob")
    await say(house, alice, type="make", room="board", private=True)
    bob.slow = True
    for text in ("one", "two"):
        await say(house, alice, type="send", room="general", text=text)
    await say(house, alice, type="invite", room="board", name="bob")
    await say(house, alice, type="send", room="board", text="not for bob")
    await say(house, alice, type="send", room="general", text="three")
    bob.drain()
    await house.settle()
    told = events(bob)
    assert [type(event).__name__ for event in told] == ["Message", "Message", "Invited", "Message"]
    assert [event.seq for event in told] == sorted({event.seq for event in told})
    # Once in, they read from there on.
    await say(house, bob, type="join", room="board", backlog=0)
    await say(house, bob, type="history", room="board", ref="h")
    page = next(frame for frame in bob.frames if isinstance(frame, frames.History))
    assert page.messages == []


async def test_an_edit_of_what_was_before_them_reaches_nobody_behind(house: House) -> None:
    """Neither from memory, where others who keep up had it, nor between what comes before and after."""
    alice = await come(house, name="alice")
    await say(house, alice, type="make", room="fresh", before="joined")
    await say(house, alice, type="send", room="fresh", text="early", ref="e")
    early = next(frame for frame in alice.frames if isinstance(frame, frames.Ok) and frame.ref == "e").seq
    bob, carol = await come(house, name="bob"), await come(house, name="carol")
    for socket in (bob, carol):
        await say(house, socket, type="join", room="fresh", backlog=0)
    bob.slow = True
    await say(house, alice, type="send", room="fresh", text="before")
    await say(house, alice, type="edit", room="fresh", seq=early, text="early, too")
    await say(house, alice, type="send", room="fresh", text="after")
    bob.drain()
    await house.settle()
    for socket in (bob, carol):
        assert [event.text for event in events(socket) if isinstance(event, frames.Message)] == ["before", "after"]
        assert not [frame for frame in socket.frames if isinstance(frame, frames.Edited)]
    edited = [frame for frame in alice.frames if isinstance(frame, frames.Edited)]
    assert [frame.text for frame in edited] == ["early, too"]
    seqs = [frame.seq for frame in alice.frames if isinstance(frame, frames.Message | frames.Edited)]
    assert seqs == sorted(seqs)


async def test_an_edit_comes_once_to_who_falls_behind_just_before(house: House) -> None:
    """Their buffer is full with what came in the same moment, and somebody else may not read the edit."""
    alice, bob = await come(house, name="alice"), await come(house, name="bob")
    await say(house, alice, type="make", room="fresh", before="joined")
    await say(house, bob, type="join", room="fresh", backlog=0)
    await say(house, alice, type="send", room="fresh", text="early", ref="e")
    early = next(frame for frame in alice.frames if isinstance(frame, frames.Ok) and frame.ref == "e").seq
    carol = await come(house, name="carol")
    await say(house, carol, type="join", room="fresh", backlog=0)
    bob.slow = True
    together = [
        {"type": "send", "room": "fresh", "text": "before"},
        {"type": "edit", "room": "fresh", "seq": early, "text": "early, too"},
    ]
    alice.session.data_received(b"".join(msgspec.json.encode(frame) + b"\n" for frame in together))
    await house.settle()
    bob.drain()
    await house.settle()
    told = [frame.seq for frame in bob.frames if isinstance(frame, frames.Message | frames.Edited)]
    assert len(told) == 3
    assert told == sorted(set(told))


@pytest.mark.parametrize("before", ["all", "joined"])
async def test_who_left_gets_no_page_of_what_came_after(
    house: House, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that missed too much of a room, in which its person is no more, is told so and no more."""
    monkeypatch.setattr(hub, "GAP", 3)
    alice, phone = await come(house, name="alice"), await come(house, name="bob")
    await say(house, phone, type="device", ref="d")
    session = next(frame for frame in phone.frames if isinstance(frame, frames.NewDevice)).session
    await say(house, alice, type="make", room="board", private=True, before=before)
    await say(house, alice, type="invite", room="board", name="bob")
    await say(house, phone, type="join", room="board", backlog=0)
    desk = await house.connect()
    await say(house, desk, type="hello", resume={"session": session}, backlog=10)
    desk.slow = True
    for number in range(6):
        await say(house, alice, type="send", room="board", text=f"{number}")
    await say(house, phone, type="leave", room="board")
    for number in range(6):
        await say(house, alice, type="send", room="board", text=f"{number}, not for bob")
    desk.drain()
    await house.settle()
    assert any(isinstance(frame, frames.Gap) for frame in desk.frames)
    pages = [frame for frame in desk.frames if isinstance(frame, frames.History)]
    assert not [message.text for page in pages for message in page.messages if "not for bob" in message.text]


async def test_leaving_on_one_device_is_told_to_one_that_is_behind(house: House) -> None:
    """And entering again, with who is there."""
    phone = await come(house, name="alice")
    await say(house, phone, type="device", ref="d")
    session = next(frame for frame in phone.frames if isinstance(frame, frames.NewDevice)).session
    desk = await come(house, resume={"session": session})
    await say(house, phone, type="join", room="dev")
    desk.slow = True
    await say(house, phone, type="send", room="general", text="x")
    await say(house, phone, type="leave", room="dev")
    await say(house, phone, type="join", room="dev")
    desk.drain()
    await house.settle()
    told = [
        type(frame).__name__
        for frame in desk.frames
        if isinstance(frame, frames.Roster | frames.Left) and frame.room == "dev"
    ]
    assert told[-1] == "Roster"
    assert "Left" in told


@pytest.mark.parametrize("kind", ["direct", "make"])
async def test_a_room_that_could_not_be_written_is_not_there(house: House, kind: str) -> None:
    """Its maker is told to try again, and then it is made."""
    alice, _bob = await come(house, name="alice"), await come(house, name="bob")
    request: dict[str, Any] = {"names": ["bob"]} if kind == "direct" else {"room": "dev"}
    house.fails = True
    await say(house, alice, type=kind, ref="1", **request)
    assert isinstance(alice.frames[-1], frames.Error)
    assert alice.frames[-1].code == "try_again"
    await say(house, alice, type=kind, ref="2", **request)
    made = next(frame for frame in alice.frames if isinstance(frame, frames.Ok) and frame.ref == "2")
    await say(house, alice, type="send", room=made.room, text="x", ref="3")
    assert any(isinstance(frame, frames.Ok) and frame.ref == "3" for frame in alice.frames)


async def test_marks_that_could_not_be_written_are_written_later(house: House) -> None:
    """Who comes back meanwhile finds them."""
    alice = await come(house, name="alice", ref="h")
    session = next(frame for frame in alice.frames if isinstance(frame, frames.Welcome)).session
    await say(house, alice, type="send", room="general", text="x")
    await say(house, alice, type="mark", room="general", read=house.log.head, favourite=True)
    house.fails = True
    house.chat.standing.write()
    await house.settle()
    await say(house, alice, type="quit")
    back = await come(house, resume={"session": session})
    await say(house, back, type="mark", room="general", read=1, ref="m")
    marked = next(frame for frame in back.frames if isinstance(frame, frames.Marked))
    assert (marked.read, marked.favourite) == (house.log.head, True)
    house.chat.standing.write()
    await house.settle()
    assert not house.chat.standing.unwritten(1)


async def test_what_could_not_be_erased_is_erased_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another start: nobody says again that it is to be."""
    monkeypatch.setattr(privacy, "ERASE_AGAIN", 0)
    alice = await come(house, name="alice")
    await say(house, alice, type="send", room="general", text="a zanzibar secret", ref="s")
    seq = next(frame for frame in alice.frames if isinstance(frame, frames.Ok)).seq
    await say(house, alice, type="delete", room="general", seq=seq, ref="d")
    house.fails = True
    house.chat.privacy.indexed([house.log.head])
    await house.settle()
    async with asyncio.timeout(PATIENCE):
        while house.archive._reader.database.execute("SELECT body FROM events WHERE seq = ?", (seq,)).get:
            await house.settle()


async def test_what_is_marked_while_the_rooms_are_read_is_not_undone_by_the_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each device has, in the end, what was said last, also where the answer was read before that was said."""
    phone = await come(house, name="alice")
    await say(house, phone, type="device", ref="d")
    session = next(frame for frame in phone.frames if isinstance(frame, frames.NewDevice)).session
    desk = await come(house, resume={"session": session})
    read, was_read, answering = house.archive.standing, asyncio.Event(), asyncio.Event()

    async def slowly(query: StandingQuery) -> bytes:
        answer = await read(query)
        was_read.set()
        await answering.wait()
        return answer

    monkeypatch.setattr(house.archive, "standing", slowly)
    desk.session.data_received(msgspec.json.encode({"type": "rooms", "ref": "r"}) + b"\n")
    await asyncio.wait_for(was_read.wait(), PATIENCE)
    mark = {"type": "mark", "room": "general", "favourite": True, "level": "mentions"}
    phone.session.data_received(msgspec.json.encode(mark) + b"\n")
    answering.set()
    await house.settle()
    stands = [
        (frame.rooms[0] if isinstance(frame, frames.Rooms) else frame)
        for frame in desk.frames
        if isinstance(frame, frames.Rooms | frames.Marked)
    ]
    assert len(stands) > 1
    assert (stands[-1].favourite, stands[-1].level) == (True, "mentions")
