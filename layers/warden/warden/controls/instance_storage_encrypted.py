"""The storage of a stand-alone instance is encrypted, with whichever key.

Why it matters
--------------
The encryption of an instance covers its storage, its logs, its automated backups, its read replicas in the
Region and every snapshot that is made of it. It is settled when the instance is created and cannot be changed
later.

Members of a cluster are not judged here: their storage is the cluster's.

Remediation safety
------------------
Disruptive, and never done by Warden: an encrypted instance is a new instance, restored from an encrypted copy
of a snapshot, and clients move to it. A ticket carries the commands for this instance. The old one is not
deleted by any of them.

References
----------
- Amazon RDS API Reference, DBInstance: StorageEncrypted, StorageEncryptionType
- Amazon RDS API Reference, CopyDBSnapshot: KmsKeyId
- Amazon RDS User Guide, "Encrypting Amazon RDS resources"
- AWS Security Hub CSPM, control RDS.3
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, encryption, frameworks, guidance, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the encryption of instances that belong to no cluster."""
    return scope.outside_or_member(resource, "encryption at rest") or encryption.judge(
        resource, "StorageEncrypted"
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person how this instance gets an encrypted successor."""
    facts = resource.facts
    identifier = facts["DBInstanceIdentifier"]
    snapshot, copy = f"{identifier}-before-encryption", f"{identifier}-for-encryption"
    subnets = facts["DBSubnetGroup"]
    parameter_groups = facts["DBParameterGroups"]
    return Manual(
        "An instance cannot be encrypted in place. Restore an encrypted successor from an encrypted copy of a "
        "snapshot, move the clients to it, and keep this instance until you are sure; what is written after the "
        "snapshot is not in the successor.",
        (
            guidance.command(
                resource,
                "create-db-snapshot",
                {"db-instance-identifier": identifier, "db-snapshot-identifier": snapshot},
            ),
            guidance.command(resource, "wait db-snapshot-available", {"db-snapshot-identifier": snapshot}),
            guidance.command(
                resource,
                "copy-db-snapshot",
                {
                    "source-db-snapshot-identifier": snapshot,
                    "target-db-snapshot-identifier": copy,
                    "kms-key-id": settings["kms_key"] or "YOUR-KEY",
                    "copy-tags": True,
                },
            ),
            guidance.command(resource, "wait db-snapshot-available", {"db-snapshot-identifier": copy}),
            guidance.command(
                resource,
                "restore-db-instance-from-db-snapshot",
                {
                    "db-instance-identifier": f"{identifier}-encrypted",
                    "db-snapshot-identifier": copy,
                    "db-instance-class": facts["DBInstanceClass"],
                    "db-subnet-group-name": subnets["DBSubnetGroupName"] if subnets else None,
                    "vpc-security-group-ids": [
                        group["VpcSecurityGroupId"] for group in facts["VpcSecurityGroups"]
                    ],
                    "db-parameter-group-name": parameter_groups[0]["DBParameterGroupName"],
                    "publicly-accessible": False,
                    "multi-az": facts["MultiAZ"],
                    "deletion-protection": True,
                    "copy-tags-to-snapshot": True,
                },
            ),
        ),
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The storage of stand-alone RDS instances is encrypted",
    resource_type=ResourceType.DB_INSTANCE,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.3"),
        frameworks.config("rds-storage-encrypted"),
        frameworks.prowler("rds_instance_storage_encrypted"),
        frameworks.CIS_ENCRYPTED,
        frameworks.ENCRYPTION_AT_REST,
    ),
    settings=(baseline.KMS_KEY,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
An instance cannot be encrypted in place. Take a snapshot, copy it with a key, restore the copy, move the clients:

    aws rds create-db-snapshot --db-instance-identifier {id} \\
        --db-snapshot-identifier {id}-before-encryption --region {region}
    aws rds copy-db-snapshot --source-db-snapshot-identifier {id}-before-encryption \\
        --target-db-snapshot-identifier {id}-for-encryption --kms-key-id YOUR-KEY --copy-tags --region {region}
    aws rds restore-db-instance-from-db-snapshot --db-instance-identifier {id}-encrypted \\
        --db-snapshot-identifier {id}-for-encryption --db-subnet-group-name SUBNET-GROUP \\
        --vpc-security-group-ids SECURITY-GROUP --no-publicly-accessible --region {region}

Make it last: CloudFormation `StorageEncrypted: true` of `AWS::RDS::DBInstance`, which replaces the instance; Terraform
`storage_encrypted = true` and `kms_key_id` of `aws_db_instance`, likewise.
""",
    examples=(
        Example(
            name="encrypted with a key of KMS",
            facts={"StorageEncrypted": True, "StorageEncryptionType": "sse-kms"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="encrypted with AWS's own key, and the older flag is false",
            facts={"StorageEncrypted": False, "StorageEncryptionType": "sse-rds", "KmsKeyId": None},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="not encrypted",
            facts={"StorageEncrypted": False, "StorageEncryptionType": "none", "KmsKeyId": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an answer without the type, not encrypted",
            facts={"StorageEncrypted": False, "StorageEncryptionType": None, "DBSubnetGroup": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a member's storage is its cluster's",
            facts={
                "Engine": "aurora-mysql",
                "DBClusterIdentifier": "orders",
                "StorageEncrypted": False,
                "StorageEncryptionType": "sse-rds",
            },
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="an instance of Neptune is another product's",
            facts={"Engine": "neptune", "DBClusterIdentifier": "graph", "StorageEncrypted": False},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the older flag is not known, and it is all there is",
            facts={"StorageEncryptionType": None},
            missing=("StorageEncrypted",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
