"""One full Describe item per kind, as AWS gives them, and what the reader adds; examples are laid over these.

Every item is compliant with every control, so that an example says only what it is about.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core.kinds import KINDS, Need
from warden.core.resource import Facts, Resource, ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.control import Control, Example

ACCOUNT = "123456789012"
REGION = "eu-west-1"
OBSERVED_AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"
_CREATED = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
_TAGS = [{"Key": "team", "Value": "orders"}]

CLUSTER: Mapping[str, Any] = {
    "AllocatedStorage": 1,
    "AvailabilityZones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
    "BackupRetentionPeriod": 35,
    "DatabaseName": "orders",
    "DBClusterIdentifier": "orders",
    "DBClusterParameterGroup": "orders-pg16",
    "DBSubnetGroup": "databases-private",
    "Status": "available",
    "EarliestRestorableTime": datetime(2026, 10, 20, 3, 1, tzinfo=UTC),
    "Endpoint": "orders.cluster-cabcdefghijk.eu-west-1.rds.amazonaws.com",
    "ReaderEndpoint": "orders.cluster-ro-cabcdefghijk.eu-west-1.rds.amazonaws.com",
    "MultiAZ": True,
    "Engine": "aurora-postgresql",
    "EngineVersion": "16.4",
    "LatestRestorableTime": datetime(2026, 11, 24, 9, 57, tzinfo=UTC),
    "Port": 5432,
    "MasterUsername": "orders_owner",
    "PreferredBackupWindow": "02:00-02:30",
    "PreferredMaintenanceWindow": "sun:03:00-sun:03:30",
    "ReadReplicaIdentifiers": [],
    "DBClusterMembers": [
        {
            "DBInstanceIdentifier": "orders-1",
            "IsClusterWriter": True,
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": 1,
        },
        {
            "DBInstanceIdentifier": "orders-2",
            "IsClusterWriter": False,
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": 1,
        },
    ],
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-0a1b2c3d4e5f60718", "Status": "active"}],
    "HostedZoneId": "Z29XKXDKYMONMX",
    "StorageEncrypted": True,
    "StorageEncryptionType": "sse-kms",
    "KmsKeyId": KEY,
    "DbClusterResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "DBClusterArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:orders",
    "AssociatedRoles": [],
    "IAMDatabaseAuthenticationEnabled": True,
    "ClusterCreateTime": _CREATED,
    "EnabledCloudwatchLogsExports": ["postgresql"],
    "EngineMode": "provisioned",
    "AutoMinorVersionUpgrade": True,
    "DeletionProtection": True,
    "HttpEndpointEnabled": False,
    "CopyTagsToSnapshot": True,
    "CrossAccountClone": False,
    "DomainMemberships": [],
    "TagList": _TAGS,
    "NetworkType": "IPV4",
    "DatabaseInsightsMode": "standard",
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": KEY,
    "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
}

INSTANCE: Mapping[str, Any] = {
    "DBInstanceIdentifier": "billing",
    "DBInstanceClass": "db.m7g.large",
    "Engine": "postgres",
    "DBInstanceStatus": "available",
    "MasterUsername": "billing_owner",
    "DBName": "billing",
    "Endpoint": {
        "Address": "billing.cabcdefghijk.eu-west-1.rds.amazonaws.com",
        "Port": 5432,
        "HostedZoneId": "Z29XKXDKYMONMX",
    },
    "AllocatedStorage": 200,
    "InstanceCreateTime": _CREATED,
    "PreferredBackupWindow": "02:00-02:30",
    "BackupRetentionPeriod": 35,
    "DBSecurityGroups": [],
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-0a1b2c3d4e5f60718", "Status": "active"}],
    "DBParameterGroups": [{"DBParameterGroupName": "billing-pg16", "ParameterApplyStatus": "in-sync"}],
    "AvailabilityZone": "eu-west-1a",
    "DBSubnetGroup": {
        "DBSubnetGroupName": "databases-private",
        "DBSubnetGroupDescription": "Private subnets",
        "VpcId": "vpc-0a1b2c3d4e5f60718",
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": "subnet-0a1b2c3d4e5f60718",
                "SubnetAvailabilityZone": {"Name": "eu-west-1a"},
                "SubnetStatus": "Active",
            }
        ],
    },
    "PreferredMaintenanceWindow": "sun:03:00-sun:03:30",
    "LatestRestorableTime": datetime(2026, 11, 24, 9, 55, tzinfo=UTC),
    "MultiAZ": True,
    "EngineVersion": "16.4",
    "AutoMinorVersionUpgrade": True,
    "ReadReplicaDBInstanceIdentifiers": [],
    "LicenseModel": "postgresql-license",
    "OptionGroupMemberships": [{"OptionGroupName": "default:postgres-16", "Status": "in-sync"}],
    "PubliclyAccessible": False,
    "StorageType": "gp3",
    "DbInstancePort": 0,
    "StorageEncrypted": True,
    "StorageEncryptionType": "sse-kms",
    "KmsKeyId": KEY,
    "DbiResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWX22",
    "CACertificateIdentifier": "rds-ca-rsa2048-g1",
    "DomainMemberships": [],
    "CopyTagsToSnapshot": True,
    "MonitoringInterval": 60,
    "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:billing",
    "IAMDatabaseAuthenticationEnabled": True,
    "PerformanceInsightsEnabled": True,
    "EnabledCloudwatchLogsExports": ["postgresql", "upgrade"],
    "DeletionProtection": True,
    "AssociatedRoles": [],
    "TagList": _TAGS,
    "CustomerOwnedIpEnabled": False,
    "BackupTarget": "region",
    "NetworkType": "IPV4",
    "DedicatedLogVolume": False,
    "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
}

CLUSTER_SNAPSHOT: Mapping[str, Any] = {
    "AvailabilityZones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
    "DBClusterSnapshotIdentifier": "orders-before-upgrade",
    "DBClusterIdentifier": "orders",
    "SnapshotCreateTime": datetime(2026, 11, 20, 3, tzinfo=UTC),
    "Engine": "aurora-postgresql",
    "EngineMode": "provisioned",
    "AllocatedStorage": 120,
    "Status": "available",
    "Port": 0,
    "VpcId": "vpc-0a1b2c3d4e5f60718",
    "ClusterCreateTime": _CREATED,
    "MasterUsername": "orders_owner",
    "EngineVersion": "16.4",
    "LicenseModel": "postgresql-license",
    "SnapshotType": "manual",
    "PercentProgress": 100,
    "StorageEncrypted": True,
    "StorageEncryptionType": "sse-kms",
    "KmsKeyId": KEY,
    "DBClusterSnapshotArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster-snapshot:orders-before-upgrade",
    "IAMDatabaseAuthenticationEnabled": True,
    "TagList": _TAGS,
    "StorageType": "aurora",
    "DbClusterResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}

SNAPSHOT: Mapping[str, Any] = {
    "DBSnapshotIdentifier": "billing-before-upgrade",
    "DBInstanceIdentifier": "billing",
    "SnapshotCreateTime": datetime(2026, 11, 20, 3, tzinfo=UTC),
    "Engine": "postgres",
    "AllocatedStorage": 200,
    "Status": "available",
    "Port": 5432,
    "AvailabilityZone": "eu-west-1a",
    "VpcId": "vpc-0a1b2c3d4e5f60718",
    "InstanceCreateTime": _CREATED,
    "MasterUsername": "billing_owner",
    "EngineVersion": "16.4",
    "LicenseModel": "postgresql-license",
    "SnapshotType": "manual",
    "OptionGroupName": "default:postgres-16",
    "PercentProgress": 100,
    "StorageType": "gp3",
    "Encrypted": True,
    "StorageEncryptionType": "sse-kms",
    "KmsKeyId": KEY,
    "DBSnapshotArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:billing-before-upgrade",
    "IAMDatabaseAuthenticationEnabled": True,
    "DbiResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWX22",
    "TagList": _TAGS,
    "SnapshotTarget": "region",
    "OriginalSnapshotCreateTime": datetime(2026, 11, 20, 3, tzinfo=UTC),
    "DedicatedLogVolume": False,
}

GLOBAL_CLUSTER: Mapping[str, Any] = {
    "GlobalClusterIdentifier": "orders-global",
    "GlobalClusterResourceId": "cluster-0123456789abcdef",
    "GlobalClusterArn": f"arn:aws:rds::{ACCOUNT}:global-cluster:orders-global",
    "Status": "available",
    "Engine": "aurora-postgresql",
    "EngineVersion": "16.4",
    "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
    "DatabaseName": "orders",
    "StorageEncrypted": True,
    "StorageEncryptionType": "sse-kms",
    "DeletionProtection": True,
    "GlobalClusterMembers": [
        {
            "DBClusterArn": CLUSTER["DBClusterArn"],
            "Readers": [f"arn:aws:rds:eu-central-1:{ACCOUNT}:cluster:orders-readers"],
            "IsWriter": True,
        },
        {
            "DBClusterArn": f"arn:aws:rds:eu-central-1:{ACCOUNT}:cluster:orders-readers",
            "Readers": [],
            "IsWriter": False,
        },
    ],
    "TagList": _TAGS,
}

ITEMS: Mapping[ResourceType, Mapping[str, Any]] = {
    ResourceType.DB_CLUSTER: CLUSTER,
    ResourceType.DB_INSTANCE: INSTANCE,
    ResourceType.DB_CLUSTER_SNAPSHOT: CLUSTER_SNAPSHOT,
    ResourceType.DB_SNAPSHOT: SNAPSHOT,
    ResourceType.GLOBAL_CLUSTER: GLOBAL_CLUSTER,
}


def _force_ssl() -> dict[str, Any]:
    return {
        "rds.force_ssl": {
            "ParameterName": "rds.force_ssl",
            "ParameterValue": "1",
            "Description": "Force SSL connections.",
            "Source": "user",
            "ApplyType": "dynamic",
            "DataType": "boolean",
            "AllowedValues": "0,1",
            "IsModifiable": True,
            "ApplyMethod": "immediate",
        }
    }


def _members() -> list[dict[str, Any]]:
    return [
        {
            **INSTANCE,
            "DBInstanceIdentifier": name,
            "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}",
            "DBInstanceClass": "db.r7g.large",
            "Engine": "aurora-postgresql",
            "DBClusterIdentifier": "orders",
        }
        for name in ("orders-1", "orders-2")
    ]


def enrichments(resource_type: ResourceType) -> dict[str, Any]:
    """What the reader would add to the item of a type, if every control asked for everything."""
    match resource_type:
        case ResourceType.DB_CLUSTER:
            return {
                Need.PARAMETERS: _force_ssl(),
                Need.EXPORTABLE_LOG_TYPES: ["iam-db-auth-error", "instance", "postgresql"],
                Need.MEMBERS: _members(),
                Need.PARAMETER_GROUP_USERS: [CLUSTER["DBClusterArn"]],
                Need.BLUE_GREEN: [],
            }
        case ResourceType.DB_INSTANCE:
            return {
                Need.EXPORTABLE_LOG_TYPES: ["iam-db-auth-error", "postgresql", "upgrade"],
                Need.BLUE_GREEN: [],
            }
        case ResourceType.DB_CLUSTER_SNAPSHOT:
            return {Need.RESTORE_ACCOUNTS: []}
        case ResourceType.DB_SNAPSHOT:
            return {Need.RESTORE_ACCOUNTS: [], Need.ENCRYPTED_COPIES: []}
        case _:
            return {}


def resource(
    resource_type: ResourceType, facts: Mapping[str, Any] | None = None, *, missing: tuple[str, ...] = ()
) -> Resource:
    """A resource of a type: its item, every enrichment and, over both, the given facts."""
    kind = KINDS[resource_type]
    known: dict[str, Any] = {
        **kind.omitted,
        **ITEMS[resource_type],
        **enrichments(resource_type),
        **(facts or {}),
    }
    if isinstance(parameters := known.get(Need.PARAMETERS), dict):
        known[Need.PARAMETERS] = Facts(parameters)
    for name in missing:
        known.pop(name, None)
    ref = ResourceRef.from_arn(ITEMS[resource_type][kind.arn])
    return Resource(
        ref=ref,
        facts=Facts(known, dict.fromkeys(missing, "the call was denied")),
        observed_at=OBSERVED_AT,
        key=f"{ACCOUNT}/{REGION}/{resource_type}/{known[kind.immutable_id or kind.arn]}",
        tags={"team": "orders"},
        home=REGION,
    )


def example_resource(control: Control, example: Example) -> Resource:
    """The resource that an example describes."""
    return resource(control.resource_type, example.facts, missing=example.missing)


def example_settings(control: Control, example: Example) -> dict[str, Any]:
    """The settings that an example describes: the defaults, and over them what a policy would say."""
    settings = control.defaults()
    for name, value in example.settings.items():
        settings[name] = {**settings[name], **value} if isinstance(value, dict) else value
    return settings
