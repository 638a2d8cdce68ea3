"""TLS and plain lines at one port: a real server, and clients of every kind, also those that are none."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Server, Wire, trusting

from server.net import tls
from server.protocol import fingerprint

StartServer = Callable[..., Server]
HELLO = b'{"type":"hello","name":"alice"}\n'


def own_address() -> str:
    """Return an address of this machine that is not loopback: what comes from there counts as from elsewhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        with contextlib.suppress(OSError):
            sock.connect(("192.0.2.1", 9))
        address = str(sock.getsockname()[0])
    if address.startswith(("127.", "0.")):
        pytest.skip("this machine has no address but loopback")
    return address


def certificate_of(host: str, port: int) -> bytes:
    """Return the certificate that a server shows, DER."""
    with socket.create_connection((host, port), timeout=PATIENCE) as sock, trusting().wrap_socket(sock) as secure:
        shown = secure.getpeercert(binary_form=True)
    assert shown
    return shown


def pin_of(host: str, port: int) -> str:
    """Return the short form of the fingerprint of a server's key."""
    return fingerprint.short(fingerprint.of_certificate(certificate_of(host, port)))


async def chats(one: Wire, other: Wire, text: str) -> None:
    """Say something, and hear it on the other side."""
    await one.say(type="send", room="general", text=text)
    await other.hear("message", text=text)


async def ended(wire: Wire) -> list[str]:
    """Return the codes of the errors that stand before the end of the connection."""
    try:
        return [frame["code"] for frame in await wire.rest()]
    finally:
        await wire.close()


def sockets(server: Server) -> int:
    """Return how many sockets the server has open."""
    folder = Path(f"/proc/{server.process.pid}/fd")
    if not folder.exists():
        pytest.skip("this system does not say what a process has open")
    count = 0
    for link in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in this moment
            count += str(link.readlink()).startswith("socket:")
    return count


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - it is another process that makes it true
            await asyncio.sleep(0.01)


async def test_a_fresh_server_is_reached_over_tls_with_no_set_up(start_server: StartServer, tmp_path: Path) -> None:
    """From another address; its log says the fingerprint that clients see, and the line that others type."""
    host = own_address()
    server = start_server("--host", "0.0.0.0")
    wire = await Wire.connect(server.port, "alice", tls=True, host=host)
    pin = pin_of(host, server.port)
    told = [server.line() for _ in range(3)]
    assert f"Fingerprint of this server's key: {pin}\n" in told
    assert f"Others come in with: chat-tui join chat://{host}:{server.port}/{pin}\n" in told
    await wire.close()
    for name in ("tls.key", "tls.crt", "listening.json"):
        assert (tmp_path / "data" / name).stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    assert server.stop()[0] == 0
    again = start_server("--host", "0.0.0.0")
    assert pin_of(host, again.port) == pin


async def test_who_is_on_this_machine_learns_how_others_come(start_server: StartServer, tmp_path: Path) -> None:
    """`about` says the address by which they reach it, whatever one came by; none where they can't."""
    host = own_address()
    server = start_server("--host", "0.0.0.0")
    wire = await Wire.connect(server.port)
    assert (await wire.ask(type="about"))["address"] == f"{host}:{server.port}"
    await wire.close()
    alone = start_server(data=tmp_path / "alone")
    wire = await Wire.connect(alone.port)
    assert "address" not in await wire.ask(type="about")
    await wire.close()


async def test_a_server_says_when_clients_will_not_know_it_again(start_server: StartServer, tmp_path: Path) -> None:
    """A key that is made for messages that were there before is another one; the first is not."""
    first = start_server()
    assert "A new key" not in first.stop()[1]
    (tmp_path / "data" / "tls.key").unlink()
    second = start_server()
    assert "A new key" in (told := second.stop()[1])
    assert "--forget-key" in told
    assert told.endswith("The server has stopped.\n")
    assert "A new key" not in start_server().stop()[1]


async def test_plain_lines_from_elsewhere_are_refused_and_not_looked_at(start_server: StartServer) -> None:
    """Whatever they say; TLS and plain lines from this machine go on beside them."""
    host = own_address()
    server = start_server("--host", "0.0.0.0")
    secure, plain = await Wire.connect(server.port, "secure", tls=True), await Wire.connect(server.port, "plain")
    for said in (HELLO * 3, b"\n", b"GET / HTTP/1.1\r\n\r\n", b"\x00", HELLO + b"x" * 500_000):
        other = await Wire.connect(server.port, host=host)
        with contextlib.suppress(ConnectionError):
            await other.raw(said)
        assert await ended(other) == ["tls_required"]
    await chats(secure, plain, "still here")
    await chats(plain, secure, "me too")
    assert not any("alice" in frame.get("names", ()) for frame in plain.heard)
    for wire in (secure, plain):
        await wire.close()


async def test_too_many_from_an_address_are_told_so_in_what_they_speak(start_server: StartServer) -> None:
    """Over TLS by its own alert, before any handshake; and there is room when one leaves."""
    host = own_address()
    server = start_server("--host", "0.0.0.0", "--limit", "connections=1")
    first = await Wire.connect(server.port, "first", tls=True, host=host)
    with pytest.raises(ssl.SSLError, match="ACCESS_DENIED"):
        await Wire.connect(server.port, "more", tls=True, host=host)
    plain = await Wire.connect(server.port, host=host)
    await plain.raw(HELLO)
    assert await ended(plain) == ["too_many_connections"]
    silent = await Wire.connect(server.port, host=host)
    assert await ended(silent) == ["too_many_connections"]
    await first.say(type="quit")
    await first.rest()
    await first.close()
    again = await Wire.connect(server.port, "again", tls=True, host=host)
    await again.close()


@pytest.mark.parametrize("whole", [False, True])
async def test_what_was_said_before_the_end_is_answered(server: Server, connect: Any, whole: bool) -> None:
    """Over TLS as in plain: who says hello and a hundred messages and no more hears them all come back.

    A last line without a line end counts, too, unless the connection was cut rather than ended.
    """
    bob = await connect("bob")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    alice = trusting().wrap_bio(incoming, outgoing)

    async def carry() -> bool:
        if outgoing.pending:
            writer.write(outgoing.read())
        async with asyncio.timeout(PATIENCE):
            incoming.write(data := await reader.read(1 << 16))
        return bool(data)

    while True:
        try:
            alice.do_handshake()
            break
        except ssl.SSLWantReadError:
            await carry()
    sends = [b'{"type":"send","room":"general","text":"%d"}\n' % number for number in range(100)]
    alice.write(HELLO + b"".join(sends) + b'{"type":"send","room":"general","text":"last"}')
    if whole:
        with pytest.raises(ssl.SSLWantReadError):
            alice.unwrap()
    writer.write(outgoing.read())
    writer.write_eof()
    heard = b""
    going = True
    while going:
        going = await carry()
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while piece := alice.read(1 << 16):
                heard += piece
    writer.close()
    await writer.wait_closed()
    texts = [frame["text"] for line in heard.splitlines() if (frame := json.loads(line))["type"] == "message"]
    assert texts == [str(number) for number in range(100)] + ["last"] * whole
    await bob.hear("message", text="99")


async def test_junk_ends_only_itself(server: Server, connect: Any) -> None:
    """What begins like TLS and is none, in any length, whole or in pieces; nothing of it stays open."""
    bob, alice = await connect("bob", tls=True), await connect("alice")
    before, dice = sockets(server), random.Random(5)
    for _ in range(200):
        junk = b"\x16" + dice.choice((b"", b"\x03\x01", b"\x03\x03\x40\x00", b"\x03\x01\x00\x05\x01"))
        junk += dice.randbytes(dice.choice((0, 1, 50, 5_000, 100_000)))
        wire = await Wire.connect(server.port)
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(junk), piece := dice.choice((len(junk), 20_000))):
                await wire.raw(junk[start : start + piece])
        await wire.close()
    await chats(bob, alice, "nothing happened")
    await chats(alice, bob, "to me neither")
    await until(lambda: sockets(server) == before)
    assert server.stop()[2] == ""


@pytest.fixture
def many_files() -> None:
    """Let this process have some thousand sockets."""
    resource = pytest.importorskip("resource")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 4096:
        pytest.skip("this system gives a process too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def hello_of_a_client() -> bytes:
    """Return the first bytes of a handshake."""
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trusting().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()


@pytest.mark.usefixtures("many_files")
async def test_a_thousand_that_stall_hold_nobody_up_and_leave_nothing(start_server: StartServer) -> None:
    """Silent, or in the middle of a handshake or of a first line: others chat, and after their time they are gone."""
    server = start_server("--limits", "off", "--limit", "hello=3")
    bob, alice = await Wire.connect(server.port, "bob", tls=True), await Wire.connect(server.port, "alice")
    before, begins = sockets(server), hello_of_a_client()
    stalled = []
    for number in range(1000):
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        sock.sendall((b"", begins, begins[: len(begins) // 2], b"\x16", b'{"type":')[number % 5])
        stalled.append(sock)
    await until(lambda: sockets(server) == before + len(stalled))
    for number in range(20):
        await chats(bob, alice, str(number))
        await chats(alice, bob, f"answer {number}")
    await until(lambda: sockets(server) == before)
    for sock in stalled:
        sock.close()
    for wire in (bob, alice):
        await wire.close()


async def test_a_server_that_may_open_no_more_files_goes_on_when_it_may(start_server: StartServer) -> None:
    """Who is in chats on; who comes waits, and is let in when others have left."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("this system sets no limits to other processes")
    server = start_server("--limits", "off")
    bob, alice = await Wire.connect(server.port, "bob", tls=True), await Wire.connect(server.port, "alice")
    before = sockets(server)
    most = len(os.listdir(f"/proc/{server.process.pid}/fd")) + 20  # noqa: PTH208
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (most, most))
    crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) for _ in range(100)]
    await until(lambda: sockets(server) >= before + 10)
    for number in range(5):
        await chats(bob, alice, str(number))
    late = asyncio.create_task(Wire.connect(server.port, "late", tls=True))
    for sock in crowd:
        sock.close()
    await (await late).hear("joined", "roster")
    await until(lambda: sockets(server) == before + 1)
    for wire in (bob, alice, late.result()):
        await wire.close()


async def test_who_is_still_at_the_door_does_not_hold_up_the_end(start_server: StartServer) -> None:
    """The server ends while some have said nothing yet, and some are in a handshake; who is in is told."""
    server = start_server()
    bob = await Wire.connect(server.port, "bob", tls=True)
    before = sockets(server)
    silent, midway = await Wire.connect(server.port), await Wire.connect(server.port)
    await midway.raw(hello_of_a_client())
    await until(lambda: sockets(server) == before + 2)
    server.process.send_signal(signal.SIGTERM)
    assert (await bob.rest())[-1]["type"] == "shutdown"
    code, _, errors = await asyncio.to_thread(server.wait)
    assert (code, errors) == (0, "")
    assert not (server.data / "listening.json").exists()
    for wire in (bob, silent, midway):
        await wire.close()


async def test_before_the_welcome_a_line_is_shorter(server: Server, connect: Any) -> None:
    """What stands behind the hello is not, even where it came with it."""
    wire = await connect()
    await wire.raw(b" " * 10_000 + HELLO)
    error = await wire.hear("error")
    assert error["code"] == "too_long"
    assert "8,192" in error["message"]
    text = "x" * 16_000
    await wire.raw(HELLO + json.dumps({"type": "send", "room": "general", "text": text}).encode() + b"\n")
    await wire.hear("message", text=text)


class Files:
    """A certificate and its key as a host has them from somewhere."""

    def __init__(self, folder: Path) -> None:
        self.key, self.certificate = folder / "host.key", folder / "host.crt"
        tls.own(self.key, self.certificate)

    @property
    def pin(self) -> str:
        """The short form of its fingerprint."""
        return fingerprint.short(fingerprint.of_certificate(tls.der(self.certificate)))

    def renew(self) -> None:
        """Put another key and certificate in their place."""
        self.key.unlink()
        self.certificate.unlink()
        tls.own(self.key, self.certificate)


@pytest.fixture
def renewed(start_server: StartServer, tmp_path: Path) -> tuple[Server, Files]:
    """A server with a certificate of its host's."""
    files = Files(tmp_path)
    return start_server("--tls-cert", str(files.certificate), "--tls-key", str(files.key)), files


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no such signal")
async def test_a_renewed_certificate_is_read_and_connections_stay(renewed: tuple[Server, Files]) -> None:
    """Who comes later sees the new one; a broken one changes nothing, and the log says why."""
    server, files = renewed
    old = files.pin
    bob, alice = await Wire.connect(server.port, "bob", tls=True), await Wire.connect(server.port, "alice", tls=True)
    assert pin_of("127.0.0.1", server.port) == old

    async def renew() -> str:
        server.process.send_signal(signal.SIGHUP)
        while True:
            line = await asyncio.wait_for(asyncio.to_thread(server.line), PATIENCE)
            assert line
            if "certificate" in line:
                return line

    files.renew()
    assert await renew() == "The certificate was read anew.\n"
    new = files.pin
    assert new != old
    assert pin_of("127.0.0.1", server.port) == new
    files.certificate.write_text("half a certificate")
    assert "stays what it was" in await renew()
    assert pin_of("127.0.0.1", server.port) == new
    await chats(bob, alice, "still here")
    for wire in (bob, alice):
        await wire.close()


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda files: files.key.unlink(), "host.key can't be read: No such file or directory."),
        (lambda files: files.certificate.unlink(), "host.crt can't be read: No such file or directory."),
        (lambda files: files.certificate.write_text("junk"), "can't be used: give a certificate and its key"),
        (lambda files: files.key.write_text("junk"), "can't be used: give a certificate and its key"),
        (lambda files: files.key.write_bytes(tls._make_key()), "host.key is not the key of"),
    ],
)
def test_a_certificate_that_can_not_be_used_is_said_on_one_line(
    tmp_path: Path, break_it: Callable[[Files], None], says: str
) -> None:
    """And the server does not start."""
    files = Files(tmp_path)
    break_it(files)
    given = ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
    run = subprocess.run(
        [sys.executable, "-m", "server.cli", "--data", str(tmp_path / "data"), "--port", "0", *given],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
        check=False,
    )
    assert run.returncode == 1
    assert says in run.stderr
    assert run.stderr.startswith("chat-server: ")
    assert run.stderr.count("\n") == 1
    assert "PRIVATE" not in run.stderr + run.stdout


def test_the_key_outlives_its_certificate(tmp_path: Path) -> None:
    """A start that was killed between the two, or a certificate that was lost: the same key, so the same pin."""
    files = Files(tmp_path)
    key, pin = files.key.read_bytes(), files.pin
    for damage in (files.certificate.unlink, lambda: files.certificate.write_text("half")):
        damage()
        tls.own(files.key, files.certificate)
        assert (files.key.read_bytes(), files.pin) == (key, pin)
    for damaged in (b"", b"half a key", key[:100]):
        files.key.write_bytes(damaged)
        with pytest.raises(tls.TlsError, match=r"holds no key any more"):
            tls.own(files.key, files.certificate)
        assert files.key.read_bytes() == damaged
