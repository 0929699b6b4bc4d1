"""The rows of the decision table for one finding: which decided, which hold now, and what would have to change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from console import reasons
from warden.core import approval, pace
from warden.core.control import Maturity
from warden.core.decision import ROWS, Action, Mode, Reason
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.approval import Approval
    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.ledger import Link
    from warden.core.policy import Policy
    from warden.core.rows import Due, TicketRow

DECIDED, PASSED, NOT_ASKED, UNKNOWN = "decided", "did not hold", "not asked", "unknown"
_LIVE = "only a look at the database tells"
_NOT_READ = frozenset({Reason.UNDONE, Reason.DAY_ONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the tables and the stack say beside the finding."""

    now: datetime
    region: str
    ceiling: Mode | None = None
    """None where it could not be read."""
    stop: str = ""
    """Who stopped all writes and why, or that this cannot be read; empty where they go on."""
    due: Due | None = None
    ticket: TicketRow | None = None
    spent: int = 0
    answers: tuple[Approval, ...] = ()
    entries: tuple[Link, ...] = field(default=(), repr=False)
    """The ledger's entries of this finding, the oldest first."""


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


def time(at: datetime) -> str:
    """A time as it is told."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def rows(finding: Finding, control: Control | None, policy: Policy, known: Known) -> list[Row]:
    """The table, in its order."""
    return _Table(finding, control, policy, known).rows()


_Answer = tuple[bool | None, str, str]


class _Table:
    def __init__(self, finding: Finding, control: Control | None, policy: Policy, known: Known) -> None:
        self._finding = finding
        self._control = control
        self._policy = policy
        self._known = known
        self._containment = control is not None and control.is_containment
        self._decided = _place(finding)

    def rows(self) -> list[Row]:
        answers: dict[tuple[Action, Reason], Callable[[], _Answer]] = {
            (Action.SUPPRESS, Reason.EXEMPT): self._exempt,
            (Action.OBSERVE, Reason.MODE): lambda: self._mode(Mode.OBSERVE),
            (Action.OBSERVE, Reason.PREVIEW): self._preview,
            (Action.TICKET, Reason.MODE): lambda: self._mode(Mode.TICKET),
            (Action.TICKET, Reason.NO_REMEDIATION): self._no_remediation,
            (Action.TICKET, Reason.FLAPPING): self._flapping,
            (Action.TICKET, Reason.CIRCUIT_OPEN): self._circuit_open,
            (Action.TICKET, Reason.OWNER_FIRST): self._owner_first,
            (Action.AWAIT_APPROVAL, Reason.NEEDS_APPROVAL): self._needs_approval,
            (Action.DEFER, Reason.FROZEN): self._frozen,
            (Action.DEFER, Reason.OUTSIDE_WINDOW): self._outside_window,
            (Action.TICKET, Reason.BLAST_RADIUS): self._budget,
        }
        found = []
        for place, (action, reason) in enumerate(ROWS):
            holds, what, change = answers.get((action, reason), lambda reason=reason: _live(reason))()
            found.append(
                Row(
                    action=action,
                    reason=reason,
                    then=self._then(place),
                    holds=holds,
                    what=what,
                    change=change,
                )
            )
        return [*found[:-1], _last(found)]

    def _then(self, place: int) -> str:
        if self._decided is None:
            return UNKNOWN
        if place == self._decided:
            return DECIDED
        return PASSED if place < self._decided else NOT_ASKED

    def _exempt(self) -> _Answer:
        finding, now = self._finding, self._known.now
        account = _account(finding)
        for one in self._policy.exemptions:
            concerns = one.concerns(finding.control, account=account, key=finding.resource_key)
            if concerns and now.date() <= one.expires:
                what = f"an exemption of {one.owner} covers it up to {one.expires}: {one.reason}"
                change = (
                    f"The exemption of {one.owner} would have to end: it lasts to the end of {one.expires}, or until "
                    "the policy drops it."
                )
                return True, what, change
        return False, "no exemption covers it", ""

    def _mode(self, mode: Mode) -> _Answer:
        certain, possible = self._modes()
        lowest = min(one for _, one in certain)
        told = ", ".join(f"{where} says {one.word}" for where, one in certain if one is not Mode.REMEDIATE)
        if lowest is mode:
            return True, told, f"The mode would have to be remediate: {told}."
        if lowest > mode and mode in {one for _, one in possible}:
            may = ", ".join(f"{where} may say {one.word}" for where, one in possible if one is mode)
            return None, may, f"The mode would have to be remediate: {may}, which cannot be seen from here."
        return False, f"the mode is {lowest.word}", ""

    def _modes(self) -> tuple[list[tuple[str, Mode]], list[tuple[str, Mode]]]:
        """What limits the mode: what is certain, and what tags that nobody kept, or an unread ceiling, may add."""
        policy, finding, known = self._policy, self._finding, self._known
        own = finding.control in policy.modes
        where = f"controls.{finding.control}.mode" if own else "defaults.mode"
        certain = [(f"{where} of the policy", policy.modes.get(finding.control, policy.default_mode))]
        possible: list[tuple[str, Mode]] = []
        account = _account(finding)
        for scope in policy.scopes:
            if (scope.accounts and account not in scope.accounts) or (
                scope.regions and known.region not in scope.regions
            ):
                continue
            tags = " and ".join(f"{key}={value}" for key, value in sorted(scope.tags.items()))
            if tags:
                possible.append((f"the scope {scope.name!r} (tags {tags})", scope.mode))
            else:
                certain.append((f"the scope {scope.name!r}", scope.mode))
        if known.ceiling is None:
            possible += [("the ceiling of the deployment (ModeCeiling)", mode) for mode in Mode]
        else:
            certain.append(("the ceiling of the deployment (ModeCeiling)", known.ceiling))
        return certain, possible

    def _preview(self) -> _Answer:
        if self._control is None:
            return _unknown_control()
        holds = self._control.maturity == Maturity.PREVIEW
        change = "The control would have to be stable: a preview only observes, whatever the policy says."
        return holds, f"the control is {self._control.maturity}", change if holds else ""

    def _no_remediation(self) -> _Answer:
        if self._finding.plan:
            return False, "there was a plan when it was last judged", ""
        why = self._finding.manual.partition("\n")[0]
        return (
            True,
            why or "no plan was made",
            f"A person has to act, for Warden has no calls for it{_because(why)}.",
        )

    def _flapping(self) -> _Answer:
        finding, policy, now = self._finding, self._policy, self._known.now
        recent, limit = pace.recent_attempts(finding, policy, now), policy.limits.attempts
        what = f"{recent} of {limit} attempts in {policy.limits.attempts_window_hours} hours"
        if not pace.is_flapping(finding, policy, now):
            return False, what, ""
        leaves = sorted(finding.attempts)[-limit] + policy.attempts_window
        who = sorted({str(one["principal"]) for one in finding.reverts if one.get("principal")})
        by = f" ({', '.join(who)})" if who else ""
        change = (
            f"Whoever changes it back{by} would have to stop; at {time(leaves)} the attempts are fewer than {limit} "
            "again."
        )
        return True, what, change

    def _circuit_open(self) -> _Answer:
        until = pace.rests_until(self._finding, self._policy)
        if until is None:
            return False, "no call was refused", ""
        if until <= self._known.now:
            return False, f"what was refused rested until {time(until)}", ""
        why = self._finding.manual.partition("\n")[0]
        again = f"from {time(until)} on, or once they differ"
        change = f"The calls that were refused are tried again {again}{_because(why)}."
        return True, f"what was refused rests until {time(until)}", change

    def _owner_first(self) -> _Answer:
        if self._containment:
            return False, "containment passes it", ""
        until = pace.owner_until(self._finding, self._policy, self._known.now)
        if not self._policy.owner_grace or until <= self._known.now:
            return False, "no grace period runs", ""
        decided = self._finding.decision.get("reason") == Reason.OWNER_FIRST
        change = f"The grace period of the stack's owner would have to end, as it does at {time(until)}."
        what = f"the grace period runs until {time(until)}" + ("" if decided else ", if a stack owns it")
        return (True if decided else None), what, change

    def _needs_approval(self) -> _Answer:
        control, policy, finding = self._control, self._policy, self._finding
        if control is None:
            return _unknown_control()
        if control.remediation is None or not approval.is_needed(control, policy):
            return False, "none is needed", ""
        given = approval.in_force(self._known.answers, finding=finding, policy=policy, now=self._known.now)
        if given is not None:
            return False, f"{given.arn or given.approver} approved at {time(given.at)}: {given.reason}", ""
        request = finding.decision.get("request")
        ask = f"`warden approve {request}`" if request else "`warden approve`, once it is asked for"
        lists = {"costs": "costs", "disruptive": "disruption"}
        key = lists.get(control.remediation.safety.value)
        allow = (
            f", or the policy list it under allow.{key}" if key and not control.remediation.preflight else ""
        )
        objections = [
            f"{one.answer.value} by {one.arn or one.approver}"
            + (
                f", which does not count: {why}"
                if (why := approval.objection(one, finding=finding, policy=policy, now=self._known.now))
                else ""
            )
            for one in self._known.answers
        ]
        safety = control.remediation.safety.value
        what = f"its safety is {safety}; " + ("; ".join(objections) or "nobody has answered")
        return True, what, f"Somebody would have to approve it ({ask}){allow}."

    def _frozen(self) -> _Answer:
        freeze = self._policy.freeze(self._known.now)
        if freeze is None or self._containment:
            return False, "no freeze is on" if freeze is None else "containment passes it", ""
        what = f"a freeze is on until {time(freeze.end)}: {freeze.reason}"
        return True, what, f"The freeze would have to end, as it does at {time(freeze.end)}: {freeze.reason}."

    def _outside_window(self) -> _Answer:
        policy, now = self._policy, self._known.now
        if self._control is None:
            return _unknown_control()
        if not self._control.is_disruptive or self._containment or not policy.is_outside_windows(now):
            return False, "it needs none, or one is open", ""
        opens = min(window.next(now).start for window in policy.change_windows)
        return (
            True,
            f"the next opens at {time(opens)}",
            f"A change window would have to open, as at {time(opens)}.",
        )

    def _budget(self) -> _Answer:
        limits, spent = self._policy.limits, self._known.spent
        limit = limits.containment_writes_per_hour if self._containment else limits.writes_per_hour
        what = f"{spent} of {limit} writes of this hour are spent"
        if spent < limit:
            return False, what, ""
        hour = self._known.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        setting = "containment_writes_per_hour" if self._containment else "writes_per_hour"
        return True, what, f"The budget of writes (limits.{setting}, {limit}) is new at {time(hour)}."


def _last(found: list[Row]) -> Row:
    """The row that lets Warden act: it holds where no other does."""
    others = [row.holds for row in found[:-1]]
    if True in others:
        return replace(found[-1], holds=False, what="a row before it holds")
    if None in others:
        return replace(
            found[-1], holds=None, what="unless a row before it holds, which cannot be told from here"
        )
    return replace(found[-1], holds=True)


_CHANGES = {
    Reason.UNDONE: "The hold of the undo would have to end.",
    Reason.DAY_ONE: "The first sweep in this mode would have to be acknowledged.",
    Reason.UNKNOWN_STATE: "AWS would have to say whether the database may be written to: what that is read from is "
    "missing, or was denied to remediate or evaluate.",
    Reason.BUSY: "The database would have to be available, with no blue/green deployment of it under way.",
    Reason.PENDING: "What is queued for the maintenance window would have to be applied or withdrawn: the calls would "
    "apply it at once.",
    Reason.UNHEALTHY: "Its alarms would have to be quiet, and its last failover be long enough ago.",
}


def _live(reason: Reason) -> _Answer:
    """A row that asks of the database what no table keeps."""
    if reason is Reason.POLICY:
        return None, reasons.REASONS[reason], ""
    if reason in _NOT_READ:
        return None, "nothing that is read here tells", _CHANGES[reason]
    return None, _LIVE, _CHANGES[reason]


def _unknown_control() -> _Answer:
    return None, "this checkout has no such control", "The control's own code would tell, which is not here."


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


def _account(finding: Finding) -> str:
    return ResourceRef.from_arn(finding.arn).account


def _because(why: str) -> str:
    return f": {why.rstrip('.')}" if why else ""
