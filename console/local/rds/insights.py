"""Performance Insights and Database Insights, which moto does not keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.local.rds.call import Call, conflicting, invalid
from console.local.rds.encryption import resolve_key
from console.local.rds.registry import Correction, Topic

if TYPE_CHECKING:
    from console.local.rds.state import Extras

_MONTH = 31
_ADVANCED_NEEDS = 465
_VALID_DAYS = frozenset({7, 731, *(month * _MONTH for month in range(1, 24))})


def apply(call: Call, own: Extras) -> None:
    """Take the settings of a create or modify request over into a resource's members."""
    members = dict(own.members)
    days = call.get("PerformanceInsightsRetentionPeriod")
    if days is not None and days not in _VALID_DAYS:
        invalid(f"Invalid Performance Insights retention period: {days}.")
    enabled = call.get("EnablePerformanceInsights", members.get("PerformanceInsightsEnabled", False))
    if enabled:
        key = call.get("PerformanceInsightsKMSKeyId")
        held = members.get("PerformanceInsightsKMSKeyId")
        members["PerformanceInsightsKMSKeyId"] = (
            resolve_key(call, key or "alias/aws/rds") if key or held is None else held
        )
        members["PerformanceInsightsRetentionPeriod"] = days or members.get(
            "PerformanceInsightsRetentionPeriod", 7
        )
    else:
        members.pop("PerformanceInsightsKMSKeyId", None)
        members.pop("PerformanceInsightsRetentionPeriod", None)
    members["PerformanceInsightsEnabled"] = bool(enabled)
    mode = call.get("DatabaseInsightsMode", members.get("DatabaseInsightsMode", "standard"))
    kept = members.get("PerformanceInsightsRetentionPeriod", 0)
    if mode == "advanced" and (not enabled or kept < _ADVANCED_NEEDS):
        conflicting(
            "To enable the Advanced mode of Database Insights, you must enable Performance Insights and set the"
            f" retention period for Performance Insights to at least {_ADVANCED_NEEDS} days."
        )
    members["DatabaseInsightsMode"] = mode
    own.members = members


def inherited(own: Extras) -> dict[str, Any]:
    """List what the instances of an Aurora cluster take over from it."""
    names = (
        "PerformanceInsightsEnabled",
        "PerformanceInsightsKMSKeyId",
        "PerformanceInsightsRetentionPeriod",
        "DatabaseInsightsMode",
    )
    return {name: own.members[name] for name in names if name in own.members}


TOPIC = Topic(
    name="insights",
    corrections=(
        Correction(
            name="performance-insights",
            why="moto forgets every setting of Performance Insights",
            reference="DBCluster.PerformanceInsightsEnabled",
            words="Indicates whether Performance Insights is enabled for the DB cluster.",
        ),
        Correction(
            name="performance-insights-retention",
            why="moto takes any number of days",
            reference="ModifyDBClusterMessage.PerformanceInsightsRetentionPeriod",
            words=(
                "If you specify a retention period that isn't valid, such as 94, Amazon RDS issues an error."
            ),
        ),
        Correction(
            name="database-insights-mode",
            why="moto does not know Database Insights",
            reference="CreateDBClusterMessage.DatabaseInsightsMode",
            words=(
                "If you set this value to advanced, you must also set the PerformanceInsightsEnabled parameter"
                " to true and the PerformanceInsightsRetentionPeriod parameter to 465."
            ),
        ),
    ),
)
