"""Power cuts: what was acknowledged or shown is there afterwards, and a server without syncs is found out."""

import random
from pathlib import Path

import pytest
from faults.power import File, cut_power


async def test_nothing_is_lost_when_the_power_goes(tmp_path: Path) -> None:
    """A few cuts, with syncs that fail in every second life, and each message is there once, in its order."""
    seed = random.randrange(1 << 32)
    outcome = await cut_power(tmp_path, 4, seed, fail_syncs=0.03)
    assert not outcome.ledger.faults, f"seed {seed}: {outcome.ledger.faults}"
    assert outcome.ledger.acked


async def test_a_server_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    """The same with `synchronous = OFF`: the check finds what is lost."""
    outcome = await cut_power(tmp_path, 4, random.randrange(1 << 32), synchronous="off")
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
