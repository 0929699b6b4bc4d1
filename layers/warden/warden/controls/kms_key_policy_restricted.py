"""A key that databases use can be used by approved accounts alone: neither its policy nor a grant lets others in.

Why it matters
--------------
A snapshot that has been shared, or copied out, is worth nothing without its key. The key's policy is what stands
between a stranger and the data, and a grant passes it by: a grant is permission too, and shows in no policy.

Judged is each statement that allows something. Its principals are read in every form: `"*"`, `{"AWS": "*"}`, lists,
accounts, ARNs, `NotPrincipal`. Somebody is kept out by a condition only if its values are fixed, without wildcards
and variables, and compare the caller's account, organization or ARN (such as aws:PrincipalAccount,
kms:CallerAccount, aws:PrincipalOrgID), and by a denial of everybody else; an address, a VPC or kms:ViaService keeps
no account out. Services of AWS are no strangers. Grants to services are not judged.

Remediation safety
------------------
Disruptive. And never done by Warden: a mistake in a key policy locks its owner out of the key, and so out of the
databases. A ticket names the statements and the grants.

References
----------
- AWS KMS API Reference, GetKeyPolicy
- AWS KMS API Reference, ListGrants: GranteePrincipal
- AWS KMS Developer Guide, "Key policies in AWS KMS"
- IAM User Guide, "AWS JSON policy elements: Principal"
- AWS Security Hub CSPM, control KMS.5
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warden.core import database_keys, frameworks, guidance, resource_policies
from warden.core.control import (
    ComplianceType,
    Control,
    Example,
    Remediation,
    Safety,
    Severity,
    Verdict,
    not_applicable,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.policy_access import account_of
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the policy and the grants together: one verdict on who is let in."""
    if verdict := database_keys.outside(resource):
        return verdict
    if resource.facts["KeyState"] is None:
        return not_applicable(f"{resource.ref.id} does not exist any more, which kms_key_usable judges.")
    grants = [
        f"the grant {grant['GrantId']} lets in {grant['GranteePrincipal']}"
        for grant in _grants_to_strangers(resource, settings)
    ]
    return resource_policies.judge(resource, settings, resource.facts[Need.KEY_POLICY], others=grants)


def _grants_to_strangers(resource: Resource, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    trusted = resource_policies.trusted(resource, settings)
    return [
        grant
        for grant in resource.facts[Need.KEY_GRANTS]
        # A principal that was deleted leaves an id of its own, which is nobody.
        if (who := account_of(grant["GranteePrincipal"])) and not trusted.holds(who)
    ]


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person what to look at; grants can be revoked one by one."""
    arn = resource.facts["Arn"]
    return Manual(
        "Whoever edits a key policy can lock everybody out, so a person does it. Find out whom each of these is for, "
        "add the account to baseline.approved_accounts or take the statement or the grant away, and keep a statement "
        "that lets this account's administrators in.",
        (
            guidance.command(
                resource,
                "get-key-policy",
                {"key-id": arn, "policy-name": "default", "query": "Policy"},
                service="kms",
            ),
            guidance.command(
                resource,
                "put-key-policy",
                {"key-id": arn, "policy-name": "default", "policy": "file://key-policy.json"},
                service="kms",
            ),
            *(
                guidance.command(
                    resource, "revoke-grant", {"key-id": arn, "grant-id": grant["GrantId"]}, service="kms"
                )
                for grant in _grants_to_strangers(resource, settings)
            ),
        ),
    )


def _policy(principal: Any, **more: Any) -> dict[str, str]:
    """A key policy for the examples: the account itself, and one more statement."""
    administration = {
        "Sid": "Administration",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    use = {
        "Sid": "Use",
        "Effect": "Allow",
        "Principal": principal,
        "Action": ["kms:Decrypt", "kms:CreateGrant", "kms:DescribeKey"],
        "Resource": "*",
        **more,
    }
    return {"KeyPolicy": json.dumps({"Version": "2012-10-17", "Statement": [administration, use]})}


def _grant(principal: str) -> dict[str, Any]:
    return {
        "KeyGrants": [
            {
                "GrantId": "1ea8e6c7d4d49ecf7e4461c792f6a5651dc3ad3c1f0e2f8c6f7c4d4d1d5e9a55",
                "GranteePrincipal": principal,
                "Operations": ["Decrypt", "CreateGrant"],
            }
        ]
    }


_PARTNER = {"approved_accounts": ["210987654321"]}
_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="KMS keys that databases use can be used by approved accounts alone",
    resource_type=ResourceType.KMS_KEY,
    severity=Severity.CRITICAL,
    frameworks=frameworks.mapping(
        frameworks.security_hub("KMS.5"),
        frameworks.config("kms-key-policy-no-public-access"),
        frameworks.prowler("kms_key_not_publicly_accessible"),
        frameworks.SHARING,
    ),
    needs=(Need.KEY_USERS, Need.KEY_POLICY, Need.KEY_GRANTS),
    settings=resource_policies.SETTINGS,
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Read the policy and the grants, take out who should not be there, and write the policy back; keep a statement that lets
this account's administrators in, or nobody can change the key again:

    aws kms get-key-policy --key-id {id} --policy-name default --region {region}
    aws kms list-grants --key-id {id} --region {region}
    aws kms put-key-policy --key-id {id} --policy-name default --policy file://key-policy.json --region {region}
    aws kms revoke-grant --key-id {id} --grant-id GRANT --region {region}

Make it last: CloudFormation `KeyPolicy: ...` of `AWS::KMS::Key`; Terraform `policy` of `aws_kms_key`. Deny
`kms:PutKeyPolicy` and `kms:CreateGrant` without `kms:GrantIsForAWSResource` with a service control policy.
""",
    examples=(
        Example(
            name="its own account alone",
            facts=_policy({"AWS": ["arn:aws:iam::123456789012:role/Databases"]}),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a service of AWS",
            facts=_policy({"Service": "rds.amazonaws.com"}),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an approved account",
            facts=_policy({"AWS": "arn:aws:iam::210987654321:root"}),
            settings=_PARTNER,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an account that nobody approved",
            facts=_policy({"AWS": "arn:aws:iam::210987654321:root"}),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(name="everybody", facts=_policy("*"), expect=ComplianceType.NON_COMPLIANT),
        Example(
            name="everybody, in a list",
            facts=_policy({"AWS": ["arn:aws:iam::123456789012:root", "*"]}),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="everybody of this account",
            facts=_policy("*", Condition={"StringEquals": {"kms:CallerAccount": "123456789012"}}),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="everybody through RDS, of any account",
            facts=_policy("*", Condition={"StringEquals": {"kms:ViaService": "rds.eu-west-1.amazonaws.com"}}),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an approved organization",
            facts=_policy({"AWS": "*"}, Condition=_ORGANIZATION),
            settings={"approved_organizations": ["o-a1b2c3d4e5"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an organization that nobody approved",
            facts=_policy({"AWS": "*"}, Condition=_ORGANIZATION),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="accounts by a wildcard",
            facts=_policy("*", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Backup"}}),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a grant to a role of this account",
            facts=_grant("arn:aws:iam::123456789012:role/Export"),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a grant to another account",
            facts=_grant("arn:aws:iam::666666666666:root"),
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a grant to a role that was deleted",
            facts=_grant("AROAEXAMPLEEXAMPLE12"),
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a policy that cannot be read",
            facts={"KeyPolicy": '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}'},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="nothing uses it",
            facts={**_policy("*"), "KeyUsers": {"Count": 0, "Some": []}},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a key of AWS's own",
            facts={"KeyManager": "AWS", **_policy("*")},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a key that is gone",
            facts={"KeyState": None, "KeyPolicy": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="its policy could not be read",
            facts={},
            missing=("KeyPolicy",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
