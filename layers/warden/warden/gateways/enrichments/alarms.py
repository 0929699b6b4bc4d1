"""The CloudWatch alarms of the account and Region, as far as each is about a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import alarm_plans, alarms, health
from warden.core.alarms import Register
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.packed import Items
    from warden.gateways.reads import Reads

_PAGE = 100
# "If you omit this parameter, only metric alarms are returned" (DescribeAlarms: AlarmTypes).
_TYPES = ["MetricAlarm", "CompositeAlarm"]


_KEPT = (*alarms.FIELDS, "StateValue")


def _alarms(reads: Reads, resource: Resource) -> dict[str, list[dict[str, Any]]]:
    """One call for each hundred alarms of the account and Region, shared over a sweep.

    CloudWatch has no list of the alarms about a resource, and DescribeAlarmsForMetric "does not return alarms based
    on math expressions that use the specified metric, or composite alarms".
    """
    return _register(reads, resource.ref.account).about(
        alarms.database_of(resource), prefix=alarm_plans.prefix(resource.ref)
    )


def _register(reads: Reads, account: str) -> Register:
    return reads.once(
        ("alarms", account),
        lambda: Register(*reads.once(("DescribeAlarms",), lambda: _every(reads)), account=account),
    )


def _firing(reads: Reads, resource: Resource) -> list[str]:
    """One call for each hundred alarms that fire; none in a sweep, which has the list of all."""
    account = resource.ref.account
    firing = reads.once(
        ("alarms that fire", account), lambda: Register(_that_fire(reads), (), account=account)
    )
    database = alarms.database_of(resource)
    return health.firing(database, firing.naming(database), account)


def _that_fire(reads: Reads) -> Sequence[Mapping[str, Any]]:
    if not reads.bulk:
        return _every(reads, StateValue="ALARM")[0]
    metric, _ = reads.once(("DescribeAlarms",), lambda: _every(reads))
    return [alarm for alarm in metric if alarm["StateValue"] == "ALARM"]


def _every(reads: Reads, **only: str) -> tuple[Items, Items]:
    metric, composite = reads.items(()), reads.items(())
    more: dict[str, str] = {}
    while True:
        answer = reads.api.call("DescribeAlarms", AlarmTypes=_TYPES, MaxRecords=_PAGE, **only, **more)
        metric.extend(map(_kept, answer["MetricAlarms"]))
        composite.extend(map(_kept, answer.get("CompositeAlarms") or ()))
        if not answer.get("NextToken"):
            return metric, composite
        more = {"NextToken": answer["NextToken"]}


def _kept(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {name: alarm[name] for name in _KEPT if name in alarm}


ANSWERS: Mapping[Need, Answer] = {Need.ALARMS: _alarms, Need.FIRING_ALARMS: _firing}
