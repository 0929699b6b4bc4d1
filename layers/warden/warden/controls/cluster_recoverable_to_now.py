"""A cluster can be restored to any moment up to now.

Why it matters
--------------
A retention of 35 days is a wish. What counts on the day is the window in which the cluster can be restored: that it
ends minutes ago, and that it is there at all. When that stops moving, nobody is told, and every hour after it is an
hour of data that is gone with the cluster.

A cluster is not judged while it is stopped or created. A time that is behind is no finding within a day of its
creation, while a change or a failover is under way or less than an hour ago, or where the cluster may be paused by
itself; then it is missing data, and the next sweep looks again. The beginning of the window is compared with the day
that Aurora keeps at least, and not with the retention: a retention that was raised shows in the window only later.

Remediation safety
------------------
Safe. And left to a person: there is no setting to change. A ticket tells how to find the cause, and to take a
snapshot meanwhile.

References
----------
- Amazon RDS API Reference, DBCluster: EarliestRestorableTime, LatestRestorableTime
- Amazon RDS API Reference, DescribeEvents
- Amazon Aurora User Guide, "Restoring a DB cluster to a specified time"
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
    """Judge the window of Aurora and Multi-AZ DB clusters that replicate no other."""
    if verdict := scope.outside(resource):
        return verdict
    if (source := resource.facts["ReplicationSourceIdentifier"]) is not None:
        return not_applicable(f"{resource.ref.id} replicates {source}, whose backups hold its data.")
    return restorable.judge(resource, "Status", "ClusterCreateTime", settings["maximum_minutes"])


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Tell a person how to find the cause."""
    return restorable.to_look_at(
        resource,
        "db-cluster",
        ("create-db-cluster-snapshot", "db-cluster-snapshot-identifier", "db-cluster-identifier"),
    )


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026; the examples are observed on the 24th at 10:00."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def _event(category: str, message: str) -> dict[str, Any]:
    """An event of RDS, for the examples."""
    return {
        "SourceIdentifier": "orders",
        "SourceType": "db-cluster",
        "EventCategories": [category],
        "Message": message,
        "Date": _at(24, 9, 40),
    }


_STALE = {"LatestRestorableTime": _at(24, 7)}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Aurora and Multi-AZ DB clusters can be restored to any moment up to now",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    # Security Hub has no such control; RDS.50 judges the retention.
    frameworks=frameworks.BACKUP,
    settings=(restorable.MAXIMUM_MINUTES,),
    needs=(Need.RECENT_EVENTS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Look what RDS says of the last day, and take a snapshot, so that at least the data of now is safe:

    aws rds describe-events --source-type db-cluster --source-identifier {id} --duration 1440 --region {region}
    aws rds create-db-cluster-snapshot --db-cluster-identifier {id} \\
        --db-cluster-snapshot-identifier {id}-now --region {region}

If the latest restorable time does not move on, open a case with AWS Support.

Make it last: CloudFormation has no property for it. Subscribe to RDS's events of the categories `backup`, `failure`
and `recovery`.
""",
    examples=(
        Example(
            name="up to three minutes ago",
            facts={"LatestRestorableTime": _at(24, 9, 57)},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="up to three hours ago", facts=_STALE, expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="up to three hours ago, where the policy accepts a day",
            facts=_STALE,
            settings={"maximum_minutes": 1440},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="no time at all",
            facts={"LatestRestorableTime": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster behind",
            facts={**_STALE, "Engine": "postgres", "EngineVersion": "16.4"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a retention that was raised a week ago shows a week",
            facts={"BackupRetentionPeriod": 35, "EarliestRestorableTime": _at(17, 10)},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a window of two hours, in a cluster that is years old",
            facts={"EarliestRestorableTime": _at(24, 8)},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a window without a beginning",
            facts={"EarliestRestorableTime": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a cluster that was restored two hours ago has a window since then",
            facts={"EarliestRestorableTime": _at(24, 8), "ClusterCreateTime": _at(24, 8)},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the window of a Multi-AZ DB cluster goes by its daily snapshots",
            facts={"Engine": "mysql", "EngineVersion": "8.0.40", "EarliestRestorableTime": _at(24, 8)},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="behind, and less than a day old",
            facts={"LatestRestorableTime": None, "ClusterCreateTime": _at(24, 1)},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="behind, and started just now",
            facts={**_STALE, "RecentEvents": [_event("notification", "DB cluster started.")]},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="an event that excuses nothing",
            facts={**_STALE, "RecentEvents": [_event("failure", "The DB cluster is unwell.")]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="behind while it is upgraded",
            facts={**_STALE, "Status": "upgrading"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a serverless cluster that is perhaps paused",
            facts={**_STALE, "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.0, "MaxCapacity": 8.0}},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a serverless cluster that never pauses",
            facts={**_STALE, "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 8.0}},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Aurora Serverless v1 pauses too",
            facts={**_STALE, "EngineMode": "serverless"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="stopped three hours ago",
            facts={**_STALE, "Status": "stopped"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="being created",
            facts={"LatestRestorableTime": None, "Status": "creating"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a secondary of a global database is restored from its primary",
            facts={
                **_STALE,
                "GlobalClusterIdentifier": "orders-global",
                "ReplicationSourceIdentifier": "arn:aws:rds:eu-central-1:123456789012:cluster:orders-primary",
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={**_STALE, "Engine": "neptune"},
            expect=ComplianceType.NOT_APPLICABLE,
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
