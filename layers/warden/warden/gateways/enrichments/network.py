"""Who can reach a database over the network: security groups, their rules, routes and network ACLs.

In bulk each list is read once: a page holds a thousand groups or rules, and routes and ACLs are few. For one
event only the groups, subnets and VPC of the one database are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.errors import MissingFactError
from warden.core.kinds import Need
from warden.core.resource import ResourceType
from warden.core.security_groups import attached_ids
from warden.gateways.databases import behind, groups_in_use, guarded_by
from warden.gateways.packed import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

PAGE = 1000
"""EC2 answers without pages unless a page's size is asked for; a thousand is the most."""
_FILTER_VALUES = 200
"""How many values a filter of EC2 takes at most (Amazon EC2 User Guide, "List and filter your resources")."""


def described_groups(reads: Reads, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Security groups by their ids, one after the other: one call, or the shared list."""
    return _of_groups(reads, "DescribeSecurityGroups", ids)


def _of_groups(reads: Reads, operation: str, ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The items of groups: "group-id - The ID of the security group" is a filter of both operations."""
    wanted = sorted(set(ids))
    if not wanted:
        return
    if reads.bulk:
        of_group = reads.by(operation, "GroupId", MaxResults=PAGE)
        for group in wanted:
            yield from of_group.get(group, ())
        return
    yield from reads.api.every(operation, Filters=[{"Name": "group-id", "Values": wanted}], MaxResults=PAGE)


def _inbound(reads: Reads, ids: Iterable[str]) -> list[dict[str, Any]]:
    return [item for item in _of_groups(reads, "DescribeSecurityGroupRules", ids) if not item["IsEgress"]]


def _attached(resource: Resource) -> list[str]:
    is_proxy = resource.ref.resource_type is ResourceType.DB_PROXY
    return attached_ids(resource.facts["VpcSecurityGroupIds" if is_proxy else "VpcSecurityGroups"])


def _security_groups(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The groups of a database or a proxy: one call, or the shared list."""
    ids = _attached(resource)
    found = {item["GroupId"]: item for item in described_groups(reads, ids)}
    return [_known(found, group, "security group") for group in ids]


def _known(found: Mapping[str, dict[str, Any]], name: str, what: str) -> dict[str, Any]:
    if name not in found:
        # A VPC that is shared with this account: its owner alone sees this.
        raise MissingFactError(name, f"this account cannot see that {what}")
    return found[name]


def _rules(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The inbound rules of a group, or of all groups of a database: one call, or the shared list."""
    if resource.ref.resource_type is ResourceType.SECURITY_GROUP:
        return _inbound(reads, [resource.ref.id])
    return _inbound(reads, _attached(resource))


def _prefix_lists(reads: Reads, resource: Resource) -> dict[str, list[str]]:
    """The blocks of each prefix list that the rules name: one call for each list."""
    ids = {
        rule["PrefixListId"] for rule in resource.facts[Need.SECURITY_GROUP_RULES] if "PrefixListId" in rule
    }
    return {name: _entries(reads, name) for name in sorted(ids)}


def _entries(reads: Reads, name: str) -> list[str]:
    return reads.once(
        ("prefix list", name),
        lambda: [
            entry["Cidr"]
            for entry in reads.api.every("GetManagedPrefixListEntries", PrefixListId=name, MaxResults=100)
        ],
    )


def _guarded_databases(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The lists of clusters, instances and proxies: none of them has a filter for security groups."""
    return guarded_by(reads, resource.ref.id)


def _sibling_rules(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The inbound rules of the other groups of the same databases: one call, or the shared list."""
    ids = {group for item in behind(resource) for group in item["SecurityGroups"]} - {resource.ref.id}
    return _inbound(reads, ids)


def _network_interfaces(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for the group, or in a sweep one for each two hundred groups of databases: "group-id" is a filter."""
    if not reads.bulk:
        return _interfaces(reads, [resource.ref.id])
    of_group = reads.once(("network interfaces",), lambda: _interfaces_by_group(reads))
    if resource.ref.id in of_group:
        return of_group[resource.ref.id]
    return _interfaces(reads, [resource.ref.id])


def _interfaces(reads: Reads, groups: list[str]) -> list[dict[str, Any]]:
    return reads.api.every(
        "DescribeNetworkInterfaces", Filters=[{"Name": "group-id", "Values": groups}], MaxResults=PAGE
    )


def _interfaces_by_group(reads: Reads) -> Index:
    groups = sorted(groups_in_use(reads))
    known = frozenset(groups)
    found = reads.items(
        _interfaces(reads, groups[first : first + _FILTER_VALUES])
        for first in range(0, len(groups), _FILTER_VALUES)
    )
    return Index(
        found, lambda item: known.intersection(one["GroupId"] for one in item["Groups"]), known=known
    )


# --- subnets ----------------------------------------------------------------------------------------------


def _subnets(reads: Reads, resource: Resource) -> tuple[str, list[str]]:
    """The VPC and the subnets of a database; a cluster's item holds only the name of its subnet group."""
    group = resource.facts["DBSubnetGroup"]
    if group is None:
        return "", []
    if isinstance(group, str):
        group = _known(_subnet_groups(reads, group), group, "DB subnet group")
    return str(group["VpcId"]), [subnet["SubnetIdentifier"] for subnet in group["Subnets"]]


def _subnet_groups(reads: Reads, name: str) -> dict[str, dict[str, Any]]:
    if reads.bulk:
        found = reads.by("DescribeDBSubnetGroups", "DBSubnetGroupName").get(name, [])
    else:
        found = reads.api.every("DescribeDBSubnetGroups", DBSubnetGroupName=name)
    return {item["DBSubnetGroupName"]: item for item in found}


def _in_vpc(reads: Reads, operation: str, vpc: str) -> list[dict[str, Any]]:
    """The route tables or the network ACLs of a VPC: one call, or the shared list."""
    if reads.bulk:
        return reads.by(operation, "VpcId", MaxResults=100).get(vpc, [])
    return reads.api.every(operation, Filters=[{"Name": "vpc-id", "Values": [vpc]}], MaxResults=100)


def _subnet_routes(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """For each subnet its route table, or the main one: one call, or the shared list."""
    vpc, subnets = _subnets(reads, resource)
    return _of_subnets(reads, "DescribeRouteTables", vpc, subnets, routes_of)


def _of_subnets(
    reads: Reads,
    operation: str,
    vpc: str,
    subnets: Sequence[str],
    pick: Callable[[Iterable[Mapping[str, Any]], Sequence[str]], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """What is picked for each subnet of what the VPC has: once for all databases in the same subnets."""
    if not subnets:
        return []
    return reads.once((operation, vpc, *subnets), lambda: pick(_in_vpc(reads, operation, vpc), subnets))


def routes_of(tables: Iterable[Mapping[str, Any]], subnets: Iterable[str]) -> list[dict[str, Any]]:
    """For each subnet of a VPC its route table, or the main one.

    "If a subnet is not explicitly associated with any route table, it is implicitly associated with the main
    route table" (DescribeRouteTables).
    """
    explicit: dict[str, Mapping[str, Any]] = {}
    main: Mapping[str, Any] | None = None
    for table in tables:
        for association in table.get("Associations", []):
            if association.get("Main"):
                main = table
            elif "SubnetId" in association:
                explicit[association["SubnetId"]] = table
    return [
        {"SubnetId": subnet, **_picked(explicit.get(subnet, main), subnet, "RouteTableId", "Routes")}
        for subnet in subnets
    ]


def _subnet_acls(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """For each subnet its network ACL, of which each has exactly one: one call, or the shared list."""
    vpc, subnets = _subnets(reads, resource)
    return _of_subnets(reads, "DescribeNetworkAcls", vpc, subnets, _acls_of)


def _acls_of(acls: Iterable[Mapping[str, Any]], subnets: Iterable[str]) -> list[dict[str, Any]]:
    of_subnet = {association["SubnetId"]: acl for acl in acls for association in acl.get("Associations", [])}
    return [
        {"SubnetId": subnet, **_picked(of_subnet.get(subnet), subnet, "NetworkAclId", "Entries")}
        for subnet in subnets
    ]


def _picked(item: Mapping[str, Any] | None, subnet: str, *members: str) -> dict[str, Any]:
    if item is None:
        # The VPC is shared with this account: its owner alone sees this.
        raise MissingFactError(subnet, f"this account cannot see that subnet's {members[0]}")
    return {member: item[member] for member in members}


ANSWERS: Mapping[Need, Answer] = {
    Need.SECURITY_GROUPS: _security_groups,
    Need.SECURITY_GROUP_RULES: _rules,
    Need.PREFIX_LISTS: _prefix_lists,
    Need.GUARDED_DATABASES: _guarded_databases,
    Need.SIBLING_RULES: _sibling_rules,
    Need.NETWORK_INTERFACES: _network_interfaces,
    Need.SUBNET_ROUTES: _subnet_routes,
    Need.SUBNET_ACLS: _subnet_acls,
}
