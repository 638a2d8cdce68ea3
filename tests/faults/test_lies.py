"""A proxy that lies stands between a client and a real server: the checker finds each lie in what was recorded."""

import random
import re
from pathlib import Path

import pytest
from faults.bench import Bench
from faults.checker import Fault
from faults.clients import Headless, Raw
from faults.proxy import Lie

AT = 5
"""Which message is lied about."""


class Liar:
    """Tells the truth but for one message.

    Args:
        kind: the lie.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.seen = 0
        self.held = b""

    def __call__(self, way: str, line: bytes) -> list[tuple[str, bytes]]:
        """Return what is said instead of a line."""
        if self.kind == "an ok for what was never passed on":
            return self._of_sent(way, line)
        if way == "up" or not line.startswith(b'{"type":"message"'):
            return [(way, line)]
        self.seen += 1
        if self.held:
            line, self.held = line + self.held, b""
        elif self.seen == AT:
            line = self._of_shown(line)
        return [(way, line)]

    def _of_shown(self, line: bytes) -> bytes:
        seq = int(re.findall(rb'"seq":(\d+)', line)[0])
        match self.kind:
            case "dropped":
                return b""
            case "doubled":
                return line + line
            case "swapped":
                self.held = line
                return b""
            case "another text":
                return line.replace(b'"text":"', b'"text":"not ')
            case "forged":
                forged = b'{"type":"message","seq":%d,"room":"general","id":1,"user":99,' % seq
                return line + forged + b'"time":"2026-11-21T09:00:00.000Z","sender":"eve","text":"boo"}\n'
            case "another seq":
                return line.replace(b'"seq":%d,' % seq, b'"seq":%d,' % (seq - 1))
            case "a gap":
                return b'{"type":"gap","room":"general","after":%d,"before":%d}\n' % (seq - 1, seq + 1)
            case _:
                raise AssertionError(self.kind)

    def _of_sent(self, way: str, line: bytes) -> list[tuple[str, bytes]]:
        if way == "up" and line.startswith(b'{"type":"send"'):
            self.seen += 1
            if self.seen == AT:
                id = int(re.findall(rb'"id":(\d+)', line)[0])
                return [("down", b'{"type":"ok","id":%d,"seq":1000000}\n' % id)]
        return [(way, line)]


async def lie_and_judge(data: Path, seed: int, lie: Lie | None) -> list[str]:
    """Let one talk past the proxy and one through it, and return what the checker finds."""
    bench = Bench(data, seed, raw=1)
    bench.proxy.lie = lie
    try:
        await bench.open()
        await bench.add(Headless(bench.history, bench.proxy.port, "deceived", (), random.Random(seed)))
        honest, deceived = bench.talkers
        assert isinstance(honest, Raw)
        assert isinstance(deceived, Headless)
        for number in range(2 * AT):
            honest.say("general", f"heard {number}")
        await bench.until(lambda: not honest.unacked, "it is said")
        for number in range(2 * AT):
            deceived.say("general", f"said {number}")
        return await bench.judge()
    finally:
        await bench.close()


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("dropped", Fault.LOST),
        ("doubled", Fault.DOUBLED),
        ("swapped", Fault.DISORDER),
        ("another text", Fault.ALTERED),
        ("forged", Fault.PHANTOM),
        ("another seq", Fault.DISAGREEMENT),
        ("a gap", Fault.NEEDLESS_GAP),
        ("an ok for what was never passed on", Fault.EARLY_ACK),
    ],
)
async def test_a_lie_is_found(tmp_path: Path, seed: int, kind: str, fault: Fault) -> None:
    """What the proxy drops, doubles, swaps, alters or forges is found, and called by its name."""
    assert [words for words in await lie_and_judge(tmp_path, seed, Liar(kind)) if words.startswith(f"{fault}: ")]


async def test_the_truth_passes(tmp_path: Path, seed: int) -> None:
    """Where the proxy tells the truth nothing is found."""
    assert await lie_and_judge(tmp_path, seed, lambda way, line: [(way, line)]) == []
