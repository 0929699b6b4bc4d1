"""AWS Config: changed configuration items and changed compliance, with or without EventBridge's envelope."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from warden.core.errors import MalformedEventError
from warden.core.resource import ResourceType
from warden.core.trigger.envelope import cause_of, triggers_of
from warden.core.trigger.fields import Node, shown
from warden.core.trigger.identity import Home, identified
from warden.core.trigger.model import Ignored, IgnoredReason, Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warden.core.trigger.envelope import Envelope
    from warden.core.trigger.model import Target, Trigger

_ITEM_MEMBERS: Final[Mapping[str, str]] = {
    "ConfigurationItemChangeNotification": "configurationItem",
    # More than the notification holds: only a summary, which has the ARN all the same.
    "OversizedConfigurationItemChangeNotification": "configurationItemSummary",
}
_COMPLIANCE_CHANGE: Final = "ComplianceChangeNotification"
_SCHEDULED: Final = "ScheduledNotification"


def read(event: Envelope) -> tuple[Trigger | Ignored, ...]:
    """Read an event; its detail is the notification that Config also sends to a topic."""
    return _notification(event.detail, event_id=event.id, at=event.at)


def read_notification(event: dict[str, Any], *, received_at: datetime) -> tuple[Trigger | Ignored, ...]:
    """Read a notification as Config sends it to a topic, without EventBridge's envelope."""
    return _notification(Node(event), event_id="", at=received_at)


def read_invocation(event: dict[str, Any], *, received_at: datetime) -> tuple[Trigger | Ignored, ...]:
    """Read what Config gives a custom rule's function: the notification is JSON within JSON.

    Warden is no custom rule and answers nothing to Config; whoever has one can pass its input on.
    """
    text = Node(event).text("invokingEvent")
    try:
        invoking = json.loads(text)
    except (ValueError, RecursionError):
        msg = "invokingEvent is not JSON"
        raise MalformedEventError(msg) from None
    return _notification(Node.of(invoking, "invokingEvent"), event_id="", at=received_at)


def _notification(body: Node, *, event_id: str, at: datetime) -> tuple[Trigger | Ignored, ...]:
    message_type = body.text("messageType")
    target: Target | Ignored
    if message_type in _ITEM_MEMBERS:
        target = _item(body.child(_ITEM_MEMBERS[message_type]))
    elif message_type == _COMPLIANCE_CHANGE:
        target = _compliance(body)
    elif message_type == _SCHEDULED:
        target = Ignored(reason=IgnoredReason.SCHEDULED, detail="A periodic run of a rule names no resource.")
    else:
        target = Ignored(
            reason=IgnoredReason.UNKNOWN_DETAIL_TYPE,
            detail=f"{shown(message_type)} is not a message of Config about a resource.",
        )
    cause = cause_of(
        Source.CONFIG,
        event_name=message_type,
        event_id=event_id,
        at=body.maybe_moment("notificationCreationTime") or at,
    )
    return triggers_of([target], cause)


def _item(item: Node) -> Target | Ignored:
    """A changed or deleted item, by its ARN."""
    return _resource(item, "ARN" if item.maybe_text("ARN") else "resourceId")


def _compliance(body: Node) -> Target | Ignored:
    """What a rule judged: looked at whatever the judgement is, since to be compliant again is a change."""
    resource_type = _type_of(body)
    if isinstance(resource_type, Ignored):
        return resource_type
    if not body.maybe_child("newEvaluationResult").value:
        rule = body.maybe_text("configRuleName")
        return Ignored(
            reason=IgnoredReason.NO_EVALUATION,
            detail=f"The rule {shown(rule)} says nothing about the resource any more.",
        )
    return _resource(body, "resourceId")


def _resource(node: Node, key: str) -> Target | Ignored:
    resource_type = _type_of(node)
    if isinstance(resource_type, Ignored):
        return resource_type
    home = Home.of(node.text("awsAccountId"), node.text("awsRegion"), where=node.path or "the notification")
    return identified(node.text(key), resource_type, home, node.where(key))


def _type_of(node: Node) -> ResourceType | Ignored:
    name = node.text("resourceType")
    try:
        return ResourceType(name)
    except ValueError:
        return Ignored(
            reason=IgnoredReason.OTHER_RESOURCE,
            detail=f"{shown(name)} is not a type of resource that Warden knows.",
        )
