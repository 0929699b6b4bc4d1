"""How a person gives a database or a snapshot another key: commands for a successor, since none changes in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core import engines, guidance, master_user
from warden.core.kinds import Need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.resource import Resource


def cluster(resource: Resource, key: str) -> tuple[str, ...]:
    """Restore a successor of the cluster with a key. Reads `Need.MEMBERS`."""
    facts = resource.facts
    identifier = facts["DBClusterIdentifier"]
    snapshot, successor = f"{identifier}-before-new-key", f"{identifier}-new-key"
    return (
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
                "db-cluster-identifier": successor,
                "snapshot-identifier": snapshot,
                "engine": facts["Engine"],
                "engine-version": facts["EngineVersion"],
                "kms-key-id": key,
                # A cluster of the express configuration stands in no VPC; without these, its successor would stand
                # in the default one, behind the default security group.
                "db-subnet-group-name": facts["DBSubnetGroup"] or "YOUR-PRIVATE-SUBNETS",
                "vpc-security-group-ids": [
                    group["VpcSecurityGroupId"] for group in facts["VpcSecurityGroups"]
                ]
                or ["YOUR-SECURITY-GROUP"],
                "db-cluster-parameter-group-name": facts["DBClusterParameterGroup"],
                "db-cluster-instance-class": facts["DBClusterInstanceClass"],
                # Without it, a Multi-AZ DB cluster is public where its VPC has an internet gateway
                # (RestoreDBClusterFromSnapshot.PubliclyAccessible); an instance of Aurora has it itself.
                "publicly-accessible": False if facts["Engine"] in engines.MULTI_AZ_CLUSTER else None,
                # Who logs in to a cluster of the express configuration does so by IAM alone.
                "enable-iam-database-authentication": True if master_user.is_express(facts) else None,
                "deletion-protection": True,
                "copy-tags-to-snapshot": True,
            },
        ),
        *(() if facts["Engine"] in engines.MULTI_AZ_CLUSTER else _members(resource, successor)),
    )


def _members(resource: Resource, successor: str) -> list[str]:
    """Aurora restores a volume without instances: one for each that the cluster has."""
    return [
        guidance.command(
            resource,
            "create-db-instance",
            {
                "db-instance-identifier": f"{member['DBInstanceIdentifier']}-new-key",
                "db-cluster-identifier": successor,
                "engine": resource.facts["Engine"],
                "db-instance-class": member["DBInstanceClass"],
                "publicly-accessible": False,
            },
        )
        for member in resource.facts[Need.MEMBERS]
    ]


def instance(resource: Resource, key: str) -> tuple[str, ...]:
    """Restore a successor of the stand-alone instance: a restore takes no key, so a copy of a snapshot does."""
    facts = resource.facts
    identifier = facts["DBInstanceIdentifier"]
    snapshot, copy = f"{identifier}-before-new-key", f"{identifier}-for-new-key"
    subnets = facts["DBSubnetGroup"]
    return (
        guidance.command(
            resource,
            "create-db-snapshot",
            {"db-instance-identifier": identifier, "db-snapshot-identifier": snapshot},
        ),
        guidance.command(resource, "wait db-snapshot-available", {"db-snapshot-identifier": snapshot}),
        _copied_snapshot(resource, snapshot, copy, key),
        guidance.command(resource, "wait db-snapshot-available", {"db-snapshot-identifier": copy}),
        guidance.command(
            resource,
            "restore-db-instance-from-db-snapshot",
            {
                "db-instance-identifier": f"{identifier}-new-key",
                "db-snapshot-identifier": copy,
                "db-instance-class": facts["DBInstanceClass"],
                "db-subnet-group-name": subnets["DBSubnetGroupName"] if subnets else None,
                "vpc-security-group-ids": [
                    group["VpcSecurityGroupId"] for group in facts["VpcSecurityGroups"]
                ]
                or None,
                "db-parameter-group-name": facts["DBParameterGroups"][0]["DBParameterGroupName"],
                "publicly-accessible": False,
                "multi-az": facts["MultiAZ"],
                "deletion-protection": True,
                "copy-tags-to-snapshot": True,
            },
        ),
    )


def snapshot_of_instance(resource: Resource, key: str) -> tuple[str, ...]:
    """Copy a DB snapshot with a key."""
    name = resource.facts["DBSnapshotIdentifier"]
    return (_copied_snapshot(resource, name, f"{name}-new-key", key),)


def _copied_snapshot(resource: Resource, source: str, target: str, key: str) -> str:
    return guidance.command(
        resource,
        "copy-db-snapshot",
        {
            "source-db-snapshot-identifier": source,
            "target-db-snapshot-identifier": target,
            "kms-key-id": key,
            "copy-tags": True,
        },
    )


def snapshot_of_cluster(resource: Resource, key: str) -> tuple[str, ...]:
    """Copy a cluster snapshot with a key.

    "If you copy an unencrypted DB cluster snapshot and specify a value for the KmsKeyId parameter, an error is
    returned" (CopyDBClusterSnapshot), and where the key is AWS's, StorageEncrypted is false as well: that one is
    restored with a key to a cluster without instances, and a snapshot taken of it.
    """
    facts: Mapping[str, Any] = resource.facts
    name = facts["DBClusterSnapshotIdentifier"]
    if facts["StorageEncryptionType"] != "sse-rds":
        return (
            guidance.command(
                resource,
                "copy-db-cluster-snapshot",
                {
                    "source-db-cluster-snapshot-identifier": name,
                    "target-db-cluster-snapshot-identifier": f"{name}-new-key",
                    "kms-key-id": key,
                    "copy-tags": True,
                },
            ),
        )
    temporary = f"{name[:50].rstrip('-')}-new-key"
    multi_az = facts["Engine"] in engines.MULTI_AZ_CLUSTER
    return (
        guidance.command(
            resource,
            "restore-db-cluster-from-snapshot",
            {
                "db-cluster-identifier": temporary,
                "snapshot-identifier": name,
                "engine": facts["Engine"],
                "engine-version": facts["EngineVersion"],
                "kms-key-id": key,
                "db-subnet-group-name": "YOUR-PRIVATE-SUBNETS",
                "vpc-security-group-ids": "YOUR-CLOSED-SECURITY-GROUP",
                # "Valid for: Multi-AZ DB clusters only", which has no volume without instances.
                "db-cluster-instance-class": "db.m6gd.large" if multi_az else None,
                "publicly-accessible": False if multi_az else None,
                "deletion-protection": False,
            },
        ),
        guidance.command(resource, "wait db-cluster-available", {"db-cluster-identifier": temporary}),
        guidance.command(
            resource,
            "create-db-cluster-snapshot",
            {"db-cluster-identifier": temporary, "db-cluster-snapshot-identifier": f"{name}-new-key"},
        ),
        guidance.command(
            resource,
            "wait db-cluster-snapshot-available",
            {"db-cluster-snapshot-identifier": f"{name}-new-key"},
        ),
        guidance.command(
            resource,
            "describe-db-cluster-snapshots",
            {
                "db-cluster-snapshot-identifier": f"{name}-new-key",
                "query": "DBClusterSnapshots[].[StorageEncryptionType,KmsKeyId]",
            },
        ),
        guidance.command(
            resource, "delete-db-cluster", {"db-cluster-identifier": temporary, "skip-final-snapshot": True}
        ),
    )
