"""What moto lacks of AWS Backup, as far as Warden reads it: selections, opting in to services, recovery points."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import moto.backup.urls
from moto.backup.exceptions import (
    InvalidParameterValueException,
    InvalidRequestException,
    ResourceNotFoundException,
)
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time
from moto.rds.models import rds_backends

from console.local.rds.encryption import encryption_of
from console.local.rds.registry import Patch
from console.local.rds.state import StorageEncryptionType

if TYPE_CHECKING:
    from collections.abc import Callable

_STATE = "warden_state"
_SERVICES = ("Aurora", "DocumentDB", "DynamoDB", "EBS", "EC2", "EFS", "Neptune", "RDS", "S3")
_MOST_ARNS, _MOST_PATTERNS = 500, 30


def _state(response: Any, part: str) -> dict[str, Any]:
    """A part of what moto does not keep, on moto's own backend, so that it goes when that goes."""
    backend = response.backup_backend
    if not hasattr(backend, _STATE):
        setattr(backend, _STATE, {})
    found: dict[str, Any] = getattr(backend, _STATE).setdefault(part, {})
    return found


def _selections(response: Any, plan_id: str) -> dict[str, Any]:
    plan = response.backup_backend.plans.get(plan_id)
    if plan is None or plan.deletion_date is not None:
        raise ResourceNotFoundException(msg="Failed reading Backup plan with provided version")
    found: dict[str, Any] = _state(response, "selections").setdefault(plan_id, {})
    return found


def _create_selection(self: Any) -> str:
    """Assign resources to a plan, as CreateBackupSelection does.

    "The maximum number of ARNs is 500 without wildcards, or 30 ARNs with wildcards" (BackupSelection.Resources).
    """
    plan_id = self.path.split("/")[3]
    selection = json.loads(self.body)["BackupSelection"]
    for member in ("Resources", "NotResources"):
        given = selection.get(member) or []
        patterns = sum("*" in arn for arn in given)
        if len(given) > _MOST_ARNS or patterns > _MOST_PATTERNS:
            raise InvalidParameterValueException(msg=f"Too many {member}")
    answer = {
        "BackupPlanId": plan_id,
        "SelectionId": str(uuid.uuid4()),
        "CreationDate": unix_time(),
    }
    _selections(self, plan_id)[answer["SelectionId"]] = {**answer, "BackupSelection": selection}
    return json.dumps(answer)


def _list_selections(self: Any) -> str:
    """List the selections of a plan, without what they select."""
    found = _selections(self, self.path.split("/")[3]).values()
    return json.dumps(
        {
            "BackupSelectionsList": [
                {
                    **{name: value for name, value in item.items() if name != "BackupSelection"},
                    "SelectionName": item["BackupSelection"]["SelectionName"],
                    "IamRoleArn": item["BackupSelection"]["IamRoleArn"],
                }
                for item in found
            ]
        }
    )


def _get_selection(self: Any) -> str:
    """Give one selection."""
    plan_id, selection_id = self.path.split("/")[3], self.path.split("/")[5]
    found = _selections(self, plan_id).get(selection_id)
    if found is None:
        raise ResourceNotFoundException(msg="Cannot find Backup selection")
    return json.dumps(found)


def _delete_selection(self: Any) -> str:
    """Take a selection out of its plan."""
    _get_selection(self)
    del _selections(self, self.path.split("/")[3])[self.path.split("/")[5]]
    return ""


def _region_settings(self: Any) -> str:
    """Tell for each service whether AWS Backup protects it in this Region; as a new account has it, all of them."""
    chosen = _state(self, "opt-in")
    return json.dumps({"ResourceTypeOptInPreference": {**dict.fromkeys(_SERVICES, True), **chosen}})


def _update_region_settings(self: Any) -> str:
    """Opt in to services, or out of them; the others stay."""
    _state(self, "opt-in").update(json.loads(self.body).get("ResourceTypeOptInPreference") or {})
    return ""


def now() -> datetime:
    """Return the present; each account of the local AWS puts its own clock here."""
    return datetime.now(tz=UTC)


def _points(response: Any, vault: str) -> dict[str, dict[str, Any]]:
    if vault not in response.backup_backend.vaults:
        raise ResourceNotFoundException(msg=f"Backup vault {vault} not found")
    found: dict[str, dict[str, Any]] = _state(response, "points").setdefault(vault, {})
    return found


def _start_job(self: Any) -> str:
    """Back a database up at once: a recovery point is encrypted as the database is.

    Of RDS and Aurora it is a snapshot, and has the ARN of one.
    """
    given = json.loads(self.body)
    vault, arn = given["BackupVaultName"], given["ResourceArn"]
    kind, name = arn.split(":")[5:7]
    backend = rds_backends[self.current_account][self.region]
    resource = (backend.clusters if kind == "cluster" else backend.databases).get(name)
    if resource is None:
        raise InvalidParameterValueException(msg=f"Resource {arn} not found")
    job = str(uuid.uuid4())
    snapshot = "cluster-snapshot" if kind == "cluster" else "snapshot"
    point = f"{arn.rsplit(':', 2)[0]}:{snapshot}:awsbackup:job-{job}"
    _points(self, vault)[point] = {
        "RecoveryPointArn": point,
        "BackupVaultName": vault,
        "ResourceArn": arn,
        "ResourceType": "Aurora" if resource.engine.startswith("aurora") else "RDS",
        "IamRoleArn": given["IamRoleArn"],
        "Status": "COMPLETED",
        "CreationDate": now().timestamp(),
        "CompletionDate": now().timestamp(),
        "IsEncrypted": encryption_of(resource).type is not StorageEncryptionType.NONE,
        "VaultType": "BACKUP_VAULT",
    }
    return json.dumps({"BackupJobId": job, "RecoveryPointArn": point, "CreationDate": now().timestamp()})


def _list_points(self: Any) -> str:
    """List the recovery points in a vault that match what is asked for."""
    asked = {name: values[0] for name, values in self.querystring.items()}
    found = list(_points(self, unquote(self.path.split("/")[2])).values())
    for parameter, member in (("resourceArn", "ResourceArn"), ("resourceType", "ResourceType")):
        if parameter in asked:
            found = [point for point in found if point[member] == asked[parameter]]
    if "createdAfter" in asked:
        since = datetime.fromisoformat(asked["createdAfter"]).timestamp()
        found = [point for point in found if point["CreationDate"] > since]
    return json.dumps({"RecoveryPoints": found})


def _delete_point(self: Any) -> str:
    """Delete a recovery point, unless its vault is locked.

    "True means that Vault Lock causes delete or update operations on the recovery points stored in the vault to fail"
    (DescribeBackupVault.Locked).
    """
    vault, point = unquote(self.path.split("/")[2]), unquote(self.path.split("/recovery-points/")[1])
    if self.backup_backend.vaults[vault].locked:
        raise InvalidRequestException(msg="The backup vault is locked")
    if _points(self, vault).pop(point, None) is None:
        raise ResourceNotFoundException(msg="Cannot find recovery point")
    return ""


_OPERATIONS: dict[str, Callable[[Any], str]] = {
    "create_backup_selection": _create_selection,
    "list_backup_selections": _list_selections,
    "get_backup_selection": _get_selection,
    "delete_backup_selection": _delete_selection,
    "describe_region_settings": _region_settings,
    "update_region_settings": _update_region_settings,
    "start_backup_job": _start_job,
    "list_recovery_points_by_backup_vault": _list_points,
    "delete_recovery_point": _delete_point,
}
_PATHS = dict.fromkeys(
    (
        "{0}/account-settings$",
        "{0}/backup-jobs$",
        "{0}/backup-vaults/(?P<name>[^/]+)/recovery-points/$",
        "{0}/backup-vaults/(?P<name>[^/]+)/recovery-points/(?P<point>.+)$",
    ),
    moto.backup.urls.response.dispatch,
)

PATCHES = (
    *(
        Patch(target=BackupResponse, attribute=name, replacement=operation)
        for name, operation in _OPERATIONS.items()
    ),
    Patch(
        target=moto.backup.urls,
        attribute="url_paths",
        replacement={**moto.backup.urls.url_paths, **_PATHS},
    ),
)
