"""Snapshots of stand-alone instances: taking, copying, listing and deleting them."""

from __future__ import annotations

from typing import Any

from moto.rds.models import rds_backends as all_backends

from console.local.rds import encryption
from console.local.rds.call import (
    Call,
    account_of,
    filtered,
    find_instance,
    invalid,
    named,
    refuse,
    region_of,
    tag_list,
)
from console.local.rds.cluster_items import AVAILABLE
from console.local.rds.instance_items import is_member, subnet_group_of
from console.local.rds.instance_items import status as instance_status
from console.local.rds.registry import Correction, Topic
from console.local.rds.snapshots import (
    check_available,
    check_deletable,
    check_new_name,
    check_quota,
    copied_key,
    copied_tags,
    status,
    take_of_instance,
    visible,
)
from console.local.rds.state import extras


def present(call: Call, snapshot: Any) -> dict[str, Any]:
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
        "StorageThroughput": database.storage_throughput or 0,
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


def create(call: Call) -> dict[str, Any]:
    """Answer CreateDBSnapshot."""
    instance = find_instance(call, call["DBInstanceIdentifier"])
    if is_member(instance):
        invalid(
            "The specified instance is a member of a cluster and a snapshot cannot be created directly."
            " Please use the CreateDBClusterSnapshot API."
        )
    snapshots = call.backend.database_snapshots
    name = check_new_name(
        call["DBSnapshotIdentifier"], "DBSnapshotIdentifier", snapshots, "DBSnapshotAlreadyExists"
    )
    now = instance_status(call, instance)
    if now not in {AVAILABLE, "storage-optimization"}:
        refuse("InvalidDBInstanceState", f"Cannot create a snapshot because the DB instance is {now}.")
    check_quota(snapshots.values())
    subnet_group_of(call, instance)
    tags = tag_list(call["Tags"]) if call.has("Tags") else None
    snapshot = take_of_instance(call.backend, instance, name, tags=tags)
    call.world.tell("RDS-EVENT-0040", snapshot)

    def done() -> None:
        call.world.tell("RDS-EVENT-0042", snapshot)

    call.world.occupy(snapshot, "creating", call.world.lifecycle.creating, done)
    item = present(call, snapshot) | {"Status": "creating", "PercentProgress": 0}
    return {"DBSnapshot": item}


def find(call: Call, name: str) -> Any:
    """Find an instance snapshot by name or ARN, in whichever account and Region the ARN says."""
    backend = all_backends[account_of(name, call.account)][region_of(name, call.region)]
    snapshot = backend.database_snapshots.get(named(name))
    if snapshot is None:
        refuse("DBSnapshotNotFound", f"DBSnapshot {name} not found.")
    return snapshot


def copy(call: Call) -> dict[str, Any]:
    """Answer CopyDBSnapshot."""
    source = find(call, call["SourceDBSnapshotIdentifier"])
    check_available(call, source)
    snapshots = call.backend.database_snapshots
    name = check_new_name(
        call["TargetDBSnapshotIdentifier"], "TargetDBSnapshotIdentifier", snapshots, "DBSnapshotAlreadyExists"
    )
    encrypted = copied_key(call, source)
    check_quota(snapshots.values())
    target = take_of_instance(call.backend, source.database, name, tags=copied_tags(call, source))
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
    item = present(call, target) | {"Status": "copying", "PercentProgress": 0}
    return {"DBSnapshot": item}


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeDBSnapshots."""
    found = visible(call, "database_snapshots")
    name, instance = call.get("DBSnapshotIdentifier"), call.get("DBInstanceIdentifier")
    if name:
        found = [
            one
            for one in found
            if named(name) == one.db_snapshot_identifier
            and (call.has("SnapshotType") or one.snapshot_type != "automated")
        ]
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


def delete(call: Call) -> dict[str, Any]:
    """Answer DeleteDBSnapshot."""
    snapshot = find(call, call["DBSnapshotIdentifier"])
    check_deletable(call, snapshot)
    del call.backend.database_snapshots[snapshot.db_snapshot_identifier]
    call.world.tell("RDS-EVENT-0041", snapshot)
    return {"DBSnapshot": present(call, snapshot) | {"Status": "deleted"}}


TOPIC = Topic(
    name="instance_snapshots",
    operations={
        "CreateDBSnapshot": create,
        "CopyDBSnapshot": copy,
        "DescribeDBSnapshots": describe,
        "DeleteDBSnapshot": delete,
    },
    presenters={"DBSnapshot": present},
    corrections=(
        Correction(
            name="encryption-by-copying-a-snapshot",
            why="moto's copy knows no StorageEncryptionType and fails on an alias",
            reference="CopyDBSnapshotMessage.KmsKeyId",
            words="If you specify this parameter when you copy an unencrypted snapshot, the copy is encrypted.",
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
            name="snapshots-of-available-instances",
            why="moto takes a snapshot of an instance in any state, and of members of a cluster",
            reference="CreateDBSnapshot",
            words="The source DB instance must be in the available or storage-optimization state.",
        ),
    ),
)
