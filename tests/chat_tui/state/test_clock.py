"""Times of the wire and of people."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_tui.state.clock import Clock


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place whose days have 23, 24 and 25 hours."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no tzset")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@given(st.lists(st.integers(0, 4_000_000_000)))
def test_seconds_are_those_of_the_stamp(moments: list[int]) -> None:
    """Whatever was asked before: what is remembered of a minute never leaks into another."""
    clock = Clock()
    for moment in moments:
        stamp = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.123Z")
        assert clock.seconds(stamp, -1) == moment


def test_other_zones_and_no_time_at_all() -> None:
    """An offset counts; what is no time gives what was asked for instead."""
    clock = Clock()
    assert clock.seconds("1970-01-01T01:00:00+01:00", -1) == 0
    assert clock.seconds("1970-01-01T00:00:07.000Z", -1) == 7
    for broken in ("", "soon", "1970-01-01T00:00:", "1970-01-01T00:00:0\x1bZ"):
        assert clock.seconds(broken, -1) == -1


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize("first", ["2026-03-28", "2026-10-24", "2026-12-31"])
def test_a_day_is_the_local_one(first: str) -> None:
    """Hour by hour over both clock changes and the new year, in any order."""
    start = int(datetime.fromisoformat(first).timestamp())
    moments = [start + hour * 1800 for hour in range(144)]
    truth = [time.localtime(moment).tm_year * 1000 + time.localtime(moment).tm_yday for moment in moments]
    clock = Clock()
    assert [clock.day(moment) for moment in moments] == truth
    assert [clock.day(moment) for moment in reversed(moments)] == truth[::-1]


def test_a_time_beyond_the_calendar_breaks_nothing() -> None:
    """A server may send any number."""
    assert Clock().day(10**18) == 0
