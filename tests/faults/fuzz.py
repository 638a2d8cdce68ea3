"""Fuzz: millions of frames that are none, or make no sense, against a live server, while a bystander talks on.

Each connection is a *volley*: some hundred lines in any chunks, and an end of file. What the server must answer to it
is known beforehand, so far: one error to each line that is no frame, the connection's end after 50 of them, and nothing
that is no frame itself. Before the welcome lines are shorter, and who speaks as the web does is sent away at once.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any, Final, cast

from faults.report import parser, progress, summary
from support import PATIENCE, Server, Wire

from server.chat.limits import Limits
from server.protocol import frames, limits
from server.protocol.codec import decode_client, decode_server
from server.protocol.errors import ProtocolError
from server.protocol.lines import LineSplitter
from server.protocol.text import check_room

FAULTS: Final = 50
"""Lines that are no frames, after which the server ends a connection."""

GROWTH: Final = 32 * 1024 * 1024
"""Bytes that the server may grow by after it has warmed up."""

AT_ONCE: Final = 24
"""Connections of one process at a time."""

EARLY: Final = Limits().early
"""Bytes of a line of who is not welcomed yet."""

WEB: Final = b" HTTP/1."
"""What stands in the first line of who takes the server for one of the web."""

ROOMS: Final = ["general", "dev", "fuzz"]
"""The only rooms that are ever made: each would stay."""


WORDS: Final = "secret of alice"
"""A password that would do."""


def _line(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=random.Random(len(fields)).random() < 0.5).encode()


VALID: Final = [
    _line(type="hello", name="alice", backlog=0, ping=False, resumes=True, ref="h"),
    _line(type="hello", name="alice", resume={"session": "0" * 32, "epoch": "0" * 16, "seq": 41}),
    _line(type="join", room="dev", backlog=0, ref="j"),
    _line(type="leave", room="dev", ref="l"),
    _line(type="send", room="general", id=7, text="hi", me=True, ref="s"),
    _line(type="send", room="dev", text="Grüße, 世界 🌍\t\u202e\u200b"),
    _line(type="nick", name="Ālice_2", ref="n"),
    _line(type="history", room="general", before=42, limit=50, ref="2"),
    _line(type="history", room="dev", after=0),
    _line(type="history", room="general", around=7, limit=1),
    _line(type="quit", reason="lunch", ref="q"),
    _line(type="withdraw", id=7, ref="w"),
    _line(type="device", ref="d"),
    _line(type="make", room="dev", title="Dev", topic="x", private=True, before="joined", ref="m"),
    _line(type="direct", names=["alice", "bob"], ref="d"),
    _line(type="change", room="dev", title="Dev", topic="\u202ex", archived=False, ref="c"),
    _line(type="invite", room="dev", name="bob", on=False, ref="i"),
    _line(type="rooms", rooms=["dev", "general"], ref="r"),
    _line(type="list", after="dev", ref="l"),
    _line(type="send", room="dev", id=8, text="@bob @here", reply=7),
    _line(type="edit", room="dev", seq=7, text="otherwise"),
    _line(type="delete", room="dev", seq=7, ref="d"),
    _line(type="react", room="dev", seq=7, emoji="+1", on=True),
    _line(type="pin", room="dev", seq=7, on=False),
    _line(type="mark", room="dev", read=7, unread=0, level="mentions", favourite=True, muted=False),
    _line(type="typing", room="general"),
    _line(type="away", on=True, text="lunch"),
    _line(type="whois", name="bob", ref="w"),
    _line(type="people", users=[1, 2, 3]),
    _line(type="history", room="dev", at="2026-11-21T09:00:00Z", thread=7),
    _line(type="get", room="dev", seqs=[7, 8]),
    _line(type="pins", room="dev", ref="p"),
    _line(type="versions", room="dev", seq=7),
    _line(type="search", text='"a phrase" wor*', rooms=["dev"], sender="bob", since="2026-11-21", has=["link"]),
    _line(type="about", ref="a"),
    _line(type="hello", name="alice", password=WORDS, ref="h"),
    _line(type="register", name="alice", password=WORDS, ticket="1a6h-t8ma", ref="r"),
    _line(type="password", old=WORDS, new="another one", ref="p"),
    _line(type="devices", ref="d"),
    _line(type="end", session=7, others=True, name="bob"),
    _line(type="claim", code="1a6h-t8ma", ref="c"),
    _line(type="appoint", name="bob", role="admin", room="dev", ref="a"),
    _line(type="kick", name="bob", room="dev", reason="spam"),
    _line(type="ban", range="192.0.2.0/24", minutes=60, reason="spam", ref="b"),
    _line(type="silence", name="bob", minutes=5, on=False),
    _line(type="bans", room="dev", ref="b"),
    _line(type="audit", room="dev", before=42, limit=20),
    _line(type="settings", guests=False, sign_up="closed", ref="s"),
    _line(type="ticket", uses=3, hours=24, ref="t"),
    _line(type="tickets", ref="t"),
    _line(type="accounts", after=7, ref="a"),
    _line(type="block", name="bob", on=True),
    _line(type="report", room="general", seq=7, reason="spam", ref="r"),
    _line(type="reports", before=42),
    _line(type="settle", report=7, ref="s"),
    _line(type="export", after=7, ref="e"),
    _line(type="erase", name="bob", password=WORDS),
    _line(type="ping", seq=3),
    _line(type="pong"),
    _line(type="welcome", name="alice", user=3, session="s", epoch="e", seq=41, rooms=["general"]),
    _line(type="message", seq=42, room="general", user=3, sender="alice", time="2026-11-21T09:00:00.000Z", text="hi"),
    _line(type="ok", ref="1", seq=42),
    _line(type="error", code="name_taken", message="no", ref="1"),
    _line(type="roster", room="general", names=["alice", "bob"], more=True),
    _line(type="gap", room="general", after=42, before=20042),
    _line(type="shutdown", reason="end"),
]
"""A frame of each type, of both sides."""

VALUES: Final = [
    *(b'null true [] {} "" 0 -1 -0 1.5 1e999 1e-400 NaN Infinity 0x10 01 [[[[[]]]]] {"a":{"a":{}}} \'single\''.split()),
    *(rb'"\ud800" "\udc00\ud800" "\u0000" "\x41" "\u202e"'.split()),
    *(b"9007199254740991 9007199254740992 18446744073709551616".split()),
    *(b"9" * 400, b'"\xff"'),
]
BYTES: Final = [
    *(
        b"\0",
        b"\xff\xfe",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xae",
        b"\x1b[2J",
    ),
    *(b"\\u", b"//", b'"type":"ping",', *(bytes([byte]) for byte in b'\\"{}[]:,\r\n\t\x7f')),
]
ALIEN: Final = [
    *(b"GET / HTTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-OpenSSH_9.9", b"QUIT"),
    *(b"[]", b'"x"', b"null", b"{}", b"}{", b" ", b"\0" * 99, b"\xff" * 99),
    *(rb'{"type":"\u0000"}', b'{"type":["send"]}', b'{"type":"send"'),
]
STRINGS: Final = [
    *("", " ", "\n", "a b", "../x", "nowhere", "Général", "GENERAL", "раура1", "general\0", "\u202e"),
    *("a" * 49, "x" * 5000),
]
NUMBERS: Final = [0, 1, 2, 7, 41, 42, 500, 2**31, 2**53 - 1]


_IN_A_ROOM: Final = (
    *("join", "leave", "make", "change", "invite", "send", "edit", "delete", "react", "pin", "mark", "typing"),
    *("history", "get", "pins", "versions"),
)
_KINDS: Final = (
    *_IN_A_ROOM,
    *("nick", "hello", "ping", "pong", "withdraw", "about", "device", "direct", "rooms", "list", "away", "whois"),
    *("people", "search", "appoint", "kick", "ban", "silence", "bans", "audit", "settings", "ticket", "tickets"),
    *("accounts", "block", "report", "reports", "settle", "register", "password", "devices", "claim"),
)


class Generator:
    """Lines that are no frames, and frames that make no sense."""

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)

    def any(self) -> bytes:
        """Return one or the other."""
        roll = self.dice.random()
        return self.senseless() if roll < 0.6 else self.broken() if roll < 0.998 else self.long()

    def broken(self) -> bytes:
        """Return a frame that something was done to, its newline included if it has one."""
        dice = self.dice
        line: bytes = dice.choice(VALID)
        for _ in range(1 if dice.random() < 0.8 else 3):
            line = dice.choice(_MUTATIONS)(dice, line)
        return line if dice.random() < 0.01 else line + b"\n"

    def senseless(self) -> bytes:
        """Return a frame that can be read and is refused, or asks for little."""
        dice = self.dice
        room = dice.choice(ROOMS if dice.random() < 0.5 else STRINGS)
        kind = dice.choice(_KINDS)
        fields: dict[str, Any] = {"type": kind}
        if kind in _IN_A_ROOM:
            fields["room"] = room
        if kind in ("edit", "delete", "react", "pin", "versions"):
            fields["seq"] = dice.choice(NUMBERS)
        if kind == "react":
            fields["emoji"] = dice.choice(("+1", "x" * 32, "tada"))
        if kind in ("react", "pin", "invite", "away"):
            fields["on"] = dice.random() < 0.5
        if kind == "change":
            fields[dice.choice(("title", "topic"))] = dice.choice(STRINGS)
        if kind == "mark":
            fields[dice.choice(("read", "unread"))] = dice.choice(NUMBERS)
        if kind == "get":
            fields["seqs"] = [dice.choice(NUMBERS) for _ in range(dice.choice((1, 50)))]
        if kind == "people":
            fields["users"] = [dice.choice(NUMBERS) for _ in range(dice.choice((0, 500)))]
        if kind == "search":
            fields |= {"text": dice.choice(STRINGS)[:500], "sender": dice.choice(STRINGS), "till": "2026-11-21"}
        if kind == "direct":
            fields["names"] = ["nobody", *dice.sample(STRINGS, dice.randint(0, 6))]
        if kind in ("nick", "hello", "whois", "invite", "appoint", "kick", "ban", "silence", "block", "register"):
            fields["name"] = dice.choice(STRINGS)
        if kind in ("password", "register", "claim"):
            names = {"password": ("old", "new"), "register": ("password",), "claim": ("code",)}[kind]
            fields |= {name: dice.choice(STRINGS)[:500] for name in names}
        if kind == "appoint":
            fields["role"] = dice.choice(("owner", "member"))
        if kind == "settle":
            fields["report"] = dice.choice(NUMBERS)
        if kind in ("send", "edit"):
            fields["text"] = dice.choice(["", "\0", "\ud800" if dice.random() < 0.1 else "", "t" * 20_000])
        if kind in ("send", "withdraw"):
            fields["id"] = dice.choice(NUMBERS[1:])
        if kind == "history":
            fields |= {
                dice.choice(("before", "after", "around", "thread")): dice.choice(NUMBERS)
                for _ in range(dice.randint(1, 2))
            }
            fields["limit"] = dice.choice((1, 2, 500))
        if kind in ("hello", "join"):
            fields["backlog"] = dice.choice((0, 1, 500))
        if dice.random() < 0.5:
            fields["ref"] = dice.choice(("r", "\u202e\0", "€" * 64, ""))
        if dice.random() < 0.1:
            fields[dice.choice(("extra", "type ", "\0"))] = {"a": [1, {"b": None}]}
        return json.dumps(fields, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass") + b"\n"

    def long(self) -> bytes:
        """Return a line about as long as a line may be."""
        size = limits.LINE + self.dice.choice((-2, -1, 0, 1, 5000))
        start = self.dice.choice((b'{"type":"send","room":"general","text":"', b"[" * 70_000, b""))
        return (start + b"x" * size)[: size - 1] + b"\n"


def _at(dice: random.Random, line: bytes) -> int:
    return dice.randrange(len(line) + 1)


def _flip(dice: random.Random, line: bytes) -> bytes:
    data = bytearray(line)
    for _ in range(dice.randint(1, 4)):
        if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _splice(dice: random.Random, line: bytes) -> bytes:
    other = dice.choice(VALID)
    return line[: _at(dice, line)] + other[_at(dice, other) :]


def _insert(dice: random.Random, line: bytes) -> bytes:
    at = _at(dice, line)
    return line[:at] + dice.choice(BYTES) + line[at:]


def _other_value(dice: random.Random, line: bytes) -> bytes:
    """Put another value where one stands."""
    values: list[re.Match[bytes]] = list(re.finditer(rb'(?<=:)("[^"]*"|[\d.]+|true|false)', line))
    if not values:
        return line
    value = dice.choice(values)
    other: bytes = dice.choice(VALUES)
    return line[: value.start()] + other + line[value.end() :]


def _twice(dice: random.Random, line: bytes) -> bytes:
    """Say a key twice."""
    fields: list[bytes] = re.findall(rb'"\w+":(?:"[^"]*"|\d+|true)', line) or [b'"type":1']
    return b"{" + dice.choice(fields) + b"," + line[1:]


def _deep(dice: random.Random, line: bytes) -> bytes:
    depth = dice.choice((10, 100, 1000, 5000))
    nest = dice.choice((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth))
    return line[:-1] + b',"ref":' + nest + b"}"


_MUTATIONS: Final[list[Callable[[random.Random, bytes], bytes]]] = [
    *[_flip, _flip, _splice, _insert, _other_value, _other_value, _twice],
    lambda dice, line: line[: _at(dice, line)],
    lambda dice, line: line[_at(dice, line) :],
    lambda dice, _line: dice.choice(ALIEN),
    lambda dice, _line: dice.randbytes(dice.randint(1, 200)),
    lambda dice, line: _deep(dice, line) if dice.random() < 0.05 else _flip(dice, line),
]


@dataclass
class Volley:
    """What one connection says."""

    data: bytes = b""
    frames: int = 0
    """Lines of it that are taken."""
    faults: int = 0
    """Those that are no frames."""
    inside: bool | None = False
    """Somebody is welcomed; None where nobody knows: a hello that makes little sense may be taken."""
    sent_away: bool = False
    """By the 50th of them, or for speaking as the web does before the welcome."""
    over: bool = False
    """Nothing more is taken: it is sent away, or was quit."""

    @property
    def tls(self) -> bool:
        """It begins as TLS does, and breaks off: what is answered is none of a chat's lines."""
        return self.data.startswith(b"\x16")

    def take(self, lines: Iterable[bytes | None]) -> None:
        """Count lines as the server does."""
        for line in lines:
            if self.over or line == b"":
                continue
            frame = None if line is None else _reads(line)
            self.frames += 1
            if self.inside is False and frame is None and line is not None and WEB in line:
                self.sent_away = True
            else:
                self.faults += frame is None
                self.sent_away = self.faults == FAULTS
            self.over = self.sent_away or isinstance(frame, frames.Quit)
            if isinstance(frame, frames.Hello) and not self.inside:
                self.inside = None


def volley(generator: Generator, name: str) -> Volley:
    """Make one: half of them say hello first, one in ten goes on until it is sent away."""
    dice = generator.dice
    most = FAULTS + 10 if dice.random() < 0.1 else FAULTS - 4
    chunks: list[bytes] = []
    splitter = LineSplitter(EARLY)
    shot = Volley()
    if dice.random() < 0.5:
        chunks.append(_line(type="hello", name=name, backlog=0, resumes=dice.random() < 0.1) + b"\n")
        shot.take(splitter.feed(chunks[0]))
        shot.inside = True
        splitter.longest = limits.LINE
    for _ in range(dice.randint(80, 250)):
        if shot.faults < most:
            line = generator.any()
            if all(_may_be_said(dice, part, shot.inside) for part in line.split(b"\n")):
                chunks.append(line)
                shot.take(splitter.feed(line))
    shot.take(splitter.feed(b"\n"))
    shot.data = b"".join(chunks)
    return shot


def _reads(line: bytes) -> frames.ClientFrame | None:
    try:
        return decode_client(line)
    except ProtocolError:
        return None


_RARE: Final = (
    frames.Send,
    frames.Quit,
    frames.Nick,
    frames.HistoryRequest,
    frames.Device,
    frames.Report,
    frames.Export,
)
"""Of these few are said: they stay, or their answers are long."""


def _may_be_said(dice: random.Random, line: bytes, inside: bool | None) -> bool:
    """Say whether a line may be sent: what stays is rare, and new rooms are not made at all.

    Nor is what is answered otherwise before the welcome, where nobody knows whether there was one.
    """
    frame = _reads(line)
    if inside is None and (WEB in line or (frame is not None and len(line) >= EARLY)):
        return False
    if isinstance(frame, frames.Direct):
        return "nobody" in frame.names
    if isinstance(frame, frames.Join | frames.Make):
        try:
            return check_room(frame.room) in ROOMS and dice.random() < 0.1
        except ProtocolError:
            return True
    if isinstance(frame, frames.Erase | frames.End) and not frame.name:
        return False  # it ends the connection, or its session
    if isinstance(frame, _RARE):
        return dice.random() < 0.05 or (isinstance(frame, frames.Send) and len(frame.text) > limits.TEXT)
    return True


@dataclass
class Tally:
    """What came of many volleys."""

    frames: int = 0
    connections: int = 0
    ended: int = 0
    """Connections that were sent away."""
    answers: int = 0
    found: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in another's."""
        self.frames += other.frames
        self.connections += other.connections
        self.ended += other.ended
        self.answers += other.answers
        self.found += other.found


class Attacker(asyncio.Protocol):
    """One connection: says its volley and looks at what is answered."""

    def __init__(self, shot: Volley, dice: random.Random, tally: Tally) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._shot, self._dice, self._tally = shot, dice, tally
        self._splitter = LineSplitter()
        self._faults = 0
        self._abuse = False
        self._chunks: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to talk."""
        self._transport = cast("asyncio.Transport", transport)
        data = self._shot.data
        count = self._dice.randint(1, 20) if self._dice.random() < 0.4 else 0
        cuts = sorted({0, len(data), *(self._dice.randrange(len(data) + 1) for _ in range(count))})
        self._chunks = [data[start:end] for start, end in pairwise(cuts)][::-1]
        self._go_on()

    def _go_on(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._chunks:
            self._transport.write(self._chunks.pop())
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            with contextlib.suppress(OSError):  # sent away in the meantime
                self._transport.write_eof()

    def data_received(self, data: bytes) -> None:
        """Look at the answers."""
        if self._shot.tls:
            return
        for line in self._splitter.feed(data):
            self._tally.answers += 1
            if line is None:
                self._tally.found.append("an answer of more than 64 KiB")
                continue
            try:
                frame = decode_server(line)
            except ProtocolError as error:
                self._tally.found.append(f"an answer that is no frame: {line[:200]!r} ({error})")
                continue
            if isinstance(frame, frames.Error):
                self._faults += frame.code in ("bad_frame", "too_long", "unknown_type") and not _refusal(frame)
                self._abuse |= frame.code == "abuse"

    def connection_lost(self, error: Exception | None) -> None:
        """Compare with what had to be."""
        tally, shot = self._tally, self._shot
        tally.frames += shot.frames
        tally.connections += 1
        tally.ended += self._abuse
        if error is None and not shot.tls and (self._faults, self._abuse) != (shot.faults, shot.sent_away):
            tally.found.append(
                f"{shot.faults} faults, {self._faults} told, sent away: {self._abuse}: {shot.data[:300]!r}"
            )
        if error is not None and not (shot.over or shot.tls):
            tally.found.append(f"a connection broke: {error!r}: {shot.data[:300]!r}")
        self._transport = None
        if not self.over.done():
            self.over.set_result(None)


def _refusal(error: frames.Error) -> bool:
    """Say whether a `bad_frame` speaks of a frame that could be read."""
    return error.message.startswith(("A page has one bound", "A ban is of", "An account has", "Come in one way"))


async def attack(port: int, seed: str, count: int, tell: Callable[[int], None] = lambda _more: None) -> Tally:
    """Send about so many frames, on several connections at a time."""
    tally = Tally()
    generator = Generator(seed)
    loop = asyncio.get_running_loop()
    number = 0

    async def one_after_another() -> None:
        nonlocal number
        while tally.frames < count and len(tally.found) < 20:
            number += 1
            shot = volley(generator, f"{seed}n{number}")
            _, attacker = await loop.create_connection(lambda: Attacker(shot, generator.dice, tally), "127.0.0.1", port)  # noqa: B023
            try:
                await asyncio.wait_for(attacker.over, 6 * PATIENCE)
            except TimeoutError:
                tally.found.append(f"a connection was not ended after its last line: {shot.data[:300]!r}")
            tell(shot.frames)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
    return tally


class Bystander:
    """Someone who talks ten times a second meanwhile."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.latencies: list[float] = []
        """Milliseconds from a message's way out until it is back."""
        self.task = asyncio.create_task(self._talk())

    async def _talk(self) -> None:
        count = 0
        while True:
            count += 1
            start = time.perf_counter()
            await self.wire.say(type="send", room="general", id=count, text=f"still here {count}")
            while True:
                frame = await self.wire.next()
                if frame["type"] == "ping":
                    await self.wire.say(type="pong")
                if frame["type"] == "message" and frame.get("id") == count and frame["sender"] == "bystander":
                    break
            self.wire.heard.clear()
            self.latencies.append((time.perf_counter() - start) * 1000)
            await asyncio.sleep(0.1)


Outcome = tuple[dict[str, Any], list[str]]
"""A run's figures, and what it found."""


class Output:
    """What a server says meanwhile, but for who comes and goes: it should be nothing."""

    def __init__(self, server: Server) -> None:
        self.lines: list[str] = []
        usual = re.compile(r" came in from | left: | is now |^Listening on |^Owner code: |^The server has stopped")
        for stream in (server.process.stdout, server.process.stderr):
            own = os.dup(cast("IO[bytes]", stream).fileno())  # the other is closed with the server
            threading.Thread(target=self._read, args=(own, usual), daemon=True).start()

    def _read(self, file: int, usual: "re.Pattern[str]") -> None:
        with open(file) as lines:
            self.lines += (line.rstrip() for line in lines if not usual.search(line) and len(self.lines) < 1000)


def memory(server: Server) -> int:
    """Return the bytes of memory a server has (RSS)."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def sockets(server: Server) -> int:
    """Return how many sockets a server has open."""
    count = 0
    for entry in Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            count += str(entry.readlink()).startswith("socket:")
        except FileNotFoundError:
            continue
    return count


async def until(holds: Callable[[], bool], seconds: float = 3 * PATIENCE) -> bool:
    """Wait until something holds; return whether it does."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def run(server: Server, attacking: Awaitable[Tally], sent: Callable[[], int], warm: int) -> Outcome:
    """Watch a server that has just started while it is attacked.

    Args:
        server: which.
        attacking: the attack.
        sent: says how many frames were sent so far.
        warm: frames after which the server has warmed up.
    """
    output = Output(server)
    bystander = Bystander(await Wire.connect(server.port, "bystander", backlog=0))
    idle = sockets(server)
    began = time.monotonic()
    attack_task = asyncio.ensure_future(attacking)
    warmed, most = 0, 0
    while not attack_task.done() and not bystander.task.done() and server.process.poll() is None:
        await asyncio.wait({attack_task, bystander.task}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
        most = max(most, memory(server)) if warmed else 0
        if not warmed and sent() >= warm:
            warmed = memory(server)
        progress(f"{sent():,} frames, {memory(server) / 2**20:.1f} MiB, {len(output.lines)} lines of log")
    seconds = time.monotonic() - began
    found = list(output.lines)
    if bystander.task.done():
        found.append(f"the bystander was not served: {bystander.task.exception()!r}")
    if server.process.poll() is not None:
        attack_task.cancel()
        return {}, [*found, f"the server ended with {server.process.returncode}"]
    tally = await attack_task
    found += tally.found
    bystander.task.cancel()
    await asyncio.wait({bystander.task})

    def alone() -> bool:
        return [client["name"] for client in json.loads((server.data / "clients.json").read_text())] == ["bystander"]

    if not await until(alone):
        found.append(f"connections are left: {(server.data / 'clients.json').read_text()}")
    if not await until(lambda: sockets(server) <= idle):
        found.append(f"{sockets(server) - idle} sockets are left open")
    if not await until_only(bystander.wire):
        found.append("people are left in the roster")
    after = memory(server)
    growth = max(most, after) - (warmed or after)
    if growth > GROWTH:
        found.append(f"the server grew by {growth:,} bytes")
    waits = sorted(bystander.latencies)
    await bystander.wire.close()
    code, _, _ = server.stop()
    if code:
        found.append(f"the server ended with {code}")
    found += [line for line in output.lines if line not in found]
    return {
        "frames": tally.frames,
        "seconds": round(seconds, 1),
        "connections": tally.connections,
        "sent_away": tally.ended,
        "answers": tally.answers,
        "growth_mib": round(growth / 2**20, 1),
        "growth_after_mib": round((after - (warmed or after)) / 2**20, 1),
        "bystander_messages": len(waits),
        "bystander_p50_ms": round(statistics.median(waits), 1),
        "bystander_p99_ms": round(waits[int(len(waits) * 0.99)], 1),
        "bystander_max_ms": round(waits[-1], 1),
    }, found


async def until_only(wire: Wire) -> bool:
    """Wait until someone is told to be alone, by a roster of `general`; return whether that came."""
    end = time.monotonic() + 3 * PATIENCE  # the grace time of those whose connection broke is part of it
    while time.monotonic() < end:
        await wire.say(type="join", room="general", backlog=0, ref="alone")
        names: list[str] = []
        while (frame := await wire.hear("roster", "ok", "error"))["type"] == "roster":
            names += frame["names"]
        if set(names) == {"bystander"}:
            return True
        await asyncio.sleep(1)
    return False


_sent: Any = None
"""In a process that attacks: where it adds up what it has sent."""


def _share(counter: Any) -> None:
    global _sent
    _sent = counter


def _attack_in_process(port: int, seed: str, count: int) -> Tally:
    def tell(frames_more: int) -> None:
        with _sent.get_lock():
            _sent.value += frames_more

    return asyncio.run(attack(port, seed, count, tell))


async def _attack_from_processes(given: argparse.Namespace, port: int, counter: Any) -> Tally:
    loop, whole = asyncio.get_running_loop(), Tally()
    share = given.frames // given.processes
    with ProcessPoolExecutor(given.processes, get_context("spawn"), _share, (counter,)) as pool:
        seeds = [f"{given.seed}p{number}" for number in range(given.processes)]
        work = [loop.run_in_executor(pool, _attack_in_process, port, seed, share) for seed in seeds]
        for tally in await asyncio.gather(*work):
            whole.add(tally)
    return whole


def main(arguments: list[str]) -> int:
    """Run it as long as it takes."""
    words = parser("fuzz", "Millions of mutated frames against a live server, and a bystander who talks meanwhile.")
    words.add_argument("--frames", type=int, default=5_000_000)
    words.add_argument("--limits", choices=("on", "off"), default="off")
    words.add_argument("--processes", type=int, default=2, help="processes that attack (default: %(default)s)")
    given = words.parse_args(arguments)
    counter = get_context("spawn").Value("q", 0)

    async def both() -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder), "--limits", given.limits)
            try:
                attacking = _attack_from_processes(given, server.port, counter)
                return await run(server, attacking, lambda: int(counter.value), given.frames // 10)
            finally:
                server.process.kill()

    figures, found = asyncio.run(both())
    return summary("fuzz", given, figures, found)
