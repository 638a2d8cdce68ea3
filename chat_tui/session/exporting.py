"""Saving what the server holds of oneself."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from chat_tui.client import ClientError

AT_ONCE: Final = 500
"""Objects that are written at once."""


class NotSaved(ClientError):  # noqa: N818 - as its siblings in `chat_tui.errors`
    """The file could not be written."""


def file_for(name: str, host: str, folder: Path) -> Path:
    """Return a file of that folder that is not there yet: `alice-chat.example-export.jsonl`."""
    stem = re.sub(r"[^\w.-]+", "_", f"{name}-{host}-export")
    path = folder / f"{stem}.jsonl"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}.jsonl"
        number += 1
    return path


async def save_export(objects: AsyncIterator[dict[str, Any]], path: Path, told: Callable[[int], None]) -> int:
    """Write objects to a new file that only its owner can read, one a line; return how many.

    Where that fails, or is given up, nothing is left of the file. Raises ClientError: NotSaved, or what `objects` does.

    Args:
        objects: what is saved.
        path: of the file; one that is there already stays as it is.
        told: called now and then with how many are saved so far.
    """
    count, lines = 0, bytearray()
    with _new(path) as out:
        async for one in objects:
            lines += msgspec.json.encode(one) + b"\n"
            count += 1
            if count % AT_ONCE == 0:
                await asyncio.to_thread(out.write, bytes(lines))
                lines.clear()
                told(count)
        await asyncio.to_thread(out.write, bytes(lines))
    return count


@contextmanager
def _new(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file for its owner alone; it is gone again where what is done with it fails."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise NotSaved(f"{path} is there already: give another name.") from error
    except OSError as error:
        raise NotSaved(f"{path} can't be written: {error.strerror}.") from error
    try:
        with os.fdopen(file, "wb") as out:
            yield out
    except OSError as error:
        path.unlink(missing_ok=True)
        raise NotSaved(f"{path} can't be written: {error.strerror}.") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
