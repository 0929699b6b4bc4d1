"""What moto lacks of where tickets go: OpsItems of Systems Manager, and the workflow of Security Hub's findings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import moto.securityhub.urls
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.securityhub.responses import SecurityHubResponse
from moto.ssm.responses import SimpleSystemManagerResponse

from console.local.rds.registry import Patch
from console.local.strict import complaints

_ITEMS = "warden_ops_items"
_UNRESOLVED = frozenset({"Open", "InProgress"})


def now() -> datetime:
    """Return the present; each account of the local AWS puts its own clock here."""
    return datetime.now(tz=UTC)


class _OpsItemError(ServiceException):  # type: ignore[misc] # moto has no types
    """An error of OpsCenter's, with the members that its shape has."""

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(code, message)
        for name, value in members.items():
            setattr(self, name, value)


def _items(response: Any) -> dict[str, dict[str, Any]]:
    """The OpsItems, kept on moto's own backend, so that they go when it goes."""
    backend = response.ssm_backend
    if not hasattr(backend, _ITEMS):
        setattr(backend, _ITEMS, {})
    found: dict[str, dict[str, Any]] = getattr(backend, _ITEMS)
    return found


def _parameters(response: Any, operation: str) -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads(response.body or "{}")
    if wrong := complaints("ssm", operation, parameters):
        raise _OpsItemError("OpsItemInvalidParameterException", "; ".join(wrong), ParameterNames=[])
    return parameters


def _create_ops_item(self: Any) -> ActionResult:
    """Create one, unless one with the same deduplication string and resources is unresolved.

    "If you create an OpsItem that already exists, an error is raised" with its id (OpsItemAlreadyExistsException).
    """
    parameters, items = _parameters(self, "CreateOpsItem"), _items(self)
    data = parameters.get("OperationalData", {})
    identity = [data.get(key, {}).get("Value") for key in ("/aws/dedup", "/aws/resources")]
    for item in items.values():
        known = [
            item["OperationalData"].get(key, {}).get("Value") for key in ("/aws/dedup", "/aws/resources")
        ]
        if identity[0] and known == identity and item["Status"] in _UNRESOLVED:
            raise _OpsItemError(
                "OpsItemAlreadyExistsException", "the OpsItem exists", OpsItemId=item["OpsItemId"]
            )
    ops_item_id = f"oi-{len(items) + 1:012x}"
    at = now().timestamp()
    items[ops_item_id] = {
        "OperationalData": {},
        **parameters,
        "OpsItemId": ops_item_id,
        "Status": "Open",
        "CreatedTime": at,
        "LastModifiedTime": at,
        "CreatedBy": "warden",
        "LastModifiedBy": "warden",
    }
    return ActionResult({"OpsItemId": ops_item_id})


def _update_ops_item(self: Any) -> ActionResult:
    """Change what is given; of operational data, each key for itself."""
    parameters = _parameters(self, "UpdateOpsItem")
    item = _item(self, parameters.pop("OpsItemId"))
    for key in parameters.pop("OperationalDataToDelete", []):
        item["OperationalData"].pop(key, None)
    item["OperationalData"].update(parameters.pop("OperationalData", {}))
    item.update({**parameters, "LastModifiedTime": now().timestamp()})
    return ActionResult({})


def _get_ops_item(self: Any) -> ActionResult:
    """Give one."""
    return ActionResult({"OpsItem": _item(self, _parameters(self, "GetOpsItem")["OpsItemId"])})


def _item(response: Any, ops_item_id: str) -> dict[str, Any]:
    items = _items(response)
    if ops_item_id not in items:
        raise _OpsItemError("OpsItemNotFoundException", f"there is no {ops_item_id}")
    return items[ops_item_id]


def _describe_ops_items(self: Any) -> ActionResult:
    """List those that every filter lets pass; only searchable data is searched."""
    parameters = _parameters(self, "DescribeOpsItems")
    found = [
        item
        for item in _items(self).values()
        if all(_passes(item, one) for one in parameters.get("OpsItemFilters", ()))
    ]
    return ActionResult({"OpsItemSummaries": found[: parameters.get("MaxResults", 50)]})


def _passes(item: dict[str, Any], wanted: dict[str, Any]) -> bool:
    match wanted["Key"]:
        case "OperationalData":
            pairs = [json.loads(value) for value in wanted["Values"]]
            searchable = {
                key: data["Value"]
                for key, data in item["OperationalData"].items()
                if data["Type"] == "SearchableString"
            }
            return any(searchable.get(pair["key"]) == pair["value"] for pair in pairs)
        case "Status" | "Source" as key:
            return item[key] in wanted["Values"]
        case other:
            msg = f"the local AWS does not filter OpsItems by {other}"
            raise NotImplementedError(msg)


def _batch_update_findings(self: Any) -> str:
    """Move the workflow of findings that were imported, and keep the note."""
    parameters = json.loads(self.body)
    if wrong := complaints("securityhub", "BatchUpdateFindings", parameters):
        raise _OpsItemError("InvalidInputException", "; ".join(wrong))
    known = {finding.id: finding for finding in self.securityhub_backend.findings}
    processed, unprocessed = [], []
    for identifier in parameters["FindingIdentifiers"]:
        if identifier["Id"] not in known:
            unprocessed.append(
                {
                    "FindingIdentifier": identifier,
                    "ErrorCode": "FindingNotFound",
                    "ErrorMessage": "Finding Not Found",
                }
            )
            continue
        data = known[identifier["Id"]].data
        data.update({name: parameters[name] for name in ("Workflow", "Note") if name in parameters})
        processed.append(identifier)
    return json.dumps({"ProcessedFindings": processed, "UnprocessedFindings": unprocessed})


_BATCH_IMPORT = SecurityHubResponse.batch_import_findings


def _batch_import_findings(self: Any) -> Any:
    """As moto does, once Security Hub would take the findings."""
    if wrong := complaints("securityhub", "BatchImportFindings", json.loads(self.body)):
        raise _OpsItemError("InvalidInputException", "; ".join(wrong))
    return _BATCH_IMPORT(self)


PATCHES = (
    *(
        Patch(target=SimpleSystemManagerResponse, attribute=name, replacement=operation)
        for name, operation in {
            "create_ops_item": _create_ops_item,
            "update_ops_item": _update_ops_item,
            "get_ops_item": _get_ops_item,
            "describe_ops_items": _describe_ops_items,
        }.items()
    ),
    Patch(target=SecurityHubResponse, attribute="batch_update_findings", replacement=_batch_update_findings),
    Patch(target=SecurityHubResponse, attribute="batch_import_findings", replacement=_batch_import_findings),
    Patch(
        target=moto.securityhub.urls,
        attribute="url_paths",
        replacement={
            **moto.securityhub.urls.url_paths,
            "{0}/findings/batchupdate$": SecurityHubResponse.dispatch,
        },
    ),
)
