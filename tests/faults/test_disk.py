"""A full disk, and one that fails: no false acknowledgement, reading goes on, writing comes back by itself."""

import asyncio
import random
from pathlib import Path

import pytest
from faults.disk import EACH, TALKERS, failing, fill, full_disk, small_disk
from faults.hosts import Host, Ledger, NotStartedError, Talker, until
from faults.trace import unusable

NEEDS_STRACE = pytest.mark.skipif(bool(unusable()), reason=unusable() or "-")


async def test_a_full_disk_stops_writing_and_nothing_else(tmp_path: Path) -> None:
    """While it is full pages are read and people come back; with room again, all is written that was said."""
    try:
        outcome = await full_disk(tmp_path, 2, random.Random(1))
    except PermissionError as error:
        pytest.skip(str(error))
    assert not outcome.faults
    assert outcome.pages == outcome.resumed == len(outcome.back) == 2
    assert outcome.refused


async def test_a_server_ends_and_starts_in_order_on_a_full_disk(tmp_path: Path) -> None:
    """It ends as it was told to; the next says in one line what is wrong; with room it has all that was promised."""
    ledger = Ledger()
    try:
        with small_disk(tmp_path) as small:
            host = Host(small / "data", said=tmp_path / "said").listening()
            alice = Talker("alice", ledger)
            talking = asyncio.create_task(alice.talk(host.port))
            await until(lambda: len(ledger.acked) > 50)
            fill(small / "filler")
            await until(lambda: "try_again" in alice.codes)
            assert host.stop() == 0
            await talking
            with pytest.raises(NotStartedError, match=r"^chat-server: \S+ can't be written: .*\n$"):
                Host(small / "data", said=tmp_path / "said").listening()
            (small / "filler").unlink()
            assert Host(small / "data", said=tmp_path / "said").listening().stop() == 0
            assert not ledger.faults + ledger.compare(small / "data" / "chat.db")
    except PermissionError as error:
        pytest.skip(str(error))


@NEEDS_STRACE
@pytest.mark.parametrize(
    ("calls", "error", "when"), [("fsync,fdatasync", "EIO", "20+5"), ("pwrite64", "ENOSPC", "200..240")]
)
async def test_what_fails_is_told_and_comes_again(tmp_path: Path, calls: str, error: str, when: str) -> None:
    """Syncs and writes of the log fail for a while: all that was said is there in the end, once."""
    outcome = await failing(tmp_path, calls, error, when)
    assert not outcome.faults
    assert outcome.acked == TALKERS * EACH
