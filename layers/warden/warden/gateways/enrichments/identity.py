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
    return reads.once(("identities",), lambda: _policies(reads))


def _policies(reads: Reads) -> list[dict[str, Any]]:
    """Page by page, since an account may have thousands of roles: inline policies by kind, then managed ones."""
    inline: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _INLINE}
    managed: list[dict[str, Any]] = []
    holders: dict[str, list[str]] = {}
    for page in _pages(reads):
        for kind, member in _INLINE.items():
            for entity in page.get(kind, []):
                found = (_inline(entity, policy) for policy in entity.get(member, []))
                inline[kind] += filter(_matters, found)
                for attached in entity.get("AttachedManagedPolicies", []):
                    holders.setdefault(attached["PolicyArn"], []).append(entity["Arn"])
        found = ({"Name": policy["Arn"], "Document": _current(policy)} for policy in page.get("Policies", []))
        managed += filter(_matters, found)
    return [
        *(policy for of_kind in inline.values() for policy in of_kind),
        *(
            {**policy, "Holders": sorted(holders[policy["Name"]])}
            for policy in managed
            if policy["Name"] in holders
        ),
    ]


def _pages(reads: Reads) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        answer = reads.api.call("GetAccountAuthorizationDetails", MaxItems=_PAGE, **more)
        yield answer
        if not answer.get("IsTruncated"):
            return
        more = {"Marker": answer["Marker"]}


def _inline(entity: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": f"{policy['PolicyName']} of {_short(entity['Arn'])}",
        "PolicyName": policy["PolicyName"],
        "Document": policy["PolicyDocument"],
        "Holders": [entity["Arn"]],
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
