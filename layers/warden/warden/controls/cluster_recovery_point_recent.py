"""A cluster has a recent, encrypted recovery point in AWS Backup.

Why it matters
--------------
A plan is a wish, too. Its jobs fail without a word to anybody where a role lacks a permission, a key is gone or a
window is too short, and what is restored in the end is the newest recovery point that is there. In a vault that Vault
Lock protects, nobody can delete it.

Clusters that a plan selects are judged, and all of them where the policy says that a recovery point is required.
A continuous backup is one recovery point that grows, and is judged by the latest time that it restores. Copies in other
Regions and accounts are not seen from here. A database that was put into its plan today is a finding until the plan has
run; one that is younger than the hours that the policy gives is not.

Remediation safety
------------------
Costs. And left to a person: a recovery point is kept and billed for as long as somebody says, and a job that has failed
will fail again until its cause is gone. A ticket tells how to find it, and how to start a job.

References
----------
- AWS Backup API Reference, ListRecoveryPointsByBackupVault: CreationDate, IsEncrypted, Status
- AWS Backup API Reference, ListBackupVaults: Locked
- AWS Backup Developer Guide, "AWS Backup Vault Lock"
- AWS Config Developer Guide, aurora-last-backup-recovery-point-created
- AWS Security Hub CSPM, control Backup.1
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import frameworks, recovery_points, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge Aurora and Multi-AZ DB clusters that replicate no other."""
    if verdict := scope.outside(resource):
        return verdict
    if (source := resource.facts["ReplicationSourceIdentifier"]) is not None:
        return not_applicable(f"{resource.ref.id} replicates {source}, whose backups hold its data.")
    return recovery_points.judge(resource, settings, status="Status", created="ClusterCreateTime")


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Tell a person how to find the cause, and to start a job."""
    return recovery_points.by_hand(resource)


def _at(day: int, hour: int) -> datetime:
    """A moment of November 2026; the examples are observed on the 24th at 10:00."""
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def _point(day: int, hour: int = 5, **more: Any) -> dict[str, Any]:
    """A recovery point, for the examples."""
    return {
        "RecoveryPointArn": f"arn:aws:rds:eu-west-1:123456789012:cluster-snapshot:awsbackup:job-{day}",
        "BackupVaultName": "databases",
        "CreationDate": _at(day, hour),
        "Status": "COMPLETED",
        "IsEncrypted": True,
        "Locked": False,
        **more,
    }


_CONTINUOUS = (
    "arn:aws:backup:eu-west-1:123456789012:recovery-point:continuous:cluster-7c4b2b1e9d3f4a5b-0c6d7e8f"
)

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Aurora and Multi-AZ DB clusters have a recent, encrypted recovery point in AWS Backup",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("Backup.1"),
        frameworks.config("aurora-last-backup-recovery-point-created"),
        frameworks.config("backup-recovery-point-encrypted"),
        frameworks.prowler("backup_recovery_point_encrypted"),
        # "AWS Backup controls", Backup.1: "cryptographic protection" of backups.
        frameworks.nist("CP-9(8)", "SI-12"),
        frameworks.cis_database("2.8"),
        frameworks.BACKUP,
    ),
    settings=recovery_points.SETTINGS,
    needs=(Need.BACKUP_PLANS, Need.RECOVERY_POINTS, Need.BACKUP_OPT_IN),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.COSTS),
    fix="""\
Look why the last jobs of {id} failed, then start one; choose the vault, and the role of the plan:

    aws backup list-backup-jobs --by-resource-arn '{arn}' --region {region}
    aws backup start-backup-job --backup-vault-name VAULT --resource-arn '{arn}' \\
        --iam-role-arn ROLE --region {region}

Make it last: CloudFormation `LockConfiguration: ...` of `AWS::Backup::BackupVault` locks a vault; Terraform
`aws_backup_vault_lock_configuration`. A rule on events of AWS Backup tells of jobs that fail.
""",
    examples=(
        Example(
            name="of this morning, encrypted",
            facts={"RecoveryPoints": [_point(24), _point(23)]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="of three days ago",
            facts={"RecoveryPoints": [_point(21), _point(20)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="of three days ago, where the policy accepts a week",
            facts={"RecoveryPoints": [_point(21)]},
            settings={"maximum_hours": 168},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="none", facts={"RecoveryPoints": []}, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="one is being made, and yesterday's is there",
            facts={"RecoveryPoints": [_point(24, 9, Status="CREATING"), _point(23)]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="of this morning, but expired, and an older one",
            facts={"RecoveryPoints": [_point(24, Status="EXPIRED"), _point(21)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not encrypted",
            facts={"RecoveryPoints": [_point(24, IsEncrypted=False)]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="in a vault without a lock, which the policy wants",
            facts={"RecoveryPoints": [_point(24)]},
            settings={"locked_vault": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="this morning's in a vault without a lock, yesterday's in one with it",
            facts={"RecoveryPoints": [_point(24), _point(23, BackupVaultName="vault", Locked=True)]},
            settings={"locked_vault": True},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a continuous backup that began in May and restores up to now",
            facts={
                "AwsBackupRecoveryPointArn": _CONTINUOUS,
                "RecoveryPoints": [
                    _point(
                        1,
                        RecoveryPointArn=_CONTINUOUS,
                        CreationDate=datetime(2026, 5, 1, tzinfo=UTC),
                        Status="AVAILABLE",
                    )
                ],
            },
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a continuous backup that stands still",
            facts={
                "AwsBackupRecoveryPointArn": _CONTINUOUS,
                "LatestRestorableTime": _at(20, 5),
                "RecoveryPoints": [_point(23, RecoveryPointArn=_CONTINUOUS, Status="AVAILABLE")],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="in no plan, which another control judges",
            facts={"BackupPlans": [], "RecoveryPoints": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="in no plan, where the policy requires a recovery point of all",
            facts={"BackupPlans": [], "RecoveryPoints": []},
            settings={"required": True},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="none, and made this morning",
            facts={"RecoveryPoints": [], "ClusterCreateTime": _at(24, 7)},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="stopped",
            facts={"RecoveryPoints": [], "Status": "stopped"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Multi-AZ DB cluster without one",
            facts={"Engine": "postgres", "EngineVersion": "16.4", "RecoveryPoints": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a secondary of a global database is backed up with its primary",
            facts={
                "RecoveryPoints": [],
                "ReplicationSourceIdentifier": "arn:aws:rds:eu-central-1:123456789012:cluster:orders-primary",
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb", "RecoveryPoints": []},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the recovery points could not be read",
            facts={},
            missing=("RecoveryPoints",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
