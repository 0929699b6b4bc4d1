"""The storage of a stand-alone instance is encrypted with a customer managed key that is allowed.

Why it matters
--------------
A key that AWS owns or manages cannot be audited, restricted, disabled or revoked by its user: whoever may
read the database reads it. With a customer managed key, the key's policy is a second lock, each use is in
CloudTrail, and the database can be shared with another account at all: what AWS's own key encrypts can be
shared with nobody.

Whether there is encryption is another condition, `instance_storage_encrypted`. The policy says which keys
satisfy: `any`, `kms` (aws/rds among them) or `customer-managed`, and for the last one, if it likes, which
keys.

Members of a cluster are not judged here: their storage is the cluster's.

Remediation safety
------------------
Disruptive. And never done by Warden: the key of an instance is settled when it is created. A ticket
carries the commands for a successor with the key `baseline.kms_key`; clients move to it, and no command
deletes the old one.

References
----------
- Amazon RDS API Reference, DBInstance: StorageEncryptionType, KmsKeyId
- Amazon RDS API Reference, CopyDBSnapshot: KmsKeyId
- AWS KMS API Reference, DescribeKey: KeyManager
- AWS Config, rule rds-storage-encrypted with its parameter kmsKeyId
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, customer_keys, frameworks, rekeying, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the key of instances that belong to no cluster."""
    return scope.outside_or_member(resource, "the key of its storage") or customer_keys.judge_storage(
        resource, settings, "StorageEncrypted"
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person how this instance gets a successor with the key."""
    return Manual(
        "The key of an instance cannot be changed. Restore a successor from a copy of a snapshot with the key, move "
        "the clients to it, and keep this instance until you are sure; what is written later is not in it.",
        rekeying.instance(resource, customer_keys.preferred(settings)),
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
    title="Stand-alone RDS instances are encrypted with an allowed customer managed key",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.ENCRYPTION_AT_REST,
    needs=(Need.STORAGE_KEY, Need.KEY_ALIASES),
    settings=(*customer_keys.SETTINGS, baseline.KMS_KEY),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
The key of an instance cannot be changed. Take a snapshot, copy it with the key, restore the copy, move the clients:

    aws rds create-db-snapshot --db-instance-identifier {id} \\
        --db-snapshot-identifier {id}-before-new-key --region {region}
    aws rds copy-db-snapshot --source-db-snapshot-identifier {id}-before-new-key \\
        --target-db-snapshot-identifier {id}-for-new-key --kms-key-id YOUR-KEY --copy-tags --region {region}
    aws rds restore-db-instance-from-db-snapshot --db-instance-identifier {id}-new-key \\
        --db-snapshot-identifier {id}-for-new-key --db-subnet-group-name SUBNET-GROUP \\
        --vpc-security-group-ids SECURITY-GROUP --no-publicly-accessible --region {region}

Make it last: CloudFormation `KmsKeyId: alias/databases` of `AWS::RDS::DBInstance`, which replaces the instance;
Terraform `kms_key_id` of `aws_db_instance`, likewise.
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
                "StorageEncrypted": False,
                "StorageEncryptionType": "sse-rds",
                "KmsKeyId": None,
                "StorageKey": None,
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a key that AWS owns, and a key of KMS is wanted",
            facts={
                "StorageEncrypted": False,
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
                "StorageEncrypted": False,
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
            facts={
                "StorageEncrypted": False,
                "StorageEncryptionType": "none",
                "KmsKeyId": None,
                "StorageKey": None,
            },
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
            name="an instance outside a VPC",
            facts={"DBSubnetGroup": None, "VpcSecurityGroups": [], "StorageKey": _OF_AWS},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's storage is its cluster's",
            facts={"Engine": "aurora-mysql", "DBClusterIdentifier": "orders", "StorageKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
