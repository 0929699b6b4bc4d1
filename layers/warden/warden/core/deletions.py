"""What CloudTrail recorded of databases that were deleted, and what each of them has left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CLUSTER, INSTANCE = "cluster", "instance"
CALLS: Mapping[str, str] = {"DeleteDBCluster": CLUSTER, "DeleteDBInstance": INSTANCE}
"""The calls that delete databases, and of which type."""

# The members of responseElements, which carry the whole description of what is deleted.
_IDS = {CLUSTER: "dbClusterResourceId", INSTANCE: "dbiResourceId"}
_NAMES = {CLUSTER: "dBClusterIdentifier", INSTANCE: "dBInstanceIdentifier"}
_COPIES = {
    CLUSTER: ("replicationSourceIdentifier",),
    # A member has its data in its cluster.
    INSTANCE: (
        "dBClusterIdentifier",
        "readReplicaSourceDBInstanceIdentifier",
        "readReplicaSourceDBClusterIdentifier",
    ),
}
_OTHER_PRODUCTS = frozenset({"neptune", "docdb"})
_BEFORE = timedelta(hours=24)
"""So long before the call a snapshot may have been taken that still counts as the last one."""


def recorded(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a CloudTrail record says of a deletion: type, name, immutable id, moment, and who called.

    None where nothing was deleted that had data of its own: a call that failed, a member, a replica, another product.
    The immutable id is None where the record lacks the answer, as one that is too large does.
    """
    kind = CALLS[record["eventName"]]
    if record.get("errorCode"):
        return None
    answer = record.get("responseElements") or {}
    if any(answer.get(member) for member in _COPIES[kind]) or answer.get("engine") in _OTHER_PRODUCTS:
        return None
    identity = record.get("userIdentity") or {}
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    asked = record.get("requestParameters") or {}
    name = answer.get(_NAMES[kind]) or asked.get(_NAMES[kind])
    return {
        "Type": kind,
        "Name": str(name).lower(),
        "ResourceId": answer.get(_IDS[kind]),
        "DeletedAt": datetime.fromisoformat(record["eventTime"]),
        "By": issuer.get("arn") or identity.get("arn") or identity.get("invokedBy") or "",
    }


def left_a_backup(deletion: Mapping[str, Any]) -> bool:
    """Whether something is there from which the database can be restored as it was in the end."""
    if deletion["Retained"]:
        return True
    since = deletion["DeletedAt"] - _BEFORE
    return any(
        snapshot["Status"] == "available" and snapshot["SnapshotCreateTime"] >= since
        for snapshot in deletion["Snapshots"]
    )
