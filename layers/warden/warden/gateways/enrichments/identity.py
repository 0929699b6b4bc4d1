"""What the identities of the account may do, from IAM: one list, of up to a thousand entities a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.connect_rights import speaks_of_connecting
from warden.core.iam_policy import UnreadablePolicyError
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.reads import Reads

_PAGE = 1000
_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_INLINE = {
    "UserDetailList": "UserPolicyList",
    "GroupDetailList": "GroupPolicyList",
    "RoleDetailList": "RolePolicyList",
}


def _identity_policies(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """Policies that let somebody log in to a database, and those that nobody can read.

    Kept are the policies that somebody has: one that serves as a permissions boundary alone grants nothing.
    """
    del resource
    details = reads.once(("identities",), lambda: _details(reads))
    return [policy for policy in _policies(details) if _matters(policy)]


def _details(reads: Reads) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _LISTS}
    more: dict[str, str] = {}
    while True:
        answer = reads.api.call("GetAccountAuthorizationDetails", MaxItems=_PAGE, **more)
        for name in _LISTS:
            found[name] += answer.get(name, [])
        if not answer.get("IsTruncated"):
            return found
        more = {"Marker": answer["Marker"]}


def _policies(details: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    holders: dict[str, list[str]] = {}
    for kind, inline in _INLINE.items():
        for entity in details[kind]:
            for policy in entity.get(inline, []):
                yield {
                    "Name": f"{policy['PolicyName']} of {_short(entity['Arn'])}",
                    "PolicyName": policy["PolicyName"],
                    "Document": policy["PolicyDocument"],
                    "Holders": [entity["Arn"]],
                }
            for attached in entity.get("AttachedManagedPolicies", []):
                holders.setdefault(attached["PolicyArn"], []).append(entity["Arn"])
    for managed in details["Policies"]:
        if managed["Arn"] in holders:
            yield {
                "Name": managed["Arn"],
                "Document": _current(managed),
                "Holders": sorted(holders[managed["Arn"]]),
            }


def _current(managed: Mapping[str, Any]) -> Any:
    versions = managed["PolicyVersionList"]
    return next(version["Document"] for version in versions if version["IsDefaultVersion"])


def _short(arn: str) -> str:
    """`role/deploy` of arn:aws:iam::123456789012:role/deploy."""
    return arn.rpartition(":")[2]


def _matters(policy: Mapping[str, Any]) -> bool:
    try:
        return speaks_of_connecting(policy["Document"])
    except UnreadablePolicyError:
        # Whoever judges it says so: what cannot be read is no pass.
        return True


ANSWERS: Mapping[Need, Answer] = {Need.IDENTITY_POLICIES: _identity_policies}
