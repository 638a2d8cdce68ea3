"""One TCP connection: bytes to batches of frames and back, bounded in both directions."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import cast

from chat_tui.client.intake import take_in
from chat_tui.errors import ClientError, Lost, NotAChatServer
from server.protocol import codec, frames
from server.protocol.errors import Code, ProtocolError
from server.protocol.lines import LineSplitter

HELD_FRAMES = 20_000
"""Frames that may wait for whoever reads them: beyond, the socket is not read. A page of 50 counts as one."""


SILENCE = 14.0
"""Seconds without a byte after which the server is gone: it pings who only listens every 9 or 10 seconds."""


class Connection(asyncio.Protocol):
    """A connection whose frames wait in batches, one for each read of the socket.

    Args:
        on_frame: called with each frame before it is queued; returns whether it is queued at all. It must not block.
        must_read: tells whether reading goes on although nobody takes the batches: someone waits for an answer
            that lies behind them.
    """

    def __init__(self, on_frame: Callable[[frames.ServerFrame], bool], must_read: Callable[[], bool]) -> None:
        self.ended: asyncio.Future[ClientError | None] = asyncio.get_running_loop().create_future()
        """Done when the connection has ended; its result is why, None where we ended it."""
        self.successor: asyncio.Future[Connection | None] | None = None
        """Where what is said goes on when this side ends it to go over TLS; its result is None where that failed."""
        self.consumed = False
        """Someone reads the batches. Until then the oldest are dropped instead of stopping the connection."""
        self._on_frame = on_frame
        self._must_read = must_read
        self._splitter = LineSplitter()
        self._transport: asyncio.Transport | None = None
        self._batches: deque[list[frames.ServerFrame]] = deque()
        self._held = 0
        self._paused = False
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._secure = False
        self._closing = False
        self._spoke = False
        self._complained = False
        self._shutdown = False
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; find out by TCP where the other side vanishes without a word."""
        self._transport = cast(asyncio.Transport, transport)
        self._secure = transport.get_extra_info("ssl_object") is not None
        self._heard = asyncio.get_running_loop().time()
        self._listen_for_life()
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Turn what came into one batch."""
        self._heard = asyncio.get_running_loop().time()
        batch: list[frames.ServerFrame] = []
        for line in self._splitter.feed(data):
            frame = self._frame(line)
            if frame is not None and self._on_frame(frame):
                batch.append(frame)
        if batch:
            self._batches.append(batch)
            self._held += len(batch)
            self._wake()
            self._bound()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say why it ended to all who wait."""
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        if not self.ended.done():
            self.ended.set_result(self._why())
        self._wake()

    def write(self, frame: frames.ClientFrame) -> None:
        """Send a frame; it is buffered where the network is slow."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(codec.encode(frame))

    def expect_end(self) -> None:
        """The other side ends the connection now, because this side asked it to."""
        self._closing = True
        self.resume()

    @property
    def secure(self) -> bool:
        """It is encrypted, to who should be there: see `secure.Way`."""
        return self._secure

    @property
    def closing(self) -> bool:
        """This side ends the connection, or has ended it: nothing more can be said on it."""
        return self._closing

    def close(self) -> None:
        """End the connection after what was written is sent."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()

    async def end(self, patience: float) -> None:
        """End the connection; what can't be sent within `patience` seconds is dropped."""
        self.close()
        await asyncio.wait([self.ended], timeout=patience)
        if self._transport is not None:
            self._transport.abort()
        await asyncio.wait([self.ended])

    async def next_batch(self) -> list[frames.ServerFrame] | None:
        """Return the next frames in order; None once the connection has ended and all were taken."""
        self.consumed = True
        while not self._batches:
            if self.ended.done():
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        batch = self._batches.popleft()
        self._held -= len(batch)
        if self._paused and self._held < HELD_FRAMES // 2:
            self.resume()
        return batch

    def resume(self) -> None:
        """Read on, where reading had stopped."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._heard = asyncio.get_running_loop().time()
            self._transport.resume_reading()

    def _listen_for_life(self) -> None:
        """End the connection when nothing was heard for too long. While this side does not read, nothing can be."""
        loop = asyncio.get_running_loop()
        left = self._heard + SILENCE - loop.time()
        if left <= 0 and not self._paused:
            self._fail(Lost("The server does not answer any more."))
            if self._transport is not None:
                self._transport.abort()
        else:
            self._watch = loop.call_later(max(left, 0.1), self._listen_for_life)

    def _frame(self, line: bytes | None) -> frames.ServerFrame | None:
        """Return a line's frame; None for one to leave out.

        A server that has spoken the protocol may say things newer than this client: those are left out. The first
        line that makes no sense is told as an error without `ref` or `id`.
        """
        if line == b"":
            return None
        try:
            if line is None:
                raise ProtocolError(Code.TOO_LONG, "This line is too long.")
            frame = take_in(line)
        except ProtocolError as error:
            if not self._spoke:
                self._fail(NotAChatServer("What answers there is not a chat server."))
            elif error.code != Code.UNKNOWN_TYPE and not self._complained:
                self._complained = True
                return frames.Error(code=error.code, message="The server said something that makes no sense here.")
            return None
        self._spoke = True
        if isinstance(frame, frames.Shutdown):
            self._shutdown = True
        return frame

    def _fail(self, error: ClientError) -> None:
        if not self.ended.done():
            self.ended.set_result(error)
        self.close()

    def _why(self) -> ClientError | None:
        if self._closing:
            return None
        if self._shutdown:
            return Lost("The server was shut down.", shutdown=True)
        if not self._spoke:
            return Lost("The server closed the connection at once.")
        return Lost("The connection to the server was lost.")

    def _bound(self) -> None:
        if self._held <= HELD_FRAMES:
            return
        if not self.consumed:
            while self._held > HELD_FRAMES and len(self._batches) > 1:
                self._held -= len(self._batches.popleft())
        elif not self._paused and not self._must_read() and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
