-- Up to which seq the counters of `sessions` are written. Those of later messages are found in the log when it is opened.
CREATE TABLE counted (
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO counted SELECT ifnull(max(seq), 0) FROM events;
