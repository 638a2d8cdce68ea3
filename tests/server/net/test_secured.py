"""TLS without sockets: any bytes in any chunks give what was said, or the end."""

import asyncio
import contextlib
import itertools
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st
from support import trusting

from server.net import secured, tls
from server.net.secured import Secured

WORDS = [b"one\n", b"x" * 40_000, b"\n", b"last"]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The server's side."""
    folder = tmp_path_factory.mktemp("keys")
    return tls.own(folder / "tls.key", folder / "tls.crt")


class Socket(asyncio.Transport):
    """The server's end of a connection: what is written lies there until the client takes it."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.sent += bytes(data)

    def get_write_buffer_size(self) -> int:
        """Return what was not taken."""
        return len(self.sent)

    def is_closing(self) -> bool:
        """Say whether it was ended."""
        return self.closed or self.aborted

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def abort(self) -> None:
        """Note it."""
        self.aborted = True


class Heard:
    """What a session is told."""

    transport: Secured

    def __init__(self) -> None:
        self.data = b""
        self.end = ""

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.data += data

    def eof_received(self) -> bool:
        """Note that it ended in order."""
        return self.end_of_input(whole=True)

    def end_of_input(self, *, whole: bool) -> bool:
        """Note how it ended."""
        self.end = "whole" if whole else "cut"
        return True

    def close(self) -> None:
        """End it, as a session does."""
        self.transport.close()


class Pair:
    """A client and the server's side, joined by hand."""

    def __init__(self, context: ssl.SSLContext, cut: Any = lambda data: [data]) -> None:
        self.socket, self.heard = Socket(), Heard()
        self.server = Secured(self.socket, self.heard, context)  # type: ignore[arg-type]
        self.heard.transport = self.server
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = trusting().wrap_bio(self.incoming, self.outgoing)
        self.cut = cut

    def carry(self) -> None:
        """Bring what lies on either side to the other."""
        for chunk in self.cut(self.outgoing.read()):
            if chunk:
                self.server.data_received(chunk)
        self.incoming.write(self.socket.sent)
        self.socket.sent = b""

    def agree(self) -> None:
        """Do the handshake."""
        for _ in range(3):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            self.carry()

    def say(self, data: bytes) -> None:
        """Say something, a record at a time."""
        while data:
            data = data[self.client.write(data) :]

    def read(self) -> bytes:
        """Return what the server has said to the client."""
        self.carry()
        said = b""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while piece := self.client.read(1 << 16):
                said += piece
        return said

    def finish(self) -> None:
        """The client says no more; the server still may."""
        with pytest.raises(ssl.SSLWantReadError):
            self.client.unwrap()


@given(st.lists(st.integers(1, 50_000), max_size=40))
def test_chunking_never_changes_what_is_heard(context: ssl.SSLContext, places: list[int]) -> None:
    """Handshake, records and the end, cut anywhere."""

    def cut(data: bytes) -> list[bytes]:
        ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
        return [data[start:end] for start, end in itertools.pairwise(ends)]

    pair = Pair(context, cut)
    pair.agree()
    for word in WORDS:
        pair.say(word)
    pair.finish()
    pair.carry()
    assert pair.heard.data == b"".join(WORDS)
    assert pair.heard.end == "whole"


def test_byte_by_byte(context: ssl.SSLContext) -> None:
    """The least there is."""
    pair = Pair(context, lambda data: [data[at : at + 1] for at in range(len(data))])
    pair.agree()
    pair.client.write(b"hello\n")
    pair.carry()
    assert pair.heard.data == b"hello\n"


def test_who_says_no_more_is_still_answered(context: ssl.SSLContext) -> None:
    """However long the answer; then the server says no more either."""
    pair = Pair(context)
    pair.agree()
    pair.client.write(b"question")
    pair.finish()
    pair.carry()
    assert (pair.heard.data, pair.heard.end) == (b"question", "whole")
    pair.server.write(b"answer" * 20_000)
    pair.server.close()
    assert pair.socket.closed
    assert pair.read() == b"answer" * 20_000
    pair.client.unwrap()


def test_a_connection_that_is_cut_does_not_count_as_ended(context: ssl.SSLContext) -> None:
    """Who stands between could else choose where a line ends."""
    pair = Pair(context)
    pair.agree()
    pair.client.write(b"half a li")
    pair.carry()
    assert pair.server.eof_received()
    assert (pair.heard.data, pair.heard.end) == (b"half a li", "cut")


def test_what_comes_after_the_end_is_not_heard(context: ssl.SSLContext) -> None:
    """Neither records nor junk; and the end is told once."""
    pair = Pair(context)
    pair.agree()
    pair.finish()
    pair.carry()
    pair.heard.end = ""
    pair.server.data_received(b"\x17\x03\x03\x00\x05junk!")
    assert (pair.heard.data, pair.heard.end, pair.socket.closed) == (b"", "", False)


def test_before_the_handshake_nothing_is_sent(context: ssl.SSLContext) -> None:
    """Nobody could read it, and it would be in the open."""
    pair = Pair(context)
    pair.server.write(b"secret")
    pair.server.close()
    assert pair.socket.sent == b""
    assert pair.socket.closed


@pytest.mark.parametrize("agreed", [False, True])
@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x00\x05junk!", b"\x16" + bytes(300), b"\x16\x03\x01\xff\xff" + b"x" * 70_000]
)
def test_junk_ends_it(context: ssl.SSLContext, junk: bytes, agreed: bool) -> None:
    """In the handshake or later; nothing of it is heard, and nothing is written after it."""
    pair = Pair(context)
    if agreed:
        pair.agree()
    pair.server.data_received(junk)
    assert pair.socket.closed
    assert pair.heard.data == b""
    sent = pair.socket.sent
    pair.server.write(b"more")
    assert pair.socket.sent == sent


def test_old_tls_is_refused(context: ssl.SSLContext) -> None:
    """1.2 at least."""
    pair = Pair(context)
    old = trusting()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    pair.client = old.wrap_bio(pair.incoming, pair.outgoing)
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        pair.agree()


def key_updates(secret: bytes) -> Iterator[bytes]:
    """Make records in which a client asks for new keys, without end: each is under the keys of the one before it.

    Args:
        secret: the client's first traffic secret, of TLS_AES_256_GCM_SHA384 (RFC 8446, sections 4.6.3, 5.2 and 7.2).
    """

    def derive(label: bytes, length: int) -> bytes:
        label = b"tls13 " + label
        info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
        return HKDFExpand(hashes.SHA384(), length, info).derive(secret)

    while True:
        said = b"\x18\x00\x00\x01\x01" + b"\x16"
        header = b"\x17\x03\x03" + (len(said) + 16).to_bytes(2, "big")
        yield header + AESGCM(derive(b"key", 32)).encrypt(derive(b"iv", 12), said, header)
        secret = derive(b"traffic upd", 48)


def test_who_has_tls_answer_and_takes_nothing_ends(
    context: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may ask for new keys as often as it likes; what that makes the server hold is bounded."""
    monkeypatch.setattr(secured, "UNTAKEN", 50_000)
    secrets = tmp_path / "secrets"
    asking = trusting()
    asking.keylog_filename = str(secrets)
    pair = Pair(context)
    pair.client = asking.wrap_bio(pair.incoming, pair.outgoing)
    pair.agree()
    cipher = pair.client.cipher()
    assert cipher
    assert cipher[0] == "TLS_AES_256_GCM_SHA384"
    (secret,) = re.findall(r"^CLIENT_TRAFFIC_SECRET_0 \w+ (\w+)$", secrets.read_text(), re.MULTILINE)
    most = 0
    for number, update in enumerate(key_updates(bytes.fromhex(secret))):
        pair.server.data_received(update)
        if pair.socket.is_closing():
            break
        most = max(most, len(pair.socket.sent))
        assert number < 5000
    assert 0 < most <= 50_000
