"""How each control's resource drifts: made as it should be, then changed by API calls that anybody might make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stack import fleet
from stack.deployed import BACKUP_ACCOUNT, STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.deployed import Deployed


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drift: `seed` makes what it happens to and returns the ARN that will be judged, `drift` makes the calls."""

    control: str
    seed: Callable[[Deployed, str], str]
    drift: Callable[[Any, str], Any]
    """Given an RDS client and the name of what was seeded."""
    writes: tuple[str, ...] = ()
    """The calls that put it right; none where a person must."""
    stays: bool = False
    """Whether what Warden writes cannot make the resource itself compliant, so that a ticket ends it."""

    @property
    def name(self) -> str:
        """Of what the drift happens to: one resource for each case."""
        return self.control.replace("_", "-")[:40].rstrip("-")


def _modify_cluster(**changes: Any) -> Callable[[Any, str], Any]:
    return lambda rds, name: rds.modify_db_cluster(DBClusterIdentifier=name, ApplyImmediately=True, **changes)


def _modify_instance(**changes: Any) -> Callable[[Any, str], Any]:
    return lambda rds, name: rds.modify_db_instance(
        DBInstanceIdentifier=name, ApplyImmediately=True, **changes
    )


def _share_cluster_snapshot(*accounts: str) -> Callable[[Any, str], Any]:
    return lambda rds, name: rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=list(accounts)
    )


def _share_snapshot(*accounts: str) -> Callable[[Any, str], Any]:
    return lambda rds, name: rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=list(accounts)
    )


def _tls_off(rds: Any, name: str) -> None:
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=name,
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}],
    )


def _with_a_member(stack: Deployed, name: str) -> str:
    arn = fleet.cluster(stack, name)
    fleet.member(stack, f"{name}-1", name)
    return arn


def _public_member(rds: Any, name: str) -> None:
    rds.modify_db_instance(DBInstanceIdentifier=name, PubliclyAccessible=True)


def _member_of_a_cluster(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    return fleet.member(stack, name, f"of-{name}")


def _cluster_snapshot(stack: Deployed, name: str) -> str:
    # An encrypted snapshot cannot be made public.
    fleet.legacy_cluster(stack, f"of-{name}")
    return fleet.cluster_snapshot(stack, name, f"of-{name}")


def _shared_cluster_snapshot(stack: Deployed, name: str) -> str:
    fleet.cluster(stack, f"of-{name}")
    arn = fleet.cluster_snapshot(stack, name, f"of-{name}")
    with stack.quietly() as rds:
        _share_cluster_snapshot(BACKUP_ACCOUNT)(rds, name)
    return arn


def _snapshot(stack: Deployed, name: str) -> str:
    fleet.legacy_instance(stack, f"of-{name}")
    return fleet.snapshot(stack, name, f"of-{name}")


def _shared_snapshot(stack: Deployed, name: str) -> str:
    fleet.instance(stack, f"of-{name}")
    arn = fleet.snapshot(stack, name, f"of-{name}")
    with stack.quietly() as rds:
        _share_snapshot(BACKUP_ACCOUNT)(rds, name)
    return arn


def _global_cluster(stack: Deployed, name: str) -> str:
    return fleet.global_cluster(stack, name, fleet.cluster(stack, f"of-{name}"))


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:rds:eu-west-1:123456789012:{kind}:{name}"


def _restored_later(stack: Deployed, name: str) -> str:
    fleet.legacy_cluster(stack, f"of-{name}")
    fleet.cluster_snapshot(stack, f"from-{name}", f"of-{name}")
    return _arn("cluster", name)


def _restore(rds: Any, name: str) -> None:
    rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier=name, SnapshotIdentifier=f"from-{name}", Engine="aurora-postgresql"
    )


def _cluster_snapshot_later(stack: Deployed, name: str) -> str:
    fleet.legacy_cluster(stack, f"of-{name}")
    return _arn("cluster-snapshot", name)


def _snapshot_later(stack: Deployed, name: str) -> str:
    fleet.legacy_instance(stack, f"of-{name}")
    return _arn("snapshot", name)


def _create_unencrypted(rds: Any, name: str) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.m6g.large",
        AllocatedStorage=20,
        MasterUsername="steward",
        MasterUserPassword="correct-horse-battery",
    )


_CASES = (
    Case(
        control="cluster_backup_retention_sufficient",
        seed=fleet.cluster,
        drift=_modify_cluster(BackupRetentionPeriod=1),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_deletion_protection_enabled",
        seed=fleet.cluster,
        drift=_modify_cluster(DeletionProtection=False),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_iam_authentication_enabled",
        seed=_with_a_member,
        drift=_modify_cluster(EnableIAMDatabaseAuthentication=False),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_log_exports_complete",
        seed=fleet.cluster,
        drift=_modify_cluster(
            CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql", "iam-db-auth-error"]}
        ),
        writes=("ModifyDBCluster",),
    ),
    Case(
        control="cluster_snapshot_encrypted",
        seed=_cluster_snapshot_later,
        drift=lambda rds, name: rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=name, DBClusterIdentifier=f"of-{name}"
        ),
    ),
    Case(
        control="cluster_snapshot_not_public",
        seed=_cluster_snapshot,
        drift=_share_cluster_snapshot("all"),
        writes=("ModifyDBClusterSnapshotAttribute",),
    ),
    Case(
        control="cluster_snapshot_shares_approved",
        seed=_shared_cluster_snapshot,
        drift=_share_cluster_snapshot(STRANGER),
        writes=("ModifyDBClusterSnapshotAttribute",),
    ),
    Case(control="cluster_storage_encrypted", seed=_restored_later, drift=_restore),
    Case(
        control="cluster_tls_enforced",
        seed=_with_a_member,
        drift=_tls_off,
        writes=("ModifyDBClusterParameterGroup",),
    ),
    Case(
        control="db_snapshot_encrypted",
        seed=_snapshot_later,
        drift=lambda rds, name: rds.create_db_snapshot(
            DBSnapshotIdentifier=name, DBInstanceIdentifier=f"of-{name}"
        ),
        writes=("CopyDBSnapshot",),
        stays=True,
    ),
    Case(
        control="db_snapshot_not_public",
        seed=_snapshot,
        drift=_share_snapshot("all"),
        writes=("ModifyDBSnapshotAttribute",),
    ),
    Case(
        control="db_snapshot_shares_approved",
        seed=_shared_snapshot,
        drift=_share_snapshot(STRANGER),
        writes=("ModifyDBSnapshotAttribute",),
    ),
    Case(
        control="global_cluster_deletion_protection_enabled",
        seed=_global_cluster,
        drift=lambda rds, name: rds.modify_global_cluster(
            GlobalClusterIdentifier=name, DeletionProtection=False
        ),
        writes=("ModifyGlobalCluster",),
    ),
    Case(
        control="instance_backup_retention_sufficient",
        seed=fleet.instance,
        drift=_modify_instance(BackupRetentionPeriod=1),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_deletion_protection_enabled",
        seed=fleet.instance,
        drift=_modify_instance(DeletionProtection=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_iam_authentication_enabled",
        seed=fleet.instance,
        drift=_modify_instance(EnableIAMDatabaseAuthentication=False),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_log_exports_complete",
        seed=fleet.instance,
        drift=_modify_instance(CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]}),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_not_publicly_accessible",
        seed=_member_of_a_cluster,
        drift=_public_member,
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_storage_encrypted",
        seed=lambda _, name: _arn("db", name),
        drift=_create_unencrypted,
    ),
)

CASES = {case.control: case for case in _CASES}
