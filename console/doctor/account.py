"""What the account has to have: a trail that records, alarms that are quiet, somebody who reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.doctor.report import failed, fine, warning
from warden.core import trails
from warden.core.errors import RefusedError, StoppedError
from warden.gateways.errors import translated
from warden.gateways.state import DynamoState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from console.deployed import Deployed, StackResource
    from console.doctor.report import Line

_NAMES_AT_ONCE = 100
"""DescribeAlarms takes so many names."""
# Weak as evidence, but they deliver this Region's calls to EventBridge all the same.
_NO_MATTER = frozenset({"its files are not validated"})


def trail(found: Deployed) -> Iterator[Line]:
    """Whether CloudTrail delivers the calls that change databases of this Region.

    EventBridge user guide, "AWS service events delivered via CloudTrail": "you must have a CloudTrail trail with
    logging enabled".
    """
    with translated("cloudtrail:DescribeTrails"):
        listed = found.client("cloudtrail").describe_trails(includeShadowTrails=True).get("trailList", [])
    unreadable: list[str] = []
    wanting: list[str] = []
    for one in listed:
        try:
            lacks = _lacks(found, one)
        except RefusedError as error:
            unreadable.append(f"{one['Name']}: {error}")
            continue
        if not lacks:
            yield fine("trail", f"{one['Name']} records the calls that change databases")
            return
        wanting.append(f"{one['Name']}: {', '.join(lacks)}")
    if unreadable:
        yield warning(
            "trail",
            f"no trail that can be read records the calls that change databases; {'; '.join(unreadable)}",
            "Ask whoever owns that trail whether it records the management events that write, in this Region.",
        )
        return
    told = f"of {len(listed)} none records the calls that change databases" if listed else "there is none"
    yield failed(
        "trail",
        "; ".join([told, *wanting]),
        "Make a trail that records the management events that write, and start it; until then drift is seen by RDS "
        "events and the sweep alone. docs/explanation/events-and-the-sweep.md",
    )


def _lacks(found: Deployed, one: Mapping[str, Any]) -> list[str]:
    """What a trail lacks for this Region's events."""
    client = found.client("cloudtrail")
    with translated("cloudtrail:GetTrailStatus"):
        logging = client.get_trail_status(Name=one["TrailARN"])["IsLogging"]
    with translated("cloudtrail:GetEventSelectors"):
        selectors = client.get_event_selectors(TrailName=one["TrailARN"])
    here = one.get("IsMultiRegionTrail") or one.get("HomeRegion") == found.region
    joined = {
        **one,
        "IsMultiRegionTrail": here,
        "IsLogging": logging,
        "EventSelectors": selectors.get("EventSelectors") or [],
        "AdvancedEventSelectors": selectors.get("AdvancedEventSelectors") or [],
    }
    return [clause for clause in trails.shortcomings(joined) if clause not in _NO_MATTER]


def alarms(found: Deployed, resources: Sequence[StackResource]) -> Iterator[Line]:
    """Which alarms of the stack are raised now."""
    names = [one.physical for one in resources if one.type == "AWS::CloudWatch::Alarm" and one.physical]
    logical = {one.physical: one.logical for one in resources}
    client = found.client("cloudwatch")
    raised = []
    for at in range(0, len(names), _NAMES_AT_ONCE):
        with translated("cloudwatch:DescribeAlarms"):
            answer = client.describe_alarms(AlarmNames=names[at : at + _NAMES_AT_ONCE], StateValue="ALARM")
        raised += answer["MetricAlarms"]
    for one in raised:
        yield failed(
            "alarms",
            f"{logical.get(one['AlarmName'], one['AlarmName'])} is raised: {one.get('AlarmDescription', '')}",
            "docs/reference/metrics-and-alarms.md says what it means, and what to do.",
        )
    if not raised:
        yield fine("alarms", f"none of {len(names)} is raised")


def people(found: Deployed) -> Iterator[Line]:
    """Whether anybody has subscribed to the topic, and confirmed it."""
    with translated("sns:ListSubscriptionsByTopic"):
        told = found.client("sns").list_subscriptions_by_topic(TopicArn=found.names["Topic"])["Subscriptions"]
    pending = [one for one in told if one["SubscriptionArn"] == "PendingConfirmation"]
    for one in pending:
        yield failed(
            "people",
            f"{one['Endpoint']} ({one['Protocol']}) has not confirmed the subscription to the topic",
            "Open the mail from AWS Notifications and confirm it; after three days subscribe again.",
        )
    if len(told) > len(pending):
        yield fine("people", f"{len(told) - len(pending)} subscription(s) to the topic are confirmed")
    elif not pending:
        yield warning(
            "people",
            "nobody has subscribed to the topic: neither tickets nor alarms reach anybody by it",
            "Deploy with the parameter NotificationEmail, or subscribe a chat channel to the topic.",
        )


def writes(
    found: Deployed, resources: Sequence[StackResource], parameters: Mapping[str, str]
) -> Iterator[Line]:
    """Whether writes are stopped, and what the ceiling is."""
    yield fine("writes", f"the ceiling is {parameters.get('ModeCeiling', 'unknown')}")
    table = next((one.physical for one in resources if one.logical == "StateTable"), "")
    if not table:
        return
    try:
        stop = DynamoState(found.client("dynamodb"), table).stop()
    except StoppedError as error:
        yield failed(
            "writes", str(error), "Nothing is written while the STOP row cannot be read; look at the table."
        )
        return
    if stop is not None:
        yield warning(
            "writes",
            f"stopped by {stop.by}: {stop.reason}",
            "`warden resume --reason ...` ends it, when it may end.",
        )
