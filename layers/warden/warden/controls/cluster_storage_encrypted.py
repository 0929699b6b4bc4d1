"""The cluster's storage is encrypted, with whichever key.

Why it matters
--------------
The encryption of a cluster covers its volume, its logs, its automated backups and every snapshot that is made
of it. It is settled when the cluster is created and cannot be changed later. Clusters created since 18
February 2026 are always encrypted; older ones stay as they were.

What decides is StorageEncryptionType: with `sse-rds`, AWS's own key, `StorageEncrypted` is false and the
cluster is encrypted all the same. Whether that key is good enough is another question than this one.

Remediation safety
------------------
Costs, and never finished by Warden: an encrypted cluster is a new cluster, restored from a snapshot, and
clients move to it. Where the policy's `baseline.kms_key` names a key, and a person approves it each time, Warden
prepares that cluster beside this one: restored from a snapshot, with the subnet group, security groups, parameter
groups, tags, exported logs, logins and instances that this one has, never public, and protected from deletion. It
costs as much as this one. Nothing of this cluster is changed, and no client notices: a ticket then says how to cut
over. What Warden has prepared, and this cluster, are deleted by nobody but you. Without a key, and for a Multi-AZ DB
cluster, a member of a global database, a replica of another cluster, Aurora Serverless v1 and Limitless Database, a
ticket carries the commands.

References
----------
- Amazon RDS API Reference, DBCluster: StorageEncrypted, StorageEncryptionType
- Amazon RDS API Reference, RestoreDBClusterFromSnapshot: KmsKeyId
- Amazon Aurora User Guide, "Encrypting Amazon Aurora resources"
- AWS Security Hub CSPM, control RDS.27
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import (
    baseline,
    encryption,
    engines,
    frameworks,
    guidance,
    scope,
    successor,
    successor_permits,
)
from warden.core.control import ComplianceType, Control, Example, Remediation, Safety, Severity, Verdict
from warden.core.kinds import Need
from warden.core.plan import Manual, Plan, Wait
from warden.core.resource import ResourceType
from warden.core.successor_examples import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def evaluate(resource: Resource, _settings: Mapping[str, Any]) -> Verdict:
    """Judge the encryption of Aurora and Multi-AZ DB clusters."""
    return scope.outside(resource) or encryption.judge(resource, "StorageEncrypted")


def plan(resource: Resource, settings: Mapping[str, Any]) -> Plan | Manual | Wait:
    """The next call on the way to an encrypted successor, or how a person makes one."""
    return successor.plan(resource, settings, lambda why: _by_hand(resource, settings, why))


def _by_hand(resource: Resource, settings: Mapping[str, Any], why: str) -> Manual:
    facts = resource.facts
    identifier = facts["DBClusterIdentifier"]
    snapshot, made = f"{identifier}-before-encryption", f"{identifier}-encrypted"
    multi_az = facts["Engine"] in engines.MULTI_AZ_CLUSTER
    return Manual(
        f"{why}A cluster cannot be encrypted in place. Restore an encrypted successor from a snapshot, move the "
        "clients to it, and keep this cluster until you are sure; what is written after the snapshot is not in the "
        "successor.",
        (
            guidance.command(
                resource,
                "create-db-cluster-snapshot",
                {"db-cluster-identifier": identifier, "db-cluster-snapshot-identifier": snapshot},
            ),
            guidance.command(
                resource, "wait db-cluster-snapshot-available", {"db-cluster-snapshot-identifier": snapshot}
            ),
            guidance.command(
                resource,
                "restore-db-cluster-from-snapshot",
                {
                    "db-cluster-identifier": made,
                    "snapshot-identifier": snapshot,
                    "engine": facts["Engine"],
                    "engine-version": facts["EngineVersion"],
                    "kms-key-id": settings["kms_key"] or "YOUR-KEY",
                    "db-subnet-group-name": facts["DBSubnetGroup"],
                    "vpc-security-group-ids": [
                        group["VpcSecurityGroupId"] for group in facts["VpcSecurityGroups"]
                    ],
                    "db-cluster-parameter-group-name": facts["DBClusterParameterGroup"],
                    "db-cluster-instance-class": facts["DBClusterInstanceClass"],
                    # Without it, a Multi-AZ DB cluster is public where its VPC has an internet gateway
                    # (RestoreDBClusterFromSnapshot.PubliclyAccessible); an instance of Aurora has it itself.
                    "publicly-accessible": False if multi_az else None,
                    "deletion-protection": True,
                    "copy-tags-to-snapshot": True,
                },
            ),
            *(() if multi_az else _instances(resource, made)),
        ),
    )


def _instances(resource: Resource, made: str) -> list[str]:
    """Aurora restores a volume without instances: one for each that the cluster has."""
    return [
        guidance.command(
            resource,
            "create-db-instance",
            {
                "db-instance-identifier": f"{member['DBInstanceIdentifier']}-encrypted",
                "db-cluster-identifier": made,
                "engine": resource.facts["Engine"],
                "db-instance-class": member["DBInstanceClass"],
                "publicly-accessible": False,
            },
        )
        for member in resource.facts[Need.MEMBERS]
    ]


CONTROL = Control(
    module=__name__,
    doc=__doc__,
    title="The storage of Aurora and Multi-AZ DB clusters is encrypted",
    resource_type=ResourceType.DB_CLUSTER,
    severity=Severity.HIGH,
    frameworks=frameworks.mapping(
        frameworks.security_hub("RDS.27"),
        frameworks.security_hub("RDS.3"),
        frameworks.config("rds-cluster-encrypted-at-rest"),
        frameworks.config("rds-storage-encrypted"),
        frameworks.prowler("rds_cluster_storage_encrypted"),
        frameworks.CIS_ENCRYPTED,
        frameworks.cis_database("2.2"),
        frameworks.ENCRYPTION_AT_REST,
    ),
    settings=successor.SETTINGS,
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
A cluster cannot be encrypted in place. Take a snapshot, restore it with a key, add instances, move the clients:

    aws rds create-db-cluster-snapshot --db-cluster-identifier {id} \\
        --db-cluster-snapshot-identifier {id}-before-encryption --region {region}
    aws rds restore-db-cluster-from-snapshot --db-cluster-identifier {id}-encrypted \\
        --snapshot-identifier {id}-before-encryption --engine ENGINE --kms-key-id YOUR-KEY \\
        --db-subnet-group-name SUBNET-GROUP --vpc-security-group-ids SECURITY-GROUP --region {region}

Make it last: CloudFormation `StorageEncrypted: true` of `AWS::RDS::DBCluster`, which replaces the cluster; Terraform
`storage_encrypted = true` and `kms_key_id` of `aws_rds_cluster`, likewise.
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
            name="an answer without the type, encrypted",
            facts={"StorageEncrypted": True, "StorageEncryptionType": None},
            expect=ComplianceType.COMPLIANT,
        ),
        Example(
            name="an answer without the type, not encrypted",
            facts={"StorageEncrypted": False, "StorageEncryptionType": None, "KmsKeyId": None},
            expect=ComplianceType.NON_COMPLIANT,
        ),
        Example(
            name="a Multi-AZ DB cluster is restored with its instances",
            facts={
                "Engine": "mysql",
                "EngineVersion": "8.0.40",
                "DBClusterInstanceClass": "db.m6gd.large",
                "StorageEncrypted": False,
                "StorageEncryptionType": "none",
            },
            expect=ComplianceType.NON_COMPLIANT,
        ),
        *examples({"StorageEncrypted": False, "StorageEncryptionType": "none", "KmsKeyId": None}),
        Example(
            name="a type that nobody has heard of",
            facts={"StorageEncrypted": True, "StorageEncryptionType": "sse-quantum"},
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
        Example(
            name="a Neptune cluster is another product",
            facts={"Engine": "neptune", "StorageEncrypted": False, "StorageEncryptionType": "none"},
            expect=ComplianceType.NOT_APPLICABLE,
        ),
        Example(
            name="the type is not known",
            facts={"StorageEncrypted": True},
            missing=("StorageEncryptionType",),
            expect=ComplianceType.INSUFFICIENT_DATA,
        ),
    ),
)
