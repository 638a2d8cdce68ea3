"""What a client keeps on disk: real files, and processes that are killed."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from chat_tui.client.box import Box, Boxes, Kept, mark_of
from chat_tui.client.outbox import Outbox


def message(id: int, text: str = "hi", session: str = "s") -> Kept:
    """Return a message that was written."""
    return Kept(id=id, session=session, room="general", text=text)


def test_what_is_put_in_is_there_again(tmp_path: Path) -> None:
    """In the order of the numbers, with all it had; what was dropped is not."""
    box = Box(tmp_path / "b.db")
    box.keep_session("secret")
    sent = [message(number, f"m{number}") for number in (3, 1, 2)]
    sent[0].withdrawn, sent[1].failed, sent[2].me = True, "No.", True
    sent[0].reply = 41
    for one in sent:
        box.put(one)
    box.put(message(4))
    box.drop(4)
    box.keep_draft("general", "half a")
    box.keep_draft("dev", "gone")
    box.keep_draft("dev", "")
    box.close()
    again = Box(tmp_path / "b.db")
    assert again.messages() == sorted(sent, key=lambda one: one.id)
    assert (again.session, again.last, again.drafts.get("general", ""), again.drafts.get("dev", "")) == (
        "secret",
        4,
        "half a",
        "",
    )
    again.close()
    assert (tmp_path / "b.db").stat().st_mode & 0o077 == 0


def test_a_box_from_before_messages_could_answer_others_is_taken_over(tmp_path: Path) -> None:
    """What is in it goes on, as answers to nothing."""
    with closing(sqlite3.connect(tmp_path / "b.db")) as old, old:
        old.execute(
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, session TEXT NOT NULL, room TEXT NOT NULL,"
            " text TEXT NOT NULL, me INTEGER NOT NULL, withdrawn INTEGER NOT NULL, failed TEXT NOT NULL)"
        )
        old.execute("INSERT INTO messages VALUES (1, 's', 'general', 'hi', 0, 0, '')")
    box = Box(tmp_path / "b.db")
    box.put(Kept(id=2, room="general", text="answer", reply=7))
    assert [(one.text, one.reply) for one in box.messages()] == [("hi", 0), ("answer", 7)]
    box.close()


def test_what_is_typed_goes_to_a_log_beside_the_file(tmp_path: Path) -> None:
    """So no key waits for the disk: each is kept. The log is the user's alone, too, and ends with the box."""
    box = Box(tmp_path / "b.db")
    log = tmp_path / "b.db-wal"
    box.keep_draft("general", "half a")
    assert b"half a" in log.read_bytes()
    assert log.stat().st_mode & 0o077 == 0
    box.close()
    assert not log.exists()


def test_of_a_session_that_ended_nothing_stays(tmp_path: Path) -> None:
    """Neither in the file nor in the log beside it."""
    box = Box(tmp_path / "b.db")
    for before, secret in pairwise(["none yet", "the first", "the second", ""]):
        box.keep_session(secret)
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert (before.encode() in kept, secret.encode() in kept) == (False, True)
    box.close()


def test_a_draft_becomes_a_message_at_one_moment(tmp_path: Path) -> None:
    """A message that stands for another, too."""
    box = Box(tmp_path / "b.db")
    box.keep_draft("general", "text")
    box.keep_draft("dev", "other")
    box.put(message(1, "text"), draft="general")
    box.put(message(2), instead=1)
    assert [one.id for one in box.messages()] == [2]
    assert (box.drafts.get("general", ""), box.drafts.get("dev", "")) == ("", "other")
    box.close()


def test_drafts_are_held_without_a_disk_and_go_where_one_goes(tmp_path: Path) -> None:
    """What is being written in a room is there on coming back to it, whatever is kept."""
    outbox = Outbox(lambda _: None)
    outbox.box.keep_draft("dev", "half")
    outbox.box.keep_draft("general", "here")
    kept = Box(tmp_path / "b.db")
    kept.keep_draft("general", "there")
    outbox.belong(kept, take=True)
    assert outbox.box.drafts == {"dev": "half", "general": "there"}
    outbox.post("dev", "half", False, draft="dev")
    assert outbox.box.drafts == {"general": "there"}
    outbox.belong(Box(None), take=True)
    assert outbox.box.drafts == {}  # it stays with its name


def test_one_process_holds_it_and_a_kill_lets_go(tmp_path: Path) -> None:
    """The other is told and keeps nothing; what a killed process had put in is whole."""
    path = tmp_path / "b.db"
    code = (
        "import sys; from pathlib import Path; from chat_tui.client.box import *\n"
        "box = Box(Path(sys.argv[1])); box.put(Kept(id=1, room='general', text='kept'))\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        other = Box(path)
        assert "Another chat-tui" in other.trouble
        other.put(message(2))
        assert other.messages() == []
        holder.kill()
        holder.wait()
    mine = Box(path)
    assert [one.text for one in mine.messages()] == ["kept"]
    mine.close()


def test_a_disk_that_can_not_be_written_is_said_and_stops_nobody(tmp_path: Path) -> None:
    """A file where the folder should be; a file that is no box."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "b.db").write_text("this is no database, and never was one" * 100)
    for path in (tmp_path / "file" / "b.db", tmp_path / "b.db"):
        box = Box(path)
        assert box.trouble.startswith("What is not sent yet can't be kept")
        box.put(message(1))
        assert not box.kept


def test_each_name_on_each_server_has_its_own(tmp_path: Path) -> None:
    """Capitals make no other name; an address remembers its server."""
    boxes = Boxes(tmp_path)
    alice = boxes.open("one", "alice")
    alice.put(message(1))
    assert boxes.open("one", "Alice").trouble
    for server, name in (("one", "bob"), ("two", "alice")):
        other = boxes.open(server, name)
        assert other.messages() == []
        other.close()
    alice.close()
    assert boxes.server_at("h:1") == ""
    boxes.met("h:1", "one")
    assert (boxes.server_at("h:1"), Boxes(tmp_path).server_at("h:1")) == ("one", "one")
    (tmp_path / "servers.json").write_text("[1")
    assert boxes.server_at("h:1") == ""
    assert not Boxes(None).open("one", "alice").kept


def test_a_session_is_kept_and_forgotten(tmp_path: Path) -> None:
    """A guest's, an account's, and one whose secret lies elsewhere: one takes the place of the other."""
    box = Box(tmp_path / "b.db")
    for secret, account, entry in (("g", False, ""), ("a", True, ""), ("", True, "e"), ("", False, "")):
        box.keep_session(secret, account=account, entry=entry)
        assert (box.session, box.account, box.entry) == (secret, account, entry)
    box.close()


def test_a_session_in_the_keyring_moves_with_its_name_and_comes_back(tmp_path: Path) -> None:
    """The one who has the name again is not led to where it went."""
    boxes = Boxes(tmp_path)
    old, new = boxes.open("one", "alice"), boxes.open("one", "al")
    old.keep_session("", account=True, entry="e")
    old.move_to(new)
    assert (new.session, new.account, new.entry) == ("", True, "e")
    new.close()
    led = boxes.open("one", "alice")
    assert led.entry == "e"
    led.close()
    again = Box(tmp_path / old.name)
    again.keep_session("", account=True, entry="another")
    again.close()
    led = boxes.open("one", "alice")
    assert led.entry == "another"
    led.close()


def test_messages_that_bore_their_sessions_secret_bear_its_mark(tmp_path: Path) -> None:
    """Of a box that was made before: they still belong to that session, and to no other."""
    box = Box(tmp_path / "b.db")
    box.keep_session("secret")
    box.put(Kept(id=1, session="secret", room="general", text="mine"))
    box.put(Kept(id=2, session="another", room="general", text="of one before"))
    box.close()
    again = Box(tmp_path / "b.db")
    assert [message.session for message in again.messages()] == [mark_of("secret"), "another"]
    again.close()


@pytest.mark.parametrize("session", ["", "s"])
def test_a_box_moves_with_its_name(tmp_path: Path, session: str) -> None:
    """All of it, and nothing is left behind."""
    boxes = Boxes(tmp_path)
    old, new = boxes.open("one", "alice"), boxes.open("one", "al")
    old.keep_session(session)
    old.put(message(7))
    old.keep_draft("general", "half")
    old.move_to(new)
    assert (new.session, [one.id for one in new.messages()], new.drafts.get("general", "")) == (session, [7], "half")
    left = boxes.open("one", "alice")
    assert (left.messages(), left.session, left.drafts.get("general", "")) == ([], "", "")
    for box in (left, new):
        box.close()
