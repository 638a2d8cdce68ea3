"""What a transaction of many entries leaves is what one transaction for each leaves. Real files."""

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from server.archive.projections import TABLES, rebuild
from server.log.rows import SIZES, Rows, Waiting
from server.log.writer import Writer
from server.record.entries import Closing, Draft, Ending, Entry, GivenUp, Naming, Opening
from server.record.events import InviteBody, Kind, MessageBody, RoomBody, encode_body

ENTRIES = 600


def writer(path: Path) -> Writer:
    """Return an open writer at whose clock it is always the same time."""
    one = Writer(path)
    one.open()
    one.database.execute("UPDATE events SET time = 0")
    one._time = 2**42
    return one


def one_by_one(path: Path, dice: random.Random) -> tuple[Writer, list[Entry], list[Entry]]:
    """Have people come, talk, make rooms and leave, each in a transaction: return what went in, and what came out."""
    log = writer(path)
    asked: list[Entry] = []
    given: list[Entry] = []
    people: list[Opening] = []
    rooms = [1]
    said: dict[int, int] = {}
    invited: Draft | None = None

    def draft(kind: Kind, room: int, who: Opening, about: Any = None, **more: Any) -> Draft:
        return Draft(kind=kind, room=room, user=who.user, session=who.session, about=about, **more)

    for number in range(ENTRIES):
        entry: Entry = Opening(name=f"p{number}", secret=b"%d" % number)
        if people and dice.random() > 0.1:
            who, other, room = dice.choice(people), dice.choice(people[-3:]), dice.choice([1, *rooms[-2:]])
            said[who.session] = last = said.get(who.session, 0) + dice.choice((0, 1, 1, 1, 2))
            body = MessageBody(who.name, f"@{other.name}", mentions=[])
            names = dice.choice(((), (other.name,), ("nobody",)))
            entry = dice.choice(
                [
                    draft(Kind.MESSAGE, room, who, id=last, body=encode_body(body), names=names, about=body)
                    if names
                    else draft(Kind.MESSAGE, room, who, id=last, body=encode_body(body)),
                    draft(Kind.MEMBER, room, who),
                    draft(Kind.MEMBER, room, other),
                    draft(Kind.UNMEMBER, room, who),
                    draft(Kind.ROOM, 0, who, RoomBody(f"r{number % 9}", f"r{number % 9}", members=[who.user])),
                    draft(Kind.INVITE, room, who, InviteBody(who.name, other.user, other.name, "r")),
                    GivenUp(session=who.session, id=last, then=lambda _entry: None),
                    Naming(user=who.user, name=f"q{number}"),
                    Closing(session=who.session),
                    Opening(name=who.name, secret=who.secret, resume=True),
                    Ending(user=who.user, session=who.session),
                ]
            )
        if invited is not None:  # who is invited comes
            entry, invited = Draft(kind=Kind.MEMBER, room=invited.room, user=invited.about.who), None
        asked.append(deepcopy(entry))
        log.process([entry])
        given.append(entry)
        if isinstance(entry, Opening) and not entry.resume and entry.code is None:
            people.append(entry)
        elif isinstance(entry, Ending):
            people = [person for person in people if person.session != entry.session]
        elif isinstance(entry, Draft) and entry.kind is Kind.INVITE and entry.code is None:
            invited = entry
        elif isinstance(entry, Draft) and entry.kind is Kind.ROOM and entry.code is None:
            rooms.append(entry.room)
    return log, asked, given


def dump(log: Writer) -> dict[str, list[Any]]:
    """Return all that the log's file holds, with every counter as it is counted when the file is opened."""
    log._abandon()
    log._load()
    tables = ("events", "users", "sessions", *TABLES)
    query = "SELECT * FROM {}"
    return {table: sorted(log.database.execute(query.format(table)), key=repr) for table in tables}


@pytest.mark.parametrize("seed", range(6))
def test_many_in_one_are_as_one_by_one(tmp_path: Path, seed: int) -> None:
    """Rows wait until the transaction ends or until somebody reads: nobody sees a difference."""
    dice = random.Random(seed)
    alone, asked, given = one_by_one(tmp_path / "alone.db", dice)
    together = writer(tmp_path / "together.db")
    start = 0
    while start < len(asked):
        end = start + dice.randint(1, 80)
        together.process(asked[start:end])
        start = end
    assert [repr(entry) for entry in asked] == [repr(entry) for entry in given]
    kinds = {entry.kind for entry in given if isinstance(entry, Draft) and entry.seq and not entry.repeated}
    assert kinds >= {Kind.MESSAGE, Kind.MEMBER, Kind.UNMEMBER, Kind.ROOM, Kind.INVITE}
    held = dump(together)
    assert held == dump(alone)
    rebuild(together.database)
    assert dump(together) == held
    counted = """
        SELECT s.id FROM sessions AS s
            JOIN (SELECT session, max(id) AS id, max(seq) AS seq FROM events WHERE id GROUP BY session) AS e
            ON e.session = s.id WHERE (s.last_id, s.last_seq) != (e.id, e.seq)
    """
    assert not list(together.database.execute(counted))
    alone.close()
    together.close()


def test_any_number_of_rows_is_inserted(tmp_path: Path) -> None:
    """However many wait, all are there, each once."""
    log = writer(tmp_path / "chat.db")
    for count in (0, 1, SIZES[1], SIZES[0] - 1, SIZES[0], 2 * SIZES[0] + SIZES[1] + 3):
        rows = Rows("users", "id", "name")
        for number in range(count):
            rows.values += (number, f"p{number}")
        rows.insert(log.database)
        assert list(log.database.execute("SELECT id, name FROM users")) == [(n, f"p{n}") for n in range(count)]
        log.database.execute("DELETE FROM users")
    log.close()


def test_an_id_is_never_given_twice(tmp_path: Path) -> None:
    """Not even where the one who had it is gone: what is left of them must not be another's."""
    log = writer(tmp_path / "chat.db")
    waiting = Waiting()
    numbers = [waiting.number(log.database, "users") for _ in range(3)]
    waiting.users.values += (numbers[-1], "gone")
    waiting.insert(log.database)
    log.database.execute("DELETE FROM users")
    assert waiting.number(log.database, "users") == numbers[-1] + 1
    log.close()
