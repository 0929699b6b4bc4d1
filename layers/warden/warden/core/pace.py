"""How often, and how soon again, something may be written for one finding."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from warden.core.plan import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.finding import Finding
    from warden.core.plan import Call
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


def owner_until(finding: Finding | None, grace: timedelta, now: datetime) -> datetime:
    """Until when the owner of a stack has the first word about what the stack owns."""
    since = finding.first_observed if finding is not None and finding.is_open else now
    return since + grace


def is_held(finding: Finding, now: datetime) -> bool:
    """Whether somebody took a remediation of it back, and it is to be left alone for a while."""
    until = finding.hold.get("until")
    return until is not None and now < datetime.fromisoformat(until)


def awaited_since(
    finding: Finding | None, calls: Iterable[Call], changed_at: datetime | None
) -> datetime | None:
    """When these very calls were accepted for this very drift; None where they were not.

    What was resolved in between is drift anew, and so is what somebody else changed after our write, as the event at
    hand (`changed_at`) or an earlier one told; what is called now may be a procedure's next step.
    """
    if finding is None or not finding.is_open or not finding.attempts or finding.applied != digest(calls):
        return None
    last = finding.attempts[-1]
    changes = [datetime.fromisoformat(revert["at"]) for revert in finding.reverts]
    changes += [] if changed_at is None else [changed_at]
    if last < finding.first_observed or any(is_after(change, last) for change in changes):
        return None
    return last


def is_after(change: datetime, attempt: datetime) -> bool:
    """Whether somebody wrote after an attempt of ours; CloudTrail tells the second alone (`eventTime`)."""
    return change >= attempt.replace(microsecond=0)


def is_settling(since: datetime | None, policy: Policy, now: datetime) -> bool:
    """Whether calls are so recent that their effect may still be on its way: they are not made twice."""
    return since is not None and now < since + policy.verify_within


def is_unverified(finding: Finding, since: datetime | None, policy: Policy, now: datetime) -> bool:
    """Whether AWS accepted the calls, and their time to show an effect is over.

    They are tried again at the pace of refusals, and no oftener in a window than the policy lets anything be tried.
    """
    if since is None or now < since + policy.verify_within:
        return False
    rests = now < since + policy.attempts_window / policy.limits.attempts
    return rests or recent_attempts(finding, policy, now) >= policy.limits.attempts
