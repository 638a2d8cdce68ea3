"""Search finds what reading every message finds, whatever happened to the messages, and nothing else."""

import contextlib
import random
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from server.archive import search_find, search_store
from server.archive.database import open_store
from server.archive.erasing import erase
from server.archive.search_query import IndexQuery, Term, parse
from server.archive.search_store import SearchStore
from server.archive.times import seq_at
from server.protocol.errors import Code, ProtocolError
from server.record.events import DeleteBody, EditBody, Kind, MessageBody, encode_body

WRITTEN = {
    "plan": ["plan"],
    "Plans": ["plans"],
    "planet": ["planet"],
    "Crème": ["creme"],
    unicodedata.normalize("NFD", "CRÈME"): ["creme"],
    "don't": ["don", "t"],
    "ŁÓDŹ": ["lodz"],
    "Straße": ["strasse"],
    "ещё": ["еще"],
    "कीमत": ["कीमत"],
    "天气很好": ["天", "气", "很", "好"],
    "好天": ["好", "天"],
    "한국어": ["한", "국", "어"],
    "ไทย": ["ไ", "ท", "ย"],
    "r1": ["r1"],  # what the index itself says of a message is no word of it
    "u1": ["u1"],
    "haslink": ["haslink"],
    "AND": ["and"],
    "🎉": [],
    "https://example.com/x": ["https", "example", "com", "x"],
}
"""How something is written, and its words: known beforehand, not by what is tested."""

ROOMS, NAMES = (1, 2, 3, 4, 5), ("ann", "Bob", "j.d")


class Said(Struct):
    """A message, as it is now."""

    room: int
    user: int
    text: list[str]
    deleted: bool = False

    @property
    def words(self) -> list[str]:
        """Its words."""
        return [word for written in self.text for word in WRITTEN[written]]


def holds(found: list[str], term: Term) -> bool:
    """Say whether words stand one after the other in a text."""
    length = len(term.words)
    for start in range(len(found) - length + 1):
        *whole, last = found[start : start + length]
        wanted = term.words[-1]
        if tuple(whole) == term.words[:-1] and (last.startswith(wanted) if term.prefix else last == wanted):
            return True
    return False


class World:
    """A log, what is known of its messages, and its index."""

    def __init__(self, database: apsw.Connection, path: Path) -> None:
        database.execute(
            "DELETE FROM events; DELETE FROM versions; DELETE FROM epochs; INSERT INTO epochs VALUES ('one', 1, 0)"
        )
        self.database = database
        self.messages: dict[int, Said] = {}
        self.store = SearchStore(path, path.with_name("search.db"))
        self.store.remove()
        self.head = 0

    def put(self, kind: Kind, room: int, user: int, body: Any) -> int:
        """Write an event; every third seq is a gap."""
        self.head += 2 if self.head % 3 == 1 else 1
        row = (self.head, room, user, 0, 0, 0, self.head // 4 * 1000, int(kind), encode_body(body))
        self.database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self.head

    def say(self, room: int, user: int, text: list[str]) -> None:
        """Say something."""
        seq = self.put(Kind.MESSAGE, room, user, MessageBody(NAMES[user - 1], " ".join(text)))
        self.messages[seq] = Said(room, user, text)

    def edit(self, number: int, text: list[str]) -> None:
        """Let one of the messages that are left say something else."""
        target, said = self.left(number)
        seq = self.put(Kind.EDIT, said.room, said.user, EditBody(NAMES[said.user - 1], target, " ".join(text)))
        self.database.execute("INSERT INTO versions VALUES (?, ?)", (target, seq))
        said.text = text

    def delete(self, number: int) -> None:
        """Delete one of the messages that are left."""
        target, said = self.left(number)
        self.put(Kind.DELETE, said.room, said.user, DeleteBody("mod", target, NAMES[said.user - 1]))
        said.deleted = True

    def left(self, number: int) -> tuple[int, Said]:
        """Return one of the messages that are not deleted."""
        there = [(seq, said) for seq, said in self.messages.items() if not said.deleted]
        return there[number % len(there)]

    def follow(self, *, erasing: bool) -> None:
        """Index all, and erase what the index is done with, as the log does."""
        self.store.open()
        while self.store.done < self.head:
            self.store.advance(self.head)
            if erasing:
                erase(self.database, self.store.removed)
                self.store.removed.clear()

    def expected(self, query: IndexQuery) -> list[int]:
        """Return what reading every message finds."""
        floors = dict(query.rooms)
        return [
            seq
            for seq, said in sorted(self.messages.items(), reverse=True)
            if not said.deleted
            and said.room in floors
            and seq > floors[said.room]
            and all(holds(said.words, term) for term in query.terms)
            and (
                not (query.users or query.sender)
                or said.user in query.users
                or NAMES[said.user - 1].lower() == query.sender.lower()
            )
            and ("link" not in query.has or "https://example.com/x" in said.text)
            and "file" not in query.has
            and (query.since is None or seq // 4 * 1000 >= query.since)
            and (query.till is None or seq // 4 * 1000 < query.till)
            and (query.before is None or seq < query.before)
        ]

    def all_pages(self, query: IndexQuery, ends: float = float("inf")) -> list[int]:
        """Return what is found, asking again for what is older until nothing is left."""
        seqs: list[int] = []
        while True:
            found = self.store.find(query, ends)
            assert len(found.seqs) <= query.limit
            assert all(newer > older for newer, older in pairwise(found.seqs))
            seqs += found.seqs
            assert bool(found.reached) == found.late
            if not found.late:
                return seqs
            assert query.before is None or found.reached < query.before
            query.before = found.reached


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[apsw.Connection, Path]]:
    """An empty log for all examples: making one takes long."""
    path = tmp_path_factory.mktemp("search") / "chat.db"
    database = open_store(path)
    database.execute("PRAGMA synchronous = OFF")
    yield database, path
    database.close()


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few messages take many batches to index and many steps to look through."""
    monkeypatch.setattr(search_store, "BATCH", 7)
    monkeypatch.setattr(search_find, "FIRST", 3)
    monkeypatch.setattr(search_find, "FEW_ROOMS", 2)
    monkeypatch.setattr(search_find, "ONE_BY_ONE", 2)


TEXTS = st.lists(st.sampled_from(list(WRITTEN)), min_size=1, max_size=5)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(ROOMS), st.integers(1, len(NAMES)), TEXTS),
        st.tuples(st.just("say"), st.sampled_from(ROOMS), st.integers(1, len(NAMES)), TEXTS),
        st.tuples(st.just("edit"), st.integers(0, 50), TEXTS),
        st.tuples(st.just("delete"), st.integers(0, 50)),
        st.tuples(st.just("follow"), st.booleans()),
        st.tuples(st.just("restart")),
    ),
    min_size=5,
    max_size=60,
)
WORDS = sorted({word for found in WRITTEN.values() for word in found})
TERMS = st.builds(
    Term, st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(tuple), st.booleans()
) | st.sampled_from([found for found in WRITTEN.values() if found]).map(lambda found: Term(tuple(found)))
QUERIES = st.builds(
    IndexQuery,
    rooms=st.dictionaries(st.sampled_from(ROOMS), st.just(0) | st.integers(0, 60)).map(
        lambda rooms: list(rooms.items())
    ),
    terms=st.lists(TERMS, max_size=2),
    users=st.lists(st.integers(1, len(NAMES)), max_size=1),
    sender=st.sampled_from(["", "", "", "ANN", "bob", "J.D", "jd", "nobody"]),
    since=st.none() | st.integers(0, 20_000),
    till=st.none() | st.integers(0, 20_000),
    has=st.sampled_from([[], [], [], ["link"], ["file"]]),
    before=st.none() | st.integers(0, 90),
    limit=st.integers(1, 5),
)


@given(acts=ACTS, queries=st.lists(QUERIES, min_size=1, max_size=8))
def test_search_equals_reading_every_message(
    log: tuple[apsw.Connection, Path], acts: list[tuple[Any, ...]], queries: list[IndexQuery]
) -> None:
    """Rooms, floors, people, times, phrases, scripts; edits and deletes, indexed early or late, over restarts."""
    world = World(*log)
    try:
        for act, *arguments in acts:
            if act == "say":
                world.say(*arguments)
            elif act == "edit" and any(not said.deleted for said in world.messages.values()):
                world.edit(*arguments)
            elif act == "delete" and any(not said.deleted for said in world.messages.values()):
                world.delete(*arguments)
            elif act == "follow":
                world.follow(erasing=arguments[0])
            elif act == "restart":
                world.store.close()
        world.follow(erasing=True)
        for query in queries:
            expected = world.expected(query)
            assert world.all_pages(query) == expected
    finally:
        world.store.close()


def test_what_is_typed_finds_what_was_written(log: tuple[apsw.Connection, Path]) -> None:
    """Each way to write something is found by itself, by its words, and in the middle of a sentence."""
    world = World(*log)
    for written in WRITTEN:
        world.say(1, 1, ["plan", written, "planet"])
    world.follow(erasing=True)
    for written, found in WRITTEN.items():
        if found:
            for typed in (written, written.upper(), f'"{written}"', f'"plan {written} pla*"', " ".join(found)):
                query = IndexQuery(rooms=[(1, 0)], terms=parse(typed), limit=50)
                seqs = world.store.find(query, float("inf")).seqs
                assert next(seq for seq, said in world.messages.items() if said.text[1] == written) in seqs, typed
                query = IndexQuery(rooms=[(1, 0)], terms=parse(typed), limit=50)
                assert seqs == world.expected(query)
    world.store.close()


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("release plan", [Term(("release",)), Term(("plan",))]),
        ('"release plan" frida*', [Term(("release", "plan")), Term(("frida",), prefix=True)]),
        ("“release plan” plan plan", [Term(("release", "plan")), Term(("plan",))]),
        ('"never closed', [Term(("never", "closed"))]),
        ("don't 天气", [Term(("don", "t")), Term(("天", "气"))]),
        ("天* a.bc* c++*", [Term(("天",)), Term(("a", "bc"), prefix=True), Term(("c",))]),
        (
            'words:x OR NEAR(y) ^z -"w',
            [Term(("words", "x")), Term(("or",)), Term(("near", "y")), Term(("z",)), Term(("w",))],
        ),
    ],
)
def test_what_is_typed_becomes_terms(typed: str, terms: list[Term]) -> None:
    """Words, phrases, starts of words; the index's own language means nothing."""
    assert parse(typed) == terms


@pytest.mark.parametrize(
    ("typed", "filtered"), [("", False), ("  ", False), ("!?", True), ("* 🎉", True), ("p*", True)]
)
def test_what_can_not_be_searched_for(typed: str, filtered: bool) -> None:
    """No word at all, or a start of nearly any word, is refused with words for people."""
    with pytest.raises(ProtocolError) as refused:
        parse(typed, filtered=filtered)
    assert refused.value.code is Code.BAD_QUERY
    assert parse("", filtered=True) == []


def test_any_typed_text_is_safe(log: tuple[apsw.Connection, Path]) -> None:
    """As long as a line may be, of anything: it is looked for, never understood."""
    world = World(*log)
    world.say(1, 1, ["plan"])
    world.follow(erasing=True)
    dice = random.Random(2)
    looked = 0
    for _ in range(100):
        typed = "x " + "".join(dice.choices("ab\"*():^-+{}'\\;天é \x00 NEAR AND", k=498))
        with contextlib.suppress(ProtocolError):  # the start of a word may be too short
            query = IndexQuery(rooms=[(room, 0) for room in range(1, 250)], terms=parse(typed))
            assert not world.store.find(query, float("inf")).seqs
            looked += 1
    assert looked
    world.store.close()


@given(times=st.lists(st.integers(0, 30), max_size=40).map(sorted), wanted=st.integers(-1, 32))
def test_a_time_is_found_in_the_log(log: tuple[apsw.Connection, Path], times: list[int], wanted: int) -> None:
    """Below the seq that is returned all are earlier, from it on none is; gaps and equal times included."""
    database, _ = log
    database.execute("DELETE FROM events")
    rows = [(1 + number * 3, time) for number, time in enumerate(times)]
    database.executemany("INSERT INTO events VALUES (?, 1, 1, 0, 0, 0, ?, 4, x'')", rows)
    seq = seq_at(database, wanted)
    assert all((at < seq) == (time < wanted) for at, time in rows)


class Clock:
    """Time that passes by being looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the time."""
        self.now += 1
        return self.now


def test_a_late_answer_says_how_far_it_looked(
    log: tuple[apsw.Connection, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the time is up: all from `reached` on was looked at, and asking again below finds the rest."""
    monkeypatch.setattr(search_find, "STEPS", 1)
    world = World(*log)
    for number in range(150):
        world.say(ROOMS[number % 3], 1, ["plan" if number % 5 else "planet"])
    world.follow(erasing=True)
    monkeypatch.setattr(search_find, "time", clock := Clock())
    reached = set()
    for patience in range(1, 20_000, 97):
        query = IndexQuery(rooms=[(1, 0), (3, 40)], terms=[Term(("plan",))], limit=60)
        expected = world.expected(query)
        clock.now = 0
        found = world.store.find(query, patience)
        assert found.seqs == [seq for seq in expected if seq >= found.reached]
        assert found.late == bool(found.reached)
        if found.late:
            query.before = found.reached
            clock.now = -1e9
            assert found.seqs + world.all_pages(query, 0) == expected
        reached.add(found.reached)
    assert len(reached) > 5
    world.store.close()
