"""A room of more people than anybody reads the names of: a real server, for which ten are so many."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from support import Server, Wire

from chat_tui.client import Client
from server.protocol import frames

LEAST = 10
"""People of a crowd here; seven are none any more."""
ROOM = {"room": "general"}


@pytest.fixture
def crowded(start_server: Callable[..., Server]) -> Server:
    """A server for which ten people are a crowd."""
    return start_server("--limits", "off", "--limit", f"crowd={LEAST}")


@asynccontextmanager
async def people(server: Server, count: int, name: str = "person") -> AsyncIterator[list[Wire]]:
    """Let so many people in, one after the other; none of them answers pings. In the end all quit."""
    async with AsyncExitStack() as stack:
        wires = []
        for number in range(count):
            wire = await Wire.connect(server.port, f"{name}{number:02}", backlog=0, ping=False)
            stack.push_async_callback(leave, wire)
            wires.append(wire)
        yield wires


async def leave(wire: Wire) -> None:
    """Have somebody quit, unless they did."""
    with suppress(ConnectionError):
        await wire.say(type="quit")
    await wire.rest()
    await wire.close()


async def roster(wire: Wire) -> tuple[set[str], int]:
    """Return the names of the next roster, all its parts, and its count."""
    names: set[str] = set()
    while (part := await wire.hear("roster")).get("more"):
        names.update(part["names"])
    return names | set(part["names"]), part.get("count", 0)


async def counted(wire: Wire, count: int) -> None:
    """Wait until so many are told to be here."""
    while (await wire.hear("roster", "count")).get("count") != count:
        pass


async def test_a_crowd_is_counted_and_its_names_are_had_by_asking(crowded: Server) -> None:
    """Who is in the room finds everyone there, in parts, in order; who is not finds nobody."""
    async with people(crowded, LEAST + 5) as wires:
        alice = await Wire.connect(crowded.port, "alice", backlog=0)
        await counted(alice, LEAST + 6)
        everyone = sorted(["alice", *(f"person{number:02}" for number in range(LEAST + 5))])
        found: list[str] = []
        users: list[int] = []
        more = True
        while more:
            page = await alice.ask(type="who", after=found[-1] if found else "", limit=4, **ROOM)
            found += page["names"]
            users += page["users"]
            more = page.get("more", False)
        assert found == everyone
        assert users[1:] == [wire.welcome["user"] for wire in wires]
        page = await alice.ask(type="who", begins="PERSON1", limit=3, **ROOM)
        assert (page["names"], page["more"]) == (["person10", "person11", "person12"], True)
        await wires[0].ask(type="away", text="tea")
        page = await alice.ask(type="who", begins="person00", **ROOM)
        assert page["away"] == {"person00": "tea"}
        await wires[0].say(type="join", room="dev", ref="j")
        await wires[0].hear("ok")
        assert (await alice.ask(type="who", room="dev"))["code"] == "not_a_member"
        await wires[0].ask(type="make", room="hidden", private=True)
        assert (await alice.ask(type="who", room="hidden"))["code"] == "no_such_room"
        await wires[0].hear("joined", room="hidden")
        assert (await wires[0].ask(type="who", room="hidden"))["names"] == ["person00"]
        assert (await alice.ask(type="who", limit=201, **ROOM))["code"] == "bad_frame"
        await alice.close()


async def test_both_bounds_bring_everyone_a_new_roster(crowded: Server) -> None:
    """A few names when a room becomes a crowd, all when it is none any more; in between a number."""
    watcher = await Wire.connect(crowded.port, "watcher", backlog=0)
    async with people(crowded, LEAST - 1):
        names, count = await roster(watcher)
        while not count:
            names, count = await roster(watcher)
        assert count == LEAST
        assert names == {"watcher"}, "the first of them, which is oneself"
        async with people(crowded, 2, "late") as late:
            await counted(watcher, LEAST + 2)
            assert (await roster(late[1]))[0] == {"watcher", "late01"}
        await counted(watcher, LEAST)
    names, count = await roster(watcher)
    while count:
        names, count = await roster(watcher)
    assert "watcher" in names
    assert len(names) < LEAST * 0.75
    await watcher.close()


async def test_who_speaks_is_named_and_who_is_not_can_be(crowded: Server) -> None:
    """A speaker is told by name until they go; a mention finds somebody of whom nobody was told."""
    watcher = await Wire.connect(crowded.port, "watcher", backlog=0)
    async with people(crowded, LEAST) as wires:
        await counted(watcher, LEAST + 1)
        speaker, named = wires[5], wires[7]
        await speaker.say(type="send", id=1, text="@person07 hello", **ROOM)
        said = await watcher.hear("message")
        assert said["mentions"] == [named.welcome["user"]]
        assert (await watcher.hear("count", names=["person05"]))["users"] == [speaker.welcome["user"]]
        assert (await named.see("message", id=1))["text"] == "@person07 hello"
        await speaker.say(type="typing", ref="t", **ROOM)
        await speaker.hear("ok", ref="t")
        await named.say(type="quit", reason="unseen")
        await speaker.say(type="quit", reason="bye")
        assert (await watcher.hear("left", "typing"))["names"] == ["person05"]
        await counted(watcher, LEAST - 1)
        assert not any("unseen" in str(frame) for frame in watcher.heard)
    await watcher.close()


async def test_who_comes_back_to_a_crowd_has_what_they_missed(crowded: Server) -> None:
    """They left a room of a few: they are told the count, a few names and all that was said."""
    alice = await Wire.connect(crowded.port, "alice", resumes=True)
    cursor: dict[str, Any] = {key: alice.welcome[key] for key in ("session", "epoch", "seq")}
    alice.writer.transport.abort()
    async with people(crowded, LEAST + 1) as wires:
        for number in range(1, 4):
            await wires[number].ask(type="send", id=number, text=f"missed {number}", **ROOM)
        await counted(wires[0], LEAST + 2)
        alice = await Wire.connect(crowded.port, "alice", resumes=True, resume=cursor)
        names, count = await roster(alice)
        assert count == LEAST + 2
        assert "alice" in names
        assert [(await alice.hear("message"))["text"] for _ in range(3)] == [f"missed {n}" for n in (1, 2, 3)]
    await alice.close()


async def test_the_client_asks_for_names(crowded: Server) -> None:
    """The headless client has the count among what it hears, and the names by asking."""
    async with people(crowded, LEAST), Client("127.0.0.1", crowded.port, "carol", backlog=0) as carol:
        async for batch in carol.batches():
            if any(isinstance(frame, frames.Count | frames.Roster) and frame.count == LEAST + 1 for frame in batch):
                break
        page = await carol.who("general", begins="p", after="person07", limit=2)
        assert (page.names, page.more) == (["person08", "person09"], False)
