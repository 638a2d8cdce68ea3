"""The file of the search index: made from the log's events, and made anew where it does not fit them.

It stands beside the log, so that the log's writer never waits for it. Losing it loses nothing.
"""

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec
from msgspec import Struct

from server.archive.database import connect, refusal
from server.archive.search_find import find
from server.archive.search_query import Found, IndexQuery, marks
from server.archive.words import RULES, words
from server.disk import sync_directory
from server.record.events import Kind

BATCH: Final = 500
"""Events in one transaction: some ten milliseconds, for which a query waits."""

TAKE_OUT: Final = 100
"""Messages that are taken out in one, of a room's or a person's that are all to go: about as long."""

CACHE: Final = 32 * 1024
"""KiB of the index that are kept in memory, at most. What leads to the places of a word that millions of messages have
does not fit into SQLite's own 2 MiB: read anew for each search, it takes twice as long."""

PAGES: Final = 200
"""Pages of the index looked at in one, once they are out: about as long."""

_LAYOUT: Final = f"2 {RULES}"

_SCHEMA: Final = """
    -- Up to where the log is indexed; which log, in which of its epochs, by which rules.
    CREATE TABLE state (layout TEXT NOT NULL, log TEXT NOT NULL, epoch TEXT NOT NULL, done INTEGER NOT NULL) STRICT;
    -- rowid: a message's seq. All that makes words of a text is done before: "ascii" parts them at spaces and no more.
    CREATE VIRTUAL TABLE messages USING fts5(words, marks, content='', columnsize=0, tokenize='ascii');
    -- What is taken out leaves no trace in its pages.
    INSERT INTO messages (messages, rank) VALUES ('secure-delete', 1);
    CREATE VIRTUAL TABLE vocabulary USING fts5vocab(messages, instance);
    -- The EDIT whose text an edited message is found by.
    CREATE TABLE edited (target INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
    -- Deleted messages whose texts the log may still hold, and the DELETE.
    CREATE TABLE removed (target INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
    -- FORGET and ERASE events whose bodies the log may still hold: by which mark their messages are found, and up to
    -- which seq; whether all of them are taken out.
    CREATE TABLE leaving (
        seq INTEGER PRIMARY KEY, mark TEXT NOT NULL, upto INTEGER NOT NULL, out INTEGER NOT NULL
    ) STRICT;
"""


# From the index alone, in the order that is said here: segments are few, pages are many. A key's first byte says which
# index it is of, and there is but one: "0".
_STARTING: Final = """
    WITH RECURSIVE segments (id) AS (
        SELECT min(segid) FROM messages_idx
        UNION ALL SELECT (SELECT min(segid) FROM messages_idx WHERE segid > id) FROM segments WHERE id IS NOT NULL
    )
    SELECT i.segid, i.term FROM segments AS s CROSS JOIN json_each(?) AS j
        CROSS JOIN messages_idx AS i ON i.segid = s.id AND i.term = CAST('0' || unhex(j.value) AS BLOB)
"""


class StaleError(Exception):
    """What is in the index can't be brought up to what is in the log: it must be made anew."""


class _Body(Struct):
    """What is needed of the body of an event that has to do with a text."""

    sender: str = ""
    text: str = ""
    target: int = 0
    upto: int = 0
    who: int = 0


class _Said(Struct):
    """A message as it is in the index."""

    seq: int
    room: int
    user: int
    sender: str
    text: str


_decode = msgspec.json.Decoder(_Body).decode


class SearchStore:
    """The index of one log. For one thread.

    Unless they say otherwise, all methods raise apsw.Error where the index can't be used, and OSError where the log
    can't be read.
    """

    def __init__(self, log: Path, path: Path) -> None:
        self.log_path = log
        self.path = path
        self._log: apsw.Connection | None = None
        self._index: apsw.Connection | None = None
        self._epoch = ""
        self.done = 0
        """Up to which seq the log is indexed."""
        self.removed: list[int] = []
        """DELETE, FORGET and ERASE events: what they took away is not in the index, but may be in its files, and is in
        the log."""
        self.leaving: list[int] = []
        """FORGET and ERASE events: what they took away is still in the index."""
        self._looked = (0, b"")
        """Of the first of them: the last page that was looked at once its messages were out."""

    @property
    def is_open(self) -> bool:
        """Whether the index is open."""
        return self._index is not None

    def open(self) -> None:
        """Open the index, made anew where it does not fit the log. Does nothing where it is open."""
        if self.is_open:
            return
        with self._reading() as log:
            identity: str = log.execute("SELECT id FROM identity").get
            epochs = list(log.execute("SELECT epoch, first_seq FROM epochs ORDER BY rowid"))
            head: int = log.execute("SELECT ifnull(max(seq), 0) FROM events").get
        self._epoch = epochs[-1][0] if epochs else ""
        # Up to where the events of each epoch go: another one may have come in the place of what lies beyond.
        ends = {epoch: following - 1 for (epoch, _), (_, following) in pairwise(epochs)}
        ends[self._epoch] = head
        try:
            self._index = _connect(self.path)
            layout, known, epoch, self.done = self._index.execute("SELECT * FROM state").get or ("", "", "", 0)
            fits = layout == _LAYOUT and known == identity and self.done <= ends.get(epoch, -1)
        except (apsw.SQLError, apsw.CorruptError, apsw.NotADBError):
            fits = False
        if not fits:
            self.remove()
            self._index = _connect(self.path)
            with self._index as index:
                index.execute(_SCHEMA)
                index.execute("INSERT INTO state VALUES (?, ?, ?, 0)", (_LAYOUT, identity, self._epoch))
        self.removed = self._unerased()
        self.leaving = [seq for (seq,) in self._opened.execute("SELECT seq FROM leaving WHERE NOT out ORDER BY seq")]

    def close(self) -> None:
        """Close the files. Raises nothing."""
        for database in (self._index, self._log):
            if database is not None:
                with contextlib.suppress(apsw.Error):
                    database.close(True)
        self._index = self._log = None
        self._looked = (0, b"")

    def remove(self) -> None:
        """Close the files and remove the index; OSError where that fails."""
        self.close()
        self.done = 0
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def advance(self, head: int) -> None:
        """Index the next events up to the seq `head`, at most `BATCH` seqs, and take out what is leaving.

        Raises:
            StaleError: see there.
        """
        if self.leaving:
            self._let_go(self.leaving[0])
        if self.done < head:
            self._follow(head)

    def _follow(self, head: int) -> None:
        top = min(head, self.done + BATCH)
        with self._reading() as log:
            events: list[Any] = log.execute(
                "SELECT seq, room, user, kind, body FROM events"
                " WHERE seq > ? AND seq <= ? AND (kind BETWEEN ? AND ? OR kind IN (?, ?)) AND body != x'' ORDER BY seq",
                (self.done, top, Kind.MESSAGE, Kind.DELETE, Kind.FORGET, Kind.ERASE),
            ).fetchall()
            emptying = {seq for (seq,) in log.execute("SELECT seq FROM emptying")}
        removed: list[int] = []
        leaving: list[int] = []
        gone: set[str] = set()
        with self._opened as index:
            for seq, room, user, kind, encoded in events:
                body = _decode(encoded)
                if kind == Kind.MESSAGE:
                    if body.text:  # what is left of a message by someone who was erased has none
                        self._add(_Said(seq, room, user, body.sender, body.text))
                elif kind in (Kind.FORGET, Kind.ERASE):
                    if seq not in emptying:
                        continue  # all of it has been erased before: an index that is made anew never had it
                    row = (f"r{room}", body.upto) if kind == Kind.FORGET else (f"u{body.who}", seq)
                    index.execute("INSERT INTO leaving VALUES (?, ?, ?, 0)", (seq, *row))
                    leaving.append(seq)
                elif (said := self._take_out(body.target)) is not None:
                    gone.update(words(said.text))
                    if kind == Kind.EDIT:
                        said.text = body.text
                        self._add(said)
                        index.execute("INSERT OR REPLACE INTO edited VALUES (?, ?)", (body.target, seq))
                    else:
                        index.execute("DELETE FROM edited WHERE target = ?", (body.target,))
                        index.execute("INSERT INTO removed VALUES (?, ?)", (body.target, seq))
                        removed.append(seq)
            if gone:
                self._forget(gone)
            index.execute("UPDATE state SET epoch = ?, done = ?", (self._epoch, top))
        self.done = top
        self.removed += removed
        self.leaving += leaving

    def _let_go(self, seq: int) -> None:
        """Take out the next messages of a FORGET or ERASE."""
        with self._opened as index:
            mark, upto = index.execute("SELECT mark, upto FROM leaving WHERE seq = ?", (seq,)).get
            matches = "SELECT rowid FROM messages WHERE messages MATCH ? AND rowid <= ? ORDER BY rowid LIMIT ?"
            targets = [target for (target,) in index.execute(matches, (f'marks : "{mark}"', upto, TAKE_OUT))]
            for target in targets:
                self._take_out(target)
                index.execute("DELETE FROM edited WHERE target = ?", (target,))
                index.execute("INSERT OR IGNORE INTO removed VALUES (?, ?)", (target, seq))
            done = not targets and self._look_on()
            if done:
                index.execute("UPDATE leaving SET out = 1 WHERE seq = ?", (seq,))
        if done:
            self._looked = (0, b"")
            self.leaving.remove(seq)
            self.removed.append(seq)

    def replace(self, copy: Path, cleaned: list[int]) -> None:
        """Close the files, put a copy in the index's place, and open that; OSError where that fails.

        On return, what these events took away is in no file of the index.
        """
        left = set(self.removed).difference(cleaned)
        self.close()
        for suffix in ("-wal", "-shm"):  # of the one that goes: they must not be taken for the copy's
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        copy.replace(self.path)
        sync_directory(self.path.parent)
        self.open()
        # Also what was cleaned before, as long as the log has not come to it.
        self.removed = [seq for seq in self.removed if seq in left]

    def find(self, query: IndexQuery, ends: float) -> Found:
        """Return what is found in what is indexed. `ends`: by `time.monotonic`, when to stop."""
        with self._reading() as log:
            pass  # opened; what goes wrong from here on may be the index's as well
        return find(self._opened, log, query, self.done, ends)

    @property
    def _opened(self) -> apsw.Connection:
        assert self._index is not None, "only an open index is read or written"
        return self._index

    @contextlib.contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        """Give the log, for reading."""
        try:
            if self._log is None:
                self._log = connect(self.log_path, read_only=True)
            yield self._log
        except apsw.Error as error:
            raise OSError(str(refusal(self.log_path, error))) from error

    def _add(self, said: _Said) -> None:
        self._opened.execute(
            "INSERT INTO messages (rowid, words, marks) VALUES (?, ?, ?)",
            (said.seq, " ".join(words(said.text)), marks(said.room, said.user, said.sender, said.text)),
        )

    def _take_out(self, target: int) -> _Said | None:
        """Take a message out of the index and return it as it was there; None where it was not.

        The index holds no texts, and to take one out needs the very words that were put in: the log still has them,
        because it erases them only after it was told.
        """
        index = self._opened
        if index.execute("SELECT 1 FROM removed WHERE target = ?", (target,)).get:
            return None
        edit = index.execute("SELECT seq FROM edited WHERE target = ?", (target,)).get
        with self._reading() as log:
            event = "SELECT room, user, body FROM events WHERE seq = ?"
            room, user, first = log.execute(event, (target,)).get or (0, 0, b"")
            latest = first if edit is None else log.execute("SELECT body FROM events WHERE seq = ?", (edit,)).get
        if not first or not latest:
            if index.execute("SELECT 1 FROM messages WHERE messages MATCH ? AND rowid = ?", (f"r{room}", target)).get:
                raise StaleError(f"message {target} was erased before it was taken out")
            return None
        said = _Said(target, room, user, _decode(first).sender, _decode(latest).text)
        index.execute(
            "INSERT INTO messages (messages, rowid, words, marks) VALUES ('delete', ?, ?, ?)",
            (target, " ".join(words(said.text)), marks(room, user, said.sender, said.text)),
        )
        return said

    def _forget(self, gone: set[str]) -> None:
        """See to it that no page is found by a word, or the start of one, that stands nowhere any more.

        FTS5 finds a page by the start of its first word, and keeps that when the word is taken out. Any word that is
        not before it, and not after the page's own first one, does as well: the next one that there is.
        """
        with self._opened as index:  # a savepoint: what FTS5 had in memory is written to its tables
            there = "SELECT 1 FROM messages WHERE messages MATCH ? LIMIT 1"
            lost = [word.encode() for word in gone if index.execute(there, (f'"{word}"',)).fetchone() is None]
            starts = {word[:end].hex() for word in lost for end in range(1, len(word) + 1)}
            pages: list[Any] = index.execute(_STARTING, (msgspec.json.encode(list(starts)).decode(),)).fetchall()
            for segment, key in pages:
                self._find_anew(segment, key)

    def _look_on(self) -> bool:
        """See to the same for the next pages, whatever was taken out; True where that was all of them."""
        query = "SELECT segid, term FROM messages_idx WHERE (segid, term) > (?, ?) ORDER BY segid, term LIMIT ?"
        with self._opened as index:
            pages: list[Any] = index.execute(query, (*self._looked, PAGES)).fetchall()
            for segment, key in pages:
                self._find_anew(segment, key)
        if len(pages) < PAGES:
            return True
        self._looked = pages[-1]
        return False

    def _find_anew(self, segment: int, key: bytes) -> None:
        """Have a page be found by a word that there is, where no word starts any more with what it is found by."""
        query = "SELECT CAST(term AS BLOB) FROM vocabulary WHERE term >= CAST(? AS TEXT) LIMIT 1"
        following = self._opened.execute(query, (key[1:],)).get
        if following is not None and not following.startswith(key[1:]):
            change = "UPDATE messages_idx SET term = ? WHERE segid = ? AND term = ?"
            self._opened.execute(change, (key[:1] + following, segment, key))

    def _unerased(self) -> list[int]:
        """Return the events whose texts are out of the index and in the log; forget those whose are in neither."""
        index = self._opened
        left: list[int] = []
        with self._reading() as log, index:
            emptying = {seq for (seq,) in log.execute("SELECT seq FROM emptying")}
            for (seq,) in list(index.execute("SELECT seq FROM leaving WHERE out")):
                if seq in emptying:
                    left.append(seq)
                else:
                    index.execute("DELETE FROM leaving WHERE seq = ?", (seq,))
                    index.execute("DELETE FROM removed WHERE seq = ?", (seq,))
            deletes = "SELECT target, seq FROM removed WHERE seq NOT IN (SELECT seq FROM leaving) ORDER BY seq"
            for target, seq in list(index.execute(deletes)):
                if log.execute("SELECT body != x'' FROM events WHERE seq = ?", (target,)).get:
                    left.append(seq)
                else:
                    index.execute("DELETE FROM removed WHERE target = ?", (target,))
        return left


def _connect(path: Path) -> apsw.Connection:
    """Open the index. What power loss takes from it is made again; what it gives up is overwritten."""
    database = apsw.Connection(str(path))
    try:
        database.set_busy_timeout(5000)
        # One by one: of several in a text, those after the first that answers with a row are not run.
        database.pragma("journal_mode", "wal")
        database.pragma("synchronous", "normal")
        database.pragma("checkpoint_fullfsync", True)
        database.pragma("secure_delete", True)
        database.pragma("journal_size_limit", 16 * 1024 * 1024)
        database.pragma("cache_size", -CACHE)
    except BaseException:
        database.close()
        raise
    return database
