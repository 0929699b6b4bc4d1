"""Whether a database is well enough to be changed: its alarms, and how long ago it failed over.

A change that is safe by itself is one more suspect in an incident, and may be what tips a database over that is at
its limits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core.alarms import series
from warden.core.errors import MissingFactError
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from warden.core.alarms import Database
    from warden.core.policy import Health
    from warden.core.resource import Resource

_BILLS = frozenset({"TotalBackupStorageBilled", "BackupRetentionPeriodStorageUsed", "SnapshotStorageUsed"})
"""Metrics that tell of money; a database is not unwell because its backups are large."""
_FAILOVER = "failover"
"""A category of RDS's events (Amazon RDS User Guide, "Amazon RDS event categories and event messages")."""


def firing(database: Database, alarms: Iterable[Mapping[str, Any]], account: str) -> list[str]:
    """The names of those alarms that name the database, or one of its instances, in a dimension."""
    return sorted(
        alarm["AlarmName"]
        for alarm in alarms
        if any(
            one.metric not in _BILLS and _names(one.dimensions, database) for one in series(alarm, account)
        )
    )


def _names(dimensions: Mapping[str, str], database: Database) -> bool:
    if dimensions.get("DBInstanceIdentifier") in database.instances:
        return True
    return database.is_cluster and dimensions.get("DBClusterIdentifier") == database.name


def unasked(health: Health) -> frozenset[Need]:
    """What need not be known of a database where the policy wants no look at its health."""
    asked = {
        Need.FIRING_ALARMS: health.alarms,
        Need.RECENT_EVENTS: health.failover_minutes > 0,
    }
    return frozenset(need for need, wanted in asked.items() if not wanted)


def is_unwell(resource: Resource, health: Health, now: datetime) -> bool:
    """Whether a database should be left alone now; where that cannot be read, it should."""
    try:
        if health.alarms and resource.facts[Need.FIRING_ALARMS]:
            return True
        since = now - timedelta(minutes=health.failover_minutes)
        return health.failover_minutes > 0 and any(
            _FAILOVER in event["EventCategories"] and event["Date"] > since
            for event in resource.facts[Need.RECENT_EVENTS]
        )
    except (MissingFactError, KeyError):
        return True
