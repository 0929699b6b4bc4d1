"""Random fleets whose truth is known: what a scan of them has to find, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

PASSWORD = "correct-horse-battery"

JUDGED = (
    "cluster_backup_retention_sufficient",
    "cluster_deletion_protection_enabled",
    "cluster_iam_authentication_enabled",
    "cluster_log_exports_complete",
    "cluster_snapshot_not_public",
    "cluster_snapshot_shares_approved",
    "cluster_storage_encrypted",
    "db_snapshot_encrypted",
    "db_snapshot_not_public",
    "db_snapshot_shares_approved",
    "instance_backup_retention_sufficient",
    "instance_deletion_protection_enabled",
    "instance_iam_authentication_enabled",
    "instance_log_exports_complete",
    "instance_not_publicly_accessible",
    "instance_storage_encrypted",
)
"""The controls whose facts moto holds, and about which its answers are AWS's."""

_CLUSTER_LOGS = {
    "aurora-postgresql": ["postgresql"],
    "aurora-mysql": ["audit", "error", "slowquery"],
}
_INSTANCE_LOGS = {
    "postgres": ["postgresql", "upgrade"],
    "mysql": ["error", "slowquery"],
    "mariadb": ["error", "slowquery"],
}
_APPROVED = "210987654321"
_STRANGERS = ("111122223333", "444455556666")
_RETENTIONS = (1, 7, 34, 35)

POLICY = f"""
version = 1
[defaults]
mode = "remediate"
[baseline]
approved_accounts = ["{_APPROVED}"]
[controls.cluster_backup_retention_sufficient]
minimum_days = 35
[controls.instance_backup_retention_sufficient]
minimum_days = 35
[controls.cluster_log_exports_complete.required]
aurora-postgresql = ["postgresql"]
aurora-mysql = ["audit", "error", "slowquery"]
[controls.instance_log_exports_complete.required]
postgres = ["postgresql", "upgrade"]
mysql = ["error", "slowquery"]
mariadb = ["error", "slowquery"]
"""
"""A policy that asks for what the fleets toss coins about: no log type that only some versions have."""


@dataclass(slots=True)
class Fleet:
    """A random fleet, and what is wrong with it."""

    rds: Any
    random: Random
    corrected: bool
    """Whether the AWS encrypts clusters unasked, as AWS does and moto does not."""
    wrong: set[tuple[str, str]] = field(default_factory=set)
    """Control and name of everything that a scan has to find, and of nothing else."""

    def flip(self, share: float = 0.5) -> bool:
        """Toss a coin."""
        return self.random.random() < share

    def check(self, control: str, name: str, *, holds: bool) -> None:
        """Note what a scan has to find."""
        if not holds:
            self.wrong.add((control, name))

    def seed(self, size: int) -> None:
        """Make so many clusters and so many instances, with members and snapshots."""
        for number in range(size):
            self._cluster(f"c{number}")
            self._instance(f"i{number}")

    def _settings(self) -> dict[str, Any]:
        return {
            "MasterUsername": "steward",
            "MasterUserPassword": PASSWORD,
            "BackupRetentionPeriod": self.random.choice(_RETENTIONS),
            "DeletionProtection": self.flip(),
            "EnableIAMDatabaseAuthentication": self.flip(),
        }

    def _check_settings(self, word: str, name: str, settings: dict[str, Any]) -> None:
        retention, protected = settings["BackupRetentionPeriod"], settings["DeletionProtection"]
        iam = settings["EnableIAMDatabaseAuthentication"]
        self.check(f"{word}_backup_retention_sufficient", name, holds=retention >= 35)
        self.check(f"{word}_deletion_protection_enabled", name, holds=protected)
        self.check(f"{word}_iam_authentication_enabled", name, holds=iam)

    def _logs(self, required: list[str]) -> tuple[list[str], bool]:
        exported = [name for name in required if self.flip(0.7)]
        return exported, exported == required

    def _cluster(self, name: str) -> None:
        settings = self._settings()
        if self.flip(0.15):
            # Another product's: nothing of it is judged.
            del settings["EnableIAMDatabaseAuthentication"]
            self.rds.create_db_cluster(DBClusterIdentifier=name, Engine="neptune", **settings)
            return
        engine = self.random.choice(sorted(_CLUSTER_LOGS))
        version = "16.3" if engine == "aurora-postgresql" else "8.0.mysql_aurora.3.08.0"
        encrypted = self.flip()
        logs, complete = self._logs(_CLUSTER_LOGS[engine])
        self.rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine=engine,
            EngineVersion=version,
            StorageEncrypted=encrypted,
            EnableCloudwatchLogsExports=logs,
            **settings,
        )
        self._check_settings("cluster", name, settings)
        self.check("cluster_log_exports_complete", name, holds=complete)
        self.check("cluster_storage_encrypted", name, holds=encrypted or self.corrected)
        for number in range(self.random.randrange(3)):
            self._member(f"{name}-{number}", name, engine)
        for number in range(self.random.randrange(3)):
            self._snapshot(f"{name}-s{number}", "cluster", name, encrypted=encrypted or self.corrected)

    def _member(self, name: str, cluster: str, engine: str) -> None:
        public = self.flip(0.3)
        self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=cluster,
            Engine=engine,
            DBInstanceClass="db.r6g.large",
            PubliclyAccessible=public,
        )
        self.check("instance_not_publicly_accessible", name, holds=not public)

    def _instance(self, name: str) -> None:
        engine = self.random.choice(sorted(_INSTANCE_LOGS))
        version = {"postgres": "16.3", "mysql": "8.0.40", "mariadb": "10.11.9"}[engine]
        settings, encrypted, public = self._settings(), self.flip(), self.flip()
        logs, complete = self._logs(_INSTANCE_LOGS[engine])
        self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine=engine,
            EngineVersion=version,
            DBInstanceClass="db.m6g.large",
            AllocatedStorage=20,
            StorageEncrypted=encrypted,
            PubliclyAccessible=public,
            EnableCloudwatchLogsExports=logs,
            **settings,
        )
        self._check_settings("instance", name, settings)
        self.check("instance_log_exports_complete", name, holds=complete)
        self.check("instance_storage_encrypted", name, holds=encrypted)
        self.check("instance_not_publicly_accessible", name, holds=not public)
        for number in range(self.random.randrange(3)):
            self._snapshot(f"{name}-s{number}", "db", name, encrypted=encrypted)
            self.check("db_snapshot_encrypted", f"{name}-s{number}", holds=encrypted)

    def _snapshot(self, name: str, word: str, of: str, *, encrypted: bool) -> None:
        """A manual snapshot, shared with some: what is encrypted cannot be public."""
        accounts = [one for one in (_APPROVED, *_STRANGERS) if self.flip(0.3)]
        public = not encrypted and self.flip()
        if word == "cluster":
            self.rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=of)
            share, identifier = self.rds.modify_db_cluster_snapshot_attribute, "DBClusterSnapshotIdentifier"
        else:
            self.rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=of)
            share, identifier = self.rds.modify_db_snapshot_attribute, "DBSnapshotIdentifier"
        shared = accounts + (["all"] if public else [])
        if shared:
            share(**{identifier: name}, AttributeName="restore", ValuesToAdd=shared)
        self.check(f"{word}_snapshot_not_public", name, holds=not public)
        self.check(f"{word}_snapshot_shares_approved", name, holds=not set(accounts) & set(_STRANGERS))
