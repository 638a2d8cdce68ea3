"""The listening sockets, and the door: TLS and plain lines come in by the same one, and the first byte tells which."""

import asyncio
import errno
import socket
import ssl
import sys
from typing import Final, cast

from server.chat.chat import Chat
from server.net.origins import is_loopback
from server.net.secured import Secured
from server.net.session import CLOSE_SECONDS, Session
from server.net.sessions import Sessions
from server.protocol.codec import encode
from server.protocol.errors import Code
from server.protocol.frames import Error

TLS: Final = 0x16
"""The first byte of TLS: a handshake's record. No line begins with it."""

DENIED: Final = bytes((0x15, 3, 3, 0, 2, 2, 49))
"""TLS's alert `access_denied`, for who has not agreed on any key yet (RFC 8446, section 6)."""

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: everyone comes back at once after a restart. The system may hold less."""

AT_ONCE: Final = 16
"""Connections that are accepted in one turn of the event loop: a thousand turns with a newcomer cost more than sixty
with many. asyncio's own loop also logs as often that this process may open no more files."""


def _ways_in(loop: asyncio.AbstractEventLoop) -> tuple[int, int]:
    """Return the backlog that an event loop is told, and how many descriptors it gets beside a socket's own.

    asyncio's own accepts as many in a turn as the backlog says, uvloop one by each descriptor. Windows takes a socket
    but once, and has many accepted by that.
    """
    if isinstance(loop, asyncio.BaseEventLoop):
        return AT_ONCE, 0
    return BACKLOG, 0 if sys.platform == "win32" else AT_ONCE - 1


class ListenError(Exception):
    """The address can't be listened on. The text says why and what to do, on one line."""


class Listener:
    """Takes connections at one address.

    Args:
        chat: what they are for.
        sessions: where they are kept.
        context: the server's side of TLS. Set anew, it holds for connections that come then.
    """

    def __init__(self, chat: Chat, sessions: Sessions, context: ssl.SSLContext) -> None:
        self.chat = chat
        self.sessions = sessions
        self.context = context
        self.waiting: set[Door] = set()
        """Connections that have said nothing yet, or are turned away."""
        self._servers: list[asyncio.Server] = []

    async def open(self, host: str, port: int) -> list[tuple[str, int]]:
        """Listen, and return the addresses with the port that was got; ListenError where that is not possible."""
        loop = asyncio.get_running_loop()
        backlog, more = _ways_in(loop)
        try:
            server = await loop.create_server(self._door, host, port, backlog=backlog, start_serving=False)
            self._servers.append(server)
            await server.start_serving()
            for listening in server.sockets:
                with socket.fromfd(listening.fileno(), listening.family, listening.type) as same:
                    same.listen(BACKLOG)
                    # Who is accepted has this from here. That no message waits for the one before it to be
                    # acknowledged by TCP, event loops see to.
                    same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    for _ in range(more):
                        await self._open_beside(same, backlog)
        except (OSError, OverflowError) as error:
            raise ListenError(_why(host, port, error)) from error
        return [listening.getsockname()[:2] for listening in server.sockets]

    def close(self) -> None:
        """Take no more connections; those that have said something stay."""
        for server in self._servers:
            server.close()
        for door in list(self.waiting):
            door.abort()

    async def _open_beside(self, listening: socket.socket, backlog: int) -> None:
        """Listen by another descriptor of a socket."""
        same = listening.dup()
        try:
            server = await asyncio.get_running_loop().create_server(self._door, sock=same, backlog=backlog)
        except BaseException:
            same.close()
            raise
        self._servers.append(server)

    def _door(self) -> "Door":
        return Door(self)


class Door(asyncio.Protocol):
    """A connection that has said nothing yet.

    Its first byte says what it speaks, and so in what it is answered, also where it may not come in. It becomes a
    session with all that it has said, or ends.
    """

    __slots__ = ("_host", "_house", "_refusal", "_refused", "_timer", "_transport")

    def __init__(self, house: Listener) -> None:
        self._house = house
        self._refusal: Error | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is at the door."""
        house, limits = self._house, self._house.chat.limits
        self._transport = cast("asyncio.Transport", transport)
        house.waiting.add(self)
        peername = transport.get_extra_info("peername")
        self._host = str(peername[0]) if peername else ""
        seconds = limits.hello
        silent = Error(code=Code.HELLO_TIMEOUT, message=f"Nobody said hello in {seconds:g} seconds.")
        if not house.sessions.origins.enter(self._host, limits):
            message = f"There are {limits.connections} connections from your address. Try again later."
            self._refusal = silent = Error(code=Code.TOO_MANY_CONNECTIONS, message=message)
            seconds = CLOSE_SECONDS
        self._timer = asyncio.get_running_loop().call_later(seconds, self._refuse, silent, False)

    def data_received(self, data: bytes) -> None:
        """They have said something: let them in, or say why not. What else one says who may not is not looked at."""
        if self._refused:
            return
        secure = data[0] == TLS
        if self._refusal is not None:
            self._refuse(self._refusal, secure)
        elif not secure and not is_loopback(self._host):
            message = "This server takes plain lines from its own machine alone. Connect with TLS."
            self._refuse(Error(code=Code.TLS_REQUIRED, message=message), secure)
        else:
            self._let_in(data, secure)

    def connection_lost(self, _error: Exception | None) -> None:
        """They are gone before they were let in."""
        self._timer.cancel()
        self._house.waiting.discard(self)
        if self._refusal is None:
            self._house.sessions.origins.leave(self._host)

    def abort(self) -> None:
        """End it now."""
        self._transport.abort()

    def _let_in(self, data: bytes, secure: bool) -> None:
        self._timer.cancel()
        house, transport = self._house, self._transport
        house.waiting.discard(self)
        session = Session(house.chat, house.sessions, secure=secure)
        speaks = Secured(transport, session, house.context) if secure else session
        session.connection_made(speaks if isinstance(speaks, Secured) else transport)
        transport.set_protocol(speaks)
        speaks.data_received(data)

    def _refuse(self, why: Error, secure: bool) -> None:
        """Say why they may not come in, and end it a little later.

        What they have said is taken off the socket till then: closed with bytes unread, the system would tear the
        connection down, and what they were told with it.
        """
        self._timer.cancel()
        self._refused = True
        self._transport.write(DENIED if secure else encode(why))
        self._transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)


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
