"""The only step that writes to databases: lease, read again, decide again, and write what both decisions allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core import deferral
from warden.core.decision import Action, Reason
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    GuardError,
    RefusedError,
    RejectedError,
    ResourceBusyError,
    ResourceGoneError,
    StoppedError,
    ThrottledError,
)
from warden.core.ledger import EntryKind, LedgerEntry, plain
from warden.core.messages import TicketEvent, TicketMessage
from warden.core.plan import Plan, is_about, merge, written
from warden.core.version import code_version
from warden.pipeline.ports import Due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from warden.core.finding import Finding
    from warden.core.guard import Permit
    from warden.core.messages import RemediationMessage
    from warden.core.plan import Call
    from warden.core.resource import Deployment, Resource
    from warden.pipeline.judge import Judge, Judgement
    from warden.pipeline.ports import Clock, Findings, Ledger, Queues, Reader, State, Writer

LEASE_SECONDS = 300
"""Longer than the function may run (template.yaml: 120 seconds), so that a lease never lapses under its holder."""
_WRITES_OF_A_FINDING = 5


class Status(StrEnum):
    """What became of a remediation."""

    SUCCEEDED = "SUCCEEDED"
    """AWS accepted every call; the finding resolves when a later look shows the effect."""
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    DEFERRED = "DEFERRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one remediation message, with a sentence."""

    status: Status
    arn: str
    sentence: str
    controls: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()


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
    queues: Queues
    clock: Clock
    jitter: Callable[[], float]
    new_owner: Callable[[], str]
    """A name that no other lease holder has."""

    def handle(self, message: RemediationMessage) -> Outcome:
        """Remediate one resource; a failure of the business is an outcome, only a crash is delivered again."""
        arn = message.ref.arn
        if refused := self._refused(message):
            return refused
        try:
            return self._under_lease(message)
        except StoppedError as error:
            return self._wait(arn, "stopped", f"{error}.")
        except ThrottledError as error:
            return self._wait(arn, "throttled", f"AWS throttled us: {error}.")
        except ResourceGoneError:
            self._look_again(arn, "gone")
            return self._outcome(Status.SKIPPED, arn, "The resource no longer exists.")
        except AccessDeniedError as error:
            return self._outcome(Status.FAILED, arn, f"It could not be read: {error}.")

    def _refused(self, message: RemediationMessage) -> Outcome | None:
        if why := self.deployment.refusal(message.ref):
            return self._outcome(Status.SKIPPED, message.ref.arn, f"Not governed here: {why}.")
        if message.policy_version != self.judge.policy.version:
            self._look_again(message.ref.arn, "policy_changed")
            return self._outcome(
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
        _, due = self._judge_again(message)
        arns = self._written(message, due)
        if not due:
            return self._nothing_to_do(message)
        owner = self.new_owner()
        if not self.state.lease(arns, owner=owner, seconds=LEASE_SECONDS, now=self.clock()):
            return self._wait(message.ref.arn, "leased", "Another remediation holds a lease on it.")
        try:
            # What was read before the lease may be stale: only this second look counts.
            resource, due = self._judge_again(message)
            if not due:
                return self._nothing_to_do(message)
            if not self._written(message, due) <= arns:
                return self._wait(
                    message.ref.arn, "leased", "What has to be written changed while the lease was taken."
                )
            return self._write(resource, due, message, arns, owner)
        finally:
            self.state.release(arns, owner=owner)

    def _judge_again(self, message: RemediationMessage) -> tuple[Resource, list[Judgement]]:
        """Read, evaluate and decide afresh; what remains is what both decisions want remediated."""
        resource = self.reader.read(message.ref, self.judge.needs(message.ref.resource_type))
        if resource.home != self.deployment.region:
            return resource, []
        now = self.clock()
        limits = self.judge.policy.limits

        def is_spent(containment: bool) -> bool:  # noqa: FBT001 - a predicate over one flag
            limit = limits.containment_writes_per_hour if containment else limits.writes_per_hour
            account = resource.ref.account
            return self.state.spent(account, resource.home, containment=containment, now=now) >= limit

        resource, judgements = self.judge.decide(
            resource,
            [e for e in self.judge.evaluate(resource) if e.control.id in message.controls],
            findings=self.findings.of_resource(resource.key),
            now=now,
            budget_spent=is_spent,
        )
        self._hand_back(message, judgements)
        due = [j for j in judgements if j.decision.action is Action.REMEDIATE]
        return resource, sorted(due, key=lambda j: (j.control.severity.rank, j.control.id))

    def _hand_back(self, message: RemediationMessage, judgements: Sequence[Judgement]) -> None:
        """A control that is now decided differently goes back to where decisions are kept."""
        for judgement in judgements:
            action = judgement.decision.action
            if action is Action.DEFER:
                self._defer(message.ref.arn, judgement.decision.reason.value)
            elif action not in {Action.REMEDIATE, Action.OBSERVE}:
                self._look_again(message.ref.arn, "decided_differently")

    def _nothing_to_do(self, message: RemediationMessage) -> Outcome:
        if self.state.waiting(message.ref.arn) is not None:
            return self._outcome(Status.DEFERRED, message.ref.arn, "It cannot be written to now; it waits.")
        return self._outcome(Status.SKIPPED, message.ref.arn, "Nothing is left to write.")

    def _written(self, message: RemediationMessage, due: Iterable[Judgement]) -> frozenset[str]:
        targets = {
            written(call, message.ref, region=self.deployment.region).arn for j in due for call in j.calls
        }
        return frozenset({message.ref.arn, *targets})

    # --- writing ------------------------------------------------------------------------------------------

    def _write(
        self,
        resource: Resource,
        due: Sequence[Judgement],
        message: RemediationMessage,
        arns: frozenset[str],
        owner: str,
    ) -> Outcome:
        calls = merge([j.plan for j in due if isinstance(j.plan, Plan)])
        if not self._reserve(resource, due, len(calls)):
            return self._wait(resource.ref.arn, Reason.BLAST_RADIUS.value, "The budget of writes is spent.")
        batch = _Batch(self, resource, message, arns, owner)
        for call in calls:
            concerned = [j for j in due if any(is_about(call, own) for own in j.calls)]
            batch.make(call, concerned)
            if batch.waits:
                break
        return batch.outcome()

    def _reserve(self, resource: Resource, due: Sequence[Judgement], amount: int) -> bool:
        containment = all(j.control.remediation and j.control.remediation.containment for j in due)
        limits = self.judge.policy.limits
        return self.state.spend(
            resource.ref.account,
            resource.home,
            containment=containment,
            now=self.clock(),
            amount=amount,
            limit=limits.containment_writes_per_hour if containment else limits.writes_per_hour,
        )

    # --- waiting and telling ------------------------------------------------------------------------------

    def _wait(self, arn: str, reason: str, sentence: str) -> Outcome:
        self._defer(arn, reason)
        return self._outcome(Status.DEFERRED, arn, sentence)

    def _defer(self, arn: str, reason: str) -> None:
        if self.state.waiting(arn) is not None:
            return
        now = self.clock()
        due_at = deferral.next_due(now, attempt=0, jitter=self.jitter())
        self.state.defer(Due(arn=arn, due_at=due_at, first_at=now, attempt=0, reason=reason))

    def _look_again(self, arn: str, why: str) -> None:
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

    def _outcome(self, status: Status, arn: str, sentence: str) -> Outcome:
        return Outcome(status=status, arn=arn, sentence=sentence)

    def verify_later(self, arn: str) -> None:
        """Look again in a while, should the event of our own write be lost."""
        self._defer(arn, "verify")

    def fail(self, resource: Resource, judgement: Judgement, error: Exception) -> None:
        """Tell a person that a remediation was refused."""
        control = judgement.control.id
        self.keep(
            resource,
            control,
            lambda finding: replace(
                finding,
                attempts=(*finding.attempts, self.clock()),
                decision={**finding.decision, "action": Action.TICKET.value, "reason": "remediation_failed"},
                manual=f"The remediation was refused: {error}",
            ),
        )
        self.queues.ticket(TicketMessage(event=TicketEvent.OPEN, resource_key=resource.key, control=control))

    def keep(self, resource: Resource, control: str, change: Callable[[Finding], Finding]) -> None:
        """Change a finding, over whatever another step has written meanwhile."""
        for _ in range(_WRITES_OF_A_FINDING):
            finding = self.findings.get(resource.key, control)
            if finding is None:
                return
            try:
                self.findings.put(change(finding))
            except ConflictError:
                continue
            return
        msg = f"the finding {control} of {resource.key} is being written by others all the time"
        raise ConflictError(msg)


class _Batch:
    """The calls of one visit: each with its intent and its outcome in the ledger."""

    def __init__(
        self,
        remediator: Remediator,
        resource: Resource,
        message: RemediationMessage,
        arns: frozenset[str],
        owner: str,
    ) -> None:
        self._remediator = remediator
        self._resource = resource
        self._message = message
        self._arns = arns
        self._owner = owner
        self._made: list[Call] = []
        self._done: list[str] = []
        self._failed: list[str] = []
        self.waits = ""

    def make(self, call: Call, concerned: Sequence[Judgement]) -> None:
        """Make one call for the findings that it concerns; split it by finding where AWS refuses a part of it."""
        try:
            self._apply(call, concerned)
        except (ResourceBusyError, ThrottledError, StoppedError) as error:
            self.waits = str(error)
            self._record(EntryKind.OUTCOME, call, concerned, {"status": Status.DEFERRED, "error": str(error)})
            self._remediator._defer(self._resource.ref.arn, Reason.BUSY.value)  # noqa: SLF001 - its own helper
        except (RejectedError, AccessDeniedError) as error:
            self._record(EntryKind.OUTCOME, call, concerned, {"status": Status.FAILED, "error": str(error)})
            self._split(call, concerned, error)
        except GuardError as error:
            self._record(EntryKind.OUTCOME, call, concerned, {"status": Status.FAILED, "error": str(error)})
            self._fail(concerned, error)

    def outcome(self) -> Outcome:
        """What became of the whole visit."""
        arn = self._resource.ref.arn
        if self._done:
            self._remediator.verify_later(arn)
        made = ", ".join(call.operation for call in self._made)
        if self.waits:
            status, sentence = Status.DEFERRED, f"{self.waits}."
        elif self._failed:
            status, sentence = Status.FAILED, f"AWS refused the remediation of {', '.join(self._failed)}."
        else:
            status, sentence = Status.SUCCEEDED, f"AWS accepted {made}."
        return Outcome(
            status=status, arn=arn, sentence=sentence, controls=tuple(self._done), calls=tuple(self._made)
        )

    def _apply(self, call: Call, concerned: Sequence[Judgement]) -> None:
        remediator = self._remediator
        self._record(EntryKind.INTENT, call, concerned, {"calls": [call.to_json()]})
        # Immediately before the write: this is what makes `warden stop` hold at once.
        remediator.check_stop()
        if not remediator.state.holds(self._arns, owner=self._owner, now=remediator.clock()):
            msg = "the lease on the resource lapsed"
            raise ResourceBusyError(msg)
        permits = [permit for j in concerned for permit in _permits(j)]
        request_id = remediator.writer.apply(call, self._resource, permits)
        self._made.append(call)
        self._done.extend(j.control.id for j in concerned)
        after = {"status": Status.SUCCEEDED, "calls": [call.to_json()], "request_id": request_id}
        self._record(EntryKind.OUTCOME, call, concerned, after)
        for judgement in concerned:
            remediator.keep(
                self._resource,
                judgement.control.id,
                lambda finding: replace(finding, attempts=(*finding.attempts, remediator.clock())),
            )

    def _split(self, call: Call, concerned: Sequence[Judgement], error: RefusedError) -> None:
        """One refused parameter must not keep the others from being fixed: each finding's own call, gravest first."""
        if len(concerned) == 1:
            self._fail(concerned, error)
            return
        for judgement in concerned:
            for own in judgement.calls:
                if is_about(call, own) and not self.waits:
                    self.make(own, [judgement])

    def _fail(self, concerned: Sequence[Judgement], error: Exception) -> None:
        for judgement in concerned:
            self._failed.append(judgement.control.id)
            self._remediator.fail(self._resource, judgement, error)

    def _record(
        self, kind: EntryKind, call: Call, concerned: Sequence[Judgement], after: Mapping[str, Any]
    ) -> None:
        remediator = self._remediator
        before: dict[str, Any] = {}
        for judgement in concerned:
            before.update(plain(judgement.evaluation.evidence))
        remediator.ledger.append(
            LedgerEntry(
                at=remediator.clock(),
                actor="remediate",
                chain=self._resource.key,
                kind=kind,
                control=",".join(j.control.id for j in concerned),
                arn=self._resource.ref.arn,
                before=before if kind is EntryKind.INTENT else {},
                after={"operation": call.operation, **after},
                cause=self._message.cause,
                control_version=",".join(code_version(j.control.module) for j in concerned),
                policy_version=remediator.judge.policy.version,
            )
        )


def _permits(judgement: Judgement) -> tuple[Permit, ...]:
    remediation = judgement.control.remediation
    return remediation.permits if remediation is not None else ()
