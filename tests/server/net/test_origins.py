"""Connections are counted by where they come from."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.chat.limits import Limits
from server.net.origins import Origins, is_loopback

MOST = 3
LIMITS = Limits(connections=MOST)


@given(st.lists(st.tuples(st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]), st.booleans()), max_size=60))
def test_no_address_has_more_than_the_limit_and_none_is_remembered_without_one(steps: list[tuple[str, bool]]) -> None:
    """However they come and go; when all are gone, nothing is held."""
    origins, there = Origins(), Counter[str]()
    for host, comes in steps:
        if comes:
            assert origins.enter(host, LIMITS) == (there[host] < MOST)
            there[host] = min(there[host] + 1, MOST)
        elif there[host]:
            origins.leave(host)
            there[host] -= 1
        assert len(origins) == len(+there)
    for host in there.elements():
        origins.leave(host)
    assert len(origins) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", ""])
def test_this_machine_is_not_counted(host: str) -> None:
    """Proxies come from there; nor is what has no address."""
    origins = Origins()
    assert all(origins.enter(host, LIMITS) for _ in range(10))
    assert len(origins) == 0
    origins.leave(host)


def test_an_ipv6_address_counts_with_its_subscriber() -> None:
    """A /64 is one line's; the next one is somebody else's."""
    origins = Origins()
    hosts = [f"2001:db8:0:1::{number}" for number in range(5)]
    assert [origins.enter(host, LIMITS) for host in hosts] == [True, True, True, False, False]
    assert origins.enter("2001:db8:0:2::1", LIMITS)
    assert origins.enter("fe80::1%eth0", LIMITS)


def test_the_log_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not for every connection that a flood brings; again when there had been room."""
    origins = Origins()
    for _ in range(50):
        origins.enter("192.0.2.1", LIMITS)
    assert caplog.messages == ["192.0.2.1 has 3 connections: more are turned away"]
    origins.leave("192.0.2.1")
    for _ in range(50):
        origins.enter("192.0.2.1", LIMITS)
    assert len(caplog.messages) == 2


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.255.0.9", True), ("::1", True), ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False), ("::ffff:192.0.2.1", False), ("::127.0.0.1", False), ("0.0.0.0", False), ("::", False),
        ("fe80::1%eth0", False), ("10.0.0.1", False), ("", False), ("localhost", False),
    ],
)  # fmt: skip
def test_plain_lines_are_taken_from_loopback_alone(host: str, here: bool) -> None:
    """However the address is written; what can't be read is none."""
    assert is_loopback(host) is here


def test_an_ipv4_address_that_comes_by_ipv6_counts_as_itself() -> None:
    """Else all of them would be one subscriber."""
    counted = Origins()
    assert all(counted.enter(f"::ffff:192.0.2.{number}", LIMITS) for number in range(10))
    assert [counted.enter("192.0.2.1", LIMITS) for _ in range(MOST)] == [True, True, False]
