"""One visit to one resource: judge it, keep the findings, hand over what must be done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from warden.core import conditions, deferral
from warden.core.control import ComplianceType
from warden.core.decision import Action, Decision, Reason
from warden.core.evaluation import Evaluation
from warden.core.finding import Finding, WorkflowStatus, advance
from warden.core.ledger import EntryKind, LedgerEntry, plain
from warden.core.messages import RemediationMessage, TicketEvent, TicketMessage
from warden.core.trigger import Source
from warden.core.version import code_version
from warden.pipeline.judge import Judgement
from warden.pipeline.ports import Due

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from warden.core.resource import Resource, ResourceRef
    from warden.core.trigger import Cause
    from warden.pipeline.judge import Judge
    from warden.pipeline.ports import Clock, Findings, Ledger, Queues, State

TICKET_ACTIONS = frozenset({Action.TICKET, Action.AWAIT_APPROVAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a visit found and did, for the log and the metrics."""

    arn: str
    judgements: tuple[Judgement, ...] = ()
    opened: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    handed_over: tuple[tuple[str, Action], ...] = ()
    """Controls whose finding went to a queue, and for what."""
    skipped: str = ""
    """Why nothing was judged."""
    cause: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Everything a visit needs; shared by evaluate and sweep."""

    judge: Judge
    findings: Findings
    ledger: Ledger
    state: State
    queues: Queues
    clock: Clock
    jitter: Callable[[], float]
    own_roles: frozenset[str] = frozenset()

    def visit(
        self, resource: Resource, cause: Cause, *, findings: Mapping[str, Finding] | None = None
    ) -> Visit:
        """Judge the resource as it was just read; `findings` where the caller has them already."""
        if conditions.is_deleting(resource):
            return Visit(arn=resource.ref.arn, skipped="deleting", cause=self.cause(cause))
        now = self.clock()
        before = self.findings.of_resource(resource.key) if findings is None else findings
        resource, judgements = self.judge.decide(
            resource,
            self.judge.evaluate(resource),
            findings=before,
            now=now,
            budget_spent=self._budget(resource, now),
            settling=self.is_own(cause),
        )
        judgements = self._deferrals(resource, judgements, cause, now)
        return self._keep(resource, judgements, before, cause)

    def is_own(self, cause: Cause) -> bool:
        """Whether our own write came back as an event: it resolves findings and never leads to another write."""
        return cause.principal in self.own_roles

    def cause(self, cause: Cause) -> dict[str, Any]:
        """The cause as the ledger keeps it: who, what, when, by which tool, from where."""
        return {
            "source": cause.source.value,
            "event_name": cause.event_name,
            "event_id": cause.event_id,
            "at": cause.at.isoformat(),
            "principal": cause.principal,
            "user_agent": cause.user_agent,
            "source_ip": cause.source_ip,
            "own": self.is_own(cause),
        }

    def _budget(self, resource: Resource, now: datetime) -> Callable[[bool], bool]:
        spent: dict[bool, bool] = {}
        limits = self.judge.policy.limits

        def is_spent(containment: bool) -> bool:  # noqa: FBT001 - a predicate over one flag
            if containment not in spent:
                limit = limits.containment_writes_per_hour if containment else limits.writes_per_hour
                spent[containment] = (
                    self.state.spent(resource.ref.account, resource.home, containment=containment, now=now)
                    >= limit
                )
            return spent[containment]

        return is_spent

    # --- waiting ------------------------------------------------------------------------------------------

    def _deferrals(
        self, resource: Resource, judgements: Sequence[Judgement], cause: Cause, now: datetime
    ) -> list[Judgement]:
        """Write the due row of a resource that must wait, and tell a person about what has waited for a day."""
        deferred = [j for j in judgements if j.decision.action is Action.DEFER]
        arn = resource.ref.arn
        if not deferred:
            if cause.source is Source.DEFERRAL:
                self.state.settle(arn)
            return list(judgements)
        waiting = self.state.waiting(arn)
        attempt = 0 if waiting is None else waiting.attempt
        if cause.source is Source.DEFERRAL:
            attempt += 1
        first_at = now if waiting is None else waiting.first_at
        if waiting is None or cause.source is Source.DEFERRAL:
            due_at = deferral.next_due(now, attempt=attempt, jitter=self.jitter())
            reason = deferred[0].decision.reason.value
            self.state.defer(Due(arn=arn, due_at=due_at, first_at=first_at, attempt=attempt, reason=reason))
        if not deferral.is_overdue(now, first_at=first_at):
            return list(judgements)
        return [
            replace(j, decision=replace(j.decision, action=Action.TICKET)) if j in deferred else j
            for j in judgements
        ]

    # --- keeping ------------------------------------------------------------------------------------------

    def _keep(
        self,
        resource: Resource,
        judgements: Sequence[Judgement],
        before: Mapping[str, Finding],
        cause: Cause,
    ) -> Visit:
        """Hand over, then record, then keep: a crash in between repeats a message rather than losing one."""
        changes = [
            Change(before.get(judgement.control.id), new, judgement)
            for judgement in judgements
            if (new := self._after(before.get(judgement.control.id), judgement, resource, cause)) is not None
        ]
        for change in changes:
            for event in change.tells:
                self.queues.ticket(
                    TicketMessage(event=event, resource_key=resource.key, control=change.new.control)
                )
        remediations = [c.judgement for c in changes if c.judgement.decision.action is Action.REMEDIATE]
        self._send(resource, remediations, cause)
        for change in changes:
            if change.new is not change.old:
                for entry in self._entries(change, resource, cause):
                    self.ledger.append(entry)
                self.findings.put(change.new)
        return Visit(
            arn=resource.ref.arn,
            judgements=tuple(judgements),
            opened=tuple(c.new.control for c in changes if c.opens),
            resolved=tuple(c.new.control for c in changes if c.resolves),
            handed_over=tuple(
                (c.new.control, c.judgement.decision.action)
                for c in changes
                if c.judgement in remediations or TicketEvent.OPEN in c.tells
            ),
            cause=self.cause(cause),
        )

    def _after(
        self, old: Finding | None, judgement: Judgement, resource: Resource, cause: Cause
    ) -> Finding | None:
        """The finding as it should be kept; the same object where nothing changed."""
        new = advance(old, judgement.evaluation, resource_key=resource.key, observed_at=resource.observed_at)
        if (
            new is None
            or not new.is_open
            or judgement.evaluation.compliance is not ComplianceType.NON_COMPLIANT
        ):
            return new
        wanted = replace(
            new,
            workflow=_workflow(new, judgement.decision),
            decision=judgement.decision.to_json(),
            plan=tuple(call.to_json() for call in judgement.calls),
            manual=judgement.manual,
            cause=new.cause if old is not None and old.is_open else self.cause(cause),
        )
        if old is not None and wanted == old:
            return old
        return wanted

    def _send(self, resource: Resource, remediations: Sequence[Judgement], cause: Cause) -> None:
        if not remediations:
            return
        message = RemediationMessage(
            ref=resource.ref,
            controls=tuple(judgement.control.id for judgement in remediations),
            policy_version=self.judge.policy.version,
            cause=self.cause(cause),
        )
        decision = f"{message.encode()}|{resource.observed_at.isoformat()}"
        self.queues.remediate(message, deduplication_id=hashlib.sha256(decision.encode()).hexdigest())

    def _entries(self, change: Change, resource: Resource, cause: Cause) -> list[LedgerEntry]:
        old, new = change.old, change.new
        entry = LedgerEntry(
            at=self.clock(),
            actor="evaluate",
            chain=resource.key,
            kind=EntryKind.FINDING,
            control=new.control,
            arn=new.arn,
            before=_summary(old),
            after=_summary(new),
            evidence=plain(new.evidence),
            cause=self.cause(cause),
            control_version=code_version(change.judgement.control.module),
            policy_version=self.judge.policy.version,
        )
        entries: list[LedgerEntry] = []
        if old is None or (old.workflow, old.annotation) != (new.workflow, new.annotation):
            entries.append(entry)
        if new.is_open and (old is None or change.opens or old.decision != new.decision):
            entries.append(
                replace(
                    entry,
                    kind=EntryKind.DECISION,
                    before=dict(old.decision) if old is not None else {},
                    after={**new.decision, "plan": plain(list(new.plan)), "manual": new.manual},
                    evidence={},
                )
            )
        return entries


@dataclass(frozen=True, slots=True)
class Change:
    """A finding before and after a visit; the same object where nothing changed."""

    old: Finding | None
    new: Finding
    judgement: Judgement

    @property
    def opens(self) -> bool:
        """Whether the drift is new, or back."""
        return self.new.is_open and (self.old is None or not self.old.is_open)

    @property
    def resolves(self) -> bool:
        """Whether the drift has gone."""
        return self.old is not None and self.old.is_open and not self.new.is_open

    @property
    def tells(self) -> tuple[TicketEvent, ...]:
        """What a person has to be told; the ticket function drops what was told already."""
        if self.resolves:
            return (TicketEvent.RESOLVE,) if self.old is not None and was_told(self.old) else ()
        if not self.new.is_open or self.judgement.decision.action not in TICKET_ACTIONS:
            return ()
        news = self.new is not self.old or self.new.workflow is not WorkflowStatus.NOTIFIED
        return (TicketEvent.OPEN,) if news else ()


def was_told(finding: Finding) -> bool:
    """Whether a ticket exists, or is on its way."""
    return finding.workflow is WorkflowStatus.NOTIFIED or finding.decision.get("action") in TICKET_ACTIONS


def _workflow(finding: Finding, decision: Decision) -> WorkflowStatus:
    if decision.action is Action.SUPPRESS:
        return WorkflowStatus.SUPPRESSED
    if finding.workflow is WorkflowStatus.SUPPRESSED:
        return WorkflowStatus.NEW
    return finding.workflow


def _summary(finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        return {}
    return {
        "workflow": finding.workflow.value,
        "compliance": finding.compliance.value,
        "annotation": finding.annotation,
    }


def unread(judge: Judge, ref: ResourceRef, why: str) -> tuple[Judgement, ...]:
    """The judgements of a resource that could not be read at all."""
    return tuple(
        Judgement(
            evaluation=Evaluation(
                control=control,
                ref=ref,
                compliance=ComplianceType.INSUFFICIENT_DATA,
                annotation=f"{ref.id} was not judged: {why}.",
                missing="resource",
            ),
            plan=None,
            decision=Decision(Action.OBSERVE, Reason.INSUFFICIENT_DATA, Action.OBSERVE),
        )
        for control in judge.of_type(ref.resource_type)
    )
