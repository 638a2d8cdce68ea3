"""The index of messages follows its log, is made anew where it does not fit it, and keeps nothing that was deleted."""

import asyncio
import random
import shutil
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from support import PATIENCE

from server.archive import search
from server.archive.database import open_store
from server.archive.erasing import erase
from server.archive.search import SearchIndex
from server.archive.search_clean import Cleaning, copy_of
from server.archive.search_query import Found, IndexQuery, Term
from server.archive.search_store import SearchStore
from server.record.events import DeleteBody, EditBody, Kind, MessageBody, encode_body


class Log:
    """A log in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = path.with_name("search.db")
        self.database = open_store(path)
        self.database.execute("PRAGMA synchronous = OFF")
        self.head: int = self.database.execute("SELECT ifnull(max(seq), 0) FROM events").get
        self.begin_epoch()
        self.erased: list[int] = []

    def begin_epoch(self) -> None:
        """Do what each start of a server does."""
        count = self.database.execute("SELECT count(*) FROM epochs").get
        name = f"{count}-{random.getrandbits(64):x}"
        self.database.execute("INSERT INTO epochs VALUES (?, ?, 0)", (name, self.head + 1))

    def put(self, kind: Kind, body: Any) -> int:
        """Write an event."""
        self.head += 1
        row = (self.head, 1, 1, 0, 0, 0, self.head, int(kind), encode_body(body))
        self.database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return self.head

    def say(self, *texts: str) -> int:
        """Say something; return the last seq."""
        with self.database:
            for text in texts:
                self.put(Kind.MESSAGE, MessageBody("ann", text))
        return self.head

    def edit(self, target: int, text: str) -> None:
        """Let a message say something else."""
        seq = self.put(Kind.EDIT, EditBody("ann", target, text))
        self.database.execute("INSERT INTO versions VALUES (?, ?)", (target, seq))

    def delete(self, target: int) -> int:
        """Delete a message, and return the seq of that."""
        return self.put(Kind.DELETE, DeleteBody("ann", target, "ann"))

    def follow(self, store: SearchStore) -> list[int]:
        """Index all, clean what was deleted away, and return that."""
        store.open()
        while store.done < self.head:
            store.advance(self.head)
        return clean(store)

    def find(self, store: SearchStore, *words: str) -> list[int]:
        """Return what has these words one after the other."""
        return store.find(IndexQuery(rooms=[(1, 0)], terms=[Term(words)], limit=50), float("inf")).seqs

    def start(self, erased: Callable[[list[int]], None] | None = None) -> SearchIndex:
        """Let a thread follow this log."""
        index = SearchIndex(self.path, self.index, erased or self.erased.extend)
        index.start(self.head)
        return index


def clean(store: SearchStore) -> list[int]:
    """Clean away what was deleted, and return the events that did it."""
    if not store.removed:
        return []
    cleaning = Cleaning(store, lambda: None)
    cleaning.run()
    return cleaning.take_place()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """An empty log."""
    return Log(tmp_path / "chat.db")


async def ask(index: SearchIndex, word: str, **wanted: Any) -> Found:
    """Look for a word."""
    async with asyncio.timeout(PATIENCE):
        return await index.find(IndexQuery(rooms=[(1, 0)], terms=[Term((word,))], **wanted))


async def until_all(index: SearchIndex, word: str) -> list[int]:
    """Ask until all is searched."""
    async with asyncio.timeout(PATIENCE):
        while (found := await ask(index, word)).upto:
            assert found.upto > 0
    return found.seqs


# The thread.


async def test_what_was_just_committed_is_found(log: Log) -> None:
    """Whether the index follows or not: a query sees to what is near first."""
    index = log.start()
    for number in range(50):
        seq = log.say(f"plan number{number}")
        index.advance(log.head)
        found = await ask(index, f"number{number}")
        assert (found.seqs, found.upto) == ([seq], 0)
    await index.close()


async def test_what_is_not_indexed_yet_is_told(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far behind, a query is answered from what there is, and says up to where that goes; then all is found."""
    log.say(*["plan"] * (search.NEAR * 3))
    index = log.start()
    found = await ask(index, "plan")
    assert 0 < found.upto < log.head
    assert all(seq <= found.upto for seq in found.seqs)
    assert await until_all(index, "plan") == list(range(log.head, log.head - 20, -1))
    await index.close()


async def test_many_ask_while_many_write(log: Log) -> None:
    """Every query is answered, and with what was committed before it was asked."""
    index = log.start()
    seqs = []
    for number in range(20):
        seqs.append(log.say(f"w{number}", *["filler"] * 100) - 100)
        index.advance(log.head)
        answers = await asyncio.gather(*(ask(index, f"w{asked}") for asked in range(number + 1)))
        assert [answer.seqs for answer in answers] == [[seq] for seq in seqs]
    await index.close()


async def test_who_asks_a_search_that_has_ended_is_told(log: Log) -> None:
    """What waits when it ends is not left waiting."""
    index = log.start()
    waiting = [asyncio.create_task(ask(index, "plan")) for _ in range(50)]
    await asyncio.sleep(0)
    await index.close()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(answer, Found | OSError) for answer in answers)
    with pytest.raises(OSError, match="ended"):
        await ask(index, "plan")


async def test_a_log_that_can_not_be_read_is_no_end(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """As long as it lasts, who asks is told; then search goes on by itself."""
    log.say("plan")
    away = log.path.with_name("away")
    log.database.close()
    log.path.rename(away)
    index = log.start()
    for _ in range(3):
        with pytest.raises(OSError, match="can't be used"):
            await ask(index, "plan")
    assert len(caplog.records) == 1, "said once"
    away.rename(log.path)
    assert await until_all(index, "plan") == [1]
    await index.close()


async def test_nobody_waits_for_who_has_gone(log: Log) -> None:
    """A query that was cancelled does no harm."""
    log.say("plan")
    index = log.start()
    gone = [asyncio.create_task(ask(index, "plan")) for _ in range(20)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    assert (await ask(index, "plan")).seqs == [1]
    await index.close()


# Deleted messages.


async def until_erased(log: Log, index: SearchIndex, deletes: list[int]) -> None:
    """Wait until the log was told of these, and only these; meanwhile queries are answered."""
    async with asyncio.timeout(PATIENCE):
        while log.erased != deletes:
            await ask(index, "plan")


async def test_the_log_is_told_what_may_be_erased(log: Log) -> None:
    """Each DELETE once; after a restart again, unless the text is erased by now."""
    first, second, third = log.say("one"), log.say("two"), log.say("three")
    deletes = [log.delete(first), log.delete(second)]
    index = log.start()
    await until_erased(log, index, deletes)
    log.say("plan")
    index.advance(log.head)
    deletes.append(log.delete(third))
    index.advance(log.head)
    await until_erased(log, index, deletes)
    await index.close()
    erase(log.database, deletes[:1])
    log.erased.clear()
    index = log.start()
    await until_erased(log, index, deletes[1:])
    await index.close()
    assert log.erased == deletes[1:]


def test_cleaning_can_be_given_up(log: Log) -> None:
    """Then nothing was done, nothing is left of it, and nothing is forgotten."""
    store = SearchStore(log.path, log.index)
    log.say(*letters(random.Random(1), string.ascii_lowercase, 3000))
    deleted = log.delete(5)
    store.open()
    while store.done < log.head:
        store.advance(log.head)
    cleaning = Cleaning(store, lambda: None)
    cleaning.start()
    cleaning.stop()
    assert not cleaning.path.exists()
    assert store.removed == [deleted]
    assert clean(store) == [deleted]
    assert store.removed == []
    store.close()


def test_what_comes_while_it_is_cleaned_is_kept(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said, edited and deleted meanwhile: it is found or not as it should be, and cleaned by the next one."""
    store = SearchStore(log.path, log.index)
    log.say("one", "two", "three", "four")
    deleted = log.delete(1)
    store.open()
    store.advance(log.head)
    copied = Cleaning._copy

    def copy(cleaning: Cleaning) -> None:
        copied(cleaning)
        log.edit(2, "other")
        log.say("five")
        log.delete(3)
        store.advance(log.head)

    monkeypatch.setattr(Cleaning, "_copy", copy)
    assert clean(store) == [deleted]
    monkeypatch.undo()
    found = {word: log.find(store, word) for word in ("one", "two", "other", "three", "four", "five")}
    assert found == {"one": [], "two": [], "other": [2], "three": [], "four": [4], "five": [7]}
    assert store.removed == [8]
    assert clean(store) == [8]
    store.close()


async def test_what_can_not_be_cleaned_is_cleaned_later(
    log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk: people go on searching, the log keeps its texts, and it is said why."""
    monkeypatch.setattr(search, "RETRY", 0.01)
    monkeypatch.setattr(search, "CLEANING_RETRY", 0.01)

    def full(_cleaning: Cleaning) -> None:
        raise apsw.FullError("database or disk is full")

    log.say("plan", "one")
    deleted = log.delete(2)
    with monkeypatch.context() as patch:
        patch.setattr(Cleaning, "_copy", full)
        index = log.start()
        async with asyncio.timeout(PATIENCE):
            while not caplog.records:
                assert (await ask(index, "plan")).seqs == [1]
        assert not log.erased
        assert "full" in caplog.text
    await until_erased(log, index, [deleted])
    await index.close()


async def test_what_a_killed_server_was_cleaning_is_gone(log: Log) -> None:
    """It may hold what was deleted since."""
    log.say("plan")
    copy = copy_of(log.index)
    copy.write_bytes(b"secret")
    index = log.start()
    assert (await ask(index, "plan")).seqs == [1]
    assert not copy.exists()
    await index.close()


def test_after_a_delete_nothing_changes_a_message(log: Log) -> None:
    """An event that came too late for a message finds none."""
    store = SearchStore(log.path, log.index)
    seq = log.say("plan")
    deleted = log.delete(seq)
    log.edit(seq, "plan again")
    log.delete(seq)
    assert log.follow(store) == [deleted]
    assert log.find(store, "plan") == []
    erase(log.database, [deleted])
    log.delete(seq)
    assert log.follow(store) == []
    store.close()


def letters(dice: random.Random, alphabet: str, count: int) -> list[str]:
    """Return different words of twelve letters; with a small alphabet most of their letters are another's, too."""
    words: dict[str, None] = {}  # not a set: its order is another at every run
    while len(words) < count:
        words["".join(dice.choices(string.ascii_lowercase, k=3) + dice.choices(alphabet, k=9))] = None
    return list(words)


def write_and_delete(log: Log, store: SearchStore, dice: random.Random, alphabet: str) -> tuple[list[str], list[str]]:
    """Index messages of one word each, edit and delete some; return the words that are left, and those that are not."""
    words = letters(dice, alphabet, 4400)
    said, edited = words[:4000], words[4000:]
    for start in range(0, len(said), 1000):
        log.say(*(f"{word} plan" for word in said[start : start + 1000]))
        log.follow(store)
    chosen = dice.sample(range(len(said)), 800)
    for place, word in zip(chosen, edited, strict=False):
        log.edit(place + 1, f"{word} plan")
    log.follow(store)
    deletes = [log.delete(place + 1) for place in chosen[::2]]
    assert log.follow(store) == deletes
    left = [word for place, word in enumerate(said) if place not in set(chosen[: len(edited)]) | set(chosen[::2])]
    left += edited[1::2]
    for word in dice.sample(left, 200):
        assert len(log.find(store, word, "plan")) == 1
    return left, [said[place] for place in chosen[::2]] + edited[::2]


@pytest.mark.parametrize("seed", range(3))
def test_deleted_words_are_gone_from_the_disk(log: Log, seed: int) -> None:
    """Neither whole nor in part, in no version of the message, in no file of the index; all else is still found."""
    store = SearchStore(log.path, log.index)
    left, gone = write_and_delete(log, store, random.Random(seed), string.ascii_lowercase)
    files = b"".join(file.read_bytes() for file in log.index.parent.glob("search.db*"))
    assert sum(word[-7:].encode() in files for word in left) > len(left) * 0.9, "this is where words are"
    starts = {word[:7] for word in left}
    for word in gone:
        assert not log.find(store, word)
        assert word[-7:].encode() not in files
        assert word[:7] in starts or word[:7].encode() not in files
    store.close()


@pytest.mark.parametrize("seed", range(3))
def test_no_page_is_found_by_a_deleted_word(log: Log, seed: int) -> None:
    """What FTS5 keeps of a page's first word is the start of a word that is there, and the index is sound."""
    store = SearchStore(log.path, log.index)
    left, _ = write_and_delete(log, store, random.Random(seed), "ab")
    store.close()
    database = apsw.Connection(str(log.index))
    pages = [key[1:] for (key,) in database.execute("SELECT term FROM messages_idx") if len(key) > 1]
    there = [word.encode() for word in (*left, "plan", "r1", "u1", "n" + b"ann".hex())]
    assert len(pages) > 5
    assert all(any(word.startswith(key) for word in there) for key in pages)
    database.execute("INSERT INTO messages (messages, rank) VALUES ('integrity-check', 0)")
    database.close()


# What does not fit is made anew.


def test_a_restart_goes_on_where_it_was(log: Log) -> None:
    """Nothing is indexed twice, and nothing left out, over many starts of the log."""
    store = SearchStore(log.path, log.index)
    for number in range(5):
        log.say(f"plan w{number}")
        store.open()
        assert store.done == number
        log.follow(store)
        store.close()
        log.begin_epoch()
    store.open()
    assert log.find(store, "plan") == [5, 4, 3, 2, 1]
    store.close()


def older_copy(log: Log) -> Log:
    """Lay an older copy of the log in its place, and let it grow past what it was."""
    copy = log.path.with_name("copy")
    log.database.execute("VACUUM INTO ?", (str(copy),))
    log.say("lost", "lost", "lost")
    log.follow(store := SearchStore(log.path, log.index))
    store.close()
    log.database.close()
    copy.replace(log.path)
    return Log(log.path)


def other_log(log: Log) -> Log:
    """Lay another log in its place, of which the index knows the epoch and the seqs."""
    epochs = list(log.database.execute("SELECT * FROM epochs"))
    log.database.close()
    log.path.unlink()
    log = Log(log.path)
    log.say("plan", *["new"] * 400)
    log.database.execute("DELETE FROM epochs")
    log.database.executemany("INSERT INTO epochs VALUES (?, ?, ?)", epochs)
    return log


def other_rules(log: Log) -> Log:
    """Let the index be made by another program, that found other words."""
    database = apsw.Connection(str(log.index))
    database.execute("UPDATE state SET layout = 'older'; INSERT INTO messages (messages) VALUES ('delete-all')")
    database.close()
    return log


def no_database(log: Log) -> Log:
    """Damage the index so that it is no database."""
    log.index.write_bytes(b"no database" * 1000)
    return log


def half(log: Log) -> Log:
    """Cut the index in two."""
    data = log.index.read_bytes()
    log.index.write_bytes(data[: len(data) // 2])
    return log


def scribbled(log: Log) -> Log:
    """Damage the pages of the index that hold words."""
    database = apsw.Connection(str(log.index))
    database.execute("UPDATE messages_data SET block = zeroblob(length(block)) WHERE id > 1000")
    database.close()
    return log


def older_index(log: Log) -> Log:
    """Put an older copy of the index beside a log that has erased a message since."""
    copy = log.index.with_name("older")
    shutil.copy(log.index, copy)
    deleted = log.delete(1)
    log.follow(store := SearchStore(log.path, log.index))
    store.close()
    erase(log.database, [deleted])
    copy.replace(log.index)
    return log


def missing(log: Log) -> Log:
    """Remove it."""
    log.index.unlink()
    return log


@pytest.mark.parametrize(
    "change", [older_copy, other_log, other_rules, no_database, half, scribbled, older_index, missing]
)
async def test_an_index_that_does_not_fit_is_made_anew(
    log: Log, change: Callable[[Log], Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever became of it, or of the log below it: what is found is what is in the log."""
    monkeypatch.setattr(search, "RETRY", 0.01)
    log.say("plan one", *["old old"] * 300)
    log.follow(store := SearchStore(log.path, log.index))
    store.close()
    log = change(log)
    log.say("new", "new", "new", "new")
    rows = log.database.execute("SELECT seq, body FROM events WHERE kind = 4 AND body != x'' ORDER BY seq DESC")
    texts = {seq: str(body) for seq, body in rows}
    index = log.start()
    for word in ("new", "plan", "lost", "one", "old"):
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    seqs = await until_all(index, word)
                except OSError:
                    continue  # it is being made anew
                break
        assert seqs == [seq for seq, text in texts.items() if word in text][:20]
    await index.close()
    database = apsw.Connection(str(log.index))
    for word in ("new", "plan", "lost", "one", "old"):
        rows = database.execute("SELECT rowid FROM messages WHERE messages MATCH ? ORDER BY rowid DESC", (word,))
        assert [seq for (seq,) in rows] == [seq for seq, text in texts.items() if word in text]
    database.close()
