"""The door: how many come in at one time, and that it is shut when it is closed."""

import asyncio
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from server.chat.limits import Limits
from server.cli import loop_factory
from server.net.listener import AT_ONCE, BACKLOG, Listener
from server.net.sessions import Sessions

TURNS = 12
"""Of the event loop: some for what comes after a connection is accepted, and far fewer than connections."""

LISTENS = 10
"""The state of a socket that takes connections, in Linux."""

LOOPS = pytest.mark.parametrize("factory", [loop_factory(), asyncio.SelectorEventLoop])
"""The server's event loop, and asyncio's own."""


def closed() -> Listener:
    """Return one that is not open yet."""
    chat: Any = SimpleNamespace(limits=Limits())
    return Listener(chat, Sessions(), cast("Any", None))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows accepts many by one descriptor, in its own time")
@LOOPS
def test_a_crowd_is_let_in_many_a_turn(factory: Any) -> None:
    """By the server's event loop, and by asyncio's own."""
    many = 3 * AT_ONCE

    async def come() -> int:
        listener = closed()
        ((host, port),) = await listener.open("127.0.0.1", 0)
        clients = [socket.create_connection((host, port), timeout=5) for _ in range(many)]
        for _ in range(TURNS):
            await asyncio.sleep(0)
        there = len(listener.waiting)
        listener.close()
        for client in clients:
            client.close()
        await asyncio.sleep(0)
        return there

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(come()) == many


@LOOPS
def test_a_door_that_is_closed_is_shut(factory: Any) -> None:
    """Whatever took connections: nobody gets in, and the port is free."""

    async def go() -> None:
        listener = closed()
        ((host, port),) = await listener.open("127.0.0.1", 0)
        listener.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        with socket.socket() as client:
            assert client.connect_ex((host, port)) != 0
        with socket.socket() as other:
            other.bind((host, port))
            other.listen()

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(go())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how many may wait")
@LOOPS
def test_many_may_wait_while_a_door_is_opened(factory: Any) -> None:
    """After a restart everyone comes while it is: who could not wait would try again a second later."""

    def may_wait(listening: Any) -> int:
        told = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
        return int.from_bytes(told[28:], sys.byteorder) if told[0] == LISTENS else 0  # tcpi_state, tcpi_sacked

    async def go() -> list[int]:
        listener, found = closed(), []
        opening = asyncio.ensure_future(listener.open("127.0.0.1", 0))
        while not opening.done():
            await asyncio.sleep(0)
            found += [may_wait(server.sockets[0]) for server in listener._servers[:1]]
        listener.close()
        await asyncio.sleep(0)
        return [many for many in found if many]

    with asyncio.Runner(loop_factory=factory) as runner:
        found = runner.run(go())
    assert found[-1] == min(BACKLOG, int(Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii")))
    assert min(found) >= AT_ONCE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has one descriptor of each socket")
async def test_a_door_that_can_not_be_opened_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A descriptor that the event loop did not take is closed at once, and not when somebody collects it."""
    loop, given = asyncio.get_running_loop(), []

    async def fail(*_: Any, sock: socket.socket, **_settings: Any) -> None:
        given.append(sock)
        raise OSError("too many open files")

    listener = closed()
    with socket.socket() as listening:
        monkeypatch.setattr(loop, "create_server", fail)
        with pytest.raises(OSError, match="too many"):
            await listener._open_beside(listening, BACKLOG)
    assert [same.fileno() for same in given] == [-1]
