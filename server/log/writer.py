"""The writer of the log: makes transactions of entries, and after a failure goes by what is in the file.

Obligations: MUST hand every entry back, in order, exactly once. MUST NOT hand one back as taken before its transaction
is on the disk. After a failure MUST open the file anew and go by what is in it, before it takes more.
"""

import contextlib
import logging
import math
import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import apsw

from server.archive.database import BUSY, StoreError, connect, open_store, reason
from server.archive.erasing import erase
from server.archive.projections import DatabaseFacts, load_directory, project
from server.log import accounts, sessions, state
from server.log.rows import Waiting
from server.protocol.errors import Code
from server.record.directory import Directory
from server.record.entries import Closing, Draft, Ending, Entry, Erasing, GivenUp, Opening
from server.record.events import GENERAL, Kind, RoomBody, decode_about, decode_message, encode_body
from server.record.ordering import Numbering, Verdict

CHAIN: Final = 4096
"""How far back a repeated id is looked for, in the session's messages: far more than a client has unanswered."""

WAL_SECONDS: Final = 0.5
"""Seconds until the WAL is emptied of what was erased, and between two tries while someone reads it."""

COUNTED: Final = 10_000
"""Messages after which the sessions' counters are written. Written with each message, they were as many bytes as the
messages are; opening the log counts at most so many anew, some ten milliseconds."""

_MESSAGE: Final = Kind.MESSAGE  # to look up a member of an enum takes as long as a short function

log = logging.getLogger("log")


class Writer:
    """Owns the database, the directory that judges, and the numbering of sessions. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.identity = ""
        """The name of this history."""
        self.epoch = ""
        """The name of this start."""
        self.epochs: list[tuple[str, int]] = []
        """All starts, each with its first seq."""
        self.written = 0
        """The seq up to which all is on the disk."""
        self.directory = Directory()
        """What judges: it may be ahead of the disk by the transaction that is being made."""
        self.empty_at = math.inf
        """By `time.monotonic`: when the WAL is emptied of what was erased; never while it holds nothing of that."""
        self._database: apsw.Connection | None = None
        self._facts: DatabaseFacts
        self._named: dict[str, list[int]] | None = None
        """Who has the names that this transaction's messages mention; None where that has to be looked up."""
        self._numberings: dict[int, Numbering] = {}
        self._uncounted: dict[int, Numbering] = {}
        """Those of them whose counters are not written yet."""
        self._counted = 0
        """The seq up to which all counters are written."""
        self._time = 0
        self._waiting = Waiting()
        self._failing = ""
        """Why nothing could be written; empty while it can."""

    def open(self) -> None:
        """Open the database and begin an epoch; StoreError, apsw.Error or ValueError where it can't be used."""
        self._load()
        self._begin_epoch()
        self.identity = self.database.execute("SELECT id FROM identity").get

    def process(self, entries: list[Entry]) -> list[Entry]:
        """Deal with these entries, and fill in what has become of each. Raises nothing.

        Returns:
            Events that come before them: they had reached the disk when an earlier transaction seemed to fail.
        """
        found: list[Entry] = []
        try:
            if self._database is None:
                found = self._recover()
            self.write(entries)
        except Exception as error:  # also a fault of ours: whatever happens, every entry is handed back
            self._fail(entries, error)
        return found

    def close(self) -> None:
        """Close the file. Raises nothing."""
        if self._database is not None:
            try:
                with self._database:
                    self._count_all()
                # Readers are still there, so closing alone would leave what is new in the -wal file: who copies
                # the database of a server that has ended copies all of it.
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._database.close()
            except apsw.Error as error:
                log.error("The database could not be closed cleanly: %s", reason(error))

    @property
    def database(self) -> apsw.Connection:
        """The database, while it is open."""
        assert self._database is not None, "only an open database is read or written"
        return self._database

    def empty_wal(self) -> None:
        """Leave nothing in the WAL of what was erased, unless someone reads it just now."""
        self.empty_at = math.inf
        if self._database is None:
            return  # opened anew, it has none
        try:
            self._database.set_busy_timeout(0)
            self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            self.empty_at = time.monotonic() + WAL_SECONDS
            log.debug("The WAL is emptied later: %s", error)
        finally:
            self._database.set_busy_timeout(BUSY)

    def write(self, entries: list[Entry]) -> None:
        """Make one transaction of these entries; on return it is on the disk."""
        database = self.database
        self._time = max(self._time, time.time_ns() // 1_000_000)
        if all(isinstance(entry, GivenUp) for entry in entries):
            self._give_up(entries)
            return  # nothing of this is stored
        before = self.written
        closed: list[int] = []
        try:
            database.execute("BEGIN IMMEDIATE")
            self._named = None
            for entry in entries:
                if isinstance(entry, Draft):
                    if entry.names:
                        self._name_mentioned(entry, entries)
                    self._place(entry)
                    continue
                if isinstance(entry, GivenUp):
                    self._give_up([entry])
                elif isinstance(entry, Opening) and sessions.is_new(entry):
                    entry.time = self._time
                    sessions.begin_new(database, self._waiting, self.directory, entry)
                    self._named = None
                elif isinstance(entry, Erasing):
                    self._insert()
                    entry.left = erase(database, entry.seqs)
                    self.empty_at = min(self.empty_at, time.monotonic() + WAL_SECONDS)
                else:
                    self._insert()
                    self._named = None
                    state.write(database, self.directory, entry, self._time, self.written)
                if isinstance(entry, Closing):
                    closed.append(entry.session)
                elif isinstance(entry, Ending):
                    closed += entry.sessions
            self._insert()
            if self.written - self._counted >= COUNTED:
                self._count_all()
            elif closed:
                self._count(closed)
            database.execute("COMMIT")
        except BaseException:
            self.written = before
            raise
        for session in closed:
            self._numberings.pop(session, None)
            self._uncounted.pop(session, None)

    def _count_all(self) -> None:
        self._count(self._uncounted)
        sessions.note_counted(self.database, self.written)
        self._counted = self.written
        self._uncounted.clear()

    def _count(self, which: Iterable[int]) -> None:
        """Write the counters of these sessions, as far as they have moved."""
        moved = [(numbering, session) for session in which if (numbering := self._uncounted.get(session))]
        rows = [(numbering.last_id, numbering.last_seq, session) for numbering, session in moved]
        self.database.executemany("UPDATE sessions SET last_id = ?, last_seq = ? WHERE id = ?", rows)

    def _give_up(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, GivenUp) and (entry.then is not None or entry.session in self._numberings):
                numbering = self._numbering(entry.session)
                numbering.given_up(entry.id)
                if entry.then is not None and (found := self._find(entry.id, numbering)):
                    entry.seq = found[0]

    def _name_mentioned(self, draft: Draft, entries: list[Entry]) -> None:
        """Add those whom a message names and who are not here to its mentions."""
        if self._named is None:
            names = {name for entry in entries if isinstance(entry, Draft) for name in entry.names}
            self._insert()
            self._named = sessions.namesakes(self.database, names)
        sessions.name_mentioned(self.directory, draft, self._named)

    def _place(self, draft: Draft) -> None:
        """Give an event its seq, or a code. What every message goes through: few calls, few look-ups."""
        number = draft.id
        numbering = None
        if number:
            numbering = self._numberings.get(draft.session) or self._numbering(draft.session)
            if number <= numbering.last_id or numbering.held:
                verdict = numbering.judge(number)
                if verdict is Verdict.HELD:
                    numbering.again(number)
                    draft.code = Code.TRY_AGAIN
                    return
                if verdict is Verdict.REPEATED:
                    self._look_up(draft, numbering)
                    return
        draft.time = self._time
        room, user, kind = draft.room, draft.user, draft.kind
        plain = kind is _MESSAGE and draft.about is None
        free = plain and not draft.limited and (room, user) in self.directory.free
        if not free and not self._judge(draft, numbering):
            return
        self.written = draft.seq = seq = self.written + 1
        if not plain:
            if draft.about is not None:
                draft.body = encode_body(draft.about)
            if kind is Kind.ROOM:
                draft.room = seq
            room, user = draft.room, draft.user  # judging may have made them
        previous = 0
        if numbering is not None:
            previous = numbering.last_seq
            numbering.taken(number, seq)
            self._uncounted[draft.session] = numbering
        self._waiting.events.values += (seq, room, user, draft.session, number, previous, self._time, kind, draft.body)
        if plain:
            return
        if kind is Kind.MEMBER and not self.directory.is_invited(draft.room, draft.user):
            self.directory.apply(draft)
            self._waiting.members.values += (draft.room, draft.user, seq)
        else:
            self._insert()
            if kind is Kind.ACCOUNT:
                self._named = None
            accounts.complete(self.database, self.directory, draft)
            self.directory.apply(draft)
            project(self.database, self.directory, draft)

    def _judge(self, draft: Draft, numbering: Numbering | None) -> bool:
        """Say whether an event takes effect; what has become of one that does not is noted on it."""
        if self.directory.looks(draft):
            self._insert()  # what is judged may be about what came just before
        draft.code = accounts.prepare(self.database, self.directory, draft)
        if draft.code is None:
            draft.code = self.directory.judge(draft, self._facts)
            if draft.code is not None:
                accounts.take_back(self.database, draft)
        if draft.idle and draft.code is None:
            return False
        if draft.code is None and draft.limited:
            draft.code = Code.RATE_LIMITED
            if numbering is not None:
                numbering.again(draft.id)
            return False
        if draft.code is not None and numbering is not None:
            numbering.given_up(draft.id)
        return draft.code is None

    def _insert(self) -> None:
        """Insert what waits: MUST come before anything else is read or written."""
        self._waiting.insert(self.database)

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
            row = self.database.execute("SELECT id, prev, room, body FROM events WHERE seq = ?", (seq,)).fetchone()
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
            row = self.database.execute("SELECT last_id, last_seq FROM sessions WHERE id = ?", (session,)).fetchone()
            numbering = self._numberings[session] = Numbering(*row) if row is not None else Numbering()
        return numbering

    # Failure, and start.

    def _fail(self, entries: list[Entry], error: Exception) -> None:
        """Nothing of a transaction counts: each entry may be tried again, and nothing later of a session before it."""
        expected = isinstance(error, apsw.Error | StoreError)
        why = reason(error)
        if why != self._failing:  # said once: clients try again several times a second
            self._failing = why
            log.error("Nothing can be written (%s). Clients are told to try again.", why, exc_info=not expected)
        self._waiting.clear()
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
                opening.time = self._time
                sessions.admit_again(database, self.directory, opening, self.written)

    def _abandon(self) -> None:
        """Let go of a database that can't be trusted, and of all that was derived from it."""
        if self._database is not None:
            try:
                self._database.close(True)
            except apsw.Error as error:
                log.error("The database could not be closed cleanly: %s", reason(error))
            self._database = None
        self._uncounted.clear()
        self._numberings = {session: numbering for session, numbering in self._numberings.items() if numbering.held}
        for numbering in self._numberings.values():
            numbering.restore(0, 0)  # what it counted last may not have been stored: the file will tell

    def _recover(self) -> list[Entry]:
        """Open the database again and go by what is in it: return events that reached the disk against appearance.

        They are on the disk now, whatever the fsync that failed had left undone: see `open_store`.
        """
        known = self.written
        try:
            self._load()
            if self.written < known:
                raise StoreError(f"{self._path} was replaced by an older one. Start the server anew.")
            # A commit shows that the disk takes writes again, and its fsync covers that the WAL has been emptied.
            self.database.execute("UPDATE epochs SET started = started WHERE epoch = ?", (self.epoch,))
            if not self.database.changes():
                raise StoreError(f"{self._path} was replaced by another one. Start the server anew.")
            counted = "SELECT last_id, last_seq FROM sessions WHERE id = ?"
            for session, numbering in self._numberings.items():
                row = self.database.execute(counted, (session,)).fetchone()
                if row is not None:
                    numbering.restore(*row)
            query = "SELECT seq, kind, room, user, session, id, time, body FROM events WHERE seq > ? ORDER BY seq"
            rows = list(self.database.execute(query, (known,)))
        except BaseException:
            self.written = known  # what more there is has been shown to nobody: the next attempt finds it
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
        self._counted = sessions.count_up(self.database)
        self.directory = load_directory(self.database)
        row = self.database.execute("SELECT seq, time FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        self.written, self._time = row if row is not None else (0, 0)

    def _begin_epoch(self) -> None:
        self.epoch = secrets.token_hex(8)
        now = time.time_ns() // 1_000_000
        with self.database as database:
            database.execute("INSERT INTO epochs VALUES (?, ?, ?)", (self.epoch, self.written + 1, now))
            sessions.forget_old(database, now)
        self.epochs = list(self.database.execute("SELECT epoch, first_seq FROM epochs ORDER BY rowid"))
        if self.directory.room_id(GENERAL) is None:
            self.write([Draft(kind=Kind.ROOM, room=0, user=0, about=RoomBody(GENERAL, GENERAL))])


def _same(taken: bytes, repeated: bytes) -> bool:
    """Say whether two bodies say the same; their sender may have another name by now."""
    one, other = decode_message(taken), decode_message(repeated)
    return (one.text, one.me, one.reply) == (other.text, other.me, other.reply)
