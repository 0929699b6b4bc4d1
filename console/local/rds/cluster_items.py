"""How DescribeDBClusters shows a cluster."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.local.rds import encryption, network
from console.local.rds.state import extras

if TYPE_CHECKING:
    from console.local.rds.call import Call

AVAILABLE = "available"
_PITR_LAG = timedelta(minutes=4)


def resting_status(cluster: Any) -> str:
    """Read the status a cluster has when nothing happens to it; moto's own reading would change it."""
    status: str = vars(cluster)["_status"]
    return AVAILABLE if status == "creating" else status


def status(call: Call, cluster: Any) -> str:
    """Say what a cluster reports now."""
    return call.world.status_of(cluster, resting_status(cluster))


def is_aurora(cluster: Any) -> bool:
    """Say whether a cluster is Aurora's and not a Multi-AZ DB cluster or a Neptune one."""
    return bool(cluster.engine.startswith("aurora"))


def is_multi_az(cluster: Any) -> bool:
    """Say whether a cluster is a Multi-AZ DB cluster."""
    return cluster.engine in {"mysql", "postgres"}


def pending(resource: Any) -> dict[str, Any]:
    """Merge what waits for the window and what is being applied."""
    own = extras(resource)
    return {**own.waiting, **own.applying}


def _member(member: Any) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": member.db_instance_identifier,
        "IsClusterWriter": member.is_cluster_writer,
        "DBClusterParameterGroupStatus": extras(member).cluster_apply_status,
        "PromotionTier": member.promotion_tier,
    }


def secret(resource: Any) -> dict[str, Any]:
    """Render the secret that RDS manages for the master user, if there is one."""
    managed = getattr(resource, "master_user_secret", None)
    if managed is None:
        return {}
    return {
        "MasterUserSecret": {
            "SecretArn": managed.secret_arn,
            "SecretStatus": managed.secret_status,
            "KmsKeyId": managed.kms_key_id,
        }
    }


def _optional(cluster: Any) -> dict[str, Any]:
    """Render what AWS leaves out where there is nothing to tell."""
    said = {
        "EnabledCloudwatchLogsExports": list(cluster.enabled_cloudwatch_logs_exports),
        "PendingModifiedValues": pending(cluster),
        "DatabaseName": cluster.database_name,
        "CharacterSetName": cluster.character_set_name,
        "GlobalClusterIdentifier": cluster.global_cluster_identifier,
        "ReplicationSourceIdentifier": cluster.replication_source_identifier,
        "ServerlessV2ScalingConfiguration": dict(cluster.serverless_v2_scaling_configuration or {}),
    }
    item = {name: value for name, value in said.items() if value}
    if cluster.engine == "aurora-mysql" and cluster.backtrack_window:
        item["BacktrackWindow"] = cluster.backtrack_window
    if cluster.storage_type == "aurora-iopt1" or not is_aurora(cluster):
        item["StorageType"] = cluster.storage_type
    if is_multi_az(cluster):
        item["DBClusterInstanceClass"] = cluster.db_cluster_instance_class
        item["Iops"] = cluster.iops
        item["PubliclyAccessible"] = bool(cluster.publicly_accessible)
    return item


def present(call: Call, cluster: Any) -> dict[str, Any]:
    """Render a DBCluster."""
    members = call.members_of(cluster)
    zones = {member.availability_zone for member in members}
    created = cluster.cluster_create_time
    item: dict[str, Any] = {
        "AllocatedStorage": cluster.allocated_storage,
        "AvailabilityZones": list(cluster.availability_zones),
        "BackupRetentionPeriod": cluster.backup_retention_period,
        "DBClusterIdentifier": cluster.db_cluster_identifier,
        "DBClusterParameterGroup": cluster.parameter_group,
        "DBSubnetGroup": cluster.db_subnet_group_name,
        "Status": status(call, cluster),
        "EarliestRestorableTime": created,
        "Endpoint": cluster.endpoint,
        "ReaderEndpoint": cluster.reader_endpoint,
        "MultiAZ": len(zones) > 1,
        "Engine": cluster.engine,
        "EngineVersion": cluster.engine_version,
        "LatestRestorableTime": max(created, call.naive_now() - _PITR_LAG),
        "Port": cluster.port,
        "MasterUsername": cluster.master_username,
        "PreferredBackupWindow": cluster.preferred_backup_window,
        "PreferredMaintenanceWindow": cluster.preferred_maintenance_window,
        "ReadReplicaIdentifiers": list(cluster.read_replica_identifiers),
        "DBClusterMembers": [_member(member) for member in members],
        "VpcSecurityGroups": network.memberships(cluster.vpc_security_group_ids),
        "HostedZoneId": cluster.hosted_zone_id,
        "DbClusterResourceId": cluster.db_cluster_resource_id,
        "DBClusterArn": cluster.arn,
        "AssociatedRoles": [
            {"RoleArn": role.role_arn, "FeatureName": role.feature_name, "Status": role.status}
            for role in cluster.associated_roles
        ],
        "IAMDatabaseAuthenticationEnabled": bool(cluster.iam_auth),
        "ClusterCreateTime": created,
        "EngineMode": cluster.engine_mode,
        "AutoMinorVersionUpgrade": bool(cluster.auto_minor_version_upgrade)
        and all(member.auto_minor_version_upgrade for member in members),
        "DeletionProtection": bool(cluster.deletion_protection),
        "HttpEndpointEnabled": False,
        "ActivityStreamStatus": "stopped",
        "CopyTagsToSnapshot": bool(cluster.copy_tags_to_snapshot),
        "CrossAccountClone": False,
        "DomainMemberships": [],
        "TagList": list(cluster.tags),
        "NetworkType": cluster.network_type,
        "EngineLifecycleSupport": "open-source-rds-extended-support",
    }
    item |= encryption.members(cluster) | _optional(cluster) | secret(cluster) | extras(cluster).members
    return {name: value for name, value in item.items() if value is not None}
