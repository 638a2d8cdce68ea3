"""How many connections come from each address."""

import ipaddress
import logging
from functools import lru_cache

from server.chat.limits import Limits

log = logging.getLogger("chat")


class Origins:
    """Counts the connections of each address that has any. An IPv6 address counts with its /64, one subscriber's.

    Loopback is not counted: it is this machine's own people, and proxies, behind which everyone has one address.
    """

    def __init__(self) -> None:
        self._counts: dict[bytes, int] = {}
        self._full: set[bytes] = set()
        """Those of which the log was told that more were turned away: once, until one of them leaves."""

    def enter(self, host: str, limits: Limits) -> bool:
        """Count a connection, unless there are too many from there already; say whether it was."""
        origin = _origin(host)
        if origin is None:
            return True
        count = self._counts.get(origin, 0)
        if count >= limits.connections:
            if origin not in self._full:
                self._full.add(origin)
                log.warning("%s has %d connections: more are turned away", host, count)
            return False
        self._counts[origin] = count + 1
        return True

    def leave(self, host: str) -> None:
        """Count a connection no more that had been counted."""
        origin = _origin(host)
        if origin is None:
            return
        self._full.discard(origin)
        self._counts[origin] -= 1
        if not self._counts[origin]:
            del self._counts[origin]

    def __len__(self) -> int:
        """Return the number of addresses that are counted."""
        return len(self._counts)


@lru_cache(1024)  # as what follows: asked several times for each connection, and many come from the same
def is_loopback(host: str) -> bool:
    """Say whether this is an address of this machine that nobody reaches from elsewhere."""
    address = _address(host)
    return address is not None and address.is_loopback


@lru_cache(1024)
def _origin(host: str) -> bytes | None:
    """Return what an address is counted as; None where it is not counted."""
    address = _address(host)
    if address is None or address.is_loopback:
        return None
    return address.packed if address.version == 4 else address.packed[:8]


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; None where it is none. An IPv4 address that came in by an IPv6 socket is one of IPv4."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a socket that has no address
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
