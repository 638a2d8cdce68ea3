"""What the durability runs share: a server started in any way, clients that note every answer, and the comparison."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import apsw
from support import PATIENCE

from server.record.events import Kind, decode_message

WINDOW: Final = 48
"""Messages that a client has unanswered at most; the server reads up to 128 requests."""
AGAIN: Final = 0.2
"""Seconds after which a client sends again what the server could not write."""

SERVER: Final = [sys.executable, "-m", "server.cli"]
"""What starts `chat-server`."""

ROOT: Final = Path(__file__).resolve().parents[2]


class NotStartedError(Exception):
    """The server ended before it listened. The text is what it said."""


class Host:
    """A server in a process of its own, whose words go to a file.

    Args:
        data: its directory.
        before: what stands before the server's own arguments; without it, `chat-server` as it is.
        arguments: more of the server's own.
        port: where it listens; 0 for a free one.
        said: the file for its words; without it, one beside `data`.
    """

    def __init__(
        self, data: Path, *arguments: str, before: list[str] | None = None, port: int = 0, said: Path | None = None
    ) -> None:
        self.said = said or data.with_name(data.name + ".log")
        self.said.write_bytes(b"")
        command = [*(before or SERVER), "--data", str(data), "--port", str(port)]
        self.began = time.monotonic()
        with self.said.open("ab") as words:
            self.process = subprocess.Popen(
                [*command, "--limits", "off", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd=ROOT,
            )
        self.port = 0

    def listening(self) -> "Host":
        """Wait until it listens, and return it; NotStartedError where it ends instead."""
        end = time.monotonic() + 3 * PATIENCE
        while True:
            found = re.search(r"Listening on \S+:(\d+)", self.said.read_text())
            if found:
                self.port = int(found[1])
                return self
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise NotStartedError(self.said.read_text())
            time.sleep(0.002)

    def memory(self) -> int:
        """Return the bytes of memory it has."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it in order, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(3 * PATIENCE)
        finally:
            self.process.kill()


class Ledger:
    """What clients sent, what was acknowledged, and what anyone was shown. A message is its sender's number and id."""

    def __init__(self) -> None:
        self.sent: dict[tuple[int, int], str] = {}
        self.acked: dict[tuple[int, int], int] = {}
        self.shown: dict[int, tuple[int, int, str]] = {}
        self.faults: list[str] = []
        self.ack_times: list[float] = []

    def ack(self, user: int, number: int, seq: int) -> None:
        """Note an acknowledgement."""
        if self.acked.setdefault((user, number), seq) != seq:
            self.faults.append(f"message {user}/{number} got seq {self.acked[user, number]} and then {seq}")
        self.ack_times.append(time.monotonic())

    def show(self, seq: int, user: int, number: int, text: str) -> None:
        """Note what somebody was shown."""
        if self.shown.setdefault(seq, (user, number, text)) != (user, number, text):
            self.faults.append(f"seq {seq} was {self.shown[seq]} and then {(user, number, text)}")

    def compare(self, file: Path) -> list[str]:
        """Say what is wrong with a database file, that nobody uses, by what was promised; it is recovered as found."""
        faults = []
        with contextlib.closing(apsw.Connection(str(file))) as database:
            try:
                whole = database.execute("PRAGMA integrity_check").get
            except (apsw.CorruptError, apsw.NotADBError) as error:  # too far gone even to be looked at
                whole = error
            if whole != "ok":
                return [f"integrity_check: {whole}"]
            if not database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'events'").get:
                return [f"the database is empty; {len(self.acked)} messages were acknowledged"] if self.acked else []
            events = database.execute(
                "SELECT seq, user, id, time, body FROM events WHERE kind = ? ORDER BY seq", (int(Kind.MESSAGE),)
            )
            stored: dict[tuple[int, int], int] = {}
            last: dict[int, int] = {}
            latest = 0
            for seq, user, number, moment, body in events:
                text = decode_message(body).text
                if self.sent.get((user, number)) != text:
                    faults.append(f"seq {seq}: nobody sent {text!r} as {user}/{number}")
                if (user, number) in stored:
                    faults.append(f"doubled: {user}/{number} at {stored[user, number]} and {seq}")
                if number < last.get(user, 0):
                    faults.append(f"out of order: {user}/{number} at {seq} after {last[user]}")
                if moment < latest:
                    faults.append(f"time fell at seq {seq}")
                latest = moment
                last[user] = number
                stored[user, number] = seq
                if seq in self.shown and self.shown[seq] != (user, number, text):
                    faults.append(f"seq {seq} was shown as {self.shown[seq]} and is {(user, number, text)}")
        for key, seq in self.acked.items():
            if stored.get(key) != seq:
                faults.append(f"lost: {key[0]}/{key[1]} was acknowledged at seq {seq}, and is at {stored.get(key)}")
        for seq, (user, number, _) in self.shown.items():
            if stored.get((user, number)) != seq:
                faults.append(f"lost: {user}/{number} was shown at seq {seq}, and is at {stored.get((user, number))}")
        return faults


class Talker:
    """A client that goes on sending numbered messages, sends again what was not acknowledged, and comes back.

    Args:
        name: its name.
        ledger: where it notes everything.
        text: makes the text of a message from its number.
        pause: seconds between two messages; 0 sends as fast as answers come.
    """

    def __init__(self, name: str, ledger: Ledger, text: Callable[[int], str] | None = None, pause: float = 0.0) -> None:
        self.name = name
        self.ledger = ledger
        self.user = 0
        self.cursor: dict[str, Any] | None = None
        self.codes: list[str] = []
        """Of the errors it got."""
        self.open: dict[int, str] = {}
        """What is not acknowledged, by id."""
        self.ended = 0
        """Connections that ended without being asked to."""
        self.most: int | None = None
        """Messages to send; without it, no end."""
        self._text = text or (lambda number: f"{name} {number} {'x' * random.randrange(120)}")
        self._pause = pause
        self._last = 0
        self._writer: asyncio.StreamWriter | None = None
        self._again: asyncio.Task[None] | None = None
        self._room = asyncio.Event()

    async def talk(self, port: int) -> None:
        """Connect and talk until the connection ends."""
        try:
            reader, self._writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        except OSError:
            return
        sending = None
        try:
            hello = {"type": "hello", "name": self.name, "resumes": True, "backlog": 0}
            if self.cursor:
                hello["resume"] = self.cursor
            self._say(hello)
            async for line in reader:
                if not line.endswith(b"\n"):
                    break
                frame = json.loads(line)
                if frame["type"] == "welcome":
                    self.user = frame["user"]
                    seq = self.cursor["seq"] if self.cursor else frame["seq"]
                    self.cursor = {"session": frame["session"], "epoch": frame["epoch"], "seq": seq}
                    for number in sorted(self.open):
                        self._send(number)
                    sending = asyncio.create_task(self._go_on())
                else:
                    self._hear(frame)
            self.ended += 1
        except OSError:
            self.ended += 1
        finally:
            for task in (sending, self._again):
                if task is not None:
                    task.cancel()
            self._again = None
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def _hear(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "message":
            self.ledger.show(frame["seq"], frame["user"], frame["id"], frame["text"])
            if self.cursor is not None:
                if frame["seq"] <= self.cursor["seq"]:
                    self.ledger.faults.append(f"{self.name} was shown seq {frame['seq']} after {self.cursor['seq']}")
                self.cursor["seq"] = frame["seq"]
            if frame["user"] == self.user:
                self._acked(frame["id"], frame["seq"])
        elif kind == "ok" and "seq" in frame:
            self._acked(int(frame["ref"]), frame["seq"])
        elif kind == "error":
            self.codes.append(frame["code"])
            if frame["code"] != "try_again":
                self.ledger.faults.append(f"{self.name} got {frame['code']}")
            elif self._again is None and "id" in frame:
                self._again = asyncio.create_task(self._send_again())
            elif "id" not in frame and self._writer is not None:
                self._writer.close()  # a hello that could not be written
        elif kind == "ping":
            self._say({"type": "pong"})

    def _acked(self, number: int, seq: int) -> None:
        if self.open.pop(number, None) is not None:
            self.ledger.ack(self.user, number, seq)
            self._room.set()

    async def _go_on(self) -> None:
        while self.most is None or self._last < self.most:
            while len(self.open) >= WINDOW:
                self._room.clear()
                await self._room.wait()
            self._last += 1
            self.open[self._last] = self.ledger.sent[self.user, self._last] = self._text(self._last)
            if self._again is None:
                self._send(self._last)
            await asyncio.sleep(self._pause)

    async def _send_again(self) -> None:
        await asyncio.sleep(AGAIN)
        self._again = None
        for number in sorted(self.open):
            self._send(number)

    def _send(self, number: int) -> None:
        self._say({"type": "send", "room": "general", "id": number, "ref": str(number), "text": self.open[number]})

    def _say(self, frame: dict[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps(frame).encode() + b"\n")


async def until(true: Callable[[], bool], patience: float = 3) -> None:
    """Wait until something has come true, for so many times what should take no time."""
    async with asyncio.timeout(patience * PATIENCE):
        while not true():  # noqa: ASYNC110 - several parts make it true
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A directory on the disk for a long run, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="chat-faults-") as folder:
        yield Path(folder)
