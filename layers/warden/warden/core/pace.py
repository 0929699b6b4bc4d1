"""How often, and how soon again, something may be written for one finding."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warden.core.finding import Finding
    from warden.core.policy import Policy

REFUSED_AT, REFUSED = "refused_at", "refused"
"""The members of a finding's decision that say when AWS or the write guard refused which calls (empty: any)."""


def recent_attempts(finding: Finding, policy: Policy, now: datetime) -> int:
    """How often it was remediated within the policy's window."""
    since = now - policy.attempts_window
    return sum(attempt > since for attempt in finding.attempts)


def is_flapping(finding: Finding, policy: Policy, now: datetime) -> bool:
    """Whether it was remediated so often that somebody must be changing it back."""
    return recent_attempts(finding, policy, now) >= policy.limits.attempts


def rests_until(finding: Finding, policy: Policy) -> datetime | None:
    """Until when calls that were refused are not tried again; None where none was.

    Refusals get the pace that the policy sets for attempts: three a day is one in eight hours.
    """
    refused_at = finding.decision.get(REFUSED_AT)
    if refused_at is None or not finding.is_open:
        return None
    return datetime.fromisoformat(refused_at) + policy.attempts_window / policy.limits.attempts


def owner_until(finding: Finding | None, policy: Policy, now: datetime) -> datetime:
    """Until when the owner of a stack has the first word about what the stack owns."""
    since = finding.first_observed if finding is not None and finding.is_open else now
    return since + policy.owner_grace
