"""Peers that fall silent: stopped clients, a stopped server, and connections that drop for a moment."""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from faults.fuzz import Outcome, Output
from faults.report import parser, progress, summary
from support import PATIENCE, Server, Wire

from chat_tui.client import Client, ClientError

MOST: Final = 15.0
"""Seconds after which a silent peer is noticed, at most."""

LISTENER: Final = """
import asyncio, sys
from chat_tui.client import Client

async def listen():
    async with Client("127.0.0.1", int(sys.argv[1]), sys.argv[2]) as chat:
        print("here", flush=True)
        async for _ in chat.batches():
            pass

asyncio.run(listen())
"""
"""A headless client that listens, in a process that can be stopped."""


class Observer:
    """Someone who answers pings and notes who came and went, when and why."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.noted: list[tuple[float, str, str, str]] = []
        """When, `joined` or `left`, who, and the reason."""
        self.task = asyncio.create_task(self._watch())
        self._news = asyncio.Event()

    async def _watch(self) -> None:
        while line := await self.wire.reader.readline():
            self.wire.heard.clear()
            if line.startswith(b'{"type":"ping"'):
                await self.wire.say(type="pong")
                continue
            frame = Frame(line)
            for name in frame.names:
                self.noted.append((time.monotonic(), frame.type, name, frame.reason))
            self._news.set()

    async def left(self, name: str, seconds: float) -> tuple[float, str]:
        """Wait until someone has left; return when, and why."""
        async with asyncio.timeout(seconds):
            while True:
                for when, kind, who, reason in self.noted:
                    if (kind, who) == ("left", name):
                        return when, reason
                self._news.clear()
                await self._news.wait()


class Frame:
    """What a line says of who comes and goes."""

    def __init__(self, line: bytes) -> None:
        frame: dict[str, Any] = json.loads(line)
        self.type: str = frame["type"]
        self.names: list[str] = frame["names"] if self.type in ("joined", "left") else []
        self.reason: str = frame.get("reason", "")


async def stopped_clients(server: Server, observer: Observer, count: int, found: list[str]) -> list[float]:
    """Stop clients (SIGSTOP) at different times; return after how many seconds others were told."""

    async def one(number: int) -> float:
        name = f"frozen{number}"
        command = [sys.executable, "-c", LISTENER, str(server.port), name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: ASYNC220
        try:
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)
            await asyncio.sleep(number * 10 / count)
            process.send_signal(signal.SIGSTOP)
            stopped = time.monotonic()
            when, reason = await observer.left(name, 2 * MOST)
            if reason != "connection lost":
                found.append(f"{name} left: {reason}")
            return when - stopped
        finally:
            process.kill()
            process.wait()

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def stopped_server(server: Server, count: int) -> list[float]:
    """Stop the server (SIGSTOP); return after how many seconds clients that came at different times noticed."""
    stopped: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def one(number: int) -> float:
        await asyncio.sleep(number * 10 / count)
        chat = Client("127.0.0.1", server.port, f"listener{number}")
        await chat.connect()
        try:
            async for _ in chat.batches():
                pass
        except ClientError:
            pass
        noticed = time.monotonic()
        await chat.close()
        return noticed - await stopped

    listening = [asyncio.create_task(one(number)) for number in range(count)]
    await asyncio.sleep(10)
    server.process.send_signal(signal.SIGSTOP)
    stopped.set_result(time.monotonic())
    try:
        return await asyncio.wait_for(asyncio.gather(*listening), 2 * MOST)
    finally:
        server.process.send_signal(signal.SIGCONT)


async def brief_drops(server: Server, observer: Observer, count: int, found: list[str]) -> int:
    """Drop connections and resume within the grace time: nobody must be told. Return how many there were."""
    wire = await Wire.connect(server.port, "dropped", resumes=True, ping=False)
    resume = {"session": wire.welcome["session"], "epoch": wire.welcome["epoch"], "seq": wire.welcome["seq"]}
    await asyncio.sleep(1)
    before = len(observer.noted)
    for number in range(count):
        wire.writer.transport.abort()
        await asyncio.sleep(number % 4 / 4)
        wire = await Wire.connect(server.port, "dropped", resumes=True, ping=False, resume=resume)
    await asyncio.sleep(11)  # the grace time and more
    found += [f"{kind} {name} {reason}" for _, kind, name, reason in observer.noted[before:] if name == "dropped"]
    await wire.say(type="quit")
    await observer.left("dropped", PATIENCE)
    await wire.close()
    return count


async def run(server: Server, given: argparse.Namespace) -> Outcome:
    """Do all three."""
    output, found = Output(server), list[str]()
    observer = Observer(await Wire.connect(server.port, "observer", backlog=0))
    clients = await stopped_clients(server, observer, given.peers, found)
    progress(f"stopped clients were noticed after {min(clients):.1f} to {max(clients):.1f} s")
    drops = await brief_drops(server, observer, given.peers, found)
    progress(f"{drops} drops were not noticed by anyone")
    servers = await stopped_server(server, given.peers)
    progress(f"a stopped server was noticed after {min(servers):.1f} to {max(servers):.1f} s")
    if max(clients) >= MOST:
        found.append(f"a stopped client was noticed after {max(clients):.2f} s")
    if max(servers) >= MOST:
        found.append(f"a stopped server was noticed after {max(servers):.2f} s")
    observer.task.cancel()
    await observer.wire.close()
    return {
        "clients_s": [round(seconds, 1) for seconds in clients],
        "servers_s": [round(seconds, 1) for seconds in servers],
        "quiet_drops": drops,
    }, found + output.lines


def main(arguments: list[str]) -> int:
    """Run it: it takes about a minute."""
    words = parser("heartbeat", "Stopped clients, a stopped server, brief drops: who notices, and when.")
    words.add_argument("--peers", type=int, default=10, help="of each kind (default: %(default)s)")
    given = words.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        try:
            figures, found = asyncio.run(run(server, given))
        finally:
            server.process.kill()
    return summary("heartbeat", given, figures, found)
