"""A manual snapshot of a cluster is encrypted, with whichever key.

Why it matters
--------------
A snapshot outlives the cluster that it was taken of, and with it the reasons why that one was not encrypted.
Whoever may restore it reads it; and only unencrypted snapshots can be made public.

Only manual snapshots are judged. An automated one is as its cluster is, and expires by itself.

Remediation safety
------------------
Costs. AWS refuses to encrypt a cluster snapshot by copying it, so Warden restores it, with the key `baseline.kms_key`
of the policy, to a temporary cluster, snapshots that, and deletes it. Nobody can connect to the temporary cluster: it
has no instances, stands in private subnets (`baseline.temporary_subnet_group`) and behind a security group without
inbound rules (`baseline.temporary_security_group`). The copy has the original's tags, and is shared with those of its
accounts that are approved, never with everybody. The original is untouched and never deleted, so it stays
non-compliant until somebody deletes it: once the copy exists, a ticket says so. What is deleted is the temporary
cluster alone, if its name, its tags and its resource id are those that Warden wrote down. In us-east-1, the copy costs
0.021 USD for each GB that is kept for a month, and the temporary cluster 0.10 USD a month for each GB while it exists.
Snapshots of Multi-AZ DB clusters are left to a person, since such a cluster cannot be without instances.

References
----------
- Amazon RDS API Reference, CopyDBClusterSnapshot: KmsKeyId ("If you copy an unencrypted DB cluster snapshot
  and specify a value for the KmsKeyId parameter, an error is returned")
- Amazon RDS API Reference, RestoreDBClusterFromSnapshot: KmsKeyId ("This operation only restores the DB cluster, not
  the DB instances for that DB cluster")
- Amazon RDS API Reference, DeleteDBCluster: SkipFinalSnapshot
- Amazon RDS API Reference, DBClusterSnapshot: StorageEncrypted, StorageEncryptionType
- AWS Security Hub CSPM, control RDS.4
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import baseline, encryption, engines, frameworks, guidance, scope, snapshot_procedure
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.plan import Manual, Plan, Wait
from warden.core.resource import ResourceType
from warden.core.snapshot_procedure_examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource

_ASKED = ("kms_key", "temporary_subnet_group", "temporary_security_group")


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the encryption of snapshots that were made by hand."""
    return (
        scope.outside(resource)
        or encryption.not_manual(resource)
        or encryption.judge(resource, "StorageEncrypted")
    )


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """The next call on the way to an encrypted copy, or how a person makes one."""
    if resource.facts["Engine"] in engines.MULTI_AZ_CLUSTER:
        return _by_hand(resource, settings, "A Multi-AZ DB cluster cannot be restored without instances.")
    if lacking := [name for name in _ASKED if not settings[name]]:
        return _by_hand(resource, settings, f"The policy's baseline does not say {', '.join(lacking)}.")
    return snapshot_procedure.plan(resource, settings, __name__.rpartition(".")[2])


def _by_hand(resource: Resource, settings: Mapping[str, Any], why: str) -> Manual:
    """Tell a person how this snapshot gets an encrypted successor."""
    facts = resource.facts
    name = encryption.copy_name(facts["DBClusterSnapshotIdentifier"], limit=snapshot_procedure.NAME_LIMIT)
    multi_az = facts["Engine"] in engines.MULTI_AZ_CLUSTER
    return Manual(
        f"{why} A cluster snapshot cannot be encrypted by copying it. Restore it to a temporary cluster with a key, in "
        "private subnets and behind a security group that lets nobody in; snapshot that; see that the new snapshot "
        "says sse-kms; then delete the temporary cluster. The original stays until you delete it yourself.",
        (
            guidance.command(
                resource,
                "restore-db-cluster-from-snapshot",
                {
                    "db-cluster-identifier": name,
                    "snapshot-identifier": facts["DBClusterSnapshotIdentifier"],
                    "engine": facts["Engine"],
                    "engine-version": facts["EngineVersion"],
                    "kms-key-id": settings["kms_key"] or "YOUR-KEY",
                    "db-subnet-group-name": "YOUR-PRIVATE-SUBNETS",
                    "vpc-security-group-ids": "YOUR-CLOSED-SECURITY-GROUP",
                    "db-cluster-instance-class": "db.m6gd.large" if multi_az else None,
                    "publicly-accessible": False if multi_az else None,
                    "deletion-protection": False,
                },
            ),
            guidance.command(resource, "wait db-cluster-available", {"db-cluster-identifier": name}),
            guidance.command(
                resource,
                "create-db-cluster-snapshot",
                {"db-cluster-identifier": name, "db-cluster-snapshot-identifier": name},
            ),
            guidance.command(
                resource, "wait db-cluster-snapshot-available", {"db-cluster-snapshot-identifier": name}
            ),
            guidance.command(
                resource,
                "describe-db-cluster-snapshots",
                {
                    "db-cluster-snapshot-identifier": name,
                    "query": "DBClusterSnapshots[].[StorageEncryptionType,KmsKeyId]",
                },
            ),
            guidance.command(
                resource, "delete-db-cluster", {"db-cluster-identifier": name, "skip-final-snapshot": True}
            ),
        ),
    )


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="Manual DB cluster snapshots are encrypted",
    resource_type=ResourceType.DB_CLUSTER_SNAPSHOT,
    severity=Severity.MEDIUM,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.4"),
        frameworks.config("rds-snapshot-encrypted"),
        frameworks.prowler("rds_snapshots_encrypted"),
        frameworks.cis_database("2.2"),
        frameworks.ENCRYPTION_AT_REST,
    ),
    settings=(
        baseline.KMS_KEY,
        baseline.TEMPORARY_SUBNET_GROUP,
        baseline.TEMPORARY_SECURITY_GROUP,
        baseline.APPROVED_ACCOUNTS,
    ),
    evaluate=evaluate,
    remediation=Remediation(
        plan=plan,
        permits=snapshot_procedure.PERMITS,
        safety=Safety.COSTS,
        needs=snapshot_procedure.NEEDS,
        requires=baseline.TEMPORARY_SUBNET_GROUP.name,
    ),
    fix="""\
A cluster snapshot cannot be encrypted by copying it. Restore it to a temporary cluster with a key, in private
subnets and behind a security group that lets nobody in, snapshot that, and delete the temporary cluster:

    aws rds restore-db-cluster-from-snapshot --db-cluster-identifier TEMPORARY --snapshot-identifier {id} \\
        --engine ENGINE --kms-key-id YOUR-KEY --db-subnet-group-name YOUR-PRIVATE-SUBNETS \\
        --vpc-security-group-ids YOUR-CLOSED-SECURITY-GROUP --no-deletion-protection --region {region}
    aws rds wait db-cluster-available --db-cluster-identifier TEMPORARY --region {region}
    aws rds create-db-cluster-snapshot --db-cluster-identifier TEMPORARY \\
        --db-cluster-snapshot-identifier NEW-SNAPSHOT --region {region}
    aws rds wait db-cluster-snapshot-available --db-cluster-snapshot-identifier NEW-SNAPSHOT --region {region}
    aws rds delete-db-cluster --db-cluster-identifier TEMPORARY --skip-final-snapshot --region {region}

Delete the original when you are sure of the new one. Make it last: encrypt the cluster, and its snapshots are.
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
            facts={"StorageEncrypted": False, "StorageEncryptionType": None, "KmsKeyId": None},
            settings={"kms_key": "alias/databases"},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a snapshot of a Multi-AZ DB cluster is restored with instances",
            facts={
                "Engine": "postgres",
                "EngineVersion": "16.4",
                "StorageEncrypted": False,
                "StorageEncryptionType": "none",
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        *EXAMPLES,
        Example(
            name="an automated snapshot is as its cluster is",
            facts={"SnapshotType": "automated", "StorageEncrypted": False, "StorageEncryptionType": "none"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="a kind of snapshot that nobody has heard of",
            facts={"SnapshotType": "telepathic", "StorageEncrypted": False, "StorageEncryptionType": "none"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a snapshot of a DocumentDB cluster is another product's",
            facts={"Engine": "docdb", "StorageEncrypted": False, "StorageEncryptionType": "none"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the type is not known",
            facts={"StorageEncrypted": False},
            missing=("StorageEncryptionType",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
