"""The rows of the decision table, and what else holds a write up, as words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS = {
    "compliant": "it is as the policy wants it",
    "not_applicable": "the condition means nothing for it",
    "insufficient_data": "it could not be judged",
    "policy": "the policy wants it fixed, and every guard lets it pass",
    "mode": "the policy leaves it to a person",
    "preview": "the control is a preview",
    "day_one": "the first sweep in this mode is not acknowledged",
    "exempt": "an exemption of the policy covers it",
    "undone": "somebody took the remediation back",
    "no_remediation": "there is nothing that may be done unattended",
    "preflight": "it is being looked at who connects without TLS",
    "needs_approval": "it can disturb clients or costs money",
    "busy": "the database is not ready for a change",
    "pending": "applying it would flush a change that somebody queued",
    "unknown_state": "it is not known whether the database may be written to",
    "blast_radius": "the budget of writes is spent, until somebody acknowledges it",
    "flapping": "somebody keeps changing it back",
    "refused": "these very calls were refused a short while ago",
    "unverified": "AWS accepted these very calls, and no look since has shown their effect",
    "circuit_open": "the fixes of this control failed on several databases, until somebody acknowledges it",
    "settling": "its effect may still be on its way",
    "canary": "the control is new to writing, and is being tried on another database first",
    "frozen": "a freeze is on",
    "outside_window": "no change window is open",
    "unhealthy": "the database is unwell: an alarm fires, or it just failed over",
    "owner_first": "the owner of the stack has the first word",
    # Not rows of the table: what `remediate` met when it came to write.
    "remediation_failed": "AWS, or the write guard, refused the calls",
}
"""By `Reason`, and by the one reason that `remediate` adds."""

WAITS = {
    "stopped": "all writes are stopped",
    "throttled": "AWS asked to slow down",
    "leased": "another remediation holds a lease on it, or its own lapsed",
    "unreadable": "it could not be read",
    "policy_changed": "the policy changed between the decision and the write",
    "approval_used": "the approval was used meanwhile",
    "gone": "AWS said that it does not exist",
    "verify": "what was written is looked at once more, should its event be lost",
}
"""What a due row can wait for beside a row of the table."""


def why(decision: Mapping[str, Any]) -> str:
    """The row that decided, as words; the row's name where it has none."""
    reason = str(decision.get("reason", ""))
    if (decision.get("action"), reason) == ("OBSERVE", "mode"):
        return "the policy, or the ceiling, says to observe"
    if reason == "policy" and (approval := decision.get("approval")):
        return f"{approval['approver']} approved it, and every guard lets it pass"
    return REASONS.get(reason, reason)


def waits_for(reason: str) -> str:
    """What a due row waits for, as words."""
    return WAITS.get(reason) or REASONS.get(reason, reason)
