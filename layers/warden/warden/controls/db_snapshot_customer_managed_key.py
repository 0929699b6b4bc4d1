"""A manual snapshot of an instance is encrypted with a customer managed key that is allowed.

Why it matters
--------------
A snapshot under a key that AWS owns or manages can be shared with nobody, so it can never reach the
account that is to keep backups out of an intruder's reach. With a customer managed key it can, and the
key's policy says who may restore it.

Only manual snapshots are judged. Whether there is encryption is another condition,
`db_snapshot_encrypted`.

Remediation safety
------------------
Costs. And left to a person: a copy under another key is a full one, at 0.095 USD in us-east-1 for each GB
that is kept for a month. A ticket carries the commands. The original is never deleted by any of them.

References
----------
- Amazon RDS API Reference, DBSnapshot: StorageEncryptionType, KmsKeyId
- Amazon RDS API Reference, CopyDBSnapshot: KmsKeyId
- AWS KMS API Reference, DescribeKey: KeyManager
- Amazon RDS User Guide, "Sharing encrypted snapshots"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, customer_keys, encryption, frameworks, rekeying, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the key of snapshots that were made by hand."""
    return (
        scope.outside(resource)
        or encryption.not_manual(resource)
        or customer_keys.judge_storage(resource, settings, "Encrypted")
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person how to copy it with the key."""
    return Manual(
        "The key of a snapshot cannot be changed. Make one with the key, and delete this one when nobody needs it.",
        rekeying.snapshot_of_instance(resource, customer_keys.preferred(settings)),
    )


_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d"
_OF_AWS = {"Arn": _KEY, "AWSAccountId": "123456789012", "KeyManager": "AWS"}
_OF_ANOTHER_ACCOUNT = {
    "Arn": "arn:aws:kms:eu-west-1:210987654321:key/1c7a2b3d-4e5f-4a6b-8c9d-0e1f2a3b4c5d",
    "AWSAccountId": "210987654321",
    "KeyManager": "CUSTOMER",
}
_OTHER_KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-4e5f-4a6b-8c9d-0e1f2a3b4c5d"

CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Manual DB snapshots are encrypted with an allowed customer managed key",
    resource_type=ResourceType.DB_SNAPSHOT,
    severity=Severity.LOW,
    frameworks=frameworks.ENCRYPTION_AT_REST,
    needs=(Need.STORAGE_KEY, Need.KEY_ALIASES),
    settings=(*customer_keys.SETTINGS, baseline.KMS_KEY),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.COSTS),
    fix="""\
Copy it with the key; delete the original when you no longer need it:

    aws rds copy-db-snapshot --source-db-snapshot-identifier {id} \\
        --target-db-snapshot-identifier {id}-new-key --kms-key-id YOUR-KEY --copy-tags --region {region}

Make it last: encrypt the instance with the key, and snapshots are.
""",
    examples=(
        Example(
            name="a customer managed key of the account",
            facts={},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that AWS manages",
            facts={"StorageKey": _OF_AWS},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key that AWS manages, and the policy accepts it",
            facts={"StorageKey": _OF_AWS},
            settings={"key_requirement": "kms"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a customer managed key of another account",
            facts={"StorageKey": _OF_ANOTHER_ACCOUNT},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key of another account that the policy lists",
            facts={"StorageKey": _OF_ANOTHER_ACCOUNT},
            settings={"allowed_keys": [_OF_ANOTHER_ACCOUNT["Arn"]]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by its ARN",
            facts={},
            settings={"allowed_keys": [_OTHER_KEY, _KEY]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by the name of its alias",
            facts={},
            settings={"allowed_keys": ["alias/databases"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a key that the policy lists by the ARN of its alias",
            facts={},
            settings={"allowed_keys": ["arn:aws:kms:eu-west-1:123456789012:alias/databases"]},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an alias of that name in another Region does not count",
            facts={},
            settings={"allowed_keys": ["arn:aws:kms:us-east-1:123456789012:alias/databases"]},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a customer managed key that the policy does not list",
            facts={},
            settings={"allowed_keys": [_OTHER_KEY], "kms_key": _OTHER_KEY},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="KMS does not say what kind of key it is",
            facts={},
            missing=("StorageKey",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a key that AWS owns",
            facts={
                "Encrypted": False,
                "StorageEncryptionType": "sse-rds",
                "KmsKeyId": None,
                "StorageKey": None,
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key that AWS owns, and a key of KMS is wanted",
            facts={
                "Encrypted": False,
                "StorageEncryptionType": "sse-rds",
                "KmsKeyId": None,
                "StorageKey": None,
            },
            settings={"key_requirement": "kms"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key that AWS owns, and the policy accepts any",
            facts={
                "Encrypted": False,
                "StorageEncryptionType": "sse-rds",
                "KmsKeyId": None,
                "StorageKey": None,
            },
            settings={"key_requirement": "any"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an answer without the type, encrypted: the key decides",
            facts={"StorageEncryptionType": None, "StorageKey": _OF_AWS},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not encrypted at all is another condition",
            facts={"Encrypted": False, "StorageEncryptionType": "none", "KmsKeyId": None, "StorageKey": None},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="encrypted, and no key is named",
            facts={"KmsKeyId": None, "StorageKey": None},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a type of encryption that nobody has heard of",
            facts={"StorageEncryptionType": "sse-quantum"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="an automated snapshot is as its instance is",
            facts={"SnapshotType": "automated", "StorageKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="another product's snapshot",
            facts={"Engine": "docdb", "StorageKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
