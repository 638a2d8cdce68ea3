"""The way to a server: TLS, and whether who answers is the right one. Before that is known nothing is said."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Final, cast

from chat_tui.client.connection import Connection
from chat_tui.client.known import CA, Known
from chat_tui.errors import (
    ClientError,
    KeyChanged,
    Lost,
    NotAChatServer,
    NotEncrypted,
    NotVouchedFor,
    Refused,
    Unreachable,
    Untrusted,
    WrongPin,
)
from server.protocol import fingerprint
from server.protocol.errors import Code
from server.protocol.text import clean_line

_END_WITHIN: Final = 2.0
"""Seconds that the other side may take to end TLS."""
_CROWDED: Final = "TLSV1_ALERT_ACCESS_DENIED"
"""OpenSSL's word for the alert by which a chat server turns away an address with too many connections."""


class Way:
    """The way to one server.

    It is taken in TLS, but to this machine where nothing is known of the server there: what is said then is a guest's.
    A server that authorities vouch for is taken as it is; else its key must be the one that is known, or that the
    invitation says, or that people have seen and trust. To this machine the first key is taken without asking.

    Args:
        host: where the server listens.
        port: its port.
        known: the servers that are known by their keys.
        pin: the key that an invitation says, in short; empty for none.
        patience: seconds to wait for who answers.
    """

    def __init__(self, host: str, port: int, known: Known, pin: str, patience: float) -> None:
        self.host = host
        self.port = port
        self._address = clean_line(f"{host}:{port}")
        self.digest = b""
        """The fingerprint of the key that answered last; empty before that, and where there was no TLS."""
        self.vouched = False
        """Authorities vouch for the server, so that others need no key to trust it."""
        self._known = known
        self._pin = pin
        self._patience = patience
        self._learned = ""

    async def open(self, make: Callable[[], Connection], *, secure: bool) -> Connection:
        """Connect.

        Args:
            make: makes the connection, once it is known who answers: nothing is written or read before.
            secure: in TLS also where it could do without: something secret is to be said.

        Raises:
            Unreachable: nobody listens there.
            Mistrusted: something else answers than should, or for the first time.
            NotAChatServer, Lost, Refused: TLS did not come about.
            NoRecord: nobody knows whether it is the right one.
        """
        self._learned, self.digest, self.vouched = "", b"", False
        known = self._known.get(self.host, self.port)
        async with self._in_time():
            if self._local and not (secure or known or self._pin):
                return _hand_over(await self._connect(None), make)
            return _hand_over(await self._connect_trusted(known), make)

    async def remember(self) -> None:
        """Keep what was learned on the way: a chat server has answered. Raises NoRecord."""
        if self._learned:
            await asyncio.to_thread(self._known.keep, self.host, self.port, self._learned)
            self._learned = ""

    async def trust(self, digest: bytes) -> None:
        """Take the server with this key for the right one from now on. Raises NoRecord."""
        await asyncio.to_thread(self._known.keep, self.host, self.port, digest.hex())

    async def look(self) -> bytes:
        """Return the fingerprint of the key that answers, whoever that is. Raises as `open` does."""
        async with self._in_time():
            return await self._look()

    # How.

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError as error:
            raise Unreachable(f"{self._address} does not answer.") from error

    @property
    def _local(self) -> bool:
        if self.host.lower() == "localhost":
            return True
        with suppress(ValueError):
            address = ip_address(self.host)
            return (getattr(address, "ipv4_mapped", None) or address).is_loopback
        return False

    async def _connect_trusted(self, known: str) -> asyncio.Transport:
        """Connect in TLS to who should answer, and to nobody else."""
        if known == CA or not (known or self._pin or self._local):
            transport = await self._vouched_for(known)
            self.vouched = True
        else:
            transport = await self._connect(_any_key())
        try:
            self.digest = await _digest(transport)
            self._check(known)
        except BaseException:
            transport.abort()
            raise
        if not known:
            self._learned = CA if self.vouched else self.digest.hex()
        return transport

    async def _vouched_for(self, known: str) -> asyncio.Transport:
        """Connect to a server that authorities vouch for; else say which key it has."""
        try:
            return await self._connect(await asyncio.to_thread(ssl.create_default_context))
        except ssl.SSLCertVerificationError as error:
            why = clean_line(error.verify_message)
        if known:
            raise NotVouchedFor(self._address, why)
        digest = await self._look()
        raise Untrusted(clean_line(self.host), self.port, digest, fingerprint.short(digest))

    async def _look(self) -> bytes:
        transport = await self._connect(_any_key())
        try:
            return await _digest(transport)
        finally:
            transport.abort()

    def _check(self, known: str) -> None:
        now = fingerprint.short(self.digest)
        if known not in ("", CA, self.digest.hex()):
            before = fingerprint.short(bytes.fromhex(known))
            raise KeyChanged(self._address, before, now, invited=self._pin == now)
        if self._pin and self._pin != now:
            raise WrongPin(self._address, self._pin, now)

    async def _connect(self, context: ssl.SSLContext | None) -> asyncio.Transport:
        """Connect, in TLS where there is a context; SSLCertVerificationError where that says no."""
        secure = context is not None
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                _Gate,
                self.host,
                self.port,
                ssl=context,
                server_hostname=self.host if secure else None,
                ssl_shutdown_timeout=_END_WITHIN if secure else None,
            )
        except (ssl.SSLCertVerificationError, TimeoutError):
            raise
        except ssl.SSLError as error:
            raise self._why_no_tls(error) from error
        except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError) as error:
            raise Lost("The server closed the connection at once.") from error
        except (OSError, UnicodeError) as error:
            raise Unreachable(self._why_unreachable(error)) from error
        return transport

    def _why_no_tls(self, error: ssl.SSLError) -> ClientError:
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Lost("The server closed the connection at once.")
        if error.reason == _CROWDED:
            return Refused(Code.TOO_MANY_CONNECTIONS, "The server takes no more connections from your address now.")
        if "ALERT" in (error.reason or ""):
            return NotAChatServer(f"What listens at {self._address} does not answer as a chat server.")
        return NotEncrypted(self._address)

    def _why_unreachable(self, error: Exception) -> str:
        """Say in plain words why there is no connection."""
        if isinstance(error, ConnectionRefusedError):
            return f"Nothing listens at {self._address}."
        if isinstance(error, UnicodeError) or error.__class__.__name__ == "gaierror":
            return f"No computer is known as {clean_line(self.host)}."
        return f"{self._address} can't be reached ({getattr(error, 'strerror', None) or error})."


class _Gate(asyncio.Protocol):
    """Stands at the end of a connection until it is known who answers: nothing is read."""

    lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


def _hand_over(transport: asyncio.Transport, make: Callable[[], Connection]) -> Connection:
    """Let the connection begin."""
    gate = transport.get_protocol()
    if isinstance(gate, _Gate) and gate.lost:
        raise Lost("The server closed the connection at once.")
    connection = make()
    transport.set_protocol(connection)
    connection.connection_made(transport)
    transport.resume_reading()
    return connection


def _any_key() -> ssl.SSLContext:
    """Return TLS in which only the key counts, which is checked by its fingerprint afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _digest(transport: asyncio.Transport) -> bytes:
    """Return the fingerprint of the key at the other end; NotAChatServer where its certificate is broken."""
    der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    try:
        return await asyncio.to_thread(fingerprint.of_certificate, der)  # its first import takes 50 ms
    except ValueError as error:
        raise NotAChatServer("What answers there has a broken certificate.") from error
