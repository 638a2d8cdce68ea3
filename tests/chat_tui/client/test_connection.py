"""The client against servers that misbehave: a script of lines on a loopback socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from support import PATIENCE, introduce

from chat_tui.client import Client, Lost, NotAChatServer
from server.protocol import codec, frames

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WELCOME = codec.encode(frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=0, rooms=["general"]))


@asynccontextmanager
async def serving(script: Script, *, introduced: bool = True) -> AsyncIterator[Client]:
    """Run a script for whoever connects, after it has said who it is, and yield a client that has not connected yet."""
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        if introduced:
            await introduce(reader, writer)
        await script(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = Client("127.0.0.1", server.sockets[0].getsockname()[1], "alice", patience=PATIENCE)
    async with asyncio.timeout(PATIENCE):
        yield client
    await client.close()
    server.close()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*filter(None, serving), return_exceptions=True)


def message(seq: int, text: str, id: int = 0) -> bytes:
    """Return the line of a message of mine."""
    return codec.encode(
        frames.Message(
            seq=seq, room="general", user=1, sender="alice", time="2026-11-21T09:00:00.000Z", text=text, id=id or 1
        )
    )


async def test_something_else_that_answers_is_named() -> None:
    """A web server is no chat server."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(script, introduced=False) as client:
        with pytest.raises(NotAChatServer):
            await client.connect()


async def test_a_connection_that_is_closed_at_once_is_lost() -> None:
    """Without a word."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()

    async with serving(script) as client:
        with pytest.raises(Lost):
            await client.connect()


async def test_lines_that_make_no_sense_are_told_once_and_left_out() -> None:
    """New types are left out silently; nothing crashes, and what follows is heard."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(
            WELCOME + b'{"type":"new"}\n\xff\xfe\n{"type":"message"}\n\n' + b"x" * 100_000 + b"\n" + message(1, "end")
        )

    async with serving(script) as client:
        await client.connect()
        heard = [frame async for frame in client.events()]
        assert [type(frame).__name__ for frame in heard] == ["Welcome", "Error", "Message"]
        assert isinstance(client.ended, Lost)


async def test_no_string_of_a_server_reaches_the_terminal_uncleaned() -> None:
    """One choke point: names, reasons, texts, pages."""
    evil = "\x1b[2J\u202e\x9b31m\x07"
    lines = [
        message(1, evil),
        codec.encode(frames.Joined(room=evil, names=[evil])),
        codec.encode(frames.Left(room="general", names=["x"], reason=evil)),
        codec.encode(frames.Renamed(user=2, old=evil, new=evil)),
        codec.encode(frames.Error(code=evil, message=evil)),
        b'{"type":"history","room":"general","more":false,"as_of":1,"messages":[' + message(1, evil).strip() + b"]}\n",
        codec.encode(frames.Shutdown(reason=evil)),
    ]

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(WELCOME + b"".join(lines))

    async with serving(script) as client:
        await client.connect()
        heard = [frame async for frame in client.events()]
        assert len(heard) == 1 + len(lines)
        for frame in heard:
            assert not any(escaped in repr(frame) for escaped in ("\\x1b", "\\u202e", "\\x9b", "\\x07"))


async def test_a_message_the_server_could_not_take_is_sent_again_with_those_after_it() -> None:
    """In order, with the same ids, until it is taken."""
    ids: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(WELCOME)
        for seq in range(4):
            sent = codec.decode_client(await reader.readline())
            assert isinstance(sent, frames.Send)
            assert isinstance(sent.id, int)
            ids.append(sent.id)
            if seq < 2:
                writer.write(codec.encode(frames.Error(code="try_again", message="Busy.", room="general", id=sent.id)))
            else:
                writer.write(message(seq, sent.text, sent.id))

    async with serving(script) as client:
        await client.connect()
        sent = await asyncio.gather(client.send("one"), client.send("two"))
        assert [one.seq for one in sent] == [2, 3]
        assert ids[:2] == ids[2:]
        assert ids[0] < ids[1]


async def test_pings_are_answered() -> None:
    """Without the listener's doing, and it does not see them."""
    answers: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(WELCOME + b'{"type":"ping","seq":9}\n')
        answers.append(await reader.readline())

    async with serving(script) as client:
        await client.connect()
        assert [type(frame).__name__ async for frame in client.events()] == ["Welcome"]
        assert answers == [b'{"type":"pong"}\n']
        assert client.seq == 9


async def test_a_reader_that_is_behind_holds_the_server_up() -> None:
    """Memory is bounded: reading stops, and goes on without a loss."""
    count, sent = 40_000, 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readline()
        writer.write(WELCOME)
        for start in range(1, count, 1000):
            writer.write(b"".join(message(seq, "x" * 1000) for seq in range(start, start + 1000)))
            await writer.drain()
            sent += 1000

    async with serving(script) as client:
        await client.connect()
        batches = client.batches()
        seen = len(await anext(batches)) - 1  # the welcome
        before = -1
        while before < sent:
            before = sent
            for _ in range(100):  # turns of the loop in which nobody reads
                await asyncio.sleep(0)
        assert sent < count
        async for batch in batches:
            seen += len(batch)
        assert seen == count


async def test_a_client_closed_with_unsent_data_comes_back() -> None:
    """What the server does not read is dropped when closing takes too long; it is sent on the next connection."""
    seen = 0
    taken = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        await reader.readline()
        writer.write(WELCOME)
        if seen == 1:
            await taken.wait()  # reads nothing more
        else:
            await reader.readline()
            taken.set()

    async with serving(script) as client:
        await client.connect()
        for _ in range(1000):
            client.post("x" * 16_000)
        await client.close()
        assert not client.connected
        await client.reconnect()
        await taken.wait()
        assert seen == 2
        assert len(client.unconfirmed) == 1000


async def test_a_connection_that_is_being_closed_is_not_used_again() -> None:
    """Whoever was too impatient to wait for its end gets another one, and the end of the old one changes nothing."""
    hellos = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal hellos
        await reader.readline()
        hellos += 1
        writer.write(WELCOME)
        await reader.read()

    async with serving(script) as client:
        await client.connect()
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        await client.reconnect()
        await closing
        assert client.connected
        assert hellos == 2


async def test_only_pages_that_did_not_come_are_asked_for_on_coming_back() -> None:
    """Up to where the first connection began: what came after is delivered."""
    page = codec.encode(frames.History(room="general", messages=[], more=False, as_of=7))
    welcome = codec.encode(
        frames.Welcome(name="alice", user=1, session="s", epoch="e", seq=7, rooms=["dev", "general"])
    )
    asked: list[frames.ClientFrame] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = codec.decode_client(await reader.readline())
        assert isinstance(hello, frames.Hello)
        writer.write(welcome if hello.resume is None else welcome.replace(b"}", b',"resumed":true}'))
        if hello.resume is None:
            writer.write(page + message(9, "live"))
        else:
            assert (hello.resume.epoch, hello.resume.seq) == ("e", 9)
            asked.append(codec.decode_client(await reader.readline()))

    async with serving(script) as client:
        await client.connect()
        assert len([frame async for frame in client.events()]) == 3
        await client.reconnect()
        assert len([frame async for frame in client.events()]) == 1
        assert asked == [frames.HistoryRequest(room="dev", before=8)]
