"""How DescribeDBInstances shows an instance; a member of a cluster shows much of its cluster's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.local.rds import certificates, encryption, network, parameter_groups
from console.local.rds.cluster_items import pending, secret
from console.local.rds.state import extras

if TYPE_CHECKING:
    from console.local.rds.call import Call

_PITR_LAG = timedelta(minutes=4)
CERTIFICATE = "rds-ca-rsa2048-g1"


def status(call: Call, instance: Any) -> str:
    """Say what an instance reports now."""
    return call.world.status_of(instance, instance.status)


def is_member(instance: Any) -> bool:
    """Say whether an instance belongs to a cluster."""
    return bool(instance.db_cluster_identifier)


def subnet_group_of(call: Call, instance: Any) -> Any:
    """Find the subnet group that an instance stands in."""
    if is_member(instance):
        return network.subnet_group(call, instance.cluster.db_subnet_group_name)
    return getattr(instance, "db_subnet_group", None) or network.subnet_group(call, None)


def present_subnet_group(_: Call, group: Any) -> dict[str, Any]:
    """Render a DBSubnetGroup."""
    return {
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc_id,
        "SubnetGroupStatus": group.subnet_group_status,
        "Subnets": [
            {
                "SubnetIdentifier": subnet["SubnetIdentifier"],
                "SubnetAvailabilityZone": {"Name": subnet["SubnetAvailabilityZone"]["Name"]},
                "SubnetOutpost": {},
                "SubnetStatus": subnet["SubnetStatus"],
            }
            for subnet in group.subnets
        ],
        "DBSubnetGroupArn": group.arn,
        "SupportedNetworkTypes": ["IPV4"],
    }


def _optional(call: Call, instance: Any) -> dict[str, Any]:
    item: dict[str, Any] = {}
    source = instance.cluster if is_member(instance) else instance
    if source.enabled_cloudwatch_logs_exports:
        item["EnabledCloudwatchLogsExports"] = list(source.enabled_cloudwatch_logs_exports)
    if instance.db_name:
        item["DBName"] = instance.db_name
    if is_member(instance):
        item["DBClusterIdentifier"] = instance.db_cluster_identifier
        item["PromotionTier"] = instance.promotion_tier
    elif instance.backup_retention_period:
        item["LatestRestorableTime"] = max(instance.created, call.naive_now() - _PITR_LAG)
    if instance.source_db_instance_identifier:
        item["ReadReplicaSourceDBInstanceIdentifier"] = instance.source_db_instance_identifier
    if instance.max_allocated_storage:
        item["MaxAllocatedStorage"] = instance.max_allocated_storage
    if instance.iops:
        item["Iops"] = instance.iops
    if instance.monitoring_interval:
        item["MonitoringRoleArn"] = instance.monitoring_role_arn
        item["EnhancedMonitoringResourceArn"] = (
            f"arn:aws:logs:{call.region}:{call.account}:log-group:RDSOSMetrics"
            f":log-stream:{instance.dbi_resource_id}"
        )
    if status(call, instance) != "creating":
        item["Endpoint"] = {
            "Address": instance.address,
            "Port": source.port,
            "HostedZoneId": "Z2R2ITUGPM61AM",
        }
    return item


def present(call: Call, instance: Any) -> dict[str, Any]:
    """Render a DBInstance."""
    member = is_member(instance)
    source = instance.cluster if member else instance
    group_name = instance.db_parameter_group_name or parameter_groups.default_name(
        instance.engine, instance.engine_version
    )
    iam = source.iam_auth if member else instance.enable_iam_database_authentication
    item: dict[str, Any] = {
        "DBInstanceIdentifier": instance.db_instance_identifier,
        "DBInstanceClass": instance.db_instance_class,
        "Engine": instance.engine,
        "DBInstanceStatus": status(call, instance),
        "MasterUsername": instance.master_username,
        "AllocatedStorage": instance.allocated_storage,
        "InstanceCreateTime": instance.created,
        "PreferredBackupWindow": instance.preferred_backup_window,
        "BackupRetentionPeriod": instance.backup_retention_period,
        "DBSecurityGroups": [],
        "VpcSecurityGroups": network.memberships(instance.vpc_security_group_ids),
        "DBParameterGroups": [
            {"DBParameterGroupName": group_name, "ParameterApplyStatus": extras(instance).apply_status}
        ],
        "AvailabilityZone": instance.availability_zone,
        "DBSubnetGroup": present_subnet_group(call, subnet_group_of(call, instance)),
        "PreferredMaintenanceWindow": instance.preferred_maintenance_window,
        "PendingModifiedValues": pending(instance),
        "MultiAZ": bool(instance.multi_az) and not member,
        "EngineVersion": instance.engine_version,
        "AutoMinorVersionUpgrade": bool(instance.auto_minor_version_upgrade),
        "ReadReplicaDBInstanceIdentifiers": list(instance.replicas),
        "LicenseModel": instance.license_model,
        "OptionGroupMemberships": [{"OptionGroupName": instance.option_group_name, "Status": "in-sync"}],
        "PubliclyAccessible": bool(instance.publicly_accessible),
        "StorageType": instance.storage_type,
        "StorageThroughput": (0 if member else instance.storage_throughput) or 0,
        "DbInstancePort": 0,
        "DbiResourceId": instance.dbi_resource_id,
        "CACertificateIdentifier": instance.ca_certificate_identifier,
        "DomainMemberships": [],
        "CopyTagsToSnapshot": bool(instance.copy_tags_to_snapshot) and not member,
        "MonitoringInterval": instance.monitoring_interval,
        "DBInstanceArn": instance.arn,
        "IAMDatabaseAuthenticationEnabled": bool(iam),
        "DatabaseInsightsMode": "standard",
        "PerformanceInsightsEnabled": False,
        "DeletionProtection": bool(instance.deletion_protection) and not member,
        "AssociatedRoles": []
        if member
        else [
            {"RoleArn": role.role_arn, "FeatureName": role.feature_name, "Status": role.status}
            for role in instance.associated_roles
        ],
        "TagList": list(instance.tags),
        "CustomerOwnedIpEnabled": False,
        "NetworkType": "IPV4",
        "ActivityStreamStatus": "stopped",
        "BackupTarget": "region",
        "CertificateDetails": certificates.details(call, instance),
        "DedicatedLogVolume": False,
        "IsStorageConfigUpgradeAvailable": False,
        "EngineLifecycleSupport": "open-source-rds-extended-support",
    }
    item |= encryption.members(instance) | _optional(call, instance)
    item |= ({} if member else secret(instance)) | extras(instance).members
    return {name: value for name, value in item.items() if value is not None}
