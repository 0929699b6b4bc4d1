"""How each control's resource drifts: made as it should be, then changed by API calls that anybody might make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stack import fleet
from stack.deployed import BACKUP_ACCOUNT, STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.deployed import Deployed

    Seed = Callable[[Deployed, str], str]
    Drift = Callable[[Deployed, str], Any]

_LOGIN = {"MasterUsername": "steward", "MasterUserPassword": "correct-horse-battery"}
_INSTANCE = {
    "Engine": "postgres",
    "EngineVersion": "16.6",
    "DBInstanceClass": "db.m6g.large",
    "AllocatedStorage": 20,
    **_LOGIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drift: `seed` makes what it happens to and gives the ARN that is judged, `drift` is somebody's calls."""

    control: str
    seed: Seed
    drift: Drift
    writes: tuple[str, ...] = ()
    """The calls that put it right; none where a person must."""
    left: str = ""
    """A word of what a person is told to do in the end, where what Warden writes is only a part of the way."""
    seeded: bool = True
    """Whether `seed` makes the resource itself; else the drift does."""

    @property
    def name(self) -> str:
        """Of what the drift happens to."""
        return self.control.replace("_", "-")[:40].rstrip("-")


def _rds(operation: str, identifier: str, **parameters: Any) -> Drift:
    """A call to RDS that names the resource by one of its parameters."""
    return lambda stack, name: getattr(stack.client("rds"), operation)(**{identifier: name}, **parameters)


def _modify_cluster(**changes: Any) -> Drift:
    return _rds("modify_db_cluster", "DBClusterIdentifier", ApplyImmediately=True, **changes)


def _modify_instance(**changes: Any) -> Drift:
    return _rds("modify_db_instance", "DBInstanceIdentifier", ApplyImmediately=True, **changes)


def _create_instance(**settings: Any) -> Drift:
    return _rds("create_db_instance", "DBInstanceIdentifier", **{**_INSTANCE, **settings})


def _set_in_cluster_group(**values: str) -> Drift:
    parameters = fleet.as_parameters({name.replace("__", "."): value for name, value in values.items()})
    return _rds("modify_db_cluster_parameter_group", "DBClusterParameterGroupName", Parameters=parameters)


def _share_cluster_snapshot(*accounts: str) -> Drift:
    return _rds(
        "modify_db_cluster_snapshot_attribute",
        "DBClusterSnapshotIdentifier",
        AttributeName="restore",
        ValuesToAdd=list(accounts),
    )


def _share_snapshot(*accounts: str) -> Drift:
    return _rds(
        "modify_db_snapshot_attribute",
        "DBSnapshotIdentifier",
        AttributeName="restore",
        ValuesToAdd=list(accounts),
    )


def _arn(kind: str, name: str) -> str:
    return f"arn:aws:rds:eu-west-1:123456789012:{kind}:{name}"


# --- seeds --------------------------------------------------------------------------------------------------------


def _later(kind: str, prepare: Seed | None = None) -> Seed:
    """The ARN of what the drift will make, after whatever it needs was made."""

    def seed(stack: Deployed, name: str) -> str:
        if prepare is not None:
            prepare(stack, f"of-{name}")
        return _arn(kind, name)

    return seed


def _with_a_member(stack: Deployed, name: str) -> str:
    arn = fleet.cluster(stack, name)
    fleet.member(stack, f"{name}-1", name)
    return arn


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
    with stack.quietly():
        _share_cluster_snapshot(BACKUP_ACCOUNT)(stack, name)
    return arn


def _snapshot(stack: Deployed, name: str) -> str:
    fleet.legacy_instance(stack, f"of-{name}")
    return fleet.snapshot(stack, name, f"of-{name}")


def _shared_snapshot(stack: Deployed, name: str) -> str:
    fleet.instance(stack, f"of-{name}")
    arn = fleet.snapshot(stack, name, f"of-{name}")
    with stack.quietly():
        _share_snapshot(BACKUP_ACCOUNT)(stack, name)
    return arn


def _global_cluster(stack: Deployed, name: str) -> str:
    return fleet.global_cluster(stack, name, fleet.cluster(stack, f"of-{name}"))


def _restorable(stack: Deployed, name: str) -> str:
    fleet.legacy_cluster(stack, name)
    return fleet.cluster_snapshot(stack, f"from-{name}", name)


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
        seed=_later("cluster-snapshot", fleet.legacy_cluster),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").create_db_cluster_snapshot(
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
    Case(
        control="cluster_storage_encrypted",
        seed=_later("cluster", _restorable),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name, SnapshotIdentifier=f"from-of-{name}", Engine="aurora-postgresql"
        ),
    ),
    Case(
        control="cluster_tls_enforced",
        seed=_with_a_member,
        drift=_set_in_cluster_group(rds__force_ssl="0"),
        writes=("ModifyDBClusterParameterGroup",),
    ),
    Case(
        control="db_snapshot_encrypted",
        seed=_later("snapshot", fleet.legacy_instance),
        seeded=False,
        drift=lambda stack, name: stack.client("rds").create_db_snapshot(
            DBSnapshotIdentifier=name, DBInstanceIdentifier=f"of-{name}"
        ),
        writes=("CopyDBSnapshot",),
        left="delete",
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
        drift=_rds("modify_global_cluster", "GlobalClusterIdentifier", DeletionProtection=False),
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
        drift=_rds("modify_db_instance", "DBInstanceIdentifier", PubliclyAccessible=True),
        writes=("ModifyDBInstance",),
    ),
    Case(
        control="instance_storage_encrypted",
        seed=_later("db"),
        seeded=False,
        drift=_create_instance(),
    ),
)

CASES = {case.control: case for case in _CASES}
