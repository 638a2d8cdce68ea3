"""Short runs: what is killed, cut, swallowed, stalled or crumbled loses nothing, doubles nothing, reorders nothing.

The long ones are `python tests/faults kills` and `cuts`.
"""

import random
import time
from pathlib import Path

import pytest
from faults import cuts, kills
from faults.bench import Bench
from faults.clients import Headless
from faults.proxy import Where


async def test_kills(tmp_path: Path, seed: int) -> None:
    """The server is killed, its clock steps, clients are killed: all that was acked is there, once and in order."""
    bench, found = await kills.run(tmp_path, seed, count=3, acks=300, raw=3, headless=3, mortal=2, window=16)
    assert found == []
    assert bench.history.acked >= 3 * 300
    assert abs(bench.history.archive.times[-1] / 1000 - time.time()) > 60, "the server's clock has not stepped"


@pytest.mark.parametrize(
    ("plant", "words"), [("doubles", "doubled: "), ("early", "is not in the archive"), ("skips", "was not shown")]
)
async def test_a_broken_server_is_found_out(tmp_path: Path, seed: int, plant: str, words: str) -> None:
    """The same kills find a fault that is planted into the server: they do hit where it hurts."""
    program = ("-m", "faults.broken", plant)
    crowd = {"raw": 4, "headless": 0, "mortal": 0}
    # What is broken may never answer: it is not waited for as long as for a server that works. What a kill hits is
    # chance, and rarer the quicker the machine is.
    for more in range(5):
        _, found = await kills.run(
            tmp_path / str(more), seed + more, 3, 200, **crowd, window=64, program=program, patience=3.0
        )
        if any(words in finding for finding in found):
            return
    pytest.fail(f"not found in {3 * 5} kills: {plant}")


async def test_cuts(tmp_path: Path, seed: int) -> None:
    """Connections are cut at any byte, in a line and between two rooms' bytes: everyone has all, with no gap."""
    bench, found = await cuts.run(tmp_path, seed, count=80, raw=3, headless=6, rate=200.0, silent=False)
    assert found == []
    assert all(bench.proxy.cuts[where] for where in Where)


async def test_catching_up(tmp_path: Path, seed: int) -> None:
    """Who comes back has all that was missed, every time."""
    took, found = await cuts.catch_up(tmp_path, seed, missed=1000, tries=2)
    assert found == []
    assert len(took) == 2


async def test_a_server_that_is_stopped_goes_on(tmp_path: Path, seed: int) -> None:
    """SIGSTOP and SIGCONT: what was on its way arrives."""
    bench = Bench(tmp_path, seed, raw=2, headless=1, window=8)

    async def enough(bench: Bench) -> None:
        await bench.until(lambda: bench.acked > 1000, "it goes on")

    try:
        await bench.open()
        await bench.under(enough, kills.pauses(0.1, 0.2), rate=50)
        assert await bench.judge() == []
    finally:
        await bench.close()


async def test_a_ghost_is_taken_over(tmp_path: Path, seed: int) -> None:
    """Half-open: bytes arrive nowhere and nobody is told. Who comes back gets what the old connection swallowed."""
    bench = Bench(tmp_path, seed, headless=2, proxied=True)
    try:
        await bench.open()
        for number in range(5):
            bench.proxy.links[0].swallow()
            for talker in bench.speakers:
                talker.say("general", f"into the void {number}")
            for client in bench.talkers:
                assert isinstance(client, Headless)
                await client.chat.close()  # as it does by itself after 15 seconds of silence
            await bench.until(lambda: all(t.connected and not t.unacked for t in bench.talkers), "all is acked")
        assert await bench.judge() == []
    finally:
        await bench.close()


async def test_a_stalled_reader_has_everything_in_the_end(tmp_path: Path, seed: int) -> None:
    """The network takes nothing for a while, then goes on: more than all buffers hold arrives, once and in order."""
    bench = Bench(tmp_path, seed, raw=1)
    try:
        await bench.open()
        await bench.add(Headless(bench.history, bench.proxy.port, "stalled", (), random.Random(seed)))
        bench.proxy.links[0].stall("down", on=True)
        for _ in range(5000):
            bench.speakers[0].say("general", "x" * 1000)
        await bench.until(lambda: not bench.talkers[0].unacked, "all is acked")
        assert bench.talkers[1].cursor < bench.talkers[0].cursor
        bench.proxy.links[0].stall("down", on=False)
        assert await bench.judge() == []
    finally:
        await bench.close()


async def test_byte_by_byte(tmp_path: Path, seed: int) -> None:
    """Each byte comes alone, either way, and late: lines are what they were."""
    bench = Bench(tmp_path, seed, raw=1, headless=2, proxied=True)
    bench.proxy.crumbs = 1 << 30
    bench.proxy.delay = 0.002
    try:
        await bench.open()
        for number in range(20):
            for talker in bench.speakers:
                talker.say("general", f"täglich {number}")
        assert await bench.judge() == []
    finally:
        await bench.close()
