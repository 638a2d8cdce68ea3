"""Edits, deletes and reactions inside a gap: who missed more than is delivered has them right afterwards, once."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from support import PATIENCE, Server

from chat_tui.client import Client, Refused
from chat_tui.session import Session
from chat_tui.state.chat import Chat
from chat_tui.state.entries import DELETED, EDITED, NOTICE, PINNED
from chat_tui.state.link import Address, Phase
from server.protocol import frames, limits
from server.protocol.errors import Code

MISSED = 10_100
"""Messages: more than are delivered to one who comes back."""


async def test_what_happens_inside_a_gap_is_right_afterwards(server: Server, tmp_path: Path) -> None:
    """Alice is away while Bob says more than is delivered, and changes old and new messages; then she reads it all."""
    dice = random.Random(5)
    news = asyncio.Event()
    alice = Session(Address("127.0.0.1", server.port), Chat("alice"), tmp_path, lambda _changed: news.set())
    room = alice.chat.current
    room.timeline.listeners.append(lambda *_splice: news.set())

    async def until(holds: Callable[[], bool]) -> None:
        while not holds():
            news.clear()
            await news.wait()

    running = asyncio.create_task(alice.run())
    async with Client("127.0.0.1", server.port, "bob", backlog=0) as bob, asyncio.timeout(3 * PATIENCE):
        await until(lambda: alice.link.phase is Phase.ONLINE)
        early = [(await bob.send(f"early {number}")).seq for number in range(60)]
        await until(lambda: room.timeline.newest >= early[-1])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await alice.client.close()
        said = {seq: f"early {number}" for number, seq in enumerate(early)}
        late: list[int] = []
        for start in range(0, MISSED, 500):
            sent = await asyncio.gather(*(bob.send(f"late {n}") for n in range(start, min(start + 500, MISSED))))
            late += [one.seq for one in sent]
            said |= {one.seq: f"late {start + number}" for number, one in enumerate(sent)}
            for seq in dice.sample(early + late, 4):
                await _change(bob, seq, dice)
        running = asyncio.create_task(alice.run())
        await until(lambda: alice.link.phase is Phase.ONLINE and room.timeline.newest >= late[-1])
        assert any("Too much was missed" in entry.text for entry in room.timeline.entries if entry.flags & NOTICE)
        for seq in dice.sample(early + late, 10):  # and while she pages back
            await _change(bob, seq, dice)
            await alice.older()
        while room.timeline.more:
            await alice.older()
        truth = await _all(bob)
        last = (await bob.send("the end")).seq
        await until(lambda: room.timeline.newest >= last)
        held = {entry.seq: entry for entry in room.timeline.entries if not entry.flags & NOTICE}
        assert held.keys() == truth.keys() | {last}
        for seq, message in truth.items():
            entry = held[seq]
            more = entry.more
            assert bool(entry.flags & DELETED) is message.deleted, seq
            if not message.deleted:
                assert (entry.text, bool(entry.flags & EDITED)) == (message.text, message.edited), seq
                assert bool(entry.flags & PINNED) is message.pinned, seq
            assert (more.reactions if more is not None else {}) == message.reactions, seq
        gone = [seq for seq, message in truth.items() if message.deleted]
        edited = next(message for message in truth.values() if message.edited and not message.deleted)
        for seq, text, found in ((gone[0], said[gone[0]], False), (edited.seq, edited.text, True)):
            answer = await alice.search(frames.Search(text=f'"{text}"'))
            assert (seq in [message.seq for message in answer.messages]) is found
    await alice.quit()
    await running


async def _change(bob: Client, seq: int, dice: random.Random) -> None:
    """Do something to a message; what is deleted already stays so."""
    try:
        match dice.randrange(4):
            case 0:
                await bob.edit("general", seq, f"edited {dice.randrange(1000)}")
            case 1:
                await bob.react("general", seq, dice.choice(["tada", "heart"]), on=dice.random() < 0.7)
            case 2:
                await bob.pin("general", seq, on=dice.random() < 0.7)
            case _:
                await bob.delete("general", seq)
    except Refused as refusal:
        assert refusal.code == Code.NO_SUCH_MESSAGE  # it is deleted already


async def _all(client: Client) -> dict[int, frames.Message]:
    """Read the whole room."""
    messages: dict[int, frames.Message] = {}
    page = await client.history("general", after=0, limit=limits.PAGE_MOST)
    while page.messages:
        messages |= {message.seq: message for message in page.messages}
        page = await client.history("general", after=page.messages[-1].seq, limit=limits.PAGE_MOST)
    return messages
