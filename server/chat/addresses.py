"""Addresses, and the ranges of them that are kept out."""

import ipaddress
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


def lies_in(address: str, network: str) -> bool:
    """Say whether an address lies in a range. One of IPv4 that comes by IPv6 is one of IPv4."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return known in _network(network)


@lru_cache(4096)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)
