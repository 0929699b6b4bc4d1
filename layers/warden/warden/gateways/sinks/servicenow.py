"""ServiceNow incidents by the Table API (its reference: "Table API"; `/api/now/table/{table}`)."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from warden.core.errors import (
    AmbiguousError,
    LaterError,
    SinkRefusedError,
    TicketClosedError,
    TicketGoneError,
)
from warden.core.rendering import plain
from warden.core.rendering.harmless import one_line, printable, uncalculated
from warden.core.ticket import Handle, Remote, RemoteState
from warden.core.ticket_room import cut, fitted, length

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from warden.core.ticket import Ticket
    from warden.gateways.secrets import Secret
    from warden.gateways.sinks.api import Api

TITLE_LIMIT = 160
"""Characters of `task.short_description`."""
TEXT_LIMIT = 4_000
"""Characters of `task.description`, `work_notes` and `close_notes`."""
PRODUCT = "Aurora Warden"
_RESOLVED, _CLOSED, _CANCELLED = "6", "7", "8"
_OVER = frozenset({_RESOLVED, _CLOSED, _CANCELLED})
_IN_PROGRESS = "2"
# Journal fields show what stands between these as HTML.
_JOURNAL = re.compile(r"\[(?=/?code\])", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{40}")
_FOUND = 10
_STATE_FIELDS = "state,close_code,resolved_by.user_name,closed_by.user_name"
_IMPACT = {"CRITICAL": "1", "HIGH": "2", "MEDIUM": "2", "LOW": "3"}
_URGENCY = {"CRITICAL": "1", "HIGH": "1", "MEDIUM": "2", "LOW": "3"}


def authorization(secret: Secret) -> dict[str, str]:
    """An API key, or a user's name and password, whichever the secret holds."""
    if "api_key" in secret:
        return {"x-sn-apikey": secret["api_key"]}
    pair = f"{secret['username']}:{secret['password']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class ServiceNow:
    """Records of one table of tasks; implements `ports.Tracker`."""

    def __init__(
        self,
        api: Api,
        *,
        site: str,
        table: str,
        close_code: str,
        wont_fix: Collection[str],
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Take what the instance calls things, and fields of its own, such as `caller_id` and `assignment_group`."""
        self._api = api
        self._site = site.rstrip("/")
        self._table = table
        self._path = ("api", "now", "table", table)
        self._close_code = close_code
        self._wont_fix = frozenset(code.casefold() for code in wont_fix)
        self._extra = dict(fields or {})

    def find(self, ticket: Ticket) -> Handle | None:
        """The oldest record with the ticket's correlation id that is ours.

        An instance that does not know a field of a query may leave the condition out, and answer with any record.
        """
        if not _ID.fullmatch(ticket.id):
            # In a query `^` begins another condition, and nothing escapes it.
            msg = f"{ticket.id!r} is no ticket id"
            raise ValueError(msg)
        query = {
            "sysparm_query": f"correlation_id={ticket.id}^ORDERBYsys_created_on",
            "sysparm_fields": "sys_id,number,correlation_id,correlation_display",
            "sysparm_limit": str(_FOUND),
        }
        found = self._result(self._api.call("GET", *self._path, query=query))
        if not isinstance(found, list):
            msg = f"ServiceNow answered a search of {self._table} without saying what it found"
            raise LaterError(msg)
        wanted = (ticket.id, PRODUCT)
        for record in found:
            if (record.get("correlation_id"), record.get("correlation_display")) == wanted:
                return self._handle(record)
        if any(not record.get("correlation_id") for record in found):
            msg = f"{self._table} has no correlation_id, or the account may not read it: no ticket would be found again"
            raise SinkRefusedError(msg)
        return None

    def create(self, ticket: Ticket) -> Handle:
        """Create a record."""
        body = {
            **self._extra,
            **_texts(ticket),
            "impact": _IMPACT.get(ticket.severity, "3"),
            "urgency": _URGENCY.get(ticket.severity, "3"),
            "correlation_id": ticket.id,
            "correlation_display": PRODUCT,
            **({"parent": ticket.previous.id} if ticket.previous else {}),
        }
        query = {"sysparm_fields": "sys_id,number", "sysparm_exclude_reference_link": "true"}
        record = self._result(self._api.call("POST", *self._path, query=query, body=body, creates=True))
        if not isinstance(record, dict) or not record.get("sys_id"):
            msg = f"ServiceNow did not say which record it created in {self._table}"
            raise AmbiguousError(msg)
        return self._handle(record)

    def update(self, handle: Handle, ticket: Ticket) -> None:
        """Write short description and description anew."""
        self._patch(handle, _texts(ticket))

    def comment(self, handle: Handle, ticket: Ticket, text: str) -> None:
        """Add a work note."""
        del ticket
        self._patch(handle, {"work_notes": _journal(text)}, creates=True)

    def resolve(self, handle: Handle, ticket: Ticket) -> bool:
        """Set it to resolved, with the reason in its close notes."""
        if self._read(handle)["state"] in _OVER:
            return True
        self._patch(
            handle,
            {
                **_texts(ticket),
                "state": _RESOLVED,
                "close_code": self._close_code,
                "close_notes": cut(uncalculated(printable(ticket.summary)), TEXT_LIMIT),
                "work_notes": _journal(ticket.summary),
            },
        )
        return False

    def reopen(self, handle: Handle, ticket: Ticket) -> None:
        """Set it in progress again; what is closed or cancelled takes no more work."""
        del ticket
        state = self._read(handle)["state"]
        if state in {_CLOSED, _CANCELLED}:
            msg = f"{handle.url or handle.id} is closed for good"
            raise TicketClosedError(msg)
        if state == _RESOLVED:
            self._patch(handle, {"state": _IN_PROGRESS})

    def remote(self, handle: Handle) -> Remote:
        """How it stands; cancelled, or resolved with a code of `wont_fix`, is "won't fix"."""
        try:
            record = self._read(handle)
        except TicketGoneError:
            return Remote(RemoteState.GONE)
        state, code = record["state"], str(record.get("close_code") or "")
        if state not in _OVER:
            return Remote(RemoteState.OPEN)
        refused = state == _CANCELLED or code.casefold() in self._wont_fix
        return Remote(
            RemoteState.WONT_FIX if refused else RemoteState.CLOSED,
            by=str(record.get("resolved_by.user_name") or record.get("closed_by.user_name") or ""),
            reason=code or ("Canceled" if state == _CANCELLED else ""),
        )

    def check(self) -> str:
        """See whether the table can be read, and whether the instance knows the close code, as far as it tells."""
        query = {"sysparm_fields": "sys_id", "sysparm_limit": "1"}
        if not isinstance(self._result(self._api.call("GET", *self._path, query=query)), list):
            msg = f"ServiceNow did not say what {self._table} holds"
            raise LaterError(msg)
        query = {
            "sysparm_query": f"name={self._table}^element=close_code^inactive=false",
            "sysparm_fields": "value",
            "sysparm_limit": "100",
        }
        try:
            choices = (
                self._result(self._api.call("GET", "api", "now", "table", "sys_choice", query=query)) or []
            )
        except SinkRefusedError:
            # Many accounts may not read the choices; then the first resolution will show.
            return f"whether {self._table} has the close code {self._close_code!r}"
        codes = [str(one.get("value")) for one in choices]
        if codes and self._close_code not in codes:
            msg = f"{self._table} has no close code {self._close_code!r}; it has {', '.join(codes)}; set close_code"
            raise SinkRefusedError(msg)
        return "" if codes else f"whether {self._table} has the close code {self._close_code!r}"

    def _read(self, handle: Handle) -> dict[str, Any]:
        query = {"sysparm_fields": _STATE_FIELDS, "sysparm_exclude_reference_link": "true"}
        record = self._result(self._api.call("GET", *self._path, handle.id, query=query, of_ticket=True))
        if not isinstance(record, dict) or "state" not in record:
            msg = f"{handle.url or handle.id}: the account may not read its state"
            raise SinkRefusedError(msg)
        return {**record, "state": str(record["state"])}

    def _patch(self, handle: Handle, body: Mapping[str, Any], *, creates: bool = False) -> None:
        query = {"sysparm_fields": "sys_id,state"}
        answer = self._api.call(
            "PATCH", *self._path, handle.id, query=query, body=dict(body), creates=creates, of_ticket=True
        )
        record = self._result(answer)
        if not isinstance(record, dict) or not record.get("sys_id"):
            msg = f"ServiceNow did not say that it has changed {handle.url or handle.id}"
            raise AmbiguousError(msg) if creates else LaterError(msg)
        if "state" in body and (str(record.get("state")) in _OVER) is not (body["state"] in _OVER):
            msg = f"{handle.url or handle.id} is not as it was set: a rule of the instance has changed its state"
            raise LaterError(msg, alone=True)

    @staticmethod
    def _result(answer: Any) -> Any:
        return answer.get("result") if isinstance(answer, dict) else None

    def _handle(self, record: Mapping[str, Any]) -> Handle:
        return Handle(
            id=str(record["sys_id"]), url=f"{self._site}/{self._table}.do?sys_id={record['sys_id']}"
        )


def _texts(ticket: Ticket) -> dict[str, str]:
    fitting = fitted(ticket, lambda candidate: length(plain.text(candidate, titled=False)) <= TEXT_LIMIT)
    return {
        "short_description": cut(uncalculated(one_line(ticket.title)), TITLE_LIMIT),
        "description": cut(plain.text(fitting, titled=False), TEXT_LIMIT),
    }


def _journal(text: str) -> str:
    return cut(uncalculated(_JOURNAL.sub("[\u200b", printable(text))), TEXT_LIMIT)
