"""TLS between a socket and its session: bytes in, bytes out, no socket of its own.

asyncio's own TLS knows no half-closed connection: what a client says before it stops talking must still be answered.
Nor can it begin with bytes that were read already, and the first one says whether this is TLS at all.
"""

import asyncio
import contextlib
import ssl
from typing import Any, Final

from server.net.session import Session

PIECE: Final = 16 * 1024
"""Bytes of one TLS record, at most."""

UNTAKEN: Final = 1024 * 1024
"""Bytes that may wait for a client while TLS itself still answers it: who has it answer, and takes nothing, ends."""


class Secured(asyncio.Transport, asyncio.Protocol):
    """To the socket a protocol, to the session a transport.

    Args:
        transport: the socket's.
        session: what is said within.
        context: the server's side of TLS.
    """

    def __init__(self, transport: asyncio.Transport, session: Session, context: ssl.SSLContext) -> None:
        self._raw = transport
        self._session = session
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._agreed = False
        """The handshake is done."""
        self._ended = False
        """The client says no more."""
        self._finished = False
        """This side says no more."""

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Bytes have come: what they say goes to the session at once."""
        if self._ended:
            return
        self._incoming.write(data)
        said: list[bytes] = []
        try:
            if not self._agreed:
                self._tls.do_handshake()
                self._agreed = True
            while piece := self._tls.read(PIECE):
                said.append(piece)
            self._ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # no TLS, or none that this server speaks: TLS's own alert says so
            self._finished = True
            self._flush()
            self._session.close()
            return
        if self._outgoing.pending:
            self._flush()
            if self._raw.get_write_buffer_size() > UNTAKEN:
                self._raw.abort()
                return
        if said:
            self._session.data_received(b"".join(said))
        if self._ended:
            self._session.eof_received()

    def eof_received(self) -> bool:
        """The socket has ended. Where TLS has not, somebody may have cut it: a line that has no end does not count."""
        self._ended = True
        return self._session.end_of_input(whole=False)

    def pause_writing(self) -> None:
        """The buffer is full."""
        self._session.pause_writing()

    def resume_writing(self) -> None:
        """The buffer has drained."""
        self._session.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has ended, for whatever reason."""
        self._session.connection_lost(error)

    # What the session calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send. Before the handshake is done, nobody could read it: it is dropped."""
        if self._agreed and not self._finished and not self._raw.is_closing():
            rest = memoryview(data)
            while rest:  # a record at a time: what TLS has once held for the socket, it keeps as memory
                rest = rest[self._tls.write(rest[:PIECE]) :]
                self._flush()

    def close(self) -> None:
        """Say no more, and end once all has left."""
        self._finish()
        self._raw.close()

    def abort(self) -> None:
        """End now."""
        self._raw.abort()

    def is_closing(self) -> bool:
        """Say whether it ends."""
        return self._raw.is_closing()

    def pause_reading(self) -> None:
        """Read nothing more."""
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._raw.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Return the bytes that have not left, as they travel."""
        return self._raw.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set when the buffer counts as full."""
        self._raw.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio has it
        """Return what is known of the socket."""
        return self._raw.get_extra_info(name, default)

    # Inside.

    def _finish(self) -> None:
        if self._agreed and not self._finished and not self._raw.is_closing():
            with contextlib.suppress(ssl.SSLError):  # it would wait for the client's own end
                self._tls.unwrap()
            self._flush()
        self._finished = True

    def _flush(self) -> None:
        if self._outgoing.pending and not self._raw.is_closing():
            self._raw.write(self._outgoing.read())
