"""The table of alarms in docs/reference/metrics-and-alarms.md, from the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tools.generators._template_pages import REFERENCE, parsed, resources, said, table
from tools.markers import current_text, replace_between_markers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PAGE: Final = REFERENCE / "metrics-and-alarms.md"
_COMPARISONS: Final = {"GreaterThanThreshold": "above", "LessThanThreshold": "below"}
_MINUTES_OF_AN_HOUR: Final = 60


def generate() -> Mapping[Path, str]:
    """Return the page, with its table of alarms."""
    alarms = resources(parsed(), "AWS::CloudWatch::Alarm")
    rows = [_row(name, alarm) for name, alarm in alarms.items()]
    lines = table(("Alarm", "What it means", "Raised when"), rows)
    return {_PAGE: replace_between_markers(current_text(_PAGE), "alarms", "\n".join(lines))}


def _row(name: str, alarm: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"`{name}`", f"{alarm['AlarmDescription']}.", _condition(alarm)


def _condition(alarm: Mapping[str, Any]) -> str:
    metrics = [part["MetricStat"] for part in alarm.get("Metrics", ()) if "MetricStat" in part]
    first = (
        metrics[0] if metrics else {"Metric": alarm, "Stat": alarm["Statistic"], "Period": alarm["Period"]}
    )
    metric = f"`{first['Metric']['Namespace']}` `{first['Metric']['MetricName']}`"
    where = f" over {len(metrics)} functions" if metrics else _dimension(first["Metric"])
    comparison = _COMPARISONS[alarm["ComparisonOperator"]]
    silence = ", or there is no data" if alarm["TreatMissingData"] == "breaching" else ""
    return f"{metric}{where} is {comparison} {alarm['Threshold']} {_span(alarm, first['Period'])}{silence}"


def _dimension(metric: Mapping[str, Any]) -> str:
    value = said(metric["Dimensions"][0]["Value"])
    return f" of `{value}`"


def _span(alarm: Mapping[str, Any], seconds: int) -> str:
    periods = alarm["EvaluationPeriods"]
    minutes = seconds // 60
    span = "an hour" if minutes == _MINUTES_OF_AN_HOUR else f"{minutes} minutes"
    if isinstance(periods, dict):
        return f"in each of `{said(periods)}` hours"
    return f"in {span}" if periods == 1 else f"in {periods} times {span}"
