"""The alarms that databases must have: the verdict, and the calls that make what lacks; none that exists is changed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from warden.core import guidance, topics
from warden.core.alarms import NAMESPACE, Database, Watch, heard, is_told, query_text, series
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.dataclass import dataclass
from warden.core.guard import ListOf, Only, Permit, Text
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import Facts, ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from warden.core.resource import Resource

PRICE = "0.10 USD a month"
COST = f"Each alarm costs {PRICE}, in us-east-1."
MIB, GIB = 2**20, 2**30
DAY, MINUTE = 86_400, 60

TOPIC = Setting(
    name="topic",
    default="",
    doc="The name of the SNS topic, of each account and Region, that Warden's alarms notify. Empty: Warden makes "
    "no alarm.",
    pattern=topics.NAME_OR_NONE,
)
FLEET_ALARMS = Setting(
    name="fleet_alarms",
    default=[],
    doc="The names of alarms on a query that watch every database, for the metrics that the query names. Nobody can "
    "tell that from a query, so that without this a database whose metric only such an alarm names is not judged.",
    pattern=r".{1,255}",
)
CPU = Setting(
    name="cpu_percent",
    default=90,
    doc="Above how many percent of its CPU an alarm of Warden's goes off, after five minutes.",
    minimum=1,
    maximum=99,
)
MEMORY = Setting(
    name="freeable_memory_mib",
    default=256,
    doc="Below how many MiB of memory to spare an alarm of Warden's goes off, after five minutes.",
    minimum=1,
)
CONNECTIONS = Setting(
    name="connections",
    default=1000,
    doc="Above how many connections an alarm of Warden's goes off, after five minutes.",
    minimum=1,
)

_WORDS = {ResourceType.DB_CLUSTER: "cluster", ResourceType.DB_INSTANCE: "instance"}
# As `name` makes them; the names of databases may hold hyphens, those of metrics hold none.
_OWN = re.compile(r"warden-(?P<word>cluster|instance)-(?P<name>[A-Za-z][A-Za-z0-9-]*)-[A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """How Warden makes the alarm on one metric."""

    watch: Watch
    threshold: Callable[[Resource, Mapping[str, Any]], float]
    says: str
    """What is the matter when it goes off, for its description."""
    minutes: int = 5
    period: int = MINUTE
    role: str = ""
    """The dimension Role, where the metric is told by it."""
    missing: str = "notBreaching"
    """What no data means (PutMetricAlarm: TreatMissingData)."""

    @property
    def operator(self) -> str:
        """The comparison: EngineUptime of 0 is down already."""
        if self.watch.metric == "EngineUptime":
            return "LessThanOrEqualToThreshold"
        return "GreaterThanThreshold" if self.watch.above else "LessThanThreshold"


def prefix(ref: ResourceRef) -> str:
    """How the names of Warden's alarms of a database begin."""
    return f"warden-{_WORDS[ref.resource_type]}-{ref.id}-"


def database_named(alarm: str) -> tuple[ResourceType, str] | None:
    """The type and the name of the database that an alarm is about by its name; None where it is not Warden's."""
    found = _OWN.fullmatch(alarm)
    if found is None:
        return None
    return next(kind for kind, word in _WORDS.items() if word == found["word"]), found["name"]


def lacking(
    resource: Resource, database: Database, wanted: Sequence[Alarm], settings: Mapping[str, Any]
) -> tuple[list[Alarm], dict[str, list[str]]]:
    """The alarms that are not there, and, by metric, the queries that may or may not watch what is not."""
    hearing = heard(resource.facts[Need.ALARMS])
    told = [one for alarm in hearing for one in series(alarm, resource.ref.account)]
    queries = {alarm["AlarmName"]: text for alarm in hearing if (text := query_text(alarm))}
    found: list[Alarm] = []
    unclear: dict[str, list[str]] = {}
    for alarm in wanted:
        if is_told(alarm.watch, database, told):
            continue
        metric = alarm.watch.metric
        naming = [name for name, text in queries.items() if metric in text]
        if not naming:
            found.append(alarm)
        elif not set(naming) & set(settings["fleet_alarms"]):
            unclear[metric] = naming
    return found, unclear


def judge(
    resource: Resource, database: Database, wanted: Sequence[Alarm], settings: Mapping[str, Any]
) -> Verdict:
    """Whether each metric is watched by an alarm that somebody hears of."""
    if not wanted:
        return not_applicable(f"{resource.ref.id} has none of the metrics that the policy wants watched.")
    absent, unclear = lacking(resource, database, wanted, settings)
    if absent:
        metrics = ", ".join(alarm.watch.metric for alarm in absent)
        return non_compliant(f"{resource.ref.id} has no alarm with an action on {metrics}.")
    if unclear:
        which = "; ".join(f"{metric} ({', '.join(names)})" for metric, names in unclear.items())
        return insufficient_data(
            f"{resource.ref.id} has alarms on queries only for {which}: look whether they watch it, and list them "
            "under fleet_alarms."
        )
    return compliant(
        f"{resource.ref.id} has an alarm with an action on each of "
        f"{', '.join(alarm.watch.metric for alarm in wanted)}."
    )


def plan(
    resource: Resource,
    database: Database,
    wanted: Sequence[Alarm],
    settings: Mapping[str, Any],
    control: str,
) -> Plan | Manual:
    """Make the alarms that lack, under names that nobody has.

    "When you update an existing alarm, its state is left unchanged, but the update completely overwrites the
    previous configuration of the alarm" (PutMetricAlarm), so a name that is taken is left to a person.
    """
    absent, _ = lacking(resource, database, wanted, settings)
    taken = {one["AlarmName"] for kind in resource.facts[Need.ALARMS].values() for one in kind}
    new = [alarm for alarm in absent if name(resource, alarm) not in taken]
    if not new:
        names = [name(resource, alarm) for alarm in absent]
        return Manual(
            f"Warden's own alarms exist and do not suffice: {', '.join(names)}. Somebody disabled them, took their "
            "action or changed what they watch: look why. Once an alarm is deleted, Warden makes it anew.",
            (
                guidance.command(
                    resource,
                    "describe-alarms",
                    {"alarm-names": names, "alarm-types": ["MetricAlarm", "CompositeAlarm"]},
                    service="cloudwatch",
                ),
            ),
        )
    if not settings["topic"]:
        return Manual(
            f"The policy names no SNS topic (topic) for alarms: name one, or make the alarms by hand. {COST}",
            tuple(
                _command(resource, _parameters(resource, alarm, settings, "TOPIC-ARN", control))
                for alarm in new
            ),
        )
    topic = topics.arn(resource, settings["topic"])
    return Plan(
        tuple(
            Call("PutMetricAlarm", _parameters(resource, alarm, settings, topic, control)) for alarm in new
        ),
        cost=f"{len(new)} alarms at {PRICE} each, in us-east-1.",
    )


def name(resource: Resource, alarm: Alarm) -> str:
    """The name of Warden's alarm on a metric of a database."""
    return f"{prefix(resource.ref)}{alarm.watch.metric}"


def _parameters(
    resource: Resource, alarm: Alarm, settings: Mapping[str, Any], topic: str, control: str
) -> dict[str, Any]:
    word = _DIMENSIONS[resource.ref.resource_type]
    dimensions = [{"Name": word, "Value": resource.ref.id}]
    if alarm.role:
        dimensions.append({"Name": "Role", "Value": alarm.role})
    return {
        "AlarmName": name(resource, alarm),
        "AlarmDescription": f"{resource.ref.id}: {alarm.says}. Made by Aurora Warden.",
        "ActionsEnabled": True,
        "AlarmActions": [topic],
        "Namespace": NAMESPACE,
        "MetricName": alarm.watch.metric,
        "Dimensions": dimensions,
        "Statistic": alarm.watch.worst,
        "Period": alarm.period,
        "EvaluationPeriods": 1 if alarm.period == DAY else alarm.minutes,
        "Threshold": alarm.threshold(resource, settings),
        "ComparisonOperator": alarm.operator,
        "TreatMissingData": alarm.missing,
        "Tags": [{"Key": "warden:control", "Value": control}],
    }


_DIMENSIONS = {
    ResourceType.DB_CLUSTER: "DBClusterIdentifier",
    ResourceType.DB_INSTANCE: "DBInstanceIdentifier",
}


def _command(resource: Resource, parameters: Mapping[str, Any]) -> str:
    return guidance.command(
        resource,
        "put-metric-alarm",
        {
            "alarm-name": parameters["AlarmName"],
            "alarm-actions": parameters["AlarmActions"],
            "namespace": NAMESPACE,
            "metric-name": parameters["MetricName"],
            "dimensions": [f"Name={one['Name']},Value={one['Value']}" for one in parameters["Dimensions"]],
            "statistic": parameters["Statistic"],
            "period": str(parameters["Period"]),
            "evaluation-periods": str(parameters["EvaluationPeriods"]),
            "threshold": json.dumps(parameters["Threshold"]),
            "comparison-operator": parameters["ComparisonOperator"],
            "treat-missing-data": parameters["TreatMissingData"],
        },
        service="cloudwatch",
    )


# --- the write guard ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """The name of an alarm of this database that nobody has: PutMetricAlarm would overwrite it."""

    resource_type: ResourceType
    metrics: tuple[str, ...]

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse the names of others, and of what exists."""
        begins = prefix(ResourceRef.from_arn(facts[KINDS[self.resource_type].arn]))
        if value not in {f"{begins}{metric}" for metric in self.metrics}:
            return f"{value!r} is no alarm of Warden's for this database"
        if value in {one["AlarmName"] for kind in facts[Need.ALARMS].values() for one in kind}:
            return f"an alarm {value!r} exists, and would be overwritten"
        return None


@dataclass(frozen=True, slots=True)
class OwnDimensions:
    """The dimensions of this database, and of its writer or readers."""

    resource_type: ResourceType

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse the metrics of anything else."""
        own = {"Name": _DIMENSIONS[self.resource_type], "Value": facts[KINDS[self.resource_type].identifier]}
        allowed = ([own], [own, {"Name": "Role", "Value": "WRITER"}])
        return None if value in allowed else f"{value!r} are not the dimensions of this database"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is not negative."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse everything else."""
        del facts
        right = type(value) in {int, float} and value >= 0
        return None if right else f"{value!r} is no number of 0 or more"


def permit(resource_type: ResourceType, made: Sequence[Alarm], control: str) -> Permit:
    """To make these alarms of a database; never to change one."""

    def only(values: Sequence[Any]) -> Only:
        return Only(tuple(dict.fromkeys(values)))

    return Permit(
        operation="PutMetricAlarm",
        required={
            "AlarmName": NewAlarm(resource_type, tuple(alarm.watch.metric for alarm in made)),
            "AlarmDescription": Text(),
            "ActionsEnabled": Only((True,)),
            "AlarmActions": ListOf(topics.OwnTopic(KINDS[resource_type].arn)),
            "Namespace": Only((NAMESPACE,)),
            "MetricName": only([alarm.watch.metric for alarm in made]),
            "Dimensions": OwnDimensions(resource_type),
            "Statistic": Only(("Maximum", "Minimum")),
            "Period": only([alarm.period for alarm in made]),
            "EvaluationPeriods": only([1, *(alarm.minutes for alarm in made)]),
            "Threshold": Number(),
            "ComparisonOperator": only([alarm.operator for alarm in made]),
            "TreatMissingData": Only(("breaching", "notBreaching")),
            "Tags": Only(([{"Key": "warden:control", "Value": control}],)),
        },
        # "To be able to associate tags with the alarm when you create the alarm, you must have the
        # cloudwatch:TagResource permission" (PutMetricAlarm: Tags).
        dependent_actions=("cloudwatch:TagResource",),
    )
