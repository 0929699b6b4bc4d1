"""One full Describe item per kind, as AWS gives them, and what the reader adds; examples are laid over these.

Every item is compliant with every control, so that an example says only what it is about.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from controls import detection_items, lifecycle_items, monitoring_items, network_items
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


def _secret(name: str) -> dict[str, str]:
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!{name}"
    return {"SecretArn": arn, "SecretStatus": "active", "KmsKeyId": KEY}


SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!cluster-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9-AbCdEf"

KEY_METADATA: Mapping[str, Any] = {
    "AWSAccountId": ACCOUNT,
    "KeyId": KEY.rpartition("/")[2],
    "Arn": KEY,
    "CreationDate": _CREATED,
    "Enabled": True,
    "Description": "Databases",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "KeyState": "Enabled",
    "Origin": "AWS_KMS",
    "KeyManager": "CUSTOMER",
    "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
    "KeySpec": "SYMMETRIC_DEFAULT",
    "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
    "MultiRegion": False,
}

KEY_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Administration",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)

SECRET: Mapping[str, Any] = {
    "ARN": SECRET_ARN,
    "Name": "rds!cluster-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    "Description": "The secret associated with the primary RDS DB cluster",
    "KmsKeyId": KEY,
    "RotationEnabled": True,
    "RotationRules": {"AutomaticallyAfterDays": 7},
    "LastRotatedDate": datetime(2026, 11, 20, 8, tzinfo=UTC),
    "LastChangedDate": datetime(2026, 11, 20, 8, tzinfo=UTC),
    "LastAccessedDate": datetime(2026, 11, 24, tzinfo=UTC),
    "NextRotationDate": datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC),
    "Tags": [
        {"Key": "aws:rds:primaryDBClusterArn", "Value": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:orders"}
    ],
    "OwningService": "rds",
    "CreatedDate": _CREATED,
}

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
    "Port": 6432,
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
    "ActivityStreamStatus": "started",
    "MasterUserSecret": _secret("cluster-0a1b2c3d"),
    "IAMDatabaseAuthenticationEnabled": True,
    "ClusterCreateTime": _CREATED,
    "EnabledCloudwatchLogsExports": ["iam-db-auth-error", "postgresql"],
    "EngineMode": "provisioned",
    "AutoMinorVersionUpgrade": True,
    "DeletionProtection": True,
    "HttpEndpointEnabled": False,
    "CopyTagsToSnapshot": True,
    "CrossAccountClone": False,
    "DomainMemberships": [],
    "TagList": _TAGS,
    "NetworkType": "IPV4",
    "DatabaseInsightsMode": "advanced",
    "PerformanceInsightsEnabled": True,
    "PerformanceInsightsKMSKeyId": KEY,
    "PerformanceInsightsRetentionPeriod": 465,
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
        "Port": 6432,
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
    "CertificateDetails": {
        "CAIdentifier": "rds-ca-rsa2048-g1",
        "ValidTill": datetime(2027, 9, 2, 8, 30, tzinfo=UTC),
    },
    "MasterUserSecret": _secret("db-0a1b2c3d"),
    "DomainMemberships": [],
    "CopyTagsToSnapshot": True,
    "MonitoringInterval": 60,
    "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:billing",
    "IAMDatabaseAuthenticationEnabled": True,
    "PerformanceInsightsEnabled": True,
    "EnabledCloudwatchLogsExports": ["iam-db-auth-error", "postgresql", "upgrade"],
    "DeletionProtection": True,
    "AssociatedRoles": [],
    "TagList": _TAGS,
    "CustomerOwnedIpEnabled": False,
    "BackupTarget": "region",
    "NetworkType": "IPV4",
    "DedicatedLogVolume": False,
    "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
    "DatabaseInsightsMode": "advanced",
    "PerformanceInsightsKMSKeyId": KEY,
    "PerformanceInsightsRetentionPeriod": 465,
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

PROXY: Mapping[str, Any] = {
    "DBProxyName": "orders-proxy",
    "DBProxyArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db-proxy:prx-0a1b2c3d4e5f60718",
    "Status": "available",
    "EngineFamily": "POSTGRESQL",
    "VpcId": "vpc-0a1b2c3d4e5f60718",
    "VpcSecurityGroupIds": ["sg-0a1b2c3d4e5f60718"],
    "VpcSubnetIds": ["subnet-0a1b2c3d4e5f60718", "subnet-1a1b2c3d4e5f60718"],
    "DefaultAuthScheme": "NONE",
    "Auth": [
        {
            "AuthScheme": "SECRETS",
            "SecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:orders-app-AbCdEf",
            "IAMAuth": "REQUIRED",
            "ClientPasswordAuthType": "POSTGRES_SCRAM_SHA_256",
        }
    ],
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/orders-proxy",
    "Endpoint": "orders-proxy.proxy-cabcdefghijk.eu-west-1.rds.amazonaws.com",
    "RequireTLS": True,
    "IdleClientTimeout": 1800,
    "DebugLogging": False,
    "CreatedDate": _CREATED,
    "UpdatedDate": _CREATED,
    "EndpointNetworkType": "IPV4",
    "TargetConnectionNetworkType": "IPV4",
}

ITEMS: Mapping[ResourceType, Mapping[str, Any]] = {
    ResourceType.DB_CLUSTER: CLUSTER,
    ResourceType.DB_INSTANCE: INSTANCE,
    ResourceType.DB_CLUSTER_SNAPSHOT: CLUSTER_SNAPSHOT,
    ResourceType.DB_SNAPSHOT: SNAPSHOT,
    ResourceType.GLOBAL_CLUSTER: GLOBAL_CLUSTER,
    ResourceType.KMS_KEY: KEY_METADATA,
    ResourceType.SECRET: SECRET,
    ResourceType.DB_PROXY: PROXY,
    ResourceType.SECURITY_GROUP: network_items.SECURITY_GROUP,
    ResourceType.ACCOUNT: network_items.ACCOUNT_ITEM,
    ResourceType.LOG_GROUP: detection_items.LOG_GROUP,
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


def _logging(**values: str) -> dict[str, Any]:
    """The parameters that PostgreSQL logs by, as somebody set them."""
    given = {"log_connections": "1", "log_disconnections": "1", "log_statement": "ddl", **values}
    return {
        name: {
            "ParameterName": name,
            "ParameterValue": value,
            "Source": "user",
            "ApplyType": "static" if name == "shared_preload_libraries" else "dynamic",
            "DataType": "list" if "," in value else "string",
            "IsModifiable": True,
            "ApplyMethod": "pending-reboot",
        }
        for name, value in given.items()
    }


_PGAUDIT = {"shared_preload_libraries": "pg_stat_statements,pgaudit", "pgaudit.log": "ddl,role"}


def _members() -> list[dict[str, Any]]:
    return [
        {
            **INSTANCE,
            "DBInstanceIdentifier": name,
            "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}",
            "DBInstanceClass": "db.r7g.large",
            "Engine": "aurora-postgresql",
            "DBClusterIdentifier": "orders",
            "AvailabilityZone": zone,
        }
        for name, zone in (("orders-1", "eu-west-1a"), ("orders-2", "eu-west-1b"))
    ]


_BACKUP_PLAN: Mapping[str, Any] = {
    "BackupPlanName": "nightly",
    "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "databases", "KeptDays": [90]}],
    "Selections": [
        {
            "SelectionName": "everything",
            "Everything": True,
            "Resources": [],
            "NotResources": [],
            "ListOfTags": [],
            "Conditions": {},
        }
    ],
}

_RECOVERY_POINT: Mapping[str, Any] = {
    "RecoveryPointArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster-snapshot:awsbackup:job-1",
    "BackupVaultName": "databases",
    "CreationDate": datetime(2026, 11, 24, 5, tzinfo=UTC),
    "Status": "COMPLETED",
    "IsEncrypted": True,
    "Locked": True,
}

_ALIASES = {KEY: [f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/databases"]}


_OTHER_SERVICES: Mapping[ResourceType, Mapping[str, Any]] = {
    ResourceType.DB_PROXY: network_items.OF_A_DATABASE,
    ResourceType.SECURITY_GROUP: network_items.OF_A_SECURITY_GROUP,
    ResourceType.ACCOUNT: {**network_items.OF_THE_ACCOUNT, **detection_items.OF_THE_ACCOUNT},
    ResourceType.LOG_GROUP: {**detection_items.OF_A_LOG_GROUP, Need.LOG_DATABASE: CLUSTER},
    ResourceType.KMS_KEY: {
        Need.KEY_USERS: {"Count": 2, "Some": [CLUSTER["DBClusterArn"], INSTANCE["DBInstanceArn"]]},
        Need.KEY_POLICY: KEY_POLICY,
        Need.KEY_GRANTS: [],
        Need.KEY_ROTATION: {"KeyRotationEnabled": True, "RotationPeriodInDays": 365},
    },
    ResourceType.SECRET: {Need.SECRET_POLICY: None},
    ResourceType.GLOBAL_CLUSTER: lifecycle_items.OF_AN_ENGINE,
}


def _snapshot_key() -> dict[str, Any]:
    return {Need.STORAGE_KEY: KEY_METADATA, Need.KEY_ALIASES: _ALIASES, Need.KEY_POLICY: KEY_POLICY}


_NO_GROUP: Mapping[str, Any] = {
    Need.OWN_GROUP: {"Description": None, "Values": {}, "Users": [], "Record": None},
    Need.QUOTAS: {name: {"Used": 3, "Max": 50} for name in ("DBClusterParameterGroups", "DBParameterGroups")},
}


_NO_SUCCESSOR: Mapping[str, Any] = {
    Need.SUCCESSOR: {
        "Cluster": None,
        "Others": [],
        "Members": [],
        "Snapshot": None,
        "Record": None,
        "SnapshotRecord": None,
    },
    Need.QUOTAS: {
        **_NO_GROUP[Need.QUOTAS],
        **{name: {"Used": 3, "Max": 40} for name in ("DBClusters", "DBInstances", "ManualClusterSnapshots")},
    },
    Need.SUBNET_GROUPS: {},
    Need.INBOUND_RULES: {},
    Need.ALIAS_KEYS: {"alias/databases": KEY.rpartition("/")[2]},
}


def enrichments(resource_type: ResourceType) -> dict[str, Any]:
    """What the reader would add to the item of a type, if every control asked for everything."""
    match resource_type:
        case ResourceType.DB_CLUSTER:
            return {
                **network_items.OF_A_DATABASE,
                **lifecycle_items.OF_AN_ENGINE,
                Need.STORAGE_KEY: KEY_METADATA,
                Need.INSIGHTS_KEY: KEY_METADATA,
                Need.MASTER_SECRET_KEY: KEY_METADATA,
                Need.KEY_ALIASES: _ALIASES,
                Need.PARAMETERS: {**_force_ssl(), **_logging(**_PGAUDIT)},
                Need.MEMBER_PARAMETERS: {"orders-1": {}, "orders-2": {}},
                Need.EXPORTABLE_LOG_TYPES: ["iam-db-auth-error", "instance", "postgresql"],
                Need.MEMBERS: _members(),
                Need.ALARMS: monitoring_items.ALARMS_OF_A_CLUSTER,
                Need.CLASS_SUPPORT: {"db.r7g.large": monitoring_items.EVERYTHING},
                Need.PARAMETER_GROUP_USERS: [CLUSTER["DBClusterArn"]],
                **_NO_GROUP,
                **_NO_SUCCESSOR,
                Need.GLOBAL_CLUSTER: None,
                Need.BLUE_GREEN: [],
                Need.RECENT_EVENTS: [],
                Need.BACKUP_PLANS: [_BACKUP_PLAN],
                Need.RECOVERY_POINTS: [_RECOVERY_POINT],
                Need.BACKUP_OPT_IN: True,
            }
        case ResourceType.DB_INSTANCE:
            return {
                **network_items.OF_A_DATABASE,
                **lifecycle_items.OF_AN_ENGINE,
                Need.STORAGE_KEY: KEY_METADATA,
                Need.INSIGHTS_KEY: KEY_METADATA,
                Need.MASTER_SECRET_KEY: KEY_METADATA,
                Need.KEY_ALIASES: _ALIASES,
                Need.INSTANCE_PARAMETERS: {**_force_ssl(), **_logging()},
                **_NO_GROUP,
                Need.INSTANCE_GROUP_USERS: [INSTANCE["DBInstanceArn"]],
                Need.MEMBERS: [],
                Need.ALARMS: monitoring_items.ALARMS_OF_AN_INSTANCE,
                Need.CLASS_SUPPORT: {"db.m7g.large": monitoring_items.EVERYTHING},
                Need.CERTIFICATE_ROTATION: {
                    "SupportsCertificateRotationWithoutRestart": True,
                    "SupportedCACertificateIdentifiers": [
                        "rds-ca-ecc384-g1",
                        "rds-ca-rsa2048-g1",
                        "rds-ca-rsa4096-g1",
                    ],
                },
                Need.EXPORTABLE_LOG_TYPES: ["iam-db-auth-error", "postgresql", "upgrade"],
                Need.BLUE_GREEN: [],
                Need.RECENT_EVENTS: [],
                Need.BACKUP_PLANS: [_BACKUP_PLAN],
                Need.RECOVERY_POINTS: [_RECOVERY_POINT],
                Need.BACKUP_OPT_IN: True,
            }
        case ResourceType.DB_CLUSTER_SNAPSHOT:
            return {Need.RESTORE_ACCOUNTS: [], **_snapshot_key(), **NOTHING_BEGUN}
        case ResourceType.DB_SNAPSHOT:
            return {
                Need.RESTORE_ACCOUNTS: [],
                Need.ENCRYPTED_COPIES: [],
                **_snapshot_key(),
                **NOTHING_BEGUN,
            }
        case _:
            return dict(_OTHER_SERVICES.get(resource_type, {}))


NOTHING_BEGUN: Mapping[str, Any] = {
    Need.ENCRYPTION_PROCEDURE: {"Temporary": None, "Result": None, "Record": None},
    Need.QUOTAS: {
        name: {"Used": 3, "Max": 100} for name in ("DBClusters", "ManualClusterSnapshots", "ManualSnapshots")
    },
    Need.ALIAS_KEYS: {"alias/databases": KEY.rpartition("/")[2]},
}
"""What the procedures of snapshots read before they begin."""


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
    for need in (Need.PARAMETERS, Need.INSTANCE_PARAMETERS, Need.CERTIFICATE_ROTATION, Need.LOG_DATABASE):
        if isinstance(part := known.get(need), dict):
            known[need] = Facts(part)
    if isinstance(of_members := known.get(Need.MEMBER_PARAMETERS), dict):
        known[Need.MEMBER_PARAMETERS] = {name: Facts(found) for name, found in of_members.items()}
    for name in missing:
        known.pop(name, None)
    ref = ResourceRef.from_arn(ITEMS[resource_type][kind.arn])
    survives = kind.immutable_id or kind.arn
    return Resource(
        ref=ref,
        facts=Facts(known, dict.fromkeys(missing, "the call was denied")),
        observed_at=OBSERVED_AT,
        key=f"{ACCOUNT}/{REGION}/{resource_type}/{known.get(survives, ITEMS[resource_type][survives])}",
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
