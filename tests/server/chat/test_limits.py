"""Limits as settings."""

import math
import re

import pytest

from server.chat.limits import DEFAULTS, Limits, names


def test_settings_change_what_they_name() -> None:
    """The last of several counts; seconds and rates may have a fraction."""
    changed = DEFAULTS.changed(["rate=0.5", "burst=7", "hello=1.5", "burst=8"])
    assert changed == Limits(rate=0.5, burst=8, hello=1.5)
    assert DEFAULTS.changed([]) == Limits()


def test_off_lifts_rate_and_number_and_leaves_what_is_set_beside_it() -> None:
    """The wire's own bounds stay."""
    off = Limits.off()
    assert off.rate == math.inf
    changed = {name for name in names() if getattr(off, name) != getattr(DEFAULTS, name)}
    assert changed == {"rate", "connections", "login_rate"}
    assert off.changed(["connections=2"]).connections == 2


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("rats=5", "there is no limit 'rats'. Did you mean rate? There are: rate, burst, rooms"),
        ("=5", "there is no limit ''. There are: rate"),
        ("rate", "a limit is given as NAME=VALUE, like rate=10."),
        ("rate=", "rate is a number of messages a second from 0.1 to 100000, not ''."),
        ("rate=0", "rate is a number of messages a second from 0.1 to 100000, not '0'."),
        ("rate=nan", "not 'nan'."),
        ("hello=inf", "hello is a number of seconds from 0.1 to 600, not 'inf'."),
        ("burst=1.5", "burst is a whole number of messages from 1 to 100000, not '1.5'."),
        ("line=65537", "line is a whole number of bytes from 1024 to 65536, not '65537'."),
        ("page=4095", "page is a whole number of bytes from 4096 to 65536, not '4095'."),
        ("rooms=251", "rooms is a whole number of rooms from 1 to 250, not '251'."),
    ],
)
def test_what_can_not_be_is_said_in_words(setting: str, words: str) -> None:
    """Which names there are, the nearest, the range and its unit."""
    with pytest.raises(ValueError, match=re.escape(words)):
        DEFAULTS.changed([setting])
