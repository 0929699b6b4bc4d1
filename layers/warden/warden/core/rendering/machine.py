"""A ticket as JSON: queues, functions, web hooks and buses that read tickets by program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden.core.ledger import plain, redacted
from warden.core.ticket import Listed

if TYPE_CHECKING:
    from warden.core.ticket import Ticket

_LISTED = 100
"""Findings of a group that are named one by one."""


def document(ticket: Ticket) -> dict[str, Any]:
    """The ticket with its gravest finding whole, and the others by name; plain JSON values without secrets."""
    finding = ticket.finding
    told: dict[str, Any] = {
        "version": 1,
        "ticket": ticket.id,
        "revision": ticket.revision,
        "state": ticket.state.value,
        "control": finding.control,
        "title": finding.title,
        "severity": ticket.severity,
        "resource": finding.arn,
        "resource_type": finding.resource_type,
        "account": ticket.account,
        "region": ticket.region,
        "owner": ticket.owner,
        "annotation": finding.annotation,
        "first_observed": finding.first_observed.isoformat(),
        "resolved_at": finding.resolved_at.isoformat() if finding.resolved_at else None,
        "evidence": plain(finding.evidence),
        "decision": plain(finding.decision),
        "plan": plain(list(finding.plan)),
        "manual": finding.manual,
        "fix": ticket.fix,
        "cause": plain(finding.cause),
        "reverts": plain(list(finding.reverts)),
        "frameworks": list(ticket.frameworks),
        "findings": _named(ticket)[:_LISTED],
    }
    return {name: _whole(redacted(value)) for name, value in told.items()}


def _whole(value: Any) -> Any:
    """A value in which every character is one: half a surrogate pair is no text, and not everybody's JSON."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_whole(name): _whole(one) for name, one in value.items()}
        case list():
            return [_whole(one) for one in value]
    return value


def _named(ticket: Ticket) -> list[dict[str, str]]:
    listed = ticket.listed or tuple(
        Listed(control=one.control, resource=one.arn, severity=one.severity) for one in ticket.findings
    )
    return [{"control": one.control, "resource": one.resource, "severity": one.severity} for one in listed]
