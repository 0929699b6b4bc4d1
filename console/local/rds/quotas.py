"""What an account may have in a Region, and what of it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.local.rds.parameter_groups import is_default
from console.local.rds.registry import Correction, Topic
from console.local.rds.snapshots import QUOTA

if TYPE_CHECKING:
    from console.local.rds.call import Call

# RDS User Guide, "Quotas and constraints for Amazon RDS": the defaults.
_CLUSTERS, _INSTANCES, _GROUPS = 40, 40, 50


def describe_attributes(call: Call) -> dict[str, Any]:
    """Answer DescribeAccountAttributes, as far as there are things here that count."""
    backend = call.backend
    used = {
        "DBClusters": (len(backend.clusters), _CLUSTERS),
        "DBInstances": (len(backend.databases), _INSTANCES),
        "DBClusterParameterGroups": (_custom(backend.db_cluster_parameter_groups), _GROUPS),
        "DBParameterGroups": (_custom(backend.db_parameter_groups), _GROUPS),
        "ManualClusterSnapshots": (_manual(backend.cluster_snapshots), QUOTA),
        "ManualSnapshots": (_manual(backend.database_snapshots), QUOTA),
    }
    return {
        "AccountQuotas": [
            {"AccountQuotaName": name, "Used": count, "Max": most} for name, (count, most) in used.items()
        ]
    }


def _custom(groups: Any) -> int:
    return sum(not is_default(name) for name in groups)


def _manual(snapshots: Any) -> int:
    return sum(one.snapshot_type == "manual" for one in snapshots.values())


TOPIC = Topic(
    name="quotas",
    operations={"DescribeAccountAttributes": describe_attributes},
    corrections=(
        Correction(
            name="quotas-are-told",
            why="moto cannot say how much room an account has",
            reference="DescribeAccountAttributes",
            words=(
                "The description for a quota includes the quota name, current usage toward that quota, and the quota's"
                " maximum value."
            ),
        ),
    ),
)
