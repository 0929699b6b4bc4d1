"""How long automated backups are kept, for clusters and instances alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core.control import Setting, Verdict, compliant, non_compliant
from warden.core.guard import Permit, Raises, SameAs
from warden.core.kinds import KINDS
from warden.core.plan import Call, Manual, Plan

if TYPE_CHECKING:
    from warden.core.resource import Resource

LONGEST = 35
"""The most days that RDS keeps automated backups (ModifyDBCluster, ModifyDBInstance: BackupRetentionPeriod)."""

MINIMUM_DAYS = Setting(
    name="minimum_days",
    default=7,
    doc="The fewest days that automated backups are kept; RDS keeps them for at most 35.",
    minimum=1,
    maximum=LONGEST,
)


def judge(resource: Resource, minimum: int) -> Verdict:
    """Whether backups are, or are about to be, kept for the minimum; a queued change counts, up or down."""
    live = resource.facts["BackupRetentionPeriod"]
    days = resource.facts["PendingModifiedValues"].get("BackupRetentionPeriod", live)
    kept = f"keeps automated backups for {_days(days)}"
    if days != live:
        kept = f"will keep automated backups for {_days(days)}, once a queued change is applied (now {_days(live)})"
    if days >= minimum:
        return compliant(f"{resource.ref.id} {kept}; the policy wants {_days(minimum)}.")
    if days == 0:
        kept = (
            "has automated backups turned off" if days == live else "will have automated backups turned off"
        )
    return non_compliant(f"{resource.ref.id} {kept}; the policy wants {_days(minimum)}.")


def manual(resource: Resource, minimum: int, command: str) -> Manual | None:
    """Why the retention of either kind cannot be raised by a simple call; None where it can."""
    if (recovery_point := resource.facts["AwsBackupRecoveryPointArn"]) is not None:
        return Manual(
            "A plan of AWS Backup takes continuous backups of it, and the retention is set there: raise it in the "
            f"backup rule that made {recovery_point}.",
        )
    if resource.facts["BackupRetentionPeriod"] >= minimum:
        return Manual(
            "Somebody queued a shorter retention for the maintenance window: ask them, and replace the queued value.",
            (command,),
        )
    return None


def raised(resource: Resource, minimum: int, operation: str, cost: str) -> Plan:
    """Raise the retention to the minimum.

    Without ApplyImmediately, which would also apply what others have queued: a change "from one non-zero value
    to another non-zero value ... is asynchronously applied as soon as possible" (ModifyDBInstance), and a
    cluster's at the latest in its maintenance window, until when it counts as queued.
    """
    identifier = KINDS[resource.ref.resource_type].identifier
    return Plan(
        (
            Call(
                operation,
                {identifier: resource.facts[identifier], "BackupRetentionPeriod": minimum},
            ),
        ),
        cost=cost,
    )


def permit(operation: str, identifier: str) -> Permit:
    """To raise the retention above the live one, never to lower it."""
    return Permit(
        operation=operation,
        required={
            identifier: SameAs(identifier),
            "BackupRetentionPeriod": Raises("BackupRetentionPeriod", LONGEST),
        },
    )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
