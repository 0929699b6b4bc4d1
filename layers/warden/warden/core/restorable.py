"""Whether a database can be restored to any moment up to now, for clusters and instances alike.

"LatestRestorableTime: The latest time to which a database can be restored with point-in-time restore." RDS uploads
transaction logs every five minutes, and Aurora's storage keeps them all the time; so the time is that of the
observation, but for minutes. Where it is older for a good reason, nothing is said: a false alarm about backups would
soon be read by nobody.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import engines, guidance
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.resource import Resource

MAXIMUM_MINUTES = Setting(
    name="maximum_minutes",
    default=30,
    doc="The most minutes by which the latest restorable time may be behind. RDS needs about five.",
    minimum=10,
    maximum=1440,
)

_NEW = timedelta(days=1)
"""The first backup of a large database that was just restored takes hours."""
_SHORTEST = timedelta(hours=12)
"""Aurora keeps at least a day, and backups cannot be turned off ("Must be a value from 1 to 35"); half of it is
left for how the window moves."""
_SETTLED = frozenset({"available", "storage-full", "storage-optimization"})
_STOPPED = frozenset({"stopped", "stopping"})
_INTERRUPTING = frozenset(
    {
        *(
            "availability",
            "backtrack",
            "backup",
            "configuration change",
            "creation",
            "failover",
            "maintenance",
        ),
        *("migration", "notification", "recovery", "restoration"),
    }
)
"""Categories of events after which the time may be behind for a while: a start ("notification") above all."""


def judge(resource: Resource, status: str, created: str, maximum_minutes: int) -> Verdict:
    """Judge the restorable times; `status` and `created` are the members of that meaning."""
    facts = resource.facts
    if facts[status] in _STOPPED:
        return not_applicable(f"{resource.ref.id} is stopped: nothing changes in it that could be lost.")
    if facts[status] == "creating":
        return not_applicable(f"{resource.ref.id} is being created: its first backup is to come.")
    latest = facts["LatestRestorableTime"]
    if latest is not None and resource.observed_at - latest <= timedelta(minutes=maximum_minutes):
        return _window(resource, latest, created)
    behind = f"{resource.ref.id} {_behind(resource, latest)}"
    return _excuse(resource, behind, status, created) or non_compliant(
        f"{behind}; the policy accepts {maximum_minutes} minutes."
    )


def _behind(resource: Resource, latest: datetime | None) -> str:
    if latest is None:
        return "has no latest restorable time: it cannot be restored to a point in time"
    return (
        f"can be restored up to {latest:%Y-%m-%d %H:%M} UTC only, {_ago(resource.observed_at - latest)} ago"
    )


def _ago(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{minutes} minutes" if not hours else f"{hours} h {minutes} min"


def _excuse(resource: Resource, behind: str, status: str, created: str) -> Verdict | None:
    """Why a time that is behind, or none, says nothing yet."""
    facts = resource.facts
    if facts[status] not in _SETTLED:
        return insufficient_data(f"{behind}, and it is {facts[status]}: judged when it is available again.")
    if resource.observed_at - facts[created] < _NEW:
        return not_applicable(f"{behind}, and is less than a day old: its first backup may not be done.")
    if resource.ref.resource_type is ResourceType.DB_CLUSTER and _may_pause(resource):
        return insufficient_data(f"{behind}, and may be paused: AWS does not say whether it is.")
    events = [event for event in facts[Need.RECENT_EVENTS] if _INTERRUPTING & set(event["EventCategories"])]
    if events:
        return insufficient_data(
            f"{behind}, and RDS reported within the last hour: {events[-1]['Message'].rstrip('.')}."
        )
    return None


def _may_pause(resource: Resource) -> bool:
    """Whether the cluster pauses by itself: Serverless v1, or v2 with no least capacity."""
    scaling = resource.facts["ServerlessV2ScalingConfiguration"]
    if resource.facts["EngineMode"] == engines.SERVERLESS_V1:
        return True
    return scaling is not None and scaling["MinCapacity"] == 0


def _window(resource: Resource, latest: datetime, created: str) -> Verdict:
    """The window of a cluster of Aurora, which DescribeDBInstances does not tell of an instance.

    It is not compared with the retention: after that is raised, the window grows by a day each day, and nothing
    says when it was raised.
    """
    told = f"{resource.ref.id} can be restored up to {latest:%Y-%m-%d %H:%M} UTC"
    if (
        resource.facts["Engine"] not in engines.AURORA
        or resource.ref.resource_type is not ResourceType.DB_CLUSTER
    ):
        return compliant(f"{told}.")
    earliest = resource.facts["EarliestRestorableTime"]
    if earliest is not None and latest - earliest >= _SHORTEST:
        return compliant(f"{told}, from {earliest:%Y-%m-%d %H:%M} on.")
    if resource.observed_at - resource.facts[created] < 2 * _NEW:
        return compliant(f"{told}, and is less than two days old.")
    since = (
        "but no earliest time is known" if earliest is None else f"but only from {earliest:%Y-%m-%d %H:%M} on"
    )
    return non_compliant(f"{told}, {since}, though Aurora keeps backups for at least a day.")


def to_look_at(resource: Resource, source_type: str, snapshot: tuple[str, str, str]) -> Manual:
    """What a person does; `snapshot` are the command and the options that take one."""
    name, option, source = snapshot
    return Manual(
        "No setting repairs this: look what RDS says of the last day, take a snapshot so that at least the data of now "
        "is safe, and open a case with AWS Support if the time does not move on.",
        (
            guidance.command(
                resource,
                "describe-events",
                {"source-type": source_type, "source-identifier": resource.ref.id, "duration": "1440"},
            ),
            guidance.command(resource, name, {option: f"{resource.ref.id}-now", source: resource.ref.id}),
        ),
    )
