"""The storage of a global cluster is encrypted, with whichever key.

Why it matters
--------------
A global cluster copies every page that is written in one Region to the storage of the others, and each Region
has its own backups of it. Encryption is settled when its first cluster is made: it holds in all Regions, or in
none, and cannot be changed later. Without it, one volume, one snapshot or one backup in any of the Regions is
enough to read everything.

What decides is StorageEncryptionType: with `sse-rds`, AWS's own key, `StorageEncrypted` is false and the data is
encrypted all the same. Each member is a cluster, too, and is judged as one in its own Region.

Remediation safety
------------------
Disruptive, and never done by Warden: an encrypted global cluster is a new one, around a cluster that was restored
from a snapshot, and clients of every Region move to it. A ticket carries the commands for the writer and for each
of the other Regions. Nothing is deleted by any of them.

References
----------
- Amazon RDS API Reference, GlobalCluster: StorageEncrypted, StorageEncryptionType
- Amazon RDS API Reference, CreateGlobalCluster: StorageEncrypted, SourceDBClusterIdentifier
- Amazon RDS API Reference, RestoreDBClusterFromSnapshot: KmsKeyId
- Amazon Aurora User Guide, "Using Amazon Aurora Global Database"
- AWS Config, managed rule aurora-global-database-encryption-at-rest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, encryption, frameworks, guidance, scope
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.plan import Manual
from warden.core.resource import ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the encryption of Aurora global clusters."""
    return scope.outside(resource) or encryption.judge(resource, "StorageEncrypted")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Manual:
    """Tell a person how this global cluster gets an encrypted successor."""
    members = [
        (ResourceRef.from_arn(member["DBClusterArn"]), member["IsWriter"])
        for member in resource.facts["GlobalClusterMembers"]
    ]
    writer = next((ref for ref, is_writer in members if is_writer), None)
    if writer is None:
        return Manual(
            "It has no cluster, so there is nothing in it to encrypt: delete it, and create one that is encrypted.",
            (
                guidance.command(
                    resource,
                    "create-global-cluster",
                    {
                        "global-cluster-identifier": f"{resource.ref.id}-encrypted",
                        "engine": resource.facts["Engine"],
                        "engine-version": resource.facts["EngineVersion"],
                        "storage-encrypted": True,
                        "deletion-protection": True,
                    },
                ),
            ),
        )
    return Manual(
        "A global cluster cannot be encrypted in place. Restore an encrypted successor of its writer from a snapshot, "
        "make a new global cluster around it, add the other Regions, and move the clients; what is written after the "
        "snapshot is not in the successor.",
        (
            *_restored(resource, writer, settings["kms_key"] or "YOUR-KEY"),
            *_secondaries(resource, [ref for ref, is_writer in members if not is_writer]),
        ),
    )


def _restored(resource: Resource, writer: ResourceRef, key: str) -> tuple[str, ...]:
    """An encrypted cluster from a snapshot of the writer, with an instance, in a global cluster of its own."""
    snapshot, successor = f"{writer.id}-before-encryption", f"{writer.id}-encrypted"
    facts = resource.facts
    return (
        guidance.command(
            resource,
            "create-db-cluster-snapshot",
            {"db-cluster-identifier": writer.id, "db-cluster-snapshot-identifier": snapshot},
        ),
        guidance.command(
            resource, "wait db-cluster-snapshot-available", {"db-cluster-snapshot-identifier": snapshot}
        ),
        guidance.command(
            resource,
            "restore-db-cluster-from-snapshot",
            {
                "db-cluster-identifier": successor,
                "snapshot-identifier": snapshot,
                "engine": facts["Engine"],
                "engine-version": facts["EngineVersion"],
                "kms-key-id": key,
                "db-subnet-group-name": "SUBNET-GROUP",
                "vpc-security-group-ids": ["SECURITY-GROUP"],
                "deletion-protection": True,
                "copy-tags-to-snapshot": True,
            },
        ),
        guidance.command(
            resource,
            "create-db-instance",
            {
                "db-instance-identifier": f"{successor}-1",
                "db-cluster-identifier": successor,
                "engine": facts["Engine"],
                "db-instance-class": "INSTANCE-CLASS",
                "publicly-accessible": False,
            },
        ),
        guidance.command(
            resource,
            "create-global-cluster",
            {
                "global-cluster-identifier": f"{resource.ref.id}-encrypted",
                "source-db-cluster-identifier": writer.arn.removesuffix(writer.id) + successor,
                "deletion-protection": True,
            },
        ),
    )


def _secondaries(resource: Resource, others: list[ResourceRef]) -> tuple[str, ...]:
    """A cluster in each of the other Regions; each needs a key of its own Region."""
    return tuple(
        guidance.command(
            resource,
            "create-db-cluster",
            {
                "db-cluster-identifier": f"{other.id}-encrypted",
                "global-cluster-identifier": f"{resource.ref.id}-encrypted",
                "engine": resource.facts["Engine"],
                "engine-version": resource.facts["EngineVersion"],
                "kms-key-id": "YOUR-KEY-THERE",
                "db-subnet-group-name": "SUBNET-GROUP",
                "vpc-security-group-ids": ["SECURITY-GROUP"],
            },
            region=other.region,
        )
        for other in others
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The storage of Aurora global clusters is encrypted",
    resource_type=ResourceType.GLOBAL_CLUSTER,
    severity=Severity.HIGH,
    # Security Hub has no control for global clusters; the nearest relative is RDS.27.
    frameworks=frameworks.mapping(
        frameworks.config("aurora-global-database-encryption-at-rest"),
        frameworks.cis_database("2.2"),
        frameworks.ENCRYPTION_AT_REST,
    ),
    settings=(baseline.KMS_KEY,),
    evaluate=evaluate,
    remediation=Remediation(plan=plan, permits=(), safety=Safety.DISRUPTIVE),
    fix="""\
It cannot be encrypted in place. Restore its writer from a snapshot with a key, make a new global cluster around the
restored one, add the other Regions, move the clients:

    aws rds restore-db-cluster-from-snapshot --db-cluster-identifier NEW-WRITER --snapshot-identifier SNAPSHOT \\
        --engine ENGINE --kms-key-id YOUR-KEY --region REGION
    aws rds create-global-cluster --global-cluster-identifier {id}-encrypted \\
        --source-db-cluster-identifier NEW-WRITER-ARN --deletion-protection --region REGION

Make it last: CloudFormation `StorageEncrypted: true` of `AWS::RDS::GlobalCluster`, which replaces it; Terraform
`storage_encrypted = true` of `aws_rds_global_cluster`, likewise.
""",
    examples=(
        Example(
            name="encrypted with a key of KMS",
            facts={"StorageEncrypted": True, "StorageEncryptionType": "sse-kms"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="encrypted with AWS's own key, and the older flag is false",
            facts={"StorageEncrypted": False, "StorageEncryptionType": "sse-rds"},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="not encrypted",
            facts={"StorageEncrypted": False, "StorageEncryptionType": "none"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an answer without the type, not encrypted",
            facts={"StorageEncrypted": False, "StorageEncryptionType": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="not encrypted, and without a cluster",
            facts={"StorageEncrypted": False, "StorageEncryptionType": "none", "GlobalClusterMembers": []},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="an answer without the type, encrypted",
            facts={"StorageEncrypted": True, "StorageEncryptionType": None},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="a type that nobody has heard of",
            facts={"StorageEncryptionType": "sse-quantum"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a global cluster of DocumentDB is another product's",
            facts={"Engine": "docdb", "StorageEncrypted": False, "StorageEncryptionType": "none"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="neither the type nor the flag is known",
            facts={"StorageEncryptionType": None},
            missing=("StorageEncrypted",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
