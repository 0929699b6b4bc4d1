"""Databases for the tests: compliant ones, and ones from before encryption was the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends
from moto.kms.models import kms_backends

from stack.deployed import CLOSED_GROUP, KEY, KEY_ARN, PRIVATE_SUBNETS

if TYPE_CHECKING:
    from stack.deployed import Deployed

_ENGINES: dict[str, tuple[str, str, dict[str, str]]] = {
    "aurora-postgresql": (
        "aurora-postgresql16",
        "16.6",
        {
            "rds.force_ssl": "1",
            "log_connections": "1",
            "log_disconnections": "1",
            "shared_preload_libraries": "pg_stat_statements,pgaudit",
            "pgaudit.log": "ddl,role",
        },
    ),
    "aurora-mysql": (
        "aurora-mysql8.0",
        "8.0.mysql_aurora.3.08.0",
        {
            "require_secure_transport": "ON",
            "server_audit_logging": "1",
            "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
        },
    ),
}
_STATIC = {"shared_preload_libraries"}
_LOGS = {
    "aurora-postgresql": ["postgresql", "iam-db-auth-error"],
    "aurora-mysql": ["audit", "error", "slowquery", "iam-db-auth-error"],
}
BACKUP_ROLE = "arn:aws:iam::123456789012:role/backup"
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
    """Values as ModifyDBClusterParameterGroup and ModifyDBParameterGroup take them."""
    return [
        {
            "ParameterName": name,
            "ParameterValue": value,
            "ApplyMethod": "pending-reboot" if name in _STATIC else "immediate",
        }
        for name, value in values.items()
    ]


def group(stack: Deployed, name: str) -> str:
    """A security group that lets nobody in; returns its id."""
    ec2 = stack.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    return str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])


def default_group(stack: Deployed) -> str:
    """The default security group of the VPC."""
    groups = stack.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["default"]}]
    )
    return str(groups["SecurityGroups"][0]["GroupId"])


def proxy(stack: Deployed, name: str = "pool", **settings: Any) -> str:
    """A proxy that requires TLS; returns its ARN."""
    subnets = [subnet["SubnetId"] for subnet in stack.client("ec2").describe_subnets()["Subnets"]]
    with stack.quietly() as rds:
        made = rds.create_db_proxy(
            DBProxyName=name,
            **{
                "EngineFamily": "POSTGRESQL",
                "RoleArn": "arn:aws:iam::123456789012:role/proxy",
                "VpcSubnetIds": subnets,
                "RequireTLS": True,
                "Auth": [
                    {
                        "AuthScheme": "SECRETS",
                        "SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a",
                    }
                ],
                **settings,
            },
        )
    return str(made["DBProxy"]["DBProxyArn"])


def key(stack: Deployed) -> str:
    """The customer managed key that the policy names, made when it is first asked for."""
    kms = stack.client("kms")
    if not any(alias["AliasName"] == KEY for alias in kms.list_aliases()["Aliases"]):
        # With an id that a policy can name before the key is made; AWS and moto draw one.
        keys = kms_backends["123456789012"]["eu-west-1"].keys
        made = keys.pop(kms.create_key()["KeyMetadata"]["KeyId"])
        made.arn, made.id = KEY_ARN, KEY_ARN.rpartition("/")[2]
        keys[made.id] = made
        kms.create_alias(AliasName=KEY, TargetKeyId=made.id)
    return KEY


def backup_plan(stack: Deployed, tag: dict[str, str]) -> str:
    """The plan of AWS Backup that selects by a tag, made when it is first asked for; returns its id."""
    backup = stack.client("backup")
    for plan in backup.list_backup_plans()["BackupPlansList"]:
        return str(plan["BackupPlanId"])
    rule = {"RuleName": "daily", "TargetBackupVaultName": "databases"}
    made = backup.create_backup_plan(BackupPlan={"BackupPlanName": "nightly", "Rules": [rule]})
    condition = {"ConditionKey": tag["Key"], "ConditionValue": tag["Value"]}
    backup.create_backup_selection(
        BackupPlanId=made["BackupPlanId"],
        BackupSelection={
            "SelectionName": "by-tag",
            "IamRoleArn": BACKUP_ROLE,
            "ListOfTags": [{"ConditionType": "STRINGEQUALS", **condition}],
        },
    )
    return str(made["BackupPlanId"])


def cluster(
    stack: Deployed, name: str = "orders", *, engine: str = "aurora-postgresql", **settings: Any
) -> str:
    """A cluster without any drift, with a parameter group of its own; returns its ARN."""
    family, version, parameters = _ENGINES[engine]
    with stack.quietly() as rds:
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description=name
        )
        rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, Parameters=as_parameters(parameters)
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
    """A stand-alone instance without any drift, with a parameter group of its own; returns its ARN."""
    with stack.quietly() as rds:
        rds.create_db_parameter_group(
            DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description=name
        )
        rds.modify_db_parameter_group(
            DBParameterGroupName=name,
            Parameters=as_parameters(
                {"rds.force_ssl": "1", "log_connections": "1", "log_disconnections": "1"}
            ),
        )
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
                "DBParameterGroupName": name,
                "EnableCloudwatchLogsExports": ["postgresql", "upgrade", "iam-db-auth-error"],
                **settings,
            },
        )
    return str(made["DBInstance"]["DBInstanceArn"])


def place(stack: Deployed) -> None:
    """The private subnets and the closed security group that the policy names, made when they are first asked for."""
    with stack.quietly() as rds:
        if any(
            one["DBSubnetGroupName"] == PRIVATE_SUBNETS for one in _pages(rds, "describe_db_subnet_groups")
        ):
            return
        subnets = [one["SubnetId"] for one in stack.client("ec2").describe_subnets()["Subnets"]]
        rds.create_db_subnet_group(
            DBSubnetGroupName=PRIVATE_SUBNETS, DBSubnetGroupDescription="Private", SubnetIds=subnets
        )
    # With an id that a policy can name before the group is made; AWS and moto draw one.
    made = group(stack, "closed")
    for groups in ec2_backends["123456789012"]["eu-west-1"].groups.values():
        if made in groups:
            closed = groups.pop(made)
            closed.id = closed.group_id = CLOSED_GROUP
            groups[CLOSED_GROUP] = closed


def _pages(client: Any, operation: str) -> list[dict[str, Any]]:
    [items] = [value for value in getattr(client, operation)().values() if isinstance(value, list)]
    return items


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
