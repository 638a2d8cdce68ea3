"""Fixtures for all tests. Hermetic: no home, no configuration, no network beyond loopback."""

import gc
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from provider import Provider
from support import Server, Wire

from server.net import tls

# No test is measured by the clock: a busy machine draws examples slowly.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# What tests write lies in memory where that is easily had: each answer of a server waits for its disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a private folder in it
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 << 30:
    tempfile.tempdir = str(MEMORY)

# Programs that tests start are compiled once, as they are where they are installed, and not at each of their starts.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """Keep what is there by now, and stays, out of every collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for every test: nothing of the user's is read or written."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.delenv("CHAT_TUI_COMMAND", raising=False)  # run.py says how it starts programs
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NO_COLOR", "TEXTUAL_FPS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    return folder


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server; all are ended with the test."""
    servers: list[Server] = []

    def start(*arguments: str, data: Path | None = None, port: int = 0) -> Server:
        server = Server(data or tmp_path / "data", *arguments, port=port)
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.process.returncode is None:
            server.stop()


@pytest.fixture(scope="session")
def own_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and a certificate as a server makes them at its first start, which costs it some time."""
    folder = tmp_path_factory.mktemp("key")
    tls.own(folder / "tls.key", folder / "tls.crt")
    return folder


@pytest.fixture
def server(start_server: Callable[..., Server], own_key: Path, tmp_path: Path) -> Server:
    """A running server with an empty history. Without limits of rate: tests are quicker than people."""
    data = shutil.copytree(own_key, tmp_path / "data")
    data.chmod(0o700)
    return start_server("--limits", "off", data=data)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory, own_key: Path) -> Iterator[Server]:
    """The same as `server`, but one for all tests that leave nothing behind."""
    data = shutil.copytree(own_key, tmp_path_factory.mktemp("shared") / "data")
    data.chmod(0o700)
    server = Server(data, "--limits", "off")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """An OpenID Connect provider at which alice and bob have an account, for all tests that let it go on."""
    provider = Provider(tmp_path_factory.mktemp("provider"))
    yield provider
    provider.stop()


@pytest.fixture
def start_provider(tmp_path: Path) -> Iterator[Callable[..., Provider]]:
    """Start one for a test alone; all are ended with it."""
    providers: list[Provider] = []

    def start(name: str = "provider", *, lifetime: int = 600, port: int = 0) -> Provider:
        providers.append(Provider(tmp_path / name, lifetime, port))
        return providers[-1]

    yield start
    for provider in providers:
        provider.stop()


@pytest.fixture
async def connect(server: Server) -> Any:
    """Connect to `server`; all connections are closed with the test."""
    wires: list[Wire] = []

    async def open_one(name: str | None = None, *, port: int = 0, **hello: Any) -> Wire:
        wire = await Wire.connect(port or server.port, name, **hello)
        wires.append(wire)
        return wire

    yield open_one
    for wire in wires:
        await wire.close()


Connect = Callable[..., Awaitable[Wire]]
