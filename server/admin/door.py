"""The way in for whoever runs a server: over TLS to the one that runs, or into its data directory where none does."""

import asyncio
import contextlib
import itertools
import secrets
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec

from server.chat.world import Peer
from server.config import Config
from server.data import DataDirectory, InUseError, Listening
from server.engine import Engine
from server.net.tls import der
from server.protocol import frames, limits
from server.protocol.codec import decode_server, encode
from server.protocol.errors import ProtocolError

PATIENCE: Final = 10.0
"""Seconds to wait for a server that is starting or ending just now."""

AGAIN: Final = 0.1
"""Seconds between two tries."""

FINISH: Final = 60.0
"""Seconds to wait until what was erased has left the files; what is left then, the next start does."""


class ShellError(Exception):
    """What was asked for was not done. The text says why, on one line."""


class Door(ABC):
    """A connection as whoever runs the server, that asks one thing at a time."""

    def __init__(self) -> None:
        self._refs = itertools.count(1)

    async def ask(self, request: frames.Request) -> frames.ServerFrame:
        """Return the answer to a request; ShellError where it is refused, or none comes."""
        request.ref = str(next(self._refs))
        await self._send(encode(request))
        while True:
            try:
                answer = decode_server(await self._next())
            except ProtocolError as error:
                raise ShellError(f"The server answers in a way that is not understood: {error}") from error
            if isinstance(answer, frames.Error):
                raise ShellError(answer.message)
            if isinstance(answer, frames.Shutdown):
                raise ShellError("The server ended meanwhile. Try again.")
            if getattr(answer, "ref", None) == request.ref:
                return answer

    async def come_in(self, token: str) -> None:
        """Say who is here."""
        await self.ask(frames.Hello(token=token, ping=False, backlog=0))

    @abstractmethod
    async def _send(self, line: bytes) -> None: ...

    @abstractmethod
    async def _next(self) -> bytes:
        """Return the next line from the server."""


class _Running(Door):
    """The way into a server that runs."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self._reader, self._writer = reader, writer

    async def _send(self, line: bytes) -> None:
        self._writer.write(line)
        with contextlib.suppress(ConnectionError):  # reading says so, and why
            await self._writer.drain()

    async def _next(self) -> bytes:
        try:
            line = await self._reader.readline()
        except (OSError, ValueError) as error:
            raise ShellError(f"The connection to the server broke: {error}.") from error
        if not line.endswith(b"\n"):
            raise ShellError("The server ended the connection.")
        return line


class _Stopped(Door):
    """The way into a data directory: the chat itself runs here, with this as its only connection."""

    address = "the host's shell"
    host = ""
    secure = True
    congested = False

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._chat = engine.chat
        self._peer = Peer(self)
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._ready = asyncio.Event()

    async def _send(self, line: bytes) -> None:
        while not self._chat.may_take(self._peer):
            self._ready.clear()
            await self._ready.wait()
        self._chat.take(self._peer, line.removesuffix(b"\n"))
        self._peer.flush()

    async def _next(self) -> bytes:
        return await self._lines.get()

    # As `server.chat.ports.Link`.

    def write(self, data: bytes) -> None:
        """Keep what the chat says until it is asked for."""
        for line in data.splitlines(keepends=True):
            self._lines.put_nowait(line)

    def ready(self) -> None:
        """The chat takes the next line."""
        self._ready.set()

    def close(self) -> None:
        """The chat ends the connection: what it said before is all there is to know."""

    abort = close


@contextlib.asynccontextmanager
async def enter(data: Path) -> AsyncIterator[Door]:
    """Give the way into the server of a data directory, whether it runs or not; ShellError where there is none.

    Whoever has the directory's lock serves it: this takes it, or else somebody else can be talked to.
    """
    directory = DataDirectory(data)
    if not directory.database.exists():
        raise ShellError(f"There is no server's data in {data}. Start chat-server once, or give another --data.")
    end = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            directory.open()
        except InUseError as in_use:
            running = await _connect(directory)
            if running is None and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(AGAIN)
                continue
            if running is None:
                raise ShellError(f"{in_use} It can't be reached, either.") from in_use
            async with running as door:
                yield door
            return
        try:
            async with _inside(directory) as door:
                yield door
        finally:
            directory.close()
        return


async def _connect(directory: DataDirectory) -> contextlib.AbstractAsyncContextManager[Door] | None:
    """Connect to the server that runs; None where it can't be reached now."""
    try:
        here = msgspec.json.decode(directory.listening.read_bytes(), type=Listening)
        token = directory.control.read_text()
        certificate = der(Path(here.certificate))
    except (OSError, msgspec.MsgspecError):
        return None  # it has not come so far, or is ending
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the very certificate is compared, below
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(here.host, here.host)  # noqa: S104 - compared, not listened on
    try:
        reader, writer = await asyncio.open_connection(host, here.port, ssl=context, limit=2 * limits.LINE)
    except OSError:
        return None
    return _talk(_Running(reader, writer), writer, certificate, token)


@contextlib.asynccontextmanager
async def _talk(door: _Running, writer: asyncio.StreamWriter, certificate: bytes, token: str) -> AsyncIterator[Door]:
    try:
        if writer.get_extra_info("ssl_object").getpeercert(binary_form=True) != certificate:
            raise ShellError("What listens there is not this server: its certificate is another one. Nothing was sent.")
        await door.come_in(token)
        yield door
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def _inside(directory: DataDirectory) -> AsyncIterator[Door]:
    token = secrets.token_hex(32)
    engine = Engine(Config(data=directory.path), directory, token)
    try:
        door = _Stopped(engine)
        await door.come_in(token)
        yield door
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH):
                await engine.chat.privacy.finished()
    finally:
        await engine.close()
        engine.chat.shut_down((), "")
