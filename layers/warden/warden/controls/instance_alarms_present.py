"""What an instance must not do unnoticed has a CloudWatch alarm that somebody hears of.

Why it matters
--------------
A metric that nobody looks at warns nobody. The policy lists the metrics that must be watched: CPU and memory, how
much storage is left, how far a replica is behind.

An alarm counts if it goes off in the right direction, at whatever threshold, and has an action that is enabled;
also an alarm on metric math or on an anomaly, and one without action under a composite alarm with one. It watches
the instance by name, or the worst of all databases. Of an alarm on a query nobody can tell what it watches, so the
policy names those that watch all. Alarms in another account are not seen.

Replica lag matters for read replicas and the instances of Multi-AZ DB clusters. Members of Aurora clusters are
judged at their cluster.

Remediation safety
------------------
Costs. Each alarm costs 0.10 USD a month, in us-east-1. Warden makes the alarms that lack, with names of its own,
its tag and the policy's SNS topic as their action; it changes and deletes none. The database notices nothing.

References
----------
- Amazon CloudWatch API Reference, PutMetricAlarm: "the update completely overwrites the previous configuration"
- Amazon CloudWatch API Reference, DescribeAlarms: ActionsEnabled, AlarmActions
- Amazon RDS User Guide, "Amazon CloudWatch metrics for Amazon RDS"
- Amazon CloudWatch User Guide, "Recommended alarms"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import alarm_plans, frameworks, scope
from warden.core.alarm_plans import GIB, MIB, Alarm
from warden.core.alarms import Watch, database_of
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource

ALARMS = (
    Alarm(
        watch=Watch(metric="CPUUtilization", above=True),
        says="the instance has no CPU to spare",
        threshold=lambda _resource, settings: settings["cpu_percent"],
    ),
    Alarm(
        watch=Watch(metric="FreeableMemory", above=False),
        says="the instance has no memory to spare",
        threshold=lambda _resource, settings: settings["freeable_memory_mib"] * MIB,
    ),
    Alarm(
        watch=Watch(metric="FreeStorageSpace", above=False),
        says="the instance is about to run out of storage",
        threshold=lambda resource, settings: (
            resource.facts["AllocatedStorage"] * GIB * settings["free_storage_percent"] // 100
        ),
    ),
    Alarm(
        watch=Watch(metric="ReplicaLag", above=True),
        says="the replica is behind",
        threshold=lambda _resource, settings: settings["replica_lag_seconds"],
        minutes=10,
    ),
    Alarm(
        watch=Watch(metric="DatabaseConnections", above=True),
        says="the instance has many connections",
        threshold=lambda _resource, settings: settings["connections"],
    ),
)
_BY_METRIC = {alarm.watch.metric: alarm for alarm in ALARMS}
_ID = __name__.rpartition(".")[2]


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge all instances but the members of Aurora clusters."""
    if verdict := scope.outside(resource):
        return verdict
    cluster = resource.facts["DBClusterIdentifier"]
    if cluster is not None and not scope.is_multi_az_member(resource):
        return not_applicable(
            f"{resource.ref.id} is a member of the cluster {cluster}: its alarms are judged at its cluster."
        )
    return alarm_plans.judge(resource, database_of(resource), _wanted(resource, settings), settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Make what lacks."""
    wanted = _wanted(resource, settings)
    return alarm_plans.plan(resource, database_of(resource), wanted, settings, _ID)


def _wanted(resource: Resource, settings: Mapping[str, Any]) -> list[Alarm]:
    """The alarms of the policy that mean something for this instance."""
    follows = scope.is_multi_az_member(resource) or any(
        resource.facts[fact] is not None
        for fact in ("ReadReplicaSourceDBInstanceIdentifier", "ReadReplicaSourceDBClusterIdentifier")
    )
    return [_BY_METRIC[metric] for metric in settings["required"] if follows or metric != "ReplicaLag"]


# --- examples -----------------------------------------------------------------------------------------------------


def _alarm(metric: str, operator: str = "GreaterThanThreshold", **more: Any) -> dict[str, Any]:
    """An item of DescribeAlarms, for the examples."""
    return {
        "AlarmName": f"billing {metric}",
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
        "Namespace": "AWS/RDS",
        "MetricName": metric,
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "billing"}],
        "Statistic": "Average",
        "ComparisonOperator": operator,
        **more,
    }


def _facts(*metric: Mapping[str, Any]) -> dict[str, Any]:
    return {"Alarms": {"Metric": list(metric), "Composite": []}}


def _only(*metrics: str) -> dict[str, Any]:
    return {"required": list(metrics)}


def _on_anomaly(operator: str) -> dict[str, Any]:
    """An alarm on a band around the metric."""
    metric = {
        "Namespace": "AWS/RDS",
        "MetricName": "FreeStorageSpace",
        "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "billing"}],
    }
    return {
        "AlarmName": "billing is unlike itself",
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
        "ComparisonOperator": operator,
        "ThresholdMetricId": "band",
        "Metrics": [
            {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Average"}},
            {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)"},
        ],
    }


def _of_account(account: str) -> dict[str, Any]:
    """The same alarm on a metric of one account, as a monitoring account has it."""
    alarm = _on_anomaly("LessThanLowerThreshold")
    first, band = alarm["Metrics"]
    return {**alarm, "Metrics": [{**first, "AccountId": account}, band]}


_WITH_TOPIC = {"topic": "on-call"}
_STORAGE = _only("FreeStorageSpace")

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="RDS instances have the alarms that the policy requires, and somebody hears of them",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.config("cloudwatch-alarm-action-check"),
        frameworks.config("cloudwatch-alarm-action-enabled-check"),
        frameworks.MONITORING,
    ),
    needs=(Need.ALARMS,),
    settings=(
        Setting(
            name="required",
            default=["CPUUtilization", "FreeableMemory", "FreeStorageSpace", "ReplicaLag"],
            doc="The metrics that an alarm watches, of those that mean something for an instance.",
            choices=tuple(_BY_METRIC),
        ),
        alarm_plans.TOPIC,
        alarm_plans.FLEET_ALARMS,
        alarm_plans.CPU,
        alarm_plans.MEMORY,
        alarm_plans.CONNECTIONS,
        Setting(
            name="free_storage_percent",
            default=10,
            doc="Below how many percent of the storage an alarm of Warden's goes off, after five minutes.",
            minimum=1,
            maximum=99,
        ),
        Setting(
            name="replica_lag_seconds",
            default=60,
            doc="Above how many seconds that a replica is behind an alarm of Warden's goes off, after ten minutes.",
            minimum=1,
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(alarm_plans.permit(ResourceType.DB_INSTANCE, ALARMS, _ID),),
        safety=Safety.COSTS,
    ),
    fix="""\
Make an alarm on each metric that the finding names, here on the storage that is left, in bytes:

    aws cloudwatch put-metric-alarm --alarm-name {id}-storage --namespace AWS/RDS --metric-name FreeStorageSpace \\
        --dimensions Name=DBInstanceIdentifier,Value={id} --statistic Minimum --period 60 --evaluation-periods 5 \\
        --threshold 10737418240 --comparison-operator LessThanThreshold --alarm-actions TOPIC-ARN --region {region}

Make it last: CloudFormation `AlarmActions: [!Ref OnCall]` of `AWS::CloudWatch::Alarm`; Terraform `alarm_actions` of
`aws_cloudwatch_metric_alarm`.
""",
    examples=(
        Example(name="an alarm on each metric", facts={}, expect=ComplianceType.COMPLIANT),
        Example(
            name="no alarm, and the policy names a topic",
            facts=_facts(),
            settings=_WITH_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no alarm, and the policy names no topic",
            facts=_facts(),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="some of the alarms",
            facts=_facts(
                _alarm("CPUUtilization"),
                _alarm("FreeableMemory", "LessThanThreshold", AlarmName="billing memory"),
            ),
            settings=_WITH_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a read replica whose lag nobody watches",
            facts={**_facts(), "ReadReplicaSourceDBInstanceIdentifier": "ledger"},
            settings={**_only("ReplicaLag"), **_WITH_TOPIC},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an instance that follows nobody has no lag",
            facts=_facts(),
            settings=_only("ReplicaLag"),
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a member of a Multi-AZ DB cluster",
            facts={**_facts(), "Engine": "mysql", "DBClusterIdentifier": "orders"},
            settings=_WITH_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm on an anomaly",
            facts=_facts(_on_anomaly("LessThanLowerThreshold")),
            settings=_STORAGE,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an alarm on an anomaly in the other direction",
            facts=_facts(_on_anomaly("GreaterThanUpperThreshold")),
            settings=_STORAGE,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm on an instance of the same name in another account",
            facts=_facts(_of_account("210987654321")),
            settings=_STORAGE,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm on a query in PromQL",
            facts=_facts(
                {
                    "AlarmName": "storage",
                    "ActionsEnabled": True,
                    "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
                    "EvaluationCriteria": {"PromQLCriteria": {"Query": "min(FreeStorageSpace) < 1e9"}},
                }
            ),
            settings=_STORAGE,
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="Warden's own alarm lost its action",
            facts=_facts(
                _alarm(
                    "FreeStorageSpace",
                    "LessThanThreshold",
                    AlarmName="warden-instance-billing-FreeStorageSpace",
                    AlarmActions=[],
                )
            ),
            settings={**_STORAGE, **_WITH_TOPIC},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member of an Aurora cluster",
            facts={**_facts(), "Engine": "aurora-mysql", "DBClusterIdentifier": "orders"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the alarms could not be read",
            facts={},
            missing=("Alarms",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="another product",
            facts={**_facts(), "Engine": "neptune"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
