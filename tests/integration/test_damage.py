"""A database that is damaged, foreign or out of reach: one clear line, no traceback, and nothing of it is changed."""

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PATIENCE, Server, Wire

PAGE = 4096

Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a server that was ended in order, with 3,000 messages of 20 rooms."""
    data = tmp_path_factory.mktemp("healthy") / "data"
    Server(data).stop()
    database = sqlite3.connect(data / "chat.db")
    body = '{"sender":"alice","text":"%s"}'
    with database:
        for room in range(2, 22):
            handle = f"room{room}"
            made = f'{{"handle":"{handle}","title":"{handle}"}}'.encode()
            database.execute("INSERT INTO events VALUES (?, ?, 0, 0, 0, 0, 1, 1, ?)", (room, room, made))
            database.execute("INSERT INTO rooms (id, handle, title) VALUES (?, ?, ?)", (room, handle, handle))
        database.executemany(
            "INSERT INTO events VALUES (?, ?, 1, 0, 0, 0, 1, 4, ?)",
            [(seq, 1 + seq % 21, (body % f"{seq} {'x' * 200}").encode()) for seq in range(22, 3022)],
        )
        database.execute("UPDATE counted SET seq = 3021")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return data


def text(file: Path) -> None:
    """Something written by hand."""
    file.write_bytes(b"hello\n" * 1000)


def foreign(file: Path) -> None:
    """Another program's database."""
    file.unlink()
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE mine (x)")
    database.close()


def foreign_wal(file: Path) -> None:
    """Another program's, in WAL mode."""
    file.unlink()
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE mine (x)")
    database.close()


def foreign_unfinished(file: Path) -> None:
    """Another program's, that was killed in the middle of a transaction."""
    file.unlink()
    program = (
        "import os, sqlite3, sys; database = sqlite3.connect(sys.argv[1]); database.execute('CREATE TABLE mine (x)');"
        "database.execute('PRAGMA cache_size = 1'); database.execute('BEGIN');"
        "database.executemany('INSERT INTO mine VALUES (?)', [('z' * 3000,)] * 500); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", program, str(file)], check=False)
    assert file.with_name("chat.db-journal").stat().st_size


def newer(file: Path) -> None:
    """Written by a server of the future."""
    database = sqlite3.connect(file)
    database.execute("PRAGMA user_version = 999")
    database.close()


def half(file: Path) -> None:
    """Cut off in the middle."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def stump(file: Path) -> None:
    """Cut off in its first page."""
    file.write_bytes(file.read_bytes()[:1000])


def directory(file: Path) -> None:
    """A directory where the file should be."""
    file.unlink()
    file.mkdir()


def scrambled(first: int, last: int) -> Damage:
    """Random bytes over some pages."""

    def damage(file: Path) -> None:
        data = bytearray(file.read_bytes())
        data[first * PAGE : last * PAGE] = random.Random(first).randbytes((last - first) * PAGE)
        file.write_bytes(data)

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (text, "is not a database. Move it away"),
        (foreign, "belongs to another program. Give another --data."),
        (foreign_wal, "belongs to another program. Give another --data."),
        (foreign_unfinished, "belongs to another program. Give another --data."),
        (newer, "was written by a newer chat-server. Update this one"),
        (half, "Put a backup in its place"),
        (stump, "Put a backup in its place"),
        (directory, "is a directory. Move it away"),
        (scrambled(0, 1), "is not a database. Move it away"),
        (scrambled(1, 4), "Put a backup in its place"),
    ],
)
def test_what_can_not_be_used_is_said_and_left_alone(healthy: Path, tmp_path: Path, damage: Damage, words: str) -> None:
    """Exit code 1, one line that says what to do, and every byte stays as it was."""
    data = shutil.copytree(healthy, tmp_path / "data")
    damage(data / "chat.db")
    before = {file: file.read_bytes() for file in data.glob("chat.db*") if file.is_file()}
    command = [sys.executable, "-m", "server.cli", "--data", str(data), "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"chat-server: {data / 'chat.db'}")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert {file: file.read_bytes() for file in data.glob("chat.db*") if file.is_file()} == before


async def test_damage_in_the_middle_is_met_and_the_rest_goes_on(healthy: Path, tmp_path: Path) -> None:
    """What start-up can't see in time: some pages can't be read, and that is logged; others can, and talk goes on."""
    data = shutil.copytree(healthy, tmp_path / "data")
    pages = (data / "chat.db").stat().st_size // PAGE
    scrambled(pages // 3, pages // 3 + 20)(data / "chat.db")
    server = Server(data)
    try:
        alice = await Wire.connect(server.port, "alice", backlog=0)
        answers = []
        for before in range(3000, 100, -300):
            await alice.say(type="history", room="general", before=before, limit=20, ref=str(before))
            answers.append(await alice.hear("history", "error", ref=str(before)))
        kinds = [answer["type"] for answer in answers]
        assert "history" in kinds
        assert {answer["code"] for answer in answers if answer["type"] == "error"} == {"try_again"}
        await alice.say(type="send", room="general", text="still here", ref="s")
        seq = (await alice.hear("ok", ref="s"))["seq"]
        await alice.close()
    finally:
        code, out, err = server.stop()
    assert (code, err) == (0, "")
    assert "is damaged" in out
    with sqlite3.connect(data / "chat.db") as database:
        stored = database.execute("SELECT body FROM events WHERE seq = ?", (seq,)).fetchone()
    assert b"still here" in stored[0]


async def test_without_its_wal_what_is_left_is_another_history(tmp_path: Path) -> None:
    """The log of a killed server was deleted by hand: who had seen more is told so, and nothing is mixed."""
    server = Server(tmp_path / "data")
    alice = await Wire.connect(server.port, "alice")
    for number in range(20):
        await alice.say(type="send", id=number + 1, room="general", text=f"m{number}", ref=str(number))
    seen = (await alice.hear("ok", ref="19"))["seq"]
    server.stop(9)
    await alice.close()
    (tmp_path / "data" / "chat.db-wal").unlink()
    second = Server(tmp_path / "data")
    try:
        back = await Wire.connect(second.port)
        cursor = {"session": alice.welcome["session"], "epoch": alice.welcome["epoch"], "seq": seen}
        await back.say(type="hello", name="alice", resume=cursor)
        assert (await back.hear("error", "welcome")).get("code") == "diverged"
        await back.close()
    finally:
        assert second.stop()[0] == 0
