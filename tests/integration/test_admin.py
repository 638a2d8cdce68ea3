"""`chat-server user ban bob` and the like: the same on a server that runs and on one that does not."""

import asyncio
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import PATIENCE, Server, Wire

from server.admin import shell
from server.admin.acts import Told
from server.data import Listening

PASSWORD = "four words of a password"  # noqa: S105 - of people who are not

Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """The shell has what it writes be its user's alone; other tests are in this process, too."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's data directory in which alice and bob have accounts, and have said something."""
    server = Server(tmp_path_factory.mktemp("populated") / "data", "--limits", "off")
    asyncio.run(_populate(server))
    server.stop()
    return server.data


@pytest.fixture
def data(populated: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(populated, tmp_path / "data")


async def _populate(server: Server) -> None:
    for name in ("alice", "bob"):
        wire = await Wire.connect(server.port, name, tls=True)
        await wire.ask(type="register", password=PASSWORD)
        await wire.ask(type="send", room="general", text=f"zanzibar of {name}")
        await wire.close()


@pytest.fixture(params=["running", "stopped"])
def run(request: pytest.FixtureRequest, data: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command on a server that runs, or on one that does not, and return what it tells."""
    server = Server(data) if request.param == "running" else None

    def run(*words: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        shell.main([*words, "--data", str(data), "--json"])
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield run
    if server is not None:
        code, _, err = server.stop()
        assert (code, err) == (0, "")


def test_people(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """Roles, bans, silences, sessions, passwords, export and erasure; and the audit has all of it."""
    assert [row["name"] for row in run("user", "list")] == ["alice", "bob"]
    run("user", "role", "alice", "admin")
    assert [row["role"] for row in run("user", "list")] == ["admin", "member"]
    run("user", "ban", "bob", "--minutes", "5", "--reason", "spam")
    run("user", "silence", "bob")
    found = run("ban", "list")
    assert {(row["kind"], row["name"], row["reason"], row["by"]) for row in found} == {
        ("ban", "bob", "spam", "chat-server"),
        ("silence", "bob", "", "chat-server"),
    }
    run("user", "unban", "bob")
    run("user", "unsilence", "bob")
    assert run("ban", "list") == []
    assert len(run("user", "devices", "bob")) == 1
    run("user", "end", "bob")
    assert run("user", "devices", "bob") == []
    monkeypatch.setattr(sys, "stdin", io.StringIO("another password\n"))
    run("user", "password", "bob", "--stdin")
    out = tmp_path / "bob.jsonl"
    run("user", "export", "bob", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["text"] for line in lines if line["kind"] == "message"] == ["zanzibar of bob"]
    (bob,) = run("user", "show", "bob")
    assert (bob["account"], bob["role"], bob["online"]) == (True, "member", False)
    run("user", "erase", "bob", "--yes")
    assert [row["name"] for row in run("user", "list")] == ["alice"]
    done = [(row["what"], row["on"]) for row in run("audit")]
    assert done == [
        ("erased", True),
        ("silenced", False),
        ("banned", False),
        ("silenced", True),
        ("banned", True),
        ("appointed", True),
    ]
    assert all(row["by"] == "chat-server" for row in run("audit"))


def test_the_server(run: Run) -> None:
    """Rooms, settings, invitations, addresses, the owner's code."""
    (room,) = run("room", "list")
    assert (room["room"], room["slow"], room["read_only"]) == ("general", 0, False)
    run(
        "room",
        "change",
        "general",
        "--topic",
        "hello there",
        "--slow",
        "5",
        "--read-only",
        "on",
        "--keep-days",
        "30",
        "--yes",
    )
    (room,) = run("room", "show", "general")
    kept = (room["topic"], room["slow"], room["read_only"], room["keep_days"])
    assert kept == ("hello there", 5, True, 30)
    (known,) = run("set", "guests=off", "sign-up=invite", "keep-count=1000", "--yes")
    assert known == {"guests": "off", "sign-up": "invite", "keep-days": 30, "keep-count": 1000}
    assert run("set") == [known]
    (ticket,) = run("invite", "new", "--uses", "3", "--address", "chat.example.org")
    assert ticket["line"].startswith("chat-tui join chat://chat.example.org:")
    assert [(row["id"], row["uses"], row["by"]) for row in run("invite", "list")] == [(ticket["id"], 3, "chat-server")]
    run("invite", "revoke", str(ticket["id"]))
    assert run("invite", "list") == []
    run("ban", "add", "203.0.113.0/24", "2001:db8::/32", "--minutes", "60")
    assert {row["range"] for row in run("ban", "list")} == {"203.0.113.0/24", "2001:db8::/32"}
    run("ban", "remove", "203.0.113.0/24", "2001:db8::/32")
    assert run("ban", "list") == []
    (first,), (second,) = run("owner"), run("owner")
    assert first["code"] != second["code"]
    assert run("reports") == []


def test_what_can_not_be_done_is_said_on_one_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 1, and 2 for wrong words."""
    for words in (
        ["user", "ban", "nobody-of-this-name"],
        ["room", "show", "nowhere"],
        ["room", "change", "general"],
        ["invite", "revoke", "999"],
        ["user", "kick", "bob"],
        ["ban", "remove", "203.0.113.0/24"],
    ):
        with pytest.raises(SystemExit) as ended:
            run(*words)
        assert str(ended.value.code).startswith("chat-server: ")
        assert "\n" not in str(ended.value.code)
    for words in (
        ["user"],
        ["user", "unheard"],
        ["room", "change", "general", "--slow", "-1"],
        ["set", "guests=often"],
        ["set", "guest=on"],
    ):
        with pytest.raises(SystemExit) as ended:
            run(*words)
        assert ended.value.code == 2
    capsys.readouterr()


def test_where_no_server_was_nothing_is_made(tmp_path: Path) -> None:
    """A directory that was mistyped stays what it was."""
    with pytest.raises(SystemExit, match="no server's data"):
        shell.main(["user", "list", "--data", str(tmp_path / "nothing")])
    assert not (tmp_path / "nothing").exists()


async def test_it_takes_effect_at_once(data: Path) -> None:
    """Who is put out of a running server is out, and told by whom."""
    server = await asyncio.to_thread(Server, data, "--limits", "off")
    alice = await Wire.connect(server.port, "alice", tls=True, password=PASSWORD)
    guest = await Wire.connect(server.port, "guest")
    await asyncio.to_thread(shell.main, ["user", "kick", "guest", "--reason", "spam", "--data", str(data)])
    told = (await guest.rest())[-1]
    assert told["code"] == "kicked"
    assert "chat-server" in told["message"]
    assert "spam" in told["message"]
    await asyncio.to_thread(shell.main, ["user", "end", "alice", "--data", str(data)])
    assert (await alice.rest())[-1]["code"] == "session_ended"
    for wire in (alice, guest):
        await wire.close()
    assert (await asyncio.to_thread(server.stop))[0] == 0


def test_what_is_erased_on_a_stopped_server_is_gone_when_the_command_ends(data: Path) -> None:
    """From every file."""
    shell.main(["user", "erase", "bob", "--yes", "--data", str(data)])
    shell.main(["room", "change", "general", "--keep-count", "1", "--yes", "--data", str(data)])
    files = {file.name: file.read_bytes() for file in data.iterdir()}
    assert [name for name, held in files.items() if b"zanzibar of bob" in held] == []
    assert [name for name, held in files.items() if b'"bob"' in held] == []


def test_two_at_once_do_what_they_are_told(data: Path) -> None:
    """One has the directory; the other waits for it."""
    threads = [
        threading.Thread(target=shell.main, args=(["user", "role", name, "moderator", "--data", str(data)],))
        for name in ("alice", "bob")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    wire = subprocess.run(
        [sys.executable, "-m", "server.cli", "user", "list", "--data", str(data)], capture_output=True, text=True
    )
    assert (wire.returncode, wire.stderr) == (0, "")
    head, *rows = [line.split() for line in wire.stdout.splitlines()]
    assert head == ["user", "name", "role", "since", "seen"]
    assert [row[1:3] for row in rows] == [["alice", "moderator"], ["bob", "moderator"]]


def test_another_server_gets_no_token(data: Path, tmp_path: Path) -> None:
    """What listens where the server did, but has another key, is told nothing."""
    server, other = Server(data), Server(tmp_path / "other")
    here = msgspec.json.decode((data / "listening.json").read_bytes(), type=Listening)
    here.port = other.port
    (data / "listening.json").write_bytes(msgspec.json.encode(here))
    with pytest.raises(SystemExit) as ended:
        shell.main(["user", "list", "--data", str(data)])
    assert "Nothing was sent" in str(ended.value.code)
    for each in (server, other):
        assert each.stop()[0] == 0


def test_who_erases_somebody_is_asked(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anything but the name changes nothing."""
    for typed in ("", "yes\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit):
            shell.main(["user", "erase", "bob", "--data", str(data)])
    monkeypatch.setattr(sys, "stdin", io.StringIO("bob\n"))
    shell.main(["user", "erase", "bob", "--data", str(data)])
    assert capsys.readouterr().out == "bob is erased.\n"


@pytest.mark.parametrize("words", [["set", "keep-days=30"], ["room", "change", "general", "--keep-days", "30"]])
def test_who_has_messages_erased_is_asked(
    words: list[str], data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which are; without an answer all stays as it was. Nothing is asked where none are."""
    for typed in ("", "y\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit):
            shell.main([*words, "--data", str(data)])
        assert "All messages but those of the last 30 days in" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    shell.main([*words, "--data", str(data)])
    shell.main(["room", "show", "general", "--json", "--data", str(data)])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["keep_days"] == 30
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    shell.main(["set", "keep-days=0", "--data", str(data)])


def test_who_invites_is_told_what_stands_in_the_way(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sign-up that is closed, and a server that only this machine reaches; the line is made all the same."""
    server = Server(data)
    server.stop()
    shell.main(["set", "sign-up=closed", "--data", str(data)])
    capsys.readouterr()
    shell.main(["invite", "new", "--json", "--data", str(data)])
    said = capsys.readouterr()
    assert f"chat://127.0.0.1:{server.port}/" in json.loads(said.out)["line"]
    assert "Sign-up is closed" in said.err
    assert "Only this machine" in said.err
    shell.main(["set", "sign-up=invite", "--data", str(data)])
    capsys.readouterr()
    shell.main(["invite", "new", "--address", "chat.example.org", "--data", str(data)])
    assert capsys.readouterr().err == ""


def test_a_stopped_server_is_where_it_was(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An invitation leads where it listened last; also where it was killed, and after other commands."""
    server = Server(data, "--host", "0.0.0.0")
    shell.main(["user", "list", "--data", str(data)])
    server.stop(signal.SIGKILL)
    shell.main(["user", "list", "--data", str(data)])
    capsys.readouterr()
    for address, host in (("", ""), ("chat.example.org", "chat.example.org"), ("chat.example.org:1", "")):
        shell.main(["invite", "new", "--json", "--address", address, "--data", str(data)])
        said = capsys.readouterr()
        assert f"{host}:{'1' if address.endswith(':1') else server.port}/" in json.loads(said.out)["line"]
        assert "127.0.0.1" not in said.out
        assert said.err == ""


async def test_a_stopped_server_knows_until_when_people_were_here(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who is connected when it ends was here till then, not only when they came."""
    server = await asyncio.to_thread(Server, data, "--limits", "off")
    alice = await Wire.connect(server.port, "alice", tls=True, password=PASSWORD)
    await asyncio.to_thread(shell.main, ["user", "show", "alice", "--json", "--data", str(data)])
    assert json.loads(capsys.readouterr().out)["seen"] == "now"
    said = await alice.ask(type="send", room="general", text="here")
    time = (await alice.hear("message", seq=said["seq"]))["time"] if "seq" in said else ""
    await asyncio.to_thread(server.stop)
    await alice.close()
    await asyncio.to_thread(shell.main, ["user", "show", "alice", "--json", "--data", str(data)])
    assert json.loads(capsys.readouterr().out)["seen"] >= time > ""


def test_a_command_that_is_none_is_answered_with_those_there_are() -> None:
    """And with the one that was meant."""
    told = subprocess.run([sys.executable, "-m", "server.cli", "usr", "list"], capture_output=True, text=True)
    assert told.returncode == 2
    assert "Did you mean user?" in told.stderr
    assert "audit" in told.stderr
    assert "--tls-key" not in told.stderr


def test_tables_are_for_people() -> None:
    """Times are those of this machine, what was taken back says so, and 0 says what it stands for."""
    act: dict[str, Any] = {"time": "2026-11-21T09:00:00.000Z", "what": "banned", "on": False, "until": ""}
    head, row = shell._text(Told(rows=[act]))
    then = datetime.fromisoformat(act["time"]).astimezone()
    assert head.split() == ["time", "what", "until"]
    assert row == f"{then:%Y-%m-%d %H:%M}  banned: taken back"
    one = shell._text(Told(one={"keep-days": 0, "keep-count": 7, "slow": 0, "seen": "now"}))
    assert [line.split(maxsplit=1)[1] for line in one] == ["for good", "7", "off", "now"]


def test_what_people_wrote_does_not_act_on_the_terminal() -> None:
    """Neither in the table nor as JSON."""
    told = Told(rows=[{"name": "a\x1b]0;x\x07\u202eb\u009b31mc", "text": "one\ntwo"}])
    for line in [*shell._text(told), *shell._json(told)]:
        assert line.isprintable()


def test_running_a_server_loads_none_of_it() -> None:
    """Its start stays as quick as it was; and `--help` tells of both."""
    code = "import sys, server.cli; print([name for name in sys.modules if name.startswith('server.admin')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"
    told = subprocess.run([sys.executable, "-m", "server.cli", "--help"], capture_output=True, text=True, check=True)
    assert "--port" in told.stdout
    assert "invite" in told.stdout
