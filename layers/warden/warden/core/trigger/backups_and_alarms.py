"""The calls of AWS Backup, CloudWatch and SNS that change what controls read of databases and of the account.

A plan, a vault or a Region's setting of AWS Backup does not say which databases it is about: all are looked at. So they
are for an alarm whose name does not say it, but for the names that Warden gives. One that is made or changed names its
database by a dimension; that of a member of a cluster leads to its cluster as well (`pipeline.evaluate`).

Left out on purpose, because the sweep sees them in time: recovery points that come and that expire, of which no call
tells; alarms that were about a database before somebody changed them to be about something else; Metrics Insights
queries in PromQL; mute rules, which silence an alarm for a while; how long a vault keeps a recovery point.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from warden.core.alarm_plans import database_named
from warden.core.resource import ResourceType
from warden.core.trigger.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CLUSTER: Final = ResourceType.DB_CLUSTER
_INSTANCE: Final = ResourceType.DB_INSTANCE

# "Must contain from 1 to 63 letters, numbers, or hyphens. First character must be a letter" (CreateDBInstance).
_IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")
_DATABASES = (Place(_CLUSTER, ()), Place(_INSTANCE, ()))


# --- AWS Backup ---------------------------------------------------------------------------------------------------


def _of_what(kind: str, recovery_point: str) -> str | None:
    """None where databases of a kind may have the recovery point, empty where none can.

    Snapshots of RDS are recovery points by their own ARN. What a continuous backup is of, its ARN does not say.
    """
    _, _, service, *_, rest = [*recovery_point.split(":", 5), *[""] * 6][:6]
    if service == "rds":
        snapshot_of = {"cluster-snapshot": "cluster", "snapshot": "db"}.get(rest.partition(":")[0], kind)
        return None if snapshot_of == kind else ""
    return None if rest.startswith("recovery-point:continuous:") else ""


_BACKED_UP = (
    Place(_CLUSTER, ("in.recoveryPointArn",), part=partial(_of_what, "cluster")),
    Place(_INSTANCE, ("in.recoveryPointArn",), part=partial(_of_what, "db")),
)


# --- CloudWatch ---------------------------------------------------------------------------------------------------


def _dimension(name: str) -> tuple[str, ...]:
    """Where the request of an alarm has the value of a dimension: on one metric, or on several."""
    return (
        f"in.dimensions[name={name}].value",
        f"in.metrics[].metricStat.metric.dimensions[name={name}].value",
    )


def _of_rds(value: str) -> str:
    """A dimension may have any value; only what can be the name of a database is one."""
    return value if _IDENTIFIER.fullmatch(value) else ""


def _by_its_name(kind: ResourceType) -> Callable[[str], str | None]:
    """Who an alarm is about, if it is one of Warden's own."""

    def part(alarm: str) -> str | None:
        found = database_named(alarm)
        if found is None:
            return None
        return found[1] if found[0] is kind else ""

    return part


_IDENTIFIERS = {_CLUSTER: _dimension("DBClusterIdentifier"), _INSTANCE: _dimension("DBInstanceIdentifier")}
_EVERY_IDENTIFIER = tuple(path for paths in _IDENTIFIERS.values() for path in paths)
_CHANGED_ALARM = tuple(
    place
    for kind, paths in _IDENTIFIERS.items()
    for place in (
        Place(kind, paths, part=_of_rds, optional=True),
        # Whoever changes one of Warden's alarms may have it watch another database.
        Place(kind, ("in.alarmName",), part=_by_its_name(kind), optional=True),
        # An alarm on all databases, by a metric without dimensions or by a query.
        Place(kind, (), unless=_EVERY_IDENTIFIER),
    )
)
_NAMED_ALARMS = tuple(Place(kind, ("in.alarmNames[]",), part=_by_its_name(kind)) for kind in _IDENTIFIERS)


# --- SNS ----------------------------------------------------------------------------------------------------------


def _lets_rds_publish(attribute: str) -> str | None:
    return None if attribute == "Policy" else ""


# RDS cannot tell anybody through a topic that is gone, or that does not let it (EventSubscription: Status).
_TOPIC = (Place(ResourceType.ACCOUNT, ()),)
_POLICY_OF_TOPIC = (Place(ResourceType.ACCOUNT, ("in.attributeName",), part=_lets_rds_publish),)

BACKUPS_AND_ALARMS: Final[Mapping[str, Mapping[str, tuple[Place, ...]]]] = {
    "backup.amazonaws.com": {
        "UpdateBackupPlan": _DATABASES,
        "DeleteBackupPlan": _DATABASES,
        "CreateBackupSelection": _DATABASES,
        "DeleteBackupSelection": _DATABASES,
        "UpdateRegionSettings": _DATABASES,
        "DeleteRecoveryPoint": _BACKED_UP,
        "DisassociateRecoveryPoint": _BACKED_UP,
        "PutBackupVaultLockConfiguration": _DATABASES,
        "DeleteBackupVaultLockConfiguration": _DATABASES,
        # What a policy denies Warden to list, nobody can judge any more.
        "PutBackupVaultAccessPolicy": _DATABASES,
        "DeleteBackupVaultAccessPolicy": _DATABASES,
    },
    "monitoring.amazonaws.com": {
        "PutMetricAlarm": _CHANGED_ALARM,
        "PutCompositeAlarm": _DATABASES,
        "DeleteAlarms": _NAMED_ALARMS,
        "DisableAlarmActions": _NAMED_ALARMS,
        "EnableAlarmActions": _NAMED_ALARMS,
    },
    "sns.amazonaws.com": {
        "DeleteTopic": _TOPIC,
        "SetTopicAttributes": _POLICY_OF_TOPIC,
        "AddPermission": _TOPIC,
        "RemovePermission": _TOPIC,
    },
}
"""By the source of the event, the calls that are looked at. CloudWatch's is called monitoring."""
