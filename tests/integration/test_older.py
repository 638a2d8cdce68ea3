"""A database that an older server has left: opened by this one, with all that is in it."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import apsw
from support import Server, Wire

from server.archive.database import APPLICATION_ID, _scripts

SESSION = "00112233445566778899aabbccddeeff"
"""alice's session."""


def older(path: Path) -> None:
    """Make the database of a server that knew rooms and messages, and nothing else."""
    path.parent.mkdir()
    database = apsw.Connection(str(path))
    for number, script in enumerate(_scripts()[:2], 1):
        database.execute(script)
        database.pragma("user_version", number)
    database.pragma("application_id", APPLICATION_ID)
    database.execute("INSERT INTO epochs VALUES ('0123456789abcdef', 1, 0)")
    database.execute("INSERT INTO users VALUES (1, 'alice'), (2, 'bob')")
    secret = hashlib.sha256(SESSION.encode()).digest()
    database.execute("INSERT INTO sessions VALUES (1, ?, 1, 2, 6, ?)", (secret, time.time_ns() // 1_000_000))
    room, member, message = 1, 2, 4
    events = [
        (1, 1, 0, 0, 0, room, {"handle": "general", "title": "general"}),
        (2, 2, 1, 0, 0, room, {"handle": "dev", "title": "dev"}),
        (3, 2, 1, 1, 0, member, {}),
        (4, 2, 1, 1, 1, message, {"sender": "alice", "text": "old words"}),
        (5, 2, 2, 2, 0, member, {}),
        (6, 2, 1, 1, 2, message, {"sender": "alice", "text": "more old words"}),
    ]
    rows = [
        (
            seq,
            of,
            user,
            session,
            number,
            4 if number == 2 else 0,
            1_700_000_000_000 + seq,
            kind,
            json.dumps(body).encode(),
        )
        for seq, of, user, session, number, kind, body in events
    ]
    database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    database.execute("INSERT INTO rooms VALUES (1, 'general', 'general'), (2, 'dev', 'dev')")
    database.execute("INSERT INTO members VALUES (2, 1, 3, NULL), (2, 2, 5, NULL)")
    database.close()


async def test_an_older_database_goes_on(start_server: Callable[..., Server], tmp_path: Path) -> None:
    """Who was there comes back and is the owner of what they made; what was said can be acted on, and is found."""
    older(tmp_path / "data" / "chat.db")
    server = start_server(data=tmp_path / "data")
    resume = {"session": SESSION, "epoch": "0123456789abcdef", "seq": 4}
    alice = await Wire.connect(server.port, resume=resume, resumes=True)
    assert (alice.welcome["name"], alice.welcome["rooms"]) == ("alice", ["general", "dev"])
    assert (await alice.see("message"))["text"] == "more old words"
    (dev,) = (await alice.ask(type="rooms", rooms=["dev"]))["rooms"]
    assert (dev["owner"], dev["members"], dev["last"], dev.get("count", 0)) == (1, 2, 6, 0)
    for act in (
        {"type": "edit", "seq": 4, "text": "new words"},
        {"type": "react", "seq": 4, "emoji": "tada"},
        {"type": "pin", "seq": 4},
        {"type": "send", "text": "an answer, @bob", "reply": 4, "id": 3},
        {"type": "change", "title": "Development"},
        {"type": "invite", "name": "bob"},
    ):
        assert (await alice.ask(room="dev", **act))["type"] == "ok", act
    messages = (await alice.ask(type="history", room="dev"))["messages"]
    assert [message["text"] for message in messages] == ["new words", "more old words", "an answer, @bob"]
    assert (messages[0]["replies"], messages[0]["reactions"], messages[2]["mentions"]) == (1, {"tada": [1]}, [2])
    found = await alice.ask(type="search", text="old")
    assert [message["seq"] for message in found["messages"]] == [6]
    answer = await alice.ask(type="send", room="dev", text="more old words", id=2)
    assert answer["seq"] == 6, "an id of then is known"
    await alice.close()
