"""Small files of the server's own: private, and replaced at once."""

import contextlib
import os
import sys
from pathlib import Path


def write_private(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Replace a file: a reader sees the old one or the new one, and nobody but this user reads it. OSError if it fails.

    Args:
        path: which one.
        data: what it says from now on.
        durable: what it says survives a power cut. It takes some milliseconds.
    """
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    new.replace(path)
    if durable:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Bring what a directory lists to the disk: else a power cut may take a new file or directory out of it."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):  # some file systems have no such call
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
