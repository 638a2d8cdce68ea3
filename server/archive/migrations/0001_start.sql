-- The log. One table: all that happens durably and concerns others. Erasing empties a body and leaves its header.
CREATE TABLE events (
    seq     INTEGER PRIMARY KEY,        -- position: only grows, over all rooms
    room    INTEGER NOT NULL,           -- seq of the event that made the room
    user    INTEGER NOT NULL,           -- who; 0 for the server
    session INTEGER NOT NULL,           -- 0 for the server
    id      INTEGER NOT NULL,           -- the client's number within its session; 0 where it gave none
    prev    INTEGER NOT NULL,           -- seq of the session's numbered event before; 0 for the first: the chain by
                                        -- which a repeated id finds its seq, without an index that costs every message
    time    INTEGER NOT NULL,           -- milliseconds since 1970, UTC; never decreases with seq
    kind    INTEGER NOT NULL,           -- server.record.events.Kind; negative where the event lost a race: it has no effect
    body    BLOB NOT NULL               -- JSON; empty once erased
) STRICT;
CREATE INDEX events_of_room ON events (room, seq);

-- Every start of the log: a cursor is good only if its epoch is here.
CREATE TABLE epochs (
    epoch     TEXT PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    started   INTEGER NOT NULL
) STRICT;

-- Projections: dropped and rebuilt from events at any time.
CREATE TABLE rooms (
    id     INTEGER PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    title  TEXT NOT NULL
) STRICT;
CREATE TABLE members (
    room  INTEGER NOT NULL,
    user  INTEGER NOT NULL,
    since INTEGER NOT NULL,             -- seq of the event that made it so
    until INTEGER,                      -- seq of the event that ended it; NULL while it lasts
    PRIMARY KEY (user, room, since)
) STRICT, WITHOUT ROWID;

-- State, not log: tables of last values.
CREATE TABLE users (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL
) STRICT;
CREATE TABLE sessions (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    secret   BLOB NOT NULL UNIQUE,      -- SHA-256
    user     INTEGER NOT NULL,
    last_id  INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    used     INTEGER NOT NULL           -- milliseconds since 1970: when it was last opened or closed
) STRICT;
