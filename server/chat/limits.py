"""What a server grants each person, connection and address: settings, each with its unit and its reason.

The bounds of the wire itself, on which client and server must agree, are `server.protocol.limits`.
"""

import difflib
import math
import sys
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, TypeVar

from server.protocol import limits as wire

T = TypeVar("T")


def _limit(default: T, least: float, most: float, unit: str) -> T:
    return field(default=default, metadata={"least": least, "most": most, "unit": unit})


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit that can be set. docs/limits.md has the same as a table, for people."""

    rate: float = _limit(10, 0.1, 100_000, "messages a second")
    """What one person may write in the long run, over all their connections: `send`, `join`, `leave` and `nick`.
    Nobody types as fast; a room with one program that does is still read by people."""

    burst: int = _limit(100, 1, 100_000, "messages")
    """What may come at once before `rate` counts: a pasted text, or what was written while offline."""

    rooms: int = _limit(wire.ROOMS, 1, wire.ROOMS, "rooms")
    """Rooms that one person may be in. Not more: their names must fit the one line of the welcome."""

    connections: int = _limit(250, 1, 1_000_000, "connections")
    """From one address (in IPv6, one /64): a class or an office behind one router. This machine's own are not counted:
    proxies come from there."""

    logins: int = _limit(5, 1, 1_000_000, "attempts")
    """Wrong passwords for one name from one address that may come at once before `login_rate` counts: a person who has
    several passwords. For all names from one address, and for one name from all addresses, four times as many."""

    login_rate: float = _limit(2, 0.01, 1_000_000, "attempts a minute")
    """The same in the long run: 2,880 guesses a day find no password that is worth its name."""

    hello: float = _limit(10, 0.1, 600, "seconds")
    """For a new connection to say anything at all, and again to end its first line, over TLS with the handshake: a port
    scan does neither, a person at `nc` does."""

    name: float = _limit(120, 0.1, 3600, "seconds")
    """After that, to be welcomed: after a hello that was refused, a person is choosing another name."""

    line: int = _limit(wire.LINE, 1024, wire.LINE, "bytes")
    """The longest line that is taken: what a connection makes the server hold. Not longer: clients count on it."""

    early: int = _limit(8192, 1024, wire.LINE, "bytes")
    """The same, before the welcome: who may not come in makes the server hold less."""

    page: int = _limit(wire.LINE, 4096, wire.LINE, "bytes")
    """A page of history, whatever number of messages was asked for. One message at least is in it."""

    faults: int = _limit(50, 1, 1_000_000, "lines")
    """Lines that are no frames, after which a connection ends: a person at `nc` makes a few, a broken program many."""

    unanswered: int = _limit(128, 1, 2048, "requests")
    """Requests that a connection may have under way; beyond them it is not read. With texts of 16 KiB that is 2 MiB."""

    stalled: float = _limit(60, 1, 86_400, "seconds")
    """For a reader whose buffer is full to take anything of it: after a minute nobody reads there any more."""

    grace: float = _limit(10, 0, 3600, "seconds")
    """That a lost connection's name is kept, and nobody told: most drops are over by then."""

    crowd: int = _limit(2000, 10, 1_000_000, "people")
    """Online in one room, from which on it is a crowd: how many are here is told, and the names of a few. Until less
    than three quarters of that are left. Nobody reads 2,000 names, and names told of all to all are the square of that:
    32 MB while 2,000 come in, 1.3 GB while 10,000 do."""

    @classmethod
    def off(cls) -> "Limits":
        """Return what lifts the limits of rate and number, for benchmarks; the wire's own bounds stay."""
        return cls(rate=math.inf, connections=sys.maxsize, login_rate=math.inf)

    def changed(self, settings: list[str]) -> "Limits":
        """Return these limits with some set anew; ValueError, with a text for people, where that can't be.

        Args:
            settings: each `NAME=VALUE`, as on the command line.
        """
        changes: dict[str, Any] = dict(map(_setting, settings))
        return replace(self, **changes)


_BY_NAME: Final = {limit.name: limit for limit in fields(Limits)}

DEFAULTS: Final = Limits()


def names() -> list[str]:
    """Return the names of all limits."""
    return list(_BY_NAME)


def _setting(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    limit = _BY_NAME.get(name)
    if limit is None:
        meant = difflib.get_close_matches(name, _BY_NAME, 1)
        hint = f"Did you mean {meant[0]}? " if meant else ""
        raise ValueError(f"there is no limit {name!r}. {hint}There are: {', '.join(_BY_NAME)}.")
    if not equals:
        raise ValueError(f"a limit is given as NAME=VALUE, like {name}={limit.default}.")
    least, most, unit = (limit.metadata[key] for key in ("least", "most", "unit"))
    kind = int if limit.type is int else float
    try:
        number = kind(value)
        if least <= number <= most:
            return name, number
    except ValueError:
        pass
    whole = "a whole number" if kind is int else "a number"
    raise ValueError(f"{name} is {whole} of {unit} from {least} to {most}, not {value!r}.")
