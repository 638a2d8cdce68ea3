"""The data directory: private, one server at a time; who is connected, and where it listens."""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from server.disk import sync_directory, write_private


class DataError(Exception):
    """The directory can't be used. The text says why and what to do, on one line."""


class InUseError(DataError):
    """Another process has it."""


class Client(Struct):
    """Someone who is connected, as `clients.json` lists them."""

    name: str
    address: str
    since: str
    """RFC 3339, UTC."""


class Listening(Struct):
    """Where a running server listens."""

    host: str
    """What it listens on: `0.0.0.0` is all of this machine's addresses."""
    port: int
    pid: int
    certificate: str
    """The file that its certificate is in."""


class DataDirectory:
    """A directory that belongs to one running server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None

    @property
    def database(self) -> Path:
        """The database file."""
        return self.path / "chat.db"

    @property
    def index(self) -> Path:
        """The search index: made from the database, and made anew where it is missing."""
        return self.path / "search.db"

    @property
    def tls_key(self) -> Path:
        """The server's own key: clients know it by that."""
        return self.path / "tls.key"

    @property
    def tls_certificate(self) -> Path:
        """The certificate that goes with it."""
        return self.path / "tls.crt"

    @property
    def control(self) -> Path:
        """What whoever runs this server says in `hello` to do everything: another one with each start."""
        return self.path / "control.key"

    @property
    def listening(self) -> Path:
        """Where the server that runs here listens, as JSON: `Listening`. A killed one may have left it."""
        return self.path / "listening.json"

    @property
    def listened(self) -> Path:
        """The same, of the server that ran here last."""
        return self.path / "listened.json"

    def open(self) -> None:
        """Make it where it is missing, and take it; DataError where that is not possible."""
        try:
            missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path in missing:
                sync_directory(path.parent)
            # An older umask or a copy may have left it open to others.
            self.path.chmod(0o700)
            self._lock = (self.path / "server.lock").open("ab")
        except (FileExistsError, NotADirectoryError) as error:
            raise DataError(f"{self.path} is not a directory. Give another --data.") from error
        except OSError as error:
            raise DataError(f"{self.path} can't be written: {error.strerror}. Give another --data.") from error
        try:
            _lock(self._lock)
        except OSError as error:
            self._lock.close()
            raise InUseError(
                f"{self.path} is in use by another chat-server. Stop that one, or give another --data."
            ) from error
        try:
            self.write_clients(())
            self._listen_no_more()
        except OSError as error:
            self._lock.close()
            raise DataError(f"{self.path} can't be written: {error.strerror}. Give another --data.") from error

    def write_clients(self, clients: Iterable[Client]) -> None:
        """Replace `clients.json` at once: a reader sees the old one or the new one. OSError where that fails."""
        data = msgspec.json.format(msgspec.json.encode(list(clients)), indent=2) + b"\n"
        write_private(self.path / "clients.json", data)

    def write_control(self, token: str) -> None:
        """Keep what whoever runs this server says in `hello`. OSError where that fails."""
        write_private(self.control, token.encode())

    def write_listening(self, host: str, port: int, certificate: Path) -> None:
        """Say where this server listens, and by which certificate it is known. OSError where that fails."""
        here = Listening(host, port, os.getpid(), str(certificate))
        write_private(self.listening, msgspec.json.encode(here) + b"\n")

    def close(self) -> None:
        """Nobody is connected any more; give the directory up."""
        with contextlib.suppress(OSError):
            self.write_clients(())
            self.control.unlink(missing_ok=True)
            self._listen_no_more()
        if self._lock is not None:
            self._lock.close()

    def _listen_no_more(self) -> None:
        """Keep where a server listened as what was so last."""
        with contextlib.suppress(FileNotFoundError):
            self.listening.replace(self.listened)


def _lock(file: IO[bytes]) -> None:
    """Lock a file until it is closed, also by a crash; OSError where another process has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
