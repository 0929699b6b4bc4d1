"""What the backups of databases are judged by: the events of RDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

_MINUTES = 60
_SOURCE_TYPES = {ResourceType.DB_CLUSTER: "db-cluster", ResourceType.DB_INSTANCE: "db-instance"}


def _recent_events(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each database, or one for each hundred events of the last hour; the oldest first."""
    wanted: dict[str, Any] = {
        "SourceType": _SOURCE_TYPES[resource.ref.resource_type],
        "Duration": _MINUTES,
    }
    if not reads.bulk:
        return reads.api.every("DescribeEvents", SourceIdentifier=resource.ref.id, **wanted)
    return [
        event
        for event in reads.whole("DescribeEvents", **wanted)
        if event.get("SourceIdentifier") == resource.ref.id
    ]


ANSWERS: Mapping[Need, Answer] = {Need.RECENT_EVENTS: _recent_events}
