"""Where a request comes from, as far as that can be trusted: the peer itself, or what our own proxies say of it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from litestar.types import Scope

Network = IPv4Network | IPv6Network
_HOUSEHOLD: Final = 64
"""Of an IPv6 address the part that a household or a phone is given; below it one may choose at will."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks from a list with commas. Raises ValueError for what is none."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def network_of(scope: Scope, proxies: Sequence[Network]) -> str:
    """The /32 or /64 that the request comes from.

    X-Forwarded-For is read from its end, and only as far as the hops are ours: what stands before the first address
    that is not one of `proxies` was written by who knows whom.
    """
    client = scope.get("client")
    address = _address(client[0]) if client else None
    if address is None:
        return "unknown"
    for hop in reversed(_forwarded(scope)):
        if not any(address in network for network in proxies if network.version == address.version):
            break
        before = _address(hop)
        if before is None:
            break
        address = before
    return _household(address)


def _forwarded(scope: Scope) -> list[str]:
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
    return [hop for line in lines for hop in line.split(",")]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _household(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address):
        # A zone (fe80::1%eth0) belongs to this machine, not to the network.
        return str(IPv6Network((int(address), _HOUSEHOLD), strict=False))
    return str(IPv4Network(address))
