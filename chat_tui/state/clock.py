"""Times of the wire and of people: RFC 3339 to seconds, seconds to local days and minutes."""

import time
from datetime import datetime


class Clock:
    """Turn the wire's times into seconds since 1970, and seconds into local days.

    Messages that follow each other mostly share their minute and their day: both are remembered, which makes
    a message's time cost a comparison instead of a parse.
    """

    def __init__(self) -> None:
        self._minute = ""
        self._minute_start = 0
        self._day = range(0)
        self._day_number = 0

    def seconds(self, stamp: str, otherwise: int) -> int:
        """Return the seconds since 1970 of an RFC 3339 time; `otherwise` where it is none."""
        try:
            if stamp[:16] != self._minute or not stamp.endswith("Z"):
                minute = datetime.fromisoformat(stamp)
                if minute.tzinfo is None or not stamp.endswith("Z"):
                    return int(minute.timestamp())
                self._minute_start = int(minute.timestamp()) - minute.second
                self._minute = stamp[:16]
            return self._minute_start + int(stamp[17:19])
        except (ValueError, OverflowError, OSError):
            return otherwise

    def day(self, seconds: int) -> int:
        """Return the number of the local day, growing by the day."""
        if seconds not in self._day:
            try:
                local = time.localtime(seconds)
            except (ValueError, OverflowError, OSError):  # a time that no calendar of this system holds
                return 0
            # A day of the clock change has 23 or 25 hours: the remembered hours end at midnight's side only.
            into = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec
            self._day = range(seconds - min(into, 3600), seconds + min(86400 - into, 3600))
            self._day_number = local.tm_year * 1000 + local.tm_yday
        return self._day_number
