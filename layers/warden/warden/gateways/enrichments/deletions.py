"""The databases that were deleted lately, and what is left of each."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.deletions import CALLS, CLUSTER, INSTANCE, recorded
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

_WEEKS = timedelta(days=14)
"""The most that the policy may ask for; CloudTrail keeps ninety days."""
_SNAPSHOT_TYPES = ("manual", "awsbackup")
_MANY = 30
"""From so many deletions on, the lists of all snapshots take fewer calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operations:
    """How AWS lists databases of a type, their snapshots and their backups, by which id."""

    live: str
    snapshots: str
    name: str
    backups: str
    resource_id: str


_OPERATIONS: Mapping[str, _Operations] = {
    CLUSTER: _Operations(
        live="DescribeDBClusters",
        snapshots="DescribeDBClusterSnapshots",
        name="DBClusterSnapshotIdentifier",
        backups="DescribeDBClusterAutomatedBackups",
        resource_id="DbClusterResourceId",
    ),
    INSTANCE: _Operations(
        live="DescribeDBInstances",
        snapshots="DescribeDBSnapshots",
        name="DBSnapshotIdentifier",
        backups="DescribeDBInstanceAutomatedBackups",
        resource_id="DbiResourceId",
    ),
}


def _deletions(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each fifty deletions of a type; where there are any, the lists of databases and of retained backups.

    And two for each database that is gone: its snapshots, and those of AWS Backup.
    """
    since = resource.observed_at - _WEEKS
    found = []
    for call, kind in CALLS.items():
        events = reads.api.every(
            "LookupEvents",
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": call}],
            StartTime=since,
            EndTime=resource.observed_at,
        )
        records = (recorded(json.loads(event["CloudTrailEvent"])) for event in events)
        deleted = [record for record in records if record is not None]
        if deleted:
            found += _what_is_left(reads, _OPERATIONS[kind], deleted)
    return sorted(found, key=lambda one: (one["DeletedAt"], one["Name"]))


def _what_is_left(reads: Reads, of: _Operations, deleted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Still there: the deletion is not done, and its final snapshot may not be.
    live = {item[of.resource_id] for item in reads.whole(of.live)}
    retained = {
        item[of.resource_id]
        for item in reads.whole(of.backups, Filters=[{"Name": "status", "Values": ["retained"]}])
    }
    gone = [one for one in deleted if one["ResourceId"] not in live]
    snapshots = _snapshots(reads, of, {one["ResourceId"] for one in gone} - {None})
    return [
        {
            **one,
            "Retained": one["ResourceId"] in retained,
            "Snapshots": snapshots.get(one["ResourceId"], []),
        }
        for one in gone
    ]


def _snapshots(reads: Reads, of: _Operations, ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """The snapshots of each database by its immutable id, one by one, or all of the Region."""
    every: list[Mapping[str, Any]] = (
        [{}] if len(ids) > _MANY else [{of.resource_id: one} for one in sorted(ids)]
    )
    found: dict[str, list[dict[str, Any]]] = {one: [] for one in ids}
    for kind in _SNAPSHOT_TYPES:
        for which in every:
            for item in reads.api.every(of.snapshots, SnapshotType=kind, **which):
                if item.get(of.resource_id) in found:
                    found[item[of.resource_id]].append(
                        {
                            "SnapshotIdentifier": item[of.name],
                            "Status": item["Status"],
                            # There is none while it is being made.
                            "SnapshotCreateTime": item.get("SnapshotCreateTime"),
                        }
                    )
    return found


ANSWERS: Mapping[Need, Answer] = {Need.DELETIONS: _deletions}
