"""A million messages in 200 rooms: pages, jumps to a date, and searches, each compared with the 100 ms of the goal.

`python3 run.py python benchmarks/history.py`. The database is made once and kept (`--data`).
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec
from msgspec import Struct

from benchmarks.figures import machine, quantile, say, table
from server.archive.database import open_store
from server.archive.projections import rebuild
from server.archive.reader import ThreadedArchive
from server.archive.search import SearchIndex
from server.archive.search_query import parse
from server.archive.search_store import SearchStore
from server.archive.words import words
from server.chat.ports import PageQuery, Reader, SearchQuery
from server.protocol.frames import Found
from server.record.events import DeleteBody, EditBody, Kind, MessageBody, RoomBody, encode_body

SEED: Final = 4
ROOMS: Final = 200
PEOPLE: Final = 2000
GOAL: Final = 100
"""Milliseconds, at the 95th percentile."""
DAY: Final = 24 * 3600 * 1000
BEGIN: Final = 1_700_000_000_000
EVERYWHERE: Final = "the"
"""A word that is in three messages of five."""

_LETTERS: Final = "etaoinshrdlucmfwypvbgkjqxz"
"""The most common first."""

HEADER: Final = ("what", "draws", "p50 ms", "p95 ms", "max ms", "found", "late", f"p95 <= {GOAL}")


decode = msgspec.json.Decoder(Found).decode


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


def make(path: Path, messages: int) -> None:
    """Write a log of so many messages, some of them edited or deleted later."""
    dice = random.Random(SEED)
    language = Language(dice)
    database = open_store(path)
    database.execute("PRAGMA synchronous = OFF")
    with database:
        database.execute("INSERT INTO epochs VALUES ('benchmark', 1, ?)", (BEGIN,))
        database.executemany("INSERT INTO users (name) VALUES (?)", ((f"p{user}",) for user in range(1, PEOPLE + 1)))
        database.executemany("INSERT INTO events VALUES (?, ?, ?, 0, 0, 0, ?, ?, ?)", _events(dice, language, messages))
    rebuild(database)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def _events(dice: random.Random, language: Language, messages: int) -> Iterator[tuple[Any, ...]]:
    now = float(BEGIN)
    for seq in range(1, ROOMS + 1):
        handle = "general" if seq == 1 else f"room{seq}"
        yield seq, seq, 0, BEGIN, int(Kind.ROOM), encode_body(RoomBody(handle, handle))
    sizes = list(accumulate(1 / (rank + 1) ** 1.1 for rank in range(ROOMS)))
    said: list[tuple[int, int, int]] = []
    for seq in range(ROOMS + 1, ROOMS + 1 + messages):
        now += dice.expovariate(1 / 60_000)
        chance = dice.random()
        if chance < 0.003 and said:
            target, room, user = said.pop(dice.randrange(len(said)))
            sender = f"p{user}"
            if chance < 0.001:
                yield seq, room, user, int(now), int(Kind.DELETE), encode_body(DeleteBody(sender, target, sender))
            else:
                said.append((target, room, user))
                yield seq, room, user, int(now), int(Kind.EDIT), encode_body(EditBody(sender, target, language.say()))
            continue
        room = dice.choices(range(1, ROOMS + 1), cum_weights=sizes)[0]
        user = min(PEOPLE, 1 + int(dice.expovariate(1 / 150)))
        if len(said) < 10_000:
            said.append((seq, room, user))
        yield seq, room, user, int(now), int(Kind.MESSAGE), encode_body(MessageBody(f"p{user}", language.say()))


class Log(Struct):
    """What is known of the log that is measured."""

    path: Path
    head: int
    last: int
    """Milliseconds since 1970 of the last event."""
    rooms: list[int]
    """The largest first."""


def look_at(path: Path) -> Log:
    """Return what is known of a log."""
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rows = list(database.execute("SELECT room FROM events WHERE kind = 4 GROUP BY room ORDER BY count(*) DESC"))
    head, last = database.execute("SELECT max(seq), max(time) FROM events").get
    database.close()
    return Log(path, head, last, [room for (room,) in rows])


Draw = Callable[[random.Random], SearchQuery]


def searches(log: Log, language: Language, texts: list[str]) -> dict[str, Draw]:
    """Return what is searched for, by what it is called: each draws another query every time.

    Args:
        log: what is searched.
        language: its words.
        texts: some messages of it.
    """
    small = log.rooms[ROOMS // 2 :]
    latin = [found for text in texts if text.isascii() and len(found := words(text)) > 3]
    ideographs = [text for text in texts if not text.isascii() and len(text) > 4]

    def everywhere(_dice: random.Random) -> Reader:
        return Reader(user=1, rooms=dict.fromkeys(log.rooms, 0))

    def some(dice: random.Random) -> Reader:
        since = (0, 0, dice.randrange(log.head))
        return Reader(user=1, rooms={room: dice.choice(since) for room in dice.sample(log.rooms, 20)})

    def one_small(dice: random.Random) -> Reader:
        return Reader(user=1, rooms={dice.choice(small): 0})

    def common(_dice: random.Random) -> str:
        return EVERYWHERE

    def word(low: int, high: int) -> Callable[[random.Random], str]:
        return lambda dice: language.words[dice.randrange(low, high)]

    def phrase(dice: random.Random) -> str:
        found = dice.choice(latin)
        start = dice.randrange(len(found) - 3)
        return f'"{" ".join(found[start : start + dice.randint(2, 3)])}"'

    def part(dice: random.Random) -> str:
        text = dice.choice(ideographs)
        start = dice.randrange(len(text) - 4)
        return text[start : start + dice.randint(2, 4)]

    def prefix(dice: random.Random) -> str:
        whole = word(0, 5000)(dice)
        return f"{whole[: dice.randint(2, len(whole))]}*"

    def query(reader: Callable[[random.Random], Reader], text: Callable[[random.Random], str]) -> Draw:
        return lambda dice: SearchQuery(reader=reader(dice), text=text(dice))

    def by_someone(dice: random.Random) -> SearchQuery:
        return SearchQuery(reader=everywhere(dice), text=word(0, 500)(dice), sender=f"p{dice.randrange(1, PEOPLE)}")

    def dated(dice: random.Random) -> SearchQuery:
        till = dice.randrange(BEGIN, log.last)
        return SearchQuery(reader=everywhere(dice), text=word(100, 5000)(dice), till=till, since=till - 30 * DAY)

    return {
        "common word, 200 rooms": query(everywhere, common),
        "common word, 20 rooms": query(some, common),
        "common word, one small room": query(one_small, common),
        "word, 200 rooms": query(everywhere, word(100, 5000)),
        "word, 20 rooms": query(some, word(100, 5000)),
        "word, one small room": query(one_small, word(0, 1000)),
        "rare word, 200 rooms": query(everywhere, word(20_000, 50_000)),
        "phrase, 200 rooms": query(everywhere, phrase),
        "phrase, 20 rooms": query(some, phrase),
        "start of a word, 200 rooms": query(everywhere, prefix),
        "start of a word, one small room": query(one_small, prefix),
        "ideographs, 200 rooms": query(everywhere, part),
        "sender and word, 200 rooms": by_someone,
        "word in 30 days, 200 rooms": dated,
        "link, one small room": lambda dice: SearchQuery(reader=one_small(dice), has=["link"]),
    }


async def measure(log: Log, draws: int, checks: int) -> tuple[list[list[str]], list[str]]:
    """Return the lines of the table, and what of the searches was not what a scan of all messages finds."""
    index = SearchIndex(log.path, _index_of(log.path), lambda _seqs: None)
    index.start(log.head)
    archive = ThreadedArchive(log.path, index)
    rows = []
    for name, bound in (("page of history", "before"), ("jump to a date", "at")):
        say(name)
        dice = random.Random(name)
        times = []
        for _ in range(draws):
            room = dice.choice(log.rooms)
            query = PageQuery(room=room, name="general", handle=b'"general"', limit=50, as_of=log.head)
            setattr(query, bound, dice.randrange(log.head) if bound == "before" else dice.randrange(BEGIN, log.last))
            begun = time.perf_counter()
            await archive.page(query)
            times.append(time.perf_counter() - begun)
        rows.append(_row(name, times))
    database = apsw.Connection(str(log.path), flags=apsw.SQLITE_OPEN_READONLY)
    some = database.execute("SELECT body FROM events WHERE kind = 4 AND seq % 997 = 0 AND body != x''")
    texts = [json.loads(body)["text"] for (body,) in some]
    checked: list[tuple[SearchQuery, list[int]]] = []
    for name, draw in searches(log, Language(random.Random(SEED)), texts).items():
        say(name)
        dice = random.Random(name)
        times, late, hits = [], 0, 0
        for number in range(draws):
            wanted = draw(dice)
            begun = time.perf_counter()
            found = decode(await archive.search(wanted))
            times.append(time.perf_counter() - begun)
            hits += bool(found.messages)
            if found.late and len(found.messages) < wanted.limit:
                late += 1
            elif number < checks:
                checked.append((wanted, [message.seq for message in found.messages]))
        rows.append(_row(name, times, hits, late))
    await index.close()
    await archive.close()
    say(f"a scan of all messages for {len(checked)} of the searches")
    wrong = compare(database, checked)
    database.close()
    return rows, wrong


def _row(name: str, times: list[float], hits: int | None = None, late: int | None = None) -> list[str]:
    p50, p95, most = (1000 * quantile(times, share) for share in (0.5, 0.95, 1))
    counts = ["" if count is None else str(count) for count in (hits, late)]
    verdict = "yes" if p95 <= GOAL else "NO"
    return [name, str(len(times)), f"{p50:.1f}", f"{p95:.1f}", f"{most:.1f}", *counts, verdict]


def compare(database: apsw.Connection, asked: list[tuple[SearchQuery, list[int]]]) -> list[str]:
    """Return the queries whose answers are not what reading every message finds."""
    expected: list[list[int]] = [[] for _ in asked]
    wanted = []
    for (query, _), found in zip(asked, expected, strict=True):
        ends = [(" ".join(term.words), "" if term.prefix else " ") for term in parse(query.text, filtered=True)]
        wanted.append((query, query.reader.rooms, [f" {text}{end}" for text, end in ends], found))
    rows = database.execute("""
        SELECT e.seq, e.room, e.time, e.body, (SELECT body FROM events WHERE seq = a.edit)
        FROM events AS e LEFT JOIN altered AS a ON a.target = e.seq
        WHERE e.kind = 4 AND e.body != x'' AND NOT ifnull(a.deleted, 0) ORDER BY e.seq DESC
    """)
    for seq, room, when, body, edit in rows:
        said = json.loads(body)
        text = json.loads(edit)["text"] if edit else said["text"]
        line = f" {' '.join(words(text))} "
        for query, floors, parts, found in wanted:
            if (
                seq > floors.get(room, seq)
                and len(found) < query.limit
                and all(part in line for part in parts)
                and query.sender in ("", said["sender"])
                and (not query.has or "https://" in text)
                and (query.since is None or when >= query.since)
                and (query.till is None or when < query.till)
            ):
                found.append(seq)
    return [repr(query) for (query, found), right in zip(asked, expected, strict=True) if found != right]


def build(log: Log) -> tuple[float, int]:
    """Make the index anew; return the seconds that took, and its bytes."""
    path = _index_of(log.path)
    store = SearchStore(log.path, path)
    store.remove()
    store.open()
    begun = time.perf_counter()
    while store.done < log.head:
        store.advance(log.head)
    seconds = time.perf_counter() - begun
    store.close()
    return seconds, path.stat().st_size


def _index_of(path: Path) -> Path:
    return path.with_name("search.db")


def main() -> None:
    """Make the log and its index where they are missing, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--draws", type=int, default=200, help="of each kind")
    parser.add_argument("--checks", type=int, default=5, help="searches of each kind that are compared with a scan")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / f"chat-history-{os.getuid()}")
    parser.add_argument("--rebuild", action="store_true", help="make the index anew, and say how long that takes")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    path: Path = options.data / str(options.messages) / "chat.db"
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        say(f"writing {options.messages:,} messages to {path}")
        unfinished = path.with_name("unfinished.db")
        unfinished.unlink(missing_ok=True)
        make(unfinished, options.messages)
        unfinished.rename(path)
    log = look_at(path)
    if options.rebuild or not _index_of(path).exists():
        say("making the index")
        seconds, size = build(log)
        print(f"index made in {seconds:.1f} s: {size / 1e6:.0f} MB; the log has {path.stat().st_size / 1e6:.0f} MB")
    rows, wrong = asyncio.run(measure(log, options.draws, options.checks))
    print(table(HEADER, rows, markdown=options.markdown))
    if wrong:
        raise SystemExit("\n".join(["A scan of all messages finds something else:", *wrong]))
    print("What was compared is what a scan of all messages finds.")


if __name__ == "__main__":
    main()
