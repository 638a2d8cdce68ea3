-- Rooms are more than a name.
ALTER TABLE rooms ADD COLUMN kind TEXT NOT NULL DEFAULT 'public';      -- public, private, direct
ALTER TABLE rooms ADD COLUMN before TEXT NOT NULL DEFAULT 'all';       -- what members may read of the time before them
ALTER TABLE rooms ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE rooms ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
UPDATE rooms SET owner = ifnull((SELECT user FROM events WHERE seq = rooms.id), 0);
CREATE INDEX members_of_room ON members (room, user) WHERE until IS NULL;
CREATE TABLE invitations (
    user INTEGER NOT NULL,
    room INTEGER NOT NULL,
    by   INTEGER NOT NULL,              -- who invited
    name TEXT NOT NULL,                 -- how they were called then
    PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;

-- What is unread, or missed, is counted from the index alone.
DROP INDEX events_of_room;
CREATE INDEX events_of_room ON events (room, seq, kind, user);

-- What has become of messages since they were said: only of those of which something has.
CREATE TABLE altered (
    target  INTEGER PRIMARY KEY,        -- the message's seq
    room    INTEGER NOT NULL,
    rev     INTEGER NOT NULL,           -- seq of the last event that changed any of this
    edit    INTEGER NOT NULL DEFAULT 0, -- seq of the EDIT whose text it has now
    deleted INTEGER NOT NULL DEFAULT 0, -- seq of the DELETE
    pinned  INTEGER NOT NULL DEFAULT 0, -- seq of the PIN
    replies INTEGER NOT NULL DEFAULT 0  -- messages in the thread that grew out of it
) STRICT;
CREATE INDEX pins ON altered (room, target) WHERE pinned > 0;
CREATE TABLE versions (
    target INTEGER NOT NULL,
    seq    INTEGER NOT NULL,            -- of the EDIT
    PRIMARY KEY (target, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE replies (
    root INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (root, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE reactions (
    target INTEGER NOT NULL,
    emoji  TEXT NOT NULL,
    user   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (target, emoji, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE mentions (
    user INTEGER NOT NULL,              -- 0: everyone in the room
    room INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (user, room, seq)
) STRICT, WITHOUT ROWID;

-- State, not log: what someone has read, and wants to be told of.
CREATE TABLE marks (
    user      INTEGER NOT NULL,
    room      INTEGER NOT NULL,
    read      INTEGER NOT NULL,
    unread    INTEGER NOT NULL,         -- marked as unread from here on; 0 for no
    level     TEXT NOT NULL,            -- all, mentions, none
    favourite INTEGER NOT NULL,
    muted     INTEGER NOT NULL,
    PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_name ON users (name COLLATE NOCASE);
CREATE INDEX sessions_of_user ON sessions (user);
