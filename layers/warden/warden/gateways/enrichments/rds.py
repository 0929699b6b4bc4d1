"""Enrichments that RDS itself answers, each with the calls that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines
from warden.core.errors import UnsupportedError
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads


def _exportable_log_types(reads: Reads, resource: Resource) -> list[str]:
    """One call for each engine version."""
    engine, version = str(resource.facts["Engine"]), str(resource.facts["EngineVersion"])
    try:
        return reads.api.exportable_log_types(engine, version)
    except UnsupportedError:
        # No AWS endpoint. The API reference names these types for the engine without regard to a version.
        documented = engines.DOCUMENTED_LOG_TYPES.get(engines.family(engine))
        if documented is None:
            raise
        return sorted(documented)


def _restore_accounts(reads: Reads, resource: Resource) -> list[str]:
    """One call for each manual snapshot; only manual snapshots can be shared, so others are not asked."""
    if resource.facts["SnapshotType"] != "manual":
        return []
    if resource.ref.resource_type is ResourceType.DB_CLUSTER_SNAPSHOT:
        answer = reads.api.call(
            "DescribeDBClusterSnapshotAttributes", DBClusterSnapshotIdentifier=resource.ref.id
        )
        attributes = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    else:
        answer = reads.api.call("DescribeDBSnapshotAttributes", DBSnapshotIdentifier=resource.ref.id)
        attributes = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
    return [
        value
        for attribute in attributes
        if attribute["AttributeName"] == "restore"
        for value in attribute.get("AttributeValues", [])
    ]


def _members(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each cluster, or the shared list of instances."""
    name = resource.facts["DBClusterIdentifier"]
    if not reads.bulk:
        return reads.api.every("DescribeDBInstances", Filters=[{"Name": "db-cluster-id", "Values": [name]}])
    return [item for item in reads.whole("DescribeDBInstances") if item.get("DBClusterIdentifier") == name]


def _parameter_group_users(reads: Reads, resource: Resource) -> list[str]:
    """The list of clusters: DescribeDBClusters has no filter for a parameter group."""
    group = resource.facts["DBClusterParameterGroup"]
    return [
        item["DBClusterArn"]
        for item in reads.whole("DescribeDBClusters")
        if item.get("DBClusterParameterGroup") == group
    ]


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


ANSWERS: Mapping[Need, Answer] = {
    Need.EXPORTABLE_LOG_TYPES: _exportable_log_types,
    Need.RESTORE_ACCOUNTS: _restore_accounts,
    Need.MEMBERS: _members,
    Need.PARAMETER_GROUP_USERS: _parameter_group_users,
    Need.BLUE_GREEN: _blue_green,
    Need.ENCRYPTED_COPIES: _encrypted_copies,
}
