"""Restoring: clusters and instances that come out of snapshots or points in time."""

from __future__ import annotations

from typing import Any

from console.local.rds import (
    cluster_snapshots,
    clusters,
    encryption,
    instance_snapshots,
    instances,
    snapshots,
)
from console.local.rds.call import Call, conflicting, filtered, find_cluster, find_instance, refuse
from console.local.rds.cluster_items import present as present_cluster
from console.local.rds.encryption import Encryption, encryption_of
from console.local.rds.registry import Correction, Topic
from console.local.rds.state import StorageEncryptionType, extras


def _settings_of_cluster(cluster: Any) -> dict[str, Any]:
    """Read what a restored cluster takes over, in the names of CreateDBCluster."""
    return {
        "Engine": cluster.engine,
        "EngineVersion": cluster.engine_version,
        "MasterUsername": cluster.master_username,
        "DatabaseName": cluster.database_name,
        "Port": cluster.port,
        "BackupRetentionPeriod": cluster.backup_retention_period,
        "DBSubnetGroupName": cluster.db_subnet_group_name,
        "CharacterSetName": cluster.character_set_name,
        "AvailabilityZones": cluster.availability_zones,
        "AllocatedStorage": cluster.allocated_storage,
        "DBClusterInstanceClass": cluster.db_cluster_instance_class,
        "Iops": cluster.iops,
        "StorageType": cluster.storage_type,
        "EngineMode": cluster.engine_mode,
    }


def _password_of(database: Any) -> str | None:
    held: str | None = vars(database).get("_master_user_password")
    return held or "kept-by-secrets-manager"


def _restored_encryption(call: Call, source: Any, *, key_needs_encryption: bool) -> Encryption:
    held = encryption_of(source)
    if not call.has("KmsKeyId"):
        return held
    if key_needs_encryption and held.type is StorageEncryptionType.NONE:
        conflicting("Cannot encrypt a DB cluster that is restored from an unencrypted DB cluster.")
    return encryption.with_key(call, call["KmsKeyId"])


def cluster_from_snapshot(call: Call) -> dict[str, Any]:
    """Answer RestoreDBClusterFromSnapshot."""
    clusters.check_new(call, call["DBClusterIdentifier"])
    snapshot = cluster_snapshots.find(call, call["SnapshotIdentifier"])
    snapshots.check_available(call, snapshot)
    if call["Engine"] != snapshot.engine:
        conflicting(f"The engine {call['Engine']} is not compatible with the snapshot's {snapshot.engine}.")
    encrypted = _restored_encryption(call, snapshot, key_needs_encryption=False)
    source = snapshot.cluster
    settings = {**_settings_of_cluster(source), "Tags": snapshot.tags, **call.parameters}
    place = _networking(call)
    cluster = clusters.build(call, settings, encrypted=encrypted, password=_password_of(source))
    extras(cluster).members |= place
    return {"DBCluster": clusters.born(call, cluster)}


def _networking(call: Call) -> dict[str, bool]:
    """Read whether it is to stand in a VPC, as far as the request says so."""
    if not call.has("EnableVPCNetworking"):
        return {}
    if not call.has("EnableInternetAccessGateway"):
        conflicting("EnableVPCNetworking must be used together with EnableInternetAccessGateway.")
    if not call.get("EnableIAMDatabaseAuthentication"):
        conflicting("IAM database authentication is required when EnableVPCNetworking is specified.")
    return {
        "VPCNetworkingEnabled": bool(call["EnableVPCNetworking"]),
        "InternetAccessGatewayEnabled": bool(call["EnableInternetAccessGateway"]),
    }


def cluster_to_point_in_time(call: Call) -> dict[str, Any]:
    """Answer RestoreDBClusterToPointInTime."""
    clusters.check_new(call, call["DBClusterIdentifier"])
    if call.has("RestoreToTime") and call.get("UseLatestRestorableTime"):
        conflicting("Cannot specify both RestoreToTime and UseLatestRestorableTime")
    if call.has("RestoreToTime") and call.get("RestoreType") == "copy-on-write":
        conflicting("RestoreToTime cannot be specified when RestoreType is copy-on-write")
    source = _source_of(call)
    encrypted = _restored_encryption(call, source, key_needs_encryption=True)
    settings = {**_settings_of_cluster(source), "Tags": source.tags, **call.parameters}
    cluster = clusters.build(call, settings, encrypted=encrypted, password=_password_of(source))
    return {"DBCluster": clusters.born(call, cluster)}


def _source_of(call: Call) -> Any:
    if call.has("SourceDBClusterIdentifier"):
        return find_cluster(call, call["SourceDBClusterIdentifier"])
    wanted = call.get("SourceDbClusterResourceId")
    every = (*call.backend.clusters.values(), *_retained(call))
    source = next((one for one in every if one.db_cluster_resource_id == wanted), None)
    if source is None:
        refuse("DBClusterNotFoundFault", f"DBCluster {wanted} not found.")
    return source


def _settings_of_instance(instance: Any) -> dict[str, Any]:
    """Read what a restored instance takes over, in the names of CreateDBInstance."""
    return {
        "Engine": instance.engine,
        "EngineVersion": instance.engine_version,
        "DBInstanceClass": instance.db_instance_class,
        "MasterUsername": instance.master_username,
        "DBName": instance.db_name,
        "Port": instance.port,
        "AllocatedStorage": instance.allocated_storage,
        "StorageType": instance.storage_type,
        "Iops": instance.iops,
        "BackupRetentionPeriod": instance.backup_retention_period,
        "CopyTagsToSnapshot": instance.copy_tags_to_snapshot,
        "LicenseModel": instance.license_model,
        "DBSubnetGroupName": getattr(getattr(instance, "db_subnet_group", None), "name", None),
        "AutoMinorVersionUpgrade": instance.auto_minor_version_upgrade,
    }


def instance_from_snapshot(call: Call) -> dict[str, Any]:
    """Answer RestoreDBInstanceFromDBSnapshot."""
    instances.check_new(call, call["DBInstanceIdentifier"])
    snapshot = instance_snapshots.find(call, call["DBSnapshotIdentifier"])
    snapshots.check_available(call, snapshot)
    source = snapshot.database
    settings = {**_settings_of_instance(source), "Tags": source.tags, **call.parameters}
    encrypted = encryption_of(snapshot)
    instance = instances.build(call, settings, encrypted=encrypted, password=_password_of(source))
    call.world.tell("RDS-EVENT-0043", snapshot, name=snapshot.db_snapshot_identifier)
    return {"DBInstance": instances.born(call, instance)}


def instance_to_point_in_time(call: Call) -> dict[str, Any]:
    """Answer RestoreDBInstanceToPointInTime."""
    instances.check_new(call, call["TargetDBInstanceIdentifier"])
    source = find_instance(call, call["SourceDBInstanceIdentifier"])
    settings = {
        **_settings_of_instance(source),
        **call.parameters,
        "DBInstanceIdentifier": call["TargetDBInstanceIdentifier"],
    }
    encrypted = encryption_of(source)
    instance = instances.build(call, settings, encrypted=encrypted, password=_password_of(source))
    return {"DBInstance": instances.born(call, instance)}


def read_replica(call: Call) -> dict[str, Any]:
    """Answer CreateDBInstanceReadReplica."""
    instances.check_new(call, call["DBInstanceIdentifier"])
    source = find_instance(call, call["SourceDBInstanceIdentifier"])
    if not source.backup_retention_period:
        refuse("InvalidDBInstanceState", "Automated backups are not enabled for this database instance.")
    held = encryption_of(source)
    encrypted = encryption.with_key(call, call["KmsKeyId"]) if call.has("KmsKeyId") else held
    elsewhere = source.backend is not call.backend
    of_the_region = {} if elsewhere else {"VpcSecurityGroupIds": source.vpc_security_group_ids}
    of_the_region |= {} if elsewhere else {"DBParameterGroupName": source.db_parameter_group_name}
    settings = {
        **_settings_of_instance(source),
        **of_the_region,
        "BackupRetentionPeriod": 0,
        **call.parameters,
    }
    if elsewhere:
        settings["DBSubnetGroupName"] = call.get("DBSubnetGroupName")
    replica = instances.build(call, settings, encrypted=encrypted, password=_password_of(source))
    replica.source_db_instance_identifier = source.arn if elsewhere else source.db_instance_identifier
    replica.is_replica = True
    source.add_replica(replica)
    return {"DBInstance": instances.born(call, replica)}


def _retained(call: Call) -> list[Any]:
    found: list[Any] = vars(call.backend).get("_retained_cluster_backups", [])
    return found


def _automated_backup(call: Call, cluster: Any, status: str) -> dict[str, Any]:
    item = present_cluster(call, cluster)
    same = (
        *("Engine", "DBClusterIdentifier", "MasterUsername", "DbClusterResourceId", "EngineVersion", "Port"),
        *("IAMDatabaseAuthenticationEnabled", "ClusterCreateTime", "StorageEncrypted", "AllocatedStorage"),
        *("StorageEncryptionType", "KmsKeyId", "DBClusterArn", "BackupRetentionPeriod", "EngineMode"),
        *("PreferredBackupWindow", "AvailabilityZones", "TagList", "AwsBackupRecoveryPointArn"),
    )
    backup = {name: item[name] for name in same if name in item}
    resource_id = cluster.db_cluster_resource_id.lower().removeprefix("cluster-")
    return backup | {
        "DBClusterAutomatedBackupsArn": (
            f"arn:aws:rds:{call.region}:{call.account}:cluster-auto-backup:ab-{resource_id}"
        ),
        "RestoreWindow": {
            "EarliestTime": item["EarliestRestorableTime"],
            "LatestTime": item["LatestRestorableTime"],
        },
        "Region": call.region,
        "Status": status,
    }


def describe_automated_backups(call: Call) -> dict[str, Any]:
    """Answer DescribeDBClusterAutomatedBackups."""
    every = [(one, "active") for one in call.backend.clusters.values()]
    every += [(one, "retained") for one in _retained(call)]
    name, resource_id = call.get("DBClusterIdentifier"), call.get("DbClusterResourceId")
    found = [
        pair
        for pair in every
        if (name is None or pair[0].db_cluster_identifier == name.lower())
        and (resource_id is None or pair[0].db_cluster_resource_id.lower() == resource_id.lower())
    ]
    if resource_id and not found:
        refuse("DBClusterAutomatedBackupNotFoundFault", f"DBClusterAutomatedBackup {resource_id} not found.")
    found = filtered(
        call,
        found,
        {
            "status": lambda pair: {pair[1]},
            "db-cluster-id": lambda pair: {pair[0].db_cluster_identifier, pair[0].arn},
            "db-cluster-resource-id": lambda pair: {pair[0].db_cluster_resource_id},
        },
    )
    return {"DBClusterAutomatedBackups": [_automated_backup(call, *pair) for pair in found]}


TOPIC = Topic(
    name="restores",
    operations={
        "RestoreDBClusterFromSnapshot": cluster_from_snapshot,
        "RestoreDBClusterToPointInTime": cluster_to_point_in_time,
        "RestoreDBInstanceFromDBSnapshot": instance_from_snapshot,
        "RestoreDBInstanceToPointInTime": instance_to_point_in_time,
        "CreateDBInstanceReadReplica": read_replica,
        "DescribeDBClusterAutomatedBackups": describe_automated_backups,
    },
    corrections=(
        Correction(
            name="restores-encrypt",
            why="moto ignores KmsKeyId when it restores an unencrypted cluster snapshot",
            reference="RestoreDBClusterFromSnapshotMessage.KmsKeyId",
            words="The Amazon Web Services KMS key identifier to use when restoring an encrypted DB cluster",
        ),
        Correction(
            name="restores-inherit-the-key",
            why="moto's restored clusters know no StorageEncryptionType",
            reference="RestoreDBClusterFromSnapshotMessage.KmsKeyId",
            words=(
                "If the DB snapshot or DB cluster snapshot in SnapshotIdentifier is encrypted, then the restored"
                " DB cluster is encrypted using the KMS key that was used to encrypt the DB snapshot or DB"
                " cluster snapshot."
            ),
        ),
        Correction(
            name="restores-without-a-key",
            why="the one reading of AWS's texts that this project relies on nowhere, and that botocore prints",
            reference="RestoreDBClusterFromSnapshotMessage.KmsKeyId",
            words=(
                "If the DB snapshot or DB cluster snapshot in SnapshotIdentifier isn't encrypted, then the"
                " restored DB cluster isn't encrypted."
            ),
        ),
        Correction(
            name="restores-start-with-defaults",
            why="moto's restored cluster inherits protection, exports and security groups that AWS leaves out",
            reference="RestoreDBClusterFromSnapshotMessage.DeletionProtection",
            words="By default, deletion protection isn't enabled.",
        ),
        Correction(
            name="restores-draw-windows",
            why="moto's restored cluster inherits the windows, of which a snapshot knows nothing",
            reference="RestoreDBClusterFromSnapshotMessage.PreferredBackupWindow",
            words=(
                "The default is a 30-minute window selected at random from an 8-hour block of time for each Amazon Web"
                " Services Region."
            ),
        ),
        Correction(
            name="restores-into-a-vpc",
            why="moto does not know the internet access gateway, nor how a restore leaves it behind",
            reference="RestoreDBClusterFromSnapshotMessage.EnableVPCNetworking",
            words="When both parameters are specified, IAM database authentication is required.",
        ),
        Correction(
            name="restores-make-no-instances",
            why="moto agrees here; written down because an encrypted copy is ready without an instance",
            reference="RestoreDBClusterFromSnapshot",
            words=("This operation only restores the DB cluster, not the DB instances for that DB cluster."),
        ),
        Correction(
            name="points-in-time-keep-encryption",
            why="moto's clusters of a point in time know no StorageEncryptionType",
            reference="RestoreDBClusterToPointInTimeMessage.KmsKeyId",
            words=(
                "You can restore to a new DB cluster and encrypt the new DB cluster with a KMS key that is"
                " different from the KMS key used to encrypt the source DB cluster."
            ),
        ),
        Correction(
            name="replicas-are-instances-of-their-own",
            why="moto's replica is its source under another name, with one id, one state and one status",
            reference="CreateDBInstanceReadReplica",
            words=(
                "RDS creates read replicas with backups disabled. All other attributes"
                " (including DB security groups and DB parameter groups) are inherited from the source DB"
                " instance or cluster, except as specified."
            ),
        ),
        Correction(
            name="cluster-automated-backups",
            why="moto cannot say whether a deleted cluster left a backup behind",
            reference="DescribeDBClusterAutomatedBackups",
            words="Displays backups for both current and deleted DB clusters.",
        ),
    ),
)
