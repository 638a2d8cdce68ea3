"""Days and times as people say them, both ways. All in the local time of who reads."""

import re
from datetime import UTC, date, datetime, timedelta

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_AGO = {"d": 1, "w": 7, "m": 30, "y": 365}
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_STAMP = r"(\bat )?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(?:Z| UTC)"
_LEAST = 3
"""Letters that say which month or weekday is meant."""


def when(seconds: float, now: float) -> str:
    """Return a time as people say it: `18:02`, `yesterday 18:02`, `Friday 18:02`, `3 March`, `3 March 2025`.

    Args:
        seconds: since 1970.
        now: the same, of now: of today's times only the hour is said.
    """
    then = datetime.fromtimestamp(seconds)
    days = (datetime.fromtimestamp(now).date() - then.date()).days
    if days == 0:
        return f"{then:%H:%M}"
    if days == 1:
        return f"yesterday {then:%H:%M}"
    if 1 < days < 7:
        return f"{WEEKDAYS[then.weekday()].capitalize()} {then:%H:%M}"
    return day(seconds, now)


def until(seconds: float, now: float) -> str:
    """Return when something ends, as people say it: `18:02`, `tomorrow 18:02`, `3 March 18:02`."""
    then = datetime.fromtimestamp(seconds)
    days = (then.date() - datetime.fromtimestamp(now).date()).days
    if days == 0:
        return f"{then:%H:%M}"
    return f"{'tomorrow' if days == 1 else day(seconds, now)} {then:%H:%M}"


def said_here(text: str, now: float) -> str:
    """Return a server's sentence with its times as people say them: `It ends at 18:02.`, `It ends tomorrow 18:02.`."""

    def local(found: re.Match[str]) -> str:
        seconds = seconds_of(f"{found[2]}Z")
        if seconds is None:
            return found[0]
        words = until(seconds, now)
        return f"{found[1] or ''}{words}" if words[0].isdigit() and " " not in words else words

    return re.sub(_STAMP, local, text)


def span(seconds: int, *, short: bool = False) -> str:
    """Return how long something is: `30 seconds`, `2 hours`, `30 days`; in `short` `30 s`, `1:05`, `2:00:00`."""
    if short:
        minutes, left = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return f"{hours}:{minutes:02}:{left:02}"
        return f"{minutes}:{left:02}" if minutes else f"{left} s"
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "0 seconds"


def parse_span(text: str) -> int | None:
    """Return the seconds of `30s`, `10m`, `2h`, `7d`, `2w`, or as words: `10min`, `2hours`; None for anything else."""
    units = "s(?:ecs?|econds?)?|m(?:ins?|inutes?)?|h(?:rs?|ours?)?|d(?:ays?)?|w(?:eeks?)?"
    found = re.fullmatch(rf"(\d{{1,6}})({units})", text.strip().casefold())
    return int(found[1]) * _SPANS[found[2][0]] if found else None


def day(seconds: float, now: float) -> str:
    """Return a day: `3 March`, with the year where it is another one."""
    then, today = datetime.fromtimestamp(seconds), datetime.fromtimestamp(now)
    name = f"{then.day} {MONTHS[then.month - 1].capitalize()}"
    return name if then.year == today.year else f"{name} {then.year}"


def exact(seconds: float) -> str:
    """Return a time to the second, with its day."""
    then = datetime.fromtimestamp(seconds)
    weekday = WEEKDAYS[then.weekday()].capitalize()
    return f"{weekday}, {then.day} {MONTHS[then.month - 1].capitalize()} {then.year}, {then:%H:%M:%S}"


def seconds_of(stamp: str) -> float | None:
    """Return the seconds since 1970 of a time of the wire (RFC 3339); None where it is none."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def parse_day(text: str, now: float) -> date | None:
    """Return the day that was typed; None where it is none.

    `2025-03-03`, `2025-03`, `2025`, `3 march`, `march 3 2025`, `today`, `yesterday`, `friday` (the last one), `10d`,
    `2w`, `3m`, `1y` (so long ago). A day without a year is the last one of its name.
    """
    today = datetime.fromtimestamp(now).date()
    typed = text.strip().casefold()
    try:
        return _named(typed, today) or _iso(typed) or _spoken(typed, today)
    except (ValueError, OverflowError):
        return None


def start(of: date) -> str:
    """Return when a day starts here, as the wire says it."""
    local = datetime(of.year, of.month, of.day).astimezone()
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _named(typed: str, today: date) -> date | None:
    if typed in ("today", "yesterday"):
        return today - timedelta(typed == "yesterday")
    if found := re.fullmatch(r"(\d{1,4})([dwmy])", typed):
        return today - timedelta(int(found[1]) * _AGO[found[2]])
    if len(typed) >= _LEAST:
        for number, name in enumerate(WEEKDAYS):
            if name.startswith(typed):
                return today - timedelta((today.weekday() - number - 1) % 7 + 1)
    return None


def _iso(typed: str) -> date | None:
    found = re.fullmatch(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", typed)
    return date(int(found[1]), int(found[2] or 1), int(found[3] or 1)) if found else None


def _spoken(typed: str, today: date) -> date | None:
    """Read a month's name with a day, a year, or both, in any order."""
    month, number, year = 0, 0, 0
    for word in re.split(r"[\s,.-]+", typed.strip(" .,")):
        if re.fullmatch(r"\d{4}", word):
            year = int(word)
        elif found := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", word):
            number = int(found[1])
        elif len(word) >= _LEAST and (named := [at for at, name in enumerate(MONTHS, 1) if name.startswith(word)]):
            month = named[0]
        else:
            return None
    if not month:
        return None
    that = date(year or today.year, month, number or 1)
    return that if year or that <= today else that.replace(year=today.year - 1)
