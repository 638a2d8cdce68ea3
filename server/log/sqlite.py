"""The log in SQLite: one writer thread, group commit.

Who owns what: the event loop hands over entries and takes them back, the writer thread owns the database, the directory
that judges, and the numbering of sessions. What comes while the disk works on one transaction makes the next, so a
quiet server answers after one fsync, and a busy one pays one for hundreds.

Obligations of the writer: MUST hand every entry back, in order, exactly once. MUST NOT hand one back as taken before
its transaction is on the disk. After a failure MUST open the file anew and go by what is in it, before it takes more.
"""

import asyncio
import contextlib
import logging
import math
import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Final

import apsw

from server.archive.database import BUSY, StoreError, connect, open_store, refusal
from server.archive.projections import DatabaseFacts, erase, load_directory, project
from server.chat.directory import Directory, RoomRecord
from server.chat.events import (
    GENERAL,
    Closing,
    Draft,
    Entry,
    Erasing,
    GivenUp,
    Kind,
    Marking,
    Naming,
    Opening,
    RoomBody,
    decode_about,
    decode_message,
    encode_body,
)
from server.chat.ordering import Numbering, Verdict
from server.log import sessions
from server.protocol.errors import Code

QUEUE: Final = 16_384
"""Entries that may wait: some two seconds of work. Beyond it, clients are not read."""

QUEUE_BYTES: Final = 64 * 1024 * 1024
"""The same in bytes of bodies: 4,096 texts of the largest size."""

CHAIN: Final = 4096
"""How far back a repeated id is looked for, in the session's messages: far more than a client has unanswered."""

WAL_SECONDS: Final = 0.5
"""Seconds until the WAL is emptied of what was erased, and between two tries while someone reads it."""

SESSION_LIFE: Final = 90 * 24 * 3600 * 1000
"""Milliseconds after which a session that nobody used is forgotten."""

log = logging.getLogger("log")


class SqliteLog:
    """The log of one server; see `server.chat.ports.Log`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.identity = ""
        self.epoch = ""
        self.head = 0
        self._tick: list[Entry] = []
        self._waiting = 0
        self._waiting_bytes = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._queue: queue.SimpleQueue[list[Entry] | None] = queue.SimpleQueue()
        self._epochs: list[tuple[str, int]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hand_back: Callable[[list[Entry]], None] = lambda _entries: None
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        # From here on the writer's own.
        self._database: apsw.Connection | None = None
        self._directory = Directory()
        self._facts: DatabaseFacts
        self._named: dict[str, list[int]] = {}
        """Who has the names that this transaction's messages mention."""
        self._numberings: dict[int, Numbering] = {}
        self._written = 0
        self._time = 0
        self._rows: list[tuple[int | bytes, ...]] = []
        self._empty_at = math.inf
        """By `time.monotonic`: when the WAL is emptied of what was erased; never while it holds nothing of that."""
        self._failing = ""
        """Why nothing could be written; empty while it can."""

    # The event loop's side.

    def open(self) -> list[RoomRecord]:
        """Open the database, begin an epoch, and return the rooms; StoreError where it can't be used."""
        try:
            self._load()
            self._begin_epoch()
            self.identity = self._open.execute("SELECT id FROM identity").get
        except (apsw.Error, ValueError, LookupError) as error:
            raise refusal(self._path, error) from error
        self.head = self._written
        return [copy(room) for room in self._directory.rooms.values()]  # what the writer changes is not committed yet

    def start(self, hand_back: Callable[[list[Entry]], None]) -> None:
        """Take entries from now on, and hand them back on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._hand_back = hand_back
        self._thread.start()

    @property
    def full(self) -> bool:
        """See `server.chat.ports.Log`."""
        return self._waiting >= QUEUE or self._waiting_bytes >= QUEUE_BYTES

    def append(self, entry: Entry) -> None:
        """See `server.chat.ports.Log`."""
        if not self._tick:
            assert self._loop is not None, "the log has not been started"
            self._loop.call_soon(self._hand_over)
        self._tick.append(entry)
        self._waiting += 1
        self._idle.clear()
        if isinstance(entry, Draft):
            entry.weight = len(entry.body)
            self._waiting_bytes += entry.weight

    def knows(self, epoch: str, seq: int) -> bool:
        """See `server.chat.ports.Log`."""
        for index, (known, _) in enumerate(self._epochs):
            if known == epoch:
                last = index == len(self._epochs) - 1
                return seq <= self.head if last else seq < self._epochs[index + 1][1]
        return False

    async def close(self) -> None:
        """Commit what was queued, hand it back, and close the file."""
        await self._idle.wait()  # what is handed back may bring more: a room that was made is then entered
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _hand_over(self) -> None:
        if self._tick:
            self._queue.put(self._tick)
            self._tick = []

    def _returned(self, entries: list[Entry], head: int) -> None:
        self.head = head
        for entry in entries:
            if isinstance(entry, Draft):
                self._waiting_bytes -= entry.weight
        self._waiting -= len(entries)
        try:
            self._hand_back(entries)
        finally:
            if not self._waiting:
                self._idle.set()

    # The writer's side.

    def _run(self) -> None:
        going = True
        while going:
            entries: list[Entry] = []
            wait = self._empty_at - time.monotonic()
            if wait <= 0:
                self._empty_wal()
                continue
            try:
                batch = self._queue.get(timeout=None if wait == math.inf else wait)
            except queue.Empty:
                continue
            while batch is not None:
                entries += batch
                try:
                    batch = self._queue.get_nowait()
                except queue.Empty:
                    break
            else:
                going = False
            if entries:
                self._process(entries)
        if self._database is not None:
            try:
                # Readers are still there, so closing alone would leave what is new in the -wal file: who copies
                # the database of a server that has ended copies all of it.
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._database.close()
            except apsw.Error as error:
                log.error("The database could not be closed cleanly: %s", _reason(error))

    def _empty_wal(self) -> None:
        """Leave nothing in the WAL of what was erased, unless someone reads it just now."""
        self._empty_at = math.inf
        if self._database is None:
            return  # opened anew, it has none
        try:
            self._database.set_busy_timeout(0)
            self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            self._empty_at = time.monotonic() + WAL_SECONDS
            log.debug("The WAL is emptied later: %s", error)
        finally:
            self._database.set_busy_timeout(BUSY)

    def _process(self, entries: list[Entry]) -> None:
        assert self._loop is not None, "the log has not been started"
        found: list[Entry] = []
        try:
            if self._database is None:
                found = self._recover()
            self._write(entries)
        except Exception as error:  # also a fault of ours: whatever happens, every entry is handed back
            self._fail(entries, error)
        if found:
            self._loop.call_soon_threadsafe(self._found, found)
        self._loop.call_soon_threadsafe(self._returned, entries, self._written)

    def _found(self, drafts: list[Entry]) -> None:
        self._waiting += len(drafts)
        last = drafts[-1]
        self._returned(drafts, last.seq if isinstance(last, Draft) else self.head)

    def _write(self, entries: list[Entry]) -> None:
        """Make one transaction of these entries; on return it is on the disk."""
        database = self._database
        assert database is not None, "only an open database is written"
        self._time = max(self._time, time.time_ns() // 1_000_000)
        if all(isinstance(entry, GivenUp) for entry in entries):
            self._give_up(entries)
            return  # nothing of this is stored
        before = self._written
        touched: dict[int, Numbering] = {}
        closed: list[int] = []
        try:
            database.execute("BEGIN IMMEDIATE")
            names = {name for entry in entries if isinstance(entry, Draft) for name in entry.names}
            self._named = sessions.namesakes(database, names) if names else {}
            for entry in entries:
                if isinstance(entry, Draft):
                    self._place(entry, touched)
                elif isinstance(entry, Opening):
                    self._open_session(database, entry)
                elif isinstance(entry, Marking):
                    sessions.mark(database, entry)
                elif isinstance(entry, Erasing):
                    erase(database, entry.seqs)
                    self._empty_at = min(self._empty_at, time.monotonic() + WAL_SECONDS)
                elif isinstance(entry, Naming):
                    database.execute("UPDATE users SET name = ? WHERE id = ?", (entry.name, entry.user))
                elif isinstance(entry, GivenUp):
                    self._give_up([entry])
                elif isinstance(entry, Closing):
                    database.execute("UPDATE sessions SET used = ? WHERE id = ?", (self._time, entry.session))
                    closed.append(entry.session)
            self._insert()
            database.executemany(
                "UPDATE sessions SET last_id = ?, last_seq = ? WHERE id = ?",
                [(numbering.last_id, numbering.last_seq, session) for session, numbering in touched.items()],
            )
            database.execute("COMMIT")
        except BaseException:
            self._written = before
            raise
        for session in closed:
            self._numberings.pop(session, None)

    def _give_up(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, GivenUp) and (entry.then is not None or entry.session in self._numberings):
                numbering = self._numbering(entry.session)
                numbering.given_up(entry.id)
                if entry.then is not None and (found := self._find(entry.id, numbering)):
                    entry.seq = found[0]

    def _place(self, draft: Draft, touched: dict[int, Numbering]) -> None:
        """Give an event its seq, or a code."""
        numbering = self._numbering(draft.session) if draft.id else None
        if numbering is not None:
            verdict = numbering.judge(draft.id)
            if verdict is Verdict.HELD:
                numbering.again(draft.id)
                draft.code = Code.TRY_AGAIN
                return
            if verdict is Verdict.REPEATED:
                self._look_up(draft, numbering)
                return
        if draft.names:
            sessions.name_mentioned(self._directory, draft, self._named)
        if draft.about is not None:
            self._insert()  # what is judged may be about what came just before
        draft.code = self._directory.judge(draft, self._facts)
        if draft.idle and draft.code is None:
            return
        if draft.code is None and draft.limited:
            draft.code = Code.RATE_LIMITED
            if numbering is not None:
                numbering.again(draft.id)
            return
        if draft.code is not None:
            if numbering is not None:
                numbering.given_up(draft.id)
            return
        if draft.about is not None:
            draft.body = encode_body(draft.about)
        self._written += 1
        draft.seq = self._written
        draft.time = self._time
        if draft.kind is Kind.ROOM:
            draft.room = draft.seq
        previous = 0
        if numbering is not None:
            previous = numbering.last_seq
            numbering.taken(draft.id, draft.seq)
            touched[draft.session] = numbering
        self._rows.append(
            (
                draft.seq,
                draft.room,
                draft.user,
                draft.session,
                draft.id,
                previous,
                draft.time,
                int(draft.kind),
                draft.body,
            )
        )
        if draft.about is not None or draft.kind is not Kind.MESSAGE:
            self._directory.apply(draft)
            project(self._open, self._directory, draft)

    @property
    def _open(self) -> apsw.Connection:
        assert self._database is not None, "only an open database is read or written"
        return self._database

    def _insert(self) -> None:
        if self._rows:
            self._open.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", self._rows)
            self._rows.clear()

    def _look_up(self, draft: Draft, numbering: Numbering) -> None:
        """Answer an id that came before with what it got then."""
        found = self._find(draft.id, numbering)
        if found is None:
            draft.code = Code.ID_ORDER
            return
        seq, room, body = found
        same = room == draft.room and (not body or _same(body, draft.body))
        draft.code = None if same else Code.ID_REUSED
        draft.seq, draft.repeated = seq, same

    def _find(self, message_id: int, numbering: Numbering) -> tuple[int, int, bytes] | None:
        """Return seq, room and body of a session's message: its events are a chain, the latest first."""
        self._insert()
        seq = numbering.last_seq
        for _ in range(CHAIN):
            row = self._open.execute("SELECT id, prev, room, body FROM events WHERE seq = ?", (seq,)).fetchone()
            if row is None or row[0] < message_id:
                return None
            number, previous, room, body = row
            if number == message_id:
                return seq, room, body
            seq = previous
        return None

    def _numbering(self, session: int) -> Numbering:
        numbering = self._numberings.get(session)
        if numbering is None:
            row = self._open.execute("SELECT last_id, last_seq FROM sessions WHERE id = ?", (session,)).fetchone()
            numbering = self._numberings[session] = Numbering(*row) if row is not None else Numbering()
        return numbering

    def _open_session(self, database: apsw.Connection, opening: Opening) -> None:
        if not opening.resume:
            sessions.begin(database, self._directory, opening, self._time)
        elif sessions.find(database, opening, self._written):
            database.execute("UPDATE sessions SET used = ? WHERE id = ?", (self._time, opening.session))

    # Failure, and start.

    def _fail(self, entries: list[Entry], error: Exception) -> None:
        """Nothing of a transaction counts: each entry may be tried again, and nothing later of a session before it."""
        expected = isinstance(error, apsw.Error | StoreError)
        reason = _reason(error)
        if reason != self._failing:  # said once: clients try again several times a second
            self._failing = reason
            log.error("Nothing can be written (%s). Clients are told to try again.", reason, exc_info=not expected)
        self._rows.clear()
        self._abandon()
        for entry in entries:
            entry.code = Code.TRY_AGAIN
            if isinstance(entry, Draft):
                entry.seq = 0
                entry.repeated = entry.idle = False
                if entry.id:
                    self._numberings.setdefault(entry.session, Numbering()).again(entry.id)
            elif isinstance(entry, GivenUp) and entry.then is None and entry.session in self._numberings:
                # Refused for good, and its sender was told: nothing is stored of that, so nothing has failed.
                self._numberings[entry.session].given_up(entry.id)
        self._let_in([entry for entry in entries if isinstance(entry, Opening) and entry.resume])

    def _let_in(self, openings: list[Opening]) -> None:
        """Let those in who come back: that needs no write, and reading goes on."""
        if not openings:
            return
        with contextlib.suppress(apsw.Error), contextlib.closing(connect(self._path, read_only=True)) as database:
            for opening in openings:
                if sessions.find(database, opening, self._written):
                    opening.code = None

    def _abandon(self) -> None:
        """Let go of a database that can't be trusted, and of all that was derived from it."""
        if self._database is not None:
            try:
                self._database.close(True)
            except apsw.Error as error:
                log.error("The database could not be closed cleanly: %s", _reason(error))
            self._database = None
        self._numberings = {session: numbering for session, numbering in self._numberings.items() if numbering.held}
        for numbering in self._numberings.values():
            numbering.restore(0, 0)  # what it counted last may not have been stored: the file will tell

    def _recover(self) -> list[Entry]:
        """Open the database again and go by what is in it: return events that reached the disk against appearance.

        They are on the disk now, whatever the fsync that failed had left undone: see `open_store`.
        """
        known = self._written
        try:
            self._load()
            if self._written < known:
                raise StoreError(f"{self._path} was replaced by an older one. Start the server anew.")
            # A commit shows that the disk takes writes again, and its fsync covers that the WAL has been emptied.
            self._open.execute("UPDATE epochs SET started = started WHERE epoch = ?", (self.epoch,))
            if not self._open.changes():
                raise StoreError(f"{self._path} was replaced by another one. Start the server anew.")
            for session, numbering in self._numberings.items():
                row = self._open.execute("SELECT last_id, last_seq FROM sessions WHERE id = ?", (session,)).fetchone()
                if row is not None:
                    numbering.restore(*row)
            query = "SELECT seq, kind, room, user, session, id, time, body FROM events WHERE seq > ? ORDER BY seq"
            rows = list(self._open.execute(query, (known,)))
        except BaseException:
            self._written = known  # what more there is has been shown to nobody: the next attempt finds it
            raise
        self._failing = ""
        log.warning("The database can be written again.")
        return [
            Draft(
                seq=seq,
                kind=Kind(kind),
                room=room,
                user=user,
                session=session,
                id=number,
                time=when,
                body=body,
                about=decode_about(Kind(kind), body),
            )
            for seq, kind, room, user, session, number, when, body in rows
        ]

    def _load(self) -> None:
        self._database = open_store(self._path)
        self._facts = DatabaseFacts(self._database)
        self._directory = load_directory(self._open)
        row = self._open.execute("SELECT seq, time FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        self._written, self._time = row if row is not None else (0, 0)

    def _begin_epoch(self) -> None:
        self.epoch = secrets.token_hex(8)
        now = time.time_ns() // 1_000_000
        with self._open as database:
            database.execute("INSERT INTO epochs VALUES (?, ?, ?)", (self.epoch, self._written + 1, now))
            # Forgotten a few at a time: a start must not take long.
            database.execute(
                "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id LIMIT 10000) AND used < ?",
                (now - SESSION_LIFE,),
            )
        self._epochs = list(self._open.execute("SELECT epoch, first_seq FROM epochs ORDER BY rowid"))
        if self._directory.room_id(GENERAL) is None:
            self._write([Draft(kind=Kind.ROOM, room=0, user=0, about=RoomBody(GENERAL, GENERAL))])


def _same(taken: bytes, repeated: bytes) -> bool:
    """Say whether two bodies say the same; their sender may have another name by now."""
    one, other = decode_message(taken), decode_message(repeated)
    return (one.text, one.me, one.reply) == (other.text, other.me, other.reply)


def _reason(error: Exception) -> str:
    if isinstance(error, apsw.FullError):
        return "the disk is full"
    if isinstance(error, apsw.ReadOnlyError):
        return "the file is read-only"
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return f"the file is damaged: {error}; stop the server and put a backup in its place"
    if isinstance(error, apsw.IOError):
        return f"the disk failed: {error}"
    return str(error)
