"""PagerDuty Events API v2: pages for what is grave, change events for what Warden put right itself.

developer.pagerduty.com, "Send an event to PagerDuty" and "Send change events".
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from warden.core.errors import CredentialsError, LaterError, RefusedError, RejectedError
from warden.core.rendering import machine
from warden.core.rendering.harmless import one_line, printable
from warden.core.ticket_room import bounded, cut, within

if TYPE_CHECKING:
    from collections.abc import Collection

    from warden.core.ticket import Ticket
    from warden.gateways.secrets import Secret, Secrets
    from warden.gateways.sinks.api import Api

SUMMARY_LIMIT = 1_024
EVENT_LIMIT = 512_000
"""Bytes: "The maximum size of a payload is 512 KB"."""
_SEVERITIES = {"CRITICAL": "critical", "HIGH": "error", "MEDIUM": "warning", "LOW": "info"}
FAILED = frozenset({"remediation_failed", "refused", "unverified", "circuit_open", "flapping"})
"""The reasons of decisions that say that a remediation failed, did not hold or was refused.

They page, however grave the finding is.
"""
_KEY = re.compile(r"routing.?key", re.IGNORECASE)
# Warden itself is at it: nobody has to be called a second time.
_AT_WORK = frozenset({"REMEDIATE", "DEFER"})


def authorization(secret: Secret) -> dict[str, str]:
    """Nothing: the routing key is in the body."""
    del secret
    return {}


class PagerDuty:
    """Events of one integration; implements `ports.Notifier`."""

    def __init__(self, api: Api, secrets: Secrets, *, secret_arn: str, page: Collection[str]) -> None:
        """Take the severities that page."""
        self._api = api
        self._secrets = secrets
        self._secret_arn = secret_arn
        self._page = frozenset(page)

    def notify(self, ticket: Ticket) -> None:
        """Trigger, acknowledge or resolve the alert of the ticket; or tell of a change that Warden made."""
        if ticket.is_change:
            self._enqueue(_change(bounded(ticket)), "change")
            return
        if not ticket.is_open:
            # What was never triggered is not there to be resolved, and PagerDuty ignores it.
            self._enqueue({"event_action": "resolve", "dedup_key": ticket.id})
            return
        if not self._pages(ticket):
            return
        fitting = within(
            bounded(ticket), lambda candidate: _bytes(_trigger(candidate)) <= EVENT_LIMIT - SUMMARY_LIMIT
        )
        self._enqueue(_trigger(fitting))
        if ticket.finding.decision.get("action") in _AT_WORK:
            self._acknowledge(ticket)

    def _acknowledge(self, ticket: Ticket) -> None:
        try:
            self._enqueue({"event_action": "acknowledge", "dedup_key": ticket.id})
        except (LaterError, RefusedError) as error:
            # The alert is there, whatever becomes of this.
            raise LaterError(str(error), after=getattr(error, "after", None)) from error

    def check(self) -> str:
        """See whether the routing key is taken, by resolving an alert that there is not."""
        self._enqueue({"event_action": "resolve", "dedup_key": "aurora-warden-check"})
        return ""

    def _pages(self, ticket: Ticket) -> bool:
        return ticket.severity in self._page or any(
            finding.decision.get("reason") in FAILED for finding in ticket.findings
        )

    def _enqueue(self, event: dict[str, Any], *kind: str) -> None:
        def sent(secret: Secret) -> None:
            body = {"routing_key": secret["routing_key"], **event}
            try:
                self._api.call("POST", "v2", *kind, "enqueue", body=body)
            except RejectedError as error:
                # 400 is also what a wrong key gets, and then every other event would be refused as well.
                if _KEY.search(str(error)):
                    raise CredentialsError(str(error)) from error
                raise

        self._secrets.tried(self._secret_arn, sent)


def _trigger(ticket: Ticket) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_action": "trigger",
        "dedup_key": ticket.id,
        "payload": {
            "summary": _summary(ticket.title),
            "source": one_line(ticket.finding.arn),
            "severity": _SEVERITIES.get(ticket.severity, "error"),
            "component": ticket.finding.resource_type,
            "group": one_line(ticket.owner),
            "class": ticket.control or "several controls",
            "custom_details": machine.document(ticket),
        },
        "client": "Aurora Warden",
        "links": _links(ticket),
    }
    if _bytes(event) > EVENT_LIMIT - SUMMARY_LIMIT:
        event["payload"]["custom_details"] = {
            "annotation": cut(printable(ticket.summary), SUMMARY_LIMIT),
            "ticket": ticket.id,
        }
    return event


def _change(ticket: Ticket) -> dict[str, Any]:
    finding = ticket.finding
    return {
        "payload": {
            "summary": _summary(f"Aurora Warden put right: {ticket.title}"),
            "source": one_line(finding.arn),
            "timestamp": (finding.resolved_at or finding.last_observed).isoformat(),
            "custom_details": {
                "control": finding.control,
                "annotation": cut(printable(finding.annotation), SUMMARY_LIMIT),
                "ticket": ticket.id,
            },
        },
        "links": _links(ticket),
    }


def _summary(text: str) -> str:
    return cut(one_line(text), SUMMARY_LIMIT)


def _links(ticket: Ticket) -> list[dict[str, str]]:
    return [{"href": link.url, "text": one_line(link.label)} for link in ticket.links]


def _bytes(event: dict[str, Any]) -> int:
    return len(json.dumps(event).encode())
