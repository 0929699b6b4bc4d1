"""A stand-alone instance keeps its automated backups for as long as the policy wants.

Why it matters
--------------
Point-in-time recovery reaches back exactly as far as automated backups are kept. The API's default is one
day, and an instance can have them turned off altogether. A longer retention cannot bring back what has
expired already.

Members of a cluster are not judged here, because their data is backed up with the cluster; nor are read
replicas, because what they hold is restored from the backups of their source.

Remediation safety
------------------
Costs. Raising the retention from one number of days to another causes no outage. Backup storage beyond the
provisioned storage of the Region's instances is billed: in us-east-1, 0.095 USD for each GB that is kept for
a month. Warden only ever raises it. Where backups are off, a person acts: turning them on suspends I/O for up
to some minutes, and leaves a single-AZ instance unavailable meanwhile. So does one whose retention belongs to
a plan of AWS Backup.

References
----------
- Amazon RDS API Reference, ModifyDBInstance: BackupRetentionPeriod
- Amazon RDS User Guide, "Settings for DB instances" and "Introduction to backups"
- AWS Backup Developer Guide, "Continuous backups and point-in-time recovery (PITR)"
- AWS Security Hub CSPM, control RDS.11
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, retention, scope
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
)
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Plan
    from warden.core.resource import Resource

COST = (
    "Backup storage beyond the provisioned storage of the Region's instances is billed: in us-east-1, 0.095 USD "
    "for each GB that is kept for a month."
)


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the retention of instances that are neither members nor replicas."""
    return (
        scope.outside_or_member(resource, "the retention of backups")
        or scope.replica(resource)
        or retention.judge(resource, settings["minimum_days"])
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Raise it to the minimum, unless backups are off."""
    minimum = settings["minimum_days"]
    command = guidance.command(
        resource,
        "modify-db-instance",
        {
            "db-instance-identifier": resource.facts["DBInstanceIdentifier"],
            "backup-retention-period": str(minimum),
        },
    )
    if manual := retention.manual(resource, minimum, command):
        return manual
    if resource.facts["BackupRetentionPeriod"] == 0:
        return Manual(
            "Turning automated backups on suspends I/O for seconds to minutes and makes a single-AZ instance "
            "unavailable meanwhile. Choose the moment: this queues it for the next maintenance window, and with "
            "--apply-immediately it happens now, together with whatever else is queued.",
            (command,),
        )
    return retention.raised(resource, minimum, "ModifyDBInstance", COST)


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Automated backups of stand-alone RDS instances are kept for as long as the policy wants",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.11"),
        frameworks.config("db-instance-backup-enabled"),
        frameworks.prowler("rds_instance_backup_enabled"),
        frameworks.BACKUP,
    ),
    settings=(retention.MINIMUM_DAYS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(retention.permit("ModifyDBInstance", "DBInstanceIdentifier"),),
        safety=Safety.COSTS,
    ),
    fix="""\
Raise it, to the days that the policy wants. Nothing restarts, unless backups are off now; then I/O is suspended for
a while in the next maintenance window:

    aws rds modify-db-instance --db-instance-identifier {id} --backup-retention-period 35 --region {region}

If a plan of AWS Backup takes continuous backups of the instance, raise the retention of its rule instead.

Make it last: CloudFormation `BackupRetentionPeriod: 35` of `AWS::RDS::DBInstance`; Terraform
`backup_retention_period = 35` of `aws_db_instance`.
""",
    examples=(
        Example(
            name="as long as the policy wants",
            facts={"BackupRetentionPeriod": 35},
            settings={"minimum_days": 35},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the default of the API",
            facts={"BackupRetentionPeriod": 1},
            settings={"minimum_days": 35},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="backups are off",
            facts={"BackupRetentionPeriod": 0},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a queued change turns backups off",
            facts={"BackupRetentionPeriod": 7, "PendingModifiedValues": {"BackupRetentionPeriod": 0}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a queued change raises it",
            facts={"BackupRetentionPeriod": 1, "PendingModifiedValues": {"BackupRetentionPeriod": 35}},
            settings={"minimum_days": 35},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a plan of AWS Backup sets it",
            facts={
                "BackupRetentionPeriod": 1,
                "AwsBackupRecoveryPointArn": "arn:aws:backup:eu-west-1:123456789012:recovery-point:"
                "continuous:db-5e6f7a8b9c0d1e2f-3a4b5c6d",
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a read replica is restored from its source's backups",
            facts={"BackupRetentionPeriod": 0, "ReadReplicaSourceDBInstanceIdentifier": "billing"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a replica of a Multi-AZ DB cluster is one too",
            facts={"BackupRetentionPeriod": 0, "ReadReplicaSourceDBClusterIdentifier": "billing-cluster"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member is backed up with its cluster",
            facts={
                "Engine": "aurora-mysql",
                "DBClusterIdentifier": "orders",
                "BackupRetentionPeriod": 1,
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the retention is not known",
            facts={},
            missing=("BackupRetentionPeriod",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
