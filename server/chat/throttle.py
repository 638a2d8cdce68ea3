"""How often passwords may be tried: from an address, for a name from an address, for a name from anywhere.

Looked at before anything is hashed. Each wrong one counts; a right one does not. Nobody can lock out the owner of an
account: addresses from which its owner has come in before are not slowed by what others try, and sessions by nothing.
"""

import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from server.chat.limits import Limits
from server.protocol.errors import Code, ProtocolError

KEPT: Final = 20_000
"""Addresses, and names, whose attempts are counted: some 5 MiB each. Beyond it those that tried longest ago are
forgotten; as only what is hashed counts, it takes many minutes to push one out."""

SHARE: Final = 4
"""How much more one address, or all addresses together for one name, may try than one address for one name."""


class Throttle:
    """Counts attempts. All wrong ones look alike: a name that nobody has is slowed as one that somebody has."""

    def __init__(self, limits: Limits) -> None:
        self._of_name = _Buckets(limits.logins, limits.login_rate)
        self._of_address = _Buckets(limits.logins * SHARE, limits.login_rate * SHARE)
        self._anywhere = _Buckets(limits.logins * SHARE, limits.login_rate)

    def attempt(self, host: str, name: str = "") -> "Attempt":
        """Count an attempt from an address, for a name or for none; ProtocolError where there were too many."""
        where = origin(host)
        taken = Attempt()
        taken.take(self._of_address, where)
        if name:
            taken.take(self._of_name, (where, _key(name)))
        return taken

    def anywhere(self, taken: "Attempt", name: str) -> None:
        """Count it for the name over all addresses, too: where its owner has never come in from this one."""
        taken.take(self._anywhere, _key(name))


class Attempt:
    """An attempt that was counted."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: list[tuple[_Buckets, Hashable]] = []

    def take(self, buckets: "_Buckets", key: Hashable) -> None:
        """Count it here, too; ProtocolError, and it counts nowhere, where there were too many."""
        wait = buckets.take(key)
        if wait:
            self.give_back()
            raise ProtocolError(Code.RATE_LIMITED, f"Too many attempts. Again in {-(-wait // 1000)} s.", wait_ms=wait)
        self._taken.append((buckets, key))

    def give_back(self) -> None:
        """Let it not count: it was right, or nothing was tried."""
        for buckets, key in self._taken:
            buckets.give_back(key)
        self._taken.clear()


class _Buckets:
    """The generic cell rate algorithm (see `rate.py`), one number a key."""

    def __init__(self, burst: float, rate: float) -> None:
        self._share = round(60e9 / rate)
        self._ahead = round((burst - 1) * self._share)
        self._due: OrderedDict[Hashable, int] = OrderedDict()

    def take(self, key: Hashable) -> int:
        """Count one and return 0, or return the milliseconds until there may be another."""
        now = time.monotonic_ns()
        due = max(self._due.get(key, 0), now)
        wait = due - now - self._ahead
        if wait > 0:
            return -(-wait // 1_000_000)
        self._due[key] = due + self._share
        self._due.move_to_end(key)
        if len(self._due) > KEPT:
            self._due.popitem(last=False)
        return 0

    def give_back(self, key: Hashable) -> None:
        """Let one that was counted not count."""
        due = self._due.get(key, 0) - self._share
        if due > time.monotonic_ns():
            self._due[key] = due
        else:
            self._due.pop(key, None)


def origin(host: str) -> bytes:
    """Return what an address counts as: in IPv6 its /64, one subscriber's."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a socket that has none
        return b""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return address.packed[:8]
    return address.packed[-4:]


def _key(name: str) -> bytes:
    """Return a name as it is counted: of one length, and the same for all that are taken for the same account's.

    An ı without its dot has the capital of an i: casefold alone would count it as another letter.
    """
    return hashlib.blake2b(name.upper().casefold().encode(), digest_size=12).digest()
