"""What moto lacks of AWS Backup, as far as Warden reads it: selections of plans, and opting in to services."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import moto.backup.urls
from moto.backup.exceptions import InvalidParameterValueException, ResourceNotFoundException
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time

from console.local.rds.registry import Patch

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


_OPERATIONS: dict[str, Callable[[Any], str]] = {
    "create_backup_selection": _create_selection,
    "list_backup_selections": _list_selections,
    "get_backup_selection": _get_selection,
    "delete_backup_selection": _delete_selection,
    "describe_region_settings": _region_settings,
    "update_region_settings": _update_region_settings,
}
_PATHS = {"{0}/account-settings$": moto.backup.urls.response.dispatch}

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
