"""CloudWatch alarms: which metric of which database each watches, and whether anybody hears of it.

What counts: an alarm on one metric, on several (metric math, anomaly detection), with actions that are enabled, or
with a composite alarm over it that has such. What an alarm on a query watches, nobody can tell from its text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from warden.core.dataclass import dataclass
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from warden.core.resource import Resource

NAMESPACE = "AWS/RDS"
FIELDS = (
    *("AlarmName", "ActionsEnabled", "AlarmActions", "Namespace", "MetricName", "Dimensions", "Statistic"),
    *("ComparisonOperator", "Threshold", "Metrics", "ThresholdMetricId", "EvaluationCriteria", "AlarmRule"),
)
"""What is kept of each item of DescribeAlarms."""

_EVERYTHING = "*"
_REFERENCE = re.compile(r'(NOT\s+)?\bALARM\s*\(\s*("[^"]*"|[^)]*?)\s*\)')


class Reach(StrEnum):
    """Which of a database's instances must be watched."""

    WRITER = "writer"
    EACH = "each"
    WHOLE = "whole"
    """The database as a whole, such as its backups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A metric that must be watched."""

    metric: str
    reach: Reach = Reach.EACH
    above: bool
    """Whether too much is bad, and not too little."""

    @property
    def worst(self) -> str:
        """The statistic that shows the worst of several instances."""
        return "Maximum" if self.above else "Minimum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Whom metrics are about: a stand-alone instance, or a cluster with its instances."""

    name: str
    is_cluster: bool = False
    writer: str = ""
    readers: tuple[str, ...] = ()

    @property
    def instances(self) -> frozenset[str]:
        """The names of all instances."""
        if not self.is_cluster:
            return frozenset({self.name})
        return frozenset({*self.readers, *((self.writer,) if self.writer else ())})


def database_of(resource: Resource) -> Database:
    """A cluster with its instances, or an instance by itself."""
    if resource.ref.resource_type is ResourceType.DB_INSTANCE:
        return Database(name=resource.ref.id)
    members = resource.facts["DBClusterMembers"]
    return Database(
        name=resource.ref.id,
        is_cluster=True,
        writer=next((one["DBInstanceIdentifier"] for one in members if one["IsClusterWriter"]), ""),
        readers=tuple(one["DBInstanceIdentifier"] for one in members if not one["IsClusterWriter"]),
    )


class Series(NamedTuple):
    """One metric that an alarm looks at."""

    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    operator: str
    """Empty where the alarm compares something that was computed from the metric."""


def series(alarm: Mapping[str, Any], account: str) -> Iterator[Series]:
    """The metrics of RDS in this account that a metric alarm looks at."""
    if alarm.get("Namespace") == NAMESPACE:
        yield Series(
            metric=alarm["MetricName"],
            dimensions=_dimensions(alarm),
            statistic=alarm.get("Statistic", ""),
            operator=alarm["ComparisonOperator"],
        )
    queries = alarm.get("Metrics") or []
    of_metrics = [query for query in queries if query.get("MetricStat")]
    # A band around the one metric, or the one metric itself: its direction is the alarm's.
    is_plain = len(of_metrics) == 1 and (len(queries) == 1 or bool(alarm.get("ThresholdMetricId")))
    for query in of_metrics:
        metric = query["MetricStat"]["Metric"]
        if metric.get("Namespace") == NAMESPACE and query.get("AccountId") in {None, account}:
            yield Series(
                metric=metric["MetricName"],
                dimensions=_dimensions(metric),
                statistic=query["MetricStat"].get("Stat", ""),
                operator=alarm["ComparisonOperator"] if is_plain else "",
            )


def _dimensions(metric: Mapping[str, Any]) -> dict[str, str]:
    return {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}


def query_text(alarm: Mapping[str, Any]) -> str:
    """The query of an alarm over one: Metrics Insights, SEARCH or PromQL; empty where it has none."""
    expressions = [str(query.get("Expression") or "") for query in alarm.get("Metrics") or []]
    found = [text for text in expressions if re.search(r"\bSELECT\b|\bSEARCH\s*\(", text, re.IGNORECASE)]
    criteria = (alarm.get("EvaluationCriteria") or {}).get("PromQLCriteria") or {}
    return "\n".join([*found, str(criteria.get("Query") or "")]).strip()


def heard(alarms: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """The metric alarms that somebody hears of: by their own actions, or by those of a composite alarm."""
    composites = {alarm["AlarmName"]: alarm for alarm in alarms["Composite"]}
    named: set[str] = set()
    waiting = [name for name, alarm in composites.items() if acts(alarm)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name in composites:
            seen.add(name)
            found = references(composites[name])
            named |= found
            waiting += found
    return [alarm for alarm in alarms["Metric"] if acts(alarm) or alarm["AlarmName"] in named]


def acts(alarm: Mapping[str, Any]) -> bool:
    """Whether an alarm does something when it goes off."""
    return bool(alarm["ActionsEnabled"] and alarm.get("AlarmActions"))


def references(composite: Mapping[str, Any]) -> set[str]:
    """The names of the alarms by which a composite alarm goes off, not of those that hold it back."""
    return {
        found.group(2).strip().strip('"').rpartition(":alarm:")[2]
        for found in _REFERENCE.finditer(composite["AlarmRule"])
        if not found.group(1)
    }


def is_watched(watch: Watch, database: Database, alarms: Iterable[Mapping[str, Any]], account: str) -> bool:
    """Whether these alarms together watch a metric of a database, of as many of its instances as must be."""
    return is_told(watch, database, [one for alarm in alarms for one in series(alarm, account)])


def is_told(watch: Watch, database: Database, told: Iterable[Series]) -> bool:
    """The same by what alarms look at."""
    reached: set[str] = set()
    for one in told:
        if one.metric == watch.metric and _right_way(one.operator, above=watch.above):
            reached |= _reached(one, watch, database)
    if _EVERYTHING in reached:
        return True
    # An alarm on the writer's own name is worth nothing after a failover, unless every instance has one.
    return watch.reach is not Reach.WHOLE and bool(database.instances) and database.instances <= reached


def _right_way(operator: str, *, above: bool) -> bool:
    if not operator or operator == "LessThanLowerOrGreaterThanUpperThreshold":
        return True
    return operator.startswith("Greater") is above


def _reached(one: Series, watch: Watch, database: Database) -> set[str]:
    """The instances of which a series tells, or everything."""
    dimensions = one.dimensions
    if not dimensions:
        # Over all databases of the account: what one does shows in the worst of them alone.
        return {_EVERYTHING} if one.statistic == watch.worst and watch.reach is not Reach.WHOLE else set()
    if set(dimensions) == {"DBInstanceIdentifier"}:
        return {dimensions["DBInstanceIdentifier"]} & database.instances
    if not database.is_cluster or dimensions.get("DBClusterIdentifier") != database.name:
        return set()
    role = dimensions.get("Role")
    if watch.reach is Reach.WHOLE or (role, watch.reach) == ("WRITER", Reach.WRITER):
        return {_EVERYTHING}
    if role is not None:
        return {"WRITER": {database.writer} - {""}, "READER": set(database.readers)}.get(role, set())
    # In an average over the cluster, one instance that is down does not show.
    return {_EVERYTHING} if watch.reach is Reach.EACH or one.statistic == watch.worst else set()


class Register:
    """All alarms of an account and Region, by whom each may be about: they are as many as the databases.

    So a fleet's alarms are gone through once, and not for each of its databases.
    """

    def __init__(
        self, metric: Sequence[Mapping[str, Any]], composite: Sequence[Mapping[str, Any]], *, account: str
    ) -> None:
        """Take metric alarms and composite alarms, in the order in which they are to be answered."""
        self._metric, self._composite = metric, composite
        self._naming: dict[tuple[str, str], list[int]] = {}
        # About all databases, or about nobody knows which.
        self._of_anybody: list[int] = []
        for position, alarm in enumerate(metric):
            told = [one.dimensions for one in series(alarm, account)]
            if not all(told) or query_text(alarm):
                self._of_anybody.append(position)
            for key in {
                (word, dimensions[word]) for dimensions in told for word in _WORDS if word in dimensions
            }:
                self._naming.setdefault(key, []).append(position)
        self._over: dict[str, list[int]] = {}
        for position, alarm in enumerate(composite):
            for name in references(alarm):
                self._over.setdefault(name, []).append(position)
        self._names = _sorted_names(metric)
        self._composite_names = _sorted_names(composite)

    def naming(self, database: Database) -> list[Mapping[str, Any]]:
        """The metric alarms that name the database, or one of its instances, in a dimension."""
        return [self._metric[position] for position in sorted(self._positions(database))]

    def about(self, database: Database, *, prefix: str) -> dict[str, list[dict[str, Any]]]:
        """Those that may be about a database, and those that bear names which Warden would give.

        What is kept of each is what the functions here read, so that evidence stays small.
        """
        positions = self._positions(database) | _beginning(self._names, prefix)
        found = [self._metric[position] for position in sorted(positions.union(self._of_anybody))]
        above: dict[int, None] = {}
        more = {over for alarm in found for over in self._over.get(alarm["AlarmName"], ())}
        more |= _beginning(self._composite_names, prefix)
        while more:
            wave = sorted(more - above.keys())
            above |= dict.fromkeys(wave)
            names = [self._composite[position]["AlarmName"] for position in wave]
            more = {over for name in names for over in self._over.get(name, ())} - above.keys()
        return {
            "Metric": [_kept(alarm) for alarm in found],
            "Composite": [_kept(self._composite[position]) for position in above],
        }

    def _positions(self, database: Database) -> set[int]:
        keys = [("DBInstanceIdentifier", name) for name in database.instances]
        if database.is_cluster:
            keys.append(("DBClusterIdentifier", database.name))
        return {position for key in keys for position in self._naming.get(key, ())}


_WORDS = ("DBInstanceIdentifier", "DBClusterIdentifier")


def _sorted_names(alarms: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return sorted((alarm["AlarmName"], position) for position, alarm in enumerate(alarms))


def _beginning(names: Sequence[tuple[str, int]], prefix: str) -> set[int]:
    """The positions of the names that begin so, of sorted ones."""
    found: set[int] = set()
    for index in range(bisect_left(names, (prefix, -1)), len(names)):
        name, position = names[index]
        if not name.startswith(prefix):
            break
        found.add(position)
    return found


def _kept(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {name: alarm[name] for name in FIELDS if name in alarm}
