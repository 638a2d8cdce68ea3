"""What a client keeps on disk of one name on one server: its session, messages not confirmed, drafts.

One SQLite file each, which one process holds at a time: its lock ends with the process, however that ends. A commit is
in the system's memory when it returns, so it survives a kill of this program; a power cut may cost the last seconds.
"""

import hashlib
import json
import os
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from msgspec import Struct, convert

if TYPE_CHECKING:
    import apsw  # at run time only where something is kept: a script that keeps nothing starts without it

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS messages (
        id        INTEGER PRIMARY KEY,   -- the number it is sent with
        session   TEXT NOT NULL,         -- mark of the session it was written in; empty while it never was
        room      TEXT NOT NULL,
        text      TEXT NOT NULL,
        me        INTEGER NOT NULL,
        withdrawn INTEGER NOT NULL,
        failed    TEXT NOT NULL,         -- why it was not taken, for people; empty while it may be
        reply     INTEGER NOT NULL DEFAULT 0 -- the message that it answers; 0 for none
    );
    CREATE TABLE IF NOT EXISTS drafts (
        room TEXT PRIMARY KEY,           -- or another place where it is written: a thread
        text TEXT NOT NULL
    ) WITHOUT ROWID;
"""


_FIELDS: Final = ("id", "session", "room", "text", "me", "withdrawn", "failed", "reply")
_COLUMNS: Final = ", ".join(_FIELDS)
_PUT: Final = f"""
    INSERT OR REPLACE INTO messages ({_COLUMNS}) VALUES ({", ".join(f":{field}" for field in _FIELDS)});
    INSERT OR REPLACE INTO state
        SELECT 'last', max(:id, ifnull(max(CAST(value AS INTEGER)), 0)) FROM state WHERE key = 'last';
    DELETE FROM messages WHERE id = :instead;
    DELETE FROM drafts WHERE room = :draft;
"""  # noqa: S608 - our own names


_KEEP_SESSION: Final = """
    DELETE FROM state WHERE key IN ('session', 'account', 'entry');
    INSERT INTO state SELECT * FROM (
        SELECT 'session' AS key, :session AS value UNION SELECT 'account', :account UNION SELECT 'entry', :entry
    ) WHERE value <> '';
"""


def mark_of(session: str) -> str:
    """Return by what a session is told from others where its secret has no business."""
    return hashlib.sha256(session.encode()).hexdigest()[:16] if session else ""


class Kept(Struct, kw_only=True):
    """A message that is not confirmed."""

    id: int
    session: str = ""
    """`mark_of` the session it was written in; empty while it never was."""
    room: str
    text: str
    me: bool = False
    withdrawn: bool = False
    failed: str = ""
    reply: int = 0


class Box:
    """One file, or nothing at all: then everything is forgotten with the process.

    A disk that fails does not stop anybody from talking: `trouble` says what is wrong. What is being written is held in
    memory in any case.
    """

    _database: "apsw.Connection | None"

    def __init__(self, path: Path | None) -> None:
        self.name = path.name if path is not None else ""
        """Of the file."""
        self.trouble = ""
        """Why nothing is kept, as a sentence; empty where all is well."""
        self.drafts: dict[str, str] = {}
        """What is being written, by room or another place: to be changed by `keep_draft`."""
        self._database = None
        if path is not None:
            import apsw

            try:
                self._database = _open(path)
            except apsw.BusyError:
                self.trouble = "Another chat-tui holds what is kept under this name: what is not sent here is not kept."
            except (apsw.Error, OSError) as error:
                self._fail(error)
            self.drafts = dict(self._run("SELECT room, text FROM drafts"))
            if self.session:  # made before messages bore the session's mark instead of its secret
                self._run("UPDATE messages SET session = ? WHERE session = ?", (mark_of(self.session), self.session))

    @property
    def kept(self) -> bool:
        """What is put in here survives the process."""
        return self._database is not None

    @property
    def session(self) -> str:
        """The secret of the session under this name; empty for none, or where the system's keyring has it."""
        return self._get("session")

    @property
    def account(self) -> bool:
        """The session is an account's."""
        return self._get("account") != ""

    @property
    def entry(self) -> str:
        """Where the secret lies in the system's keyring; empty where it lies here, or there is none."""
        return self._get("entry")

    def keep_session(self, secret: str, *, account: bool = False, entry: str = "") -> None:
        """Keep who one is here, or forget it: without a secret and an entry."""
        self._run(_KEEP_SESSION, {"session": secret, "account": "1" if account else "", "entry": entry})
        if self._database is None:
            return
        import apsw

        try:  # the log beside the file would have the secret before this one for a while
            self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            self._fail(error)

    @property
    def moved(self) -> str:
        """The name of the box into which everything went when its owner took another name; empty for none."""
        return "" if self.session or self.entry else self._get("moved")

    @property
    def last(self) -> int:
        """The highest number a message was given."""
        return int(self._get("last") or 0)

    def messages(self) -> list[Kept]:
        """Return the messages that are not confirmed, in the order they were written."""
        rows = self._run(f"SELECT {_COLUMNS} FROM messages ORDER BY id")  # noqa: S608 - our own names
        return [convert(dict(zip(_FIELDS, row, strict=True)), Kept, strict=False) for row in rows]

    def put(self, message: Kept, *, draft: str = "", instead: int = 0) -> None:
        """Keep a message as it stands now.

        Args:
            message: which.
            draft: where it was the draft, which is done with at the same moment; empty for nowhere.
            instead: the id of a message that it replaces at the same moment.
        """
        self.drafts.pop(draft, None)
        values = {name: getattr(message, name) for name in _FIELDS}
        self._run(_PUT, {**values, "draft": draft, "instead": instead})

    def drop(self, id: int) -> None:
        """Forget a message: it is confirmed, or not wanted any more."""
        self._run("DELETE FROM messages WHERE id = ?", (id,))

    def keep_draft(self, place: str, text: str) -> None:
        """Keep what is being written in a room, or another place; an empty text forgets it."""
        if text:
            self.drafts[place] = text
            self._run("INSERT OR REPLACE INTO drafts VALUES (?, ?)", (place, text))
        else:
            self.drafts.pop(place, None)
            self._run("DELETE FROM drafts WHERE room = ?", (place,))

    def take_drafts(self, other: Self) -> None:
        """Take over what is being written from another box, but where something is being written here."""
        for place, text in other.drafts.items():
            if place not in self.drafts:
                self.keep_draft(place, text)

    def move_to(self, other: Self) -> None:
        """Put everything into another box; then nothing is left in this one.

        In between both have it: no harm, since a message that is sent twice with its number is taken once.
        """
        for message in self.messages():
            other.put(message)
        other.take_drafts(self)
        other.keep_session(self.session, account=self.account, entry=self.entry)
        self.drafts.clear()
        self._run("DELETE FROM messages; DELETE FROM drafts; DELETE FROM state")
        self._run("INSERT INTO state VALUES ('moved', ?)", (other.name,))
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            import apsw

            with suppress(apsw.Error):
                self._database.close()
            self._database = None

    def _get(self, key: str) -> str:
        return next((value for (value,) in self._run("SELECT value FROM state WHERE key = ?", (key,))), "")

    def _run(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - as apsw has it
        """Run SQL as one transaction; from the first failure on nothing is kept."""
        if self._database is None:
            return []
        import apsw

        rows: list[tuple[Any, ...]] = []
        try:
            with self._database:
                rows += self._database.execute(sql, values)
        except apsw.Error as error:
            self._fail(error)
        return rows

    def _fail(self, error: Exception) -> None:
        why = "the disk is full" if type(error).__name__ == "FullError" else str(error)
        self.trouble = f"What is not sent yet can't be kept on the disk ({why}): leaving loses it."
        self.close()


_OWN: Final = "own"
"""Stands among the addresses, which all have a colon."""


class Boxes:
    """The boxes of this user: one a name and server.

    Args:
        folder: where they are; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def open(self, server: str, name: str) -> Box:
        """Open the box of a name on a server, known by its `id`; also of who had this name and has another now."""
        if self._folder is None or not server:
            return Box(None)
        folded = unicodedata.normalize("NFKC", name).strip().casefold()  # as servers take it
        key = hashlib.sha256(f"{server}\n{folded}".encode()).hexdigest()[:32]
        box = Box(self._folder / f"{key}.db")
        if moved := box.moved:
            box.close()
            box = Box(self._folder / moved)
        return box

    def server_at(self, address: str) -> str:
        """Return the `id` of the server that was last met at an address; empty for none."""
        return self._addresses().get(address, "")

    @property
    def own(self) -> str:
        """The `id` of the server that this user starts where none answers; empty where none was started yet."""
        return self._addresses().get(_OWN, "")

    @own.setter
    def own(self, server: str) -> None:
        self.met(_OWN, server)

    def met(self, address: str, server: str) -> None:
        """Remember which server answered at an address: what is written before it answers again is for it."""
        known = self._addresses()
        if self._folder is None or known.get(address) == server:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):
            new = self._folder / "servers.json.new"
            new.write_text(json.dumps({**known, address: server}, indent=2) + "\n", encoding="utf-8")
            new.replace(self._folder / "servers.json")

    def _addresses(self) -> dict[str, str]:
        if self._folder is None:
            return {}
        try:
            known = json.loads((self._folder / "servers.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {key: value for key, value in known.items() if isinstance(value, str)} if isinstance(known, dict) else {}


def _open(path: Path) -> "apsw.Connection":
    import apsw

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It holds the session's secret: the user's alone, before anything is in it.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    database = apsw.Connection(str(path))
    try:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
            database.execute(f"PRAGMA {pragma}").fetchall()  # each gives a row: several at once end with the first
        database.execute("PRAGMA secure_delete = ON")  # of a session that ended nothing stays
        with database:
            database.execute(_SCHEMA)
            columns = {column for _, column, *_ in database.execute("PRAGMA table_info(messages)")}
            if "reply" not in columns:  # made before messages could answer others
                database.execute("ALTER TABLE messages ADD COLUMN reply INTEGER NOT NULL DEFAULT 0")
        # A read takes the lock, too, but only a write keeps it for sure.
        database.execute("BEGIN EXCLUSIVE; COMMIT")
    except apsw.Error:
        database.close()
        raise
    return database
