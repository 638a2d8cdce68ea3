"""The server that things are done to: a process of its own, killed, stopped and started again on the same port."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections import deque
from pathlib import Path

from support import PATIENCE

_TESTS = Path(__file__).resolve().parent.parent

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((str(_TESTS), str(_TESTS.parent)))}
"""Of all processes that the bench starts: they find it, and the project."""


def strike(process: asyncio.subprocess.Process, number: int) -> bool:
    """Send a signal; return whether the process was still there.

    Not by `process.send_signal`: that would take the exit code of one that has just died away from asyncio.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
            return True
    return False


class Victim:
    """`chat-server` on loopback.

    Args:
        data: where its messages are kept; on a disk.
        arguments: more of its command line.
        program: what to run instead of `-m server.cli`, for a server in another world.
    """

    def __init__(self, data: Path, *arguments: str, program: tuple[str, ...] = ("-m", "server.cli")) -> None:
        self.data = data
        self.database = data / "chat.db"
        self.port = _free_port()
        self.starts = 0
        self.output: deque[str] = deque(maxlen=1000)
        """The last lines that it has said, over all starts."""
        self._command = (*program, "--data", str(data), "--port", str(self.port), *arguments)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; return once it listens."""
        listening: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=ENVIRONMENT,
        )
        self.starts += 1
        self._reading = asyncio.create_task(self._read(process, listening))
        async with asyncio.timeout(PATIENCE):
            if not await listening:
                raise RuntimeError("The server does not start:\n" + "\n".join(self.output))

    async def kill(self) -> None:
        """SIGKILL; return once it is gone."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; return its exit code."""
        return await self._end(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP."""
        assert self._process is not None
        strike(self._process, signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        strike(self._process, signal.SIGCONT)

    @property
    def complaints(self) -> list[str]:
        """What it has said that no server should have to say."""
        return [line for line in self.output if "Traceback" in line or "Error" in line]

    async def _read(self, process: asyncio.subprocess.Process, listening: asyncio.Future[bool]) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.output.append(line.decode(errors="replace").rstrip())
            if b"Listening on" in line and not listening.done():
                listening.set_result(True)
        if not listening.done():
            listening.set_result(False)

    async def _end(self, number: int) -> int:
        assert self._process is not None
        assert self._reading is not None
        strike(self._process, number)
        async with asyncio.timeout(PATIENCE):
            code = await self._process.wait()
            await self._reading
        return code


def _free_port() -> int:
    """Return a free port that the system gives to nobody else while the server is down."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
