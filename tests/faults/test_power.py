"""Power cuts: what was acknowledged or shown is there afterwards, and a server without syncs is found out."""

import random
import sys
from pathlib import Path

import pytest
from faults.hosts import Host
from faults.power import Disk, File, cut_power
from faults.power_server import HEAD

from server.archive.database import StoreError, open_store


async def test_nothing_is_lost_when_the_power_goes(tmp_path: Path) -> None:
    """A few cuts, with syncs that fail in every second life, and each message is there once, in its order."""
    seed = random.randrange(1 << 32)
    outcome = await cut_power(tmp_path, 4, seed, fail_syncs=0.03)
    assert not outcome.ledger.faults, f"seed {seed}: {outcome.ledger.faults}"
    assert outcome.ledger.acked


async def test_a_server_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    """The same with `synchronous = OFF`: the check finds what is lost."""
    outcome = await cut_power(tmp_path, 12, random.randrange(1 << 32), synchronous="off")
    assert outcome.ledger.faults


@pytest.mark.parametrize("seed", range(20))
def test_what_is_not_synced_is_torn_at_sectors(seed: int) -> None:
    """Of an unsynced write each sector is old or new; a synced one is new."""
    file = File("f", b"a" * 2048)
    file.pending.append((512, b"b" * 1024))
    file.settle(random.Random(seed))
    assert [bytes(file.content[at : at + 512]) for at in (0, 1536)] == [b"a" * 512] * 2
    assert all(file.content[at : at + 512] in (b"a" * 512, b"b" * 512) for at in (512, 1024))
    file.pending.append((1800, b"c" * 500))
    file.settle(None)
    assert file.content[1800:] == b"c" * 500


def test_a_cut_while_the_database_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    """The first start is cut after each of the things it does to the disk: the next one always takes what is there."""
    made = tmp_path / "made"
    before = [sys.executable, str(Path(__file__).with_name("power_server.py")), str(tmp_path / "journal"), "--"]
    assert Host(made, before=before).listening().stop() == 0
    records = (tmp_path / "journal").read_bytes()
    ends = [0]
    while ends[-1] < len(records):
        ends.append(ends[-1] + HEAD.size + HEAD.unpack_from(records, ends[-1])[3])
    assert len(ends) > 30
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    for count, end in enumerate(ends[:20] + ends):
        disk = Disk(tmp_path / str(count))
        disk.folder.mkdir()
        (tmp_path / "part").write_bytes(records[:end])
        disk.replay(tmp_path / "part", dice)
        disk.cut(dice)
        try:
            open_store(disk.folder / "chat.db").close()
        except StoreError as error:
            pytest.fail(f"seed {seed}, cut at {end}: {error}")
