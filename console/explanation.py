"""Why something happened to one finding, or did not: everything that is known, in one document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console import obstacles, reasons
from console.known import time
from console.ledger_text import mapping
from warden.core import approval, brakes, pace
from warden.core.decision import Action
from warden.core.ledger import EntryKind, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.known import Case, Known
    from console.obstacles import Row
    from warden.core.approval import Approval
    from warden.core.finding import Finding
    from warden.core.policy import Policy

_SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One finding, explained."""

    case: Case
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, case: Case) -> Explanation:
        """Explain a finding."""
        return cls(case=case, rows=tuple(obstacles.rows(case)))

    @property
    def finding(self) -> Finding:
        """The finding that is explained."""
        return self.case.finding

    @property
    def known(self) -> Known:
        """What else is known of it."""
        return self.case.known

    @property
    def policy(self) -> Policy:
        """The policy that is compared with."""
        return self.case.policy

    @property
    def changes(self) -> list[str]:
        """What would have to change for Warden to act, a sentence for each reason, in the order of the table."""
        finding, known = self.finding, self.known
        if not finding.is_open:
            return []
        wanted = [row.change for row in self.rows if row.is_in_the_way]
        if not self.policy.is_enabled(finding.control):
            wanted.insert(0, "The policy would have to enable the control: it is not judged any more.")
        if known.stop:
            wanted.append(f"`warden resume` would have to be called: {known.stop}.")
        return wanted or [self._nothing()]

    def _nothing(self) -> str:
        again = (
            f"it is looked at again at {time(self.known.due.due_at)}"
            if self.known.due is not None
            else "the next event or sweep looks again"
        )
        if self.finding.decision.get("action") == Action.REMEDIATE:
            return f"Nothing: it was handed to remediate, and {again}."
        if all(row.then != obstacles.DECIDED for row in self.rows):
            return f"Another version of Warden decided, by a row that is not known here; {again}."
        return f"Nothing that is known from here: what decided then holds no more, and {again}."

    @property
    def exemptions(self) -> list[dict[str, str]]:
        """The policy's exemptions that are about this finding, and whether they cover it."""
        today = self.known.now.date()
        account = self.case.account
        return [
            {
                "owner": one.owner,
                "reason": one.reason,
                "expires": one.expires.isoformat(),
                "state": "expired"
                if today > one.expires
                else "covers it, and ends soon"
                if one.expires - today <= _SOON
                else "covers it",
            }
            for one in self.policy.exemptions
            if one.concerns(self.finding.control, account=account, key=self.finding.resource_key)
        ]

    @property
    def last_cause(self) -> Mapping[str, Any]:
        """The cause of the newest entry; that of the finding itself is what brought the drift."""
        causes = (mapping(one.entry.get("cause")) for one in reversed(self.known.entries))
        return next(filter(None, causes), {})

    @property
    def last_write(self) -> dict[str, Any] | None:
        """The last call, and what became of it; None where nothing was ever written for the finding."""
        entry = self._newest(EntryKind.INTENT, EntryKind.OUTCOME)
        if entry is None:
            return None
        unknown = {"operation": "", "status": "an intent without an outcome: the call may have been made"}
        return {**unknown, **mapping(entry.get("after")), "at": str(entry.get("at", ""))}

    @property
    def decided_by(self) -> tuple[str, str]:
        """When the decision was last changed, and by which policy; empty where the ledger does not say."""
        entry = self._newest(EntryKind.DECISION) or {}
        return str(entry.get("at", "")), str(entry.get("policy_version", ""))

    def _newest(self, *kinds: EntryKind) -> Mapping[str, Any] | None:
        wanted = (one.entry for one in reversed(self.known.entries) if one.entry.get("kind") in set(kinds))
        return next(wanted, None)

    @property
    def notes(self) -> list[str]:
        """What makes this explanation less than certain."""
        notes = []
        _, version = self.decided_by
        if version and version != self.policy.version:
            notes.append(
                f"It was decided by the policy {version}; the file that was read here is {self.policy.version}, so "
                "that the deployment may see the present otherwise."
            )
        if self.known.ceiling is None:
            notes.append("The ceiling of the deployment could not be read.")
        if self.case.control is None:
            notes.append(f"This checkout has no control {self.finding.control}.")
        return notes

    def to_json(self) -> dict[str, Any]:
        """For `--format json`."""
        finding, known, limits = self.finding, self.known, self.policy.limits
        at, version = self.decided_by
        containment = self.case.is_containment
        document = {
            "control": finding.control,
            "title": finding.title,
            "severity": finding.severity,
            "resource": finding.arn,
            "resource_key": finding.resource_key,
            "workflow": finding.workflow.value,
            "compliance": finding.compliance.value,
            "annotation": finding.annotation,
            "first_observed": finding.first_observed,
            "last_observed": finding.last_observed,
            "resolved_at": finding.resolved_at,
            "cause": finding.cause,
            "last_cause": self.last_cause,
            "evidence": finding.evidence,
            "decision": {**finding.decision, "sentence": reasons.why(finding.decision)},
            "decided_at": at,
            "policy_version": version,
            "plan": list(finding.plan),
            "manual": finding.manual,
            "rows": [row.to_json() for row in self.rows],
            "exemptions": self.exemptions,
            "attempts": {
                "recent": pace.recent_attempts(finding, self.policy, known.now),
                "limit": limits.attempts,
                "window_hours": limits.attempts_window_hours,
                "at": list(finding.attempts),
            },
            "reverts": list(finding.reverts),
            "budget": {
                "spent": known.spent.writes,
                "spent_by_control": known.spent.by_control.get(finding.control, 0),
                "limit": limits.of(containment=containment),
                "containment": containment,
                "latched": sorted(
                    {brakes.budget_of(containment=containment), finding.control} & known.standing.latched
                ),
            },
            "approvals": [self._answer(one) for one in known.answers],
            "due": None
            if known.due is None
            else {
                "at": known.due.due_at,
                "since": known.due.first_at,
                "attempt": known.due.attempt,
                "reason": known.due.reason,
                "sentence": reasons.waits_for(known.due.reason),
            },
            "ticket": None
            if known.ticket is None
            else {
                "state": known.ticket.state,
                "opened_at": known.ticket.opened_at,
                "changed_at": known.ticket.changed_at,
            },
            "stop": known.stop,
            "last_write": self.last_write,
            "notes": self.notes,
            "changes": self.changes,
        }
        told: dict[str, Any] = plain(document)
        return {name: told[name] for name in document}

    def _answer(self, one: Approval) -> dict[str, Any]:
        why = approval.objection(one, finding=self.finding, policy=self.policy, now=self.known.now)
        return {"answer": one.answer.value, **one.to_json(), "objection": why}
