"""The headless client against a real server."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from support import PATIENCE, Server

from chat_tui.client import Client, Lost, NotConnected, Refused, Unreachable
from server.protocol import frames

T = TypeVar("T")


async def first(chat: Client, kind: type[T], true: Callable[[T], bool] = lambda _: True) -> T:
    """Return the next frame of a kind for which `true` holds."""
    async with asyncio.timeout(PATIENCE):
        async for frame in chat.events():
            if isinstance(frame, kind) and true(frame):
                return frame
    raise EOFError


async def test_a_message_is_durable_when_send_returns_and_reaches_others(server: Server) -> None:
    """With its place in the log, and nobody has to listen for it."""
    async with Client("127.0.0.1", server.port, "alice") as alice, Client("127.0.0.1", server.port, "bob") as bob:
        sent = await alice.send("hi", me=True)
        message = await first(bob, frames.Message)
        assert (message.seq, message.sender, message.text, message.me) == (sent.seq, "alice", "hi", True)
        page = await bob.history(limit=1)
        assert [entry.seq for entry in page.messages] == [sent.seq]


async def test_many_messages_keep_their_order(server: Server) -> None:
    """Sent without waiting for one another."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        sent = await asyncio.gather(*(alice.send(str(number)) for number in range(200)))
        assert [one.seq for one in sent] == sorted(one.seq for one in sent)
        assert alice.unconfirmed == []


async def test_a_name_that_is_taken_can_be_changed_on_the_same_connection(server: Server) -> None:
    """The refusal names the conflict; so does that of a nick."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        other = Client("127.0.0.1", server.port, "Alice")
        with pytest.raises(Refused, match="alice is taken"):
            await other.connect()
        other.name = "bob"
        assert (await other.connect()).name == "bob"
        with pytest.raises(Refused) as refusal:
            await other.nick("аlice")  # with a Cyrillic а
        assert refusal.value.code == "name_taken"
        await other.nick("Bobby")
        assert (await first(alice, frames.Renamed)).new == other.name == "Bobby"
        await other.quit("lunch")
        assert (await first(alice, frames.Left)).reason == "lunch"


async def test_rooms_can_be_entered_and_left(server: Server) -> None:
    """And what can't be a room is refused."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        await alice.join("dev")
        await alice.send("in dev", room="dev")
        await alice.leave("dev")
        with pytest.raises(Refused):
            await alice.send("still?", room="dev")
        with pytest.raises(Refused):
            await alice.join("no spaces")


async def test_after_a_crash_of_the_server_the_session_and_what_was_written_go_on(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Killed and started again: the name is ours, what others said comes, what was posted meanwhile is sent once."""
    server = start_server(data=tmp_path / "d")
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    before = await alice.send("before")
    session = alice.session
    server.stop(signal.SIGKILL)
    async for _ in alice.batches():
        pass
    assert isinstance(alice.ended, Lost)
    assert not alice.connected
    with pytest.raises(NotConnected):
        await alice.send("not now")
    alice.post("meanwhile")
    with pytest.raises(Unreachable, match="Nothing listens"):
        await alice.reconnect()
    start_server(data=tmp_path / "d", port=server.port)
    await alice.reconnect()
    assert alice.session == session
    message = await first(alice, frames.Message)
    assert (message.text, message.seq > before.seq) == ("meanwhile", True)
    page = await alice.history()
    assert [entry.text for entry in page.messages] == ["before", "meanwhile"]
    await alice.quit()


async def test_a_server_that_does_not_know_the_session_is_entered_anew(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Another server at the same address: a new session, and what was on its way is not sent by itself."""
    server = start_server(data=tmp_path / "one")
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    session = alice.session
    server.stop(signal.SIGKILL)
    alice.post("was it taken?")  # written to a connection whose end nobody has noticed
    async for _ in alice.batches():
        pass
    alice.post("later")
    start_server(data=tmp_path / "two", port=server.port)
    await alice.reconnect()
    assert alice.session != session
    assert [message.text for message in alice.unsure] == ["was it taken?"]
    assert (await first(alice, frames.Message)).text == "later"
    await alice.quit()


async def test_a_shutdown_is_told(start_server: Callable[..., Server]) -> None:
    """Those who wait learn it, too."""
    server = start_server()
    alice = Client("127.0.0.1", server.port, "alice")
    await alice.connect()
    stopping = asyncio.create_task(asyncio.to_thread(server.stop))
    async for _ in alice.batches():
        pass
    assert isinstance(alice.ended, Lost)
    assert alice.ended.shutdown
    await stopping


async def test_what_can_not_be_a_message_is_refused_before_it_is_sent(server: Server) -> None:
    """Empty, or longer than a message may be."""
    async with Client("127.0.0.1", server.port, "alice") as alice:
        for text in ("", " \n", "x" * 20_000):
            with pytest.raises(Refused):
                alice.post(text)
        assert alice.unconfirmed == []
