"""A TCP proxy on loopback that does to connections what networks do: cuts, swallows, stalls, crumbles, delays, lies."""

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections.abc import Callable
from enum import Enum, auto

CHUNK = 1 << 16
"""Bytes read at once, at most."""

_RESET = struct.pack("ii", 1, 0)
_ROOM = re.compile(rb'^\{"type":"message","seq":\d+,"room":"([^"]*)"')


class Where(Enum):
    """Where in what the server says a connection is cut."""

    ANYWHERE = auto()
    IN_A_LINE = auto()
    BETWEEN_ROOMS = auto()
    """After a message of one room, before that of another."""


Lie = Callable[[str, bytes], list[tuple[str, bytes]]]
"""What is said instead of a line that goes `up` or `down`, and which way."""


class Link:
    """One connection through the proxy. `up` is the way to the server, `down` the way to the client."""

    def __init__(self, proxy: "Proxy") -> None:
        self.gone = False
        self.crumbs = proxy.crumbs
        """Its next bytes, either way, that go one by one."""
        self._proxy = proxy
        self._dice = proxy.dice
        self._ends: list[asyncio.StreamWriter] = []
        self._flows = {way: asyncio.Event() for way in ("up", "down")}
        for flow in self._flows.values():
            flow.set()
        self._swallows = False
        self._armed: tuple[Where, bool, bool] | None = None
        self._room = b""
        """The room of the last message that went down."""

    # What can be done to it.

    def cut(self, *, reset: bool, ghost: bool = False) -> None:
        """End it now: by RST or FIN; with `ghost` only the client's end, and the server is not told."""
        self.gone = True
        self._swallows = True
        for writer in self._ends[:1] if ghost else self._ends:
            _end(writer, reset)

    def arm(self, where: Where, *, reset: bool, ghost: bool = False) -> None:
        """Cut it at the next such place in what the server says."""
        self._armed = where, reset, ghost

    def swallow(self) -> None:
        """From now on nothing arrives, either way, and nobody is told: half-open."""
        self._swallows = self.gone = True

    def stall(self, way: str, on: bool) -> None:
        """Stop reading one way, or go on."""
        (self._flows[way].clear if on else self._flows[way].set)()

    # How.

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a client's bytes until both ends are done."""
        self._ends.append(writer)
        try:
            there = await asyncio.open_connection("127.0.0.1", self._proxy.server)
        except OSError:
            self.cut(reset=True)
            return
        self._ends.append(there[1])
        for end in self._ends:
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pipes = (self._carry("up", reader, there[1]), self._carry("down", there[0], writer))
        try:
            await asyncio.gather(*map(asyncio.ensure_future, pipes))
        finally:
            self.gone = True
            for end in self._ends:
                _end(end, reset=False)

    async def _carry(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                await self._flows[way].wait()
                if self._swallows:
                    continue
                if self._proxy.delay:
                    await asyncio.sleep(self._dice.uniform(0, self._proxy.delay))
                if self._proxy.lie is not None:
                    await self._lie(self._proxy.lie, way, data, reader)
                    continue
                if way == "down":
                    data = await self._down(data)
                crumbs, data = data[: self.crumbs], data[self.crumbs :]
                self.crumbs -= len(crumbs)
                for byte in crumbs:
                    if writer.is_closing():
                        break
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0)
                writer.write(data)
                await writer.drain()
        if not self._swallows:
            self.cut(reset=False)  # one side has ended it: so does the other

    async def _lie(self, lie: Lie, way: str, data: bytes, reader: asyncio.StreamReader) -> None:
        """Say something else, line by line."""
        if not data.endswith(b"\n"):
            data += await reader.readline()
        for line in data.splitlines(keepends=True):
            for to, told in lie(way, line):
                self._ends[to == "up"].write(told)

    async def _down(self, data: bytes) -> bytes:
        """Return what goes on of what the server said; the connection may be cut in it."""
        if self._armed is None:
            self._room = _last_room(data) or self._room
            return data
        where, reset, ghost = self._armed
        at = _place(where, data, self._room, self._dice)
        self._room = _last_room(data) or self._room
        if at is None:
            return data
        self._proxy.cuts[where] += 1
        if not reset:
            self._ends[0].write(data[:at])
        elif at:
            self._ends[0].write(data[:at])
            await self._ends[0].drain()
            await asyncio.sleep(0)  # a reset may throw away what is still on its way: let some of it arrive
        self.cut(reset=reset, ghost=ghost)
        return b""


class Proxy:
    """Listens on loopback and carries bytes to a server, and does to them what it is told.

    Args:
        server: the server's port.
        dice: decides what is left to chance.
    """

    def __init__(self, server: int, dice: random.Random) -> None:
        self.server = server
        self.dice = dice
        self.port = 0
        self.crumbs = 0
        """Bytes of each new connection that go one by one."""
        self.delay = 0.0
        """Seconds that each piece may be held, at most."""
        self.lie: Lie | None = None
        self.cuts = dict.fromkeys(Where, 0)
        """Connections that were cut where they were armed to be."""
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._listening: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._listening = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all."""
        if self._listening is not None:
            self._listening.close()
        for link, task in list(self._links.items()):
            link.cut(reset=True)
            task.cancel()
        await asyncio.gather(*self._links.values(), return_exceptions=True)

    @property
    def links(self) -> list[Link]:
        """The connections that are whole."""
        return [link for link in self._links if not link.gone]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        link = Link(self)
        self._links[link] = task
        try:
            with contextlib.suppress(asyncio.CancelledError):  # `close` ends it, and nobody waits for this task
                await link.run(reader, writer)
        finally:
            del self._links[link]


def _end(writer: asyncio.StreamWriter, reset: bool) -> None:
    if reset:
        sock = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
    else:
        writer.close()


def _last_room(data: bytes) -> bytes:
    """Return the room of the last line, where that is a whole message."""
    if not data.endswith(b"\n"):
        return b""
    found = _ROOM.match(data[data.rfind(b"\n", 0, len(data) - 1) + 1 :])
    return found[1] if found else b""


def _place(where: Where, data: bytes, room: bytes, dice: random.Random) -> int | None:
    """Return a place of this kind in what the server said, None where there is none."""
    if where is Where.ANYWHERE:
        return dice.randint(0, len(data))
    if where is Where.IN_A_LINE:
        inside = [at for at in range(1, len(data)) if data[at - 1] != 10]
        return dice.choice(inside) if inside else None
    places, at = [], 0
    for line in data.splitlines(keepends=True):
        found = _ROOM.match(line)
        if found and room and found[1] != room:
            places.append(at)
        room = found[1] if found else b""
        at += len(line)
    return dice.choice(places) if places else None
