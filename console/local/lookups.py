"""LookupEvents of CloudTrail, which moto lacks: the calls of the local RDS, as the bus has them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.cloudtrail.responses import CloudTrailResponse

from console.local.rds.registry import Patch

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 50


def recorded() -> Sequence[dict[str, Any]]:
    """Return the events so far; each account of the local AWS puts its own here."""
    return ()


def _lookup_events(self: Any) -> str:
    """List what was recorded, by an attribute and by time.

    "Currently the list can contain only one item" (LookupEventsRequest.LookupAttributes).

    "The events list is sorted by time. The most recent event is listed first" (LookupEventsResponse.Events), and the
    default and the most of MaxResults is 50.
    """
    asked = json.loads(self.body)
    wanted = {item["AttributeKey"]: item["AttributeValue"] for item in asked.get("LookupAttributes") or []}
    records = [
        event["detail"]
        for event in recorded()
        if event["detail-type"] == "AWS API Call via CloudTrail"
        and (event["region"], event["account"]) == (self.region, self.current_account)
        and all(_attribute(event["detail"], key) == value for key, value in wanted.items())
    ]
    found = [
        {
            "EventId": record["eventID"],
            "EventName": record["eventName"],
            "ReadOnly": str(record["readOnly"]).lower(),
            "EventTime": _seconds(record),
            "EventSource": record["eventSource"],
            "Username": _username(record),
            "CloudTrailEvent": json.dumps(record),
        }
        for record in reversed(records)
        if asked.get("StartTime", 0) <= _seconds(record) <= asked.get("EndTime", float("inf"))
    ]
    first, size = int(asked.get("NextToken") or 0), asked.get("MaxResults", _MOST)
    more = {"NextToken": str(first + size)} if first + size < len(found) else {}
    return json.dumps({"Events": found[first : first + size], **more})


def _attribute(record: dict[str, Any], key: str) -> str:
    """Give what a lookup compares: the attributes that records of the local AWS have (LookupAttributeKey)."""
    match key:
        case "EventId":
            return str(record["eventID"])
        case "EventName":
            return str(record["eventName"])
        case "EventSource":
            return str(record["eventSource"])
        case "ReadOnly":
            return str(record["readOnly"]).lower()
        case "AccessKeyId":
            return str(record["userIdentity"].get("accessKeyId", ""))
        case "Username":
            return _username(record)
    raise NotImplementedError(f"the local AWS looks up no events by {key}")


def _username(record: dict[str, Any]) -> str:
    """Give the name of a user, or that of a role's session, which stands behind the role's id."""
    identity = record["userIdentity"]
    return str(identity.get("userName") or str(identity.get("principalId", "")).rpartition(":")[2])


def _seconds(record: dict[str, Any]) -> float:
    return datetime.fromisoformat(record["eventTime"]).timestamp()


PATCHES = (Patch(target=CloudTrailResponse, attribute="lookup_events", replacement=_lookup_events),)
