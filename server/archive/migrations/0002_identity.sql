-- Which history this is: a client's unsent messages belong to it, not to an address. A copy of the file keeps it.
CREATE TABLE identity (
    id TEXT NOT NULL
) STRICT;
INSERT INTO identity VALUES (lower(hex(randomblob(16))));
