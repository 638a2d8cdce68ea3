-- Projections: who has an account, who may do what, who is kept out, how long messages are kept.
CREATE TABLE accounts (
    user  INTEGER NOT NULL,
    name  TEXT NOT NULL,                -- all that an account was ever called stay its own; the latest is its name
    seq   INTEGER NOT NULL,             -- of the ACCOUNT event
    time  INTEGER NOT NULL,
    PRIMARY KEY (user, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_by_name ON accounts (name COLLATE NOCASE);
CREATE TABLE roles (
    room INTEGER NOT NULL,
    user INTEGER NOT NULL,
    role INTEGER NOT NULL,              -- server.record.rights.Role; only what is not said by having an account or none
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
INSERT INTO roles SELECT id, owner, 6 FROM rooms WHERE owner != 0 AND kind != 'direct';
CREATE TABLE bans (
    room    INTEGER NOT NULL,
    user    INTEGER NOT NULL,
    silence INTEGER NOT NULL,           -- 1: may only read; 0: kept out
    until   INTEGER NOT NULL,           -- milliseconds since 1970; 9007199254740991 for good
    seq     INTEGER NOT NULL,           -- of the event: who did it, when and why
    PRIMARY KEY (room, user, silence)
) STRICT, WITHOUT ROWID;
CREATE TABLE ranges (
    range TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    seq   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE reports (
    seq    INTEGER PRIMARY KEY,         -- of the REPORT event
    target INTEGER NOT NULL             -- the message's; a settled one is no longer here
) STRICT;
CREATE TABLE audit (
    seq  INTEGER PRIMARY KEY,           -- of what moderators and others who may have done
    room INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_of_room ON audit (room, seq);
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,             -- guests, sign_up
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE erased (
    user INTEGER PRIMARY KEY,
    seq  INTEGER NOT NULL               -- of the ERASE event
) STRICT;
ALTER TABLE rooms ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN keep_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN keep_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;     -- messages up to this seq are gone

-- State, not log: FORGET and ERASE events of whose bodies some are not empty yet, and how far that has come.
CREATE TABLE emptying (
    seq     INTEGER PRIMARY KEY,
    room    INTEGER NOT NULL,
    reached INTEGER NOT NULL
) STRICT;
CREATE TABLE credentials (
    user     INTEGER PRIMARY KEY,
    password TEXT NOT NULL,             -- argon2id, as its PHC string; empty for none
    subject  TEXT UNIQUE                -- issuer and subject at the provider; NULL for none
) STRICT;
CREATE TABLE tickets (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    code  BLOB NOT NULL UNIQUE,         -- SHA-256
    uses  INTEGER NOT NULL,             -- how often it is good still
    until INTEGER NOT NULL,             -- milliseconds since 1970
    by    INTEGER NOT NULL,
    owner INTEGER NOT NULL DEFAULT 0    -- 1: the code by which the server's owner is made
) STRICT;
CREATE TABLE blocks (
    user INTEGER NOT NULL,
    who  INTEGER NOT NULL,
    PRIMARY KEY (user, who)
) STRICT, WITHOUT ROWID;
ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';       -- as its client calls it
ALTER TABLE sessions ADD COLUMN made INTEGER NOT NULL DEFAULT 0;       -- milliseconds since 1970
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';      -- where it was used last
ALTER TABLE sessions ADD COLUMN once INTEGER NOT NULL DEFAULT 0;       -- a code for a device: good until then, once; 0 for none
UPDATE sessions SET made = used;
