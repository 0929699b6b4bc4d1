"""Enrichments that RDS itself answers, each with the calls that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.errors import MissingFactError, UnsupportedError
from warden.core.kinds import KINDS, Need
from warden.core.resource import ResourceType
from warden.gateways.databases import users_of_cluster_groups
from warden.gateways.enrichments.parameters import DEFAULT_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.memory import Recalled
    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads


def _exportable_log_types(reads: Reads, resource: Resource) -> list[str]:
    """One call for each engine version."""
    engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
    try:
        found = reads.api.engines.versions(engine, version)
    except UnsupportedError:
        # No AWS endpoint. The API reference names these types for the engine without regard to a version.
        documented = engines.DOCUMENTED_LOG_TYPES.get(engines.family(engine))
        if documented is None:
            raise
        return sorted(documented)
    return sorted({name for item in found for name in item.get("ExportableLogTypes", [])})


def _restore_accounts(reads: Reads, resource: Resource) -> list[str] | Recalled:
    """One call for each manual snapshot; only manual snapshots can be shared, so others are not asked."""
    facts, ref = resource.facts, resource.ref
    if facts["SnapshotType"] != "manual":
        return []
    if "SnapshotCreateTime" not in facts:
        return restore_accounts(reads, ref.resource_type, ref.id)
    # Another snapshot of the same name has another time.
    seen = f"{facts['SnapshotCreateTime']}"
    return reads.recalled(ref.arn, seen=seen) or reads.learned(
        ref.arn, lambda: restore_accounts(reads, ref.resource_type, ref.id), seen=seen
    )


def restore_accounts(reads: Reads, resource_type: ResourceType, name: str) -> list[str]:
    """The accounts that may restore a manual snapshot, or `all`."""
    if resource_type is ResourceType.DB_CLUSTER_SNAPSHOT:
        answer = reads.api.call("DescribeDBClusterSnapshotAttributes", DBClusterSnapshotIdentifier=name)
        attributes = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    else:
        answer = reads.api.call("DescribeDBSnapshotAttributes", DBSnapshotIdentifier=name)
        attributes = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
    return [
        value
        for attribute in attributes
        if attribute["AttributeName"] == "restore"
        for value in attribute.get("AttributeValues", [])
    ]


def _members(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each cluster, or the shared list of instances; none for an instance that is no member."""
    name = resource.facts["DBClusterIdentifier"]
    if name is None:
        return []
    if not reads.bulk:
        return reads.api.every("DescribeDBInstances", Filters=[{"Name": "db-cluster-id", "Values": [name]}])
    return reads.by("DescribeDBInstances", "DBClusterIdentifier").get(name, [])


def _parameter_group_users(reads: Reads, resource: Resource) -> list[str]:
    """The list of clusters: DescribeDBClusters has no filter for a parameter group.

    None for a default group, which nobody can modify, so that nobody need know: a plan that asks all the same is none.
    """
    group = resource.facts["DBClusterParameterGroup"]
    if str(group).startswith(DEFAULT_GROUP):
        raise MissingFactError(
            Need.PARAMETER_GROUP_USERS, f"{group} cannot be modified, so its users were not read"
        )
    return users_of_cluster_groups(reads).get(group, [])


def _blue_green(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The list of blue/green deployments: usually one short page."""
    arn = resource.ref.arn
    return [
        item
        for item in reads.whole("DescribeBlueGreenDeployments")
        if arn in {item.get("Source"), item.get("Target")}
        or any(arn in detail.values() for detail in item.get("SwitchoverDetails", []))
    ]


def _encrypted_copies(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The manual snapshots of the same instance: one call. `core.encryption` knows which are copies."""
    name = resource.facts["DBInstanceIdentifier"]
    return reads.api.every("DescribeDBSnapshots", DBInstanceIdentifier=name, SnapshotType="manual")


def _class_support(reads: Reads, resource: Resource) -> dict[str, dict[str, bool]]:
    """One call for each instance class and engine version."""
    facts = resource.facts
    if resource.ref.resource_type is ResourceType.DB_INSTANCE:
        wanted = {str(facts["DBInstanceClass"])}
    else:
        wanted = {str(member["DBInstanceClass"]) for member in facts[Need.MEMBERS]}
    engine, version = str(facts["Engine"]), str(facts["EngineVersion"])
    found = {name: reads.api.engines.class_support(engine, version, name) for name in sorted(wanted)}
    return {name: support for name, support in found.items() if support is not None}


def _global_cluster(reads: Reads, resource: Resource) -> dict[str, Any] | None:
    """One call for each cluster of a global database, or the shared list of those; none for another cluster."""
    name = resource.facts["GlobalClusterIdentifier"]
    if name is None:
        return None
    if reads.bulk:
        items = reads.by("DescribeGlobalClusters", "GlobalClusterIdentifier").get(name, [])
    else:
        items = reads.api.every("DescribeGlobalClusters", GlobalClusterIdentifier=name)
    for item in items:
        if item["GlobalClusterIdentifier"] == name:
            return {**KINDS[ResourceType.GLOBAL_CLUSTER].omitted, **item}
    raise MissingFactError(Need.GLOBAL_CLUSTER, f"AWS does not list the global cluster {name}")


ANSWERS: Mapping[Need, Answer] = {
    Need.EXPORTABLE_LOG_TYPES: _exportable_log_types,
    Need.RESTORE_ACCOUNTS: _restore_accounts,
    Need.MEMBERS: _members,
    Need.CLASS_SUPPORT: _class_support,
    Need.PARAMETER_GROUP_USERS: _parameter_group_users,
    Need.GLOBAL_CLUSTER: _global_cluster,
    Need.BLUE_GREEN: _blue_green,
    Need.ENCRYPTED_COPIES: _encrypted_copies,
}
