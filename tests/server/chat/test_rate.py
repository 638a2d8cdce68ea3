"""How fast one person may write."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.chat import rate
from server.chat.limits import Limits
from server.chat.rate import Rate
from server.protocol.errors import Code, ProtocolError

MILLISECOND = 1_000_000
limits = st.builds(Limits, rate=st.sampled_from([0.1, 0.7, 3.0, 10.0, 1e5]), burst=st.integers(1, 6))
pauses = st.lists(st.integers(0, 3 * 10**9) | st.integers(0, 200 * MILLISECOND), max_size=60)


class Clock:
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.now = 10**12

    def monotonic_ns(self) -> int:
        """See `time.monotonic_ns`."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that `Rate` goes by."""
    clock = Clock()
    monkeypatch.setattr(rate, "time", clock)
    return clock


@given(limits=limits, pauses=pauses)
def test_no_span_of_time_has_more_than_a_burst_and_the_rate(limits: Limits, pauses: list[int]) -> None:
    """However it is tried: of any two that were allowed, no more lie between than the time between them grants."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(rate, "time", clock)
        one, allowed = Rate(limits), list[int]()
        for pause in pauses:
            clock.now += pause
            if one.take() == 0:
                allowed.append(clock.now)
        for (first, start), (last, end) in itertools.combinations(enumerate(allowed), 2):
            assert (last - first + 1 - limits.burst) * 1e9 <= (end - start) * limits.rate * (1 + 1e-9)


@given(limits=limits, pauses=pauses)
def test_the_time_that_is_told_is_enough_and_not_a_millisecond_too_long(limits: Limits, pauses: list[int]) -> None:
    """Two milliseconds earlier it is refused again, at that time it is allowed."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(rate, "time", clock)
        one = Rate(limits)
        for pause in pauses:
            clock.now += pause
            wait = one.take()
            if wait:
                clock.now += (wait - 1) * MILLISECOND - 1
                assert one.take() > 0
                clock.now += MILLISECOND + 1
                assert one.take() == 0


@given(limits=limits, steps=st.lists(st.tuples(st.integers(0, 300 * MILLISECOND), st.booleans()), max_size=60))
def test_what_is_given_back_never_counted(limits: Limits, steps: list[tuple[int, bool]]) -> None:
    """Between others, any number of takes that are given back changes nothing for the others."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(rate, "time", clock)
        one, other = Rate(limits), Rate(limits)
        for pause, given_back in steps:
            clock.now += pause
            if not given_back:
                assert one.take() == other.take()
            elif one.take() == 0:
                one.give_back()


def test_a_pause_gives_no_more_than_a_burst(clock: Clock) -> None:
    """An hour of silence is a burst, then the rate."""
    one = Rate(Limits())
    for _ in range(2):
        clock.now += 3600 * 10**9
        assert [one.take() for _ in range(102)] == [0] * 100 + [100, 100]
        clock.now += 100 * MILLISECOND
        assert [one.take() for _ in range(2)] == [0, 100]


def test_people_are_told_the_rate_and_the_time(clock: Clock) -> None:
    """In words, and programs in milliseconds."""
    one = Rate(Limits(rate=2.5, burst=1))
    one.check()
    with pytest.raises(ProtocolError) as refusal:
        one.check()
    assert (refusal.value.code, refusal.value.wait_ms) == (Code.RATE_LIMITED, 400)
    assert refusal.value.message == "This is too fast: 2.5 messages a second are taken here. Again in 0.4 s."


def test_without_limits_everything_is_allowed(clock: Clock) -> None:
    """Also at once."""
    one = Rate(Limits.off())
    assert not any(one.take() for _ in range(10_000))
