"""Rows that a transaction is to insert, many with one statement.

Between two statements the other threads take turns, and each turn costs as much as a row does.
"""

from typing import Final

import apsw

SIZES: Final = (32, 8, 1)
"""Rows that one statement inserts."""

Value = int | str | bytes | None


class Rows:
    """Rows of one table."""

    def __init__(self, table: str, *columns: str) -> None:
        row = f"({', '.join('?' * len(columns))})"
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608 - our own names
        self._statements = [(size * len(columns), insert + ", ".join([row] * size)) for size in SIZES]
        self.values: list[Value] = []
        """Their columns, row after row."""

    def insert(self, database: apsw.Connection) -> None:
        """Insert them."""
        values, start = self.values, 0
        for size, statement in self._statements:
            while start + size <= len(values):
                database.execute(statement, values[start : start + size])
                start += size
        values.clear()


class Waiting:
    """All that waits to be inserted. It MUST be before anyone reads these tables."""

    def __init__(self) -> None:
        self.events = Rows("events", "seq", "room", "user", "session", "id", "prev", "time", "kind", "body")
        self.users = Rows("users", "id", "name")
        self.sessions = Rows(
            "sessions", "id", "secret", "user", "used", "device", "made", "address", "once"
        )  # fmt: skip
        self.members = Rows("members", "room", "user", "since")
        self._last: dict[str, int] = {}

    def number(self, database: apsw.Connection, table: str) -> int:
        """Return the id of the next row of `users` or `sessions`, one that none ever had."""
        if not self._last:
            self._last = dict.fromkeys(("users", "sessions"), 0)
            self._last.update(database.execute("SELECT name, seq FROM sqlite_sequence"))
        self._last[table] += 1
        return self._last[table]

    def insert(self, database: apsw.Connection) -> None:
        """Insert all of it."""
        for rows in (self.events, self.users, self.sessions, self.members):
            if rows.values:
                rows.insert(database)
        self._last.clear()

    def clear(self) -> None:
        """Forget it: the transaction failed."""
        for rows in (self.events, self.users, self.sessions, self.members):
            rows.values.clear()
        self._last.clear()
