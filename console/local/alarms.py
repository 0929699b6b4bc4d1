"""What moto's CloudWatch does unlike AWS, as far as Warden reads or writes alarms."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from console.local.rds.registry import Patch

_MOST = 100

_describe = CloudWatchResponse.describe_alarms
_put = CloudWatchBackend.put_metric_alarm


def _describe_alarms(self: Any) -> ActionResult:
    """List a page of the types that were asked for.

    "If you omit this parameter, only metric alarms are returned, even if composite alarms or log alarms exist in the
    account" (DescribeAlarms: AlarmTypes); "The token returned by a previous call to indicate that there is more data
    available" (NextToken). moto answers with everything at once.
    """
    found: dict[str, Any] = _describe(self).result
    types = self._get_param("AlarmTypes", []) or ["MetricAlarm"]
    most = int(self._get_param("MaxRecords") or _MOST)
    if not 1 <= most <= _MOST:
        raise InvalidParameterValue(f"The value {most} for parameter MaxRecords is not supported.")
    wanted = [
        (name, alarm)
        for kind, name in (("MetricAlarm", "MetricAlarms"), ("CompositeAlarm", "CompositeAlarms"))
        if kind in types
        for alarm in sorted(found[name], key=lambda alarm: alarm.name)
    ]
    first = int(self._get_param("NextToken") or 0)
    page = wanted[first : first + most]
    result: dict[str, Any] = {
        kind: [alarm for name, alarm in page if name == kind] for kind in ("MetricAlarms", "CompositeAlarms")
    }
    if first + most < len(wanted):
        result["NextToken"] = str(first + most)
    return ActionResult(result)


def _put_metric_alarm(self: Any, *arguments: Any, **settings: Any) -> Any:
    """Overwrite an alarm, but for its tags.

    "If you are using this operation to update an existing alarm, any tags you specify in this parameter are ignored"
    (PutMetricAlarm: Tags). moto gives it the new ones.
    """
    name = settings.get("name", arguments[0] if arguments else None)
    return _put(self, *arguments, **(settings | {"tags": None} if name in self.alarms else settings))


def _put_composite_alarm(self: Any) -> ActionResult:
    """Make an alarm over others; moto has no such operation, though its models know the rule."""
    answer: ActionResult = self.put_metric_alarm()
    return answer


PATCHES = (
    Patch(target=CloudWatchResponse, attribute="put_composite_alarm", replacement=_put_composite_alarm),
    Patch(target=CloudWatchResponse, attribute="describe_alarms", replacement=_describe_alarms),
    Patch(target=CloudWatchBackend, attribute="put_metric_alarm", replacement=_put_metric_alarm),
)
