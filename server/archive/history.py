"""Pages of a room's messages, read from the log."""

from pathlib import Path

import apsw
import msgspec

from server.archive.database import connect
from server.chat.events import Kind, Spans, covers, message_line
from server.chat.limits import DEFAULTS
from server.chat.ports import PageQuery
from server.protocol.frames import HistoryOut, Ref

_ROWS = """
    SELECT seq, id, user, time, body FROM events
    WHERE room = ? AND seq > ? AND seq < ? AND kind = 4 AND body != x''
    ORDER BY seq %s LIMIT ?
"""  # 4: Kind.MESSAGE
_COUNT = """
    SELECT count(*), min(seq) FROM (
        SELECT seq FROM events WHERE room = ? AND seq > ? AND seq <= ? AND kind = 4 AND body != x'' ORDER BY seq LIMIT ?
    )
"""
LOOK = 20_000
"""Events looked at for one slice: others wait for the same thread."""
_ENVELOPE = 1024
"""Bytes that a page needs beside its messages: the frame's own fields, a handle and a `ref`, all bounded."""

_Row = tuple[int, int, int, int, bytes]


class HistoryReader:
    """Reads what the writer has committed, on a connection of its own. For one thread at a time."""

    def __init__(self, path: Path, page: int = DEFAULTS.page) -> None:
        self._path = path
        self._page = page
        self._database: apsw.Connection | None = None

    def page(self, query: PageQuery) -> bytes:
        """Return the `history` line that answers `query`, cut to a page's bytes; apsw.Error where it can't be read."""
        top = query.as_of + 1
        if query.around is not None:
            half = query.limit // 2
            older, more = self._rows(query, 0, min(query.around + 1, top), half + 1, "DESC", self._page // 2)
            newer, more_after = self._rows(query, query.around, top, query.limit - half, "ASC", self._page // 2)
            return self._line(query, older[::-1] + newer, more, more_after)
        if query.after is not None:
            rows, more_after = self._rows(query, query.after, top, query.limit, "ASC", self._page)
            return self._line(query, rows, self._exists(query, 0, query.after + 1), more_after)
        before = min(query.before, top) if query.before is not None else top
        rows, more = self._rows(query, 0, before, query.limit, "DESC", self._page)
        return self._line(query, rows[::-1], more, before < top and self._exists(query, before - 1, top))

    def events(self, rooms: Spans, handles: dict[int, bytes], after: int, upto: int, size: int) -> tuple[bytes, int]:
        """Return the lines of what lies in (after, upto] in these rooms, and up to which seq they go.

        Args:
            rooms: the spans of the log that are wanted of each room.
            handles: each room's handle as JSON.
            after: a position.
            upto: a later position, committed.
            size: bytes at which the slice ends.
        """
        lines: list[bytes] = []
        length, reached = 0, after
        query = """
            SELECT seq, room, id, user, time, body FROM events
            WHERE seq > ? AND seq <= ? AND kind = ? AND body != x'' ORDER BY seq LIMIT ?
        """
        looked = 0
        rows = self._connection().execute(query, (after, upto, int(Kind.MESSAGE), LOOK))
        for seq, room, number, user, time, body in rows:
            if covers(rooms, room, seq):
                line = message_line(seq, handles[room], number, user, time, body)
                if length + len(line) > size and lines:
                    return b"".join(lines), reached
                lines.append(line)
                length += len(line)
            reached = seq
            looked += 1
        return b"".join(lines), reached if looked == LOOK else upto

    def missed(self, rooms: Spans, after: int, upto: int, most: int) -> tuple[list[int], int]:
        """Return the rooms with more than `most` messages in (after, upto], and up to where the others have none."""
        many, start = [], upto
        for room, spans in rooms.items():
            count = 0
            first = upto + 1
            for since, until in spans:
                bounds = (room, max(after, since), min(upto, until), most + 1 - count)
                found, least = self._connection().execute(_COUNT, bounds).get
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

    def _connection(self) -> apsw.Connection:
        if self._database is None:
            self._database = connect(self._path, read_only=True)
        return self._database

    def _rows(
        self, query: PageQuery, low: int, high: int, limit: int, order: str, size: int
    ) -> tuple[list[bytes], bool]:
        """Return the lines between two exclusive bounds, and whether there are more beyond the limit or the size."""
        lines: list[bytes] = []
        length = _ENVELOPE
        rows = self._connection().execute(_ROWS % order, (query.room, low, high, limit + 1))
        for seq, number, user, time, body in rows:
            line = message_line(seq, query.handle, number, user, time, body)
            length += len(line)
            if len(lines) == limit or (length > size and lines):
                return lines, True
            lines.append(line)
        return lines, False

    def _exists(self, query: PageQuery, low: int, high: int) -> bool:
        rows = self._connection().execute(_ROWS % "DESC", (query.room, low, high, 1))
        return rows.fetchone() is not None

    def _line(self, query: PageQuery, messages: list[bytes], more: bool, more_after: bool) -> bytes:
        ref: Ref | msgspec.UnsetType = msgspec.UNSET if query.ref is None else query.ref
        page = HistoryOut(
            ref=ref,
            room=query.name,
            messages=[msgspec.Raw(line) for line in messages],
            more=more,
            as_of=query.as_of,
            more_after=more_after,
        )
        return msgspec.json.encode(page).replace(b"\n", b"") + b"\n"
