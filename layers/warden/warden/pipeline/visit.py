"""One visit to one resource: judge it, keep the findings, hand over what must be done."""

from __future__ import annotations

import hashlib
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from warden.core import brakes, conditions, deferral, pace
from warden.core.approval import request_id
from warden.core.control import ComplianceType
from warden.core.dataclass import dataclass
from warden.core.decision import Action, Decision, Reason
from warden.core.evaluation import Evaluation
from warden.core.finding import Finding, WorkflowStatus, advance, brought_back
from warden.core.ledger import EntryKind, LedgerEntry, plain
from warden.core.messages import RemediationMessage, TicketEvent, TicketMessage
from warden.core.plan import Manual
from warden.core.procedure import is_about_made
from warden.core.rows import Due
from warden.core.trigger import Source
from warden.core.unannounced import tells_of
from warden.core.version import code_version
from warden.pipeline.judge import Judgement
from warden.pipeline.restraints import Restraints

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from warden.core.resource import Resource, ResourceRef
    from warden.core.trigger import Cause
    from warden.pipeline.judge import Judge
    from warden.pipeline.ports import Brakes, Clock, Findings, Ledger, Queues, State

_ABOUT_OWNERS = frozenset({Reason.FLAPPING, Reason.OWNER_FIRST})
# That a window opens only on Saturday is what the policy wants; of a spent budget, one alarm tells for all findings.
_PATIENT = frozenset({Reason.OUTSIDE_WINDOW, Reason.CANARY, Reason.BLAST_RADIUS})
_TRYING = frozenset({Action.REMEDIATE, Action.DEFER})
_FAILED = frozenset({Reason.REFUSED, Reason.UNVERIFIED, Reason.CIRCUIT_OPEN, Reason.FLAPPING})
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
    remembered: bool = False
    """Whether something was judged by what an earlier sweep had read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Everything a visit needs; shared by evaluate and sweep."""

    judge: Judge
    findings: Findings
    ledger: Ledger
    state: State
    brakes: Brakes
    queues: Queues
    clock: Clock
    jitter: Callable[[], float]
    own_roles: frozenset[str] = frozenset()

    def visit(
        self,
        resource: Resource,
        cause: Cause,
        *,
        findings: Mapping[str, Finding] | None = None,
        settling: bool = False,
        others: Cause | None = None,
    ) -> Visit:
        """Judge the resource as it was just read; `findings` where the caller has them already.

        `settling`: our own write to it has just come back, so nothing more is written for now. `others`: what
        somebody else wrote to it last, where that is not the cause itself.
        """
        if conditions.is_deleting(resource):
            return Visit(arn=resource.ref.arn, skipped="deleting", cause=self.cause(cause))
        now = self.clock()
        before = self.findings.of_resource(resource.key) if findings is None else findings
        if any(finding.is_newer(resource.observed_at) for finding in before.values()):
            # Whoever saw it later has judged all of it.
            return Visit(arn=resource.ref.arn, skipped="late", cause=self.cause(cause))
        others = cause if self.is_others(cause) else others
        resource = self.judge.completed(resource)
        restraints = Restraints(self.brakes, policy=self.judge.policy, resource=resource, now=now)

        def decide(seen: Resource) -> tuple[Resource, list[Judgement]]:
            return self.judge.decide(
                seen,
                self.judge.evaluate(seen),
                findings=before,
                now=now,
                restraints=restraints,
                settling=settling or self.is_own(cause),
                changed_at=None if others is None else others.at,
            )

        seen, judgements = decide(resource)
        if resource.remembered and not self._confirms(seen, judgements, before, cause, others):
            resource = self.judge.reader.afresh(resource)
            seen, judgements = decide(resource)
        resource = seen
        restraints.latch(judgements)
        judgements, overdue = self._waiting(resource, judgements, before, cause)
        return self._keep(resource, judgements, before, cause, restraints, others=others, overdue=overdue)

    def _confirms(
        self,
        resource: Resource,
        judgements: Sequence[Judgement],
        before: Mapping[str, Finding],
        cause: Cause,
        others: Cause | None,
    ) -> bool:
        """Whether what was remembered says only what is kept already, so that nothing would follow from it."""
        for judgement in judgements:
            if not _rests_on(judgement, resource.remembered):
                continue
            old = before.get(judgement.control.id)
            new = self._after(old, judgement, resource, cause, others)
            if new is not old or judgement.decision.action in _TRYING:
                return False
            if new is not None and Change(old, new, judgement).tells:
                return False
        return True

    def is_own(self, cause: Cause) -> bool:
        """Whether our own write came back as an event: it resolves findings and never leads to another write."""
        return cause.principal in self.own_roles

    def is_others(self, cause: Cause) -> bool:
        """Whether it is a call of somebody else about the resource itself, as CloudTrail records it."""
        return (
            cause.source is Source.CLOUDTRAIL
            and not is_about_made(cause.event_name)
            and not self.is_own(cause)
        )

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
            "session": cause.session,
            "own": self.is_own(cause),
        }

    # --- waiting ------------------------------------------------------------------------------------------

    def _waiting(
        self,
        resource: Resource,
        judgements: Sequence[Judgement],
        before: Mapping[str, Finding],
        cause: Cause,
    ) -> tuple[list[Judgement], bool]:
        """Keep the due row of a resource that waits; what has waited for a day becomes a person's business.

        It waits while something is deferred, is being remediated, or cannot be told. Only once nothing of that
        holds is the row removed: a row that ended with each handing over would begin a new day, and a new series
        of five minutes, whenever `remediate` cannot write. Returns the judgements, and whether the day is over.
        """
        actions = {judgement.decision.action for judgement in judgements}
        writable = Action.DEFER in actions or Action.REMEDIATE in actions
        looked_again = cause.source is Source.DEFERRAL
        if not writable and not looked_again:
            return list(judgements), False
        now, arn = self.clock(), resource.ref.arn
        row = self.state.waiting(arn)
        if not writable and not any(_is_untold(before, judgement) for judgement in judgements):
            if row is not None:
                self.state.settle(arn)
            return list(judgements), False
        deferred = [j for j in judgements if j.decision.action is Action.DEFER]
        stuck = [j for j in deferred if j.decision.reason not in _PATIENT]
        if row is None:
            if deferred:
                due_at = deferral.next_due(now, attempt=0, jitter=self.jitter())
                reason = deferred[0].decision.reason.value
                self.state.defer(Due(arn=arn, due_at=due_at, first_at=now, attempt=0, reason=reason))
            return list(judgements), False
        if not deferral.is_overdue(now, first_at=row.first_at) or (deferred and not stuck):
            if any(j.decision.reason is Reason.PREFLIGHT for j in deferred):
                # What is looked at now counts for half an hour; a wait that had grown to hours would outlive it.
                soon = deferral.next_due(now, attempt=0, jitter=self.jitter())
                self.state.defer(replace(row, attempt=0, due_at=soon, reason=Reason.PREFLIGHT.value))
            return list(judgements), False
        return [
            j._replace(decision=replace(j.decision, action=Action.TICKET)) if j in stuck else j
            for j in judgements
        ], True

    # --- keeping ------------------------------------------------------------------------------------------

    def _keep(
        self,
        resource: Resource,
        judgements: Sequence[Judgement],
        before: Mapping[str, Finding],
        cause: Cause,
        restraints: Restraints,
        *,
        others: Cause | None,
        overdue: bool,
    ) -> Visit:
        """Record, tell, keep, and hand over last: a crash in between repeats something rather than losing it.

        A ticket is told before its finding is kept, since what has changed is only seen once; the message names
        the revision that it is about. A remediation is sent at every visit, so it can wait until the finding that
        it belongs to is kept.
        """
        changes = [
            Change(before.get(judgement.control.id), new, judgement, overdue=overdue)
            for judgement in judgements
            if (new := self._after(before.get(judgement.control.id), judgement, resource, cause, others))
            is not None
        ]
        for change in changes:
            self._note(change, restraints)
            if change.is_one:
                for entry in self._entries(change, resource, cause):
                    self.ledger.append(entry)
            for event in self._tells(change):
                self.queues.ticket(
                    TicketMessage(
                        event=event,
                        resource_key=resource.key,
                        control=change.new.control,
                        revision=change.new.revision + change.is_one,
                    )
                )
            if change.is_one:
                self.findings.put(change.new)
        remediations = [c for c in changes if c.judgement.decision.action is Action.REMEDIATE]
        self._send(resource, [c.judgement for c in remediations], cause)
        return Visit(
            arn=resource.ref.arn,
            judgements=tuple(judgements),
            opened=tuple(c.new.control for c in changes if c.opens),
            resolved=tuple(c.new.control for c in changes if c.resolves),
            handed_over=tuple(
                (c.new.control, c.judgement.decision.action)
                for c in changes
                if c in remediations or TicketEvent.OPEN in c.tells
            ),
            cause=self.cause(cause),
            remembered=bool(resource.remembered),
        )

    def _tells(self, change: Change) -> tuple[TicketEvent, ...]:
        """What is to be told of a change: of a remediation that holds, also where nobody was told of the drift."""
        if change.resolves and change.is_verified and self.judge.policy.tickets.tells_changes:
            return (TicketEvent.FIXED,)
        return change.tells

    def _after(
        self,
        old: Finding | None,
        judgement: Judgement,
        resource: Resource,
        cause: Cause,
        others: Cause | None,
    ) -> Finding | None:
        """The finding as it should be kept; the same object where nothing changed."""
        new = advance(old, judgement.evaluation, resource_key=resource.key, observed_at=resource.observed_at)
        if new is None or judgement.evaluation.compliance is not ComplianceType.NON_COMPLIANT:
            return new
        policy = self.judge.policy
        mode = policy.mode(judgement.control.id, resource, self.judge.ceiling)
        decision: Mapping[str, Any] = {**_told(judgement, resource), "mode": mode.word}
        manual = judgement.manual
        if old is not None and judgement.decision.reason is Reason.REFUSED:
            # The refusal itself, in AWS's words, tells more than that it is not repeated.
            decision, manual = old.decision, old.manual
        wanted = replace(
            new,
            workflow=_workflow(new, judgement.decision),
            decision=decision,
            plan=tuple(call.to_json() for call in judgement.shown),
            # What a procedure has achieved is no fix that does not show, should somebody take it away again.
            applied="" if isinstance(judgement.plan, Manual) and judgement.plan.done else new.applied,
            manual=manual,
            cause=self._cause_of(old, cause, others),
            tags={key: resource.tags[key] for key in sorted(policy.tickets.tags & set(resource.tags))},
        )
        if old is not None and not old.is_open and old.attempts:
            wanted = brought_back(wanted, self.cause(cause))
        elif (
            old is not None
            and others is not None
            and old.attempts
            and pace.is_after(others.at, old.attempts[-1])
        ):
            # Before any look could show the effect of our fix, somebody wrote over it.
            wanted = brought_back(wanted, self.cause(others))
        return old if wanted == old else wanted

    def _cause_of(self, old: Finding | None, cause: Cause, others: Cause | None) -> Mapping[str, Any]:
        """What led to a finding: of one that stands, what led to it first, or the event that was late for a sweep."""
        told = self.cause(cause)
        if old is None or not old.is_open:
            return told
        late = told if others is None else self.cause(others)
        return late if not late["own"] and tells_of(old, late) else old.cause

    def _note(self, change: Change, restraints: Restraints) -> None:
        """What a verified fix, or one that does not show, means for the other resources of its control."""
        control, policy = change.judgement.control, self.judge.policy
        key = change.new.resource_key
        where = restraints.where
        if change.is_unverified:
            limit = brakes.failures_allowed(restraints.canary_of(control), key, policy.limits)
            self.brakes.note_failure(
                *where,
                control=control.id,
                resource_key=key,
                now=self.clock(),
                window=policy.attempts_window,
                limit=limit,
            )
        if not policy.canary.soak_hours:
            return
        if change.is_verified:
            self.brakes.verify_canary(*where, control=control.id, resource_key=key, now=self.clock())
        elif (change.resolves or change.is_left_alone) and restraints.is_canary(control):
            self.brakes.drop_canary(*where, control=control.id, resource_key=key)

    def forget_canary(self, finding: Finding, region: str) -> None:
        """A resource that is gone is nothing that a control can try itself on: let another be the first."""
        if self.judge.policy.canary.soak_hours:
            account = finding.resource_key.partition("/")[0]
            self.brakes.drop_canary(
                account, region, control=finding.control, resource_key=finding.resource_key
            )

    def _send(self, resource: Resource, remediations: Sequence[Judgement], cause: Cause) -> None:
        if not remediations:
            return
        message = RemediationMessage(
            ref=resource.ref,
            controls=tuple(judgement.control.id for judgement in remediations),
            policy_version=self.judge.policy.version,
            resource_key=resource.key,
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
        if change.is_verified or change.is_unverified:
            status = "SUCCEEDED" if change.is_verified else "FAILED"
            tried = {
                "status": status,
                "applied_at": new.attempts[-1].isoformat(),
                "attempts": len(new.attempts),
            }
            entries.append(replace(entry, kind=EntryKind.VERIFICATION, before={}, after=tried))
        if old is None or _said(old) != _said(new):
            entries.append(entry)
        elif old.is_open and old.cause != new.cause:
            # An event has told late of what a sweep found.
            entries.append(replace(entry, cause=new.cause))
        if new.is_open and (old is None or change.opens or _decided(old) != _decided(new)):
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
    overdue: bool = False
    """Whether the resource has waited for longer than a person should be left in the dark."""

    @property
    def is_one(self) -> bool:
        """Whether there is something to keep."""
        return self.new is not self.old

    @property
    def opens(self) -> bool:
        """Whether the drift is new, or back."""
        return self.new.is_open and (self.old is None or not self.old.is_open)

    @property
    def resolves(self) -> bool:
        """Whether the drift has gone."""
        return self.old is not None and self.old.is_open and not self.new.is_open

    @property
    def is_verified(self) -> bool:
        """Whether this look shows that our own fix of this very drift holds, or that a procedure has done its part."""
        if self.ends:
            return True
        if not self.resolves or self.old is None or not self.old.attempts:
            return False
        compliant = self.new.compliance is ComplianceType.COMPLIANT
        return compliant and self.old.attempts[-1] >= self.old.first_observed

    @property
    def ends(self) -> bool:
        """Whether a procedure that was running has come to its end, and the rest is a person's."""
        runs = self.old is not None and self.old.is_open and bool(self.old.decision.get("step"))
        done = isinstance(self.judgement.plan, Manual) and self.judgement.plan.done
        return runs and done and bool(self.new.attempts)

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing will be written for this drift until somebody decides otherwise."""
        decision = self.judgement.decision
        drifted = self.judgement.evaluation.compliance is ComplianceType.NON_COMPLIANT
        return drifted and decision.action not in _TRYING and decision.reason not in _FAILED

    @property
    def is_unverified(self) -> bool:
        """Whether this look is the first after the time that our fix had to show an effect."""
        if self.judgement.decision.reason is not Reason.UNVERIFIED:
            return False
        return self.old is None or self.old.decision.get("reason") != Reason.UNVERIFIED

    @property
    def tells(self) -> tuple[TicketEvent, ...]:
        """What a person has to be told; the ticket function drops what was told already."""
        if self.resolves:
            return (TicketEvent.RESOLVE,) if self.old is not None and was_told(self.old) else ()
        action = self.judgement.decision.action
        if action is Action.SUPPRESS:
            # Somebody accepted it after a person was told: its ticket is closed, and says why.
            is_new = self.old is not None and self.old.workflow is not WorkflowStatus.SUPPRESSED
            return (TicketEvent.RESOLVE,) if is_new and self.old is not None and was_told(self.old) else ()
        notified = self.new.workflow is WorkflowStatus.NOTIFIED
        if action in TICKET_ACTIONS:
            return (TicketEvent.OPEN,) if self.is_one or not notified else ()
        # A remediation that does not get through: it goes on being tried, and somebody is told, once.
        stuck = self.overdue and action is Action.REMEDIATE and not notified
        return (TicketEvent.OPEN,) if stuck else ()


def _rests_on(judgement: Judgement, facts: Collection[str]) -> bool:
    """Whether one of these facts is what the control judges by, or its remediation plans by."""
    control = judgement.control
    needs = set(control.needs)
    if judgement.evaluation.compliance is ComplianceType.NON_COMPLIANT and control.remediation is not None:
        needs |= set(control.remediation.needs)
    return not needs.isdisjoint(facts)


def was_told(finding: Finding) -> bool:
    """Whether a ticket may exist, or be on its way; one that was told of and then exempted still has its ticket."""
    told = finding.workflow in {WorkflowStatus.NOTIFIED, WorkflowStatus.SUPPRESSED}
    return told or finding.decision.get("action") in TICKET_ACTIONS


def _told(judgement: Judgement, resource: Resource) -> dict[str, Any]:
    """The decision as it is kept: with what a person needs who is to approve, or who approved."""
    told: dict[str, Any] = judgement.decision.to_json()
    if judgement.decision.reason in _ABOUT_OWNERS and (stack := conditions.owner_stack(resource)):
        told["owner_stack"] = stack
    if judgement.step and judgement.decision.action in {Action.REMEDIATE, Action.DEFER}:
        told["step"] = judgement.step
    if judgement.looked is not None:
        told["preflight"] = judgement.looked.to_json()
    if judgement.approval is not None:
        return {**told, "request": judgement.approval.request, "approval": judgement.approval.to_json()}
    if judgement.decision.action is Action.AWAIT_APPROVAL:
        told["request"] = request_id(resource.key, judgement.control.id, judgement.pledge)
        if judgement.cost:
            told["cost"] = judgement.cost
    return told


def _is_untold(before: Mapping[str, Finding], judgement: Judgement) -> bool:
    """Whether it cannot be told if an open finding still stands."""
    finding = before.get(judgement.control.id)
    unknown = judgement.evaluation.compliance is ComplianceType.INSUFFICIENT_DATA
    return unknown and finding is not None and finding.is_open


def _said(finding: Finding) -> tuple[WorkflowStatus, str, str]:
    return finding.workflow, finding.annotation, finding.arn


def _decided(finding: Finding) -> tuple[Mapping[str, Any], tuple[Mapping[str, Any], ...], str]:
    return finding.decision, finding.plan, finding.manual


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


def unread(judge: Judge, ref: ResourceRef, why: object) -> tuple[Judgement, ...]:
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
