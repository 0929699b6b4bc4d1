"""A database that was deleted has left a backup behind.

Why it matters
--------------
Deleting a database deletes its automated backups with it, unless the caller asks otherwise, and a final snapshot can
be skipped with one word. Who does both has deleted the data for good, by mistake or on purpose: it is what an attacker
does last. Nobody is told by AWS. Within hours, copies in other accounts, exports or dumps may still be found.

CloudTrail says which databases were deleted, and what is left of each is looked for in RDS, by its immutable id: a
snapshot that is not older than a day before its deletion, also one of AWS Backup, or retained automated backups. A
retained backup that has expired since is none. Members of a cluster and replicas are left out, since their data is
elsewhere. Copies in other accounts and Regions are not seen from here.

Remediation safety
------------------
Safe. And nothing can be put right: a ticket names the databases and who deleted them. The finding ends when the
deletion is older than the days that the policy gives, or when the policy accepts it.

References
----------
- AWS CloudTrail API Reference, LookupEvents
- Amazon RDS API Reference, DeleteDBCluster, DeleteDBInstance: SkipFinalSnapshot, DeleteAutomatedBackups
- Amazon RDS API Reference, DescribeDBClusterAutomatedBackups, DescribeDBInstanceAutomatedBackups
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    insufficient_data,
    non_compliant,
)
from warden.core.deletions import left_a_backup
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Look for what each database that was deleted lately has left behind."""
    where = f"{resource.ref.id}, in {resource.home},"
    days = settings["days"]
    bare = [one for one in _recent(resource, settings) if not left_a_backup(one)]
    if lost := [one for one in bare if one["ResourceId"] is not None]:
        return non_compliant(f"{where} has lost databases without a backup: {'; '.join(map(_told, lost))}.")
    if bare:
        names = ", ".join(f"{one['Type']} {one['Name']}" for one in bare)
        return insufficient_data(f"{where} has lost databases of which CloudTrail recorded no id: {names}.")
    return compliant(f"{where} has lost no database without a backup within {days} days.")


def _recent(resource: Resource, settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The deletions that count."""
    since = resource.observed_at - timedelta(days=settings["days"])
    prefixes = tuple(settings["disposable_name_prefixes"])
    return [
        one
        for one in resource.facts[Need.DELETIONS]
        if one["DeletedAt"] >= since
        and one["ResourceId"] not in settings["accepted"]
        and not (prefixes and one["Name"].startswith(prefixes))
    ]


def _told(deletion: Mapping[str, Any]) -> str:
    by = f" by {deletion['By']}" if deletion["By"] else ""
    return (
        f"{deletion['Type']} {deletion['Name']} ({deletion['ResourceId']}) on "
        f"{deletion['DeletedAt']:%Y-%m-%d %H:%M} UTC{by}"
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Say where a copy might still be."""
    lost = [one for one in _recent(resource, settings) if not left_a_backup(one)]
    steps = []
    for one in lost:
        kind = "cluster" if one["Type"] == "cluster" else "db"
        arn = f"arn:{resource.ref.partition}:rds:{resource.home}:{resource.ref.account}:{kind}:{one['Name']}"
        steps.append(
            guidance.command(
                resource, "list-recovery-points-by-resource", {"resource-arn": arn}, service="backup"
            )
        )
    return Manual(
        "Ask who deleted them whether that was meant; if not, look at once what else that identity did. Then look for "
        "recovery points in AWS Backup, copies in other accounts and Regions, exports to S3 and dumps; AWS Support may "
        "know more for some hours. A deletion that was meant is named in the setting accepted.",
        tuple(steps),
    )


def _deletion(**more: Any) -> dict[str, Any]:
    """A deletion, for the examples."""
    return {
        "Type": "cluster",
        "Name": "orders",
        "ResourceId": "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "DeletedAt": datetime(2026, 11, 23, 9, 10, tzinfo=UTC),
        "By": "arn:aws:iam::123456789012:role/OrdersDeveloper",
        "Retained": False,
        "Snapshots": [],
        **more,
    }


def _snapshot(day: int, hour: int, status: str = "available") -> list[dict[str, Any]]:
    """A snapshot of November 2026, for the examples."""
    return [
        {
            "SnapshotIdentifier": "orders-final",
            "Status": status,
            "SnapshotCreateTime": datetime(2026, 11, day, hour, tzinfo=UTC),
        }
    ]


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Databases that are deleted leave a backup behind",
    resource_type=ResourceType.ACCOUNT,
    severity=Severity.HIGH,
    # No framework has such a control of its own; it is what backups are for.
    frameworks=frameworks.mapping(frameworks.BACKUP),
    settings=(
        Setting(
            name="days",
            default=7,
            doc="For how many days a deletion without a backup is a finding.",
            minimum=1,
            maximum=14,
        ),
        Setting(
            name="accepted",
            default=[],
            doc="The immutable ids (DbClusterResourceId, DbiResourceId) of databases that were deleted for good on "
            "purpose.",
            pattern=r"(cluster|db)-[A-Z0-9]{20,40}",
        ),
        Setting(
            name="disposable_name_prefixes",
            default=[],
            doc="The beginnings of the names of databases that come and go, such as those of tests.",
            pattern=r"[a-z][a-z0-9-]*",
        ),
    ),
    needs=(Need.DELETIONS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
See who deleted what in the account {id}, and whether anything is left of it:

    aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=DeleteDBCluster \\
        --region {region}
    aws rds describe-db-cluster-automated-backups --region {region}
    aws backup list-protected-resources --region {region}

Make it last: CloudFormation `DeletionProtection: true` of `AWS::RDS::DBCluster`, and `DeletionPolicy: Snapshot`;
Terraform `deletion_protection = true`, `skip_final_snapshot = false` and `delete_automated_backups = false` of
`aws_rds_cluster`. A service control policy can deny deletions to all but those who may.
""",
    examples=(
        Example(name="nothing was deleted", facts={"Deletions": []}, expect=ComplianceType.COMPLIANT),
        Example(
            name="a cluster, with nothing left of it",
            facts={"Deletions": [_deletion()]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a cluster with a final snapshot",
            facts={"Deletions": [_deletion(Snapshots=_snapshot(23, 9))]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a cluster with retained backups",
            facts={"Deletions": [_deletion(Retained=True)]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a snapshot of weeks before is not the last state",
            facts={"Deletions": [_deletion(Snapshots=_snapshot(2, 9))]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a snapshot that failed restores nothing",
            facts={"Deletions": [_deletion(Snapshots=_snapshot(23, 9, "failed"))]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an instance, beside a cluster that left a snapshot",
            facts={
                "Deletions": [
                    _deletion(Snapshots=_snapshot(23, 9)),
                    _deletion(
                        Type="instance", Name="billing", ResourceId="db-ABCDEFGHIJKLMNOPQRSTUVWX22", By=""
                    ),
                ]
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="more days ago than the policy gives",
            facts={"Deletions": [_deletion()]},
            settings={"days": 1},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="on purpose, as the policy says",
            facts={"Deletions": [_deletion()]},
            settings={"accepted": ["cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a database of tests, by its name",
            facts={"Deletions": [_deletion(Name="e2e-1234")]},
            settings={"disposable_name_prefixes": ["e2e-"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a deletion of which CloudTrail recorded no id",
            facts={"Deletions": [_deletion(ResourceId=None)]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="CloudTrail could not be asked",
            facts={},
            missing=("Deletions",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
