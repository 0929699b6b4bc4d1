"""The approved accounts that a DB snapshot is shared with can use its key, so that they can restore it.

Why it matters
--------------
A backup account keeps backups out of an intruder's reach. Sharing an encrypted snapshot takes two permissions: the
share on the snapshot, and the key's policy. Without the second one the share succeeds and shows everywhere, and
each copy fails; that is found out on the day when it is needed.

Judged are the accounts of `baseline.approved_accounts` that the snapshot is shared with; what a stranger cannot
open is no harm. Each must be allowed kms:CreateGrant and kms:DescribeKey by a statement of the key's policy that no
denial takes back. A condition that cannot be judged from here, such as one on the account's organization, leaves it
open. Whether the policies inside that account allow it as well is theirs to see.

Remediation safety
------------------
Disruptive. And never done by Warden: a mistake in a key policy locks its owner out of the key. A ticket says which
account is missing.

References
----------
- Amazon RDS API Reference, ModifyDBSnapshotAttribute
- AWS KMS API Reference, GetKeyPolicy
- AWS KMS Developer Guide, "Allowing users in other accounts to use a KMS key"
- Amazon RDS User Guide, "Sharing encrypted snapshots"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, frameworks, shared_keys
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.plan import Manual
    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the key's policy by whom the snapshot is shared with."""
    return shared_keys.judge(resource, settings["approved_accounts"])


def plan(resource: Resource, _settings: Mapping[str, Any]) -> Manual:
    """Tell a person which statement is missing."""
    return shared_keys.how(resource)


_PARTNER = {"approved_accounts": ["210987654321"]}
_SHARED: dict[str, Any] = {"RestoreAccounts": ["210987654321"]}
_ROOT = "arn:aws:iam::210987654321:root"
_USE = ("kms:Decrypt", "kms:DescribeKey", "kms:CreateGrant")

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Approved accounts that DB snapshots are shared with can use their keys",
    resource_type=ResourceType.DB_SNAPSHOT,
    severity=Severity.MEDIUM,
    frameworks=frameworks.BACKUP,
    needs=(Need.RESTORE_ACCOUNTS, Need.KEY_POLICY),
    settings=(baseline.APPROVED_ACCOUNTS,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
Find the key of {id} (KmsKeyId), and add a statement to its policy that lets the account use it:

    aws kms get-key-policy --key-id KEY --policy-name default --region {region}
    aws kms put-key-policy --key-id KEY --policy-name default --policy file://key-policy.json --region {region}

Make it last: CloudFormation `KeyPolicy: ...` of `AWS::KMS::Key`; Terraform `policy` of `aws_kms_key`.
""",
    examples=(
        Example(
            name="the backup account may use the key",
            facts={**_SHARED, **shared_keys.example_policy(_ROOT, *_USE)},
            settings=_PARTNER,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the backup account may use the key for RDS",
            facts={
                **_SHARED,
                **shared_keys.example_policy(
                    "210987654321", "kms:*", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}
                ),
            },
            settings=_PARTNER,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="the key's policy knows its own account alone",
            facts=_SHARED,
            settings=_PARTNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="the backup account may decrypt, and RDS gets no grant",
            facts={**_SHARED, **shared_keys.example_policy(_ROOT, "kms:Decrypt", "kms:DescribeKey")},
            settings=_PARTNER,
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a condition that cannot be judged from here",
            facts={
                **_SHARED,
                **shared_keys.example_policy(
                    "*", *_USE, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
                ),
            },
            settings=_PARTNER,
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="shared with nobody",
            facts={"RestoreAccounts": []},
            settings=_PARTNER,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a stranger without the key is another condition",
            facts={"RestoreAccounts": ["666666666666"]},
            settings=_PARTNER,
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an unencrypted one needs no key",
            facts={**_SHARED, "KmsKeyId": None, "KeyPolicy": None},
            settings=_PARTNER,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a key policy that cannot be read",
            facts={**_SHARED, "KeyPolicy": "[]"},
            settings=_PARTNER,
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="another product's snapshot",
            facts={**_SHARED, "Engine": "docdb"},
            settings=_PARTNER,
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the key's policy could not be read",
            facts=_SHARED,
            settings=_PARTNER,
            missing=("KeyPolicy",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
