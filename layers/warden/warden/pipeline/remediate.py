"""The only step that writes to databases: lease, read again, decide again, and write what both decisions allow."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warden.core import brakes, deferral, reboots
from warden.core.control import ComplianceType
from warden.core.dataclass import dataclass
from warden.core.decision import Action
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    RejectedError,
    ResourceGoneError,
    StoppedError,
    ThrottledError,
    TransientError,
    UnsupportedError,
)
from warden.core.messages import TicketEvent, TicketMessage
from warden.core.pace import REFUSED, REFUSED_AT
from warden.core.plan import Plan, digest, merge, written
from warden.core.procedure import is_about_made
from warden.core.resource import ResourceRef, ResourceType
from warden.core.rows import Due
from warden.core.trigger import Source
from warden.pipeline.clean_up import CleanUp
from warden.pipeline.restraints import Restraints
from warden.pipeline.writes import Batch, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from warden.core.finding import Finding
    from warden.core.messages import RemediationMessage
    from warden.core.plan import Call
    from warden.core.resource import Deployment, Resource
    from warden.pipeline.judge import Judge, Judgement
    from warden.pipeline.ports import (
        Brakes,
        Clock,
        Findings,
        Ledger,
        Queues,
        Reader,
        State,
        Temporaries,
        Writer,
    )

__all__ = ["LEASE_SECONDS", "Outcome", "Remediator", "Status"]

LEASE_SECONDS = 300
"""Longer than the function may run (template.yaml: 120 seconds), so that a lease never lapses under its holder."""
_WRITES_OF_A_FINDING = 5
_VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at the resource has left to write."""

    resource: Resource
    due: tuple[Judgement, ...]
    """Gravest first."""
    restraints: Restraints
    """What held writes back when it was looked at."""
    waits: bool = False
    """Whether something else of it cannot be written now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediator:
    """Everything a remediation needs."""

    deployment: Deployment
    judge: Judge
    reader: Reader
    writer: Writer
    findings: Findings
    ledger: Ledger
    state: State
    brakes: Brakes
    queues: Queues
    temporaries: Temporaries
    clock: Clock
    jitter: Callable[[], float]
    new_owner: Callable[[], str]
    """A name that no other lease holder has, and that nobody can guess."""

    def handle(self, message: RemediationMessage) -> Outcome:
        """Remediate one resource; a failure of the business is an outcome, only a crash is delivered again."""
        arn = message.ref.arn
        if refused := self._refused(message):
            return refused
        try:
            if message.clean_up:
                return CleanUp(self, message, lease_seconds=LEASE_SECONDS).outcome()
            return self._under_lease(message)
        except StoppedError as error:
            return self._wait(arn, "stopped", f"{error}.")
        except ThrottledError as error:
            return self._wait(arn, "throttled", f"AWS throttled us: {error}.")

    def _refused(self, message: RemediationMessage) -> Outcome | None:
        if why := self.deployment.refusal(message.ref):
            return _outcome(Status.SKIPPED, message.ref.arn, f"Not governed here: {why}.")
        if message.policy_version != self.judge.policy.version:
            self._look_again(message.ref.arn, "policy_changed")
            return _outcome(
                Status.SKIPPED, message.ref.arn, "The policy changed since the decision; it is judged again."
            )
        return None

    def check_stop(self) -> None:
        """Raise StoppedError while the STOP row is set; it is read consistently, and fails closed."""
        if stop := self.state.stop():
            msg = f"Writes are stopped by {stop.by}: {stop.reason}"
            raise StoppedError(msg)

    def _under_lease(self, message: RemediationMessage) -> Outcome:
        self.check_stop()
        look = self._look(message)
        if isinstance(look, Outcome):
            return look
        arns = self._written(message, look)
        owner = self.new_owner()
        if not self.state.lease(arns, owner=owner, seconds=LEASE_SECONDS, now=self.clock()):
            return self._wait(message.ref.arn, "leased", "Another remediation holds a lease on it.")
        try:
            # What was read before the lease may be stale: only this second look counts.
            look = self._look(message)
            if isinstance(look, Outcome):
                return look
            if not self._written(message, look) <= arns:
                return self._wait(
                    message.ref.arn, "leased", "What has to be written changed while the lease was taken."
                )
            return self._write(look, message, arns, owner)
        finally:
            # A lease that cannot be given back expires by itself; what was written must be told all the same.
            with contextlib.suppress(TransientError):
                self.state.release(arns, owner=owner)

    # --- looking again ------------------------------------------------------------------------------------

    def _look(self, message: RemediationMessage) -> _Look | Outcome:
        """Read, evaluate and decide afresh; what remains is what both decisions want remediated."""
        resource = self._read(message)
        if isinstance(resource, Outcome):
            return resource
        look = self._decide_again(resource, message)
        if look.due:
            return look
        if look.waits:
            return _outcome(Status.DEFERRED, message.ref.arn, "It cannot be written to now; it waits.")
        return _outcome(Status.SKIPPED, message.ref.arn, "Nothing is left to write.")

    def _read(self, message: RemediationMessage) -> Resource | Outcome:
        """The resource that was judged, if it is still there, and ours, and the same."""
        arn = message.ref.arn
        try:
            resource = self.reader.read(message.ref, self.judge.needs(message.ref.resource_type))
        except ResourceGoneError:
            self._look_again(arn, "gone")
            return _outcome(Status.SKIPPED, arn, "The resource no longer exists.")
        except (AccessDeniedError, UnsupportedError, RejectedError) as error:
            return self._unreadable(message, error)
        if resource.home != self.deployment.region:
            return _outcome(Status.SKIPPED, arn, f"Not governed here: its writer is in {resource.home}.")
        if message.resource_key and message.resource_key != resource.key:
            self._look_again(arn, "replaced")
            return _outcome(Status.SKIPPED, arn, "Another resource has this name now; it was not judged.")
        return resource

    def _decide_again(self, resource: Resource, message: RemediationMessage) -> _Look:
        now = self.clock()
        restraints = self.restraints(resource)
        findings = self.findings.of_resource(resource.key)
        resource, judgements = self.judge.decide(
            resource,
            [e for e in self.judge.evaluate(resource) if e.control.id in message.controls],
            findings=findings,
            now=now,
            restraints=restraints,
            changed_at=_changed_at(message.cause),
        )
        due = [j for j in judgements if j.decision.action is Action.REMEDIATE]
        restraints.latch(judgements)
        return _Look(
            resource,
            tuple(sorted(due, key=lambda j: (j.control.severity.rank, j.control.id))),
            restraints,
            waits=self._hand_back(message.ref.arn, judgements, findings),
        )

    def restraints(self, resource: Resource) -> Restraints:
        """What holds writes to a resource back now."""
        return Restraints(self.brakes, policy=self.judge.policy, resource=resource, now=self.clock())

    def _hand_back(self, arn: str, judgements: Sequence[Judgement], findings: Mapping[str, Finding]) -> bool:
        """A control that is now decided differently goes back to where decisions are kept; whether one waits."""
        waits = False
        for judgement in judgements:
            action = judgement.decision.action
            compliance = judgement.evaluation.compliance
            if action is Action.DEFER:
                self.defer(arn, judgement.decision.reason.value)
                waits = True
            elif compliance is ComplianceType.INSUFFICIENT_DATA:
                self.defer(arn, "insufficient_data")
                waits = True
            elif compliance is ComplianceType.NON_COMPLIANT:
                if action is not Action.REMEDIATE:
                    self._look_again(arn, "decided_differently")
            elif (finding := findings.get(judgement.control.id)) is not None and finding.is_open:
                # Put right already: by somebody, or by us before a crash. The event that tells may be lost.
                self.defer(arn, _VERIFY)
        return waits

    def _written(self, message: RemediationMessage, look: _Look) -> frozenset[str]:
        """What the calls write to; a member that is rebooted takes its cluster, of which one reboots at a time."""
        region = self.deployment.region
        calls = [call for judgement in look.due for call in judgement.calls]
        targets = {written(call, message.ref, region=region).arn for call in calls}
        if reboots.of_a_member(look.resource, calls):
            cluster = ResourceRef.build(
                ResourceType.DB_CLUSTER,
                partition=message.ref.partition,
                region=region,
                account=message.ref.account,
                name=look.resource.facts["DBClusterIdentifier"],
            )
            targets.add(cluster.arn)
        return frozenset({message.ref.arn, *targets})

    # --- writing ------------------------------------------------------------------------------------------

    def _write(self, look: _Look, message: RemediationMessage, arns: frozenset[str], owner: str) -> Outcome:
        batch = Batch(self, look.resource, message, look.restraints, arns=arns, owner=owner)
        for call in merge([j.plan for j in look.due if isinstance(j.plan, Plan)]):
            batch.make(call, [j for j in look.due if any(_holds(call, own) for own in j.calls)])
            if batch.halted:
                break
        return batch.outcome()

    # --- waiting and telling ------------------------------------------------------------------------------

    def _wait(self, arn: str, reason: str, sentence: str) -> Outcome:
        self.defer(arn, reason)
        return _outcome(Status.DEFERRED, arn, sentence)

    def defer(self, arn: str, reason: str) -> None:
        """Have it looked at again in a while, unless it waits already."""
        if self.state.waiting(arn) is None:
            self._defer(arn, reason)

    def _defer(self, arn: str, reason: str) -> None:
        now = self.clock()
        due_at = deferral.next_due(now, attempt=0, jitter=self.jitter())
        self.state.defer(Due(arn=arn, due_at=due_at, first_at=now, attempt=0, reason=reason))

    def _look_again(self, arn: str, why: str) -> None:
        """Have it judged again at once, and again in a while should that lead back here.

        `evaluate` removes the row when it decides otherwise. Where the two steps disagree, for one because only
        one of them has the new policy, the row stays, and they go on at its pace and not as fast as they can.
        """
        if self.state.waiting(arn) is not None:
            return
        self._defer(arn, why)
        self.queues.trigger(
            {
                "resource": arn,
                "cause": {
                    "source": "deferral",
                    "event_name": why,
                    "event_id": "",
                    "at": self.clock().isoformat(),
                },
            }
        )

    def verify_later(self, arn: str) -> None:
        """Look again in a while, should the event of our own write be lost; soon, whatever it waited for before."""
        waiting = self.state.waiting(arn)
        if waiting is None:
            self._defer(arn, _VERIFY)
            return
        soon = deferral.next_due(self.clock(), attempt=0, jitter=self.jitter())
        if soon < waiting.due_at:
            self.state.defer(replace(waiting, due_at=soon))

    def _unreadable(self, message: RemediationMessage, error: Exception) -> Outcome:
        """Tell a person that what was decided cannot be done, because this role cannot even look."""
        arn = message.ref.arn
        sentence = f"It could not be read: {error}."
        if not message.resource_key:
            return self._wait(arn, "unreadable", sentence)
        for control in message.controls:
            self.fail(message.resource_key, control, error)
        return _outcome(Status.FAILED, arn, sentence, controls=message.controls)

    def fail(self, resource_key: str, control: str, error: Exception, calls: Sequence[Call] = ()) -> None:
        """Tell a person that a remediation was refused, and remember of which calls, so that they can rest."""
        refused = {REFUSED_AT: self.clock().isoformat(), REFUSED: digest(calls) if calls else ""}
        kept = self.keep(
            resource_key,
            control,
            lambda finding: (
                replace(
                    finding,
                    decision={
                        **finding.decision,
                        "action": Action.TICKET.value,
                        "reason": "remediation_failed",
                        **refused,
                    },
                    manual=f"The remediation was refused: {error}",
                )
                if finding.is_open
                else finding
            ),
        )
        self._note_failure(resource_key, control)
        self.queues.ticket(
            TicketMessage(
                event=TicketEvent.OPEN,
                resource_key=resource_key,
                control=control,
                revision=0 if kept is None else kept.revision,
            )
        )

    def _note_failure(self, resource_key: str, control: str) -> None:
        """A control whose fixes are refused on one resource after the other is stopped; at once in its first."""
        policy = self.judge.policy
        where = resource_key.partition("/")[0], self.deployment.region
        canary = self.brakes.standing(*where).canaries.get(control) if policy.canary.soak_hours else None
        self.brakes.note_failure(
            *where,
            control=control,
            resource_key=resource_key,
            now=self.clock(),
            window=policy.attempts_window,
            limit=brakes.failures_allowed(canary, resource_key, policy.limits),
        )

    def keep(self, resource_key: str, control: str, change: Callable[[Finding], Finding]) -> Finding | None:
        """Change a finding, over whatever another step has written meanwhile; returns what is kept."""
        for _ in range(_WRITES_OF_A_FINDING):
            finding = self.findings.get(resource_key, control)
            if finding is None or (changed := change(finding)) is finding:
                return finding
            try:
                return self.findings.put(changed)
            except ConflictError:
                continue
        msg = f"the finding {control} of {resource_key} is being written by others all the time"
        raise ConflictError(msg)


def _outcome(status: Status, arn: str, sentence: str, *, controls: tuple[str, ...] = ()) -> Outcome:
    return Outcome(status=status, arn=arn, sentence=sentence, controls=controls)


def _changed_at(cause: Mapping[str, Any]) -> datetime | None:
    """When somebody else wrote to the resource, by the cause of the message."""
    about_itself = not is_about_made(str(cause.get("event_name", "")))
    theirs = cause.get("source") == Source.CLOUDTRAIL and about_itself and not cause.get("own")
    return datetime.fromisoformat(cause["at"]) if theirs else None


def _holds(call: Call, own: Call) -> bool:
    """Whether a merged call makes a finding's own call too, with each of its values."""
    return merge([Plan((call,)), Plan((own,))]) == (call,)
