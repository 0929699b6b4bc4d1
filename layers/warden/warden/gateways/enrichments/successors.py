"""What a procedure has made so far of a cluster's successor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import successor_calls
from warden.core.errors import ResourceGoneError
from warden.core.kinds import KINDS, Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads


def _successor(reads: Reads, resource: Resource) -> dict[str, Any]:
    """The list of clusters, since a successor that was renamed is known by its tag alone; one call for the snapshot."""
    name = successor_calls.name(resource.facts)
    clusters = reads.whole("DescribeDBClusters")
    cluster = next((one for one in clusters if one["DBClusterIdentifier"] == name), None)
    return {
        "Cluster": None if cluster is None else {**KINDS[ResourceType.DB_CLUSTER].omitted, **cluster},
        "Others": [
            one["DBClusterIdentifier"]
            for one in clusters
            if one["DBClusterIdentifier"] != name and _succeeds(one, resource.facts["DbClusterResourceId"])
        ],
        "Members": [] if cluster is None else _members(reads, name),
        "Snapshot": _snapshot(reads, name),
        "Record": reads.record(resource.ref.beside(ResourceType.DB_CLUSTER, name).arn),
        "SnapshotRecord": reads.record(resource.ref.beside(ResourceType.DB_CLUSTER_SNAPSHOT, name).arn),
    }


def _succeeds(cluster: Mapping[str, Any], resource_id: str) -> bool:
    tags = {tag["Key"]: tag.get("Value", "") for tag in cluster.get("TagList") or []}
    return tags.get(successor_calls.SUCCESSOR_OF) == resource_id


def _members(reads: Reads, name: str) -> list[dict[str, Any]]:
    if reads.bulk:
        return list(reads.by("DescribeDBInstances", "DBClusterIdentifier").get(name, ()))
    found: list[dict[str, Any]] = reads.api.every(
        "DescribeDBInstances", Filters=[{"Name": "db-cluster-id", "Values": [name]}]
    )
    return found


def _snapshot(reads: Reads, name: str) -> dict[str, Any] | None:
    kind = KINDS[ResourceType.DB_CLUSTER_SNAPSHOT]
    if reads.bulk:
        items = [one for one in reads.whole(kind.describe) if one[kind.identifier] == name]
    else:
        try:
            items = reads.api.every(kind.describe, **{kind.identifier: name})
        except ResourceGoneError:
            items = []
    return {**kind.omitted, **items[0]} if items else None


ANSWERS: Mapping[Need, Answer] = {Need.SUCCESSOR: _successor}
