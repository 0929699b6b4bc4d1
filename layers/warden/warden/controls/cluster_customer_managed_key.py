"""A cluster's storage is encrypted with a customer managed key that is allowed.

Why it matters
--------------
A key that AWS owns or manages cannot be audited, restricted, disabled or revoked by its user: whoever may
read the database reads it. With a customer managed key, the key's policy is a second lock, each use is in
CloudTrail, and the database can be shared with another account at all: what AWS's own key encrypts can be
shared with nobody.

Whether there is encryption is another condition, `cluster_storage_encrypted`. The policy says which keys
satisfy: `any`, `kms` (aws/rds among them) or `customer-managed`, and for the last one, if it likes, which
keys.

Remediation safety
------------------
Costs, and never finished by Warden: the key of a cluster is settled when it is created, and clients move to
a successor. Where the policy's `baseline.kms_key` names the key, and a person approves it each time, Warden prepares
that successor beside this cluster, as [cluster_storage_encrypted](cluster_storage_encrypted.md) does it and with the
same exceptions, and a ticket says how to cut over. Else a ticket carries the commands. Warden changes nothing of this
cluster, and deletes neither.

References
----------
- Amazon RDS API Reference, DBCluster: StorageEncryptionType, KmsKeyId
- Amazon RDS API Reference, RestoreDBClusterFromSnapshot: KmsKeyId
- AWS KMS API Reference, DescribeKey: KeyManager
- Amazon Aurora User Guide, "Encrypting Amazon Aurora resources"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, customer_keys, frameworks, rekeying, scope, successor, successor_permits
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.plan import Manual, Plan, Wait
from warden.core.resource import ResourceType
from warden.core.successor_examples import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Judge the key of Aurora and Multi-AZ DB clusters."""
    return scope.outside(resource) or customer_keys.judge_storage(resource, settings, "StorageEncrypted")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """The next call on the way to a successor with the key, or how a person makes one."""
    key, allowed = settings["kms_key"], settings["allowed_keys"]
    if key and allowed and key not in allowed:
        # Else the successor would not do either.
        return _by_hand(resource, settings, "The policy's kms_key is not written among its allowed_keys. ")
    return successor.plan(resource, settings, lambda why: _by_hand(resource, settings, why))


def _by_hand(resource: Resource, settings: Mapping[str, Any], why: str) -> Manual:
    return Manual(
        f"{why}The key of a cluster cannot be changed. Restore a successor with the key from a snapshot, move the "
        "clients to it, and keep this cluster until you are sure; what is written after the snapshot is not in the "
        "successor.",
        rekeying.cluster(resource, customer_keys.preferred(settings)),
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
    title="Aurora and Multi-AZ DB clusters are encrypted with an allowed customer managed key",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.cis_database("2.2"),
        frameworks.ENCRYPTION_AT_REST,
    ),
    needs=(Need.STORAGE_KEY, Need.KEY_ALIASES),
    settings=(*customer_keys.SETTINGS, *successor.SETTINGS),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=successor_permits.PERMITS,
        safety=Safety.COSTS,
        needs=successor.NEEDS,
        requires=baseline.KMS_KEY.name,
        asks=True,
    ),
    fix="""\
The key of a cluster cannot be changed. Restore a successor with the key, add its instances, move the clients:

    aws rds create-db-cluster-snapshot --db-cluster-identifier {id} \\
        --db-cluster-snapshot-identifier {id}-before-new-key --region {region}
    aws rds restore-db-cluster-from-snapshot --db-cluster-identifier {id}-new-key \\
        --snapshot-identifier {id}-before-new-key --engine ENGINE --kms-key-id YOUR-KEY \\
        --db-subnet-group-name SUBNET-GROUP --vpc-security-group-ids SECURITY-GROUP --region {region}

Make it last: CloudFormation `KmsKeyId: alias/databases` of `AWS::RDS::DBCluster`, which replaces the cluster;
Terraform `kms_key_id` of `aws_rds_cluster`, likewise.
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
        *examples({"StorageKey": _OF_AWS}),
        Example(
            name="a type of encryption that nobody has heard of",
            facts={"StorageEncryptionType": "sse-quantum"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a Multi-AZ DB cluster is judged like an Aurora cluster",
            facts={"Engine": "mysql", "DBClusterInstanceClass": "db.m6gd.large", "StorageKey": _OF_AWS},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "StorageKey": _OF_AWS},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
    ),
)
