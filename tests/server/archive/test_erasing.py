"""What is forgotten or erased is read no more from its event on, and soon stands in no file; the rest stays."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.archive import erasing
from server.archive.history import HistoryReader
from server.archive.projections import TABLES, load_directory, rebuild
from server.archive.search_clean import Cleaning
from server.archive.search_query import IndexQuery, Term
from server.archive.search_store import SearchStore
from server.chat.ports import PageQuery
from server.log.writer import Writer
from server.protocol import frames
from server.record.entries import Draft, Entry, Erasing, Opening
from server.record.events import (
    ChangeBody,
    DeleteBody,
    EditBody,
    EraseBody,
    ForgetBody,
    InviteBody,
    Kind,
    MessageBody,
    PinBody,
    ReactBody,
    RoomBody,
    Share,
    encode_body,
)


class Log:
    """A log with people in it, its index, and one who reads."""

    def __init__(self, path: Path) -> None:
        self.path = path / "chat.db"
        self.writer = Writer(self.path)
        self.writer.open()
        self.store = SearchStore(self.path, path / "search.db")
        self.reader = HistoryReader(self.path)
        self.names: dict[int, str] = {}
        self.general = self.writer.directory.general.id

    def do(self, *entries: Entry) -> None:
        """Have the log take these, each of which it must."""
        self.writer.write(list(entries))
        assert [entry.code for entry in entries] == [None] * len(entries)

    def person(self, name: str) -> int:
        """Let someone come in."""
        opening = Opening(name=name, secret=name.encode())
        self.do(opening)
        self.names[opening.user] = name
        return opening.user

    def happen(self, kind: Kind, user: int, about: Any, room: int = 0) -> int:
        """Let something happen, in `general` if not said otherwise; return its seq."""
        body = encode_body(about)
        plain = kind is Kind.MESSAGE and not (about.reply or about.mentions)
        draft = Draft(kind=kind, room=room or self.general, user=user, body=body, about=None if plain else about)
        self.do(draft)
        return draft.seq

    def say(self, user: int, text: str, room: int = 0, **more: Any) -> int:
        """Say something."""
        return self.happen(Kind.MESSAGE, user, MessageBody(self.names[user], text, **more), room)

    def forget(self, upto: int) -> int:
        """Let `general` forget."""
        return self.happen(Kind.FORGET, 0, ForgetBody("chat-server", upto))

    def erase(self, user: int) -> int:
        """Let someone be erased, as they wish."""
        return self.happen(Kind.ERASE, user, EraseBody("", user))

    def empty(self) -> int:
        """Do all that follows: take it out of the index, and empty bodies; return in how many parts."""
        self.store.open()
        while self.store.done < self.writer.written or self.store.leaving:
            self.store.advance(self.writer.written)
        seqs = self.clean() if self.store.removed else []
        parts = 0
        while seqs:
            entry = Erasing(seqs=seqs)
            self.do(entry)
            seqs = entry.left
            parts += 1
        self.writer.empty_wal()
        return parts

    def clean(self) -> list[int]:
        """Leave nothing of what was taken out of the index in its files, and return the events that did it."""
        cleaning = Cleaning(self.store, lambda: None)
        cleaning.run()
        return cleaning.take_place()

    def page(self, floor: int = 0, **bounds: Any) -> list[frames.Message]:
        """Read the latest page of `general`."""
        values = {"limit": 50, "as_of": self.writer.written, **bounds}
        query = PageQuery(room=self.general, name="general", handle=b'"general"', floor=floor, **values)
        return msgspec.json.decode(self.reader.page(query), type=frames.History).messages

    def slice(self, after: int) -> list[dict[str, Any]]:
        """Return what one who comes back is sent."""
        share = Share({self.general: ((0, 1 << 50),)})
        lines, reached = self.reader.events(share, {self.general: b'"general"'}, after, self.writer.written, 1 << 20)
        assert reached == self.writer.written
        return [json.loads(line) for line in lines.splitlines()]

    def find(self, word: str) -> list[int]:
        """Look for a word in the index."""
        query = IndexQuery(rooms=[(self.general, 0)], terms=[Term((word,))], limit=50)
        return self.store.find(query, float("inf")).seqs

    def holds(self, word: str) -> list[str]:
        """Return the files that hold some bytes."""
        return [file.name for file in self.path.parent.iterdir() if word.encode() in file.read_bytes()]

    def tables(self) -> dict[str, list[Any]]:
        """Return all rows of all projections."""
        rows = {table: self.writer.database.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608
        return {table: sorted(found, key=repr) for table, found in rows.items()}

    def close(self) -> None:
        """Close all files."""
        self.store.close()
        self.reader.close()
        self.writer.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """An empty log."""
    log = Log(tmp_path)
    yield log
    log.close()


def see_that_it_rebuilds(log: Log) -> None:
    """All tables are made anew from the log: they are the same, and so is what judges."""
    before, directory = log.tables(), log.writer.directory
    made = rebuild(log.writer.database)
    assert log.tables() == before
    for known in (directory, load_directory(log.writer.database)):
        for name, value in vars(made).items():
            # Rooms that were left leave an empty entry in the one; the other is what it has worked out already.
            if name not in ("_of_user", "free"):
                assert vars(known)[name] == value, name


def test_a_forgotten_stretch_is_gone(log: Log) -> None:
    """It is not found, not sent, not counted; what came after is as it was, but for edits of what is forgotten."""
    alice, bob = log.person("alice"), log.person("bob")
    old = log.say(alice, "a zanzibar secret", mentions=[bob])
    answer = log.say(bob, "the zanzibar answer", reply=old)
    log.happen(Kind.REACT, bob, ReactBody("bob", old, "heart"))
    log.happen(Kind.PIN, bob, PinBody("bob", old))
    edit = log.happen(Kind.EDIT, alice, EditBody("alice", old, "zanzibar said otherwise"))
    topic = log.happen(Kind.CHANGE, bob, ChangeBody("bob", topic="about Africa"))
    last = log.say(alice, "old, too")
    log.forget(last)
    floor = log.writer.directory.general.forgotten
    later = log.say(alice, "what stays")
    assert floor == last
    assert [message.seq for message in log.page(floor)] == [later]
    assert log.page(floor, pinned=True) == log.page(floor, seqs=[old, answer]) == []
    sent = log.slice(0)
    assert edit < topic
    assert [line["seq"] for line in sent] == [topic, later - 1, later], "what is no message is told all the same"
    assert not any("zanzibar" in str(line) for line in sent)
    log.empty()
    assert log.find("zanzibar") == []
    assert log.find("stays") == [later]
    assert log.holds("zanzibar") == []
    see_that_it_rebuilds(log)


def test_a_thread_goes_on_though_its_beginning_is_forgotten(log: Log) -> None:
    """Whoever answers in it makes no message of what is gone."""
    alice = log.person("alice")
    root = log.say(alice, "root")
    first = log.say(alice, "first", reply=root)
    log.forget(root)
    log.empty()
    second = log.say(alice, "second", reply=first)
    thread = log.page(log.writer.directory.general.forgotten, thread=root)
    assert [(message.seq, message.thread) for message in thread] == [(first, root), (second, root)]
    see_that_it_rebuilds(log)


def test_who_is_erased_has_said_nothing(log: Log) -> None:
    """From the event on: their messages are tombstones with no author, their reactions are gone, nothing is found."""
    alice, bob = log.person("alice"), log.person("mallory")
    room = Draft(kind=Kind.ROOM, room=0, user=alice, about=RoomBody("dev", "dev", "private", "joined", "", [alice]))
    log.do(room)
    log.happen(Kind.INVITE, alice, InviteBody("alice", bob, "mallory", "dev"), room.seq)
    root = log.say(alice, "root")
    said = log.say(bob, "a zanzibar secret", mentions=[alice], reply=root)
    taken = log.say(bob, "another one")
    other = log.say(alice, "mine")
    log.happen(Kind.EDIT, bob, EditBody("mallory", said, "zanzibar said otherwise"))
    log.happen(Kind.REACT, bob, ReactBody("mallory", other, "heart"))
    log.happen(Kind.REACT, alice, ReactBody("alice", other, "heart"))
    log.happen(Kind.DELETE, bob, DeleteBody("mallory", taken))
    erased = log.erase(bob)

    def look() -> None:
        by_seq = {message.seq: message for message in log.page()}
        assert by_seq[said].deleted
        assert (by_seq[said].text, by_seq[said].sender, by_seq[said].thread, by_seq[said].rev) == ("", "", root, erased)
        assert (by_seq[taken].deleted, by_seq[taken].sender) == (True, "")
        assert (by_seq[root].text, by_seq[root].replies) == ("root", 1)
        assert by_seq[other].reactions == {"heart": [alice]}
        sent = log.slice(0)
        assert not any(word in str(line) for line in sent for word in ("zanzibar", "mallory"))
        assert erased in [line["seq"] for line in sent if line["type"] == "erased"]

    look()
    log.empty()
    look()
    assert log.find("zanzibar") == []
    assert log.find("mine") == [other]
    # The index has names in hexadecimal.
    assert [log.holds(word) for word in ("zanzibar", "mallory", b"mallory".hex())] == [[], [], []]
    see_that_it_rebuilds(log)


def test_who_is_erased_does_nothing_more(log: Log) -> None:
    """What was on its way comes to nothing; who they were is not known any more."""
    alice, bob = log.person("alice"), log.person("bob")
    said = log.say(bob, "zanzibar")
    log.erase(bob)
    late = Draft(kind=Kind.MESSAGE, room=log.general, user=bob, body=encode_body(MessageBody("bob", "wait")))
    again = Opening(name="", secret=b"bob", resume=True)
    device = Opening(name="bob", secret=b"device", user=bob, once=True)
    kick = Draft(kind=Kind.INVITE, room=log.general, user=alice, about=InviteBody("alice", bob, "bob", "general"))
    log.writer.write([late, again, device, kick])
    # Their messages are gone at once, whether emptied or not: a moderator's DELETE would keep their name.
    delete = Draft(kind=Kind.DELETE, room=log.general, user=0, about=DeleteBody("chat-server", said))
    answer = MessageBody("alice", "what?", reply=said)
    reply = Draft(kind=Kind.MESSAGE, room=log.general, user=alice, body=encode_body(answer), about=answer)
    log.writer.write([delete, reply])
    assert (delete.code, delete.idle, reply.code) == (None, True, "no_such_message")
    assert [entry.code for entry in (late, again, device, kick)] == [
        "erased",
        "no_such_session",
        "no_such_session",
        "no_such_person",
    ]


@pytest.mark.parametrize("what", ["forget", "erase"])
def test_much_is_erased_in_parts(log: Log, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is small; after a restart in the middle, the rest follows."""
    monkeypatch.setattr(erasing, "BODIES", 7)
    monkeypatch.setattr(erasing, "LOOK", 20)
    alice, bob = log.person("alice"), log.person("bob")
    for number in range(40):
        last = log.say(alice, f"zanzibar {number}")
        log.say(bob, f"other {number}")
    seq = log.forget(last) if what == "forget" else log.erase(alice)
    log.store.open()
    while log.store.done < log.writer.written or log.store.leaving:
        log.store.advance(log.writer.written)
    first = Erasing(seqs=log.clean())
    log.do(first)
    assert first.left == [seq]
    log.store.close()
    assert log.empty() > 3
    assert log.holds("zanzibar") == []
    assert bool(log.holds("other 7")) is (what == "erase")
    assert log.writer.database.execute("SELECT count(*) FROM emptying").get == 0
    log.store.close()
    assert log.empty() == 0, "all is done: a restart begins nothing anew"
    see_that_it_rebuilds(log)


def test_the_index_goes_on_taking_out_after_a_restart(log: Log) -> None:
    """What is leaving is remembered; nothing is reported before all of it is out."""
    alice = log.person("alice")
    for _ in range(500):
        last = log.say(alice, "zanzibar")
    seq = log.forget(last)
    log.store.open()
    while log.store.done < log.writer.written:
        log.store.advance(log.writer.written)
    log.store.advance(log.writer.written)
    assert log.store.leaving == [seq]
    assert log.store.removed == []
    log.store.close()
    log.empty()
    assert log.holds("zanzibar") == []


def test_an_index_that_is_made_anew_has_nothing_to_take_out(log: Log) -> None:
    """Of what was erased before: else it would look through all its pages once for each time."""
    alice = log.person("alice")
    for number in range(5):
        log.forget(log.say(alice, f"zanzibar {number}"))
    log.empty()
    log.store.remove()
    log.store.open()
    log.store.advance(log.writer.written)
    assert (log.store.leaving, log.store.removed) == ([], [])
    assert log.find("zanzibar") == []


def talk(dice: random.Random, log: Log, people: list[int], seqs: list[int], number: int) -> None:
    """Let something happen that may be refused, like most of what people do to what is gone."""
    user, target = dice.choice(people), dice.choice(seqs)
    name = log.names[user]
    acts: list[Callable[[], tuple[Kind, Any]]] = [
        lambda: (Kind.MESSAGE, MessageBody(name, f"zanzibar {number}", reply=target, mentions=[dice.choice(people)])),
        lambda: (Kind.MESSAGE, MessageBody(name, f"zanzibar {number}", mentions=[dice.choice(people)], here=True)),
        lambda: (Kind.EDIT, EditBody(name, target, f"zanzibar again {number}", mentions=[dice.choice(people)])),
        lambda: (Kind.DELETE, DeleteBody(name, target)),
        lambda: (Kind.REACT, ReactBody(name, target, dice.choice(["heart", "eyes"]), dice.random() < 0.7)),
        lambda: (Kind.PIN, PinBody(name, target, dice.random() < 0.7)),
    ]
    kind, about = dice.choice(acts)()
    draft = Draft(kind=kind, room=log.general, user=user, body=encode_body(about), about=about)
    log.writer.write([draft])
    if kind is Kind.MESSAGE and draft.seq:
        seqs.append(draft.seq)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_was_said_the_tables_come_from_the_log_alone(log: Log, seed: int) -> None:
    """Talk at random, with stretches forgotten and people erased in between: all is the same when it is replayed."""
    dice = random.Random(seed)
    people = [log.person(f"person{number}") for number in range(5)]
    seqs = [log.say(people[0], "zanzibar")]
    for number in range(150):
        talk(dice, log, people, seqs, number)
        if dice.random() < 0.03:
            log.writer.write(
                [Draft(kind=Kind.FORGET, room=log.general, user=0, about=ForgetBody("", dice.choice(seqs)))]
            )
        if dice.random() < 0.02 and len(people) > 2:
            gone = people.pop(dice.randrange(len(people)))
            log.erase(gone)
        if dice.random() < 0.1:
            log.empty()
    log.forget(log.writer.written)
    log.empty()
    assert log.holds("zanzibar") == []
    see_that_it_rebuilds(log)
