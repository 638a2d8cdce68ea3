"""Durable before visible, by the system calls of a real server; and that the check would see it if it were not so."""

import asyncio
import re
from pathlib import Path

import pytest
from faults.hosts import SERVER, Host, Ledger, Talker, until
from faults.trace import CALLS, judge, run, tail, traced, unusable

PROGRAM = [
    '7 pwrite64(9</d/chat.db-wal>, "w0w1w", 4096, 56) = 4096',
    "7 fdatasync(9</d/chat.db-wal>) = 0",
    '5 write(11<socket:[5]>, "w0w1w", 5) = 5',
]
NEEDS_STRACE = pytest.mark.skipif(bool(unusable()), reason=unusable() or "-")


def test_the_order_is_judged() -> None:
    """Sent after the sync is right; before it, without it, or while a sync that began too early runs is not."""
    write, sync, send = PROGRAM
    assert judge(PROGRAM) == (1, 1, 1, [])
    assert judge([write, send, sync]).faults
    assert judge([write, send]).faults
    assert judge([send, write, sync]).faults
    assert judge([sync, write, send]).faults
    begun, ended = "8 fdatasync(9</d/chat.db-wal> <unfinished ...>", "8 <... fdatasync resumed>) = 0"
    assert not judge([write, begun, ended, send]).faults
    assert judge([write, begun, send, ended]).faults
    assert judge([begun, write, ended, send]).faults, "what is written during a sync is not covered by it"
    assert judge([write, sync.replace("= 0", "= -1 EIO (Input/output error)"), send]).faults
    assert judge([write, sync.replace("chat.db-wal", "chat.db"), send]).faults


@NEEDS_STRACE
async def test_nothing_leaves_before_it_is_on_the_disk(tmp_path: Path) -> None:
    """500 messages of five clients, as the kernel saw them."""
    findings, ledger = await run(tmp_path, 500)
    assert not findings.faults + ledger.faults
    assert findings.stored == findings.shown == 500


@NEEDS_STRACE
async def test_a_server_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    """The same with `synchronous = OFF`."""
    findings, _ = await run(tmp_path, 50, synchronous="off")
    assert findings.faults


@NEEDS_STRACE
async def test_what_a_killed_server_left_is_synced_before_anyone_may_see_it(tmp_path: Path) -> None:
    """The next one syncs the log as it is, moves it into the database file, syncs that, and begins anew."""
    ledger = Ledger()
    host = Host(tmp_path / "data").listening()
    talking = asyncio.create_task(Talker("alice", ledger).talk(host.port))
    await until(lambda: len(ledger.acked) > 20)
    host.kill()
    await talking
    output = tmp_path / "trace"
    second = Host(tmp_path / "data", before=[*traced(output, "-e", f"trace={CALLS}"), *SERVER])
    second.listening()
    second.stop()
    await until(lambda: "exited with" in tail(output))
    calls = [
        (call, file)
        for call, file in re.findall(r"(\w+)\(\d+<[^>]*/(chat\.db(?:-wal)?)>", output.read_text().split("Listening")[0])
    ]
    names = [("sync" if "sync" in call else "write", file) for call, file in calls]
    moved = names.index(("write", "chat.db"))
    assert ("sync", "chat.db-wal") in names[:moved]
    synced = names.index(("sync", "chat.db"), moved)
    assert ("write", "chat.db-wal") in names[synced:], "the new epoch"
    assert names[-1] == ("sync", "chat.db-wal")
