"""Databases for the tests: compliant ones, and ones from before encryption was the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.deployed import KEY

if TYPE_CHECKING:
    from stack.deployed import Deployed

_ENGINES = {
    "aurora-postgresql": ("aurora-postgresql16", "16.6", "rds.force_ssl", "1"),
    "aurora-mysql": ("aurora-mysql8.0", "8.0.mysql_aurora.3.08.0", "require_secure_transport", "ON"),
}
_LOGS = {
    "aurora-postgresql": ["postgresql", "iam-db-auth-error"],
    "aurora-mysql": ["audit", "error", "slowquery", "iam-db-auth-error"],
}
_SAFE: dict[str, Any] = {
    "MasterUsername": "steward",
    "MasterUserPassword": "correct-horse-battery",
    "StorageEncrypted": True,
    "DeletionProtection": True,
    "EnableIAMDatabaseAuthentication": True,
    "BackupRetentionPeriod": 35,
    "CopyTagsToSnapshot": True,
}


def as_parameters(values: dict[str, str]) -> list[dict[str, str]]:
    """Values as ModifyDBClusterParameterGroup takes them."""
    return [
        {
            "ParameterName": name,
            "ParameterValue": value,
            "ApplyMethod": "immediate",
        }
        for name, value in values.items()
    ]


def key(stack: Deployed) -> str:
    """The customer managed key that the policy names, made when it is first asked for."""
    kms = stack.client("kms")
    if not any(alias["AliasName"] == KEY for alias in kms.list_aliases()["Aliases"]):
        kms.create_alias(AliasName=KEY, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    return KEY


def cluster(
    stack: Deployed, name: str = "orders", *, engine: str = "aurora-postgresql", **settings: Any
) -> str:
    """A cluster without any drift, with a parameter group of its own; returns its ARN."""
    family, version, switch, on = _ENGINES[engine]
    with stack.quietly() as rds:
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description="TLS"
        )
        rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, Parameters=as_parameters({switch: on})
        )
        made = rds.create_db_cluster(
            DBClusterIdentifier=name,
            **{
                **_SAFE,
                "Engine": engine,
                "EngineVersion": version,
                "KmsKeyId": key(stack),
                "DBClusterParameterGroupName": name,
                "EnableCloudwatchLogsExports": _LOGS[engine],
                **settings,
            },
        )
    return str(made["DBCluster"]["DBClusterArn"])


def member(stack: Deployed, name: str, of: str, *, engine: str = "aurora-postgresql", **settings: Any) -> str:
    """A member of a cluster, not public; returns its ARN."""
    with stack.quietly() as rds:
        made = rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=of,
            **{
                "Engine": engine,
                "DBInstanceClass": "db.r6g.large",
                "PubliclyAccessible": False,
                **settings,
            },
        )
    return str(made["DBInstance"]["DBInstanceArn"])


def instance(stack: Deployed, name: str = "reports", **settings: Any) -> str:
    """A stand-alone instance without any drift; returns its ARN."""
    with stack.quietly() as rds:
        made = rds.create_db_instance(
            DBInstanceIdentifier=name,
            **{
                **_SAFE,
                "Engine": "postgres",
                "EngineVersion": "16.9",
                "DBInstanceClass": "db.m6g.large",
                "AllocatedStorage": 100,
                "KmsKeyId": key(stack),
                "PubliclyAccessible": False,
                "EnableCloudwatchLogsExports": ["postgresql", "upgrade", "iam-db-auth-error"],
                **settings,
            },
        )
    return str(made["DBInstance"]["DBInstanceArn"])


def legacy_cluster(stack: Deployed, name: str = "legacy") -> str:
    """A cluster that is not encrypted, and as it should be otherwise; returns its ARN."""
    cluster(stack, f"{name}-group")
    settings = {name: value for name, value in _SAFE.items() if name != "StorageEncrypted"}
    return stack.aws.rds.create_legacy_unencrypted(
        name,
        EngineVersion="16.6",
        DBClusterParameterGroupName=f"{name}-group",
        EnableCloudwatchLogsExports=_LOGS["aurora-postgresql"],
        **settings,
    )


def legacy_instance(stack: Deployed, name: str = "legacy-instance") -> str:
    """An instance that is not encrypted, and as it should be otherwise; returns its ARN."""
    settings = {name: value for name, value in _SAFE.items() if name != "StorageEncrypted"}
    return stack.aws.rds.create_legacy_unencrypted_instance(
        name,
        EngineVersion="16.6",
        PubliclyAccessible=False,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        **settings,
    )


def cluster_snapshot(stack: Deployed, name: str, of: str) -> str:
    """A manual snapshot of a cluster, shared with nobody; returns its ARN."""
    with stack.quietly() as rds:
        made = rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=of)
    return str(made["DBClusterSnapshot"]["DBClusterSnapshotArn"])


def snapshot(stack: Deployed, name: str, of: str) -> str:
    """A manual snapshot of an instance, shared with nobody; returns its ARN."""
    with stack.quietly() as rds:
        made = rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=of)
    return str(made["DBSnapshot"]["DBSnapshotArn"])


def global_cluster(stack: Deployed, name: str, writer_arn: str) -> str:
    """A protected global cluster around a cluster; returns its ARN."""
    with stack.quietly() as rds:
        made = rds.create_global_cluster(
            GlobalClusterIdentifier=name, SourceDBClusterIdentifier=writer_arn, DeletionProtection=True
        )
    return str(made["GlobalCluster"]["GlobalClusterArn"])
