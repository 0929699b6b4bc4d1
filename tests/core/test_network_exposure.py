"""What rules and entries admit together, against a model that asks for each address and port by itself."""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from warden.core.addresses import Addresses, public
from warden.core.security_groups import openings
from warden.core.subnets import let_through, strangers

SETTINGS = {"largest_public_ipv4": 8, "largest_public_ipv6": 16}

# Entries about 52.0.0.0/24 and a handful of ports, so that every case can be asked.
PORTS = st.sampled_from([1, 5431, 5432, 5433, 40000, 65535])
RANGES = st.tuples(PORTS, PORTS).map(lambda pair: {"From": min(pair), "To": max(pair)})
BLOCKS = st.builds(
    lambda last, prefix: str(ipaddress.ip_network(f"52.0.0.{last}/{prefix}", strict=False)),
    st.integers(0, 255),
    st.integers(24, 32),
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "RuleAction": st.sampled_from(["allow", "deny"]),
            "Protocol": st.sampled_from(["6", "-1", "17"]),
            "Egress": st.booleans(),
            "CidrBlock": BLOCKS,
            "PortRange": RANGES,
        }
    ),
    max_size=6,
).map(lambda entries: [{"RuleNumber": number, **entry} for number, entry in enumerate(entries, start=1)])


def passes(entries: list[dict[str, Any]], address: int, port: int, *, egress: bool) -> bool:
    """The first entry that fits decides, as the user guide says it."""
    for entry in entries:
        fits = (
            entry["Egress"] is egress
            and entry["Protocol"] in {"6", "-1"}
            and ipaddress.IPv4Address(address) in ipaddress.ip_network(entry["CidrBlock"])
            and (entry["Protocol"] == "-1" or entry["PortRange"]["From"] <= port <= entry["PortRange"]["To"])
        )
        if fits:
            return str(entry["RuleAction"]) == "allow"
    return False


def members(addresses: Addresses) -> set[int]:
    return {n for first, last in addresses.intervals for n in range(first, last + 1)}


@given(ENTRIES)
def test_what_a_network_acl_lets_in_is_what_its_first_fitting_entries_allow(
    entries: list[dict[str, Any]],
) -> None:
    base = int(ipaddress.IPv4Address("52.0.0.0"))
    # Entries are given in any order; their numbers decide.
    found = members(let_through(entries[::-1], 4, egress=False, ports=(5432, 5432)))
    assert found == {base + n for n in range(256) if passes(entries, base + n, 5432, egress=False)}


@given(ENTRIES)
def test_a_caller_gets_through_if_any_port_of_his_is_answered(entries: list[dict[str, Any]]) -> None:
    base = int(ipaddress.IPv4Address("52.0.0.0"))
    # No entry tells any port apart but at these edges.
    callers = {1, 2, 5430, 5431, 5432, 5433, 5434, 39999, 40000, 40001, 65534, 65535}
    expected = {
        base + n
        for n in range(256)
        if passes(entries, base + n, 5432, egress=False)
        and any(passes(entries, base + n, port, egress=True) for port in callers)
    }
    assert members(strangers(entries, 4, 5432)) == expected


def rule(number: int, cidr: str) -> dict[str, Any]:
    member = "CidrIpv6" if ":" in cidr else "CidrIpv4"
    return {
        "SecurityGroupRuleId": f"sgr-{number}",
        "GroupId": "sg-1",
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 0,
        "ToPort": 65535,
        member: cidr,
    }


def split(prefix: int, keep: int) -> list[str]:
    """The Internet in pieces: the first `keep` networks of a length, and the rest in halves of halves."""
    pieces = list(ipaddress.ip_network("0.0.0.0/0").subnets(new_prefix=prefix))
    return [str(piece) for piece in pieces[:keep]]


@given(st.integers(1, 8), st.data())
def test_however_the_world_is_split_what_is_left_after_the_plan_is_narrow(
    prefix: int, data: st.DataObject
) -> None:
    cidrs = split(prefix, 2**prefix)
    keep = data.draw(st.integers(len(cidrs) // 2 + 1, len(cidrs)))
    rules = [
        rule(number, cidr) for number, cidr in enumerate([*cidrs[:keep], "198.18.0.0/15", "54.1.2.0/24"])
    ]
    [opening] = openings(rules, {}, 5432, SETTINGS)
    left = [one for one in rules if one["SecurityGroupRuleId"] not in opening.rules]
    assert openings(left, {}, 5432, SETTINGS) == []
    assert f"sgr-{keep}" not in opening.rules, "what lets in nobody from the Internet stays"
    assert f"sgr-{keep + 1}" not in opening.rules, "so does the office"
    assert public(Addresses.of(4, [one["CidrIpv4"] for one in left])).size <= 2**24


def test_the_versions_are_judged_apart() -> None:
    rules = [rule(1, "0.0.0.0/0"), rule(2, "::/0"), rule(3, "2a05:d018::/36")]
    four, six = openings(rules, {}, 5432, SETTINGS)
    assert (four.version, four.rules) == (4, ("sgr-1",))
    assert (six.version, six.rules) == (6, ("sgr-2",))
