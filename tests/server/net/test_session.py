"""A session at its edges, in this process: real sockets, real log, short times."""

import asyncio
import contextlib
import gc
import socket
import weakref
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from support import PATIENCE, Wire

from server.archive.reader import ThreadedArchive
from server.archive.search import SearchIndex
from server.chat.chat import Chat
from server.chat.limits import Limits
from server.chat.ports import Link
from server.chat.world import Peer
from server.identity.passwords import ArgonPasswords
from server.log.sqlite import SqliteLog
from server.log.writer import Writer
from server.net import origins, session, sessions, tls
from server.net.listener import Listener
from server.net.sessions import Sessions
from server.protocol.errors import Code
from server.record.entries import Entry


class Seen(Peer):
    """A connection's peer that one can look after."""

    __slots__ = ("__weakref__",)


@pytest.fixture
def limits() -> Limits:
    """The server's limits, where a test names no others. Without those of rate: tests are quicker than people."""
    return Limits.off()


@pytest.fixture
async def port(tmp_path: Path, limits: Limits) -> AsyncIterator[int]:
    """A server in this process, and its port."""
    log = SqliteLog(tmp_path / "chat.db")
    index = SearchIndex(tmp_path / "chat.db", tmp_path / "search.db", lambda _seqs: None)
    archive = ThreadedArchive(tmp_path / "chat.db", index)
    chat = Chat(log, archive, log.open(), "test", limits, passwords=ArgonPasswords())
    sessions = Sessions()
    log.start(chat.committed)
    listener = Listener(chat, sessions, tls.own(tmp_path / "tls.key", tmp_path / "tls.crt"))
    beating = asyncio.create_task(sessions.keep_beating())
    (_, number), *_ = await listener.open("127.0.0.1", 0)
    yield number
    beating.cancel()
    listener.close()
    chat.stop_taking()
    await log.close()
    chat.shut_down(list(sessions), "end of test")
    async with asyncio.timeout(PATIENCE):
        await sessions.empty.wait()
    await archive.close()


@pytest.mark.parametrize("limits", [Limits(hello=0.05)])
async def test_who_says_nothing_is_sent_away(port: int) -> None:
    """With a reason, after the time to say hello."""
    wire = await Wire.connect(port)
    assert [frame["code"] for frame in await wire.rest()] == ["hello_timeout"]
    await wire.close()


@pytest.mark.parametrize("limits", [Limits(name=0.05)])
async def test_who_is_never_welcomed_is_sent_away(port: int) -> None:
    """Talking without a name buys time once, not for ever."""
    wire = await Wire.connect(port)
    await wire.say(type="ping")
    frames = await wire.rest()
    assert frames[0] == {"type": "pong"}
    assert frames[-1]["code"] == "hello_timeout"
    await wire.close()


@pytest.mark.parametrize("limits", [Limits(hello=0.05, name=0.2), Limits(hello=9, name=0.2)])
async def test_who_has_spoken_has_the_time_for_that(port: int) -> None:
    """Whether it is more than was left for a first word, or less."""
    wire = await Wire.connect(port)
    began = asyncio.get_running_loop().time()
    await wire.say(type="ping")
    assert (await wire.rest())[-1]["message"] == "Nobody said hello in 0.2 seconds."
    assert 0.15 < asyncio.get_running_loop().time() - began < 5
    await wire.close()


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("limits", [Limits(grace=0)])
async def test_who_goes_leaves_nothing_behind(port: int, tls: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that was kept of a connection is free when it ends, not when Python next looks for garbage."""
    free = asyncio.Event()

    def seen(link: Link) -> Peer:
        peer = Seen(link)
        weakref.finalize(peer, free.set)
        return peer

    monkeypatch.setattr(session, "Peer", seen)
    wire = await Wire.connect(port, tls=tls)
    await wire.ask(type="hello", name="alice")
    await wire.ask(type="join", room="tea")
    assert not free.is_set()
    gc.disable()
    try:
        await wire.close()
        await asyncio.wait_for(free.wait(), PATIENCE)
    finally:
        gc.enable()


@pytest.mark.parametrize("limits", [Limits(grace=0.05)])
async def test_a_name_is_free_again_after_the_grace_time(port: int) -> None:
    """Who does not come back has lost the connection, and is told so to the others."""
    bob, alice = await Wire.connect(port, "bob"), await Wire.connect(port, "alice", resumes=True)
    await bob.hear_of("joined", "alice")
    alice.writer.transport.abort()
    assert (await bob.hear_of("left", "alice"))["reason"] == "connection lost"
    again = await Wire.connect(port, "alice")
    assert again.welcome["user"] != alice.welcome["user"]
    for wire in (again, bob):
        await wire.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look whether clients are there twenty times a second."""
    monkeypatch.setattr(sessions, "BEAT", 0.05)


@pytest.mark.parametrize("tls", [False, True])
async def test_who_is_not_heard_has_lost_the_connection(quick: None, port: int, tls: bool) -> None:
    """Pinged, given up, and told to the others at once; who answers, or said that it answers no ping, stays."""
    bob = await Wire.connect(port, "bob")
    nc = await Wire.connect(port, "nc", ping=False, tls=tls)
    gone = await Wire.connect(port, "gone", resumes=True, tls=tls)

    async def answer() -> str:
        while True:
            frame = await bob.hear("ping", "left")
            if frame["type"] == "left":
                return f"{frame['names']} {frame['reason']}"
            await bob.say(type="pong")

    assert await asyncio.wait_for(answer(), PATIENCE) == "['gone'] connection lost"
    assert [frame["type"] for frame in await gone.rest()][-1] == "ping"
    await nc.say(type="send", room="general", text="still here", ref="r")
    await nc.hear("ok", ref="r")
    assert not any(frame["type"] == "ping" for frame in nc.heard)
    for wire in (bob, nc, gone):
        await wire.close()


async def test_a_room_that_could_not_be_made_holds_nobody_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wanted it is told to try again, and goes on."""
    wire = await Wire.connect(port, "wire")
    work, failures = Writer.write, iter([True])

    def fail_once(writer: Writer, entries: list[Entry]) -> None:
        if next(failures, False):
            raise apsw.FullError("database or disk is full")
        work(writer, entries)

    monkeypatch.setattr(Writer, "write", fail_once)
    await wire.raw(b'{"type":"join","room":"new","ref":"j"}\n{"type":"ping"}\n{"type":"join","room":"new","ref":"k"}\n')
    assert (await wire.hear("error", ref="j"))["code"] == "try_again"
    await wire.hear("pong")
    await wire.hear("ok", ref="k")
    await wire.close()


@pytest.mark.parametrize("limits", [Limits(rooms=2)])
async def test_nobody_is_in_more_rooms_than_a_welcome_can_name(port: int) -> None:
    """Those one is in already may be joined again."""
    wire = await Wire.connect(port, "wire")
    for room, answer in (("one", "ok"), ("two", "error"), ("one", "ok")):
        await wire.say(type="join", room=room, ref=room)
        assert (await wire.hear("ok", "error", ref=room))["type"] == answer
    await wire.close()


async def fill(bob: Wire, slow: Wire) -> int:
    """Say so much that what a reader who does not read can hold is full; return how many messages."""
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
    # Left to itself, the system takes all of it at times.
    slow.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    count = 600
    for number in range(1, count + 1):
        await bob.say(type="send", room="general", id=number, text=f"{number}" + "x" * 10_000)
    await bob.hear("message", id=count)
    return count


@pytest.mark.parametrize("tls", [False, True])
async def test_a_reader_that_stalls_gets_everything_later(
    port: int, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """While it does not read, others are served and it holds little; then it has every message, in order."""
    monkeypatch.setattr(session, "BUFFER", 4096)
    bob = await Wire.connect(port, "bob")
    slow = await Wire.connect(port, "slow", tls=tls)
    count = await fill(bob, slow)
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
    texts = [(await slow.hear("message"))["text"].rstrip("x") for _ in range(count)]
    assert texts == [str(number) for number in range(1, count + 1)]
    for wire in (slow, bob):
        await wire.close()


@pytest.mark.parametrize("limits", [replace(Limits.off(), stalled=0.2, grace=0.05)])
@pytest.mark.parametrize("talks", [False, True])
@pytest.mark.parametrize("tls", [False, True])
async def test_a_reader_that_takes_nothing_is_ended_and_may_resume(
    quick: None, port: int, monkeypatch: pytest.MonkeyPatch, talks: bool, tls: bool
) -> None:
    """Also one that answers no ping, and one that is heard all the time; nothing is lost or doubled by it."""
    monkeypatch.setattr(session, "BUFFER", 4096)
    bob = await Wire.connect(port, "bob", ping=False)
    slow = await Wire.connect(port, "slow", ping=talks, tls=tls)
    count = await fill(bob, slow)

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            while talks:
                await slow.raw(b" ")
                await asyncio.sleep(0.005)

    talking = asyncio.create_task(drip())
    left = await bob.see("left")  # on a slow machine while bob was still talking
    assert (left["names"], left["reason"]) == (["slow"], "connection lost")
    await talking if talks else None
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
    with contextlib.suppress(EOFError, ConnectionError, AssertionError):  # the end may stand within a line
        while True:
            await slow.next()
    seen = [frame["seq"] for frame in slow.heard if frame["type"] == "message"]
    cursor = seen[-1] if seen else slow.welcome["seq"]
    resume = {"session": slow.welcome["session"], "epoch": slow.welcome["epoch"], "seq": cursor}
    again = await Wire.connect(port, "slow", resume=resume)
    seen += [(await again.hear("message"))["seq"] for _ in range(count - len(seen))]
    assert seen == sorted(frame["seq"] for frame in bob.heard if frame["type"] == "message")
    for wire in (slow, again, bob):
        await wire.close()


@pytest.mark.parametrize("limits", [replace(Limits.off(), stalled=0.2)])
async def test_who_reads_again_in_time_is_told_why_it_was_ended(
    quick: None, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason stands behind all that was written before."""
    ended, end = asyncio.Event(), Chat.end

    def note(chat: Chat, peer: Peer, code: Code, message: str) -> None:
        end(chat, peer, code, message)
        ended.set()

    monkeypatch.setattr(Chat, "end", note)
    monkeypatch.setattr(session, "BUFFER", 4096)
    monkeypatch.setattr(session, "CLOSE_SECONDS", PATIENCE)
    bob, slow = await Wire.connect(port, "bob", ping=False), await Wire.connect(port, "slow", ping=False)
    await fill(bob, slow)
    await asyncio.wait_for(ended.wait(), PATIENCE)
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert (await slow.rest())[-1]["code"] == "stalled"
    for wire in (slow, bob):
        await wire.close()


@pytest.mark.parametrize("limits", [Limits(connections=1)])
async def test_one_more_than_an_address_may_have_is_turned_away(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told why, whatever it has said already, and nothing of that is acted on; there is room when one leaves."""
    monkeypatch.setattr(origins, "_origin", lambda _host: b"not this machine")
    first, more = await Wire.connect(port, "first"), await Wire.connect(port)
    await more.raw(b'{"type":"hello","name":"more"}\n' * 100)
    assert [frame["code"] for frame in await more.rest()] == ["too_many_connections"]
    await more.close()
    await first.say(type="quit")
    await first.rest()
    again = await Wire.connect(port, "again")
    assert not any("more" in frame.get("names", ()) for frame in first.heard)
    for wire in (first, again):
        await wire.close()


@pytest.mark.parametrize("limits", [Limits(unanswered=2)])
async def test_requests_wait_for_answers_and_none_is_forgotten(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once, no more are under way than may be."""
    most, append = 0, SqliteLog.append

    def watch(log: SqliteLog, entry: Entry) -> None:
        nonlocal most
        append(log, entry)
        most = max(most, entry.peer.open if isinstance(entry.peer, Peer) else 0)

    monkeypatch.setattr(SqliteLog, "append", watch)
    wire = await Wire.connect(port, "wire")
    await wire.raw(b'{"type":"send","room":"general","text":"x","ref":"r"}\n' * 50)
    for _ in range(50):
        await wire.hear("ok", ref="r")
    assert most == 2
    await wire.close()


async def test_who_has_caught_up_is_asked_before_it_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose buffer was full at a look was not pinged then; at the next it is not gone for having said nothing."""
    there: list[session.Session] = []
    add = Sessions.add

    def note(sessions: Sessions, one: session.Session) -> None:
        there.append(one)
        add(sessions, one)

    monkeypatch.setattr(Sessions, "add", note)
    slow = await Wire.connect(port, "slow")
    there[0].beat()
    there[0].pause_writing()
    there[0].beat()
    there[0].resume_writing()
    there[0].beat()
    there[0].beat()
    await slow.hear("ping")
    await slow.say(type="pong")
    await slow.say(type="send", room="general", text="still here", ref="r")
    await slow.hear("ok", ref="r")
    await slow.close()
