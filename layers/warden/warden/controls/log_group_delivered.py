"""The log of a database is delivered, whole, to where it is watched.

Why it matters
--------------
A log group is a store that somebody must look into. A subscription filter passes each line on within seconds
to the organization's SIEM, in an account where the database's administrators, and an intruder with their
rights, can neither read nor delete. Nothing tells when the filter of one group is missing or was removed.

A filter delivers what matches its pattern, so only one without a pattern delivers the whole log. A filter
that the account has for all log groups counts, unless it leaves this one out. The policy may name the
destinations that count; without any, each will do. Groups of logs that are no longer exported get nothing to
deliver, and are not judged.

Remediation safety
------------------
Safe, because Warden writes nothing: a filter needs a destination and a role that only those who run the SIEM
know. A log group takes two filters of its own and one of the account. A ticket says what to do.

References
----------
- Amazon CloudWatch Logs API Reference, PutSubscriptionFilter
- Amazon CloudWatch Logs API Reference, PutAccountPolicy: selectionCriteria
- Amazon CloudWatch Logs User Guide, "Real-time processing of log data with subscriptions"
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from warden.core import frameworks, guidance, log_groups
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
    insufficient_data,
    non_compliant,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Resource

# "the only supported selectionCriteria filter is LogGroupName NOT IN []" (PutAccountPolicy).
_LEFT_OUT = re.compile(r"\s*LogGroupName\s+NOT\s+IN\s+(\[.*\])\s*", re.DOTALL)


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Look for a filter without a pattern, of the group's own or of the account's."""
    if not log_groups.is_fed(resource):
        return not_applicable(f"{resource.ref.id} gets nothing: its database does not export this log.")
    partial = []
    for name, pattern, destination in _filters(resource):
        if settings["destinations"] and destination not in settings["destinations"]:
            continue
        if not pattern:
            return compliant(f"{resource.ref.id} is delivered to {destination} by {name}.")
        partial.append(f"{name} delivers to {destination} only what matches {pattern!r}")
    policies = resource.facts[Need.SUBSCRIPTION_POLICIES]
    for policy in policies:
        covers = _covers(policy, resource.facts["logGroupName"])
        if covers is None:
            return insufficient_data(
                f"{resource.ref.id}: Warden cannot read which log groups the account's policy {policy['policyName']} "
                "leaves out."
            )
        document = json.loads(policy["policyDocument"])
        destination = document["DestinationArn"]
        if not covers or (settings["destinations"] and destination not in settings["destinations"]):
            continue
        if not document.get("FilterPattern"):
            return compliant(
                f"{resource.ref.id} is delivered to {destination} by the account's policy {policy['policyName']}."
            )
        partial.append(f"the account's policy {policy['policyName']} delivers only what matches a pattern")
    what = "; ".join(partial) or "it has no subscription filter" + (
        " to a destination that the policy names" if settings["destinations"] else ""
    )
    return non_compliant(f"{resource.ref.id} is not delivered whole: {what}.")


def _filters(resource: Resource) -> Iterator[tuple[str, str, str]]:
    """Name, pattern and destination of each filter of the group's own; a criterion over fields is a pattern, too."""
    for item in resource.facts[Need.SUBSCRIPTION_FILTERS]:
        pattern = (item.get("filterPattern") or "").strip() or item.get("fieldSelectionCriteria") or ""
        yield item["filterName"], pattern, item["destinationArn"]


def _covers(policy: Mapping[str, Any], name: str) -> bool | None:
    """Whether a policy of the account delivers a log group; None where its criteria are of a kind unknown."""
    criteria = policy.get("selectionCriteria") or ""
    if not criteria.strip():
        return True
    match = _LEFT_OUT.fullmatch(criteria)
    if match is None:
        return None
    try:
        return name not in json.loads(match[1].replace("'", '"'))
    except ValueError:
        return None


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Say how to put a filter."""
    destination = settings["destinations"][0] if settings["destinations"] else "DESTINATION-ARN"
    return Manual(
        "Put a subscription filter without a pattern on it, or one for all log groups of the account; a log group "
        "takes two of its own. A destination in this account also needs a role that CloudWatch Logs may take.",
        (
            guidance.command(
                resource,
                "put-subscription-filter",
                {
                    "log-group-name": resource.facts["logGroupName"],
                    "filter-name": "siem",
                    "filter-pattern": "",
                    "destination-arn": destination,
                },
                service="logs",
            ),
        ),
    )


_SIEM = "arn:aws:logs:eu-west-1:210987654321:destination:siem"
_METRICS = "arn:aws:lambda:eu-west-1:123456789012:function:count-errors"


def _filter(destination: str = _SIEM, **other: Any) -> dict[str, Any]:
    """A subscription filter, for the examples."""
    return {"filterName": "siem", "filterPattern": "", "destinationArn": destination, **other}


def _policy(*left_out: str, pattern: str = "", criteria: str = "") -> dict[str, Any]:
    """A policy of the account, for the examples."""
    document = {"DestinationArn": _SIEM, "FilterPattern": pattern, "Distribution": "Random"}
    names = f"LogGroupName NOT IN {json.dumps(left_out)}" if left_out else criteria
    return {"policyName": "siem", "policyDocument": json.dumps(document), "selectionCriteria": names}


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Logs of databases are delivered whole by a subscription filter",
    resource_type=ResourceType.LOG_GROUP,
    severity=Severity.MEDIUM,
    frameworks=frameworks.LOGGING,
    needs=(Need.LOG_DATABASE, Need.SUBSCRIPTION_FILTERS, Need.SUBSCRIPTION_POLICIES),
    settings=(
        Setting(
            name="destinations",
            default=[],
            doc="The ARNs of the destinations that count, such as the SIEM's. Empty: any destination will do.",
            pattern=r"arn:aws[a-z-]*:[a-z0-9-]+:[^\s]+",
        ),
    ),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.SAFE),
    fix="""\
Put a subscription filter on the log group, without a pattern:

    aws logs put-subscription-filter --log-group-name {id} --filter-name siem --filter-pattern '' \\
        --destination-arn DESTINATION-ARN --region {region}

A destination in the same account takes `--role-arn` as well.

Make it last: CloudFormation `FilterPattern: ""` of `AWS::Logs::SubscriptionFilter`; Terraform `filter_pattern = ""` of
`aws_cloudwatch_log_subscription_filter`.
""",
    examples=(
        Example(
            name="delivered by a filter without a pattern",
            facts={"SubscriptionFilters": [_filter()]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="no filter",
            facts={"SubscriptionFilters": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a filter passes on errors alone",
            facts={"SubscriptionFilters": [_filter(filterPattern="ERROR")]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a filter with a criterion over fields passes on a part alone",
            facts={"SubscriptionFilters": [_filter(fieldSelectionCriteria='@aws.region = "eu-west-1"')]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="delivered to another destination than the policy names",
            facts={"SubscriptionFilters": [_filter(_METRICS)]},
            settings={"destinations": [_SIEM]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the second of two filters goes where the policy says",
            facts={"SubscriptionFilters": [_filter(_METRICS, filterPattern="ERROR"), _filter()]},
            settings={"destinations": [_SIEM]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="delivered by a filter for all log groups of the account",
            facts={"SubscriptionFilters": [], "SubscriptionPolicies": [_policy("/aws/lambda/forwarder")]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the account's filter leaves this log group out",
            facts={
                "SubscriptionFilters": [],
                "SubscriptionPolicies": [_policy("/aws/rds/cluster/orders/postgresql")],
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the account's filter passes on a part alone",
            facts={"SubscriptionFilters": [], "SubscriptionPolicies": [_policy(pattern="ERROR")]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the account's filter has criteria of a new kind",
            facts={
                "SubscriptionFilters": [],
                "SubscriptionPolicies": [_policy(criteria="LogGroupNamePrefix IN ['/aws/rds']")],
            },
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a log that is no longer exported",
            facts={
                "LogDatabase": {"DBClusterIdentifier": "orders", "EnabledCloudwatchLogsExports": []},
                "SubscriptionFilters": [],
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the filters could not be read",
            facts={},
            missing=("SubscriptionFilters",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
