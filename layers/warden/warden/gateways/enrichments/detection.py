"""What log groups and the account are joined with: databases, subscriptions, trails, detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.errors import MissingFactError, RefusedError
from warden.core.kinds import KINDS, Need
from warden.core.log_groups import source
from warden.core.resource import Facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads


def _log_database(reads: Reads, resource: Resource) -> Facts:
    """One call for each log group, or the shared lists of clusters and instances."""
    found = source(resource.facts["logGroupName"])
    if found is None:
        raise MissingFactError(Need.LOG_DATABASE, f"{resource.ref.id} is no log group of RDS")
    kind = KINDS[found.resource_type]
    if reads.bulk:
        items = reads.by(kind.describe, kind.identifier).get(found.database, [])
    else:
        items = reads.api.every(kind.describe, **{kind.identifier: found.database})
    if not items:
        raise MissingFactError(Need.LOG_DATABASE, f"there is no {kind.name} {found.database}")
    return Facts({**kind.omitted, **items[0]})


def _subscription_filters(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each log group: AWS has no list over all of them."""
    return reads.api.every("DescribeSubscriptionFilters", logGroupName=resource.facts["logGroupName"])


def _subscription_policies(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The list: at most one in each account and Region."""
    del resource
    return list(reads.whole("DescribeAccountPolicies", policyType="SUBSCRIPTION_FILTER_POLICY"))


def _event_subscriptions(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """The list: twenty at most, unless the quota was raised."""
    del resource
    return list(reads.whole("DescribeEventSubscriptions"))


def _trails(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for the list, and two for each trail.

    A trail of the organization, or of another account, may refuse to tell its status or selectors to this one:
    the trail then says why, under `Unknown`.
    """
    del resource
    found = []
    for trail in reads.api.call("DescribeTrails", includeShadowTrails=True).get("trailList", []):
        more: dict[str, Any] = {}
        try:
            status = reads.api.call("GetTrailStatus", Name=trail["TrailARN"])
            selectors = reads.api.call("GetEventSelectors", TrailName=trail["TrailARN"])
        except RefusedError as error:
            more["Unknown"] = str(error)
        else:
            more = {
                "IsLogging": status["IsLogging"],
                "EventSelectors": selectors.get("EventSelectors") or [],
                "AdvancedEventSelectors": selectors.get("AdvancedEventSelectors") or [],
            }
        found.append({**trail, **more})
    return found


def _detectors(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for the list, and one for each detector; there is one at most in each Region."""
    del resource
    return [
        {
            "DetectorId": detector,
            **{
                name: value
                for name, value in reads.api.call("GetDetector", DetectorId=detector).items()
                if name in {"Status", "Features"}
            },
        }
        for detector in reads.api.call("ListDetectors").get("DetectorIds", [])
    ]


def _guardduty_administrator(reads: Reads, resource: Resource) -> str | None:
    """One call; "success (HTTP 200) but no content" where there is none. Needs the detectors."""
    for detector in resource.facts[Need.DETECTORS]:
        answer = reads.api.call("GetAdministratorAccount", DetectorId=detector["DetectorId"])
        account = (answer.get("Administrator") or {}).get("AccountId")
        if account and account != resource.ref.account:
            return str(account)
    return None


ANSWERS: Mapping[Need, Answer] = {
    Need.LOG_DATABASE: _log_database,
    Need.SUBSCRIPTION_FILTERS: _subscription_filters,
    Need.SUBSCRIPTION_POLICIES: _subscription_policies,
    Need.EVENT_SUBSCRIPTIONS: _event_subscriptions,
    Need.TRAILS: _trails,
    Need.DETECTORS: _detectors,
    Need.GUARDDUTY_ADMINISTRATOR: _guardduty_administrator,
}
