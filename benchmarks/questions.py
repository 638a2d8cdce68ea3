"""What is asked of a long history, and what reading every message of it finds."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec
from msgspec import Struct

from benchmarks import past
from benchmarks.figures import say
from benchmarks.past import BEGIN, EVERYWHERE, Language, Past
from server.archive.search_query import parse
from server.archive.words import words

DAY: Final = 24 * 3600 * 1000
"""Milliseconds."""
LIMIT: Final = 20
"""Messages that a search gives which names no number."""

Frame = dict[str, Any]
Draw = Callable[[random.Random], Frame]


class Asked(Struct):
    """A question and its answer."""

    kind: str
    frame: Frame
    seconds: float = 0.0
    answer: Frame = {}

    @property
    def late(self) -> bool:
        """It is a search whose time was up before its limit was met."""
        return self.answer.get("late", False) and len(self.answer["messages"]) < LIMIT


def questions(of: Past) -> dict[str, Draw]:
    """Return what is asked for, by what it is called: each draws another question every time."""
    language = Language(random.Random(past.SEED))
    database = apsw.Connection(str(of.path), flags=apsw.SQLITE_OPEN_READONLY)
    places = random.Random(past.SEED).sample(range(1, of.head), 4000)
    bodies = database.execute(
        "SELECT body FROM events WHERE kind = 4 AND body != x'' AND seq IN (SELECT value FROM json_each(?))",
        (json.dumps(places),),
    )
    texts: list[str] = [json.loads(body)["text"] for (body,) in bodies]
    database.close()
    latin = [found for text in texts if text.isascii() and len(found := words(text)) > 3]
    ideographs = [text for text in texts if not text.isascii() and len(text) > 4]
    rooms = list(of.rooms.values())
    small = rooms[len(rooms) // 2 :]

    def page(dice: random.Random) -> Frame:
        return {"type": "history", "room": dice.choice(rooms), "before": dice.randrange(of.head)}

    def date(dice: random.Random) -> Frame:
        return {"type": "history", "room": dice.choice(rooms), "at": _date(dice.randrange(BEGIN, of.last))}

    def twenty(dice: random.Random) -> Frame:
        return {"rooms": dice.sample(rooms, 20)}

    def one_small(dice: random.Random) -> Frame:
        return {"rooms": [dice.choice(small)]}

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

    def search(text: Callable[[random.Random], str], where: Draw = lambda _dice: {}) -> Draw:
        return lambda dice: {"type": "search", "text": text(dice), **where(dice)}

    def by_someone(dice: random.Random) -> Frame:
        return {"type": "search", "text": word(0, 500)(dice), "sender": f"p{dice.randrange(1, past.PEOPLE)}"}

    def dated(dice: random.Random) -> Frame:
        till = dice.randrange(BEGIN, of.last)
        dates = {"since": _date(till - 30 * DAY), "till": _date(till)}
        return {"type": "search", "text": word(100, 5000)(dice), **dates}

    return {
        "page of history": page,
        "jump to a date": date,
        "common word, 200 rooms": search(common),
        "common word, 20 rooms": search(common, twenty),
        "common word, one small room": search(common, one_small),
        "word, 200 rooms": search(word(100, 5000)),
        "word, 20 rooms": search(word(100, 5000), twenty),
        "word, one small room": search(word(0, 1000), one_small),
        "rare word, 200 rooms": search(word(20_000, 50_000)),
        "phrase, 200 rooms": search(phrase),
        "phrase, 20 rooms": search(phrase, twenty),
        "start of a word, 200 rooms": search(prefix),
        "start of a word, one small room": search(prefix, one_small),
        "ideographs, 200 rooms": search(part),
        "sender and word, 200 rooms": by_someone,
        "word in 30 days, 200 rooms": dated,
        "link, one small room": lambda dice: {"type": "search", "has": ["link"], **one_small(dice)},
    }


def compare(of: Past, log: Path, asked: list[Asked], checks: int) -> list[str]:
    """Return the searches whose answers are not what reading every message finds."""
    compared: list[Asked] = []
    for kind in dict.fromkeys(one.kind for one in asked):
        finished = [one for one in asked if one.kind == kind and one.frame["type"] == "search" and not one.late]
        compared += finished[:checks]
    if not compared:
        return []
    say(f"reading all messages for {len(compared)} of the searches")
    numbers = {name: room for room, name in of.rooms.items()}
    wanted = []
    for one in compared:
        frame = one.frame
        floors = {numbers[name]: of.floors[numbers[name]] for name in frame.get("rooms", of.rooms.values())}
        ends = [
            (" ".join(term.words), "" if term.prefix else " ") for term in parse(frame.get("text", ""), filtered=True)
        ]
        since, till = (_moment(frame[bound]) if bound in frame else None for bound in ("since", "till"))
        wanted.append((frame, floors, [f" {text}{end}" for text, end in ends], since, till, list[int]()))
    database = apsw.Connection(str(log), flags=apsw.SQLITE_OPEN_READONLY)
    rows = database.execute("""
        SELECT e.seq, e.room, e.time, e.body, (SELECT body FROM events WHERE seq = a.edit)
        FROM events AS e LEFT JOIN altered AS a ON a.target = e.seq
        WHERE e.kind = 4 AND e.body != x'' AND NOT ifnull(a.deleted, 0) ORDER BY e.seq DESC
    """)
    decode = msgspec.json.Decoder().decode
    for seq, room, when, body, edit in rows:
        said = decode(body)
        text = decode(edit)["text"] if edit else said["text"]
        line = f" {' '.join(words(text))} "
        left = False
        for frame, floors, parts, since, till, found in wanted:
            if len(found) == LIMIT:
                continue
            left = True
            if (
                seq > floors.get(room, seq)
                and all(part in line for part in parts)
                and frame.get("sender", said["sender"]) == said["sender"]
                and ("has" not in frame or "https://" in text)
                and (since is None or when >= since)
                and (till is None or when < till)
            ):
                found.append(seq)
        if not left:
            break
    database.close()
    return [
        repr(one.frame)
        for one, (*_, found) in zip(compared, wanted, strict=True)
        if found != [message["seq"] for message in one.answer["messages"]]
    ]


def _moment(text: str) -> int:
    return round(1000 * datetime.fromisoformat(text).timestamp())


def _date(when: int) -> str:
    """Return milliseconds since 1970 as the wire has them."""
    return datetime.fromtimestamp(when / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
