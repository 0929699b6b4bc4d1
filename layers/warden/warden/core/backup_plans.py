"""Whether a plan of AWS Backup covers a database, and how a tag puts it under one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from warden.core import engines, guidance, tags
from warden.core.backup_selections import names_the_type, selects, tags_that_select
from warden.core.control import Setting, Verdict, compliant, insufficient_data, non_compliant
from warden.core.dataclass import dataclass
from warden.core.guard import Permit, SameAs
from warden.core.kinds import KINDS, Need
from warden.core.plan import Call, Manual, Plan
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.resource import Facts, Resource

MINIMUM_RETENTION_DAYS = Setting(
    name="minimum_retention_days",
    default=0,
    doc="The fewest days for which a rule of the plan, or one of its copies, keeps a backup. 0: any.",
    minimum=0,
    maximum=36500,
)
TAG = Setting(
    name="tag",
    default="",
    doc="The tag (key=value) by which a plan of yours selects databases: Warden adds it to those that no plan covers. "
    "Empty: Warden adds none.",
    pattern=r"((?!aws:)[\w.:/+\-@ ]{1,128}=[\w.:/+\-@= ]{0,256})?",
)
SETTINGS = (MINIMUM_RETENTION_DAYS, TAG)


def service(resource: Resource) -> str:
    """What AWS Backup calls the resource's type, and the service that must be opted in for it."""
    return "Aurora" if resource.facts["Engine"] in engines.AURORA else "RDS"


def selecting(resource: Resource, borne: Mapping[str, str]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The plans that select a database with these tags, and the names of selections of which nobody can tell.

    Where the service is not opted in, what selects everything, or by tags alone, selects no database, and "to backup
    Aurora databases, you must enable the opt-in setting for Aurora" in any case.
    """
    found, unknown = [], []
    opted_in = resource.facts[Need.BACKUP_OPT_IN]
    is_instance = resource.ref.resource_type is ResourceType.DB_INSTANCE
    for plan in resource.facts[Need.BACKUP_PLANS]:
        for selection in plan["Selections"]:
            if not opted_in and not (is_instance and names_the_type(selection)):
                continue
            outcome = selects(selection, borne)
            if outcome is None:
                unknown.append(f"{plan['BackupPlanName']}/{selection['SelectionName']}")
            elif outcome and plan not in found:
                found.append(plan)
    return found, unknown


def judge(resource: Resource, settings: Mapping[str, Any]) -> Verdict:
    """Whether a plan selects the database, and keeps its backups for long enough."""
    wanted = settings["minimum_retention_days"]
    plans, unknown = selected_by(resource)
    for plan in plans:
        if keeps(plan, wanted):
            days = kept_days(plan)
            kept = "for ever" if days is None else f"for {days} days"
            return compliant(
                f"{resource.ref.id} is in the backup plan {plan['BackupPlanName']}, which keeps backups {kept}."
            )
    if unknown:
        return insufficient_data(
            f"{resource.ref.id} may be selected by {', '.join(unknown)}: AWS Backup does not document how."
        )
    if plans:
        kept = ", ".join(f"{plan['BackupPlanName']} ({kept_days(plan)} days)" for plan in plans)
        return non_compliant(
            f"{resource.ref.id} is in backup plans that keep too little: {kept}; the policy wants {wanted} days."
        )
    if not resource.facts[Need.BACKUP_OPT_IN]:
        return non_compliant(
            f"{resource.ref.id} is in no backup plan: AWS Backup is not opted in to {service(resource)} in this Region."
        )
    return non_compliant(f"{resource.ref.id} is in no plan of AWS Backup.")


def kept_days(plan: Mapping[str, Any]) -> int | None:
    """For how many days the plan's longest rule or copy keeps a backup; None for ever."""
    days: list[int] = []
    for rule in plan["Rules"]:
        for kept in rule["KeptDays"]:
            if kept is None:
                return None
            days.append(kept)
    return max(days, default=0)


def selected_by(resource: Resource) -> tuple[list[Mapping[str, Any]], list[str]]:
    """As `selecting`, with the tags that the database has."""
    return selecting(resource, tags.of(resource.facts))


def keeps(plan: Mapping[str, Any], wanted: int) -> bool:
    """Whether a plan keeps backups for so many days."""
    days = kept_days(plan)
    return days is None or days >= wanted


def tagged(resource: Resource, settings: Mapping[str, Any], cost: str) -> Plan | Manual:
    """Add the policy's tag, where that is sure to put the database under a plan, and changes no other tag."""
    key, _, value = settings["tag"].partition("=")
    if not key:
        return _by_hand(resource, "The policy names no tag by which a plan selects databases.")
    borne = tags.of(resource.facts)
    if key in borne:
        return _by_hand(resource, f"It has the tag {key}={borne[key]} already, which Warden does not change.")
    if len(borne) >= tags.MOST:
        return _by_hand(resource, f"It has {len(borne)} tags already, and AWS takes no more.")
    plans, _ = selecting(resource, {**borne, key: value})
    if not any(keeps(plan, settings["minimum_retention_days"]) for plan in plans):
        return _by_hand(
            resource,
            f"The policy's tag {key}={value} would not help: with it, no plan that keeps enough would select it.",
        )
    return Plan(
        (
            Call(
                "AddTagsToResource",
                {
                    "ResourceName": resource.facts[KINDS[resource.ref.resource_type].arn],
                    "Tags": [{"Key": key, "Value": value}],
                },
            ),
        ),
        cost=cost,
    )


def _by_hand(resource: Resource, why: str) -> Manual:
    """What a person does: opt in, or put the database into a plan."""
    if not resource.facts[Need.BACKUP_OPT_IN]:
        name = service(resource)
        return Manual(
            f"AWS Backup is not opted in to {name} in this Region. Opting in makes every plan that selects all, or by "
            "tags, back up what it finds: look at what that costs first.",
            (
                guidance.command(
                    resource,
                    "update-region-settings",
                    {"resource-type-opt-in-preference": f"{name}=true"},
                    service="backup",
                ),
            ),
        )
    selection = {
        "SelectionName": resource.ref.id[:50],
        "IamRoleArn": f"arn:{resource.ref.partition}:iam::{resource.ref.account}:role/YOUR-BACKUP-ROLE",
        "Resources": [resource.ref.arn],
    }
    return Manual(
        f"{why} Choose a plan, and add the tag by which it selects, or a selection that names this database.",
        (
            guidance.command(resource, "list-backup-plans", {}, service="backup"),
            guidance.command(
                resource,
                "create-backup-selection",
                {"backup-plan-id": "YOUR-PLAN", "backup-selection": json.dumps(selection)},
                service="backup",
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class OneNewTag:
    """For the write guard: one tag that the resource has not, and by which a live plan of AWS Backup selects."""

    def refusal(self, value: Any, facts: Facts) -> str | None:
        """Refuse several tags, a key that the resource has, whatever its value, and a tag that no plan means."""
        if not isinstance(value, list) or len(value) != 1 or set(value[0]) != {"Key", "Value"}:
            return f"{value!r} is not one tag"
        [tag] = value
        if tag["Key"] in tags.of(facts):
            return f"the resource has a tag {tag['Key']!r} already"
        meant = _tags_of(facts[Need.BACKUP_PLANS])
        return None if (tag["Key"], tag["Value"]) in meant else f"no backup plan selects by {tag!r}"


def _tags_of(plans: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {tag for plan in plans for selection in plan["Selections"] for tag in tags_that_select(selection)}


def permit(arn: str) -> Permit:
    """To add one tag that is new to the resource; never to replace or to remove one."""
    return Permit(operation="AddTagsToResource", required={"ResourceName": SameAs(arn), "Tags": OneNewTag()})
