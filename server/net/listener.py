"""The listening sockets."""

import asyncio
import errno
import socket
from typing import Final

from server.chat.chat import Chat
from server.net.session import Session, Sessions

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: everyone comes back at once after a restart. The system may hold less."""


class ListenError(Exception):
    """The address can't be listened on. The text says why and what to do, on one line."""


class Listener:
    """Takes connections at one address."""

    def __init__(self, chat: Chat, sessions: Sessions) -> None:
        self._chat = chat
        self._sessions = sessions
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> list[tuple[str, int]]:
        """Listen, and return the addresses with the port that was got; ListenError where that is not possible."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: Session(self._chat, self._sessions), host, port, backlog=BACKLOG, start_serving=False
            )
            await self._server.start_serving()
        except (OSError, OverflowError) as error:
            raise ListenError(_why(host, port, error)) from error
        return [listening.getsockname()[:2] for listening in self._server.sockets]

    def close(self) -> None:
        """Take no more connections; those there are stay."""
        if self._server is not None:
            self._server.close()


def _why(host: str, port: int, error: Exception) -> str:
    at = f"{host}:{port}"
    if isinstance(error, socket.gaierror):
        return f"{host} is no address of this machine that can be found. Give --host an address or a name."
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"{at} is taken by another program. Give another --port, or 0 for a free one."
    if number == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Give --host one of its own, or 0.0.0.0 for all."
    if number == errno.EACCES:
        return f"{at} may not be used by this user. Give a --port of 1024 or more."
    return f"{at} can't be listened on: {error}."
