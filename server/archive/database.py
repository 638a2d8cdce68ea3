"""The database file: opened, checked, brought up to date."""

import contextlib
import re
from importlib import resources
from pathlib import Path
from typing import Final

import apsw

BUSY: Final = 5000
"""Milliseconds to wait for another connection's lock."""

APPLICATION_ID: Final = 0x63686174
""""chat": by it a file is known as ours (SQLite's `application_id`)."""


class StoreError(Exception):
    """The database can't be used. The text says what is wrong and what to do, on one line."""


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """Open the file with the settings that the promises stand on; apsw.Error where that fails.

    WAL with synchronous=FULL: a commit has reached the disk when it returns, and readers never wait for the writer.
    """
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    database = apsw.Connection(str(path), flags=flags)
    database.set_busy_timeout(BUSY)
    if not read_only:
        database.execute("PRAGMA journal_mode = WAL")
        # Not the default of every build; on macOS fsync alone leaves data in the disk's cache.
        database.execute("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
        # What was deleted is gone, not only unlisted.
        database.execute("PRAGMA secure_delete = ON")
        # A WAL that a burst made large is cut back, in bytes.
        database.execute("PRAGMA journal_size_limit = 16777216")
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def open_store(path: Path) -> apsw.Connection:
    """Open the file for writing and bring its schema up to date; StoreError where it can't be used.

    On return, all that it holds is on the disk. What a killed server or a failed commit left in the WAL may be written
    and not synced, and after a failed fsync the system may take pages that were lost for written ones: so it is written
    once more, into the database file, and that is synced.
    """
    try:
        if path.exists() and path.stat().st_size and not _was_being_made(path):
            _look(path)
        database = connect(path)
        try:
            _migrate(database)
            database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except BaseException:
            database.close()
            raise
    except (apsw.Error, OSError) as error:
        raise refusal(path, error) from error
    return database


def refusal(path: Path, error: Exception) -> StoreError:
    """Return what is wrong with the file, and what to do, in words for people."""
    match error:
        case StoreError():
            return error
        case apsw.NotADBError():
            return StoreError(f"{path} is not a database. Move it away, or give another --data.")
        case apsw.CorruptError() | ValueError() | LookupError():
            return StoreError(f"{path} is damaged ({error}). Put a backup in its place, or give another --data.")
        case apsw.BusyError() | apsw.LockedError():
            return StoreError(f"{path} is in use by another program. End that one, or give another --data.")
        case apsw.FullError():
            return StoreError(f"{path} can't be written: the disk is full. Make room, or give another --data.")
        case apsw.ReadOnlyError():
            return StoreError(f"{path} can't be written: it is read-only. Make it writable, or give another --data.")
        case _ if path.is_dir():
            return StoreError(f"{path} is a directory. Move it away, or give another --data.")
        case _:
            return StoreError(f"{path} can't be used: {error}. Give another --data.")


def reason(error: Exception) -> str:
    """Return why nothing can be written, in words for the server's log."""
    if isinstance(error, apsw.FullError):
        return "the disk is full"
    if isinstance(error, apsw.ReadOnlyError):
        return "the file is read-only"
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return f"the file is damaged: {error}; stop the server and put a backup in its place"
    if isinstance(error, apsw.IOError):
        return f"the disk failed: {error}"
    return str(error)


def _look(path: Path) -> None:
    """See whose file it is before it is opened for writing: nothing of another program is changed, or made beside it.

    Where there is a WAL only SQLite knows what is in the file, and takes part in its use; else it is read as it is.
    """
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        database = connect(path, read_only=True)
    else:
        as_it_stands = path.absolute().as_uri() + "?immutable=1"
        database = apsw.Connection(as_it_stands, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    with contextlib.closing(database):
        tables = database.execute("SELECT count(*) FROM sqlite_schema").get
        if tables and database.pragma("application_id") != APPLICATION_ID:
            raise StoreError(f"{path} belongs to another program. Give another --data.")
        if database.pragma("user_version") > len(_scripts()):
            raise StoreError(f"{path} was written by a newer chat-server. Update this one, or give another --data.")


def _was_being_made(path: Path) -> bool:
    """Say whether a server was ended while it made the file: by its journal there were no pages before.

    SQLite empties it then. The journal's header has the number of pages after 16 bytes.
    """
    journal = path.with_name(path.name + "-journal")
    if not journal.is_file():
        return False
    with journal.open("rb") as file:
        header = file.read(20)
    return header.startswith(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7") and header[16:] == bytes(4)


def _migrate(database: apsw.Connection) -> None:
    """Run the numbered scripts that this file has not seen, each in a transaction of its own."""
    scripts = _scripts()
    version = database.pragma("user_version")
    for number, script in enumerate(scripts[version:], version + 1):
        with database:
            database.execute(script)
            database.pragma("user_version", number)
            database.pragma("application_id", APPLICATION_ID)


def _scripts() -> list[str]:
    """Return the migrations in order; the first is number 1."""
    folder = resources.files("server.archive").joinpath("migrations")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    numbers = [int(found[0]) for file in files if (found := re.match(r"\d+", file.name))]
    if numbers != list(range(1, len(files) + 1)):
        raise StoreError(f"The migrations are not numbered from 1 without a gap: {numbers}.")
    return [file.read_text(encoding="utf-8") for file in files]
