"""The drifts of the demo, each a few plain API calls by somebody, and how each has to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.demo import approver, undoer
from console.demo.fleet import ALICE, BOB, CAROL, CI, STRANGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.local.identity import UserIdentity
    from console.local.stack import LocalStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One drift: who does what, and which findings must then be in which state."""

    title: str
    who: UserIdentity
    does: Callable[[LocalStack], Any]
    ends: dict[str, str]
    """The workflow status that the finding of each control must end with."""
    note: str = ""
    """What to watch for."""
    later: Callable[[LocalStack], Any] | None = None
    """What happens an hour later, where the scene goes on."""
    later_note: str = ""
    later_ends: dict[str, str] | None = None


def _exports_off(stack: LocalStack) -> None:
    stack.client("rds").modify_db_cluster(
        DBClusterIdentifier="game-log",
        CloudwatchLogsExportConfiguration={"DisableLogTypes": ["audit", "slowquery"]},
    )


def _exports_taken_back(stack: LocalStack) -> None:
    undoer.take_back(
        stack, CAROL, "cluster_log_exports_complete", reason="The audit log fills the disk until Friday"
    )


def _public(stack: LocalStack) -> None:
    stack.client("rds").modify_db_instance(
        DBInstanceIdentifier="audit-trail-reader-2", PubliclyAccessible=True
    )


def _shared_with_the_world(stack: LocalStack) -> None:
    stack.client("rds").modify_db_snapshot_attribute(
        DBSnapshotIdentifier="billing-before-upgrade",
        AttributeName="restore",
        ValuesToAdd=["all", STRANGER],
    )


def _tls_approved(stack: LocalStack) -> None:
    approver.approve(stack, CAROL, "cluster_tls_enforced", reason="Every client connects with TLS by now")


def _protection_off(stack: LocalStack) -> None:
    stack.client("rds").modify_db_cluster(
        DBClusterIdentifier="audit-trail",
        DeletionProtection=False,
        BackupRetentionPeriod=1,
        ApplyImmediately=True,
    )


def _tls_off(stack: LocalStack) -> None:
    stack.client("rds").modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="audit-trail-pg16",
        Parameters=[
            {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"},
        ],
    )


def _unencrypted_snapshot(stack: LocalStack) -> None:
    stack.client("rds").create_db_snapshot(
        DBSnapshotIdentifier="billing-before-upgrade", DBInstanceIdentifier="billing-legacy"
    )


def _staging_protection_off(stack: LocalStack) -> None:
    stack.client("rds").modify_db_cluster(DBClusterIdentifier="staging", DeletionProtection=False)


def _iam_off_while_a_change_waits(stack: LocalStack) -> None:
    rds = stack.client("rds")
    rds.modify_db_cluster(
        DBClusterIdentifier="game-log", EnableIAMDatabaseAuthentication=False, ApplyImmediately=True
    )
    stack.aws.rds.settle()
    rds.modify_db_instance(DBInstanceIdentifier="game-log-reader", DBInstanceClass="db.r6g.xlarge")


def _window(stack: LocalStack) -> None:
    stack.aws.rds.maintenance_window()
    stack.runtime.advance(3600)


SCENES = (
    Scene(
        title="alice switches off the audit log of game-log",
        who=ALICE,
        does=_exports_off,
        ends={"cluster_log_exports_complete": "RESOLVED"},
    ),
    Scene(
        title="the owner of game-log takes that fix back: `warden undo`",
        who=CAROL,
        does=_exports_taken_back,
        note="the values of before are in the ledger; what is taken back is left alone for a week",
        ends={"cluster_log_exports_complete": "SUPPRESSED"},
    ),
    Scene(
        title="bob opens a reader of the audit trail to the Internet",
        who=BOB,
        does=_public,
        ends={"instance_not_publicly_accessible": "RESOLVED"},
    ),
    Scene(
        title="the deployment pipeline takes protection and backups off audit-trail",
        who=CI,
        does=_protection_off,
        note="two findings, one ModifyDBCluster",
        ends={
            "cluster_deletion_protection_enabled": "RESOLVED",
            "cluster_backup_retention_sufficient": "RESOLVED",
        },
    ),
    Scene(
        title="bob takes an unencrypted snapshot of the old billing database",
        who=BOB,
        does=_unencrypted_snapshot,
        note="an encrypted copy is made; the original stays, and a person decides about it",
        ends={"db_snapshot_encrypted": "NOTIFIED"},
    ),
    Scene(
        title="alice shares that snapshot with the world, and with an account that nobody knows",
        who=ALICE,
        does=_shared_with_the_world,
        note="the door to the world is closed at once; taking the share away might hurt somebody: Warden asks",
        ends={"db_snapshot_not_public": "RESOLVED", "db_snapshot_shares_approved": "NOTIFIED"},
    ),
    Scene(
        title="alice lets clients connect to audit-trail without TLS",
        who=ALICE,
        does=_tls_off,
        note="enforcing TLS can cut off clients: Warden asks first, with the exact plan",
        ends={"cluster_tls_enforced": "NOTIFIED"},
        later=_tls_approved,
        later_note="carol, who owns the database, runs `warden approve`: once, for exactly these calls",
        later_ends={"cluster_tls_enforced": "RESOLVED"},
    ),
    Scene(
        title="the nightly job takes protection off staging",
        who=CI,
        does=_staging_protection_off,
        note="the policy exempts it, with an owner, a reason and a last day",
        ends={"cluster_deletion_protection_enabled": "SUPPRESSED"},
    ),
    Scene(
        title="alice turns IAM authentication off on game-log, and queues a bigger reader for tonight",
        who=ALICE,
        does=_iam_off_while_a_change_waits,
        note="fixing it now would also restart the reader now: Warden waits",
        ends={"cluster_iam_authentication_enabled": "NEW"},
        later=_window,
        later_note="the maintenance window has passed, and the queued change with it",
        later_ends={"cluster_iam_authentication_enabled": "RESOLVED"},
    ),
)
