"""Start, run and stop a server: the one place where its parts are chosen and joined."""

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from server.chat.chat import Chat
from server.chat.world import Peer
from server.config import Config
from server.data import Client, DataDirectory, DataError
from server.engine import Engine
from server.invitation import address, reached_at, way_in
from server.net import tls
from server.net.listener import Listener
from server.net.origins import is_loopback
from server.net.sessions import Sessions
from server.record.events import time_text

GARBAGE: Final = (10_000, 10, 10)
"""When Python looks for objects that only hold each other: after so many new ones, not after 700. Neither a message nor
who comes and goes leaves any, and looking for them took 2 % of a busy server's time."""

CLIENTS_SECONDS: Final = 1.0
"""Seconds between two writes of `clients.json`, at least."""

CLIENTS_EACH: Final = 0.001
"""The same for each who is listed, where that is longer: a crowd takes a while to write."""

DRAIN_SECONDS: Final = 1.0
"""Seconds that clients have, when the server ends, to take what was written to them."""

EXIT_SECOND_SIGNAL: Final = 130
"""The shell's code for a program that Ctrl+C ended."""

_NEW_KEY: Final = (
    "A new key was made: there was none beside these messages. Clients that know another one refuse this server until"
    " they forget that: chat-tui --host HOST --port PORT --forget-key. Let people compare the fingerprint."
)
"""Said where clients may take this server for somebody else's."""

_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]

log = logging.getLogger("chat")


async def serve(config: Config, ready: Callable[[str, int], None]) -> None:
    """Run a server until it is told to end.

    Args:
        config: its settings.
        ready: called with each address once it is listened on.

    Raises:
        DataError, StoreError, ListenError, TlsError, SsoError: it can't start; the text says why.
    """
    data = DataDirectory(config.data)
    data.open()
    try:
        renewed = config.tls_key is None and data.database.exists() and not data.tls_key.exists()
        engine = Engine(config, data, _control(data))
        chat = engine.chat
        sessions = Sessions()
        listener = Listener(chat, sessions, _tls(config, data))
        stop = asyncio.Event()
        clients = asyncio.create_task(_keep_clients(chat, data, stop))
        beating = asyncio.create_task(sessions.keep_beating())
        telling: asyncio.Task[None] | None = None
        try:
            addresses = await listener.open(config.host, config.port)
            _heed_signals(stop)
            if config.hosted:
                _end_when_alone(sessions, stop)
            outward = [(host, port) for host, port in addresses if not is_loopback(host)]
            chat.greeting.address = reached_at(*outward[0]) if outward else ""
            for host, port in addresses:
                ready(host, port)
            if renewed:
                log.warning(_NEW_KEY)
            chat.privacy.keeper.look()
            _write_listening(data, *addresses[0], _key_files(config, data)[1])
            telling = asyncio.create_task(_tell_others(config, data, chat, outward))
            await _tell_owner_code(chat)
            gc.collect()
            gc.freeze()  # what there is from the start stays: it need not be looked through ever again
            gc.set_threshold(*GARBAGE)
            if config.tls_key is not None:
                _heed_renewal(config, data, listener)
            await stop.wait()
        finally:
            stop.set()
            beating.cancel()
            if telling is not None:
                telling.cancel()
            listener.close()
            await _shut_down(engine, sessions)
            await clients
            log.info("The server has stopped.")
            _heed_no_more_signals()
    finally:
        data.close()


def _key_files(config: Config, data: DataDirectory) -> tuple[Path, Path]:
    """Return where the key and the certificate are."""
    return config.tls_key or data.tls_key, config.tls_cert or data.tls_certificate


def _tls(config: Config, data: DataDirectory) -> ssl.SSLContext:
    """Return the server's side of TLS; TlsError where that can't be had."""
    return (tls.own if config.tls_key is None else tls.context)(*_key_files(config, data))


def _control(data: DataDirectory) -> str:
    """Make and return what whoever runs this server says to do everything: who reads the directory may."""
    token = secrets.token_hex(32)
    try:
        data.write_control(token)
    except OSError as error:
        raise DataError(f"{data.control} can't be written: {error.strerror}.") from error
    return token


def _write_listening(data: DataDirectory, host: str, port: int, certificate: Path) -> None:
    """Leave word where this server listens, for the other commands of `chat-server`."""
    try:
        data.write_listening(host, port, certificate.absolute())
    except OSError as error:
        log.warning("%s can't be written: %s", data.listening, error.strerror)


async def _tell_others(config: Config, data: DataDirectory, chat: Chat, outward: list[tuple[str, int]]) -> None:
    """Say in the log how others come in, where they can: at these addresses."""
    if not outward:
        return
    _, certificate = _key_files(config, data)
    way = await asyncio.to_thread(lambda: way_in(*outward[0], tls.der(certificate)))
    chat.greeting.address = address(way.host, way.port)  # a certificate may name it
    log.info("Fingerprint of this server's key: %s", way.pin)
    log.info("Others come in with: %s", way.line())


async def _tell_owner_code(chat: Chat) -> None:
    """Say in the log, once, how somebody becomes this server's owner."""
    code = await chat.reception.owner_code()
    if code:
        log.info("Owner code: %s. Type /claim in chat-tui, with an account, to own this server.", code)


def _heed_renewal(config: Config, data: DataDirectory, listener: Listener) -> None:
    """SIGHUP has a renewed certificate read, where there is that signal. Connections go on as they are."""

    def renew() -> None:
        try:
            listener.context = _tls(config, data)
        except tls.TlsError as error:
            log.error("The certificate stays what it was: %s", error)
        else:
            log.info("The certificate was read anew.")

    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew)


async def _shut_down(engine: Engine, sessions: Sessions) -> None:
    """Commit and deliver what was accepted, tell everyone, and wait until they have it, not for ever."""
    await engine.close()
    engine.chat.shut_down(list(sessions), "The server is shutting down.")
    try:
        await asyncio.wait_for(sessions.empty.wait(), DRAIN_SECONDS)
    except TimeoutError:
        if not len(sessions):
            return
        log.warning("%d clients did not take what was sent to them.", len(sessions))


async def _keep_clients(chat: Chat, data: DataDirectory, stop: asyncio.Event) -> None:
    """Write who is connected whenever that has changed, at most once a second."""
    changed = asyncio.Event()
    chat.entrance.changed = changed.set
    stopping = asyncio.create_task(stop.wait())
    while not stop.is_set():
        news = asyncio.create_task(changed.wait())
        await asyncio.wait({news, stopping}, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        if stop.is_set():
            return
        changed.clear()
        peers = chat.entrance.peers()
        seconds = max(CLIENTS_SECONDS, len(peers) * CLIENTS_EACH)
        try:
            await asyncio.to_thread(data.write_clients, _listed(peers))
        except OSError as error:
            log.warning("clients.json can't be written: %s", error)
        del peers  # they may be gone before the next time
        await asyncio.wait({stopping}, timeout=seconds)


def _listed(peers: list[Peer]) -> list[Client]:
    return [Client(peer.here.name, peer.link.address, time_text(peer.since).decode()) for peer in peers]


def _heed_signals(stop: asyncio.Event) -> None:
    """Ctrl+C and SIGTERM end the server in order; a second Ctrl+C at once."""
    loop = asyncio.get_running_loop()

    def end(signum: int, _frame: object = None) -> None:
        if stop.is_set() and signum == signal.SIGINT:
            os._exit(EXIT_SECOND_SIGNAL)
        loop.call_soon_threadsafe(stop.set)

    for number in _ENDING:
        try:
            loop.add_signal_handler(number, end, number)
        except NotImplementedError:  # Windows
            signal.signal(number, end)


def _heed_no_more_signals() -> None:
    """All is done: one more signal must not turn the exit code into that of a killed program."""
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def _end_when_alone(sessions: Sessions, stop: asyncio.Event) -> None:
    """End once standard input has ended (whoever started this server has left) and nobody is connected."""
    loop = asyncio.get_running_loop()
    waiting: list[asyncio.Task[None]] = []

    async def wait() -> None:
        await sessions.empty.wait()
        stop.set()

    def left() -> None:
        waiting.append(loop.create_task(wait()))

    def watch() -> None:
        while sys.stdin is not None and sys.stdin.buffer.read(4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(left)

    threading.Thread(target=watch, name="stdin", daemon=True).start()
