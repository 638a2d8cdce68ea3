"""What is written beside the events: one place knows which entry goes where."""

import apsw

from server.log import accounts, sessions
from server.record.directory import Directory
from server.record.entries import (
    Blocking,
    Checking,
    Closing,
    Crediting,
    Ending,
    Entry,
    Marking,
    Naming,
    Opening,
    Ticketing,
)


def write(database: apsw.Connection, directory: Directory, entry: Entry, now: int, upto: int) -> None:
    """Deal with an entry that is no event, and fill in what has become of it.

    Args:
        database: what is written.
        directory: what judges.
        entry: what came.
        now: as of when, in milliseconds since 1970.
        upto: the seq up to which all has happened.
    """
    match entry:
        case Opening():
            entry.time = now
            sessions.open_session(database, directory, entry, upto)
        case Checking():
            entry.time = now
            entry.code = directory.check(entry)
        case Marking():
            sessions.mark(database, entry)
        case Closing():
            sessions.close(database, entry, now)
        case Ending():
            sessions.end(database, entry)
        case Naming():
            accounts.name(database, directory, entry)
        case Crediting():
            accounts.credit(database, entry)
        case Ticketing():
            accounts.ticket(database, directory, entry, now)
        case Blocking():
            accounts.block(database, entry)
