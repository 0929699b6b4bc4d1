"""Sets of IP addresses, exactly: what several CIDR blocks admit together, and how much of it is the Internet.

`0.0.0.0/1` and `128.0.0.0/1` are all of IPv4 though neither is; so blocks are never compared one by one.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    Interval = tuple[int, int]

BITS = {4: 32, 6: 128}
"""The length of an address, by IP version."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """A set of addresses of one IP version: intervals, both ends included, in order and apart from each other."""

    version: int
    intervals: tuple[Interval, ...] = ()

    @classmethod
    def of(cls, version: int, cidrs: Iterable[str]) -> Addresses:
        """The union of CIDR blocks; blocks of the other version add nothing."""
        parsed = [_parsed(cidr) for cidr in cidrs]
        return cls.joined(version, [interval for of_version, interval in parsed if of_version == version])

    @classmethod
    def joined(cls, version: int, intervals: Iterable[Interval]) -> Addresses:
        """The union of intervals, in any order."""
        joined: list[Interval] = []
        for first, last in sorted(intervals):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], last))
            else:
                joined.append((first, last))
        return cls(version, tuple(joined))

    @property
    def size(self) -> int:
        """How many addresses it holds."""
        return sum(last - first + 1 for first, last in self.intervals)

    def __or__(self, other: Addresses) -> Addresses:
        return self.joined(self.version, (*self.intervals, *other.intervals))

    def __sub__(self, other: Addresses) -> Addresses:
        left = list(self.intervals)
        for first, last in other.intervals:
            left = [piece for interval in left for piece in _without(interval, first, last)]
        return Addresses(self.version, tuple(left))

    def __and__(self, other: Addresses) -> Addresses:
        return self - (self - other)

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def holds(self, other: Addresses) -> bool:
        """Whether every address of the other is among these."""
        return not other - self

    def cidrs(self) -> list[str]:
        """The fewest CIDR blocks that hold exactly these addresses."""
        make = ipaddress.IPv4Address if self.version == 4 else ipaddress.IPv6Address  # noqa: PLR2004 - the version
        return [
            str(network)
            for first, last in self.intervals
            for network in ipaddress.summarize_address_range(make(first), make(last))
        ]


@lru_cache(maxsize=4096)
def _parsed(cidr: str) -> tuple[int, Interval]:
    """The version and the interval of a block; the groups of an account let in the same few."""
    network = ipaddress.ip_network(cidr, strict=False)
    return network.version, (int(network.network_address), int(network.broadcast_address))


def _without(interval: Interval, first: int, last: int) -> list[Interval]:
    begin, end = interval
    pieces = [(begin, min(end, first - 1)), (max(begin, last + 1), end)]
    if end < first or begin > last:
        return [interval]
    return [(low, high) for low, high in pieces if low <= high]


# IANA, "IPv4 Special-Purpose Address Registry" with multicast (224/4): what no host on the Internet has.
_NOT_PUBLIC_V4 = Addresses.of(
    4,
    (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    ),
)
# IANA, "Internet Protocol Version 6 Address Space": global unicast is 2000::/3, of which 2001:db8::/32 and
# 3fff::/20 are for documentation.
_PUBLIC = {
    4: Addresses.of(4, ["0.0.0.0/0"]) - _NOT_PUBLIC_V4,
    6: Addresses.of(6, ["2000::/3"]) - Addresses.of(6, ["2001:db8::/32", "3fff::/20"]),
}


@lru_cache(maxsize=1024)
def public(addresses: Addresses) -> Addresses:
    """Those that hosts on the Internet have."""
    return addresses & _PUBLIC[addresses.version]


def block_size(version: int, prefix: int) -> int:
    """How many addresses a block with a prefix of this length holds."""
    return int(1 << (BITS[version] - prefix))
