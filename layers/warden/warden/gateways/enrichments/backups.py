"""What the backups of databases are judged by: the events of RDS, the plans and vaults of AWS Backup."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from warden.core import backup_plans, backup_selections
from warden.core.errors import MissingFactError, RefusedError
from warden.core.kinds import Need
from warden.core.resource import ResourceType
from warden.gateways.packed import Index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warden.core.resource import Resource
    from warden.gateways.enrichments import Answer
    from warden.gateways.rds import Rds
    from warden.gateways.reads import Reads

T = TypeVar("T")

_GONE = "ResourceNotFoundException"
_MINUTES = 60
_WEEKS = timedelta(days=32)
"""A day more than the policy may ask for."""
_MOST = 1000
_SHOWN = ("RecoveryPointArn", "BackupVaultName", "CreationDate", "Status", "IsEncrypted")
_KEPT = ("ResourceArn", *_SHOWN)
_SOURCE_TYPES = {ResourceType.DB_CLUSTER: "db-cluster", ResourceType.DB_INSTANCE: "db-instance"}


def _recent_events(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for each database, or one for each hundred events of the last hour; the oldest first."""
    wanted: dict[str, Any] = {
        "SourceType": _SOURCE_TYPES[resource.ref.resource_type],
        "Duration": _MINUTES,
    }
    if not reads.bulk:
        return reads.api.every("DescribeEvents", SourceIdentifier=resource.ref.id, **wanted)
    return reads.by("DescribeEvents", "SourceIdentifier", **wanted).get(resource.ref.id, [])


def _backup_plans(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for the list, two for each plan and one for each selection; a sweep makes them once.

    What concerns the resource is all that is kept, so that evidence stays small: a selection may list 500 ARNs.
    """
    found = []
    for plan in reads.once(("backup plans",), lambda: _plans(reads.api)):
        selections = [selection.relevant(resource.ref.arn) for selection in plan["Selections"]]
        concern = [item for item in selections if backup_selections.may_select(item)]
        if concern:
            found.append({**plan, "Selections": concern})
    return found


def _plans(api: Rds) -> list[dict[str, Any]]:
    plans = api.every("ListBackupPlans")
    return [found for plan in plans for found in _if_there(partial(_plan, api, plan))]


def _plan(api: Rds, plan: Mapping[str, Any]) -> dict[str, Any]:
    rules = api.call("GetBackupPlan", BackupPlanId=plan["BackupPlanId"])["BackupPlan"]["Rules"]
    selections = api.every("ListBackupSelections", BackupPlanId=plan["BackupPlanId"])
    return {
        "BackupPlanName": plan["BackupPlanName"],
        "Rules": [_rule(item) for item in rules],
        "Selections": [
            found for item in selections for found in _if_there(partial(_selection, api, plan, item))
        ],
    }


def _selection(api: Rds, plan: Mapping[str, Any], item: Mapping[str, Any]) -> backup_selections.Selection:
    which = {"BackupPlanId": plan["BackupPlanId"], "SelectionId": item["SelectionId"]}
    return backup_selections.Selection(api.call("GetBackupSelection", **which)["BackupSelection"])


def _if_there(read: Callable[[], T]) -> list[T]:
    """What is read, or nothing where it was deleted since it was listed: then it protects nobody any more."""
    try:
        return [read()]
    except RefusedError as error:
        if error.code == _GONE:
            return []
        raise


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What counts of a rule: where to, and for how long each backup and each of its copies is kept."""
    return {
        "RuleName": rule["RuleName"],
        "TargetBackupVaultName": rule["TargetBackupVaultName"],
        "KeptDays": [_kept(rule), *(_kept(copy) for copy in rule.get("CopyActions") or [])],
    }


def _kept(rule: Mapping[str, Any]) -> int | None:
    """The days after which a recovery point is deleted; None where never, as without a lifecycle."""
    days = (rule.get("Lifecycle") or {}).get("DeleteAfterDays")
    return int(days) if days is not None and days > 0 else None


def _backup_opt_in(reads: Reads, resource: Resource) -> bool:
    """One call for the Region. Of a type that the answer does not hold, nothing is known."""
    settings = reads.once(
        ("backup opt-in",),
        lambda: reads.api.call("DescribeRegionSettings")["ResourceTypeOptInPreference"],
    )
    name = backup_plans.service(resource)
    if name not in settings:
        raise MissingFactError(
            Need.BACKUP_OPT_IN, f"AWS Backup does not say whether it is opted in to {name}"
        )
    return bool(settings[name])


def _recovery_points(reads: Reads, resource: Resource) -> list[dict[str, Any]]:
    """One call for the vaults, and one for each of them; a sweep lists each vault once, a thousand points a call.

    But for databases with a continuous backup: that is one recovery point, as old as its beginning.
    """
    since = resource.observed_at - _WEEKS
    continuous = resource.facts["AwsBackupRecoveryPointArn"]
    found = []
    for vault in reads.whole("ListBackupVaults"):
        if vault.get("VaultState", "AVAILABLE") != "AVAILABLE":
            continue
        name = vault["BackupVaultName"]
        if continuous is not None:
            points = _points(reads, name, ByResourceArn=resource.ref.arn)
        elif reads.bulk:
            points = _points_of_all(reads, name, backup_plans.service(resource), since)
        else:
            points = _points(reads, name, ByResourceArn=resource.ref.arn, ByCreatedAfter=since)
        found += [
            {**{name: point[name] for name in _SHOWN}, "Locked": bool(vault.get("Locked"))}
            for point in points.get(resource.ref.arn, ())
        ]
    recent = [one for one in found if one["CreationDate"] >= since or one["RecoveryPointArn"] == continuous]
    return sorted(recent, key=lambda one: str(one["CreationDate"]), reverse=True)


def _points_of_all(reads: Reads, vault: str, service: str, since: datetime) -> Index:
    """The recent recovery points in a vault of a type of resource, once for a sweep, whatever its seconds."""
    return reads.once(
        ("recovery points", vault, service),
        lambda: _points(reads, vault, ByResourceType=service, ByCreatedAfter=since),
    )


def _points(reads: Reads, vault: str, **which: Any) -> Index:
    """Recovery points in a vault by the ARN of their resource, with what counts of each."""
    pages = reads.api.pages(
        "ListRecoveryPointsByBackupVault", BackupVaultName=vault, MaxResults=_MOST, **which
    )
    kept = ([{name: point[name] for name in _KEPT} for point in page] for page in pages)
    # A vault that was deleted since it was listed held none: AWS deletes no other.
    found = next(iter(_if_there(lambda: reads.items(kept))), reads.items(()))
    return Index(found, lambda point: (point["ResourceArn"],))


ANSWERS: Mapping[Need, Answer] = {
    Need.RECENT_EVENTS: _recent_events,
    Need.BACKUP_PLANS: _backup_plans,
    Need.BACKUP_OPT_IN: _backup_opt_in,
    Need.RECOVERY_POINTS: _recovery_points,
}
