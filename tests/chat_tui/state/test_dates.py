"""Days and times as people say them."""

import time
from collections.abc import Iterator
from datetime import date, datetime

import pytest

from chat_tui.state.dates import day, exact, parse_day, parse_span, said_here, seconds_of, span, start, until, when


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    """A place with a clock change, ahead of UTC."""
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process can't be set here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


NOW = datetime(2026, 11, 21, 9, 30).timestamp()  # a Saturday


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (datetime(2026, 11, 21, 9, 5), "09:05"),
        (datetime(2026, 11, 20, 18, 2), "yesterday 18:02"),
        (datetime(2026, 11, 16, 8, 0), "Monday 08:00"),
        (datetime(2026, 11, 14, 8, 0), "14 November"),
        (datetime(2025, 3, 3, 8, 0), "3 March 2025"),
    ],
)
def test_when(then: datetime, said: str) -> None:
    """The further back the less exactly."""
    assert when(then.timestamp(), NOW) == said


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("It ends at 2026-11-21T09:02Z. Reason: spam.", "It ends at 10:02. Reason: spam."),
        ("It ends at 2026-11-22T09:02:30.500Z.", "It ends tomorrow 10:02."),
        ("Only until 2026-12-24T17:00Z, please.", "Only until 24 December 18:00, please."),
        ("You are banned until 2026-11-21 09:02 UTC.", "You are banned until 10:02."),
        ("It has no end.", "It has no end."),
        ("It ends at 2026-99-99T99:99Z.", "It ends at 2026-99-99T99:99Z."),
    ],
)
def test_times_in_a_servers_sentence(sentence: str, said: str) -> None:
    """They stand there in UTC; who reads is somewhere."""
    assert said_here(sentence, NOW) == said


def test_to_the_second() -> None:
    """For who asks."""
    assert exact(datetime(2025, 3, 3, 8, 0, 7).timestamp()) == "Monday, 3 March 2025, 08:00:07"
    assert day(NOW, NOW) == "21 November"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2025-03-14", date(2025, 3, 14)),
        ("2025-03", date(2025, 3, 1)),
        ("2025", date(2025, 1, 1)),
        ("today", date(2026, 11, 21)),
        (" Yesterday ", date(2026, 11, 20)),
        ("friday", date(2026, 11, 20)),
        ("sat", date(2026, 11, 14)),
        ("10d", date(2026, 11, 11)),
        ("2w", date(2026, 11, 7)),
        ("3 march 2025", date(2025, 3, 3)),
        ("March 3, 2025", date(2025, 3, 3)),
        ("3rd mar", date(2026, 3, 3)),
        ("24 december", date(2025, 12, 24)),
        ("may 2024", date(2024, 5, 1)),
    ],
)
def test_days_that_are_typed(typed: str, meant: date) -> None:
    """The last one of its name."""
    assert parse_day(typed, NOW) == meant


@pytest.mark.parametrize("typed", ["", "x", "2025-13-40", "30 february 2025", "9999y", "12", "so 3", "march march x"])
def test_what_is_no_day(typed: str) -> None:
    """Said, not guessed."""
    assert parse_day(typed, NOW) is None


def test_a_day_starts_at_midnight_here() -> None:
    """In winter and in summer."""
    assert start(date(2026, 1, 5)) == "2026-01-04T23:00:00.000Z"
    assert start(date(2026, 7, 5)) == "2026-07-04T22:00:00.000Z"
    assert seconds_of("2026-01-04T23:00:00.000Z") == datetime(2026, 1, 5).timestamp()
    assert seconds_of("nonsense") is None


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (datetime(2026, 11, 21, 14, 30), "14:30"),
        (datetime(2026, 11, 22, 8, 0), "tomorrow 08:00"),
        (datetime(2026, 12, 3, 8, 0), "3 December 08:00"),
        (datetime(2027, 3, 3, 8, 0), "3 March 2027 08:00"),
    ],
)
def test_until(then: datetime, said: str) -> None:
    """When something ends."""
    assert until(then.timestamp(), NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said", "short"),
    [
        (0, "0 seconds", "0 s"),
        (1, "1 second", "1 s"),
        (90, "90 seconds", "1:30"),
        (120, "2 minutes", "2:00"),
        (3600, "1 hour", "1:00:00"),
        (30 * 86_400, "30 days", "720:00:00"),
    ],
)
def test_how_long(seconds: int, said: str, short: str) -> None:
    """In the largest unit that it is a number of."""
    assert span(seconds) == said
    assert span(seconds, short=True) == short


@pytest.mark.parametrize(
    ("typed", "seconds"), [("30s", 30), ("10m", 600), ("2H", 7200), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_how_long_is_typed(typed: str, seconds: int) -> None:
    """A number and a letter."""
    assert parse_span(typed) == seconds
    assert parse_span(f"{typed}x") is parse_span("m") is parse_span("10") is None
