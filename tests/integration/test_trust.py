"""Whom the client trusts: the right server alone, and nobody else hears a byte that is secret."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from certificates import Certificate, authority, make
from fake import ended
from support import PATIENCE, Server

from chat_tui.client import (
    Client,
    KeyChanged,
    Lost,
    NoRecord,
    NotAChatServer,
    NotEncrypted,
    NotVouchedFor,
    Unreachable,
    Untrusted,
    WrongPin,
)
from chat_tui.client.known import CA, Known
from server.protocol import codec, frames

TRIES = 102
WAYS = 6
"""Ways to come in that are tried: see `tries`."""
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
HOST = "chat.example"
"""No name of this machine: what is said to it needs trust."""


class Listener:
    """Something that listens in a server's place, and writes down every byte that it hears, decrypted where it is TLS.

    Args:
        speaks: it says `about` and `welcome` as a server does; without it, `words` and nothing else.
        words: what it says to whoever comes.
        hangs_up: it closes the connection once it has heard something.
    """

    def __init__(self, *, speaks: bool = False, words: bytes = b"", hangs_up: bool = False) -> None:
        self.speaks, self.words, self.hangs_up = speaks, words, hangs_up
        self.heard = bytearray()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear somebody out."""
        try:
            writer.write(self.words)
            while data := await (reader.readline() if self.speaks else reader.read(65536)):
                self.heard += data
                if self.hangs_up:
                    break
                if self.speaks:
                    self.answer(json.loads(data), writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def answer(self, frame: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Answer as a server."""
        if frame["type"] == "about":
            writer.write(codec.encode(frames.Server(id="test", server="a test", ref=frame["ref"])))
        elif frame["type"] == "quit":
            writer.close()
        elif frame["type"] == "hello":
            writer.write(codec.encode(frames.Welcome(name="alice", user=1, session="a" * 26, epoch="e", seq=1)))


@asynccontextmanager
async def listening(
    listener: Listener, folder: Path, certificate: Certificate | None = None, port: int = 0
) -> AsyncIterator[int]:
    """Have it listen; yield its port."""
    context = certificate.context(folder) if certificate is not None else None
    server = await asyncio.start_server(listener.serve, "127.0.0.1", port, ssl=context, limit=1 << 20)
    # A peer that finds the wrong key hangs up at once: that is no news.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        asyncio.get_running_loop().set_exception_handler(None)


@asynccontextmanager
async def overhearing(inner: int, port: int) -> AsyncIterator[bytearray]:
    """Lead a port to another one; yield what is said there, as it is on the wire."""
    said = bytearray()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: bytearray | None) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if note is not None:
                    note += data
                writer.write(data)
        writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", inner)
        await asyncio.gather(pump(reader, back, said), pump(there, writer, None))

    server = await asyncio.start_server(lead, "127.0.0.1", port)
    try:
        yield said
    finally:
        server.close()


def records(wire: bytes) -> Iterator[int]:
    """Yield the type of each TLS record: 22 is the handshake in the open, 23 is whatever is encrypted."""
    while wire:
        yield wire[0]
        wire = wire[5 + int.from_bytes(wire[3:5], "big") :]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """A host that is not this machine by its name; it leads here."""
    real = socket.getaddrinfo

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == HOST else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return HOST


@pytest.fixture
def vouching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """An authority that this system trusts."""
    one = authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(one.write(tmp_path)))
    return one


async def test_a_first_visit_asks_and_the_key_is_kept(elsewhere: str, tmp_path: Path) -> None:
    """Until somebody has compared the key nothing is said; then it is known, to the next program, too."""
    listener, certificate = Listener(speaks=True), make()
    async with listening(listener, tmp_path, certificate) as port:
        client = Client(elsewhere, port, "alice", known=tmp_path / "known")
        client.password = PASSWORD
        for _ in range(2):
            with pytest.raises(Untrusted) as first:
                await client.connect()
        assert (first.value.short, first.value.digest) == (certificate.short, certificate.digest)
        assert certificate.short in first.value.message
        assert not listener.heard
        await client.trust(first.value)
        await client.connect()
        assert (client.secure, client.key, client.vouched) == (True, certificate.short, False)
        assert PASSWORD.encode() in listener.heard  # it was kept for the right one
        await client.quit()
        async with Client(elsewhere, port, "alice", known=tmp_path / "known") as again:
            assert again.secure


async def test_who_is_vouched_for_is_taken_without_a_question(
    elsewhere: str, vouching: Certificate, tmp_path: Path
) -> None:
    """And from then on only who is vouched for: a key of its own, or another's certificate, is not what it was."""
    known = Known(tmp_path / "known")
    listener = Listener(speaks=True)
    async with listening(listener, tmp_path, make(HOST, by=vouching)) as port:
        async with Client(elsewhere, port, "alice", known=tmp_path / "known") as alice:
            assert alice.vouched
        assert known.get(HOST, port) == CA
    renewed = Listener(speaks=True)
    async with (
        listening(renewed, tmp_path, make(HOST, by=vouching), port),
        Client(elsewhere, port, "alice", known=tmp_path / "known") as alice,
    ):
        assert alice.vouched
    for other in (make(HOST), make("other.example", by=vouching), make(HOST, by=make(HOST, authority=True))):
        impostor = Listener(speaks=True)
        async with listening(impostor, tmp_path, other, port):
            with pytest.raises(NotVouchedFor, match=r"self-signed|not valid for|unable to get"):
                await Client(elsewhere, port, "alice", known=tmp_path / "known").connect()
        assert not impostor.heard


async def test_an_invitation_with_a_key_asks_nothing(elsewhere: str, tmp_path: Path) -> None:
    """The key is what it says, however it was typed, and is known afterwards."""
    certificate = make()
    typed = certificate.short.upper().replace("-", "").replace("0", "O").replace("1", "L")
    async with listening(Listener(speaks=True), tmp_path, certificate) as port:
        async with Client(elsewhere, port, "alice", known=tmp_path / "known", pin=typed):
            pass
        assert Known(tmp_path / "known").get(HOST, port) == certificate.digest.hex()


async def test_an_invitation_to_another_server_is_refused(elsewhere: str, tmp_path: Path) -> None:
    """On this machine, too, and even where the server was known: nothing is said, and nothing is kept."""
    meant, certificate, listener = make(), make(), Listener(speaks=True)
    async with listening(listener, tmp_path, certificate) as port:
        for host in (elsewhere, "127.0.0.1"):
            with pytest.raises(WrongPin) as refusal:
                await Client(host, port, "alice", known=tmp_path / "known", pin=meant.short).connect()
            assert (refusal.value.expected, refusal.value.now) == (meant.short, certificate.short)
            assert Known(tmp_path / "known").get(host, port) == ""
        Known(tmp_path / "known").keep(elsewhere, port, certificate.digest.hex())
        with pytest.raises(WrongPin):
            await Client(elsewhere, port, "alice", known=tmp_path / "known", pin=meant.short).connect()
    assert not listener.heard


async def test_what_is_no_chat_server_is_not_remembered(elsewhere: str, tmp_path: Path) -> None:
    """Its key stays unknown: the next visit asks again."""
    certificate = make()
    async with listening(Listener(words=b"220 mail ESMTP\r\n"), tmp_path, certificate) as port:
        client = Client(elsewhere, port, "alice", known=tmp_path / "known", pin=certificate.short)
        with pytest.raises(NotAChatServer):
            await client.connect()
        assert Known(tmp_path / "known").get(HOST, port) == ""


async def test_a_file_of_keys_that_can_not_be_read_lets_nobody_in(elsewhere: str, tmp_path: Path) -> None:
    """Nor one that can't be written: nobody would know the server the next time."""
    certificate, listener = make(), Listener(speaks=True)
    known = tmp_path / "known"
    async with listening(listener, tmp_path, certificate) as port:
        known.mkdir()
        for host in (elsewhere, "127.0.0.1"):
            with pytest.raises(NoRecord):
                await Client(host, port, "alice", known=known, pin=certificate.short).connect()
        assert not listener.heard
        known.rmdir()
        known.with_name("known.new").mkdir()
        client = Client(elsewhere, port, "alice", known=known, pin=certificate.short)
        client.password = PASSWORD
        with pytest.raises(NoRecord):
            await client.connect()
        await client.close()
    assert PASSWORD.encode() not in listener.heard


async def test_the_key_can_be_asked_for(elsewhere: str, tmp_path: Path) -> None:
    """By who hosts and talks in plain: nothing is said for it."""
    listener, certificate = Listener(speaks=True), make()
    async with listening(listener, tmp_path, certificate) as port:
        assert await Client("127.0.0.1", port, "alice").fetch_key() == certificate.short
    assert not listener.heard


async def test_names_that_can_not_be_a_host_are_no_host() -> None:
    """However strange: for people, not as a crash."""
    for host in ("a..b", "x" * 300, "[::1"):
        with pytest.raises(Unreachable):
            await Client(host, 7373, "alice").connect()


@asynccontextmanager
async def registered(server: Server, folder: Path) -> AsyncIterator[tuple[Client, list[bytes]]]:
    """Yield someone who has an account, connected, and all of theirs that is secret."""
    alice = Client("127.0.0.1", server.port, "alice", keep=folder / "keep", known=folder / "known", patience=PATIENCE)
    await alice.connect()
    guest = alice.session
    await alice.register(PASSWORD)
    assert alice.secure
    assert alice.account
    yield alice, [PASSWORD.encode(), guest.encode(), alice.session.encode()]
    await alice.quit()


async def tries(
    alice: Client, folder: Path, expected: tuple[type[Exception], ...], patience: float = PATIENCE
) -> list[Exception]:
    """Try every way in: coming back, with the password, from a start, as somebody new, by a device's code.

    Returns how each was refused; there are `WAYS`.
    """
    alice._patience = alice._way._patience = patience
    refusals = []
    with pytest.raises(expected) as refusal:
        await alice.reconnect()
    refusals.append(refusal.value)
    alice.password = PASSWORD
    with pytest.raises(expected) as refusal:
        await alice.connect()
    refusals.append(refusal.value)
    for more in ("resume", "password", "register", "device"):
        code = alice.session if more == "device" else ""
        keep = folder / "keep" if more == "resume" else None
        again = Client(
            alice.host, alice.port, "alice", keep=keep, known=folder / "known", patience=patience, device=code
        )
        again.password = PASSWORD if more == "password" else ""
        with pytest.raises(expected) as refusal:
            await (again.register(PASSWORD) if more == "register" else again.connect())
        refusals.append(refusal.value)
    return refusals


async def test_a_swapped_certificate_hears_nothing(start_server: Callable[..., Server], tmp_path: Path) -> None:
    """More than a hundred times, whatever it says to whoever comes, and it is told why."""
    server = start_server("--limits", "off", data=tmp_path / "data")
    async with registered(server, tmp_path) as (alice, _):
        server.stop()
        await ended(alice)
        dice = random.Random(5)
        welcome = codec.encode(frames.Welcome(name="alice", user=1, session="s" * 26, epoch="e", seq=1))
        for _ in range(TRIES // WAYS):
            words = dice.choice([b"", welcome, b'{"type":"ping"}\n', b"x" * 100_000])
            impostor, certificate = Listener(speaks=dice.random() < 0.5, words=words), make()
            async with (
                listening(impostor, tmp_path, certificate) as inner,
                overhearing(inner, server.port) as said,
            ):
                for refusal in await tries(alice, tmp_path, (KeyChanged,)):
                    assert isinstance(refusal, KeyChanged)
                    assert refusal.now == certificate.short
            # All that came is the start of TLS: it was not even brought to its end.
            assert list(records(bytes(said))) == [22] * WAYS
            assert not impostor.heard


async def test_a_plain_server_in_its_place_hears_nothing_but_the_start_of_tls(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """More than a hundred times: one that speaks as a server does, one that is silent, one that hangs up."""
    server = start_server("--limits", "off", data=tmp_path / "data")
    async with registered(server, tmp_path) as (alice, secrets):
        server.stop()
        await ended(alice)
        about = codec.encode(frames.Server(id=alice.server_id, server="chat-server"))
        plain: list[tuple[Listener, tuple[type[Exception], ...], float]] = [
            (Listener(words=about), (NotEncrypted,), PATIENCE),
            (Listener(words=b"HTTP/1.1 400 Bad Request\r\n\r\n"), (NotEncrypted,), PATIENCE),
            (Listener(hangs_up=True), (Lost,), PATIENCE),
            (Listener(), (Unreachable,), 0.05),
        ]
        for number in range(TRIES // WAYS):
            impostor, expected, patience = plain[number % len(plain)]
            async with listening(impostor, tmp_path, None, server.port):
                await tries(alice, tmp_path, expected, patience)
        for impostor, _, _ in plain:
            assert impostor.heard[0] == 0x16
            assert not any(secret in impostor.heard for secret in (*secrets, b'"type"', b"alice"))


async def test_a_guest_is_not_told_to_whoever_speaks_plain_once_the_server_was_known(tmp_path: Path) -> None:
    """Not even on this machine: what was TLS stays TLS."""
    certificate = make()
    async with (
        listening(Listener(speaks=True), tmp_path, certificate) as port,
        Client("127.0.0.1", port, "alice", known=tmp_path / "known", pin=certificate.short) as alice,
    ):
        assert alice.secure
    plain = Listener(words=codec.encode(frames.Server(id="test", server="a test")))
    async with listening(plain, tmp_path, None, port):
        with pytest.raises(NotEncrypted):
            await Client("127.0.0.1", port, "alice", known=tmp_path / "known").connect()
    assert plain.heard[0] == 0x16
