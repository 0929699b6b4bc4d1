"""What an Aurora cluster must not do unnoticed has a CloudWatch alarm that somebody hears of.

Why it matters
--------------
A metric that nobody looks at warns nobody. The policy lists the metrics that must be watched: that the writer is
up (EngineUptime), how far readers and secondary Regions are behind, CPU and memory, how much backup is billed.

An alarm counts if it goes off in the right direction, at whatever threshold, and has an action that is enabled;
also an alarm on metric math or on an anomaly, and one without action under a composite alarm with one. It may
watch the cluster, its roles, each instance by name, or the worst of all databases. Of an alarm on a query nobody
can tell what it watches, so the policy names those that watch all. Alarms in another account are not seen. There
is no metric of a failover: account_event_subscriptions_complete looks after its event.

Replica lag matters where there are readers, the lag behind another Region in the secondary cluster of a global
database. Multi-AZ DB clusters are judged at their instances.

Remediation safety
------------------
Costs. Each alarm costs 0.10 USD a month, in us-east-1. Warden makes the alarms that lack, with names of its own,
its tag and the policy's SNS topic as their action; it changes and deletes none. The database notices nothing. A
cluster that somebody stops sets the alarm on EngineUptime off; one that may pause by itself does not.

References
----------
- Amazon CloudWatch API Reference, PutMetricAlarm: "the update completely overwrites the previous configuration"
- Amazon CloudWatch API Reference, DescribeAlarms: ActionsEnabled, AlarmActions
- Amazon Aurora User Guide, "Amazon CloudWatch metrics for Amazon Aurora" and "Amazon CloudWatch dimensions for Aurora"
- Amazon CloudWatch User Guide, "Recommended alarms"
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core import alarm_plans, engines, frameworks, scope
from warden.core.alarm_plans import GIB, MIB, Alarm
from warden.core.alarms import Reach, Watch, database_of
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
    from collections.abc import Iterable, Mapping

    from warden.core.alarms import Database
    from warden.core.plan import Manual, Plan
    from warden.core.resource import Resource

ALARMS = (
    Alarm(
        watch=Watch(metric="EngineUptime", reach=Reach.WRITER, above=False),
        says="the writer is down",
        threshold=lambda _resource, _settings: 0,
        minutes=2,
        role="WRITER",
        missing="breaching",
    ),
    Alarm(
        watch=Watch(metric="AuroraReplicaLagMaximum", reach=Reach.WRITER, above=True),
        says="a reader is behind",
        threshold=lambda _resource, settings: settings["replica_lag_ms"],
        role="WRITER",
    ),
    Alarm(
        watch=Watch(metric="AuroraGlobalDBReplicationLag", reach=Reach.WHOLE, above=True),
        says="this Region is behind the primary",
        threshold=lambda _resource, settings: settings["global_lag_ms"],
    ),
    Alarm(
        watch=Watch(metric="CPUUtilization", above=True),
        says="an instance has no CPU to spare",
        threshold=lambda _resource, settings: settings["cpu_percent"],
    ),
    Alarm(
        watch=Watch(metric="FreeableMemory", above=False),
        says="an instance has no memory to spare",
        threshold=lambda _resource, settings: settings["freeable_memory_mib"] * MIB,
    ),
    Alarm(
        watch=Watch(metric="DatabaseConnections", above=True),
        says="an instance has many connections",
        threshold=lambda _resource, settings: settings["connections"],
    ),
    Alarm(
        watch=Watch(metric="FreeLocalStorage", above=False),
        says="an instance has no local storage to spare",
        threshold=lambda _resource, settings: settings["local_storage_gib"] * GIB,
    ),
    Alarm(
        watch=Watch(metric="TotalBackupStorageBilled", reach=Reach.WHOLE, above=True),
        says="more backup is billed than was expected",
        threshold=lambda _resource, settings: settings["backup_storage_gib"] * GIB,
        period=alarm_plans.DAY,
    ),
)
_BY_METRIC = {alarm.watch.metric: alarm for alarm in ALARMS}
_REQUIRED = [
    *("EngineUptime", "AuroraReplicaLagMaximum", "AuroraGlobalDBReplicationLag", "CPUUtilization"),
    *("FreeableMemory", "TotalBackupStorageBilled"),
]
_ID = __name__.rpartition(".")[2]


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge Aurora clusters that have an instance."""
    if verdict := scope.outside(resource):
        return verdict
    if resource.facts["Engine"] not in engines.AURORA:
        return not_applicable(f"{resource.ref.id} is a Multi-AZ DB cluster: each of its instances is judged.")
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return not_applicable(f"{resource.ref.id} is Aurora Serverless v1, whose instances nobody sees.")
    database = database_of(resource)
    if not database.instances:
        return not_applicable(f"{resource.ref.id} has no instance that could be watched.")
    return alarm_plans.judge(resource, database, _wanted(resource, database, settings), settings)


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Make what lacks."""
    database = database_of(resource)
    wanted = [_fitted(resource, alarm) for alarm in _wanted(resource, database, settings)]
    return alarm_plans.plan(resource, database, wanted, settings, _ID)


def _wanted(resource: Resource, database: Database, settings: Mapping[str, Any]) -> list[Alarm]:
    """The alarms of the policy that mean something for this cluster."""
    is_secondary = resource.facts["GlobalClusterIdentifier"] is not None and not database.writer
    idle = set() if is_secondary else {"AuroraGlobalDBReplicationLag"}
    if is_secondary or not database.readers:
        idle.add("AuroraReplicaLagMaximum")
    found = [_BY_METRIC[metric] for metric in settings["required"] if metric not in idle]
    return [_of_any(alarm) if not database.writer else alarm for alarm in found]


def _of_any(alarm: Alarm) -> Alarm:
    """The same where nobody has the role of the writer: of each instance."""
    if alarm.watch.reach is not Reach.WRITER:
        return alarm
    return replace(alarm, watch=replace(alarm.watch, reach=Reach.EACH), role="", says="an instance is down")


def _fitted(resource: Resource, alarm: Alarm) -> Alarm:
    """The same where nothing to measure is no outage: Serverless v2 pauses when its minimum is 0."""
    scaling = resource.facts["ServerlessV2ScalingConfiguration"]
    pauses = scaling is not None and scaling["MinCapacity"] == 0
    return replace(alarm, missing="notBreaching") if pauses else alarm


# --- examples -----------------------------------------------------------------------------------------------------


def _alarm(metric: str, operator: str = "GreaterThanThreshold", **more: Any) -> dict[str, Any]:
    """An item of DescribeAlarms, for the examples."""
    return {
        "AlarmName": f"orders {metric}",
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
        "Namespace": "AWS/RDS",
        "MetricName": metric,
        "Dimensions": [{"Name": "DBClusterIdentifier", "Value": "orders"}],
        "Statistic": "Average",
        "ComparisonOperator": operator,
        **more,
    }


def _on(**dimensions: str) -> dict[str, Any]:
    return {"Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()]}


def _facts(*metric: Mapping[str, Any], composite: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    return {"Alarms": {"Metric": list(metric), "Composite": list(composite)}}


def _only(*metrics: str, **more: Any) -> dict[str, Any]:
    return {"required": list(metrics), **more}


_QUERY = {
    "AlarmName": "any database is busy",
    "ActionsEnabled": True,
    "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
    "ComparisonOperator": "GreaterThanThreshold",
    "Metrics": [
        {
            "Id": "q1",
            "Expression": 'SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/RDS", DBInstanceIdentifier)',
            "Period": 60,
        }
    ],
}
_METRIC = {
    "Metric": {
        "Namespace": "AWS/RDS",
        "MetricName": "CPUUtilization",
        **_on(DBClusterIdentifier="orders"),
    },
    "Period": 60,
    "Stat": "Average",
}
_ON_MATH = {
    "AlarmName": "orders is busy by half",
    "ActionsEnabled": True,
    "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
    "ComparisonOperator": "GreaterThanThreshold",
    "Metrics": [
        {"Id": "m1", "MetricStat": _METRIC, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 / 2", "ReturnData": True},
    ],
}
_CPU = _only("CPUUtilization")
_QUIET: dict[str, Any] = {"AlarmActions": []}
_ONE_INSTANCE = {
    "DBClusterMembers": [
        {
            "DBInstanceIdentifier": "orders-1",
            "IsClusterWriter": True,
            "DBClusterParameterGroupStatus": "in-sync",
            "PromotionTier": 1,
        }
    ]
}
_SECONDARY = {
    "GlobalClusterIdentifier": "orders-global",
    "DBClusterMembers": [{**_ONE_INSTANCE["DBClusterMembers"][0], "IsClusterWriter": False}],
}
_WITH_TOPIC = {"topic": "on-call"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Aurora clusters have the alarms that the policy requires, and somebody hears of them",
    resource_type=ResourceType.DB_CLUSTER,
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
            default=_REQUIRED,
            doc="The metrics that an alarm watches, of those that mean something for a cluster.",
            choices=tuple(_BY_METRIC),
        ),
        alarm_plans.TOPIC,
        alarm_plans.FLEET_ALARMS,
        alarm_plans.CPU,
        alarm_plans.MEMORY,
        alarm_plans.CONNECTIONS,
        Setting(
            name="replica_lag_ms",
            default=2000,
            doc="Above how many milliseconds of lag of a reader an alarm of Warden's goes off, after five minutes.",
            minimum=1,
        ),
        Setting(
            name="global_lag_ms",
            default=5000,
            doc="Above how many milliseconds of lag of a Region an alarm of Warden's goes off, after five minutes.",
            minimum=1,
        ),
        Setting(
            name="local_storage_gib",
            default=5,
            doc="Below how many GiB of local storage an alarm of Warden's goes off, after five minutes.",
            minimum=1,
        ),
        Setting(
            name="backup_storage_gib",
            default=1024,
            doc="Above how many GiB of billed backup an alarm of Warden's goes off, once a day.",
            minimum=1,
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(alarm_plans.permit(ResourceType.DB_CLUSTER, ALARMS, _ID),),
        safety=Safety.COSTS,
    ),
    fix="""\
Make an alarm on each metric that the finding names, here on the CPU of all instances of the cluster:

    aws cloudwatch put-metric-alarm --alarm-name {id}-cpu --namespace AWS/RDS --metric-name CPUUtilization \\
        --dimensions Name=DBClusterIdentifier,Value={id} --statistic Maximum --period 60 --evaluation-periods 5 \\
        --threshold 90 --comparison-operator GreaterThanThreshold --alarm-actions TOPIC-ARN --region {region}

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
            name="an alarm whose actions are disabled",
            facts=_facts(_alarm("CPUUtilization", ActionsEnabled=False)),
            settings={**_CPU, **_WITH_TOPIC},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm without an action, and a composite alarm over it with one",
            facts=_facts(
                _alarm("CPUUtilization", **_QUIET),
                composite=[
                    {
                        "AlarmName": "orders",
                        "ActionsEnabled": True,
                        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
                        "AlarmRule": 'ALARM("orders CPUUtilization") AND NOT ALARM("deployment")',
                    }
                ],
            ),
            settings=_CPU,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an alarm without an action, that holds a composite alarm back",
            facts=_facts(
                _alarm("CPUUtilization", **_QUIET),
                composite=[
                    {
                        "AlarmName": "orders",
                        "ActionsEnabled": True,
                        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
                        "AlarmRule": 'ALARM("errors") AND NOT ALARM("orders CPUUtilization")',
                    }
                ],
            ),
            settings=_CPU,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm that goes off when the CPU idles",
            facts=_facts(_alarm("CPUUtilization", "LessThanThreshold")),
            settings=_CPU,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm on metric math over the metric",
            facts=_facts(_ON_MATH),
            settings=_CPU,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="alarms on both roles",
            facts=_facts(
                _alarm("CPUUtilization", **_on(DBClusterIdentifier="orders", Role="WRITER")),
                _alarm("CPUUtilization", **_on(DBClusterIdentifier="orders", Role="READER")),
            ),
            settings=_CPU,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an alarm on the writer alone, and there is a reader",
            facts=_facts(_alarm("CPUUtilization", **_on(DBClusterIdentifier="orders", Role="WRITER"))),
            settings=_CPU,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="alarms on each instance by name",
            facts=_facts(
                _alarm("CPUUtilization", **_on(DBInstanceIdentifier="orders-1")),
                _alarm("CPUUtilization", **_on(DBInstanceIdentifier="orders-2")),
            ),
            settings=_CPU,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the writer is watched by its name, which another has after a failover",
            facts=_facts(
                _alarm("EngineUptime", "LessThanOrEqualToThreshold", **_on(DBInstanceIdentifier="orders-1"))
            ),
            settings=_only("EngineUptime"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm on another cluster",
            facts=_facts(_alarm("CPUUtilization", **_on(DBClusterIdentifier="billing"))),
            settings=_CPU,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm on the worst of all databases",
            facts=_facts(_alarm("CPUUtilization", Dimensions=[], Statistic="Maximum")),
            settings=_CPU,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an alarm on the average of all databases",
            facts=_facts(_alarm("CPUUtilization", Dimensions=[])),
            settings=_CPU,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an alarm on a query that names the metric",
            facts=_facts(_QUERY),
            settings=_CPU,
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="an alarm on a query, of which the policy says that it watches all",
            facts=_facts(_QUERY),
            settings=_only("CPUUtilization", fleet_alarms=["any database is busy"]),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="Warden's own alarm was disabled",
            facts=_facts(
                _alarm(
                    "CPUUtilization", AlarmName="warden-cluster-orders-CPUUtilization", ActionsEnabled=False
                )
            ),
            settings={**_CPU, **_WITH_TOPIC},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="without readers nobody can be behind",
            facts={**_facts(), **_ONE_INSTANCE},
            settings=_only("AuroraReplicaLagMaximum"),
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the secondary cluster of a global database",
            facts={**_facts(), **_SECONDARY},
            settings={**_only("AuroraGlobalDBReplicationLag", "EngineUptime"), **_WITH_TOPIC},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Serverless v2 that pauses by itself",
            facts={
                **_facts(),
                "ServerlessV2ScalingConfiguration": {"MinCapacity": 0.0, "MaxCapacity": 16.0},
            },
            settings={**_only("EngineUptime"), **_WITH_TOPIC},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster",
            facts={**_facts(), "Engine": "mysql"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="Aurora Serverless v1",
            facts={**_facts(), "EngineMode": "serverless"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a cluster without instances",
            facts={**_facts(), "DBClusterMembers": []},
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
            facts={**_facts(), "Engine": "docdb"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
