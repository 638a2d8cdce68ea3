"""A short fuzz run, each time with other dice; `python tests/faults fuzz` is the long one."""

import random
from collections.abc import Callable

import pytest
from faults.fuzz import Tally, attack, run
from support import Server


@pytest.mark.parametrize("limits", ["on", "off"])
async def test_a_server_takes_what_is_no_frame(start_server: Callable[..., Server], limits: str) -> None:
    """It answers each line as it must, serves others meanwhile, says nothing in its log and forgets who was there."""
    seed = str(random.SystemRandom().randrange(1 << 32))
    server = start_server("--limits", limits, "--limit", "grace=0.1")
    sent = 0

    def tell(more: int) -> None:
        nonlocal sent
        sent += more

    async def attacking() -> Tally:
        return await attack(server.port, seed, 4000, tell)

    figures, found = await run(server, attacking(), lambda: sent, 1000)
    assert not found, f"seed {seed}: {found}"
    assert figures["frames"] >= 4000
    assert figures["bystander_messages"]
