"""Snapshots of clusters: taking, copying, listing and deleting them."""

from __future__ import annotations

from typing import Any

from moto.rds.models import rds_backends as all_backends

from console.local.rds import encryption
from console.local.rds.call import (
    Call,
    account_of,
    conflicting,
    filtered,
    find_cluster,
    named,
    refuse,
    region_of,
    tag_list,
)
from console.local.rds.cluster_items import AVAILABLE
from console.local.rds.cluster_items import status as cluster_status
from console.local.rds.encryption import encryption_of
from console.local.rds.registry import Correction, Topic
from console.local.rds.snapshots import (
    check_available,
    check_deletable,
    check_new_name,
    check_quota,
    copied_key,
    copied_tags,
    status,
    take_of_cluster,
    visible,
)
from console.local.rds.state import StorageEncryptionType, extras


def present(call: Call, snapshot: Any) -> dict[str, Any]:
    """Render a DBClusterSnapshot."""
    cluster = snapshot.cluster
    now = status(call, snapshot)
    item: dict[str, Any] = {
        "AvailabilityZones": list(cluster.availability_zones),
        "DBClusterSnapshotIdentifier": snapshot.db_cluster_snapshot_identifier,
        "DBClusterIdentifier": snapshot.db_cluster_identifier,
        "SnapshotCreateTime": snapshot.created,
        "Engine": snapshot.engine,
        "EngineMode": cluster.engine_mode,
        "AllocatedStorage": snapshot.allocated_storage,
        "Status": now,
        "Port": 0,
        "VpcId": _vpc_id(snapshot.backend, cluster.db_subnet_group_name),
        "ClusterCreateTime": snapshot.cluster_create_time,
        "MasterUsername": snapshot.master_username,
        "EngineVersion": snapshot.engine_version,
        "LicenseModel": cluster.license_model,
        "SnapshotType": snapshot.snapshot_type,
        "PercentProgress": 100 if now == AVAILABLE else 0,
        "BackupRetentionPeriod": cluster.backup_retention_period,
        "PreferredBackupWindow": cluster.preferred_backup_window,
        "DBClusterSnapshotArn": snapshot.arn,
        "IAMDatabaseAuthenticationEnabled": bool(cluster.iam_auth),
        "TagList": list(snapshot.tags),
        "StorageType": cluster.storage_type,
        "DbClusterResourceId": cluster.db_cluster_resource_id,
    }
    item |= encryption.members(snapshot) | extras(snapshot).members
    return {name: value for name, value in item.items() if value is not None}


def _vpc_id(backend: Any, group_name: str | None) -> str | None:
    group = backend.subnet_groups.get(group_name or "default")
    return None if group is None else str(group.vpc_id)


def create(call: Call) -> dict[str, Any]:
    """Answer CreateDBClusterSnapshot."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    snapshots = call.backend.cluster_snapshots
    name = check_new_name(
        call["DBClusterSnapshotIdentifier"],
        "DBClusterSnapshotIdentifier",
        snapshots,
        "DBClusterSnapshotAlreadyExistsFault",
    )
    now = cluster_status(call, cluster)
    if now not in {AVAILABLE, "backing-up"}:
        refuse("InvalidDBClusterStateFault", f"DB cluster is not in a valid state for a snapshot: {now}")
    check_quota(snapshots.values())
    tags = tag_list(call["Tags"]) if call.has("Tags") else None
    snapshot = take_of_cluster(call.backend, cluster, name, tags=tags)
    call.world.tell("RDS-EVENT-0074", snapshot)

    def done() -> None:
        call.world.tell("RDS-EVENT-0075", snapshot)

    call.world.occupy(snapshot, "creating", call.world.lifecycle.creating, done)
    item = present(call, snapshot) | {"Status": "creating", "PercentProgress": 0}
    return {"DBClusterSnapshot": item}


def find(call: Call, name: str) -> Any:
    """Find a cluster snapshot by name or ARN, in whichever account and Region the ARN says."""
    backend = all_backends[account_of(name, call.account)][region_of(name, call.region)]
    snapshot = backend.cluster_snapshots.get(named(name))
    if snapshot is None:
        refuse("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.")
    return snapshot


def copy(call: Call) -> dict[str, Any]:
    """Answer CopyDBClusterSnapshot."""
    source = find(call, call["SourceDBClusterSnapshotIdentifier"])
    check_available(call, source)
    snapshots = call.backend.cluster_snapshots
    name = check_new_name(
        call["TargetDBClusterSnapshotIdentifier"],
        "TargetDBClusterSnapshotIdentifier",
        snapshots,
        "DBClusterSnapshotAlreadyExistsFault",
    )
    if call.has("KmsKeyId") and encryption_of(source).type is StorageEncryptionType.NONE:
        conflicting(
            "Cannot create an encrypted DB cluster snapshot copy from an unencrypted DB cluster snapshot."
        )
    encrypted = copied_key(call, source)
    check_quota(snapshots.values())
    target = take_of_cluster(call.backend, source.cluster, name, tags=copied_tags(call, source))
    encryption.encrypt(target, encrypted)
    extras(target).members["SourceDBClusterSnapshotArn"] = source.arn
    call.world.occupy(target, "copying", call.world.lifecycle.copying)
    item = present(call, target) | {"Status": "copying", "PercentProgress": 0}
    return {"DBClusterSnapshot": item}


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterSnapshots."""
    found = visible(call, "cluster_snapshots")
    name, cluster = call.get("DBClusterSnapshotIdentifier"), call.get("DBClusterIdentifier")
    if name:
        found = [
            one
            for one in found
            if named(name) == one.db_cluster_snapshot_identifier
            and (call.has("SnapshotType") or one.snapshot_type != "automated")
        ]
        if not found:
            refuse("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.")
    if cluster:
        found = [one for one in found if one.db_cluster_identifier == named(cluster)]
    if call.has("DbClusterResourceId"):
        wanted = call["DbClusterResourceId"].lower()
        found = [one for one in found if one.cluster.db_cluster_resource_id.lower() == wanted]
    found = filtered(
        call,
        found,
        {
            "db-cluster-id": lambda one: {one.db_cluster_identifier, one.cluster.arn},
            "db-cluster-snapshot-id": lambda one: {one.db_cluster_snapshot_identifier},
            "snapshot-type": lambda one: {one.snapshot_type},
            "engine": lambda one: {one.engine},
        },
    )
    return {"DBClusterSnapshots": found}


def delete(call: Call) -> dict[str, Any]:
    """Answer DeleteDBClusterSnapshot."""
    snapshot = find(call, call["DBClusterSnapshotIdentifier"])
    check_deletable(call, snapshot)
    del call.backend.cluster_snapshots[snapshot.db_cluster_snapshot_identifier]
    return {"DBClusterSnapshot": present(call, snapshot) | {"Status": "deleted"}}


TOPIC = Topic(
    name="cluster_snapshots",
    operations={
        "CreateDBClusterSnapshot": create,
        "CopyDBClusterSnapshot": copy,
        "DescribeDBClusterSnapshots": describe,
        "DeleteDBClusterSnapshot": delete,
    },
    presenters={"DBClusterSnapshot": present},
    corrections=(
        Correction(
            name="no-encryption-by-copying-a-cluster-snapshot",
            why="moto encrypts a copy of an unencrypted cluster snapshot; AWS refuses",
            reference="CopyDBClusterSnapshotMessage.KmsKeyId",
            words=(
                "If you copy an unencrypted DB cluster snapshot and specify a value for the KmsKeyId parameter,"
                " an error is returned."
            ),
        ),
        Correction(
            name="copies-keep-their-key",
            why="moto's copies know no StorageEncryptionType",
            reference="CopyDBClusterSnapshotMessage.KmsKeyId",
            words=(
                "If you don't specify a value for KmsKeyId, then the copy of the DB cluster snapshot is"
                " encrypted with the same KMS key as the source DB cluster snapshot."
            ),
        ),
        Correction(
            name="copies-of-available-snapshots",
            why="moto's snapshots are available at once, so nothing meets one that is still being made",
            reference="CopyDBClusterSnapshotMessage.SourceDBClusterSnapshotIdentifier",
            words='Must specify a valid source snapshot in the "available" state.',
        ),
        Correction(
            name="cluster-snapshots-of-available-clusters",
            why="moto takes a snapshot of a cluster in any state",
            reference="CreateDBClusterSnapshot",
            words="Creates a snapshot of a DB cluster.",
        ),
        Correction(
            name="snapshots-keep-the-resource-id",
            why="moto shows no DbClusterResourceId and no tags with a cluster snapshot",
            reference="DBClusterSnapshot.DbClusterResourceId",
            words="The resource ID of the DB cluster that this DB cluster snapshot was created from.",
        ),
        Correction(
            name="public-snapshots-listed-on-request",
            why="moto ignores IncludePublic and IncludeShared",
            reference="DescribeDBClusterSnapshotsMessage.IncludePublic",
            words=(
                "Specifies whether to include manual DB cluster snapshots that are public and can be copied or"
                " restored by any Amazon Web Services account. By default, the public snapshots are not included."
            ),
        ),
    ),
)
