"""The servers this user knows, each by its key: what SSH keeps in `known_hosts`.

One line a server: `host:port pin:<SHA-256 of the public key, hex> date`, or `host:port ca date` where certificate
authorities vouch for it. Lines that say something else are kept as they are. The file is replaced as a whole, so that a
reader, and whoever comes after a kill or a power cut, sees all of the old one or all of the new one.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from chat_tui.errors import NoRecord

CA: Final = "ca"
"""Stands for a key where certificate authorities vouch for the server."""
_MARK: Final = re.compile(r"pin:([0-9a-f]{64})|ca")
_PATIENCE: Final = 5.0
"""Seconds to wait for another process that writes the file: it takes milliseconds."""


class Known:
    """The file, or nothing at all: then what is known is forgotten with the process.

    Every method raises NoRecord where the file can't be read or written, or a line is broken that it needs.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._memory: list[str] = []

    def get(self, host: str, port: int) -> str:
        """Return what is known of a server: 64 hex digits of its key, `CA`, or nothing where it is unknown."""
        for number, line in enumerate(self._read(), 1):
            address, mark = _parts(line)
            if address == _address(host, port):
                if (found := _MARK.fullmatch(mark)) is None:
                    raise NoRecord(f"Line {number} of {self._path} is broken: mend it, or take it out.")
                return found[1] or CA
        return ""

    def keep(self, host: str, port: int, pin: str) -> None:
        """Keep what is known of a server, for good once this returns: 64 hex digits of its key, or `CA`."""
        address = _address(host, port)
        if address != "".join(address.split()) or address.startswith("#"):
            raise NoRecord("What stands for the host is none: it can't be kept among the known servers.")
        mark = CA if pin == CA else f"pin:{pin}"
        with self._held():
            others = [line for line in self._read() if _parts(line)[0] != address]
            self._write([*others, f"{address} {mark} {datetime.now(UTC).date()}"])

    def forget(self, host: str, port: int) -> bool:
        """Forget a server; return whether it was known."""
        address = _address(host, port)
        with self._held():
            lines = self._read()
            others = [line for line in lines if _parts(line)[0] != address]
            if len(others) < len(lines):
                self._write(others)
        return len(others) < len(lines)

    def _read(self) -> list[str]:
        if self._path is None:
            return self._memory
        try:
            return self._path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeError) as error:
            raise self._failed("read", error) from error

    def _write(self, lines: list[str]) -> None:
        if self._path is None:
            self._memory = lines
            return
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise self._failed("written", error) from error

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Let nobody else change the file meanwhile. The lock ends with the process, however that ends."""
        if self._path is None:
            yield
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._path.with_name(f"{self._path.name}.lock").open("ab")
        except OSError as error:
            raise self._failed("written", error) from error
        with file:
            due = time.monotonic() + _PATIENCE
            while True:
                try:
                    _lock(file)
                    break
                except OSError as error:
                    if time.monotonic() > due:
                        raise NoRecord(f"Another program holds {self._path}: try again.") from error
                    time.sleep(0.01)
            yield

    def _failed(self, done: str, error: Exception) -> NoRecord:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        return NoRecord(f"{self._path}, where the keys of known servers are, can't be {done}: {why}.")


def _address(host: str, port: int) -> str:
    host = host.strip("[]").lower()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _parts(line: str) -> tuple[str, str]:
    """Return a line's address and what is known of it; both empty where it says something else."""
    address, _, rest = line.strip().partition(" ")
    if address.startswith("#"):
        return "", ""
    return address, rest.split(" ")[0]


def _lock(file: IO[bytes]) -> None:
    """Take the lock; OSError where another has it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(folder: Path) -> None:
    """Make sure that the replacing itself survives a power cut; Windows has no such call, and needs none."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
