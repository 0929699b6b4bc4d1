"""RDS tells somebody what happens to databases: subscriptions cover every event that the policy names.

Why it matters
--------------
RDS announces failures, failovers, maintenance and a storage that runs full, to whoever subscribed, and to
nobody else. Security Hub's RDS.19 to RDS.21 pass an account without any subscription, and fail one that asks
for more than they list.

Here all subscriptions of the account and Region count together. One counts if it is enabled and active, since
RDS also keeps those whose topic is gone, and if it names no single databases, since the next one would be
missing. One without a source type is about everything, one without categories about all of its type.

Remediation safety
------------------
Safe. Warden adds a subscription for what lacks, to the SNS topic of this account that the policy names, and
changes none that there is. Notifications by e-mail cost 2 USD for each hundred thousand, those to queues and
functions nothing. Where a subscription of that name exists and does not suffice, a person looks why.

References
----------
- Amazon RDS API Reference, CreateEventSubscription
- Amazon RDS API Reference, EventSubscription: Status, SourceType, SourceIdsList, EventCategoriesList
- Amazon Aurora User Guide, "Amazon RDS event categories and event messages for Aurora"
- AWS Security Hub CSPM, controls RDS.19, RDS.20 and RDS.21
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, topics
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Setting,
    Severity,
    Verdict,
    compliant,
    non_compliant,
)
from warden.core.guard import NonEmptyListOf, Only, Permit
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Resource

# RDS and Aurora User Guides, "Amazon RDS event categories and event messages"; CreateEventSubscription: SourceType.
_REQUIRED = {
    "db-cluster": ["failover", "failure", "maintenance", "notification"],
    "db-instance": [
        "availability",
        "configuration change",
        "failover",
        "failure",
        "low storage",
        "maintenance",
    ],
    "db-parameter-group": ["configuration change"],
}
CATEGORIES = (
    *("availability", "backtrack", "backup", "configuration change", "creation", "deletion", "failover"),
    *(
        "failure",
        "global-failover",
        "low storage",
        "maintenance",
        "migration",
        "notification",
        "read replica",
    ),
    *("recovery", "restoration", "security", "security patching", "serverless"),
)


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Take all subscriptions that count together, and name what lacks for each type of source."""
    lacking = _lacking(resource, settings)
    if not lacking:
        return compliant(
            f"{resource.ref.id} is told of every event that the policy names, in {resource.home}."
        )
    missing = "; ".join(f"of {source}: {', '.join(names)}" for source, names in lacking.items())
    ignored = [
        f"{item['CustSubscriptionId']} ({why})"
        for item in resource.facts[Need.EVENT_SUBSCRIPTIONS]
        if (why := _why_not(item))
    ]
    rest = f"; what does not count: {', '.join(ignored)}" if ignored else ""
    return non_compliant(
        f"{resource.ref.id} is told nothing, in {resource.home}, of these events {missing}{rest}."
    )


def _lacking(resource: Resource, settings: Mapping[str, Any]) -> dict[str, list[str]]:
    counting = [item for item in resource.facts[Need.EVENT_SUBSCRIPTIONS] if not _why_not(item)]
    found: dict[str, list[str]] = {}
    for source, required in settings["required"].items():
        told: set[str] = set()
        for item in counting:
            if item.get("SourceType") in {None, "", source}:
                told |= set(item.get("EventCategoriesList") or required)
        if absent := [name for name in required if name not in told]:
            found[source] = absent
    return found


def _why_not(item: Mapping[str, Any]) -> str:
    """Why a subscription does not count; empty where it does."""
    if not item["Enabled"]:
        return "disabled"
    if item["Status"] not in {"active", "modifying", "creating"}:
        return str(item["Status"])
    return "for some sources alone" if item.get("SourceIdsList") else ""


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual:
    """Subscribe the policy's topic to what lacks, one subscription for each type of source."""
    lacking = _lacking(resource, settings)
    names = {item["CustSubscriptionId"] for item in resource.facts[Need.EVENT_SUBSCRIPTIONS]}
    topic = topics.arn(resource, settings["topic"]) if settings["topic"] else ""
    if not topic:
        return Manual(
            "The policy names no SNS topic for RDS's events: make one, name it under topic, or subscribe one by hand.",
            tuple(_subscribe(resource, "TOPIC-ARN", source, absent) for source, absent in lacking.items()),
        )
    if taken := [source for source in lacking if subscription_name(source) in names]:
        return Manual(
            "Warden's own subscription exists and does not suffice: it was disabled or narrowed, or its topic is gone. "
            "Look why, and put it right.",
            tuple(
                guidance.command(
                    resource,
                    "modify-event-subscription",
                    {
                        "subscription-name": subscription_name(source),
                        "sns-topic-arn": topic,
                        "source-type": source,
                        "event-categories": settings["required"][source],
                        "enabled": True,
                    },
                )
                for source in taken
            ),
        )
    return Plan(
        tuple(
            Call(
                "CreateEventSubscription",
                {
                    "SubscriptionName": subscription_name(source),
                    "SnsTopicArn": topic,
                    "SourceType": source,
                    "EventCategories": absent,
                    "Enabled": True,
                },
            )
            for source, absent in lacking.items()
        )
    )


def subscription_name(source: str) -> str:
    """The name of Warden's own subscription to a type of source."""
    return f"warden-{source}"


def _subscribe(resource: Resource, topic: str, source: str, categories: list[str]) -> str:
    return guidance.command(
        resource,
        "create-event-subscription",
        {
            "subscription-name": subscription_name(source),
            "sns-topic-arn": topic,
            "source-type": source,
            "event-categories": categories,
        },
    )


def _subscription(name: str, source: str | None, *categories: str, **other: Any) -> dict[str, Any]:
    """An item of DescribeEventSubscriptions, for the examples."""
    item = {
        "CustSubscriptionId": name,
        "SnsTopicArn": "arn:aws:sns:eu-west-1:123456789012:databases",
        "Status": "active",
        "SourceType": source,
        "EventCategoriesList": list(categories),
        "Enabled": True,
        **other,
    }
    return {key: value for key, value in item.items() if value not in (None, [])}


def _complete() -> Iterator[dict[str, Any]]:
    for source, categories in _REQUIRED.items():
        yield _subscription(source, source, *categories)


_TOPIC = {"topic": "databases"}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Subscriptions to RDS's events cover what happens to databases",
    resource_type=ResourceType.ACCOUNT,
    severity=Severity.LOW,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.19"),
        frameworks.security_hub("RDS.20"),
        frameworks.security_hub("RDS.21"),
        frameworks.prowler("rds_cluster_critical_event_subscription"),
        frameworks.prowler("rds_instance_critical_event_subscription"),
        frameworks.prowler("rds_instance_event_subscription_parameter_groups"),
        frameworks.pci_dss("11.5.2"),
        frameworks.MONITORING,
    ),
    needs=(Need.EVENT_SUBSCRIPTIONS,),
    settings=(
        Setting(
            name="required",
            default=_REQUIRED,
            doc="The categories of events that somebody is told of, for each type of source.",
            choices=CATEGORIES,
        ),
        Setting(
            name="topic",
            default="",
            doc="The name of the SNS topic, of each account and Region, that Warden subscribes to what lacks. Empty: "
            "Warden subscribes nothing.",
            pattern=topics.NAME_OR_NONE,
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=(
            Permit(
                operation="CreateEventSubscription",
                required={
                    "SubscriptionName": Only(tuple(subscription_name(source) for source in _REQUIRED)),
                    "SnsTopicArn": topics.OwnTopic(KINDS[ResourceType.ACCOUNT].arn),
                    "SourceType": Only(tuple(_REQUIRED)),
                    "EventCategories": NonEmptyListOf(members=CATEGORIES),
                    "Enabled": Only((True,)),
                },
            ),
        ),
        safety=Safety.SAFE,
    ),
    fix="""\
Subscribe a topic of the account {id} to what lacks, here to the events of clusters:

    aws rds create-event-subscription --subscription-name databases-clusters --sns-topic-arn TOPIC-ARN \\
        --source-type db-cluster --event-categories failover failure maintenance notification --region {region}

Make it last: CloudFormation `EventCategories: [failover, failure, maintenance, notification]` of
`AWS::RDS::EventSubscription`; Terraform `event_categories` of `aws_db_event_subscription`.
""",
    examples=(
        Example(
            name="one subscription to everything",
            facts={"EventSubscriptions": [_subscription("everything", None)]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a subscription for each type, with what is required",
            facts={"EventSubscriptions": list(_complete())},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="two subscriptions to one type suffice together, and more is no fault",
            facts={
                "EventSubscriptions": [
                    *_complete(),
                    _subscription("backups", "db-cluster", "backup", "failover"),
                ]
            },
            settings={"required": {"db-cluster": ["backup", "failure"]}},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="no subscription, and the policy names a topic",
            facts={"EventSubscriptions": []},
            settings=_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="no subscription, and the policy names no topic",
            facts={"EventSubscriptions": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a category lacks",
            facts={
                "EventSubscriptions": [
                    *list(_complete())[1:],
                    _subscription("clusters", "db-cluster", "failover"),
                ]
            },
            settings=_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the subscription to everything is disabled",
            facts={"EventSubscriptions": [_subscription("everything", None, Enabled=False)]},
            settings=_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the topic of the subscription is gone",
            facts={"EventSubscriptions": [_subscription("everything", None, Status="topic-not-exist")]},
            settings=_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a subscription for one cluster says nothing of the next",
            facts={
                "EventSubscriptions": [
                    *list(_complete())[1:],
                    _subscription("orders", "db-cluster", SourceIdsList=["orders"]),
                ]
            },
            settings=_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="Warden's own subscription was disabled",
            facts={
                "EventSubscriptions": [
                    *list(_complete())[1:],
                    _subscription("warden-db-cluster", "db-cluster", Enabled=False),
                ]
            },
            settings=_TOPIC,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the subscriptions could not be read",
            facts={},
            missing=("EventSubscriptions",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
