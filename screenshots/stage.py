"""The stage: a real server, friends with real clients, and ways to wait for what is to be seen."""

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.pilot import Pilot

from chat_tui.client import Client
from screenshots.clock import Clock

HERE = Path(__file__).resolve().parent.parent
PORT = 7373
"""The default: the pictures show it. A free one is taken where it is in use."""
PATIENCE = 10.0


class Server:
    """`chat-server`, at the time of the story."""

    def __init__(self, clock_file: Path, data: Path, port: int = PORT) -> None:
        command = [sys.executable, "-m", "screenshots.clock", str(clock_file), "--port", str(port), "--data", str(data)]
        self.process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"Listening on .*:(\d+)", self.process.stdout.readline())
        if not found:
            self.process.wait()
            raise OSError(f"The server did not start at port {port}.")
        self.port = int(found[1])

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it."""
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE)


class Friends:
    """Everyone but the person whose screen is shown."""

    def __init__(self, port: int, clock: Clock) -> None:
        self._port = port
        self._clients: dict[str, Client] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def come_in(self, *names: str) -> None:
        """Connect; who was here before is the same person again."""
        for name in names:
            client = self._clients.setdefault(name, Client("127.0.0.1", self._port, name))
            await client.reconnect()
            self._tasks.append(asyncio.create_task(_listen(client)))

    async def say(self, name: str, text: str, room: str, *, reply: int = 0, me: bool = False) -> int:
        """Say something in a room, or to one person alone: `@alice`; return its place in the log."""
        client = self._clients[name]
        if room.startswith("@"):
            room = await client.direct([room.removeprefix("@")])
        return (await client.send(text, room=room, reply=reply, me=me)).seq

    async def do(self, name: str, what: str, room: str, seq: int, argument: str) -> int:
        """Edit, delete, react to or pin a message; return the place of that in the log."""
        client = self._clients[name]
        before = (await client.history(room, limit=1)).as_of
        await getattr(client, what)(room, seq, *([argument] if argument else []))
        async with asyncio.timeout(PATIENCE):
            while client.seq <= before:  # noqa: ASYNC110 - everyone is told of it after it was acknowledged
                await asyncio.sleep(0.01)
        return client.seq

    async def make(self, name: str, room: str, topic: str, others: Sequence[str], *, private: bool) -> None:
        """Make a room, and have others enter it."""
        await self._clients[name].make(room, topic=topic, private=private)
        for other in others:
            if private:
                await self.invite(name, room, other)
            await self._clients[other].join(room)

    async def set_topic(self, name: str, room: str, topic: str) -> None:
        """Say what a room is about."""
        await self._clients[name].change(room, topic=topic)

    async def invite(self, name: str, room: str, whom: str) -> None:
        """Invite somebody."""
        await self._clients[name].invite(room, whom)

    async def away(self, name: str, text: str) -> None:
        """Be away."""
        await self._clients[name].away(True, text)

    def write(self, name: str, room: str) -> None:
        """Begin to write something."""
        self._clients[name].typing(room)

    async def leave(self, name: str, reason: str) -> None:
        """Leave."""
        await self._clients[name].quit(reason)

    async def all_leave(self) -> None:
        """Leave, all."""
        for name in list(self._clients):
            await self.leave(name, "quit")
        await asyncio.gather(*self._tasks)
        self._tasks.clear()


async def _listen(client: Client) -> None:
    async for _ in client.batches():
        pass


async def until(pilot: Pilot[int], so: Callable[[], bool]) -> None:
    """Wait until something is so, and drawn; TimeoutError where it does not come to that."""
    async with asyncio.timeout(PATIENCE):
        while not so():
            await pilot.pause(0.01)
    await pilot.pause(0.2)
