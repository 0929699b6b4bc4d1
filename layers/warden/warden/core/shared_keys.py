"""Whether the accounts that a snapshot is shared with can use its key: without it, what they hold is no backup."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warden.core import guidance, scope
from warden.core.control import Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.iam_policy import UnreadablePolicyError, parse
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.policy_access import Answer, may
from warden.core.sharing import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from warden.core.resource import Resource

# What a caller needs of a key (RDS User Guide, "AWS KMS key management"); what else RDS needs, it gives itself by the
# grant that it asks for in the caller's name.
NEEDED = ("kms:CreateGrant", "kms:DescribeKey")
_MET = frozenset({"kms:viaservice", "kms:grantisforawsresource"})
"""Condition keys that calls of RDS in somebody's name meet, as the policies in the guides have them."""


def judge(resource: Resource, approved: Collection[str]) -> Verdict:
    """Whether each approved account that the snapshot is shared with may use the key, by the key's policy."""
    if verdict := scope.outside(resource):
        return verdict
    shared = set(resource.facts[Need.RESTORE_ACCOUNTS]) - {PUBLIC, resource.ref.account}
    partners = sorted(shared & set(approved))
    if not partners:
        # Compliant and not "not applicable": nobody waits for a key in vain.
        return compliant(f"{resource.ref.id} is shared with no approved account that would need its key.")
    if resource.facts["KmsKeyId"] is None:
        return not_applicable(f"{resource.ref.id} is encrypted with no key of KMS, so none is needed.")
    return _judge_policy(resource, partners)


def _judge_policy(resource: Resource, partners: Sequence[str]) -> Verdict:
    try:
        statements = parse(resource.facts[Need.KEY_POLICY])
    except UnreadablePolicyError as error:
        return insufficient_data(f"{resource.ref.id} has a key whose policy cannot be read: {error}.")
    answers = {
        partner: {may(statements, partner, action, granted=_MET) for action in NEEDED} for partner in partners
    }
    if barred := [partner for partner, all_of in answers.items() if Answer.NO in all_of]:
        return non_compliant(
            f"{resource.ref.id} is shared with {', '.join(barred)}, which its key's policy does not let use the key."
        )
    if unclear := [partner for partner, all_of in answers.items() if Answer.UNKNOWN in all_of]:
        return insufficient_data(
            f"{resource.ref.id} is shared with {', '.join(unclear)}, and conditions in its key's policy decide whether "
            "the key can be used there."
        )
    return compliant(f"{resource.ref.id} is shared with {', '.join(partners)}, which can use its key.")


def how(resource: Resource) -> Manual:
    """Tell a person which statement the key's policy lacks."""
    key = resource.facts["KmsKeyId"]
    return Manual(
        "Whoever edits a key policy can lock everybody out, so a person does it: add a statement that lets the account "
        "do kms:Decrypt, kms:ReEncrypt*, kms:GenerateDataKey*, kms:DescribeKey, and kms:CreateGrant for AWS resources. "
        "Then let somebody in that account copy the snapshot with a key of its own, which proves it.",
        (
            guidance.command(
                resource,
                "get-key-policy",
                {"key-id": key, "policy-name": "default", "query": "Policy"},
                service="kms",
            ),
            guidance.command(
                resource,
                "put-key-policy",
                {"key-id": key, "policy-name": "default", "policy": "file://key-policy.json"},
                service="kms",
            ),
        ),
    )


def example_policy(principal: str, *actions: str, **more: Any) -> Mapping[str, str]:
    """A key policy for examples: the account itself, and somebody else with some actions."""
    administration = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    use = {
        "Sid": "Partner",
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": list(actions),
        "Resource": "*",
        **more,
    }
    return {Need.KEY_POLICY: json.dumps({"Version": "2012-10-17", "Statement": [administration, use]})}
