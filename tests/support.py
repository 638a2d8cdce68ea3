"""What tests share: a real server in a process of its own, and a client that speaks lines."""

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

FACTOR = float(os.environ.get("TEST_TIMEOUT_FACTOR", "1"))
"""All waits are multiples of this: set it higher on a slow machine."""

PATIENCE = 10 * FACTOR
"""Seconds to wait for what should come at once."""


class Server:
    """`chat-server` as a user runs it, listening on loopback."""

    def __init__(self, data: Path, *arguments: str, port: int = 0) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", "--data", str(data), "--port", str(port), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # what a buffer holds after a line was read, communicate() would not return
        )
        self._before = ""
        while not (found := re.search(r"Listening on (\S+):(\d+)", line := self.line())):
            self._before += line
            assert line, f"it did not listen: {self._before}{self.stop()}"
        self.host, self.port = found[1], int(found[2])

    @property
    def owner_code(self) -> str:
        """The code by which an account becomes the owner: said once, at the first start."""
        while not (found := re.search(r"Owner code: (\S+)\.", line := self.line())):
            assert line, "the server has ended, or said it before"
        return found[1]

    def line(self) -> str:
        """Return the next line that it says; "" once it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """End it with a signal; return its exit code and what it said, but for the lines that were read already."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str, str]:
        """Wait until it has ended, as it was told to, and return the same."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        return self.process.returncode, self._before + out.decode(), err.decode()


async def introduce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, id: str = "test") -> None:
    """Say which server this is, to a client that asks first of all; for servers that are scripts."""
    line = await reader.readline()
    if line:
        writer.write(
            json.dumps({"type": "about", "id": id, "server": "a test", "ref": json.loads(line)["ref"]}).encode()
        )
        writer.write(b"\n")


def trusting() -> ssl.SSLContext:
    """Return TLS as who takes any certificate speaks it: these tests are not about whose key it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Wire:
    """A client that says and hears frames as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.heard: list[dict[str, Any]] = []
        self.asked = 0

    @classmethod
    async def connect(
        cls, port: int, name: str | None = None, *, tls: bool = False, host: str = "127.0.0.1", **hello: Any
    ) -> "Wire":
        """Connect, and with a name, or a session to resume, say hello and wait for the welcome."""
        secure = trusting() if tls else None
        wire = cls(*await asyncio.open_connection(host, port, limit=1 << 20, ssl=secure))
        if name is not None:
            hello["name"] = name
        if hello:
            await wire.say(type="hello", **hello)
            wire.welcome = await wire.hear("welcome")
        return wire

    welcome: dict[str, Any]

    async def say(self, **frame: Any) -> None:
        """Send a frame."""
        await self.raw(json.dumps(frame).encode() + b"\n")

    async def raw(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def next(self) -> dict[str, Any]:
        """Return the next frame; EOFError at the end."""
        async with asyncio.timeout(PATIENCE):
            line = await self.reader.readline()
        if not line:
            raise EOFError
        assert line.endswith(b"\n")
        assert len(line) <= 64 * 1024
        frame: dict[str, Any] = json.loads(line)
        self.heard.append(frame)
        return frame

    async def hear(self, *types: str, **fields: Any) -> dict[str, Any]:
        """Return the next frame of one of these types with these fields; others go by."""
        while True:
            frame = await self.next()
            if frame["type"] in types and all(frame.get(key) == value for key, value in fields.items()):
                return frame

    async def ask(self, **frame: Any) -> dict[str, Any]:
        """Send a request and return its answer; others go by."""
        self.asked += 1
        ref = f"ask{self.asked}"
        await self.say(ref=ref, **frame)
        while (answer := await self.next()).get("ref") != ref:
            pass
        return answer

    async def see(self, *types: str, **fields: Any) -> dict[str, Any]:
        """Return the first frame of one of these types with these fields, heard already or still to come."""
        for frame in self.heard:
            if frame["type"] in types and all(frame.get(key) == value for key, value in fields.items()):
                return frame
        return await self.hear(*types, **fields)

    async def hear_of(self, kind: str, name: str) -> dict[str, Any]:
        """Return the next `joined` or `left` that has a name among others: presence is told together."""
        while True:
            frame = await self.hear(kind)
            if name in frame["names"]:
                return frame

    async def rest(self) -> list[dict[str, Any]]:
        """Return all frames up to the end of the connection."""
        frames = []
        try:
            while True:
                frames.append(await self.next())
        except (EOFError, ConnectionError):
            return frames

    async def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)
