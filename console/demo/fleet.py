"""The fleet of the demo: a global audit trail on Aurora, and the databases around it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console import paths
from console.local.identity import assumed_role, iam_user

if TYPE_CHECKING:
    from console.local.stack import LocalStack

SECONDARY = "eu-central-1"
BACKUP_ACCOUNT = "210987654321"
STRANGER = "555566667777"
PASSWORD = "correct-horse-battery"  # noqa: S105 - of databases that exist in this process alone

ALICE = iam_user("alice")
BOB = iam_user("bob")
CI = assumed_role("arn:aws:iam::123456789012:role/ci-deploy", session="pipeline-4711")
CAROL = assumed_role("arn:aws:iam::123456789012:role/database-owner", session="carol")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What the scenes need to know of what was seeded."""

    key: str
    exempt_id: str
    sizes: dict[str, int]


def seed(stack: LocalStack) -> Fleet:
    """Make the fleet, compliant but for one old debt; the making of it is not news to anybody."""
    stack.aws.emit = None
    try:
        key = stack.client("kms").create_key(Description="audit trail")["KeyMetadata"]["Arn"]
        rds = stack.client("rds")
        _aurora_postgresql(stack, rds, key)
        _aurora_mysql(rds, key)
        exempt_id = _staging(rds, key)
        _instances(stack, rds, key)
        rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier="audit-trail-quarter-end", DBClusterIdentifier="audit-trail"
        )
        rds.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier="audit-trail-quarter-end",
            AttributeName="restore",
            ValuesToAdd=[BACKUP_ACCOUNT],
        )
    finally:
        stack.aws.emit = stack.put
    sizes = {
        "clusters": len(rds.describe_db_clusters()["DBClusters"]),
        "instances": len(rds.describe_db_instances()["DBInstances"]),
        "snapshots": len(rds.describe_db_cluster_snapshots()["DBClusterSnapshots"])
        + len(rds.describe_db_snapshots()["DBSnapshots"]),
        "global cluster": len(rds.describe_global_clusters()["GlobalClusters"]),
    }
    return Fleet(key=key, exempt_id=exempt_id, sizes=sizes)


def policy_text(fleet: Fleet) -> str:
    """The policy that is shipped, with what only this account knows: its key, its backup account, an exemption."""
    text = paths.POLICY.read_text(encoding="utf-8")
    for key, value in (("kms_key", f'"{fleet.key}"'), ("approved_accounts", f'["{BACKUP_ACCOUNT}"]')):
        text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        if count != 1:
            msg = f"layers/policy/policy.toml should set {key} exactly once, and sets it {count} times"
            raise LookupError(msg)
    # The demo's owners have read the price, and let copies be made without asking.
    text, count = re.subn(r"(?m)^costs = \[$", 'costs = [\n    "db_snapshot_encrypted",', text)
    if count != 1:
        msg = "layers/policy/policy.toml should begin the list allow.costs once"
        raise LookupError(msg)
    return f"""{text}

[[exemptions]]
control = "cluster_deletion_protection_enabled"
resource = "{fleet.exempt_id}"
owner = "platform team"
reason = "the nightly job tears staging down"
expires = 2026-03-31
"""


def _safe(key: str) -> dict[str, Any]:
    return {
        "MasterUsername": "steward",
        "MasterUserPassword": PASSWORD,
        "StorageEncrypted": True,
        "KmsKeyId": key,
        "DeletionProtection": True,
        "EnableIAMDatabaseAuthentication": True,
        "BackupRetentionPeriod": 35,
        "CopyTagsToSnapshot": True,
    }


def _group(rds: Any, name: str, family: str, parameter: str, value: str) -> None:
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily=family, Description="TLS is required"
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=name,
        Parameters=[{"ParameterName": parameter, "ParameterValue": value, "ApplyMethod": "immediate"}],
    )


def _members(rds: Any, cluster: str, engine: str, names: tuple[str, ...]) -> None:
    for name in names:
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=cluster,
            Engine=engine,
            DBInstanceClass="db.r6g.large",
            PubliclyAccessible=False,
        )


def _aurora_postgresql(stack: LocalStack, rds: Any, key: str) -> None:
    _group(rds, "audit-trail-pg16", "aurora-postgresql16", "rds.force_ssl", "1")
    cluster = rds.create_db_cluster(
        DBClusterIdentifier="audit-trail",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        DBClusterParameterGroupName="audit-trail-pg16",
        EnableCloudwatchLogsExports=["postgresql", "iam-db-auth-error"],
        **_safe(key),
    )["DBCluster"]
    _members(
        rds,
        "audit-trail",
        "aurora-postgresql",
        ("audit-trail-writer", "audit-trail-reader-1", "audit-trail-reader-2", "audit-trail-reader-3"),
    )
    rds.create_global_cluster(
        GlobalClusterIdentifier="audit-trail-global", SourceDBClusterIdentifier=cluster["DBClusterArn"]
    )
    rds.modify_global_cluster(GlobalClusterIdentifier="audit-trail-global", DeletionProtection=True)
    far_key = stack.client("kms", SECONDARY).create_key(Description="audit trail")["KeyMetadata"]["Arn"]
    far = stack.client("rds", SECONDARY)
    far.create_db_cluster(
        DBClusterIdentifier="audit-trail-eu",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        GlobalClusterIdentifier="audit-trail-global",
        StorageEncrypted=True,
        KmsKeyId=far_key,
        DeletionProtection=True,
    )


def _aurora_mysql(rds: Any, key: str) -> None:
    _group(rds, "game-log-mysql8", "aurora-mysql8.0", "require_secure_transport", "ON")
    rds.create_db_cluster(
        DBClusterIdentifier="game-log",
        Engine="aurora-mysql",
        EngineVersion="8.0.mysql_aurora.3.08.0",
        DBClusterParameterGroupName="game-log-mysql8",
        EnableCloudwatchLogsExports=["audit", "error", "slowquery", "iam-db-auth-error"],
        **_safe(key),
    )
    _members(rds, "game-log", "aurora-mysql", ("game-log-writer", "game-log-reader"))


def _staging(rds: Any, key: str) -> str:
    _group(rds, "staging-pg16", "aurora-postgresql16", "rds.force_ssl", "1")
    cluster = rds.create_db_cluster(
        DBClusterIdentifier="staging",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        DBClusterParameterGroupName="staging-pg16",
        EnableCloudwatchLogsExports=["postgresql", "iam-db-auth-error"],
        **_safe(key),
    )["DBCluster"]
    _members(rds, "staging", "aurora-postgresql", ("staging-writer",))
    return str(cluster["DbClusterResourceId"])


def _instances(stack: LocalStack, rds: Any, key: str) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier="reports",
        Engine="postgres",
        EngineVersion="16.6",
        DBInstanceClass="db.m6g.large",
        AllocatedStorage=100,
        PubliclyAccessible=False,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        **_safe(key),
    )
    # From before encryption was the default. Nothing can encrypt it in place: its finding is a ticket.
    stack.aws.rds.create_legacy_unencrypted_instance(
        "billing-legacy",
        engine="postgres",
        EngineVersion="13.7",
        PubliclyAccessible=False,
        DeletionProtection=True,
        EnableIAMDatabaseAuthentication=True,
        BackupRetentionPeriod=35,
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        MultiAZ=True,
    )
