"""Pages of messages, and slices for those who are behind, read from the log and what became of its messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import msgspec
from msgspec import UNSET

from server.archive.database import connect
from server.archive.erasing import bare, unnamed, without_author
from server.archive.search_query import Found
from server.archive.times import seq_at
from server.chat.limits import DEFAULTS
from server.chat.ports import PageQuery, SearchQuery
from server.protocol.codec import encode
from server.protocol.frames import FoundOut, HistoryOut, Message, Ref, Version, Versions
from server.record.events import (
    HIDDEN,
    SHOWN,
    Kind,
    Share,
    covers,
    decode_about,
    decode_delete,
    decode_edit,
    decode_message,
    event_line,
    message_line,
    time_text,
)

_COLUMNS = """
    e.seq, e.room, e.kind, e.id, e.user, e.time, e.body, a.rev, a.pinned, a.replies,
    (SELECT body FROM events WHERE seq = a.edit), (SELECT body FROM events WHERE seq = a.deleted), x.seq
"""
_FROM = "FROM events AS e LEFT JOIN altered AS a ON a.target = e.seq LEFT JOIN erased AS x ON x.user = e.user"
_THERE = "(e.body != x'' OR a.deleted OR x.seq)"
_SEEN = f"e.kind = 4 AND {_THERE}"  # 4: Kind.MESSAGE
_ROWS = f"""
    SELECT {_COLUMNS} {_FROM} WHERE e.room = ? AND e.seq > ? AND e.seq < ? AND {_SEEN} %s ORDER BY e.seq %s LIMIT ?
"""
_OF_THREAD = "AND e.seq IN (SELECT seq FROM replies WHERE root = ? UNION ALL SELECT ?)"
_SLICE = f"""
    SELECT {_COLUMNS} {_FROM} WHERE e.seq > ? AND e.seq <= ? AND e.kind >= ? AND e.kind < ? AND {_THERE}
    ORDER BY e.seq LIMIT ?
"""
_ONE = f"SELECT {_COLUMNS} {_FROM} WHERE e.seq = ? AND {_SEEN}"
_COUNT = """
    SELECT count(*), min(seq) FROM (
        SELECT seq FROM events WHERE room = ? AND seq > ? AND seq <= ? AND kind BETWEEN 4 AND 99 ORDER BY seq LIMIT ?
    )
"""  # from SHOWN up to what is HIDDEN
_VERSIONS = """
    SELECT seq, time, body FROM events WHERE seq = :seq
    UNION ALL SELECT e.seq, e.time, e.body FROM versions AS v JOIN events AS e ON e.seq = v.seq
    WHERE v.target = :seq ORDER BY seq
"""
_PINS = """
    SELECT target FROM altered WHERE room = ? AND pinned > 0 AND target > ? AND target < ? ORDER BY target DESC LIMIT ?
"""
_EDITED = """
    SELECT r.before FROM altered AS a JOIN rooms AS r ON r.id = a.room
    WHERE a.target = ? AND a.deleted = 0 AND a.target > r.forgotten
"""
LOOK = 20_000
"""Events looked at for one slice: others wait for the same thread."""
_ENVELOPE = 1024
"""Bytes that a page needs beside its messages: the frame's own fields, a handle and a `ref`, all bounded."""

_Row = tuple[Any, ...]


class HistoryReader:
    """Reads what the writer has committed, on a connection of its own. For one thread at a time."""

    def __init__(self, path: Path, page: int = DEFAULTS.page) -> None:
        self._path = path
        self._page = page
        self._database: apsw.Connection | None = None

    @property
    def database(self) -> apsw.Connection:
        """The connection, read-only."""
        if self._database is None:
            self._database = connect(self._path, read_only=True)
        return self._database

    def page(self, query: PageQuery) -> bytes:
        """Return the `history` line that answers `query`, cut to a page's bytes; apsw.Error where it can't be read."""
        with self._still():
            if query.pinned:
                bounds = (query.room, query.floor, query.as_of + 1, query.limit + 1)
                pins = self.database.execute(_PINS, bounds)
                return self._some(query, [seq for (seq,) in pins])
            if query.seqs is not None:
                return self._some(query, sorted(set(query.seqs), reverse=True))
            return self._stretch(query)

    def versions(self, query: PageQuery) -> bytes:
        """Return the `versions` line of the message `query.around`."""
        with self._still():
            known = self._one(query, query.around or 0)
            there = known is not None and not _is_gone(known)
            rows: list[_Row] = self.database.execute(_VERSIONS, {"seq": query.around}).fetchall() if there else []
        versions, size = [], _ENVELOPE
        for seq, time, body in rows:
            if not body:
                continue
            text = decode_message(body).text if seq == query.around else decode_edit(body).text
            version = Version(seq, time_text(time).decode(), text)
            size += len(msgspec.json.encode(version)) + 1
            if size > self._page:
                break
            versions.append(version)
        ref = UNSET if query.ref is None else query.ref
        return encode(Versions(ref=ref, room=query.name, seq=query.around or 0, versions=versions))

    def found(self, query: SearchQuery, found: Found) -> bytes:
        """Return the `found` line for what the index has found: messages as they stand now, as many as fit a line."""
        messages: list[bytes] = []
        length = _ENVELOPE
        reached, late = found.reached, found.late
        with self._still():
            for seq in found.seqs:
                row = self.database.execute(_ONE, (seq,)).fetchone()
                if row is None or _is_gone(row):  # the index may not know yet
                    continue
                line = self._message(row, msgspec.json.encode(self._handle(row[1])))
                length += len(line)
                if length > self._page and messages:
                    reached, late = seq + 1, True
                    break
                messages.append(line)
            place = "SELECT time FROM events WHERE seq >= ? ORDER BY seq LIMIT 1"
            looked = self.database.execute(place, (reached,)).get if reached else None
        answer = FoundOut(
            ref=UNSET if query.ref is None else query.ref,
            messages=[msgspec.Raw(line) for line in messages],
            reached=reached,
            time=time_text(looked).decode() if looked is not None else "",
            late=late,
            upto=found.upto,
        )
        return msgspec.json.encode(answer).replace(b"\n", b"") + b"\n"

    def events(self, share: Share, handles: dict[int, bytes], after: int, upto: int, size: int) -> tuple[bytes, int]:
        """Return the lines of what lies in (after, upto] of someone's share, and up to which seq they go.

        Args:
            share: what is wanted.
            handles: each room's handle as JSON.
            after: a position.
            upto: a later position, committed.
            size: bytes at which the slice ends.
        """
        lines: list[bytes] = []
        length, reached = 0, after
        looked = 0
        forgotten = self._forgotten()
        for row in self.database.execute(_SLICE, (after, upto, int(SHOWN), int(HIDDEN), LOOK)):
            seq, room = row[:2]
            line = self._event(share, row, handles[room], forgotten) if share.has(room, seq) else b""
            if line:
                if length + len(line) > size and lines:
                    return b"".join(lines), reached
                lines.append(line)
                length += len(line)
            reached = seq
            looked += 1
        return b"".join(lines), reached if looked == LOOK else upto

    def missed(self, share: Share, after: int, upto: int, most: int) -> tuple[list[int], int]:
        """Return the rooms with more than `most` events in (after, upto], and up to where the others have none."""
        many, start = [], upto
        forgotten = self._forgotten()
        for room, spans in share.spans.items():
            count = 0
            first = upto + 1
            for since, until in spans:
                low = max(after, since, share.gaps.get(room, 0), forgotten.get(room, 0))
                bounds = (room, low, min(upto, until), most + 1 - count)
                found, least = self.database.execute(_COUNT, bounds).get
                count += found
                first = min(first, least or first)
            if count > most:
                many.append(room)
            else:
                start = min(start, first - 1)
        return many, start

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Read one state throughout: of the messages, and of what has become of them."""
        with self.database:
            yield

    def _event(self, share: Share, row: _Row, handle: bytes, forgotten: dict[int, int]) -> bytes:
        """Return the line of an event for one who is behind; nothing where it is not sent.

        A message is sent as it was said: what became of it follows in its order, but for what is gone for good.
        """
        seq, room, kind, number, user, time, body = row[:7]
        if kind <= Kind.PIN and seq <= forgotten.get(room, 0):
            return b""
        if kind == Kind.MESSAGE:
            gone = not body or _is_gone(row)
            return self._message(row, handle) if gone else message_line(seq, handle, number, user, time, body)
        if row[-1] is not None:
            if kind in (Kind.EDIT, Kind.REACT) or not body:
                return b""
            body = bare(kind, body)
        if kind == Kind.DELETE and self._is_erased_author(decode_delete(body).target):
            body = without_author(body)
        elif Kind.INVITE <= kind <= Kind.SILENCE and self._is_erased(who := decode_about(Kind(kind), body).who):
            body = unnamed(body, who)
        if kind == Kind.EDIT and not self._edit_shows(share, room, body):
            return b""
        return event_line(kind, seq, handle, user, time, body)

    def _forgotten(self) -> dict[int, int]:
        """Return the rooms of which something is forgotten, each with the seq up to which."""
        rows: list[Any] = self.database.execute("SELECT id, forgotten FROM rooms WHERE forgotten").fetchall()
        return dict(rows)

    def _edit_shows(self, share: Share, room: int, body: bytes) -> bool:
        """Say whether an edit is sent: not of a message that is gone, nor of one that they may not read."""
        target = decode_edit(body).target
        before = self.database.execute(_EDITED, (target,)).get
        return before == "all" or (before is not None and covers(share.spans, room, target))

    def _is_erased(self, user: int) -> bool:
        return self.database.execute("SELECT 1 FROM erased WHERE user = ?", (user,)).fetchone() is not None

    def _is_erased_author(self, seq: int) -> bool:
        return self._is_erased(self.database.execute("SELECT user FROM events WHERE seq = ?", (seq,)).get)

    def _stretch(self, query: PageQuery) -> bytes:
        """Return messages that follow each other."""
        floor, top = query.floor, query.as_of + 1
        around = query.around
        if query.at is not None:
            first = seq_at(self.database, query.at)
            found = self._rows(query, first - 1, top, 1, "ASC", self._page)[2]
            around = found[0] if found else query.as_of
        if around is not None:
            half = query.limit // 2
            older, more, _ = self._rows(query, floor, min(around + 1, top), half + 1, "DESC", self._page // 2)
            newer, more_after, _ = self._rows(query, around, top, query.limit - half, "ASC", self._page // 2)
            return self._line(query, older[::-1] + newer, more, more_after)
        if query.after is not None:
            rows, more_after, _ = self._rows(query, query.after, top, query.limit, "ASC", self._page)
            return self._line(query, rows, self._exists(query, floor, query.after + 1), more_after)
        before = min(query.before, top) if query.before is not None else top
        rows, more, _ = self._rows(query, floor, before, query.limit, "DESC", self._page)
        return self._line(query, rows[::-1], more, before < top and self._exists(query, before - 1, top))

    def _some(self, query: PageQuery, seqs: list[int]) -> bytes:
        """Return these messages, given from the latest down, as far as they may be read and fit a page."""
        lines: list[bytes] = []
        length = _ENVELOPE
        more = False
        for seq in seqs:
            row = self._one(query, seq)
            if row is not None:
                line = self._message(row, query.handle)
                length += len(line)
                more = len(lines) == query.limit or (length > self._page and bool(lines))
                if more:
                    break
                lines.append(line)
        return self._line(query, lines[::-1], more, more_after=False)

    def _one(self, query: PageQuery, seq: int) -> _Row | None:
        """Return a message of this room that may be read."""
        row = self.database.execute(_ONE, (seq,)).fetchone()
        readable = row is not None and row[1] == query.room and query.floor < seq <= query.as_of
        return row if readable else None

    def _rows(
        self, query: PageQuery, low: int, high: int, limit: int, order: str, size: int
    ) -> tuple[list[bytes], bool, list[int]]:
        """Return the lines between two exclusive bounds, whether there are more beyond limit or size, and the seqs."""
        lines: list[bytes] = []
        seqs: list[int] = []
        length = _ENVELOPE
        thread = (query.thread, query.thread) if query.thread is not None else ()
        sql = _ROWS % (_OF_THREAD if thread else "", order)
        for row in self.database.execute(sql, (query.room, max(low, query.floor), high, *thread, limit + 1)):
            line = self._message(row, query.handle)
            length += len(line)
            if len(lines) == limit or (length > size and lines):
                return lines, True, seqs
            lines.append(line)
            seqs.append(row[0])
        return lines, False, seqs

    def _exists(self, query: PageQuery, low: int, high: int) -> bool:
        thread = (query.thread, query.thread) if query.thread is not None else ()
        sql = _ROWS % (_OF_THREAD if thread else "", "DESC")
        bounds = (query.room, max(low, query.floor), high, *thread, 1)
        return self.database.execute(sql, bounds).fetchone() is not None

    def _message(self, row: _Row, handle: bytes) -> bytes:
        """Return a message as it stands now."""
        seq, _, _, number, user, time, body, rev, pinned, replies, edit, deleted, erased = row
        if rev is None and erased is None:  # nearly all: as they were said
            return message_line(seq, handle, number, user, time, body)
        frame = Message(
            seq=seq,
            room=msgspec.json.decode(handle),
            id=number or UNSET,
            user=user,
            sender="",
            time=time_text(time).decode(),
            text="",
            rev=max(rev or 0, erased or 0),
            replies=replies or 0,
        )
        if erased is not None or deleted:
            frame.deleted = True
            if deleted:
                gone = decode_delete(deleted)
                frame.sender, frame.thread = "" if erased is not None else gone.author, gone.thread
            elif body:
                frame.thread = decode_message(body).thread
            return encode(frame)
        said = decode_message(body)
        now = decode_edit(edit) if edit else said
        frame.sender, frame.text, frame.me, frame.reply, frame.thread = (
            said.sender,
            now.text,
            said.me,
            said.reply,
            said.thread,
        )
        frame.mentions, frame.here, frame.edited, frame.pinned = now.mentions, now.here, bool(edit), bool(pinned)
        query = """
            SELECT emoji, user FROM reactions WHERE target = ? AND user NOT IN (SELECT user FROM erased) ORDER BY seq
        """
        for emoji, by in self.database.execute(query, (seq,)):
            frame.reactions.setdefault(emoji, []).append(by)
        return encode(frame)

    def _handle(self, room: int) -> str:
        handle: str = self.database.execute("SELECT handle FROM rooms WHERE id = ?", (room,)).get
        return handle

    def _line(self, query: PageQuery, messages: list[bytes], more: bool, more_after: bool) -> bytes:
        ref: Ref | msgspec.UnsetType = UNSET if query.ref is None else query.ref
        page = HistoryOut(
            ref=ref,
            room=query.name,
            messages=[msgspec.Raw(line) for line in messages],
            more=more,
            as_of=query.as_of,
            more_after=more_after,
        )
        return msgspec.json.encode(page).replace(b"\n", b"") + b"\n"


def _is_gone(row: _Row) -> bool:
    """Say whether a message was deleted, or who said it is erased: its text is of no use then, empty or not yet."""
    return row[-2] is not None or row[-1] is not None
