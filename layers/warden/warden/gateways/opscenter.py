"""Tickets as OpsItems of Systems Manager OpsCenter, in the deployment's own account and Region."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from warden.core.deep_links import console
from warden.core.errors import AccessDeniedError, LaterError, TicketGoneError, TransientError
from warden.core.rendering import markdown
from warden.core.rendering.harmless import one_line, uncalculated
from warden.core.ticket import Handle, Remote, RemoteState
from warden.core.ticket_room import cut, fitted, length
from warden.gateways.errors import translated

if TYPE_CHECKING:
    from warden.core.ticket import Ticket

TITLE, DESCRIPTION = 1_024, 2_048
"""Characters (CreateOpsItem)."""
_DATA = 20_000
"""Bytes, of one value of operational data: "a maximum size of 20 KB"."""
_RESOURCES = 100
_PAGES = 20
SOURCE = "Aurora Warden"
KEY = "warden/ticket"
WONT_FIX = "wont-fix"
"""The key of operational data by which a person says that nothing will be done, with the reason as its value."""
_REMARK = "warden/remark"
_SEVERITIES = {"CRITICAL": ("1", 1), "HIGH": ("2", 2), "MEDIUM": ("3", 3), "LOW": ("4", 4)}
_CLOSED = frozenset({"Resolved", "Closed"})
_DEDUPLICATION = 20
"""Characters of a dedupString (OpsCenter, "Reducing duplicate OpsItems")."""


class OpsCenterSink:
    """OpsItems; implements `ports.Tracker`. They know no comments: a remark is operational data of theirs."""

    def __init__(self, client: Any, *, partition: str, region: str) -> None:
        self._client = client
        self._home = console(partition, region)
        self._region = region

    def find(self, ticket: Ticket) -> Handle | None:
        """The oldest OpsItem of ours that carries the ticket's id."""
        wanted = json.dumps({"key": KEY, "value": ticket.id})
        parameters: dict[str, Any] = {
            "OpsItemFilters": [{"Key": "OperationalData", "Operator": "Equal", "Values": [wanted]}]
        }
        found: list[Any] = []
        for _ in range(_PAGES):
            with translated("ssm:DescribeOpsItems"):
                try:
                    page = self._client.describe_ops_items(**parameters)
                except ClientError as error:
                    raise _ours(error) from error
            found += [item for item in page["OpsItemSummaries"] if item.get("Source") == SOURCE]
            if not (token := page.get("NextToken")):
                break
            # A page may be empty, and not the last.
            parameters["NextToken"] = token
        ids = sorted(found, key=lambda item: str(item.get("CreatedTime", "")))
        return self._handle(ids[0]["OpsItemId"]) if ids else None

    def create(self, ticket: Ticket) -> Handle:
        """Create it; where OpsCenter knows it by its deduplication string, that one is the answer."""
        with translated("ssm:CreateOpsItem"):
            try:
                created = self._client.create_ops_item(
                    **_fields(ticket), Source=SOURCE, OpsItemType="/aws/issue", OperationalData=_data(ticket)
                )
            except ClientError as error:
                if _code(error) == "OpsItemAlreadyExistsException":
                    return self._handle(str(dict(error.response)["OpsItemId"]))
                raise _ours(error) from error
        return self._handle(created["OpsItemId"])

    def update(self, handle: Handle, ticket: Ticket) -> None:
        """Title, text and severity."""
        self._update(handle, **_fields(ticket))

    def comment(self, handle: Handle, ticket: Ticket, text: str) -> None:
        """Keep the remark with the OpsItem; the last one stands."""
        del ticket
        self._update(handle, OperationalData={_REMARK: {"Value": _value(text), "Type": "String"}})

    def resolve(self, handle: Handle, ticket: Ticket) -> bool:
        """Resolve it, with the reason as its text."""
        self._update(handle, **_fields(ticket), Status="Resolved")
        return False

    def reopen(self, handle: Handle, ticket: Ticket) -> None:
        """Open it again."""
        del ticket
        known = self._item(handle).get("OperationalData", {})
        unsaid = {"OperationalDataToDelete": [WONT_FIX]} if WONT_FIX in known else {}
        self._update(handle, Status="Open", **unsaid)

    def remote(self, handle: Handle) -> Remote:
        """Its status, and whether somebody wrote that it will not be fixed."""
        try:
            item = self._item(handle)
        except TicketGoneError:
            return Remote(RemoteState.GONE)
        by = item.get("LastModifiedBy", "")
        if item.get("Status") not in _CLOSED:
            return Remote(RemoteState.OPEN, by=by)
        said = item.get("OperationalData", {}).get(WONT_FIX, {}).get("Value", "")
        if said:
            return Remote(RemoteState.WONT_FIX, by=by, reason=said)
        return Remote(RemoteState.CLOSED, by=by)

    def check(self) -> str:
        """Ask for one OpsItem: whoever may not do that has not set OpsCenter up, or takes the right away."""
        with translated("ssm:DescribeOpsItems"):
            self._client.describe_ops_items(
                OpsItemFilters=[{"Key": "Source", "Operator": "Equal", "Values": [SOURCE]}], MaxResults=1
            )
        return ""

    def _item(self, handle: Handle) -> dict[str, Any]:
        with translated("ssm:GetOpsItem"):
            try:
                item: dict[str, Any] = self._client.get_ops_item(OpsItemId=handle.id)["OpsItem"]
            except ClientError as error:
                raise _ours(error) from error
        return item

    def _update(self, handle: Handle, **changes: Any) -> None:
        with translated("ssm:UpdateOpsItem"):
            try:
                self._client.update_ops_item(OpsItemId=handle.id, **changes)
            except ClientError as error:
                raise _ours(error) from error

    def _handle(self, item: str) -> Handle:
        place = f"systems-manager/opsitems/{item}?region={self._region}"
        return Handle(item, f"{self._home}/{place}" if self._home else "")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _ours(error: ClientError) -> Exception:
    """What `translated` cannot know: errors that only OpsCenter has; all others as they are."""
    message = f"ssm: {error}"
    match _code(error):
        case "OpsItemNotFoundException":
            return TicketGoneError(message)
        case "OpsItemAccessDeniedException":
            return AccessDeniedError(message)
        case "OpsItemLimitExceededException" | "OpsItemConflictException":
            return LaterError(message)
        case "InternalServerError":
            return TransientError(message)
    return error


def _fields(ticket: Ticket) -> dict[str, Any]:
    severity, priority = _SEVERITIES.get(ticket.severity, ("3", 3))
    short = fitted(ticket, lambda candidate: length(markdown.text(candidate)) <= DESCRIPTION)
    return {
        "Title": cut(uncalculated(one_line(ticket.title)), TITLE),
        "Description": cut(markdown.text(short), DESCRIPTION),
        "Severity": severity,
        "Priority": priority,
        "Category": "Security",
    }


def _data(ticket: Ticket) -> dict[str, Any]:
    """What it is found by, and what OpsCenter shows beside it."""
    arns = [{"arn": finding.arn} for finding in ticket.findings[:_RESOURCES]]
    while len(json.dumps(arns)) > _DATA:
        arns.pop()
    searchable = {
        "/aws/dedup": json.dumps({"dedupString": ticket.id[:_DEDUPLICATION]}),
        "/aws/resources": json.dumps(arns),
        KEY: ticket.id,
        "warden/control": ticket.control or "several",
        "warden/owner": _value(ticket.owner),
    }
    return {key: {"Value": value, "Type": "SearchableString"} for key, value in searchable.items()}


def _value(text: str) -> str:
    return cut(uncalculated(one_line(text)), _DATA // 4) or "unknown"
