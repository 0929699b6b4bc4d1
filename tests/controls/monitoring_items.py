"""What the reader adds about monitoring, for the full items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERYTHING: Mapping[str, bool] = {"SupportsPerformanceInsights": True, "SupportsEnhancedMonitoring": True}
"""What DescribeOrderableDBInstanceOptions says of a current class."""


def _alarms(dimension: str, name: str, **directions: str) -> dict[str, list[dict[str, Any]]]:
    return {
        "Metric": [
            {
                "AlarmName": f"{name} {metric}",
                "ActionsEnabled": True,
                "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
                "Namespace": "AWS/RDS",
                "MetricName": metric,
                "Dimensions": [{"Name": dimension, "Value": name}],
                "Statistic": "Minimum" if direction == "Less" else "Maximum",
                "ComparisonOperator": f"{direction}ThanThreshold",
                "Threshold": 1.0,
            }
            for metric, direction in directions.items()
        ],
        "Composite": [],
    }


ALARMS_OF_A_CLUSTER = _alarms(
    "DBClusterIdentifier",
    "orders",
    EngineUptime="Less",
    AuroraReplicaLagMaximum="Greater",
    CPUUtilization="Greater",
    FreeableMemory="Less",
    TotalBackupStorageBilled="Greater",
)
ALARMS_OF_AN_INSTANCE = _alarms(
    "DBInstanceIdentifier",
    "billing",
    CPUUtilization="Greater",
    FreeableMemory="Less",
    FreeStorageSpace="Less",
)
