"""The subnets of a database: which are public, and who gets through their network ACLs to its port."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

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


def let_through(entries: Iterable[Entry], version: int, *, egress: bool, ports: tuple[int, int]) -> Addresses:
    """The addresses between which and every one of these ports TCP passes in a direction.

    "Rules are evaluated in order, starting with the lowest numbered rule", and the first that fits decides.
    """
    block = {4: "CidrBlock", 6: "Ipv6CidrBlock"}[version]
    passed, decided = Addresses(version), Addresses(version)
    for entry in sorted(entries, key=lambda entry: int(entry["RuleNumber"])):
        if entry["Egress"] is not egress or block not in entry or not _covers(entry, ports):
            continue
        addresses = Addresses.of(version, [entry[block]])
        if entry["RuleAction"] == "allow":
            passed |= addresses - decided
        decided |= addresses
    return passed


def _covers(entry: Entry, ports: tuple[int, int]) -> bool:
    if entry["Protocol"] not in _TCP:
        return False
    # "If you specify ... all protocols (-1), traffic on all ports is allowed, regardless of any ports".
    given = entry.get("PortRange")
    if entry["Protocol"] == "-1" or given is None:
        return True
    return bool(given["From"] <= ports[0] and ports[1] <= given["To"])


def strangers(entries: Sequence[Entry], version: int, port: int) -> Addresses:
    """The addresses of the Internet from which a connection to a port comes through, and its answers go back.

    A network ACL keeps no state: answers go to the port from which the caller came, and a hostile caller comes
    from whichever port answers may go to. So each run of ports that the entries do not tell apart is tried.
    """
    inbound = let_through(entries, version, egress=False, ports=(port, port))
    answered = Addresses(version)
    for ports in _runs(entries):
        answered |= let_through(entries, version, egress=True, ports=ports)
    return public(inbound & answered)


def _runs(entries: Iterable[Entry]) -> list[tuple[int, int]]:
    """Runs of ports of a caller within which every outbound entry either covers all or none."""
    ranges = [
        entry["PortRange"]
        for entry in entries
        if entry["Egress"] and entry["Protocol"] in _TCP and entry.get("PortRange")
    ]
    edges = {1, _LAST_PORT + 1}
    edges |= {int(one["From"]) for one in ranges} | {int(one["To"]) + 1 for one in ranges}
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
    limits = {4: settings[LARGEST_PUBLIC_ACL.name], 6: settings[LARGEST_PUBLIC_ACL_IPV6.name]}
    return sorted(
        {
            str(subnet["NetworkAclId"])
            for subnet in resource.facts[Need.SUBNET_ACLS]
            for version in BITS
            if strangers(subnet["Entries"], version, port).size > block_size(version, limits[version])
        }
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
