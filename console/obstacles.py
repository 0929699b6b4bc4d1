"""The rows of the decision table for one finding: which decided, which hold now, and what would have to change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from console import consent, pacing, restraint
from console.known import untold
from warden.core.decision import ROWS, Action, Mode, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from console.known import Answer, Case
    from warden.core.finding import Finding

DECIDED, PASSED, NOT_ASKED, UNKNOWN = "decided", "did not hold", "not asked", "unknown"

_ASK: Mapping[Reason, Callable[[Case], Answer]] = {
    Reason.EXEMPT: consent.exempt,
    Reason.UNDONE: pacing.undone,
    Reason.PREVIEW: consent.preview,
    Reason.DAY_ONE: restraint.day_one,
    Reason.NO_REMEDIATION: consent.no_remediation,
    Reason.FLAPPING: pacing.flapping,
    Reason.REFUSED: pacing.refused,
    Reason.UNVERIFIED: pacing.unverified,
    Reason.CIRCUIT_OPEN: restraint.circuit_open,
    Reason.OWNER_FIRST: pacing.owner_first,
    Reason.NEEDS_APPROVAL: consent.needs_approval,
    Reason.SETTLING: pacing.settling,
    Reason.FROZEN: pacing.frozen,
    Reason.OUTSIDE_WINDOW: pacing.outside_window,
    Reason.CANARY: restraint.canary,
    Reason.BLAST_RADIUS: restraint.budget,
}
"""What can be answered without looking at the database."""

_CHANGES = {
    Reason.UNKNOWN_STATE: "AWS would have to say whether the database may be written to: what that is read from is "
    "missing, or was denied to remediate or evaluate.",
    Reason.PREFLIGHT: "The queries of the connection log would have to end, which takes minutes; the answer is kept "
    "for hours.",
    Reason.BUSY: "The database would have to be available, with no blue/green deployment of it under way.",
    Reason.PENDING: "What is queued for the maintenance window would have to be applied or withdrawn: the calls would "
    "apply it at once.",
    Reason.UNHEALTHY: "Its alarms would have to be quiet, and its last failover be long enough ago.",
}
"""What would have to change for the other rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table."""

    action: Action
    reason: Reason
    then: str
    """What it said when the last decision was made."""
    holds: bool | None
    """Whether it holds now; None where it cannot be told from here."""
    what: str
    """How it stands now."""
    change: str
    """What would have to change for it to let Warden act, as a sentence."""

    def to_json(self) -> dict[str, Any]:
        """For `--format json`."""
        return {
            "action": self.action.value,
            "reason": self.reason.value,
            "then": self.then,
            "holds_now": self.holds,
            "now": self.what,
        }

    @property
    def is_in_the_way(self) -> bool:
        """Whether it is known to hold, or decided and cannot be told to have passed."""
        if self.reason is Reason.POLICY:
            return False
        return self.holds is True or (self.holds is None and self.then == DECIDED)


def rows(case: Case) -> list[Row]:
    """The table, in its order."""
    decided = _place(case.finding)
    found = []
    for place, (action, reason) in enumerate(ROWS):
        answer = _answer(case, action, reason)
        found.append(Row(action=action, reason=reason, then=_then(place, decided), **answer._asdict()))
    return [*found[:-1], _last(found)]


def _answer(case: Case, action: Action, reason: Reason) -> Answer:
    if reason is Reason.MODE:
        return consent.mode(case, Mode[action.value])
    return _ASK[reason](case) if reason in _ASK else _untold(reason)


def _untold(reason: Reason) -> Answer:
    """The answer of a row that asks what no table keeps."""
    return untold("only a look at the database tells", _CHANGES.get(reason, ""))


def _then(place: int, decided: int | None) -> str:
    if decided is None:
        return UNKNOWN
    if place == decided:
        return DECIDED
    return PASSED if place < decided else NOT_ASKED


def _last(found: list[Row]) -> Row:
    """The row that lets Warden act: it holds where no other does."""
    others = [row.holds for row in found[:-1]]
    if True in others:
        return replace(found[-1], holds=False, what="a row before it holds")
    if None in others:
        return replace(
            found[-1], holds=None, what="unless a row before it holds, which cannot be told from here"
        )
    return replace(found[-1], holds=True, what="no row before it holds")


def _place(finding: Finding) -> int | None:
    """Which row made the last decision."""
    decision = finding.decision
    action, reason = decision.get("action"), decision.get("reason")
    if reason == "remediation_failed":
        # It had been decided to remediate, twice, before AWS or the write guard refused.
        return len(ROWS) - 1
    if reason == Reason.MODE:
        return next((place for place, row in enumerate(ROWS) if row == (action, reason)), None)
    # What waited for a day is told as a ticket, by the row that made it wait.
    return next((place for place, (_, row) in enumerate(ROWS) if row == reason), None)
