"""`chat-server` as a process, and clients that speak lines to it over TCP."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Server, Wire

ROOM = {"room": "general"}
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes are POSIX's")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `chat-server` to its end."""
    command = [sys.executable, "-m", "server.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


async def eventually(true: Callable[[], bool]) -> None:
    """Wait until something outside has become true."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - a file changes, nothing says so
            await asyncio.sleep(0.01)


# People and messages.


async def test_everyone_sees_everything(connect: Any) -> None:
    """Two people: roster, arrival, message with its id, acknowledgement, departure."""
    alice = await connect("alice")
    assert (await alice.hear("roster"))["names"] == ["alice"]
    bob = await connect("bob")
    await alice.hear_of("joined", "bob")
    await bob.say(type="send", id=1, text="hi", ref="r", **ROOM)
    ok = await bob.hear("ok", ref="r")
    own = await bob.hear("message")
    assert own == await alice.hear("message")
    assert own["seq"] == ok["seq"] > bob.welcome["seq"]
    assert (own["sender"], own["user"], own["id"], own["text"]) == ("bob", bob.welcome["user"], 1, "hi")
    await bob.say(type="quit", reason="lunch")
    assert await bob.rest() == []
    assert (await alice.hear_of("left", "bob"))["reason"] == "lunch"


async def test_lines_before_the_welcome_count_and_an_end_of_file_is_answered(connect: Any, server: Server) -> None:
    """What `printf … | nc -N` does is enough to take part; the last line needs no newline."""
    watcher = await connect("watcher")
    nc = await connect()
    await nc.raw(
        b'{"type":"hello","name":"nc"}\n{"type":"join","room":"dev"}\n{"type":"send","room":"dev","text":"in"}\n'
    )
    await nc.raw(b'{"type":"send","room":"general","text":"hi"}')
    nc.writer.write_eof()
    frames = await nc.rest()
    assert [frame["text"] for frame in frames if frame["type"] == "message"] == ["in", "hi"]
    assert (await watcher.hear("message"))["text"] == "hi"
    # Gone by itself: the name is free at once, and history has what was said.
    again = await connect("nc")
    page = await again.hear("history")
    assert [message["text"] for message in page["messages"]] == ["hi"]


@pytest.mark.parametrize(
    ("name", "words"), [("Alice", "alice is taken"), ("аlice", "looks like alice"), ("alice", "alice is taken")]
)
async def test_a_name_like_another_is_refused_and_another_can_be_chosen(connect: Any, name: str, words: str) -> None:
    """The reason names the conflict; the same connection says hello again."""
    await connect("alice")
    other = await connect()
    await other.say(type="hello", name=name, ref="h")
    error = await other.hear("error", ref="h")
    assert error["code"] == "name_taken"
    assert words in error["message"]
    await other.say(type="hello", name="bob")
    assert (await other.hear("welcome"))["name"] == "bob"


async def test_a_nick_changes_for_everyone(connect: Any) -> None:
    """Told once to all; the old name is free, the new one taken, messages carry it, the user stays the same."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.say(type="nick", name="al", ref="n")
    await alice.hear("ok", ref="n")
    told = await bob.hear("renamed")
    assert (told["old"], told["new"], told["user"]) == ("alice", "al", alice.welcome["user"])
    await alice.say(type="send", text="it is me", **ROOM)
    message = await bob.hear("message")
    assert (message["sender"], message["user"]) == ("al", alice.welcome["user"])
    await bob.say(type="nick", name="AL", ref="m")
    assert (await bob.hear("error", ref="m"))["code"] == "name_taken"
    await bob.say(type="nick", name="alice", ref="o")
    await bob.hear("ok", ref="o")


async def test_rooms_are_made_entered_and_left(connect: Any) -> None:
    """Only members get what is said; who leaves gets no more; `general` can't be left."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.say(type="send", text="x", room="dev", ref="1")
    assert (await alice.hear("error", ref="1"))["code"] == "no_such_room"
    await alice.say(type="join", room="#Dev", ref="2")
    await alice.hear("ok", ref="2")
    await bob.say(type="send", text="x", room="dev", ref="3", id=1)
    assert (await bob.hear("error", ref="3"))["code"] == "not_a_member"
    await bob.say(type="join", room="dev", ref="4")
    await alice.hear_of("joined", "bob")
    await alice.say(type="send", text="welcome", room="dev", id=1)
    assert (await bob.hear("message", room="dev"))["text"] == "welcome"
    await bob.say(type="leave", room="dev", ref="5")
    await bob.hear("ok", ref="5")
    assert (await alice.hear_of("left", "bob"))["reason"] == "left"
    await alice.say(type="send", text="gone?", room="dev", id=2)
    await alice.say(type="send", text="end", id=3, **ROOM)
    assert (await bob.hear("message"))["text"] == "end"
    await bob.say(type="leave", ref="6", **ROOM)
    assert (await bob.hear("error", ref="6"))["code"] == "bad_room"


async def test_seq_grows_strictly_over_all_rooms(connect: Any) -> None:
    """A member of several rooms gets one ascending stream, each message once."""
    alice, bob = await connect("alice"), await connect("bob")
    for wire in (alice, bob):
        for room in ("a", "b"):
            await wire.say(type="join", room=room, ref=room)
            await wire.hear("ok", ref=room)
    burst = b"".join(
        json.dumps({"type": "send", "room": ("general", "a", "b")[n % 3], "id": n, "text": str(n)}).encode() + b"\n"
        for n in range(1, 601)
    )
    await alice.raw(burst)
    for wire in (alice, bob):
        messages = [await wire.hear("message") for _ in range(600)]
        assert [message["text"] for message in messages] == [str(number) for number in range(1, 601)]
        seqs = [message["seq"] for message in messages]
        assert seqs == sorted(set(seqs))


async def test_history_pages_back_to_the_first_message(connect: Any) -> None:
    """A newcomer gets the latest; the rest pages in with nothing between."""
    alice = await connect("alice")
    for number in range(1, 131):
        await alice.say(type="send", id=number, text=str(number), **ROOM)
    await alice.hear("message", id=130)
    bob = await connect("bob", backlog=20)
    page = await bob.hear("history")
    texts = [message["text"] for message in page["messages"]]
    while page["more"]:
        await bob.say(type="history", before=page["messages"][0]["seq"], limit=50, ref="p", **ROOM)
        page = await bob.hear("history", ref="p")
        texts = [message["text"] for message in page["messages"]] + texts
    assert texts == [str(number) for number in range(1, 131)]


# Coming back.


async def test_a_lost_connection_keeps_its_name_and_comes_back_unnoticed(connect: Any) -> None:
    """Within the grace period: nobody else can have the name, nobody is told, and what was missed comes."""
    watcher = await connect("watcher")
    alice = await connect("alice", resumes=True)
    await watcher.hear_of("joined", "alice")
    alice.writer.transport.abort()
    thief = await connect()
    await thief.say(type="hello", name="alice")
    assert (await thief.hear("error"))["code"] == "name_taken"
    await watcher.say(type="send", id=1, text="missed", **ROOM)
    await watcher.hear("message")
    cursor = {key: alice.welcome[key] for key in ("session", "epoch", "seq")}
    back = await connect("alice", resumes=True, resume=cursor)
    assert back.welcome["user"] == alice.welcome["user"]
    assert (await back.hear("roster"))["names"]
    assert (await back.hear("message"))["text"] == "missed"
    await back.say(type="send", id=1, text="back", **ROOM)
    await watcher.hear("message", text="back")
    told = [frame["type"] for frame in watcher.heard if "alice" in frame.get("names", ())]
    assert told in (["joined"], ["roster", "joined"])


async def test_a_session_replaces_its_own_ghost(connect: Any) -> None:
    """The new connection takes over at once; the old one is told why it ends."""
    ghost = await connect("alice", resumes=True)
    cursor = {key: ghost.welcome[key] for key in ("session", "epoch", "seq")}
    back = await connect("alice", resumes=True, resume=cursor)
    assert (await ghost.rest())[-1]["code"] == "replaced"
    await back.say(type="send", text="x", ref="1", **ROOM)
    await back.hear("ok", ref="1")


async def test_cursors_of_another_history_are_noticed(connect: Any) -> None:
    """A strange epoch, or a seq that was never reached, is diverged; a strange session is no session."""
    alice = await connect("alice", resumes=True)
    for number, (resume, code) in enumerate(
        (
            ({"session": alice.welcome["session"], "epoch": "feed", "seq": 1}, "diverged"),
            ({"session": alice.welcome["session"], "epoch": alice.welcome["epoch"], "seq": 10**9}, "diverged"),
            ({"session": "0" * 32}, "no_such_session"),
        )
    ):
        stranger = await connect()
        await stranger.say(type="hello", name="stranger", resume=resume)
        assert (await stranger.hear("error"))["code"] == code
        await stranger.say(type="hello", name=f"stranger{number}")
        await stranger.hear("welcome")


async def test_more_than_ten_thousand_missed_in_a_room_are_a_gap(start_server: Callable[..., Server]) -> None:
    """Exactly so many are delivered; of one more the gap is told and the latest page comes. Other rooms lose none."""
    server = start_server("--limits", "off")
    reader = await Wire.connect(server.port, "reader", resumes=True, ping=False)
    await reader.say(type="join", room="dev", ref="j")
    first = (await reader.hear("ok", ref="j"))["seq"]
    writer = await Wire.connect(server.port, "writer", backlog=0, ping=False)
    await writer.say(type="join", room="dev", ref="j", backlog=0)
    await writer.say(type="send", room="dev", text="early")
    lines = b"".join(b'{"type":"send","room":"general","text":"%d"}\n' % number for number in range(10_001))
    pouring = asyncio.create_task(writer.raw(lines))
    while (await writer.hear("message"))["text"] != "10000":
        pass
    await pouring
    await writer.say(type="send", room="dev", text="late", ref="end")
    end = (await writer.hear("ok", ref="end"))["seq"]
    await reader.close()
    epoch, session = reader.welcome["epoch"], reader.welcome["session"]

    def resume(seq: int) -> dict[str, Any]:
        return {"session": session, "epoch": epoch, "seq": seq}

    all_of_it = await Wire.connect(server.port, "reader", resumes=True, resume=resume(end - 10_001), backlog=7)
    while (await all_of_it.hear("message"))["seq"] < end:
        pass
    said = [frame for frame in all_of_it.heard if frame["type"] in ("message", "gap")]
    assert [frame["seq"] for frame in said] == list(range(end - 10_000, end + 1))
    assert all_of_it.welcome["resumed"]

    late = await Wire.connect(server.port, "reader", resumes=True, resume=resume(first), backlog=7)
    gap = await late.hear("gap")
    assert (gap["room"], gap["after"], gap["before"]) == ("general", first, end + 1)
    page = await late.hear("history")
    assert [entry["text"] for entry in page["messages"]] == [str(number) for number in range(9_994, 10_001)]
    await writer.say(type="send", room="general", text="on")
    while (await late.hear("message"))["text"] != "on":
        pass
    assert [frame["text"] for frame in late.heard if frame["type"] == "message"] == ["early", "late", "on"]
    for wire in (writer, all_of_it, late):
        await wire.close()


async def test_a_message_can_be_withdrawn_until_it_is_taken(connect: Any) -> None:
    """The answer says which: with its seq it stays, without one it is not to come any more."""
    alice = await connect("alice")
    await alice.say(type="send", id=1, text="one", **ROOM)
    await alice.say(type="withdraw", id=1, ref="a")
    said = await alice.hear("message")
    assert (await alice.hear("ok", ref="a"))["seq"] == said["seq"]
    await alice.say(type="withdraw", id=2, ref="b")
    assert "seq" not in await alice.hear("ok", ref="b")
    await alice.say(type="send", id=3, text="three", ref="c", **ROOM)
    assert "seq" in await alice.hear("ok", ref="c")


async def test_a_server_says_which_it_is_before_anyone_is_in(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    """The same after a restart; another database is another server."""
    ids = []
    for data in ("one", "one", "two"):
        server = start_server(data=tmp_path / data)
        wire = await Wire.connect(server.port)
        await wire.say(type="about", ref="a")
        ids.append((await wire.hear("about", ref="a"))["id"])
        await wire.close()
        server.stop()
    assert ids[0] == ids[1] != ids[2]


async def test_an_id_is_taken_once(connect: Any) -> None:
    """Sent again, it is answered with its seq and appears to nobody a second time."""
    alice, bob = await connect("alice"), await connect("bob")
    await alice.say(type="send", id=1, text="once", **ROOM)
    seq = (await bob.hear("message"))["seq"]
    await alice.say(type="send", id=1, text="once", **ROOM)
    assert await alice.hear("ok") == {"type": "ok", "seq": seq, "id": 1}
    await alice.say(type="send", id=1, text="twice", ref="r", **ROOM)
    assert (await alice.hear("error", ref="r"))["code"] == "id_reused"
    await alice.say(type="send", id=2, text="next", **ROOM)
    assert (await bob.hear("message"))["text"] == "next"


# Durability.


@POSIX
async def test_what_was_acknowledged_survives_sigkill(start_server: Callable[..., Server], tmp_path: Path) -> None:
    """50 senders at once, the server killed in the middle: after a restart every ok is there, none twice."""
    server = start_server()
    acknowledged: list[str] = []

    async def talk(number: int) -> None:
        wire = await Wire.connect(server.port, f"u{number}", backlog=0)
        try:
            for count in range(1, 1000):
                text = f"{number}-{count}"
                await wire.say(type="send", id=count, text=text, ref=text, **ROOM)
                await wire.hear("ok", ref=text)
                acknowledged.append(text)
        except (EOFError, ConnectionError):
            pass
        finally:
            wire.writer.transport.abort()

    async def kill() -> None:
        await eventually(lambda: len(acknowledged) > 500)
        os.kill(server.process.pid, signal.SIGKILL)

    await asyncio.gather(kill(), *(talk(number) for number in range(50)))
    server.process.communicate()
    second = start_server()
    reader = await Wire.connect(second.port, "reader", backlog=500)
    page = await reader.hear("history")
    kept = [message["text"] for message in page["messages"]]
    while page["more"]:
        await reader.say(type="history", before=page["messages"][0]["seq"], limit=500, ref="p", **ROOM)
        page = await reader.hear("history", ref="p")
        kept = [message["text"] for message in page["messages"]] + kept
    await reader.close()
    assert not set(acknowledged) - set(kept)
    assert len(kept) == len(set(kept))


# Bad input.


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\x00\xff\x80\n", "bad_frame"),
        (b"[" * 8000 + b"\n", "bad_frame"),
        (b"[" * 60_000 + b"\n", "too_long"),
        (b"[" * 100_000 + b"\n", "too_long"),
        (b'{"type":"send","room":5,"text":"x","ref":"r"}\n', "bad_frame"),
        (b'{"type":"dance","ref":"r"}\n', "unknown_type"),
        (b'{"type":"hello","name":"x\xff"}\n', "bad_frame"),
        (b'{"type":"hello","name":"[red]x[/]"}\n', "bad_name"),
        (b'{"type":"send","room":"general","text":"x"}\n', "hello_first"),
    ],
)
async def test_a_bad_line_is_answered_and_ends_nothing(shared_server: Server, line: bytes, code: str) -> None:
    """An error each, the connection goes on, others notice nothing."""
    wire = await Wire.connect(shared_server.port)
    await wire.raw(line)
    error = await wire.hear("error")
    assert error["code"] == code
    if b'"ref":"r"' in line:
        assert error["ref"] == "r"
    await wire.say(type="hello", name="fine")
    await wire.hear("welcome")
    await wire.say(type="quit")  # and the name is free for the next
    await wire.rest()
    await wire.close()


async def test_ten_megabytes_without_an_end_are_dropped_as_they_come(connect: Any, server: Server) -> None:
    """One error, no growth, the next line counts."""
    wire = await connect("wire")
    before = memory(server.process.pid)
    for _ in range(160):
        await wire.raw(b"x" * 65_536)
    assert (await wire.hear("error"))["code"] == "too_long"
    await wire.raw(b"\n")
    await wire.say(type="send", text="still here", **ROOM)
    await wire.hear("message")
    assert memory(server.process.pid) - before < 4 * 1024 * 1024


def memory(pid: int) -> int:
    """Return a process's resident bytes; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0


async def test_repeated_abuse_ends_the_connection(connect: Any) -> None:
    """With a last word; others go on."""
    wire, other = await connect(), await connect("other")
    await wire.raw(b"nonsense\n" * 200)
    frames = await wire.rest()
    assert frames[-1]["code"] == "abuse"
    await other.say(type="send", text="x", ref="r", **ROOM)
    await other.hear("ok", ref="r")


async def test_hostile_text_leaves_the_server_harmless(connect: Any) -> None:
    """Escape sequences, C1 codes and bidi overrides are marks to everyone; markup is text."""
    alice, bob = await connect("alice"), await connect("bob")
    await bob.hear_of("joined", "bob")
    await alice.say(type="send", text="\x1b]52;c;aGk=\x07\x1b[2J\x9b1m\u202e[red]x[/]", **ROOM)
    text = (await bob.hear("message"))["text"]
    assert text == "␛]52;c;aGk=␇␛[2J\ufffd1m\ufffd[red]x[/]"
    await alice.say(type="quit", reason="\x1b[2Jbye\nnow")
    assert (await bob.hear_of("left", "alice"))["reason"] == "␛[2Jbye now"


async def test_requests_without_a_reader_are_held_back(connect: Any, server: Server) -> None:
    """A flood of requests whose answers nobody reads stays bounded, and others are served meanwhile."""
    alice = await connect("alice")
    for number in range(1, 51):
        await alice.say(type="send", id=number, text="x" * 1000, **ROOM)
    await alice.hear("message", id=50)
    flood = await connect("flood")
    before = memory(server.process.pid)
    request = b'{"type":"history","room":"general"}\n' * 20_000
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(pour(flood, request), 1)
    assert memory(server.process.pid) - before < 8 * 1024 * 1024
    await alice.say(type="send", id=51, text="served", ref="r", **ROOM)
    await alice.hear("ok", ref="r")
    flood.writer.transport.abort()


# The program.


async def pour(wire: Wire, data: bytes) -> None:
    """Write for ever."""
    while True:
        await wire.raw(data)


@POSIX
async def test_clients_json_lists_who_is_connected(connect: Any, server: Server) -> None:
    """Name, address, since; private; empty at the end."""
    file = server.data / "clients.json"
    assert json.loads(file.read_text()) == []
    assert server.data.stat().st_mode & 0o777 == 0o700
    await connect("alice")
    await eventually(lambda: len(json.loads(file.read_text())) == 1)
    (listed,) = json.loads(file.read_text())
    assert listed["name"] == "alice"
    assert listed["address"].startswith("127.0.0.1:")
    assert listed["since"].endswith("Z")
    assert {child.stat().st_mode & 0o777 for child in server.data.iterdir()} == {0o600}
    server.stop()
    assert json.loads(file.read_text()) == []


@POSIX
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_everyone_is_told_that_the_server_ends(connect: Any, server: Server, number: int) -> None:
    """What was accepted is committed and answered before the goodbye; the exit code is 0."""
    alice = await connect("alice")
    await alice.raw(b"".join(b'{"type":"send","room":"general","id":%d,"text":"x"}\n' % n for n in range(1, 101)))
    await alice.hear("message", id=1)
    server.process.send_signal(number)
    frames = await alice.rest()
    assert frames[-1]["type"] == "shutdown"
    assert frames[-1]["reason"]
    code, out, err = server.wait()
    assert (code, err) == (0, "")
    assert "alice came in from 127.0.0.1:" in out


async def test_quit_comes_after_what_was_said_before_it(connect: Any) -> None:
    """Messages and their answers first."""
    alice = await connect("alice")
    sends = b"".join(b'{"type":"send","room":"general","id":%d,"text":"x","ref":"%d"}\n' % (n, n) for n in range(1, 6))
    await alice.raw(sends + b'{"type":"quit","ref":"q"}\n')
    answers = [frame["ref"] for frame in await alice.rest() if frame["type"] == "ok"]
    assert answers == ["1", "2", "3", "4", "5", "q"]


@POSIX
async def test_pages_that_wait_when_the_server_ends_are_answered(connect: Any, server: Server) -> None:
    """Read, or told to try again; the goodbye comes last."""
    alice = await connect("alice")
    for number in range(1, 51):
        await alice.say(type="send", id=number, text="x" * 1000, **ROOM)
    await alice.hear("message", id=50)
    await alice.raw(b"".join(b'{"type":"history","room":"general","ref":"%d"}\n' % number for number in range(100)))
    await alice.hear("history", ref="0")
    server.process.send_signal(signal.SIGTERM)
    frames = await alice.rest()
    assert frames[-1]["type"] == "shutdown"
    answered = {frame["ref"] for frame in alice.heard if frame["type"] in ("history", "error") and "ref" in frame}
    assert len(answered) == len({frame["ref"] for frame in alice.heard if frame.get("ref")})
    assert server.wait()[0] == 0


@POSIX
def test_a_second_ctrl_c_ends_at_once(server: Server) -> None:
    """Also while someone does not take what they were sent."""
    with socket.create_connection(("127.0.0.1", server.port)) as stalled:
        stalled.sendall(b'{"type":"hello","name":"stalled"}\n')
        assert stalled.recv(10)
        server.process.send_signal(signal.SIGINT)
        code, _, _ = server.stop(signal.SIGINT)
        assert code in (0, 130)


def test_what_prevents_a_start_is_said_on_one_line(server: Server, tmp_path: Path) -> None:
    """Port taken, data in use, no directory, a foreign file, wrong words: a line, a code, no traceback."""
    (tmp_path / "file").write_text("x")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "chat.db").write_bytes(b"not a database at all " * 100)
    cases = [
        (["--port", str(server.port), "--data", str(tmp_path / "d2")], 1, "taken by another program"),
        (["--port", "0", "--data", str(server.data)], 1, "in use by another chat-server"),
        (["--port", "0", "--data", str(tmp_path / "file")], 1, "not a directory"),
        (["--port", "0", "--data", str(foreign)], 1, "not a database"),
        (["--port", "0", "--data", str(tmp_path / "d3"), "--host", "192.0.2.1"], 1, "not an address of this machine"),
        (["--port", "seven"], 2, "a port is a number"),
        (["--prot", "7"], 2, "unrecognized arguments"),
    ]
    for arguments, code, words in cases:
        done = run(*arguments)
        assert done.returncode == code, done
        assert words in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_a_json_log_is_one_object_a_line(start_server: Callable[..., Server]) -> None:
    """For programs that read logs."""
    server = start_server("--log-format", "json")
    _, out, _ = server.stop()
    assert all(json.loads(line)["message"] for line in out.splitlines())


@POSIX
async def test_a_hosted_server_ends_when_its_owner_has_left_and_nobody_is_there(tmp_path: Path) -> None:
    """It outlives its owner as long as somebody else is connected."""
    command = [sys.executable, "-m", "server.cli", "--hosted", "--port", "0", "--data", str(tmp_path / "data")]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    port = int((await process.stdout.readline()).rsplit(b":", 1)[1])
    bob = await Wire.connect(port, "bob")
    process.stdin.close()
    await bob.say(type="send", text="still here", ref="r", **ROOM)
    await bob.hear("ok", ref="r")
    assert process.returncode is None
    await bob.close()
    async with asyncio.timeout(PATIENCE):
        assert await process.wait() == 0
    process._transport.close()  # type: ignore[attr-defined]
