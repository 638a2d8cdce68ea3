"""The servers that are measured: how each is started without anything that holds clients back, and what clients say."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import building, interpreter
from benchmarks.figures import disk, on_core

PATIENCE: Final = 20.0
"""Seconds within which a server listens."""
READY: Final = 0.3
"""Seconds after that, in which it does what can wait."""

Start = Callable[[Path, int], list[str]]
"""What to run, given an empty folder and a port of loopback."""


@dataclass(frozen=True)
class Server:
    """A program that passes on to many what one says. `load.c` says what `%u` and the like stand for."""

    name: str
    start: Start
    script: tuple[tuple[str, str], ...]
    """How a client comes in: what it says, and what it then waits for."""
    send: str
    """How it says something in its room."""
    echo: bool = True
    """Who says something gets it back."""
    program: str = ""
    """What must be installed; empty where nothing must."""
    at_once: int = 1000
    """Clients that can come in at one time without waiting for the kernel to try again."""

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        return not self.program or _found(self.program) is not None

    def version(self) -> str:
        """Return what it says of itself, in a line."""
        if not self.program:
            return ""
        said = subprocess.run([_found(self.program) or "", "--version"], capture_output=True, text=True, check=False)
        return (said.stdout or said.stderr).partition("\n")[0].strip()


def _found(program: str) -> str | None:
    """Return where a program is; one variable a program (NATS_SERVER) names one that is not on the path."""
    named = os.environ.get(program.upper().replace("-", "_"))
    return named or shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _configured(program: str, text: str, *before: str) -> Start:
    """Return how to start a program by a configuration in which `@PORT@` and `@FOLDER@` are filled in."""

    def start(folder: Path, port: int) -> list[str]:
        path = folder / "settings"
        path.write_text(text.replace("@PORT@", str(port)).replace("@FOLDER@", str(folder)), encoding="utf-8")
        return [_found(program) or program, *before, str(path)]

    return start


def _ours(folder: Path, port: int) -> list[str]:
    data = str(folder / "data")
    return interpreter.python("-m", "server.cli", "--port", str(port), "--data", data, "--limits", "off")


HELLO: Final = '{"type":"hello","name":"u%u","ping":false}\n'
JOIN: Final = ('{"type":"join","room":"r%r","ref":"in"}\n', '"in"')
PINGED: Final = ('{"type":"hello","name":"u%u"}\n', '"welcome"'), JOIN
"""Comes in as one who answers pings."""
RESUMING: Final = ('{"type":"hello","name":"u%u","ping":false,"resumes":true}\n', '"welcome"'), JOIN
AGAIN: Final = (
    '{"type":"hello","ping":false,"resumes":true,"resume":{"session":"%s","epoch":"%e","seq":%c},"name":"u%u"}\n'
)
_SEND: Final = '{"type":"send","id":%i,"room":"r%r","text":"%t"}\n'
_IRC: Final = ("NICK u%u\r\nUSER u%u 0 * :u\r\n", " 422 "), ("JOIN #r%r\r\n", " 366 ")
_IRC_SEND: Final = "PRIVMSG #r%r :%t\r\n"
_NGIRCD: Final = """[Global]
Name = irc.test
Info = benchmark
Listen = 127.0.0.1
Ports = @PORT@
MotdFile = /nonexistent
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 16
MaxPenaltyTime = 0
PingTimeout = 600
[Options]
DNS = no
Ident = no
PAM = no
RequireAuthPing = no
"""
_INSPIRCD: Final = """
<server name="irc.test" description="benchmark" network="benchmark" id="001">
<admin name="x" nick="x" email="x@localhost">
<bind address="127.0.0.1" port="@PORT@" type="clients">
<path configdir="@FOLDER@" datadir="@FOLDER@" logdir="@FOLDER@" runtimedir="@FOLDER@">
<pid file="@FOLDER@/pid">
<connect name="all" allow="*" timeout="600" pingfreq="600" hardsendq="1073741824" softsendq="1073741824"
 recvq="10485760" threshold="1000000000" commandrate="1000000000" fakelag="no" localmax="1000000" globalmax="1000000"
 maxconnwarn="no" resolvehostnames="no" useident="no" limit="1000000" maxchans="20">
<performance netbuffersize="65534" somaxconn="4096" softlimit="1000000" quietbursts="yes" clonesonconnect="no">
<options splitwhois="no" hostintopic="no">
"""
_NATS: Final = """listen: "127.0.0.1:@PORT@"
max_connections: 100000
max_pending: 1GB
write_deadline: "60s"
ping_interval: "10m"
"""
_REDIS: Final = """port @PORT@
bind 127.0.0.1
save ""
appendonly no
maxclients 19000
tcp-backlog 4096
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit pubsub 0 0 0
"""

OURS: Final = Server("chat-server", _ours, ((HELLO, '"welcome"'), JOIN), _SEND)
CEILING: Final = Server("ceiling", lambda _, port: [str(building.ceiling()), str(port)], OURS.script, _SEND)
REDIS: Final = Server(
    "redis",
    _configured("redis-server", _REDIS),
    (("HELLO 3\r\nSUBSCRIBE r%R\r\n", "subscribe"),),
    "*3\r\n$7\r\nPUBLISH\r\n$5\r\nr%R\r\n$%l\r\n%t\r\n",
    program="redis-server",
)
NGIRCD: Final = Server("ngircd", _configured("ngircd", _NGIRCD, "-n", "-f"), _IRC, _IRC_SEND, False, "ngircd", 8)
INSPIRCD: Final = Server(
    "inspircd",
    _configured("inspircd", _INSPIRCD, "--nofork", "--runasroot", "--nolog", "--config"),
    _IRC,
    _IRC_SEND,
    echo=False,
    program="inspircd",
)
NATS: Final = Server(
    "nats-server",
    _configured("nats-server", _NATS, "-c"),
    (('CONNECT {"verbose":false,"pedantic":false,"echo":true}\r\nSUB r.%r 1\r\nPING\r\n', "PONG"),),
    "PUB r.%r %l\r\n%t\r\n",
    program="nats-server",
)
PEERS: Final = (REDIS, INSPIRCD, NGIRCD, NATS)


@contextlib.contextmanager
def running(server: Server) -> Iterator[tuple[int, int]]:
    """Run a server on a core of its own; yield its port and its process."""
    with workplace() as folder, started(server, folder, port := free_port()) as process:
        yield port, process.pid


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """Give a folder on a disk: on a file system in memory a commit costs nothing."""
    with tempfile.TemporaryDirectory(prefix="chat-bench-", dir=disk()) as folder:
        yield Path(folder)


@contextlib.contextmanager
def started(server: Server, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server at a port, with what it keeps in a folder, until it listens there and has come to rest."""
    with (folder / "output").open("wb") as output, on_core(0):
        process = subprocess.Popen(
            server.start(folder, port),
            cwd=interpreter.HERE,
            env=interpreter.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with process:
        try:
            _wait_for(process, port, folder / "output")
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            process.kill()


def free_port() -> int:
    """Return a port of loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(READY)
                return
        time.sleep(0.02)
    said = output.read_text(encoding="utf-8", errors="replace")[-500:]
    raise SystemExit(f"{process.args!r} does not listen: {said}")
