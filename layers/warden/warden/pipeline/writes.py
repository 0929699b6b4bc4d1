"""The calls of one remediation: each with its budget, its intent and its outcome in the ledger."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.decision import Reason
from warden.core.errors import (
    AccessDeniedError,
    GuardError,
    RefusedError,
    RejectedError,
    ResourceBusyError,
    ResourceGoneError,
    StoppedError,
    ThrottledError,
    UnsupportedError,
    WardenError,
)
from warden.core.ledger import EntryKind, LedgerEntry, plain
from warden.core.plan import ONLY_APPROVED, Stage, digest, is_about
from warden.core.undo import touched
from warden.core.version import code_version
from warden.pipeline.procedures import announced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from warden.core.approval import Approval
    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.guard import Permit
    from warden.core.messages import RemediationMessage
    from warden.core.plan import Call
    from warden.core.resource import Resource
    from warden.pipeline.judge import Judgement
    from warden.pipeline.remediate import Remediator
    from warden.pipeline.restraints import Restraints

_WHY_NOT_NOW: Mapping[type[WardenError], str] = {
    ResourceBusyError: Reason.BUSY.value,
    ResourceGoneError: "gone",
    StoppedError: "stopped",
    ThrottledError: "throttled",
}
_HELD_BACK = {
    Reason.BLAST_RADIUS: "The budget of writes is spent",
    Reason.CANARY: "The control is being tried on another resource first",
}
_REFUSALS = (RejectedError, AccessDeniedError, GuardError, UnsupportedError)


class Status(StrEnum):
    """What became of a remediation."""

    SUCCEEDED = "SUCCEEDED"
    """AWS accepted every call; the finding resolves when a later look shows the effect."""
    FAILED = "FAILED"
    """AWS, or the write guard, refused something; a person is told."""
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


class Batch:
    """The calls of one visit, one after the other."""

    def __init__(
        self,
        remediator: Remediator,
        resource: Resource,
        message: RemediationMessage,
        restraints: Restraints,
        *,
        arns: frozenset[str],
        owner: str,
    ) -> None:
        self._remediator = remediator
        self._resource = resource
        self._message = message
        self._restraints = restraints
        self._arns = arns
        self._owner = owner
        self._made: list[Call] = []
        self._done: list[str] = []
        self._failed: list[str] = []
        self._waits: list[str] = []
        self._paid: set[tuple[str, ...]] = set()
        self._used: dict[str, Approval] = {}
        self.halted = False
        """Whether nothing more can be written in this visit."""

    def make(self, call: Call, concerned: Sequence[Judgement]) -> None:
        """Make one call for the findings that it concerns; split it by finding where a part of it is refused.

        Only what the write itself answers is an outcome of the write. What fails around it, such as the ledger, is
        a crash: the message is delivered again, and looks again before anything is written.
        """
        if waits := self._reserve(call, concerned):
            self._wait(_HELD_BACK[waits], waits.value)
            return
        call = announced(call, concerned, self._resource, self._remediator)
        self._record(EntryKind.INTENT, call, concerned, {"calls": [call.to_json()], **_approvals(concerned)})
        if self._is_held_up(call, concerned) or not self._use_approvals(call, concerned):
            return
        permits = [permit for judgement in concerned for permit in _permits(judgement)]
        try:
            request_id = self._remediator.writer.apply(call, self._resource, permits)
        except tuple(_WHY_NOT_NOW) as error:
            reason = next(why for kind, why in _WHY_NOT_NOW.items() if isinstance(error, kind))
            self._give_approvals_back(concerned)
            self._halt(call, concerned, error, reason)
        except _REFUSALS as error:
            self._record(EntryKind.OUTCOME, call, concerned, _answer(Status.FAILED, error))
            self._split(call, concerned, error)
        else:
            self._applied(call, concerned, request_id)

    def outcome(self) -> Outcome:
        """What became of the whole visit: a refusal outweighs a delay, since it is the one to alarm about."""
        arn = self._resource.ref.arn
        if self._done:
            self._remediator.verify_later(arn)
        made = ", ".join(call.operation for call in self._made)
        sentences = [f"{why}." for why in self._waits]
        status = Status.DEFERRED if self._waits else Status.SUCCEEDED
        if made:
            sentences.insert(0, f"AWS accepted {made}.")
        if self._failed:
            status = Status.FAILED
            sentences.insert(0, f"The remediation of {', '.join(self._failed)} was refused.")
        return Outcome(
            status=status,
            arn=arn,
            sentence=" ".join(sentences),
            controls=tuple(self._done),
            calls=tuple(self._made),
        )

    # --- before the write ---------------------------------------------------------------------------------

    def _reserve(self, call: Call, concerned: Sequence[Judgement]) -> Reason | None:
        """Take one write from the budget; a call that closes an open door has a budget of its own.

        Calls of one operation for the same findings are one write, as they are one attempt: the five alarms of a
        cluster reach no more databases than one does, and must not starve whoever comes after them.
        """
        write = (call.operation, *(judgement.control.id for judgement in concerned))
        if write in self._paid or all(one.stage is Stage.CLEAN_UP for one in concerned):
            return None
        remediator, controls = self._remediator, [judgement.control for judgement in concerned]
        if not self._goes_first(controls):
            return Reason.CANARY
        paid = remediator.brakes.spend(
            self._resource.ref.account,
            self._resource.home,
            self._restraints.payment(controls),
            now=remediator.clock(),
        )
        if not paid:
            self._restraints.latch_for(controls)
            return Reason.BLAST_RADIUS
        self._paid.add(write)
        return None

    def _goes_first(self, controls: Sequence[Control]) -> bool:
        """Whether this resource may be written to for controls that are new to writing."""
        remediator = self._remediator
        if not remediator.judge.policy.canary.soak_hours:
            return True
        # Each of them, whatever the others say: the next look then knows all that hold this call up.
        firsts = [
            remediator.brakes.begin_canary(
                self._resource.ref.account,
                self._resource.home,
                control=control.id,
                resource_key=self._resource.key,
                now=remediator.clock(),
            )
            for control in controls
            if not control.is_containment
        ]
        return all(firsts)

    def _is_held_up(self, call: Call, concerned: Sequence[Judgement]) -> bool:
        """Immediately before the write: this is what makes `warden stop` hold at once."""
        remediator = self._remediator
        try:
            remediator.check_stop()
        except StoppedError as error:
            self._halt(call, concerned, error, "stopped")
            return True
        if remediator.state.holds(self._arns, owner=self._owner, now=remediator.clock()):
            return False
        self._halt(call, concerned, ResourceBusyError("the lease on the resource lapsed"), "leased")
        return True

    def _use_approvals(self, call: Call, concerned: Sequence[Judgement]) -> bool:
        """Note that the approvals are used, last before the write: a crash after this costs one, and writes nothing.

        All calls of a finding's plan are one use.
        """
        approvals = self._remediator.judge.approvals
        for judgement in concerned:
            approval, control = judgement.approval, judgement.control.id
            remediation = judgement.control.remediation
            asks = remediation is not None and remediation.asks
            if approval is None and (asks or call.operation in ONLY_APPROVED):
                msg = f"{call.operation} of {control} has no approval"
                self._give_approvals_back(concerned)
                self._halt(call, concerned, ResourceBusyError(msg), "needs_approval")
                return False
            if approval is None or control in self._used or approval.used:
                continue
            if approvals is None or not approvals.use(approval, part=judgement.part):
                self._give_approvals_back(concerned)
                self._halt(
                    call, concerned, ResourceBusyError("the approval was used meanwhile"), "approval_used"
                )
                return False
            self._used[control] = approval
        return True

    def _give_approvals_back(self, concerned: Sequence[Judgement]) -> None:
        """Nothing was written, so nothing was used; what a plan has begun stays used."""
        approvals = self._remediator.judge.approvals
        for judgement in concerned:
            control = judgement.control.id
            if control in self._done or (approval := self._used.pop(control, None)) is None:
                continue
            if approvals is not None:
                approvals.give_back(approval, part=judgement.part)

    def _halt(self, call: Call, concerned: Sequence[Judgement], error: WardenError, reason: str) -> None:
        self.halted = True
        self._record(EntryKind.OUTCOME, call, concerned, _answer(Status.DEFERRED, error))
        self._wait(str(error), reason)

    def _wait(self, why: str, reason: str) -> None:
        self._waits.append(why)
        self._remediator.defer(self._resource.ref.arn, reason)

    # --- after the write ----------------------------------------------------------------------------------

    def _applied(self, call: Call, concerned: Sequence[Judgement], request_id: str) -> None:
        remediator = self._remediator
        self._made.append(call)
        after = {"status": Status.SUCCEEDED, "calls": [call.to_json()], "request_id": request_id}
        self._record(EntryKind.OUTCOME, call, concerned, after)
        for judgement in concerned:
            # A fix of several calls is one attempt: else it would look like a fix that does not last.
            # So is a procedure, however many visits it takes.
            if judgement.control.id not in self._done:
                self._done.append(judgement.control.id)
                if judgement.stage in {Stage.GO_ON, Stage.CLEAN_UP}:
                    continue
                remediator.keep(self._resource.key, judgement.control.id, self._attempted(judgement))

    def _attempted(self, judgement: Judgement) -> Callable[[Finding], Finding]:
        now, applied = self._remediator.clock(), digest(judgement.calls)
        return lambda finding: replace(finding, attempts=(*finding.attempts, now), applied=applied)

    def _split(self, call: Call, concerned: Sequence[Judgement], error: RefusedError) -> None:
        """One refused parameter must not keep the others from being fixed: each finding's own call, gravest first."""
        if len(concerned) == 1:
            judgement = concerned[0]
            self._failed.append(judgement.control.id)
            self._remediator.fail(self._resource.key, judgement.control.id, error, judgement.calls)
            return
        for judgement in concerned:
            for own in judgement.calls:
                if is_about(call, own) and not self.halted:
                    self.make(own, [judgement])

    def _record(
        self, kind: EntryKind, call: Call, concerned: Sequence[Judgement], after: Mapping[str, Any]
    ) -> None:
        remediator = self._remediator
        before: dict[str, Any] = {}
        if kind is EntryKind.OUTCOME:
            # Just what the call touched: by this, it can be taken back.
            before = plain(touched(call, self._resource.facts))
        else:
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
                before=before,
                after={"operation": call.operation, **after},
                cause=self._message.cause,
                control_version=",".join(code_version(j.control.module) for j in concerned),
                policy_version=remediator.judge.policy.version,
            )
        )


def _approvals(concerned: Sequence[Judgement]) -> dict[str, Any]:
    """Who approved what, for the ledger; nothing where nobody had to."""
    given = {j.control.id: j.approval.to_json() for j in concerned if j.approval is not None}
    return {"approvals": given} if given else {}


def _answer(status: Status, error: WardenError) -> dict[str, str]:
    return {"status": status, "error": str(error)}


def _permits(judgement: Judgement) -> tuple[Permit, ...]:
    remediation = judgement.control.remediation
    return remediation.permits if remediation is not None else ()
