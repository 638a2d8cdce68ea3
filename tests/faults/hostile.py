"""Hostile strings in every field that a peer controls: none acts on a terminal, none impersonates, none breaks a frame.

The fields are read off the protocol: each string of each frame that a client may send. An attacker who may do nearly
everything (the server's owner) sends them over TLS; a bystander reads every line as it comes, and another one sits in
front of `chat-tui` in a terminal of its own, every byte of which is looked at.
"""

import asyncio
import itertools
import json
import random
import re
import time
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from faults.hosts import scratch
from faults.report import parser, progress, summary
from support import PATIENCE, Server, Wire
from terminals import Terminal

from server.protocol import frames
from server.protocol.codec import decode_server
from server.protocol.errors import ProtocolError
from server.protocol.text import check_name, clean, name_keys

PASSWORD: Final = "correct horse battery"  # noqa: S105 - of a server that lives for this run alone

VICTIM: Final = "alice"
"""Whom the strings try to look like."""

PARTS: Final = {
    "escape": [
        "\x1b[2J\x1b[H",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]0;title\x07",
        "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\",
        "\x1bP1$qm\x1b\\",
        "\x1b[6n",
        "\x1b[?1049l",
        "\x1bc",
        "\x9b31m",
        "\x9d52;c;eA==\x9c",
        "\x90q\x9c",
        "\x1b_Gi=1\x1b\\",
        "\x07",
        "\x08\x08\x08",
        "\x0e",
        "\x7f",
        "\x00",
        "\x85",
        "\x1b[200~",
        "\x1b[201~",
        "\x05",
        "\x1b#8",
        "\x1b(0",
    ],
    "bidi": [
        "\u202e",
        "\u202d",
        "\u2066",
        "\u2067",
        "\u2068",
        "\u2069",
        "\u200e",
        "\u200f",
        "\u061c",
        "\u202a",
        "\u202c",
    ],
    "zero": ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u115f", "\u3164", "\ufe0f", "\U000e0041", "\u180e"],
    "glyph": [
        "аlice",
        "alісe",
        "ａlice",
        "ALICE",
        "Alıce",
        "a1ice",
        "alíce",
        "alice\u0301",
        "𝐚lice",
        "ᴀlice",
        "alice.",
        "αlice",
    ],
    "markup": [
        "[red]",
        "[/]",
        "[@click=app.quit]x[/]",
        "[link=file:///etc/passwd]",
        "**b**",
        "`",
        "```\n",
        "~~",
        "<b>",
        "{0}",
        "%s",
        "$primary",
        "[bold $error on red]",
        "[[",
        "](javascript:1)",
        "[x](http://a\x1b[31m)",
    ],
    "line": [
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\u2029",
        "\x0b",
        "\x0c",
        '"}\n{"type":"shutdown","reason":"x"}\n',
        "\\n",
        '","sender":"alice',
        "\n> alice: ",
        "\tx",
        "\n\n\n\n",
    ],
    "odd": [
        "\ud800",
        "\udfff",
        "\ufffe",
        "\U0010ffff",
        "👩\u200d👩\u200d👧",
        "e" + "\u0301" * 40,
        "𒐫" * 9,
        "\u0600",
        "﷽",
        "\u1160" * 5,
    ],
}
"""What a hostile string is made of, by what it tries."""


def strings(count: int, seed: int) -> Iterator[str]:
    """Yield hostile strings: each part alone, then parts and harmless words put together by chance."""
    dice = random.Random(seed)
    parts = [part for kind in PARTS.values() for part in kind]
    words = ["", "x", VICTIM, "hello", "général", "日本"]
    mixed = (
        "".join(dice.choice(parts if dice.random() < 0.6 else words) for _ in range(dice.randint(1, 6)))
        for _ in itertools.count()
    )
    yield from itertools.islice(itertools.chain(parts, (VICTIM + part for part in parts), mixed), count)


def fields() -> list[tuple[str, str]]:
    """Return every string of every frame that a client may send: (type, field)."""
    return [
        (str(kind.__struct_config__.tag), field.name)
        for kind in typing.get_args(frames.ClientFrame)
        for field in msgspec.structs.fields(kind)
        if _holds_text(field.type) and field.name not in ("ref", "resume")
    ] + [("resume", "session"), ("resume", "epoch")]


def _holds_text(kind: Any) -> bool:
    """Say whether any text may stand there; not a choice of words."""
    if kind is str:
        return True
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is not None:
        return typing.get_origin(kind) is not typing.Literal and any(map(_holds_text, typing.get_args(kind)))
    return False


def harmful(text: str, *, lines: bool) -> str:
    """Say what is wrong with a text that a client is shown; empty for nothing."""
    if clean(text) != text:
        return "not clean"
    return "" if lines else "more than one line" * ("\n" in text)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield all strings of a frame, with where they stand."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.key", key
            yield from texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, path)


MANY: Final = re.compile(r"\.(text|lines(\..*)?)$")
"""Where several lines may stand: what was said."""


def look_at_line(line: bytes, victim: int) -> list[str]:
    """Return what is wrong with a line from the server; `victim` is the user whom nobody is to look like."""
    try:
        frame = json.loads(line)
        decode_server(line)
    except (ValueError, ProtocolError) as error:
        return [f"no frame: {error}: {line[:200]!r}"]
    found = [
        f"{frame['type']}{path}: {why}: {text!r}"
        for path, text in texts(frame)
        if (why := harmful(text, lines=bool(MANY.search(path)))) and path != ".ref"
    ]
    if frame["type"] == "message" and frame["user"] != victim and name_keys(frame["sender"]) & name_keys(VICTIM):
        found.append(f"{frame['sender']!r}, user {frame['user']}, looks like {VICTIM}")
    return found


_SEQUENCE: Final = re.compile(
    r"\x1b\[[0-9;:?<=>$]*[A-Za-z]"  # what drives a screen
    r"|\x1b\]8;[^\x07\x1b]*(?:\x1b\\|\x07)"  # links
    r"|\x1b\]22;[a-z]*\x07"  # the pointer's shape
    r"|\x1b[78=>]|\x1b\(B"
)
_ACTS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]")
_DRIVES: Final = set("mHKJhlABCDGdruqptcnXSTL")
"""Last letters of the sequences that Textual writes."""


def look_at_terminal(written: bytes) -> list[str]:
    """Return what a terminal was told that no program of ours says: sequences that no other text may bring in."""
    text = written.decode("utf-8", errors="replace")
    rest = _SEQUENCE.sub("", text)
    found = [
        f"the terminal got {sequence!r}"
        for sequence in set(_SEQUENCE.findall(text))
        if sequence[1] == "[" and (sequence[-1] not in _DRIVES or sequence in ("\x1b[6n", "\x1b[c"))
    ]
    found += [
        f"the terminal got {rest[max(0, match.start() - 20) : match.end() + 20]!r}" for match in _ACTS.finditer(rest)
    ]
    return found


class Attacker:
    """The server's owner, who sends one hostile string after the other."""

    def __init__(self, server: Server, wire: Wire, room: str) -> None:
        self.server, self.wire, self.room = server, wire, room
        self.sent = 0
        self.seq = 0

    async def send(self, kind: str, field: str, text: str) -> None:
        """Send one frame with this text in this field, and wait for what becomes of it."""
        self.sent += 1
        if kind in ("hello", "resume", "register") or (kind, field) in {("end", "name"), ("erase", "password")}:
            await self._from_outside(kind, field, text)
            return
        bases: dict[str, dict[str, Any]] = {
            "send": {"room": self.room, "text": "x"},
            "edit": {"room": self.room, "seq": self.seq, "text": "x"},
            "join": {"room": self.room},
            "make": {"room": f"room{self.sent}"},
            "invite": {"room": self.room, "name": "mallory"},
            "change": {"room": self.room},
            "direct": {"names": [VICTIM]},
            "silence": {"name": "mallory", "room": self.room, "minutes": 1},
            "ban": {"name": "mallory", "room": "elsewhere", "minutes": 1},
            "kick": {"name": "mallory", "room": self.room},
            "appoint": {"name": "mallory", "role": "moderator", "room": self.room},
            "block": {"name": "mallory"},
            "report": {"room": self.room, "seq": self.seq},
            "react": {"room": self.room, "seq": self.seq, "emoji": "thumbsup"},
            "password": {"old": PASSWORD, "new": PASSWORD},
            "get": {"room": self.room, "seqs": [self.seq]},
            "delete": {"room": self.room, "seq": 1},
            "pin": {"room": self.room, "seq": self.seq},
            "versions": {"room": self.room, "seq": self.seq},
            "claim": {},
            "quit": {},
        }
        base = bases.get(kind, {})  # fmt: skip
        if kind == "quit":
            await self._quit(text)
            return
        if field == "name" and kind in ("kick", "ban", "erase", "appoint", "silence"):
            text += "x"  # whoever it would put out or erase is to go on watching
        several = (kind, field) in {("direct", "names"), ("rooms", "rooms"), ("search", "rooms"), ("search", "has")}
        answer = await self._ask(self.wire, {**base, "type": kind, field: [text] if several else text})
        if kind == "send" and answer.get("type") == "ok":
            self.seq = answer["seq"]

    async def _ask(self, wire: Wire, frame: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and read up to its answer, however slowly it may be taken."""
        while True:
            ref = f"a{wire.asked}"
            wire.asked += 1
            line = json.dumps({**frame, "ref": ref}, ensure_ascii=True).encode() + b"\n"
            await wire.raw(line)
            answer = await self._answer(wire, ref)
            if answer.get("code") not in ("rate_limited", "slow_mode"):
                return dict(answer)
            await asyncio.sleep(answer["wait_ms"] / 1000)

    async def _answer(self, wire: Wire, ref: str) -> dict[str, Any]:
        """Return the answer to a request; what says that the connection ended where one from outside did."""
        async with asyncio.timeout(PATIENCE):
            while line := await wire.reader.readline():
                answer: dict[str, Any] = json.loads(line)
                if answer.get("ref") == ref or answer.get("code") == "bad_frame":  # not even its ref could be read
                    return answer
        assert wire is not self.wire, "the attacker's own connection ended"
        return {"type": "end"}

    async def _from_outside(self, kind: str, field: str, text: str) -> None:
        """Say it on a connection of its own, in place of a hello or as a newcomer."""
        wire = await Wire.connect(self.server.port, tls=True)
        if kind == "resume":
            frame: dict[str, Any] = {"type": "hello", "name": "eve", "resume": {"session": "0" * 32, field: text}}
        elif kind == "hello":
            frame = {"type": "hello", "name": f"eve{self.sent}", field: [text] if field == "show" else text}
        elif kind == "register":
            frame = {"type": "register", "name": f"eve{self.sent}", "password": PASSWORD, field: text}
        else:
            await self._ask(wire, {"type": "hello", "name": f"eve{self.sent}"})
            frame = {"type": kind, field: text}
        answer = await self._ask(wire, frame)
        if answer["type"] == "welcome":
            await self._ask(wire, {"type": "send", "room": "general", "text": "I am in"})
        await wire.close()

    async def _quit(self, reason: str) -> None:
        wire = await Wire.connect(self.server.port, f"eve{self.sent}", tls=True)
        await wire.raw(json.dumps({"type": "quit", "reason": reason}).encode() + b"\n")
        await wire.close()


async def bystander(wire: Wire, victim: int, found: list[str], done: asyncio.Event) -> int:
    """Read all that someone in the room is sent, and look at it; return how many lines that were."""
    count = 0
    while not done.is_set():
        try:
            async with asyncio.timeout(0.5):
                line = await wire.reader.readline()
        except TimeoutError:
            continue
        if not line:
            found.append("the bystander's connection ended")
            return count
        count += 1
        found += look_at_line(line, victim)
    return count


async def run(folder: Path, count: int, seed: int, *, with_terminal: bool) -> tuple[dict[str, Any], list[str]]:
    """Send so many strings, spread over all fields and each at least once; return figures and findings."""
    server = Server(folder / "data", "--limits", "off", "--limit", "faults=1000000", "--limit", "login_rate=1000")
    found: list[str] = []
    terminal = None
    try:
        victim = await Wire.connect(server.port, VICTIM, tls=True, ping=False)
        user = (await victim.ask(type="register", password=PASSWORD))["user"]
        owner = await Wire.connect(server.port, "mallet", tls=True, ping=False)
        assert (await owner.ask(type="register", password=PASSWORD))["type"] == "account"
        assert (await owner.ask(type="claim", code=server.owner_code))["type"] == "ok"
        mallory = await Wire.connect(server.port, "mallory", tls=True, ping=False)
        await mallory.ask(type="register", password=PASSWORD)
        room = "dev"
        for wire in (owner, victim, mallory):
            await wire.ask(type="join", room=room)
        if with_terminal:
            arguments = ("--name", "watcher", "--host", "127.0.0.1", "--port", str(server.port))
            terminal = Terminal("chat_tui.cli", *arguments, columns=110, rows=34)
            terminal.sees("watcher")
            terminal.press(f"/join {room}\r")
            terminal.sees("dev")
        attacker = Attacker(server, owner, room)
        done = asyncio.Event()
        reading = asyncio.create_task(bystander(victim, user, found, done))
        # What its own connection is told counts, too.
        also = asyncio.create_task(bystander(mallory, user, found, done))
        places = fields()
        attacker.seq = (await owner.ask(type="send", room=room, text="first"))["seq"]
        for number, text in enumerate(strings(count, seed)):
            shift = number // len(places)  # so that each field meets each kind
            await attacker.send(*places[(number + shift) % len(places)], text)
            if number % 5 == 0:  # the field that people look at most gets more than its share
                await attacker.send("send", "text", text)
            if terminal is not None and number % 20 == 0:
                terminal.take()
            if number % 500 == 0:
                progress(f"{number:,} strings")
        last = "the last word"
        await owner.ask(type="send", room=room, text=last)
        if terminal is not None:
            end = time.monotonic() + PATIENCE
            while last.encode() not in terminal.written and time.monotonic() < end:
                terminal.take()
            if last.encode() not in terminal.written:
                found.append("the terminal shows nothing any more")
            terminal.press("\x1b[5~\x1b[5~\x1b[5~")
            terminal.take()
            found += look_at_terminal(terminal.written)
        done.set()
        lines = await reading + await also
        for wire in (owner, victim, mallory):
            await wire.close()
        figures = {"strings": count, "fields": len(places), "sent": attacker.sent, "lines read": lines}
        if terminal is not None:
            figures["bytes on the terminal"] = len(terminal.written)
        return figures, list(dict.fromkeys(found))
    finally:
        if terminal is not None:
            terminal.close()
        code, _, err = server.stop()
        if code or err:
            found.append(f"the server ended with {code}: {err[-300:]}")


LOOKS_LIKE_THE_VICTIM: Final = (
    "аlice", "alісe", "ａlice", "ALICE", "Alıce", "a1ice", "aIice", "𝐚lice", "αlice", "𝒶𝓁𝒾𝒸ℯ", "ⓐlice", "ali\u0441e",
)  # fmt: skip
"""What people take for the victim's name. One with an accent they see, and people have such names: it is another's."""


def names_that_impersonate() -> list[str]:
    """Return which of them somebody else could have, with what is not seen put in or without."""
    taken = name_keys(VICTIM)
    found = []
    for looks in LOOKS_LIKE_THE_VICTIM:
        for name in (looks, *(looks[:2] + unseen + looks[2:] for unseen in PARTS["zero"] + PARTS["bidi"])):
            try:
                if not name_keys(check_name(name)) & taken:
                    found.append(f"{name!r} passes beside {VICTIM}")
            except ProtocolError:
                continue
    return found


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("hostile", __doc__.split("\n")[0])
    parse.add_argument("--strings", type=int, default=5000)
    given = parse.parse_args(arguments)
    with scratch() as folder:
        figures, found = asyncio.run(run(folder, given.strings, given.seed, with_terminal=True))
    return summary("hostile", given, figures, found + names_that_impersonate())
