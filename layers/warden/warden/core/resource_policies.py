"""The verdict on a policy that stands on a key or a secret: who is let in beside the accounts that are approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant
from warden.core.iam_policy import ANYONE, UnreadablePolicyError, parse
from warden.core.policy_access import Trusted, strangers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.resource import Resource

APPROVED_ORGANIZATIONS = Setting(
    name="approved_organizations",
    default=[],
    doc="The ids of the organizations whose accounts the policies of keys and secrets may let in, as conditions on "
    "aws:PrincipalOrgID name them.",
    pattern=r"o-[a-z0-9]{10,32}",
    shared=True,
)
SETTINGS = (baseline.APPROVED_ACCOUNTS, APPROVED_ORGANIZATIONS)

_TOLD = 5


def trusted(resource: Resource, settings: Mapping[str, Any]) -> Trusted:
    """The resource's own account, and what the policy approves."""
    return Trusted(
        frozenset({resource.ref.account, *settings["approved_accounts"]}),
        frozenset(settings["approved_organizations"]),
    )


def judge(
    resource: Resource, settings: Mapping[str, Any], policy: str, *, others: Iterable[str] = ()
) -> Verdict:
    """The verdict on a policy; `others` say who is let in by something else than the policy."""
    try:
        found = strangers(parse(policy), trusted(resource, settings))
    except UnreadablePolicyError as error:
        return insufficient_data(f"{resource.ref.id} has a policy that cannot be read: {error}.")
    told = [str(stranger) for stranger in sorted(found, key=lambda one: one.who != ANYONE)] + list(others)
    if not told:
        return compliant(f"{resource.ref.id} lets in no account that the policy does not approve.")
    more = f", and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return non_compliant(
        f"{resource.ref.id} can be used by those whom the policy does not approve: "
        f"{', '.join(told[:_TOLD])}{more}."
    )
