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
    named = reads.by("DescribeDBClusters", "DBClusterIdentifier").get(name, [])
    succeeding = reads.once(("successors",), lambda: _by_what_they_succeed(reads))
    return {
        "Cluster": {**KINDS[ResourceType.DB_CLUSTER].omitted, **named[0]} if named else None,
        "Others": [one for one in succeeding.get(resource.facts["DbClusterResourceId"], ()) if one != name],
        "Members": _members(reads, name) if named else [],
        "Snapshot": _snapshot(reads, name),
        "Record": reads.record(resource.ref.beside(ResourceType.DB_CLUSTER, name).arn),
        "SnapshotRecord": reads.record(resource.ref.beside(ResourceType.DB_CLUSTER_SNAPSHOT, name).arn),
    }


def _by_what_they_succeed(reads: Reads) -> dict[str, list[str]]:
    """The names of clusters by the resource id, in a tag of theirs, of the cluster that each succeeds."""
    found: dict[str, list[str]] = {}
    for cluster in reads.whole("DescribeDBClusters"):
        tags = {tag["Key"]: tag.get("Value", "") for tag in cluster.get("TagList") or []}
        if successor_calls.SUCCESSOR_OF in tags:
            found.setdefault(tags[successor_calls.SUCCESSOR_OF], []).append(cluster["DBClusterIdentifier"])
    return found


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
        items = reads.by(kind.describe, kind.identifier).get(name, [])
    else:
        try:
            items = reads.api.every(kind.describe, **{kind.identifier: name})
        except ResourceGoneError:
            items = []
    return {**kind.omitted, **items[0]} if items else None


ANSWERS: Mapping[Need, Answer] = {Need.SUCCESSOR: _successor}
