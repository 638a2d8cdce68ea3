"""Addresses, and the ranges of them that are kept out."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_MAPPED: Final = 96
"""Bits before an address of IPv4 that comes by IPv6."""


def network_of(text: str) -> str:
    """Return an address, or a range of them, as it is kept; ValueError where it is neither."""
    network = ipaddress.ip_network(text.strip(), strict=False)
    start = network.network_address
    if isinstance(start, ipaddress.IPv6Address) and start.ipv4_mapped is not None and network.prefixlen >= _MAPPED:
        return f"{start.ipv4_mapped}/{network.prefixlen - _MAPPED}"
    return str(network)


def is_range(text: str) -> bool:
    """Say whether this is an address, or a range of them."""
    try:
        network_of(text)
    except ValueError:
        return False
    return True


def lies_in(address: str, network: str) -> bool:
    """Say whether an address lies in a range. One of IPv4 that comes by IPv6 is one of IPv4."""
    return bool(ranges_of(address, [network]))


def ranges_of(address: str, networks: Iterable[str]) -> list[str]:
    """Return in which of some ranges an address lies: it is asked of each who comes in, of a thousand perhaps."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return []
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    version, number = known.version, int(known)
    found = []
    for text in networks:
        start, mask, version_of = _bits(text)
        if number & mask == start and version == version_of:
            found.append(text)
    return found


@lru_cache(4096)
def _bits(text: str) -> tuple[int, int, int]:
    """Return a range as its first address, its mask, and the version of IP."""
    network = ipaddress.ip_network(text)
    return int(network.network_address), int(network.netmask), network.version
