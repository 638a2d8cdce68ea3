"""A long past: a server's data directory with millions of messages, as the server itself would have left it."""

import hashlib
import random
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import apsw
from msgspec import Struct

from benchmarks.figures import say
from server.archive.database import open_store
from server.archive.erasing import erase
from server.archive.projections import rebuild
from server.archive.search_store import SearchStore
from server.record.events import DeleteBody, EditBody, Kind, MessageBody, RoomBody, encode_body

SEED: Final = 4
ROOMS: Final = 200
PEOPLE: Final = 2000
READER: Final = PEOPLE + 1
"""Who reads, in every room. In a third of them since some day only, and nothing from before."""
MEMBERSHIPS: Final = 20
"""Rooms that everyone else is in, besides `general`."""
BEGIN: Final = 1_700_000_000_000
"""Milliseconds since 1970 of the first message."""
TWO_YEARS: Final = 2 * 365 * 24 * 3600 * 1000
"""Milliseconds until the last one."""
EVERYWHERE: Final = "the"
"""A word that is in three messages of five."""

_LETTERS: Final = "etaoinshrdlucmfwypvbgkjqxz"
"""The most common first."""
_BLOCK: Final = 1 << 16
"""Dice that are thrown at once: one by one they take most of the time."""


class Language:
    """Words that are as unequally common as those of a language (Zipf's law), and ideographs."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        lengths = dice.choices(range(2, 12), (4, 8, 12, 14, 13, 11, 9, 7, 5, 3), k=60_000)
        letters = "".join(dice.choices(_LETTERS, range(len(_LETTERS), 0, -1), k=sum(lengths)))
        ends = list(accumulate(lengths))
        made = dict.fromkeys(letters[end - length : end] for end, length in zip(ends, lengths, strict=True))
        made.pop(EVERYWHERE, None)
        self.words = list(made)
        """The most common first."""
        self._stream = self._zipf(self.words)
        self._ideographs = "".join(self._zipf([chr(0x4E00 + number) for number in range(3000)]))

    def say(self) -> str:
        """Return what somebody writes."""
        dice = self._dice
        length = min(40, int(dice.expovariate(1 / 8)) + 1)
        start = dice.randrange(len(self._stream) - 50)
        if dice.random() < 0.05:
            return self._ideographs[start : start + length * 2]
        text = self._stream[start : start + length]
        if dice.random() < 0.6:
            text.insert(dice.randrange(len(text) + 1), EVERYWHERE)
        if dice.random() < 0.02:
            text.append(f"https://example.com/{text[0]}")
        return " ".join(text)

    def _zipf(self, things: list[str]) -> list[str]:
        weights = list(accumulate(1 / (rank + 3) for rank in range(len(things))))
        return self._dice.choices(things, cum_weights=weights, k=1 << 20)


class Past(Struct):
    """What is known of a log."""

    path: Path
    head: int
    last: int
    """Milliseconds since 1970 of the last event."""
    rooms: dict[int, str]
    """Handles by number, the room with the most messages first."""
    floors: dict[int, int]
    """Per room: after which seq the reader may read it."""


def secret(user: int) -> str:
    """Return what somebody of the past comes back with, as the `session` of a `resume`."""
    return f"{user:032x}"


def handle(room: int) -> str:
    """Return a room's handle."""
    return "general" if room == 1 else f"room{room}"


def crowd(dice: random.Random) -> Iterator[int]:
    """Yield rooms without end, those more often that have more messages: the first has a fifth of all."""
    sizes = list(accumulate(1 / (rank + 1) ** 1.1 for rank in range(ROOMS)))
    while True:
        yield from dice.choices(range(1, ROOMS + 1), cum_weights=sizes, k=_BLOCK)


def make(path: Path, messages: int) -> None:
    """Write a log of so many messages, some of them edited or deleted later, and what stands beside it."""
    path.unlink(missing_ok=True)
    dice = random.Random(SEED)
    database = open_store(path)
    database.execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
    database.execute("INSERT INTO epochs VALUES ('benchmark', 1, ?)", (BEGIN,))
    people = range(1, READER + 1)
    now = time.time_ns() // 1_000_000
    sessions = ((hashlib.sha256(secret(user).encode()).digest(), user, now, BEGIN) for user in people)
    index = database.execute("SELECT sql FROM sqlite_schema WHERE name = 'events_of_room'").get
    counted: dict[int, tuple[int, int]] = {}
    with database:
        database.executemany("INSERT INTO users VALUES (?, ?)", ((user, f"p{user}") for user in people))
        database.executemany("INSERT INTO sessions (secret, user, used, made) VALUES (?, ?, ?, ?)", sessions)
        database.execute("DROP INDEX events_of_room")
        rows = _events(dice, Language(dice), messages, counted)
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        ends = ((number, seq, user) for user, (number, seq) in counted.items())
        database.executemany("UPDATE sessions SET last_id = ?, last_seq = ? WHERE id = ?", ends)
        database.execute("UPDATE counted SET seq = (SELECT max(seq) FROM events)")
    database.execute(index)
    rebuild(database)
    with database:
        deletes: list[Any] = database.execute("SELECT deleted FROM altered WHERE deleted").fetchall()
        erase(database, [seq for (seq,) in deletes])
    database.close()


def _events(
    dice: random.Random, language: Language, messages: int, counted: dict[int, tuple[int, int]]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the log; `counted` is filled with the last id and seq of everyone's session."""
    seq = 0
    for room in range(1, ROOMS + 1):
        seq += 1
        made = RoomBody(handle(room), handle(room), before="all" if room % 3 else "joined")
        yield seq, seq, 0, 0, 0, 0, BEGIN, int(Kind.ROOM), encode_body(made)
    late = {}
    rooms = crowd(dice)
    for user in range(1, READER + 1):
        theirs = range(2, ROOMS + 1) if user == READER else {next(rooms) for _ in range(MEMBERSHIPS)} - {1}
        for room in theirs:
            if user == READER and room % 3 == 0:
                late[dice.randrange(messages)] = room
                continue
            seq += 1
            yield seq, room, user, 0, 0, 0, BEGIN, int(Kind.MEMBER), b"{}"
    when, step = float(BEGIN), TWO_YEARS / messages
    people = _people(dice)
    said: list[tuple[int, int, int]] = []
    for count in range(messages):
        seq += 1
        when += step
        if count in late:
            yield seq, late[count], READER, 0, 0, 0, int(when), int(Kind.MEMBER), b"{}"
            continue
        chance = dice.random()
        if chance < 0.003 and said:
            target, room, user = said.pop(dice.randrange(len(said)))
            sender = f"p{user}"
            if chance < 0.001:
                kind, body = Kind.DELETE, encode_body(DeleteBody(sender, target, sender))
            else:
                said.append((target, room, user))
                kind, body = Kind.EDIT, encode_body(EditBody(sender, target, language.say()))
            yield seq, room, user, 0, 0, 0, int(when), int(kind), body
            continue
        room, user = next(rooms), next(people)
        if len(said) < 10_000:
            said.append((seq, room, user))
        number, before = counted.get(user, (0, 0))
        counted[user] = number + 1, seq
        body = encode_body(MessageBody(f"p{user}", language.say()))
        yield seq, room, user, user, number + 1, before, int(when), int(Kind.MESSAGE), body


def _people(dice: random.Random) -> Iterator[int]:
    """Yield who says something, without end: some say much."""
    weights = list(accumulate(2.0 ** (-user / 100) + 0.01 for user in range(PEOPLE)))
    while True:
        yield from dice.choices(range(1, PEOPLE + 1), cum_weights=weights, k=_BLOCK)


def index(log: Path, path: Path) -> float:
    """Make the search index as the server does it; return the seconds that took."""
    database = apsw.Connection(str(log), flags=apsw.SQLITE_OPEN_READONLY)
    head = database.execute("SELECT max(seq) FROM events").get
    database.close()
    store = SearchStore(log, path)
    store.remove()
    store.open()
    begun = time.perf_counter()
    told = 0
    while store.done < head:
        store.advance(head)
        if store.done >= told + 1_000_000:
            told = store.done
            say(f"{told:,} messages indexed after {time.perf_counter() - begun:.0f} s")
    seconds = time.perf_counter() - begun
    store.close()
    return seconds


def look_at(path: Path) -> Past:
    """Return what is known of a log."""
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rooms = dict(database.execute("SELECT id, handle FROM rooms"))
    sizes = database.execute("SELECT room FROM events INDEXED BY events_of_room GROUP BY room ORDER BY count(*) DESC")
    by_size: dict[int, str] = {room: rooms[room] for (room,) in sizes}
    since = dict(
        database.execute(
            "SELECT m.room, m.since FROM members AS m JOIN rooms AS r ON r.id = m.room"
            " WHERE m.user = ? AND r.before != 'all'",
            (READER,),
        )
    )
    head, last = database.execute("SELECT seq, time FROM events ORDER BY seq DESC LIMIT 1").get
    database.close()
    return Past(path, head, last, by_size, {room: since.get(room, 0) for room in by_size})
