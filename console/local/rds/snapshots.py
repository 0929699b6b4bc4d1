"""Snapshots of clusters and of instances: taking, copying, listing and deleting them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.rds.models import DBCluster, DBClusterSnapshot, DBInstance, DBSnapshot
from moto.rds.models import rds_backends as all_backends

from console.local.rds import encryption
from console.local.rds.call import (
    Call,
    account_of,
    check_identifier,
    conflicting,
    find_cluster,
    find_instance,
    invalid,
    named,
    refuse,
    region_of,
    tag_list,
)
from console.local.rds.cluster_items import AVAILABLE
from console.local.rds.cluster_items import status as cluster_status
from console.local.rds.clusters import filtered
from console.local.rds.encryption import Encryption, encryption_of
from console.local.rds.instance_items import is_member, subnet_group_of
from console.local.rds.instance_items import status as instance_status
from console.local.rds.registry import Correction, Patch, Topic
from console.local.rds.state import StorageEncryptionType, extras

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

QUOTA = 100
_LONGEST = 255
_TYPES = ("automated", "manual", "shared", "public", "awsbackup")


def status(call: Call, snapshot: Any) -> str:
    """Say what a snapshot reports now."""
    return call.world.status_of(snapshot, snapshot.status)


def present_cluster_snapshot(call: Call, snapshot: Any) -> dict[str, Any]:
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


def present_instance_snapshot(call: Call, snapshot: Any) -> dict[str, Any]:
    """Render a DBSnapshot."""
    database = snapshot.database
    now = status(call, snapshot)
    group = getattr(database, "db_subnet_group", None)
    item: dict[str, Any] = {
        "DBSnapshotIdentifier": snapshot.db_snapshot_identifier,
        "DBInstanceIdentifier": snapshot.db_instance_identifier,
        "SnapshotCreateTime": snapshot.created,
        "Engine": snapshot.engine,
        "AllocatedStorage": snapshot.allocated_storage,
        "Status": now,
        "Port": snapshot.port,
        "AvailabilityZone": database.availability_zone,
        "VpcId": None if group is None else group.vpc_id,
        "InstanceCreateTime": snapshot.instance_create_time,
        "MasterUsername": snapshot.master_username,
        "EngineVersion": snapshot.engine_version,
        "LicenseModel": database.license_model,
        "SnapshotType": snapshot.snapshot_type,
        "OptionGroupName": database.option_group_name,
        "PercentProgress": 100 if now == AVAILABLE else 0,
        "StorageType": database.storage_type,
        "BackupRetentionPeriod": database.backup_retention_period,
        "PreferredBackupWindow": database.preferred_backup_window,
        "DBSnapshotArn": snapshot.arn,
        "IAMDatabaseAuthenticationEnabled": bool(database.enable_iam_database_authentication),
        "ProcessorFeatures": [],
        "DbiResourceId": snapshot.dbi_resource_id,
        "TagList": list(snapshot.tags),
        "SnapshotTarget": "region",
        "OriginalSnapshotCreateTime": snapshot.original_snapshot_create_time,
        "DedicatedLogVolume": False,
    }
    item |= encryption.members(snapshot, flag="Encrypted") | extras(snapshot).members
    return {name: value for name, value in item.items() if value is not None}


def take_of_cluster(
    backend: Any, cluster: Any, name: str, *, kind: str = "manual", tags: list[dict[str, str]] | None = None
) -> Any:
    """Put a snapshot of a cluster, as it is now, into its place."""
    snapshot = DBClusterSnapshot(backend, cluster, name, kind, tags)
    snapshot.cluster.__dict__["_extras"] = copy.deepcopy(extras(cluster))
    encryption.encrypt(snapshot, encryption_of(cluster))
    backend.cluster_snapshots[name] = snapshot
    return snapshot


def take_of_instance(
    backend: Any, instance: Any, name: str, *, kind: str = "manual", tags: list[dict[str, str]] | None = None
) -> Any:
    """Put a snapshot of a stand-alone instance, as it is now, into its place."""
    snapshot = DBSnapshot(backend, instance, name, kind, tags)
    snapshot.database.__dict__["_extras"] = copy.deepcopy(extras(instance))
    encryption.encrypt(snapshot, encryption_of(instance))
    backend.database_snapshots[name] = snapshot
    return snapshot


def _automated_name(identifier: str, moment: datetime, taken: Iterable[str]) -> str:
    stem = f"rds:{identifier}-{moment.strftime('%Y-%m-%d-%H-%M')}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(name for name in names if name not in taken)


def back_up(resource: Any, moment: datetime) -> None:
    """Take an automated snapshot; the storage of a cluster's members is the cluster's, so they have none."""
    backend = resource.backend
    if isinstance(resource, DBCluster):
        name = _automated_name(resource.db_cluster_identifier, moment, backend.cluster_snapshots)
        take_of_cluster(backend, resource, name, kind="automated")
    elif not is_member(resource) and resource.backup_retention_period:
        name = _automated_name(resource.db_instance_identifier, moment, backend.database_snapshots)
        take_of_instance(backend, resource, name, kind="automated")


def _back_up_at_birth(resource: Any) -> None:
    """Take the first automated snapshot, in the place of moto's own way to do so."""
    back_up(resource, resource.created)


def _check_quota(snapshots: Iterable[Any]) -> None:
    if sum(one.snapshot_type == "manual" for one in snapshots) >= QUOTA:
        refuse("SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots")


def _check_new_name(name: str, parameter: str, taken: Iterable[str], fault: str) -> str:
    check_identifier(name, parameter, longest=_LONGEST)
    if name.lower() in taken:
        refuse(
            fault,
            f"Cannot create the snapshot because a snapshot with the identifier {name.lower()} already exists.",
        )
    return name.lower()


def create_of_cluster(call: Call) -> dict[str, Any]:
    """Answer CreateDBClusterSnapshot."""
    cluster = find_cluster(call, call["DBClusterIdentifier"])
    snapshots = call.backend.cluster_snapshots
    name = _check_new_name(
        call["DBClusterSnapshotIdentifier"],
        "DBClusterSnapshotIdentifier",
        snapshots,
        "DBClusterSnapshotAlreadyExistsFault",
    )
    now = cluster_status(call, cluster)
    if now not in {AVAILABLE, "backing-up"}:
        refuse("InvalidDBClusterStateFault", f"DB cluster is not in a valid state for a snapshot: {now}")
    _check_quota(snapshots.values())
    tags = tag_list(call["Tags"]) if call.has("Tags") else None
    snapshot = take_of_cluster(call.backend, cluster, name, tags=tags)
    call.world.tell("RDS-EVENT-0074", snapshot)

    def done() -> None:
        call.world.tell("RDS-EVENT-0075", snapshot)

    call.world.occupy(snapshot, "creating", call.world.lifecycle.creating, done)
    item = present_cluster_snapshot(call, snapshot) | {"Status": "creating", "PercentProgress": 0}
    return {"DBClusterSnapshot": item}


def create_of_instance(call: Call) -> dict[str, Any]:
    """Answer CreateDBSnapshot."""
    instance = find_instance(call, call["DBInstanceIdentifier"])
    if is_member(instance):
        invalid(
            "The specified instance is a member of a cluster and a snapshot cannot be created directly."
            " Please use the CreateDBClusterSnapshot API."
        )
    snapshots = call.backend.database_snapshots
    name = _check_new_name(
        call["DBSnapshotIdentifier"], "DBSnapshotIdentifier", snapshots, "DBSnapshotAlreadyExists"
    )
    now = instance_status(call, instance)
    if now not in {AVAILABLE, "storage-optimization"}:
        refuse("InvalidDBInstanceState", f"Cannot create a snapshot because the DB instance is {now}.")
    _check_quota(snapshots.values())
    subnet_group_of(call, instance)
    tags = tag_list(call["Tags"]) if call.has("Tags") else None
    snapshot = take_of_instance(call.backend, instance, name, tags=tags)
    call.world.tell("RDS-EVENT-0040", snapshot)

    def done() -> None:
        call.world.tell("RDS-EVENT-0042", snapshot)

    call.world.occupy(snapshot, "creating", call.world.lifecycle.creating, done)
    item = present_instance_snapshot(call, snapshot) | {"Status": "creating", "PercentProgress": 0}
    return {"DBSnapshot": item}


def find_cluster_snapshot(call: Call, name: str) -> Any:
    """Find a cluster snapshot by name or ARN, in whichever account and Region the ARN says."""
    backend = all_backends[account_of(name, call.account)][region_of(name, call.region)]
    snapshot = backend.cluster_snapshots.get(named(name))
    if snapshot is None:
        refuse("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {name} not found.")
    return snapshot


def find_instance_snapshot(call: Call, name: str) -> Any:
    """Find an instance snapshot by name or ARN, in whichever account and Region the ARN says."""
    backend = all_backends[account_of(name, call.account)][region_of(name, call.region)]
    snapshot = backend.database_snapshots.get(named(name))
    if snapshot is None:
        refuse("DBSnapshotNotFound", f"DBSnapshot {name} not found.")
    return snapshot


def check_available(call: Call, snapshot: Any) -> None:
    """Refuse to use a snapshot that is still being made."""
    now = status(call, snapshot)
    if now != AVAILABLE:
        is_clusters = isinstance(snapshot, DBClusterSnapshot)
        fault = "InvalidDBClusterSnapshotStateFault" if is_clusters else "InvalidDBSnapshotState"
        refuse(fault, f"The snapshot {snapshot.resource_id} is not in the available state: {now}")


def _copied_tags(call: Call, source: Any) -> list[dict[str, str]]:
    given = tag_list(call.get("Tags"))
    return given or (list(source.tags) if call.get("CopyTags") else [])


def _copied_key(call: Call, source: Any) -> Encryption:
    held = encryption_of(source)
    if call.has("KmsKeyId"):
        return encryption.with_key(call, call["KmsKeyId"])
    if held.type is StorageEncryptionType.SSE_KMS and source.backend.region_name != call.region:
        invalid("Must specify new KMS key for cross region encrypted snapshot copy.")
    return held


def copy_of_cluster(call: Call) -> dict[str, Any]:
    """Answer CopyDBClusterSnapshot."""
    source = find_cluster_snapshot(call, call["SourceDBClusterSnapshotIdentifier"])
    check_available(call, source)
    snapshots = call.backend.cluster_snapshots
    name = _check_new_name(
        call["TargetDBClusterSnapshotIdentifier"],
        "TargetDBClusterSnapshotIdentifier",
        snapshots,
        "DBClusterSnapshotAlreadyExistsFault",
    )
    if call.has("KmsKeyId") and encryption_of(source).type is StorageEncryptionType.NONE:
        conflicting(
            "Cannot create an encrypted DB cluster snapshot copy from an unencrypted DB cluster snapshot."
        )
    encrypted = _copied_key(call, source)
    _check_quota(snapshots.values())
    target = take_of_cluster(call.backend, source.cluster, name, tags=_copied_tags(call, source))
    encryption.encrypt(target, encrypted)
    extras(target).members["SourceDBClusterSnapshotArn"] = source.arn
    call.world.occupy(target, "copying", call.world.lifecycle.copying)
    item = present_cluster_snapshot(call, target) | {"Status": "copying", "PercentProgress": 0}
    return {"DBClusterSnapshot": item}


def copy_of_instance(call: Call) -> dict[str, Any]:
    """Answer CopyDBSnapshot."""
    source = find_instance_snapshot(call, call["SourceDBSnapshotIdentifier"])
    check_available(call, source)
    snapshots = call.backend.database_snapshots
    name = _check_new_name(
        call["TargetDBSnapshotIdentifier"], "TargetDBSnapshotIdentifier", snapshots, "DBSnapshotAlreadyExists"
    )
    encrypted = _copied_key(call, source)
    _check_quota(snapshots.values())
    target = take_of_instance(call.backend, source.database, name, tags=_copied_tags(call, source))
    target.original_snapshot_create_time = source.original_snapshot_create_time
    encryption.encrypt(target, encrypted)
    elsewhere = source.backend is not call.backend
    if elsewhere:
        extras(target).members |= {
            "SourceDBSnapshotIdentifier": source.arn,
            "SourceRegion": source.backend.region_name,
        }
    words = {"name": name, "region": source.backend.region_name}
    started, finished = ("0059", "0060") if elsewhere else ("0196", "0197")
    call.world.tell(f"RDS-EVENT-{started}", target, **words)

    def done() -> None:
        call.world.tell(f"RDS-EVENT-{finished}", target, **words)

    call.world.occupy(target, "copying", call.world.lifecycle.copying, done)
    item = present_instance_snapshot(call, target) | {"Status": "copying", "PercentProgress": 0}
    return {"DBSnapshot": item}


def _visible(call: Call, store: str) -> list[Any]:
    """List the snapshots of this account, and those of others that the request asks to see."""
    kind = call.get("SnapshotType")
    if kind is not None and kind not in _TYPES:
        invalid(f"Invalid snapshot type: {kind}")
    mine = list(getattr(call.backend, store).values())
    if kind in {"automated", "manual", "awsbackup"}:
        return [one for one in mine if one.snapshot_type == kind]
    others = [
        one
        for account, regions in all_backends.items()
        if account != call.account and call.region in regions
        for one in getattr(regions[call.region], store).values()
        if one.snapshot_type == "manual"
    ]
    shared = [one for one in others if call.account in one.attributes["restore"]]
    public = [one for one in (*mine, *others) if "all" in one.attributes["restore"]]
    if kind == "shared":
        return shared
    if kind == "public":
        return public
    found = list(mine)
    found += shared if call.get("IncludeShared") else []
    found += [one for one in public if call.get("IncludePublic") and one not in found]
    return found


def describe_of_clusters(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterSnapshots."""
    found = _visible(call, "cluster_snapshots")
    name, cluster = call.get("DBClusterSnapshotIdentifier"), call.get("DBClusterIdentifier")
    if name:
        found = [one for one in found if named(name) == one.db_cluster_snapshot_identifier]
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


def describe_of_instances(call: Call) -> dict[str, Any]:
    """Answer DescribeDBSnapshots."""
    found = _visible(call, "database_snapshots")
    name, instance = call.get("DBSnapshotIdentifier"), call.get("DBInstanceIdentifier")
    if name:
        found = [one for one in found if named(name) == one.db_snapshot_identifier]
        if not found:
            refuse("DBSnapshotNotFound", f"DBSnapshot {name} not found.")
    if instance:
        found = [one for one in found if one.db_instance_identifier == named(instance)]
    if call.has("DbiResourceId"):
        found = [one for one in found if one.dbi_resource_id == call["DbiResourceId"]]
    found = filtered(
        call,
        found,
        {
            "db-instance-id": lambda one: {one.db_instance_identifier, one.database.arn},
            "db-snapshot-id": lambda one: {one.db_snapshot_identifier},
            "dbi-resource-id": lambda one: {one.dbi_resource_id},
            "snapshot-type": lambda one: {one.snapshot_type},
            "engine": lambda one: {one.engine},
        },
    )
    return {"DBSnapshots": found}


def _check_deletable(call: Call, snapshot: Any) -> None:
    check_available(call, snapshot)
    if snapshot.snapshot_type == "automated":
        invalid("Automated snapshots cannot be deleted; they go with their retention period.")


def delete_of_cluster(call: Call) -> dict[str, Any]:
    """Answer DeleteDBClusterSnapshot."""
    snapshot = find_cluster_snapshot(call, call["DBClusterSnapshotIdentifier"])
    _check_deletable(call, snapshot)
    del call.backend.cluster_snapshots[snapshot.db_cluster_snapshot_identifier]
    return {"DBClusterSnapshot": present_cluster_snapshot(call, snapshot) | {"Status": "deleted"}}


def delete_of_instance(call: Call) -> dict[str, Any]:
    """Answer DeleteDBSnapshot."""
    snapshot = find_instance_snapshot(call, call["DBSnapshotIdentifier"])
    _check_deletable(call, snapshot)
    del call.backend.database_snapshots[snapshot.db_snapshot_identifier]
    call.world.tell("RDS-EVENT-0041", snapshot)
    return {"DBSnapshot": present_instance_snapshot(call, snapshot) | {"Status": "deleted"}}


TOPIC = Topic(
    name="snapshots",
    operations={
        "CreateDBClusterSnapshot": create_of_cluster,
        "CreateDBSnapshot": create_of_instance,
        "CopyDBClusterSnapshot": copy_of_cluster,
        "CopyDBSnapshot": copy_of_instance,
        "DescribeDBClusterSnapshots": describe_of_clusters,
        "DescribeDBSnapshots": describe_of_instances,
        "DeleteDBClusterSnapshot": delete_of_cluster,
        "DeleteDBSnapshot": delete_of_instance,
    },
    presenters={"DBClusterSnapshot": present_cluster_snapshot, "DBSnapshot": present_instance_snapshot},
    patches=(
        Patch(target=DBCluster, attribute="save_automated_backup", replacement=_back_up_at_birth),
        Patch(target=DBInstance, attribute="save_automated_backup", replacement=_back_up_at_birth),
    ),
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
            name="encryption-by-copying-a-snapshot",
            why="moto's copy knows no StorageEncryptionType and fails on an alias",
            reference="CopyDBSnapshotMessage.KmsKeyId",
            words="If you specify this parameter when you copy an unencrypted snapshot, the copy is encrypted.",
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
            name="keys-stay-in-their-region",
            why="moto copies an encrypted snapshot across Regions without a key of the new one",
            reference="CopyDBSnapshotMessage.KmsKeyId",
            words=(
                "If you copy an encrypted snapshot to a different Amazon Web Services Region, then you must"
                " specify an Amazon Web Services KMS key identifier for the destination Amazon Web Services"
                " Region."
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
            name="snapshots-of-available-instances",
            why="moto takes a snapshot of an instance in any state, and of members of a cluster",
            reference="CreateDBSnapshot",
            words="The source DB instance must be in the available or storage-optimization state.",
        ),
        Correction(
            name="manual-snapshots-count",
            why="moto counts automated snapshots against a quota ten times too high",
            reference="SnapshotQuotaExceededFault",
            words="The request would result in the user exceeding the allowed number of DB snapshots.",
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
        Correction(
            name="only-manual-snapshots-deleted",
            why="moto deletes an automated snapshot",
            reference="DeleteDBClusterSnapshot",
            words="The DB cluster snapshot must be in the available state to be deleted.",
        ),
    ),
)
