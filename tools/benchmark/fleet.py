"""A fleet whose truth is known: clusters with members, snapshots, groups, keys and secrets, and ten kinds of drift.

    python -m tools.benchmark.fleet http://127.0.0.1:5000 200 truth.json

The same seed makes the same fleet. What is wrong with it is noted while it is made, and never read back.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Sequence

REGION = "eu-west-1"
CREDENTIALS = {
    "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key": "secret",
    "region_name": REGION,
}
PASSWORD = "correct-horse-battery"  # noqa: S105 - of databases that do not exist
SECRETS = "prod/db/"
CONTROLS = (
    "cluster_deletion_protection_enabled",
    "cluster_backup_retention_sufficient",
    "cluster_iam_authentication_enabled",
    "cluster_log_exports_complete",
    "cluster_storage_encrypted",
    "cluster_tls_enforced",
    "cluster_snapshot_not_public",
    "instance_not_publicly_accessible",
    "security_group_not_open_to_world",
    "secret_rotation_enabled",
)
"""The ten kinds of drift."""

_ENGINES = {
    "aurora-postgresql": ("16.6", "aurora-postgresql16", "rds.force_ssl", 5432, ["postgresql"]),
    "aurora-mysql": (
        "8.0.mysql_aurora.3.08.0",
        "aurora-mysql8.0",
        "require_secure_transport",
        3306,
        ["audit", "error", "slowquery"],
    ),
}
_CUSTOM_GROUPS, _SNAPSHOTS, _SECOND_MEMBERS = 0.186, 0.714, 0.5
_ENOUGH_DAYS = 35
_CLUSTERS_PER_KEY, _CLUSTERS_PER_SECURITY_GROUP = 20, 10
_HALVES = [{"CidrIp": "0.0.0.0/1"}, {"CidrIp": "128.0.0.0/1"}]


@dataclass(slots=True)
class Fleet:
    """The fleet behind an endpoint, and what is wrong with it."""

    endpoint: str
    size: int
    random: Random = field(default_factory=lambda: Random(2026))  # noqa: S311 - repeatable, not secret
    wrong: set[tuple[str, str]] = field(default_factory=set)
    """Control and name of what a scan has to find, and of nothing else."""
    groups: int = 0
    """Custom parameter groups in use."""
    snapshots: int = 0
    """Manual snapshots."""
    own: set[str] = field(default_factory=set)
    """The ids of its keys and security groups."""
    _clients: dict[str, Any] = field(default_factory=dict)

    def seed(self) -> None:
        """Make it."""
        ec2 = self._client("ec2")
        keys = [self._key() for _ in range(-(-self.size // _CLUSTERS_PER_KEY))]
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = [item["SubnetId"] for item in ec2.describe_subnets()["Subnets"]]
        self._rds.create_db_subnet_group(
            DBSubnetGroupName="private", DBSubnetGroupDescription="private", SubnetIds=subnets
        )
        guards: dict[str, list[str]] = {
            engine: [
                self._guard(ec2, vpc, f"{engine}-{number}", parts[3])
                for number in range(-(-self.size // (2 * _CLUSTERS_PER_SECURITY_GROUP)))
            ]
            for engine, parts in _ENGINES.items()
        }
        for number in range(self.size):
            engine = self.random.choice(sorted(_ENGINES))
            guard = guards[engine][number % len(guards[engine])]
            self._cluster(f"c{number:05}", engine, keys[number % len(keys)], guard)
            self._secret(f"{SECRETS}c{number:05}")

    def to_json(self) -> dict[str, Any]:
        """What a judge of the scans must know."""
        return {
            "size": self.size,
            "custom_groups": self.groups,
            "manual_snapshots": self.snapshots,
            "wrong": sorted(self.wrong),
            "own": sorted(self.own),
        }

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            make: Any = boto3.client
            self._clients[service] = make(service, endpoint_url=self.endpoint, **CREDENTIALS)
        return self._clients[service]

    @property
    def _rds(self) -> Any:
        return self._client("rds")

    def _flip(self, share: float) -> bool:
        return self.random.random() < share

    def _check(self, control: str, name: str, *, holds: bool) -> None:
        if not holds:
            self.wrong.add((control, name))

    def _key(self) -> str:
        made = self._client("kms").create_key()["KeyMetadata"]
        self.own.add(made["KeyId"])
        return str(made["Arn"])

    def _guard(self, ec2: Any, vpc: str, name: str, port: int) -> str:
        group = str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])
        self.own.add(group)
        way = self.random.choice(("private", "private", "private", "world", "halves"))
        ranges = {
            "private": [{"CidrIp": "10.0.0.0/8"}],
            "world": [{"CidrIp": "0.0.0.0/0"}],
            "halves": _HALVES,
        }
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges[way]}],
        )
        if way != "private":
            self.wrong.add(("security_group_not_open_to_world", group))
        return group

    def _secret(self, name: str) -> None:
        manager = self._client("secretsmanager")
        made = manager.create_secret(Name=name, SecretString="{}")
        rotated = self._flip(0.9)
        if rotated:
            manager.rotate_secret(
                SecretId=name,
                RotationRules={"AutomaticallyAfterDays": 30},
                RotateImmediately=False,
            )
        self._check("secret_rotation_enabled", made["ARN"].rpartition(":")[2], holds=rotated)

    def _cluster(self, name: str, engine: str, key: str, guard: str) -> None:
        version, family, switch, port, wanted = _ENGINES[engine]
        encrypted, protected, iam = self._flip(0.95), self._flip(0.9), self._flip(0.9)
        retention = self.random.choice((35, 35, 35, 35, 34, 7))
        logs = wanted if self._flip(0.9) else wanted[:-1]
        self._rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine=engine,
            EngineVersion=version,
            Port=port,
            MasterUsername="steward",
            MasterUserPassword=PASSWORD,
            StorageEncrypted=encrypted,
            **({"KmsKeyId": key} if encrypted else {}),
            BackupRetentionPeriod=retention,
            DeletionProtection=protected,
            EnableIAMDatabaseAuthentication=iam,
            EnableCloudwatchLogsExports=logs,
            VpcSecurityGroupIds=[guard],
            DBSubnetGroupName="private",
            DBClusterParameterGroupName=self._group(name, family, switch),
        )
        self._check("cluster_deletion_protection_enabled", name, holds=protected)
        self._check("cluster_backup_retention_sufficient", name, holds=retention >= _ENOUGH_DAYS)
        self._check("cluster_iam_authentication_enabled", name, holds=iam)
        self._check("cluster_log_exports_complete", name, holds=logs == wanted)
        self._check("cluster_storage_encrypted", name, holds=encrypted)
        for member in range(1 + self._flip(_SECOND_MEMBERS)):
            self._member(f"{name}-{member}", name, engine)
        if self._flip(_SNAPSHOTS):
            self._snapshot(f"{name}-s", name, encrypted=encrypted)

    def _group(self, name: str, family: str, switch: str) -> str:
        """Its own custom group, or the default one, which leaves both switches off."""
        custom, on = self._flip(_CUSTOM_GROUPS), self._flip(0.7)
        self._check("cluster_tls_enforced", name, holds=custom and on)
        if not custom:
            return f"default.{family}"
        self._rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"{name}-group", DBParameterGroupFamily=family, Description=name
        )
        value = ("1" if on else "0") if switch.startswith("rds") else ("ON" if on else "OFF")
        self._rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName=f"{name}-group",
            Parameters=[{"ParameterName": switch, "ParameterValue": value, "ApplyMethod": "immediate"}],
        )
        self.groups += 1
        return f"{name}-group"

    def _member(self, name: str, cluster: str, engine: str) -> None:
        public = self._flip(0.1)
        self._rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=cluster,
            Engine=engine,
            DBInstanceClass="db.r6g.large",
            PubliclyAccessible=public,
        )
        self._check("instance_not_publicly_accessible", name, holds=not public)

    def _snapshot(self, name: str, cluster: str, *, encrypted: bool) -> None:
        """What is encrypted cannot be public."""
        self._rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster)
        public = not encrypted and self._flip(0.7)
        if public:
            self._rds.modify_db_cluster_snapshot_attribute(
                DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"]
            )
        self.snapshots += 1
        self._check("cluster_snapshot_not_public", name, holds=not public)


def main(argv: Sequence[str] | None = None) -> int:
    """Make a fleet of the size that the command line names, and write its truth to a file."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.fleet")
    parser.add_argument("endpoint")
    parser.add_argument("size", type=int)
    parser.add_argument("truth", type=Path)
    arguments = parser.parse_args(argv)
    fleet = Fleet(arguments.endpoint, arguments.size)
    fleet.seed()
    arguments.truth.write_text(json.dumps(fleet.to_json()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
