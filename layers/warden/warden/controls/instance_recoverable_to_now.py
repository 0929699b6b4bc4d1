"""A stand-alone instance can be restored to any moment up to now.

Why it matters
--------------
A retention of 35 days is a wish. What counts on the day is that the window in which the instance can be restored ends
minutes ago. When it stops moving, nobody is told, and every hour after it is an hour of data that is gone with the
instance.

An instance is not judged while it is stopped or created, where its backups are off, and where it is a replica. A time
that is behind is no finding within a day of its creation, while a change or a backup is under way, or less than an
hour after something such as a start; then it is missing data, and the next sweep looks again. Since when an instance
can be restored, its description does not say.

Remediation safety
------------------
Safe. And left to a person: there is no setting to change. A ticket tells how to find the cause, and to take a
snapshot meanwhile.

References
----------
- Amazon RDS API Reference, DBInstance: LatestRestorableTime
- Amazon RDS API Reference, DescribeEvents
- Amazon RDS User Guide, "Restoring a DB instance to a specified time"
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import frameworks, restorable, scope
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
    """Judge the latest restorable time of instances that are neither members nor replicas."""
    if verdict := scope.outside_or_member(resource, "the restorable time") or scope.replica(resource):
        return verdict
    if resource.facts["BackupRetentionPeriod"] == 0:
        return not_applicable(
            f"{resource.ref.id} has automated backups turned off, which instance_backup_retention_sufficient judges."
        )
    return restorable.judge(resource, "DBInstanceStatus", "InstanceCreateTime", settings["maximum_minutes"])


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Tell a person how to find the cause."""
    return restorable.to_look_at(
        resource, "db-instance", ("create-db-snapshot", "db-snapshot-identifier", "db-instance-identifier")
    )


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026; the examples are observed on the 24th at 10:00."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


_STALE = {"LatestRestorableTime": _at(24, 7)}
_STARTED = {
    "SourceIdentifier": "billing",
    "SourceType": "db-instance",
    "EventCategories": ["notification"],
    "Message": "DB instance started",
    "Date": _at(24, 9, 58),
}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Stand-alone RDS instances can be restored to any moment up to now",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    # Security Hub has no such control; RDS.11 judges the retention.
    frameworks=frameworks.BACKUP,
    settings=(restorable.MAXIMUM_MINUTES,),
    needs=(Need.RECENT_EVENTS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Look what RDS says of the last day, and take a snapshot, so that at least the data of now is safe:

    aws rds describe-events --source-type db-instance --source-identifier {id} --duration 1440 --region {region}
    aws rds create-db-snapshot --db-instance-identifier {id} --db-snapshot-identifier {id}-now --region {region}

If the latest restorable time does not move on, open a case with AWS Support.

Make it last: CloudFormation has no property for it. Subscribe to RDS's events of the categories `backup`, `failure`
and `recovery`.
""",
    examples=(
        Example(
            name="up to five minutes ago",
            facts={"LatestRestorableTime": _at(24, 9, 55)},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="up to three hours ago", facts=_STALE, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="no time at all, though backups are on",
            facts={"LatestRestorableTime": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="behind while the storage is optimized",
            facts={**_STALE, "DBInstanceStatus": "storage-optimization"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="behind while it is backed up, perhaps for the first time",
            facts={"LatestRestorableTime": None, "DBInstanceStatus": "backing-up"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="no time yet, in an instance that was restored this morning",
            facts={"LatestRestorableTime": None, "InstanceCreateTime": _at(24, 6)},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="behind, since it was started two minutes ago",
            facts={**_STALE, "RecentEvents": [_STARTED]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="stopped three hours ago",
            facts={**_STALE, "DBInstanceStatus": "stopped"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="being created",
            facts={"LatestRestorableTime": None, "DBInstanceStatus": "creating"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="backups are off, which another control judges",
            facts={"LatestRestorableTime": None, "BackupRetentionPeriod": 0},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a read replica is restored from its source's backups",
            facts={**_STALE, "ReadReplicaSourceDBInstanceIdentifier": "billing"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member is restored with its cluster",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", "LatestRestorableTime": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a SQL Server instance behind",
            facts={**_STALE, "Engine": "sqlserver-se", "EngineVersion": "16.00.4085.2.v1"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="behind, and RDS's events could not be read",
            facts=_STALE,
            missing=("RecentEvents",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="the latest time is not known",
            facts={},
            missing=("LatestRestorableTime",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
