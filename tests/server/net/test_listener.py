"""The door: how many come in at one time."""

import asyncio
import socket
import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from server.chat.limits import Limits
from server.cli import loop_factory
from server.net.listener import AT_ONCE, Listener
from server.net.sessions import Sessions

TURNS = 12
"""Of the event loop: some for what comes after a connection is accepted, and far fewer than connections."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows accepts many by one descriptor, in its own time")
@pytest.mark.parametrize("factory", [loop_factory(), asyncio.SelectorEventLoop])
def test_a_crowd_is_let_in_many_a_turn(factory: Any) -> None:
    """By the server's event loop, and by asyncio's own."""
    many = 3 * AT_ONCE

    async def come() -> int:
        chat: Any = SimpleNamespace(limits=Limits())
        listener = Listener(chat, Sessions(), cast("Any", None))
        ((host, port),) = await listener.open("127.0.0.1", 0)
        clients = [socket.create_connection((host, port)) for _ in range(many)]
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
