"""A server that is a script: it answers each frame as a test tells it, in plain and in TLS on one port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from certificates import Certificate, make
from support import PATIENCE

from chat_tui.client import Client
from server.protocol import codec, frames

GUEST, ACCOUNT = "g" * 26, "a" * 26
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
HERE = "127.0.0.1"

Answer = Callable[[Any], Sequence[frames.Frame]]


class Fake:
    """A server that answers as it is told."""

    def __init__(self, port: int, certificate: Certificate) -> None:
        self.port = port
        self.certificate = certificate
        self.heard: list[tuple[bool, frames.ClientFrame]] = []
        """Whether it was TLS, and what was said."""
        self.hangs_up: set[type[Any]] = {frames.Quit}
        """Frames after whose answer it ends the connection."""
        self.came = asyncio.Condition()
        """Notified of each frame."""
        self.writers: list[asyncio.StreamWriter] = []
        self.answers: dict[type[Any], Answer] = {
            frames.About: lambda ask: [frames.Server(id="test", server="a test", sso="Example", ref=ask.ref)],
            frames.Hello: lambda _: [welcome(GUEST)],
            frames.Register: lambda ask: [frames.Account(user=1, name="alice", session=ACCOUNT, ref=ask.ref)],
            frames.Ping: lambda _: [frames.Pong()],
            frames.Nick: lambda ask: [frames.Ok(ref=ask.ref)],
            frames.End: lambda ask: [frames.Ok(ref=ask.ref)],
        }
        """What it says to a frame of each kind; nothing to others."""

    def said(self, kind: type[Any]) -> list[Any]:
        """Return what of a kind was heard."""
        return [frame for _, frame in self.heard if type(frame) is kind]

    async def hear(self, kind: type[Any]) -> None:
        """Wait until a frame of a kind was said."""
        async with asyncio.timeout(PATIENCE), self.came:
            await self.came.wait_for(lambda: self.said(kind))

    def say(self, *words: frames.Frame) -> None:
        """Say something on the latest connection."""
        for word in words:
            self.writers[-1].write(codec.encode(word))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear one connection to its end."""
        self.writers.append(writer)
        secure = writer.get_extra_info("ssl_object") is not None
        with suppress(ConnectionError):
            while line := await reader.readline():
                frame = codec.decode_client(line)
                self.heard.append((secure, frame))
                self.say(*self.answers.get(type(frame), lambda _: [])(frame))
                async with self.came:
                    self.came.notify_all()
                if type(frame) in self.hangs_up:
                    break
        writer.close()


def welcome(session: str, **fields: Any) -> frames.Welcome:
    """Return a welcome for alice."""
    return frames.Welcome(name="alice", user=1, session=session, epoch="e", seq=1, rooms=["general"], **fields)


@asynccontextmanager
async def faking(folder: Path) -> AsyncIterator[Fake]:
    """Have one listen on this machine; `folder` for a moment holds its key."""
    loop = asyncio.get_running_loop()
    certificate = make()
    context = certificate.context(folder)
    with socket.create_server((HERE, 0)) as listener:
        listener.setblocking(False)
        one = Fake(listener.getsockname()[1], certificate)
        serving: list[asyncio.Task[None]] = []

        async def serve(sock: socket.socket) -> None:
            readable = asyncio.Event()
            loop.add_reader(sock, readable.set)
            await readable.wait()
            loop.remove_reader(sock)
            tls = sock.recv(1, socket.MSG_PEEK) == b"\x16"
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            with suppress(OSError):
                transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=context if tls else None)
                await one.serve(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

        async def accept() -> None:
            while True:
                sock, _ = await loop.sock_accept(listener)
                sock.setblocking(False)
                serving.append(loop.create_task(serve(sock)))

        accepting = loop.create_task(accept())
        yield one
        for task in (accepting, *serving):
            task.cancel()
        await asyncio.gather(accepting, *serving, return_exceptions=True)


@asynccontextmanager
async def someone(fake: Fake, folder: Path | None = None, **options: Any) -> AsyncIterator[Client]:
    """Yield a client that is not connected; it is closed at the end."""
    keep, known = (folder / "keep", folder / "known") if folder is not None else (None, None)
    client = Client(HERE, fake.port, options.pop("name", "alice"), keep=keep, known=known, patience=PATIENCE, **options)
    async with asyncio.timeout(2 * PATIENCE):
        yield client
        await client.quit()


async def ended(chat: Client) -> None:
    """Wait until a client's connection has ended."""
    async with asyncio.timeout(PATIENCE):
        async for _ in chat.batches():
            pass


def on_disk(folder: Path, secret: str) -> bool:
    """Say whether a secret stands in any file of a folder."""
    return any(secret.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
