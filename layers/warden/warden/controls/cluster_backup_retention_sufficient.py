"""A cluster keeps its automated backups for as long as the policy wants.

Why it matters
--------------
Point-in-time recovery reaches back exactly as far as automated backups are kept. Aurora's default is one day:
what is damaged on Friday and found on Monday is lost. A longer retention cannot bring back what has expired
already.

Remediation safety
------------------
Costs. Raising the retention causes no outage, and AWS applies it on the cluster without a restart. Backups
beyond the size of the cluster are billed: in us-east-1, 0.021 USD for each GB that is kept for a month.
Warden only ever raises it, and leaves a cluster alone whose retention belongs to a plan of AWS Backup.

References
----------
- Amazon RDS API Reference, ModifyDBCluster: BackupRetentionPeriod
- Amazon Aurora User Guide, "Overview of backing up and restoring an Aurora DB cluster"
- AWS Backup Developer Guide, "Continuous backups and point-in-time recovery (PITR)"
- AWS Security Hub CSPM, control RDS.50
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, retention, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource

COST = (
    "Backup storage beyond the size of the cluster is billed: in us-east-1, 0.021 USD for each GB that is kept "
    "for a month."
)


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the retention of Aurora and Multi-AZ DB clusters."""
    return scope.outside(resource) or retention.judge(resource, settings["minimum_days"])


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Raise it to the minimum."""
    minimum = settings["minimum_days"]
    command = guidance.command(
        resource,
        "modify-db-cluster",
        {
            "db-cluster-identifier": resource.facts["DBClusterIdentifier"],
            "backup-retention-period": str(minimum),
        },
    )
    return retention.manual(resource, minimum, command) or retention.raised(
        resource, minimum, "ModifyDBCluster", COST
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Automated backups of clusters are kept for as long as the policy wants",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.50"),
        frameworks.config("rds-cluster-backup-retention-check"),
        frameworks.cis_database("2.8"),
        frameworks.BACKUP,
    ),
    settings=(retention.MINIMUM_DAYS,),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(retention.permit("ModifyDBCluster", "DBClusterIdentifier"),),
        safety=Safety.COSTS,
    ),
    fix="""\
Raise it, to the days that the policy wants; nothing restarts:

    aws rds modify-db-cluster --db-cluster-identifier {id} --backup-retention-period 35 --region {region}

If a plan of AWS Backup takes continuous backups of the cluster, raise the retention of its rule instead.

Make it last: CloudFormation `BackupRetentionPeriod: 35` of `AWS::RDS::DBCluster`; Terraform
`backup_retention_period = 35` of `aws_rds_cluster`.
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
            name="enough for Security Hub, not for this policy",
            facts={"BackupRetentionPeriod": 7},
            settings={"minimum_days": 35},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a queued change raises it",
            facts={"BackupRetentionPeriod": 1, "PendingModifiedValues": {"BackupRetentionPeriod": 35}},
            settings={"minimum_days": 35},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a queued change lowers it",
            facts={"BackupRetentionPeriod": 35, "PendingModifiedValues": {"BackupRetentionPeriod": 1}},
            settings={"minimum_days": 35},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a plan of AWS Backup sets it",
            facts={
                "BackupRetentionPeriod": 7,
                "AwsBackupRecoveryPointArn": "arn:aws:backup:eu-west-1:123456789012:recovery-point:"
                "continuous:cluster-7c4b2b1e9d3f4a5b-0c6d7e8f",
            },
            settings={"minimum_days": 35},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a DocumentDB cluster is another product",
            facts={"Engine": "docdb", "BackupRetentionPeriod": 1},
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
