"""Whether a database has a recovery point in AWS Backup that is recent, encrypted, and locked up where it must be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core import backup_plans, guidance
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant, not_applicable
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warden.core.resource import Resource

MAXIMUM_HOURS = Setting(
    name="maximum_hours",
    default=36,
    doc="The most hours since the newest recovery point. A daily rule may begin up to eight hours late, unless it says "
    "otherwise.",
    minimum=1,
    maximum=744,
)
REQUIRED = Setting(
    name="required",
    default=False,
    doc="Whether databases that no plan of AWS Backup selects must have a recovery point, too.",
)
LOCKED_VAULT = Setting(
    name="locked_vault",
    default=False,
    doc="Whether a recent recovery point must lie in a vault that AWS Backup Vault Lock protects.",
)
SETTINGS = (MAXIMUM_HOURS, REQUIRED, LOCKED_VAULT)

USABLE = frozenset({"COMPLETED", "AVAILABLE"})
"""The states in which one can be restored from a recovery point; AVAILABLE is that of a continuous backup, too."""


def judge(resource: Resource, settings: Mapping[str, Any], *, status: str, created: str) -> Verdict:
    """Judge the recovery points; `status` and `created` are the members of that meaning."""
    facts = resource.facts
    if facts[status] in {"stopped", "stopping", "creating"}:
        return not_applicable(f"{resource.ref.id} is {facts[status]}, and AWS Backup cannot back it up now.")
    if not settings["required"] and (verdict := _in_no_plan(resource)):
        return verdict
    since = resource.observed_at - timedelta(hours=settings["maximum_hours"])
    points = [(_moment(resource, point), point) for point in facts[Need.RECOVERY_POINTS]]
    recent = [(moment, point) for moment, point in points if moment is not None and moment >= since]
    if not recent:
        return _too_old(resource, points, created, settings["maximum_hours"])
    encrypted = [(moment, point) for moment, point in recent if point["IsEncrypted"]]
    if not encrypted:
        moment, point = max(recent, key=lambda pair: pair[0])
        return non_compliant(
            f"{resource.ref.id} has its newest recovery point, {_of(moment, point)}, not encrypted."
        )
    if settings["locked_vault"] and not (locked := [pair for pair in encrypted if pair[1]["Locked"]]):
        vaults = ", ".join(sorted({str(point["BackupVaultName"]) for _, point in encrypted}))
        return non_compliant(
            f"{resource.ref.id} has recent recovery points in {vaults} only, which Vault Lock does not protect."
        )
    moment, point = max(locked if settings["locked_vault"] else encrypted, key=lambda pair: pair[0])
    return compliant(f"{resource.ref.id} has an encrypted recovery point, {_of(moment, point)}.")


def _in_no_plan(resource: Resource) -> Verdict | None:
    """The verdict on what no plan backs up, which is another condition's to judge."""
    plans, unknown = backup_plans.selected_by(resource)
    if plans:
        return None
    if unknown:
        return insufficient_data(
            f"{resource.ref.id} may be selected by {', '.join(unknown)}: AWS Backup does not document how."
        )
    kind = "cluster" if resource.ref.resource_type is ResourceType.DB_CLUSTER else "instance"
    return not_applicable(
        f"{resource.ref.id} is in no plan of AWS Backup, which {kind}_backup_plan_covers judges."
    )


def _moment(resource: Resource, point: Mapping[str, Any]) -> datetime | None:
    """The moment that a recovery point restores; None of one that cannot be used.

    A continuous backup is one recovery point that grows: its CreationDate is that of its beginning.
    """
    if point["Status"] not in USABLE:
        return None
    moment: datetime | None = point["CreationDate"]
    if point["RecoveryPointArn"] == resource.facts["AwsBackupRecoveryPointArn"]:
        moment = resource.facts["LatestRestorableTime"]
    return moment


def _too_old(
    resource: Resource, points: list[tuple[datetime | None, Mapping[str, Any]]], created: str, hours: int
) -> Verdict:
    """What is said where nothing is recent."""
    usable = [(moment, point) for moment, point in points if moment is not None]
    if usable:
        moment, point = max(usable, key=lambda pair: pair[0])
        found = f"has its newest recovery point {_of(moment, point)}"
    else:
        found = "has no recovery point of the last weeks in AWS Backup"
    if resource.observed_at - resource.facts[created] < timedelta(hours=hours):
        return not_applicable(f"{resource.ref.id} {found}, and is younger than {hours} hours.")
    return non_compliant(f"{resource.ref.id} {found}; the policy wants one of the last {hours} hours.")


def _of(moment: datetime, point: Mapping[str, Any]) -> str:
    return f"of {moment:%Y-%m-%d %H:%M} UTC in {point['BackupVaultName']}"


def by_hand(resource: Resource) -> Manual:
    """What a person does: look why the job failed, and start one."""
    plans, _ = backup_plans.selected_by(resource)
    vaults = [rule["TargetBackupVaultName"] for plan in plans for rule in plan["Rules"]]
    role = f"arn:{resource.ref.partition}:iam::{resource.ref.account}:role/YOUR-BACKUP-ROLE"
    return Manual(
        "Look why the last jobs failed, as a rule a permission of the role, a key, or a window that is too short; then "
        "start one. A database that was put into its plan today has its first recovery point when the plan has run. "
        "Where the vault must be locked, set that up first: its lock cannot be taken back after a while.",
        (
            guidance.command(
                resource, "list-backup-jobs", {"by-resource-arn": resource.ref.arn}, service="backup"
            ),
            guidance.command(
                resource,
                "start-backup-job",
                {
                    "backup-vault-name": next(iter(vaults), "YOUR-VAULT"),
                    "resource-arn": resource.ref.arn,
                    "iam-role-arn": role,
                },
                service="backup",
            ),
        ),
    )
