"""The run of wrong passwords, in short; and that what it computes tells apart what differs."""

import math
import random
from collections.abc import Callable

import pytest
from faults.logins import alike, beside, kolmogorov_smirnov, mann_whitney
from support import Server


async def test_wrong_passwords_keep_nobody_out(start_server: Callable[..., Server], seed: int) -> None:
    """The owner comes in meanwhile, all talk arrives, and each try is answered as it should be."""
    figures, found = await beside(start_server("--limits", "off", "--limit", "login_rate=2"), 1.5, 50, seed)
    assert figures["answered_login_failed"] > 0
    assert figures["owner_in_times"] > 0
    assert [finding for finding in found if "notice" not in finding] == []  # how long it took is for a quiet machine


async def test_the_time_of_an_answer(start_server: Callable[..., Server], seed: int) -> None:
    """A few samples: each is hashed, and answered alike."""
    figures, _ = await alike(start_server("--limits", "off"), 5, seed)
    assert figures["samples"] == 5
    assert figures["known_median_ms"] > 5
    assert figures["unknown_median_ms"] > 5


def test_what_differs_is_told_apart() -> None:
    """By both tests, which agree with the tables for small and plain samples."""
    dice = random.Random(5)
    one, other = ([dice.gauss(0, 1) for _ in range(2000)] for _ in range(2))
    for told in (mann_whitney, kolmogorov_smirnov):
        assert told(one, other) > 0.01
        assert told(one, [value + 0.2 for value in other]) < 1e-4
    assert mann_whitney([1, 2, 3], [4, 5, 6]) == pytest.approx(0.0495, abs=0.0005)
    apart = kolmogorov_smirnov([float(number) for number in range(10)], [float(number) for number in range(20, 30)])
    assert apart == pytest.approx(2 * math.exp(-10), rel=0.01)
