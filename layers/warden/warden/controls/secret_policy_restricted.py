"""A secret with credentials of a database can be read by approved accounts alone, as far as its policy says.

Why it matters
--------------
Whoever reads the secret logs in. A policy on the secret lets other accounts in without any trace in this account's
IAM, and one `"*"` lets everybody in.

Judged is each statement that allows something, as `kms_key_policy_restricted` does it: a condition keeps strangers
out only if its values are fixed and compare the caller's account, organization or ARN. A secret without a policy is
read by identities of its own account alone.

Remediation safety
------------------
Disruptive. And never done by Warden: whoever is let in reads a password from there, and loses it. A ticket names
the statements. PutResourcePolicy with BlockPublicPolicy refuses a policy that lets everybody in.

References
----------
- AWS Secrets Manager API Reference, GetResourcePolicy
- AWS Secrets Manager API Reference, PutResourcePolicy: BlockPublicPolicy
- AWS Secrets Manager User Guide, "Resource-based policies"
- IAM User Guide, "AWS JSON policy elements: Principal"
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.core import database_secrets, frameworks, guidance, resource_policies
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    compliant,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge whom the secret's policy lets in."""
    if verdict := database_secrets.outside(resource, settings):
        return verdict
    policy = resource.facts[Need.SECRET_POLICY]
    if policy is None:
        return compliant(f"{resource.ref.id} has no policy, so no other account is let in.")
    return resource_policies.judge(resource, settings, policy)


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Tell a person how to narrow it."""
    arn = resource.facts["ARN"]
    return Manual(
        "Find out whom each statement is for, and add the account to baseline.approved_accounts or take the statement "
        "away. If the password may have been read by a stranger, rotate the secret afterwards.",
        (
            guidance.command(resource, "get-resource-policy", {"secret-id": arn}, service="secretsmanager"),
            guidance.command(
                resource,
                "put-resource-policy",
                {
                    "secret-id": arn,
                    "resource-policy": "file://secret-policy.json",
                    "block-public-policy": True,
                },
                service="secretsmanager",
            ),
        ),
    )


def _policy(principal: Any, **more: Any) -> dict[str, str]:
    statement = {
        "Sid": "Read",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        **more,
    }
    return {"SecretPolicy": json.dumps({"Version": "2012-10-17", "Statement": statement})}


_FENCE = {
    "Sid": "Fence",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "secretsmanager:*",
    "Resource": "*",
    "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
}
_EVERYBODY = {
    "Sid": "Read",
    "Effect": "Allow",
    "Principal": "*",
    "Action": "secretsmanager:GetSecretValue",
    "Resource": "*",
}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Secrets with credentials of databases let in approved accounts alone",
    resource_type=ResourceType.SECRET,
    severity=Severity.CRITICAL,
    frameworks=frameworks.mapping(
        frameworks.prowler("secretsmanager_not_publicly_accessible"),
        frameworks.prowler("secretsmanager_has_restrictive_resource_policy"),
        frameworks.SHARING,
    ),
    needs=(Need.SECRET_POLICY,),
    settings=(*database_secrets.SETTINGS, *resource_policies.SETTINGS),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Read the policy of {id}, take out who should not be there, and write it back; if a stranger may have read the password,
rotate it:

    aws secretsmanager get-resource-policy --secret-id '{arn}' --region {region}
    aws secretsmanager put-resource-policy --secret-id '{arn}' --resource-policy file://secret-policy.json \\
        --block-public-policy --region {region}

Make it last: CloudFormation `BlockPublicPolicy: true` of `AWS::SecretsManager::ResourcePolicy`; Terraform
`block_public_policy = true` of `aws_secretsmanager_secret_policy`.
""",
    examples=(
        Example(name="no policy", facts={"SecretPolicy": None}, expect=ComplianceType.COMPLIANT),
        Example(
            name="a role of its own account",
            facts=_policy({"AWS": "arn:aws:iam::123456789012:role/Orders"}),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an approved account",
            facts=_policy({"AWS": "arn:aws:iam::210987654321:root"}),
            settings={"approved_accounts": ["210987654321"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="everybody, behind a fence around the organization",
            facts={"SecretPolicy": json.dumps({"Statement": [_EVERYBODY, _FENCE]})},
            settings={"approved_organizations": ["o-a1b2c3d4e5"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(name="everybody", facts=_policy("*"), expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="everybody from an address",
            facts=_policy({"AWS": "*"}, Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an account that nobody approved",
            facts=_policy({"AWS": "666666666666"}),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a policy that cannot be read",
            facts={"SecretPolicy": "{"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a secret of something else",
            facts={"Name": "partner/token", "OwningService": None, **_policy("*")},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a secret of something else that a prefix names",
            facts={"Name": "prod/db/orders", "OwningService": None, **_policy("*")},
            settings={"secret_name_prefixes": ["prod/db/"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="scheduled for deletion",
            facts={"DeletedDate": datetime(2026, 11, 20, tzinfo=UTC), **_policy("*")},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="its policy could not be read",
            facts={},
            missing=("SecretPolicy",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
