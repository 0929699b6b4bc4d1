"""The subnets of a database: which are public, and who gets through their network ACLs to its port."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from warden.core import guidance
from warden.core.addresses import BITS, Addresses, block_size, public
from warden.core.control import Setting, Verdict, compliant, non_compliant, not_applicable
from warden.core.errors import MissingFactError
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.resource import Resource

    Route = Mapping[str, Any]
    Entry = Mapping[str, Any]

_INTERNET_GATEWAY = "igw-"
# "blackhole" is what a route is whose gateway is gone or detached (Route.State).
_LIVE = "active"
_TCP = frozenset({"6", "-1"})
_LAST_PORT = 65535
_BLOCKS = {4: "CidrBlock", 6: "Ipv6CidrBlock"}
_SHOWN = 3

LARGEST_PUBLIC_ACL = Setting(
    name="largest_public_ipv4",
    default=8,
    doc="The prefix length of the largest IPv4 network of the Internet that network ACLs may let through, all entries "
    "together. Private addresses do not count.",
    minimum=1,
    maximum=32,
)
LARGEST_PUBLIC_ACL_IPV6 = Setting(
    name="largest_public_ipv6",
    default=16,
    doc="The same for IPv6, whose Internet is 2000::/3.",
    minimum=4,
    maximum=128,
)


# --- routes -----------------------------------------------------------------------------------------------


def leads_to_the_internet(route: Route) -> bool:
    """Whether a route makes its subnet a public one.

    "If a subnet is associated with a route table that has a route to an internet gateway, it's known as a public
    subnet" (Amazon VPC User Guide): of whatever destination, in either version of the protocol. An egress-only
    internet gateway lets nobody in, and its id is another member's.
    """
    return (
        str(route.get("GatewayId", "")).startswith(_INTERNET_GATEWAY) and route.get("State", _LIVE) == _LIVE
    )


def public_subnets(resource: Resource) -> list[Mapping[str, Any]]:
    """The subnets with a direct way to and from the Internet, each with its route table."""
    return [subnet for subnet in resource.facts[Need.SUBNET_ROUTES] if is_public(subnet)]


def is_public(subnet: Mapping[str, Any]) -> bool:
    """Whether one of a subnet's routes makes it a public one."""
    return any(leads_to_the_internet(route) for route in subnet["Routes"])


def judge_private(resource: Resource) -> Verdict:
    """Whether no subnet of the database has a route to an internet gateway."""
    subnets = resource.facts[Need.SUBNET_ROUTES]
    if not subnets:
        return not_applicable(f"{resource.ref.id} stands in no subnet of a VPC.")
    if found := public_subnets(resource):
        named = ", ".join(f"{one['SubnetId']} (by {one['RouteTableId']})" for one in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return non_compliant(
            f"{resource.ref.id} may stand in subnets that have a route to an internet gateway: {named}{more}."
        )
    return compliant(f"{resource.ref.id} stands in subnets without a route to an internet gateway.")


def move_to_private(resource: Resource) -> Manual:
    """A person changes the routes, or moves the database."""
    tables = sorted({str(subnet["RouteTableId"]) for subnet in public_subnets(resource)})
    moves = (
        "The VPC of an Aurora or Multi-AZ DB cluster is settled when it is made, so it is the routes that have to "
        "change, or the cluster is restored into private subnets."
        if resource.ref.resource_type is ResourceType.DB_CLUSTER
        else "Give its subnets a route table without an internet gateway, or move it to another subnet group, with an "
        "outage."
    )
    return Manual(
        f"Other things in these subnets may need the Internet, and a database does not. {moves}",
        tuple(
            guidance.command(resource, "describe-route-tables", {"route-table-ids": [table]}, service="ec2")
            for table in tables
        ),
    )


# --- network ACLs -----------------------------------------------------------------------------------------


class _Rule(NamedTuple):
    """An entry of a network ACL about TCP, as far as it decides; hashable, since databases share their ACLs."""

    number: int
    egress: bool
    allows: bool
    blocks: tuple[tuple[int, str], ...]
    """Version of the protocol, and block."""
    ports: tuple[int, int] | None
    """None for all."""


def _rules(entries: Iterable[Entry]) -> tuple[_Rule, ...]:
    """What counts of the entries, in their order: "evaluated in order, starting with the lowest numbered rule"."""
    rules = [_rule(entry) for entry in entries if entry["Protocol"] in _TCP]
    return tuple(sorted(rules, key=lambda rule: rule.number))


def _rule(entry: Entry) -> _Rule:
    # "If you specify ... all protocols (-1), traffic on all ports is allowed, regardless of any ports".
    given = None if entry["Protocol"] == "-1" else entry.get("PortRange")
    return _Rule(
        number=int(entry["RuleNumber"]),
        egress=bool(entry["Egress"]),
        allows=entry["RuleAction"] == "allow",
        blocks=tuple((version, str(entry[name])) for version, name in _BLOCKS.items() if name in entry),
        ports=None if given is None else (int(given["From"]), int(given["To"])),
    )


def let_through(entries: Iterable[Entry], version: int, *, egress: bool, ports: tuple[int, int]) -> Addresses:
    """The addresses between which, and every one of these ports, TCP passes: the first rule that fits decides."""
    return _let_through(_rules(entries), version, egress=egress, ports=ports)


def _let_through(rules: Iterable[_Rule], version: int, *, egress: bool, ports: tuple[int, int]) -> Addresses:
    passed, decided = Addresses(version), Addresses(version)
    for rule in rules:
        if rule.egress is not egress or not _covers(rule, ports):
            continue
        addresses = Addresses.of(
            version, [block for of_version, block in rule.blocks if of_version == version]
        )
        if rule.allows:
            passed |= addresses - decided
        decided |= addresses
    return passed


def _covers(rule: _Rule, ports: tuple[int, int]) -> bool:
    return rule.ports is None or (rule.ports[0] <= ports[0] and ports[1] <= rule.ports[1])


def strangers(entries: Iterable[Entry], version: int, port: int) -> Addresses:
    """The addresses of the Internet from which a connection to a port comes through, and its answers go back.

    A network ACL keeps no state: answers go to the port from which the caller came, and a hostile caller comes
    from whichever port answers may go to. So each run of ports that the entries do not tell apart is tried.
    """
    return _strangers(_rules(entries), version, port)


def _strangers(rules: tuple[_Rule, ...], version: int, port: int) -> Addresses:
    inbound = _let_through(rules, version, egress=False, ports=(port, port))
    answered = Addresses(version)
    for ports in _runs(rules):
        answered |= _let_through(rules, version, egress=True, ports=ports)
    return public(inbound & answered)


def _runs(rules: Iterable[_Rule]) -> list[tuple[int, int]]:
    """Runs of ports of a caller within which every outbound entry either covers all or none."""
    ranges = [rule.ports for rule in rules if rule.egress and rule.ports is not None]
    edges = {1, _LAST_PORT + 1} | {first for first, _ in ranges} | {last + 1 for _, last in ranges}
    inside = sorted(edge for edge in edges if 1 <= edge <= _LAST_PORT + 1)
    return [(first, following - 1) for first, following in pairwise(inside)]


def judge_acls(resource: Resource, port: int, settings: Mapping[str, Any]) -> Verdict:
    """Whether the network ACLs of the subnets keep the world from the database's port."""
    subnets = resource.facts[Need.SUBNET_ACLS]
    if not subnets:
        return not_applicable(f"{resource.ref.id} stands in no subnet of a VPC.")
    if acls := open_acls(resource, port, settings):
        return non_compliant(
            f"{resource.ref.id} stands in subnets whose network ACLs let the world reach port {port}: "
            f"{', '.join(acls)}."
        )
    return compliant(
        f"{resource.ref.id} stands in subnets whose network ACLs keep the world from port {port}."
    )


def open_acls(resource: Resource, port: int, settings: Mapping[str, Any]) -> list[str]:
    """The ids of the network ACLs that let too much of the Internet through to a port."""
    limits = (settings[LARGEST_PUBLIC_ACL.name], settings[LARGEST_PUBLIC_ACL_IPV6.name])
    judged: dict[str, Sequence[Entry]] = {}
    found: set[str] = set()
    for subnet in resource.facts[Need.SUBNET_ACLS]:
        acl, entries = str(subnet["NetworkAclId"]), subnet["Entries"]
        # The subnets of a database, as a rule, have one network ACL.
        if judged.get(acl) == entries:
            continue
        judged[acl] = entries
        if _is_open(_rules(entries), port, limits):
            found.add(acl)
    return sorted(found)


@lru_cache(maxsize=256)
def _is_open(rules: tuple[_Rule, ...], port: int, limits: tuple[int, int]) -> bool:
    """Whether more strangers come through than one network has, of IPv4 or of IPv6, of the length that it may have."""
    return any(
        _strangers(rules, version, port).size > block_size(version, limit)
        for version, limit in zip(BITS, limits, strict=True)
    )


def close_acls(resource: Resource, port: int, settings: Mapping[str, Any]) -> Manual:
    """A person writes the entries: a network ACL is for everything in its subnets."""
    acls = open_acls(resource, port, settings)
    return Manual(
        "A network ACL is for everything that stands in its subnets, so Warden changes none. Let in the networks of "
        "the applications, and nothing else, or give the databases subnets of their own.",
        (guidance.command(resource, "describe-network-acls", {"network-acl-ids": acls}, service="ec2"),),
    )


def instance_port(resource: Resource) -> int:
    """The port of an instance: its endpoint has it, once there is one."""
    endpoint = resource.facts["Endpoint"]
    if not endpoint.get("Port"):
        raise MissingFactError("Endpoint", f"{resource.ref.id} does not have a port yet")
    return int(endpoint["Port"])
