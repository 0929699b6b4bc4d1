"""What became of a remediation that crashed each time: its findings become tickets, and are looked at again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from warden.core import deferral
from warden.core.dataclass import dataclass
from warden.core.decision import Action
from warden.core.ledger import EntryKind, LedgerEntry, plain
from warden.core.messages import RemediationMessage, TicketEvent, TicketMessage, UndoMessage, decode_write
from warden.core.pace import REFUSED, REFUSED_AT
from warden.core.rows import Due

if TYPE_CHECKING:
    from warden.core.finding import Finding
    from warden.core.resource import Deployment
    from warden.pipeline.ports import Ledger
    from warden.pipeline.visit import Visitor

CRASHED = "crashed"
"""The member of a finding's decision that names the message that crashed, and the reason of its due row."""

_TICKET = (
    "The remediation crashed each time that it was tried. Whether its call was made is in the ledger: an intent "
    "without an outcome may have been. Why it crashed is in the log of the function that writes."
)
_UNDO = "it crashed each time; whether the call was made, the intent and CloudTrail tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """Everything that a dead letter of the remediations needs."""

    deployment: Deployment
    visitor: Visitor
    ledger: Ledger

    def handle(self, body: str, *, message: str) -> tuple[str, ...]:
        """Put a dead letter on record, and have people told; returns the controls whose findings became tickets.

        Raises MalformedEventError for what is no message of ours: it stays in its queue. In the order of a visit:
        a crash in between repeats something rather than losing it.
        """
        letter = decode_write(body)
        if isinstance(letter, UndoMessage):
            self._undo(letter, body)
            return ()
        arn = letter.ref.arn
        findings = self.visitor.findings.of_resource(letter.resource_key) if letter.resource_key else {}
        # What was to be cleaned up is asked for again, for as long as it is there; no finding is about it.
        controls = () if letter.clean_up else letter.controls
        told = [
            findings[control] for control in controls if control in findings and findings[control].is_open
        ]
        if not told:
            known = bool(findings)
            # Whoever sends messages must not make chains of resources.
            self._record(letter, body, chain=letter.resource_key if known else self.deployment.chain)
        for finding in told:
            self._tell(finding, letter, body, message)
        if self.deployment.refusal(letter.ref) is None and self.visitor.state.waiting(arn) is None:
            now = self.visitor.clock()
            due_at = deferral.next_due(now, attempt=0, jitter=self.visitor.jitter())
            self.visitor.state.defer(Due(arn=arn, due_at=due_at, first_at=now, attempt=0, reason=CRASHED))
        return tuple(finding.control for finding in told)

    def _tell(self, finding: Finding, letter: RemediationMessage, body: str, message: str) -> None:
        is_new = finding.decision.get(CRASHED) != message
        if is_new:
            crashed = _crashed(finding, message, at=self.visitor.clock().isoformat())
            after = {**crashed.decision, "plan": plain(list(crashed.plan)), "manual": crashed.manual}
            self._record(letter, body, chain=finding.resource_key, finding=finding, after=after)
        self.visitor.queues.ticket(
            TicketMessage(
                event=TicketEvent.OPEN,
                resource_key=finding.resource_key,
                control=finding.control,
                revision=finding.revision + is_new,
            )
        )
        if is_new:
            self.visitor.findings.put(crashed)

    def _undo(self, letter: UndoMessage, body: str) -> None:
        known = self.ledger.entry(letter.chain, letter.sequence) is not None
        self.ledger.append(
            LedgerEntry(
                at=self.visitor.clock(),
                actor="evaluate",
                chain=letter.chain if known else self.deployment.chain,
                kind=EntryKind.UNDO,
                arn=letter.ref.arn,
                after={"status": "REFUSED", "undoes": letter.sequence, "why": _UNDO},
                evidence={"dead_letter": body},
                policy_version=self.visitor.judge.policy.version,
            )
        )

    def _record(
        self,
        letter: RemediationMessage,
        body: str,
        *,
        chain: str,
        finding: Finding | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        self.ledger.append(
            LedgerEntry(
                at=self.visitor.clock(),
                actor="evaluate",
                chain=chain,
                kind=EntryKind.DECISION,
                control=",".join(letter.controls) if finding is None else finding.control,
                arn=letter.ref.arn,
                before={} if finding is None else dict(finding.decision),
                after=after or {"action": Action.OBSERVE.value, "reason": CRASHED},
                evidence={"dead_letter": body},
                cause=letter.cause,
                policy_version=self.visitor.judge.policy.version,
            )
        )


def _crashed(finding: Finding, message: str, *, at: str) -> Finding:
    """The finding as a ticket; nothing of it is tried again at once, at the pace of what AWS refused."""
    decision = {
        **finding.decision,
        "action": Action.TICKET.value,
        "reason": "remediation_failed",
        REFUSED_AT: at,
        REFUSED: "",
        CRASHED: message,
    }
    return replace(finding, decision=decision, manual=_TICKET)
