"""What a procedure has made so far, and what it needs room and a place for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import encryption, own_group, subnets
from warden.core.errors import MissingFactError, ResourceGoneError
from warden.core.kinds import KINDS, Need
from warden.core.resource import Deployment, ResourceRef, ResourceType
from warden.core.snapshot_procedure import NAME_LIMIT
from warden.gateways.enrichments.network import PAGE, routes_of
from warden.gateways.enrichments.rds import restore_accounts
from warden.gateways.kinds.rds import RdsKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads


def _encryption_procedure(reads: Reads, resource: Resource) -> dict[str, Any]:
    """What has the name of the copy: one call for a snapshot, one for a cluster, one for the copy's accounts."""
    kind = resource.ref.resource_type
    of_cluster = kind is ResourceType.DB_CLUSTER_SNAPSHOT
    limit = NAME_LIMIT if of_cluster else encryption.NAME_LIMIT
    name = encryption.copy_name(resource.ref.id, limit=limit)
    cluster = _described(reads, ResourceType.DB_CLUSTER, name) if of_cluster else None
    snapshot = _described(reads, kind, name)
    if snapshot is not None:
        # One that is still being made is shared with nobody.
        available = snapshot["Status"] == "available"
        snapshot["RestoreAccounts"] = restore_accounts(reads, kind, name) if available else []
    made = ResourceRef.build(
        ResourceType.DB_CLUSTER if of_cluster else kind,
        partition=resource.ref.partition,
        region=resource.ref.region,
        account=resource.ref.account,
        name=name,
    )
    record = reads.record(made.arn)
    return {"Temporary": cluster, "Result": snapshot, "Record": record}


def _described(reads: Reads, resource_type: ResourceType, name: str) -> dict[str, Any] | None:
    """A thing by its name, with what AWS omits filled in."""
    kind = KINDS[resource_type]
    found = _named(reads, kind.describe, kind.identifier, name)
    return None if found is None else {**kind.omitted, **found}


def _named(reads: Reads, operation: str, parameter: str, name: str) -> dict[str, Any] | None:
    """One thing by its name: None where there is none, which as a rule is so."""
    if reads.bulk:
        return next(iter(reads.by(operation, parameter).get(name, [])), None)
    try:
        items = reads.api.every(operation, **{parameter: name})
    except ResourceGoneError:
        return None
    return items[0] if items else None


def _own_group(reads: Reads, resource: Resource) -> dict[str, Any]:
    """The group, what was set in it, and the list of who could use it: three calls where there is one, else one."""
    of_cluster = resource.ref.resource_type is ResourceType.DB_CLUSTER
    level = own_group.LEVELS[resource.ref.resource_type]
    name = level.name(resource.facts)
    kind = KINDS[ResourceType.DB_CLUSTER_PARAMETER_GROUP if of_cluster else ResourceType.DB_PARAMETER_GROUP]
    ref = ResourceRef.build(
        kind.resource_type,
        partition=resource.ref.partition,
        region=resource.ref.region,
        account=resource.ref.account,
        name=name,
    )
    record = reads.record(ref.arn)
    found = _named(reads, kind.describe, kind.identifier, name)
    if found is None:
        return {"Description": None, "Values": {}, "Users": [], "Record": record}
    operation = "DescribeDBClusterParameters" if of_cluster else "DescribeDBParameters"
    users = RdsKind(kind.resource_type).users(reads, ref, Deployment(ref.account, ref.region, ref.partition))
    return {
        "Description": found["Description"],
        "Values": {
            item["ParameterName"]: str(item.get("ParameterValue", ""))
            for item in reads.api.every(operation, Source="user", **{kind.identifier: name})
        },
        "Users": [user.id for user in users],
        "Record": record,
    }


def _quotas(reads: Reads, resource: Resource) -> dict[str, dict[str, int]]:
    """One call, shared by a sweep; how many there are changes from one moment to the next, so that who writes asks."""
    del resource
    quotas = reads.once(
        ("account quotas",), lambda: reads.api.call("DescribeAccountAttributes")["AccountQuotas"]
    )
    return {item["AccountQuotaName"]: {"Used": item["Used"], "Max": item["Max"]} for item in quotas}


def _subnet_groups(reads: Reads, resource: Resource) -> dict[str, dict[str, Any]]:
    """Two lists. A group in a VPC whose routes this account cannot see counts as public."""
    del resource
    return reads.once(("places",), lambda: _places(reads))


def _places(reads: Reads) -> dict[str, dict[str, Any]]:
    tables: dict[str, list[dict[str, Any]]] = {}
    for table in reads.whole("DescribeRouteTables", MaxResults=100):
        tables.setdefault(table["VpcId"], []).append(table)
    return {
        group["DBSubnetGroupName"]: {"VpcId": group["VpcId"], "Public": _public(group, tables)}
        for group in reads.whole("DescribeDBSubnetGroups")
    }


def _public(group: Mapping[str, Any], tables: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    names = [subnet["SubnetIdentifier"] for subnet in group["Subnets"]]
    try:
        found = routes_of(tables.get(group["VpcId"], ()), names)
    except MissingFactError:
        return names
    return [subnet["SubnetId"] for subnet in found if subnets.is_public(subnet)]


def _inbound_rules(reads: Reads, resource: Resource) -> dict[str, dict[str, Any]]:
    """One list."""
    del resource
    return reads.once(
        ("inbound rules",),
        lambda: {
            group["GroupId"]: {"VpcId": group.get("VpcId", ""), "Inbound": len(group["IpPermissions"])}
            for group in reads.whole("DescribeSecurityGroups", MaxResults=PAGE)
        },
    )


def _alias_keys(reads: Reads, resource: Resource) -> dict[str, str]:
    """One list; an alias of AWS's own may point to no key yet."""
    del resource
    return reads.once(
        ("keys of aliases",),
        lambda: {
            item["AliasName"]: item["TargetKeyId"]
            for item in reads.whole("ListAliases", Limit=100)
            if "TargetKeyId" in item
        },
    )


ANSWERS: Mapping[Need, Answer] = {
    Need.ENCRYPTION_PROCEDURE: _encryption_procedure,
    Need.OWN_GROUP: _own_group,
    Need.QUOTAS: _quotas,
    Need.SUBNET_GROUPS: _subnet_groups,
    Need.INBOUND_RULES: _inbound_rules,
    Need.ALIAS_KEYS: _alias_keys,
}
