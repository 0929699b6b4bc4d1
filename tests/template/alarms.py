"""What an alarm reads, whether it names one metric or computes with several."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from console.local.template import LocalResource


def alarm_metrics(alarm: LocalResource) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each metric that an alarm reads: namespace, name, dimensions."""
    parts = alarm.properties.get("Metrics", ())
    stats = [part["MetricStat"]["Metric"] for part in parts if "MetricStat" in part]
    for metric in stats or [alarm.properties]:
        yield metric["Namespace"], metric["MetricName"], {d["Name"]: d["Value"] for d in metric["Dimensions"]}
