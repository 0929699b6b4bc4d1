"""DescribeEvents: what RDS has told of lately, the same that it puts onto the bus."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.local.events import category_and_message
from console.local.rds.call import Call, conflicting
from console.local.rds.registry import Correction, Topic

if TYPE_CHECKING:
    from console.local.rds.state import Told

# SourceType, by the part of an ARN that names a kind.
_SOURCE_TYPES = {
    "db": "db-instance",
    "cluster": "db-cluster",
    "pg": "db-parameter-group",
    "snapshot": "db-snapshot",
    "cluster-snapshot": "db-cluster-snapshot",
    "db-proxy": "db-proxy",
}
_KEPT = timedelta(days=14)
_MINUTES = 60


def describe(call: Call) -> dict[str, Any]:
    """Answer DescribeEvents, by source and by the minutes that have passed."""
    if call.has("SourceIdentifier") and not call.has("SourceType"):
        conflicting("Cannot specify source identifier without source type")
    since = call.world.now() - min(timedelta(minutes=call.get("Duration", _MINUTES)), _KEPT)
    found = [_item(told) for told in call.world.told if told.at >= since and _is_here(call, told)]
    for parameter in ("SourceIdentifier", "SourceType"):
        if call.has(parameter):
            found = [item for item in found if item[parameter] == call[parameter]]
    if call.has("EventCategories"):
        wanted = set(call["EventCategories"])
        found = [item for item in found if wanted & set(item["EventCategories"])]
    return {"Events": found}


def _is_here(call: Call, told: Told) -> bool:
    return told.event.resource_arn.split(":")[3:5] == [call.region, call.account]


def _item(told: Told) -> dict[str, Any]:
    kind, _, name = told.event.resource_arn.split(":", 5)[5].partition(":")
    category, message = category_and_message(told.event)
    return {
        "SourceIdentifier": name,
        "SourceType": _SOURCE_TYPES[kind],
        "Message": message,
        "EventCategories": [category],
        "Date": told.at,
        "SourceArn": told.event.resource_arn,
    }


TOPIC = Topic(
    name="happenings",
    operations={"DescribeEvents": describe},
    corrections=(
        Correction(
            name="events-of-the-past-hour",
            why="moto lists some events of instances and snapshots, of all times and by the machine's clock",
            reference="DescribeEvents",
            words="By default, RDS returns events that were generated in the past hour.",
        ),
    ),
)
