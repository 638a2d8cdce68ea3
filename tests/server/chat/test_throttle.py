"""Attempts are counted before anything is hashed, and nobody is locked out by others."""

import pytest

from server.chat import throttle as module
from server.chat.limits import Limits
from server.chat.throttle import Attempt, Throttle
from server.protocol.errors import Code, ProtocolError


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000_000_000

    def monotonic_ns(self) -> int:
        """Return the time, in nanoseconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The throttle's clock."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def attempt(throttle: Throttle, host: str, name: str, *, known: bool = False) -> int | None:
    """Try a wrong password; return how long to wait where that is refused, in milliseconds."""
    try:
        taken = throttle.attempt(host, name)
        if not known:
            throttle.anywhere(taken, name)
    except ProtocolError as refusal:
        assert refusal.code is Code.RATE_LIMITED
        assert refusal.wait_ms
        return refusal.wait_ms
    return None


def attempts(throttle: Throttle, host: str, name: str, *, known: bool = False) -> int:
    """Return how many wrong passwords are taken at once."""
    return next(number for number in range(1000) if attempt(throttle, host, name, known=known) is not None)


def test_one_name_from_one_address(clock: Clock) -> None:
    """Five at once, then one each half minute; the wait that is told is the wait that it takes."""
    throttle = Throttle(Limits())
    assert attempts(throttle, "192.0.2.1", "alice") == 5
    wait = attempt(throttle, "192.0.2.1", "Alice")
    assert wait == 30_000
    clock.now += (wait - 1) * 1_000_000
    assert attempt(throttle, "192.0.2.1", "alice") == 1
    clock.now += 1_000_000
    assert attempt(throttle, "192.0.2.1", "alice") is None
    assert attempt(throttle, "192.0.2.1", "alice") == 30_000


def test_many_names_from_one_address(clock: Clock) -> None:
    """Twenty in all; another address is not slowed by that, and in IPv6 one subscriber is one address."""
    throttle = Throttle(Limits())
    taken = sum(attempt(throttle, "192.0.2.1", f"name{number}") is None for number in range(100))
    assert taken == 20
    assert attempt(throttle, "192.0.2.2", "name99") is None
    taken = sum(attempt(throttle, f"2001:db8::{number:x}", f"name{number}") is None for number in range(100))
    assert taken == 20
    assert attempt(throttle, "2001:db8:0:1::1", "name99") is None
    assert attempt(throttle, "::ffff:192.0.2.1", "carol") is not None


def test_one_name_from_many_addresses_but_its_owners(clock: Clock) -> None:
    """Twenty from everywhere else; the owner's own address is as free as if nobody had tried."""
    throttle = Throttle(Limits())
    taken = sum(attempt(throttle, f"192.0.2.{number}", "alice") is None for number in range(100))
    assert taken == 20
    assert attempt(throttle, "198.51.100.1", "alice") is not None
    assert attempts(throttle, "203.0.113.1", "alice", known=True) == 5


def test_all_that_is_taken_for_one_name_counts_as_it(clock: Clock) -> None:
    """An ı without its dot has the capital of an i: by that the account of vivi is found, too."""
    throttle = Throttle(Limits())
    forms = ["vivi", "Vivi", "v\u0131v\u0131", "v\u0131vi", "VIVI"]
    assert sum(attempt(throttle, "192.0.2.1", forms[number % 5]) is None for number in range(25)) == 5


def test_what_is_refused_counts_nowhere(clock: Clock) -> None:
    """Else asking again would make the wait longer, and one name would use up an address."""
    throttle = Throttle(Limits())
    assert attempts(throttle, "192.0.2.1", "alice") == 5
    for _ in range(100):
        attempt(throttle, "192.0.2.1", "alice")
    assert attempt(throttle, "192.0.2.1", "bob") is None
    assert attempt(throttle, "192.0.2.9", "alice") is None


def test_a_right_one_does_not_count(clock: Clock) -> None:
    """However often someone comes in."""
    throttle = Throttle(Limits())
    for _ in range(1000):
        taken = throttle.attempt("192.0.2.1", "alice")
        throttle.anywhere(taken, "alice")
        taken.give_back()
    assert attempts(throttle, "192.0.2.1", "alice") == 5


def test_its_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that tried longest ago are forgotten."""
    monkeypatch.setattr(module, "KEPT", 50)
    throttle = Throttle(Limits())
    kept: list[Attempt] = [
        throttle.attempt(f"198.51.{number // 250}.{number % 250}", "x" * number) for number in range(1000)
    ]
    assert len(kept) == 1000
    sizes = {len(buckets._due) for buckets in (throttle._of_address, throttle._of_name)}
    assert sizes == {50}
