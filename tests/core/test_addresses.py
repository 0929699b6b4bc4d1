from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.core.addresses import Addresses, block_size, public

BYTES = st.integers(0, 255)
# Blocks within 198.51.100.0/24, so that every address can be asked.
SMALL = st.builds(
    lambda last, prefix: str(ipaddress.ip_network(f"198.51.100.{last}/{prefix}", strict=False)),
    BYTES,
    st.integers(24, 32),
)


def members(addresses: Addresses) -> set[int]:
    return {n for first, last in addresses.intervals for n in range(first, last + 1)}


def blocks(cidrs: list[str]) -> set[int]:
    return {int(address) for cidr in cidrs for address in ipaddress.ip_network(cidr)}


@given(st.lists(SMALL, max_size=6), st.lists(SMALL, max_size=6))
def test_sets_of_addresses_are_the_sets_of_their_members(one: list[str], other: list[str]) -> None:
    left, right = Addresses.of(4, one), Addresses.of(4, other)
    assert members(left) == blocks(one)
    assert left.size == len(blocks(one))
    assert members(left | right) == blocks(one) | blocks(other)
    assert members(left - right) == blocks(one) - blocks(other)
    assert members(left & right) == blocks(one) & blocks(other)
    assert left.holds(right) is (blocks(one) >= blocks(other))
    assert blocks(left.cidrs()) == blocks(one)


def test_two_halves_are_the_whole() -> None:
    assert Addresses.of(4, ["0.0.0.0/1", "128.0.0.0/1"]) == Addresses.of(4, ["0.0.0.0/0"])
    assert Addresses.of(6, ["::/1", "8000::/1"]) == Addresses.of(6, ["::/0"])


def test_blocks_of_the_other_version_add_nothing() -> None:
    assert not Addresses.of(6, ["0.0.0.0/0"])
    assert not Addresses.of(4, ["::/0"])


@pytest.mark.parametrize(
    "cidr",
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "224.0.0.0/4"],
)
def test_private_addresses_are_not_public(cidr: str) -> None:
    assert not public(Addresses.of(4, [cidr]))


@pytest.mark.parametrize("cidr", ["fc00::/7", "fe80::/10", "ff00::/8", "2001:db8::/32", "::1/128"])
def test_local_addresses_of_version_six_are_not_public(cidr: str) -> None:
    assert not public(Addresses.of(6, [cidr]))


@pytest.mark.parametrize(("version", "cidr"), [(4, "52.0.0.0/8"), (6, "2a05:d018::/36")])
def test_what_hosts_on_the_internet_have_is_public(version: int, cidr: str) -> None:
    block = Addresses.of(version, [cidr])
    assert public(block) == block
    assert block.size == block_size(version, int(cidr.partition("/")[2]))


def test_a_block_may_be_partly_public() -> None:
    assert public(Addresses.of(4, ["172.0.0.0/8"])).size == 2**24 - 2**20
