"""Approvals: what a person lets Warden do that it may not do by itself; bound to exact calls, and used once.

Beside `Decision` in the flow. A request is not a row: it is a finding whose decision is AWAIT_APPROVAL, and its id
follows from the finding and its calls. Whoever answers it writes a row that only they can write.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from warden.core import preflight
from warden.core.control import Safety
from warden.core.dataclass import dataclass
from warden.core.decision import approval_missing
from warden.core.plan import ONLY_APPROVED, Plan, Stage, Wait, digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.plan import Call, Manual
    from warden.core.policy import Policy

_SKEW = timedelta(minutes=5)
"""How far the clock of a laptop may be ahead."""


class Answer(StrEnum):
    """What a person said."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's answer to one request."""

    approver: str
    """The person's `aws:userid`, such as `AROA…:m.jansen`: the table takes no other from them."""
    request: str
    answer: Answer
    at: datetime
    reason: str
    arn: str = ""
    """Who they say they are, for people to read; it decides nothing."""
    used: bool = False

    @property
    def id(self) -> str:
        """Names this one answer: the same person may answer a later request for the same calls anew."""
        return f"{self.request}|{self.approver}|{self.at.isoformat()}"

    def to_json(self) -> dict[str, str]:
        """For the ledger."""
        return {
            "request": self.request,
            "approver": self.approver,
            "arn": self.arn,
            "at": self.at.isoformat(),
            "reason": self.reason,
        }


def is_needed(
    control: Control,
    policy: Policy,
    planned: Plan | Manual | Wait | None = None,
    looked: preflight.Answer | None = None,
) -> bool:
    """Whether a control's calls need somebody's approval: they cost or disrupt, and the policy does not allow that.

    What takes away a procedure's own temporary thing needs none. A reboot, or another cluster, needs one, whatever the
    policy allows.
    `looked` is what the preflight found.
    """
    remediation = control.remediation
    if remediation is None:
        return True
    plan = planned if isinstance(planned, Plan) else None
    if isinstance(planned, Wait) or (plan is not None and plan.stage is Stage.CLEAN_UP):
        return False
    if plan is not None and (remediation.asks or any(call.operation in ONLY_APPROVED for call in plan.calls)):
        return True
    is_safe = remediation.safety is Safety.SAFE
    named = policy.allow_costs if remediation.safety is Safety.COSTS else policy.allow_disruption
    allowed = is_safe or control.id in named
    if plan is not None and plan.disrupts:
        allowed = allowed and control.id in policy.allow_disruption
    return approval_missing(
        safe=is_safe and not (plan is not None and plan.disrupts),
        # Where live use is asked for and nobody has looked, the answer is "unknown", which is not clean.
        preflight_clean=remediation.preflight is None or (looked is not None and looked.is_clean),
        allowed=allowed,
        approved=False,
    )


def request_id(resource_key: str, control: str, calls: Iterable[Call]) -> str:
    """The id of the request to make these calls for this finding: another plan is another request."""
    return hashlib.sha256(f"{control}|{resource_key}|{digest(calls)}".encode()).hexdigest()[:12]


def in_force(
    answers: Iterable[Approval],
    *,
    finding: Finding,
    policy: Policy,
    now: datetime,
    begun: bool = False,
    looked: preflight.Answer | None = None,
) -> Approval | None:
    """The approval that holds now; None where there is none, or where somebody rejected.

    `begun`: it is for the rest of a procedure whose beginning used it, and whose record says so.
    """
    standing = [
        answer
        for answer in answers
        if objection(answer, finding=finding, policy=policy, now=now, looked=looked) == ""
        or (begun and answer.used)
    ]
    if any(answer.answer is Answer.REJECTED for answer in standing):
        return None
    return min(standing, key=lambda answer: answer.at, default=None)


def objection(
    answer: Approval,
    *,
    finding: Finding,
    policy: Policy,
    now: datetime,
    looked: preflight.Answer | None = None,
) -> str:
    """Why an answer does not count, as a sentence; empty where it does.

    `looked`: what the preflight finds now; without it counts what it found when the finding was last judged.
    """
    if answer.approver == finding.cause.get("session"):
        return "whoever made the change does not also approve what is done about it"
    if answer.at < finding.first_observed - _SKEW:
        return "it is older than the finding"
    looked = looked or preflight.answer_of(finding.decision.get("preflight"))
    noted = looked.noted if looked is not None and answer.answer is Answer.APPROVED else ""
    if noted and datetime.fromisoformat(noted) > answer.at:
        return f"clients without TLS were found after it, at {noted[:16].replace('T', ' ')} UTC"
    return standing_objection(answer, policy=policy, now=now)


def standing_objection(answer: Approval, *, policy: Policy, now: datetime) -> str:
    """Why an answer does not count, whatever it answers; empty where it does."""
    until = expires(answer.at, policy)
    objections = (
        (
            answer.approver.partition(":")[0] in policy.approvals.never,
            "the policy lets this role approve nothing (approvals.never)",
        ),
        (answer.at > now + _SKEW, f"it is from the future: {answer.at:%Y-%m-%d %H:%M} UTC"),
        (now >= until, f"it expired at {until:%Y-%m-%d %H:%M} UTC"),
        (answer.used, "it was used"),
    )
    return next((why for holds, why in objections if holds), "")


def expires(at: datetime, policy: Policy) -> datetime:
    """When an answer of that time expires: not before the end of the next change window, so that it can be used."""
    ordinary = at + timedelta(hours=policy.approvals.valid_hours)
    return max([ordinary, *(window.next(at).end for window in policy.change_windows)])
