"""The yardstick: the fewest calls that plain boto3 needs for the ten kinds of drift, with eight threads.

    AWS_ENDPOINT_URL=... python tools/benchmark/yardstick.py

It is no product: it judges without a policy, an exemption, a fault or a reason, and prints what it found. A list takes
one call for each hundred items. Of parameter groups, those in use that are not the default are asked for what was set
in them; of the default ones it is known that they switch TLS off. AWS has no bulk call for the shares of a snapshot.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

import boto3

_THREADS = 8
_DAYS = 35
_LOGS = {"aurora-postgresql": {"postgresql"}, "aurora-mysql": {"audit", "error", "slowquery"}}
_SECRETS = "prod/db/"
_EVERYWHERE = IPv4Network("0.0.0.0/0")

Found = list[tuple[str, str]]
make: Any = boto3.client


def every(client: Any, operation: str, member: str, **asked: Any) -> list[dict[str, Any]]:
    """All items of a list."""
    pages = client.get_paginator(operation).paginate(**asked)
    return [item for page in pages for item in page[member]]


def clusters(rds: Any, pool: ThreadPoolExecutor) -> Found:
    """Six kinds of drift, from one list and the groups that it names."""
    items = every(rds, "describe_db_clusters", "DBClusters")
    groups = sorted({item["DBClusterParameterGroup"] for item in items})
    custom = [group for group in groups if not group.startswith("default.")]
    on = dict(zip(custom, pool.map(lambda group: forces_tls(rds, group), custom), strict=True))
    found: Found = []
    for item in items:
        wrong = {
            "cluster_deletion_protection_enabled": not item["DeletionProtection"],
            "cluster_backup_retention_sufficient": item["BackupRetentionPeriod"] < _DAYS,
            "cluster_iam_authentication_enabled": not item["IAMDatabaseAuthenticationEnabled"],
            "cluster_log_exports_complete": bool(
                _LOGS[item["Engine"]] - set(item.get("EnabledCloudwatchLogsExports", ()))
            ),
            "cluster_storage_encrypted": not item["StorageEncrypted"],
            "cluster_tls_enforced": not on.get(item["DBClusterParameterGroup"], False),
        }
        found += [(control, item["DBClusterIdentifier"]) for control, is_wrong in wrong.items() if is_wrong]
    return found


def forces_tls(rds: Any, group: str) -> bool:
    """Whether TLS is switched on in a custom group."""
    asked = {"DBClusterParameterGroupName": group, "Source": "user"}
    return any(
        item["ParameterName"] in {"rds.force_ssl", "require_secure_transport"}
        and item.get("ParameterValue", "").upper() in {"1", "ON"}
        for item in every(rds, "describe_db_cluster_parameters", "Parameters", **asked)
    )


def instances(rds: Any) -> Found:
    """Instances with a public address."""
    return [
        ("instance_not_publicly_accessible", item["DBInstanceIdentifier"])
        for item in every(rds, "describe_db_instances", "DBInstances")
        if item["PubliclyAccessible"]
    ]


def snapshots(rds: Any, pool: ThreadPoolExecutor) -> Found:
    """Manual snapshots that everybody may restore."""

    def is_public(name: str) -> bool:
        answer = rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
        attributes = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
        return any("all" in one["AttributeValues"] for one in attributes if one["AttributeName"] == "restore")

    listed = every(rds, "describe_db_cluster_snapshots", "DBClusterSnapshots", SnapshotType="manual")
    names = [item["DBClusterSnapshotIdentifier"] for item in listed]
    public = zip(names, pool.map(is_public, names), strict=True)
    return [("cluster_snapshot_not_public", name) for name, is_wrong in public if is_wrong]


def security_groups(ec2: Any) -> Found:
    """Groups whose rules, taken together, let everybody in."""
    found: Found = []
    for group in every(
        ec2, "describe_security_groups", "SecurityGroups", PaginationConfig={"PageSize": 1000}
    ):
        ranges = [
            IPv4Network(one["CidrIp"]) for rule in group["IpPermissions"] for one in rule.get("IpRanges", ())
        ]
        if _EVERYWHERE in collapse_addresses(ranges):
            found.append(("security_group_not_open_to_world", group["GroupId"]))
    return found


def secrets(manager: Any) -> Found:
    """Secrets of databases that are not rotated."""
    return [
        ("secret_rotation_enabled", item["ARN"].rpartition(":")[2])
        for item in every(manager, "list_secrets", "SecretList", PaginationConfig={"PageSize": 100})
        if item["Name"].startswith(_SECRETS) and not item.get("RotationEnabled")
    ]


def main() -> None:
    """Print what is wrong."""
    rds, ec2, manager = make("rds"), make("ec2"), make("secretsmanager")
    with ThreadPoolExecutor(_THREADS) as pool, ThreadPoolExecutor(_THREADS) as lists:
        running = [
            lists.submit(clusters, rds, pool),
            lists.submit(instances, rds),
            lists.submit(snapshots, rds, pool),
            lists.submit(security_groups, ec2),
            lists.submit(secrets, manager),
        ]
        print(json.dumps([found for one in running for found in one.result()]))


if __name__ == "__main__":
    main()
