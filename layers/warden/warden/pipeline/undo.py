"""The step that takes a write back: asked for by a person, under the guards of every other write."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden.core import approval, conditions
from warden.core.approval import Answer
from warden.core.brakes import NORMAL, Payment
from warden.core.dataclass import dataclass
from warden.core.decision import Mode
from warden.core.errors import (
    MissingFactError,
    RefusedError,
    ResourceBusyError,
    ResourceGoneError,
    StoppedError,
    ThrottledError,
    TransientError,
)
from warden.core.ledger import EntryKind, LedgerEntry, chained, plain
from warden.core.plan import Manual, written
from warden.core.undo import Write, is_undone, request_id, touched, undo
from warden.pipeline.remediate import LEASE_SECONDS
from warden.pipeline.writes import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.approval import Approval
    from warden.core.finding import Finding
    from warden.core.ledger import Link
    from warden.core.messages import UndoMessage
    from warden.core.plan import Call
    from warden.core.resource import Resource
    from warden.pipeline.remediate import Remediator

_NOT_NOW = (ResourceBusyError, ResourceGoneError, StoppedError, ThrottledError)


class _RefusedUndoError(Exception):
    """It is not taken back; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One write that is to be taken back."""

    message: UndoMessage
    write: Write
    asked: Approval
    resource: Resource
    arns: frozenset[str]
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoer:
    """Takes writes back; everything that it needs is what a remediation needs."""

    remediator: Remediator

    def handle(self, message: UndoMessage) -> Outcome:
        """Take one write back, or record why not; a person asks again, nothing is tried by itself."""
        link = self.remediator.ledger.entry(message.chain, message.sequence)
        if link is None:
            # Nothing is recorded either: whoever sends messages must not make chains.
            why = f"the ledger has no entry {message.sequence} of {message.chain}"
            return _outcome(Status.FAILED, message, f"It was not taken back: {why}.")
        try:
            return self._handle(message, link)
        except (_RefusedUndoError, *_NOT_NOW, RefusedError) as error:
            return self._refuse(message, str(error).rstrip("."))

    def _handle(self, message: UndoMessage, link: Link) -> Outcome:
        remediator = self.remediator
        if why := remediator.deployment.refusal(message.ref):
            raise _RefusedUndoError(why)
        if remediator.judge.ceiling is not Mode.REMEDIATE:
            msg = f"the ceiling of the deployment is {remediator.judge.ceiling.word}"
            raise _RefusedUndoError(msg)
        write = _write(message, link)
        asked = self._asked(message)
        remediator.check_stop()
        target = written(write.call, message.ref, region=remediator.deployment.region)
        arns, owner = frozenset({message.ref.arn, target.arn}), remediator.new_owner()
        if not remediator.state.lease(arns, owner=owner, seconds=LEASE_SECONDS, now=remediator.clock()):
            msg = "another write to it is under way"
            raise _RefusedUndoError(msg)
        try:
            case = _Case(
                message=message,
                write=write,
                asked=asked,
                resource=self._read(message, write),
                arns=arns,
                owner=owner,
            )
            return self._after_a_crash(case) if asked.used else self._under_lease(case)
        finally:
            # A lease that cannot be given back expires by itself.
            with contextlib.suppress(TransientError):
                remediator.state.release(arns, owner=owner)

    def _asked(self, message: UndoMessage) -> Approval:
        """Who asked, by the row that only they can have written; the message itself proves nothing."""
        remediator = self.remediator
        policy, now = remediator.judge.policy, remediator.clock()
        kept = remediator.judge.approvals
        request = request_id(message.chain, message.sequence, message.entry_hash)
        answers = () if kept is None else kept.answers(request)
        asked = [one for one in answers if one.answer is Answer.APPROVED]
        for one in sorted(asked, key=lambda one: (one.used, one.at)):
            if not approval.standing_objection(replace(one, used=False), policy=policy, now=now):
                return one
        msg = "nobody who may has asked for it, or too long ago"
        raise _RefusedUndoError(msg)

    def _read(self, message: UndoMessage, write: Write) -> Resource:
        needs = {*write.needs, *conditions.WRITE_NEEDS.get(message.ref.resource_type, ())}
        resource = self.remediator.reader.read(message.ref, needs)
        if resource.key != message.chain:
            msg = "another resource has this name now"
            raise _RefusedUndoError(msg)
        return resource

    # --- under the lease ----------------------------------------------------------------------------------

    def _after_a_crash(self, case: _Case) -> Outcome:
        """The same message again, after what it asked for was begun: it was made, or it was not, and never twice."""
        if is_undone(case.write, case.resource.facts):
            return _outcome(Status.SUCCEEDED, case.message, "It was taken back.", case.write.controls)
        if not conditions.is_busy(case.resource):
            self._let_go(case)
        msg = (
            f"it was begun as {case.asked.approver} asked, and cut off before it showed an effect; ask again"
        )
        raise _RefusedUndoError(msg)

    def _under_lease(self, case: _Case) -> Outcome:
        undoing = undo(case.write, case.resource.facts)
        if isinstance(undoing, Manual):
            raise _RefusedUndoError(undoing.why)
        self._check_writable(case.resource, undoing.call)
        self._pay(case.resource)
        self._record(EntryKind.INTENT, case, undoing.call, {"approvals": {"undo": case.asked.to_json()}})
        # Before the write: the event that tells of it must not have it put right again.
        before = self._holds(case)
        self._hold(case, dict.fromkeys(case.write.controls, self._hold_of(case)))
        try:
            self._check_once_more(case, before)
            request = self.remediator.writer.apply(undoing.call, case.resource, undoing.permits)
        except (_RefusedUndoError, *_NOT_NOW, RefusedError) as error:
            self._hold(case, before)
            self._record(EntryKind.OUTCOME, case, undoing.call, {"status": "FAILED", "error": str(error)})
            raise
        told = {"status": "SUCCEEDED", "request_id": request}
        self._record(EntryKind.OUTCOME, case, undoing.call, told)
        self.remediator.verify_later(case.message.ref.arn)
        return _outcome(
            Status.SUCCEEDED, case.message, "It was taken back.", case.write.controls, (undoing.call,)
        )

    def _check_writable(self, resource: Resource, call: Call) -> None:
        """The guards of every write but two: a health gate and a change window would keep the cure from the sick."""
        policy, now = self.remediator.judge.policy, self.remediator.clock()
        if (freeze := policy.freeze(now)) is not None:
            msg = f"a freeze is on until {freeze.end:%Y-%m-%d %H:%M} UTC: {freeze.reason}"
            raise _RefusedUndoError(msg)
        try:
            busy, pending = conditions.is_busy(resource), conditions.would_flush(resource, [call])
        except (MissingFactError, KeyError) as error:
            msg = f"it cannot be told whether it may be written to: {error}"
            raise _RefusedUndoError(msg) from error
        if busy:
            msg = "the database is not ready for a change; ask again once it is available"
            raise _RefusedUndoError(msg)
        if pending:
            msg = "the call would apply, at once, changes that somebody queued"
            raise _RefusedUndoError(msg)

    def _pay(self, resource: Resource) -> None:
        remediator = self.remediator
        payment = Payment(budget=NORMAL, limit=remediator.judge.policy.limits.writes_per_hour)
        where = resource.ref.account, resource.home
        latched = NORMAL in remediator.brakes.standing(*where).latched
        if latched or not remediator.brakes.spend(*where, payment, now=remediator.clock()):
            msg = "the budget of writes is spent; `warden acknowledge` opens it"
            raise _RefusedUndoError(msg)

    def _check_once_more(self, case: _Case, before: Mapping[str, Mapping[str, Any]]) -> None:
        """Immediately before the write; what passes by itself leaves no hold for what was not written."""
        try:
            self._check(case)
        except TransientError:
            self._hold(case, before)
            raise

    def _check(self, case: _Case) -> None:
        """What was asked for once is done once, and under the lease alone."""
        remediator = self.remediator
        approvals = remediator.judge.approvals
        if approvals is None or not approvals.use(case.asked):
            msg = "it was asked for once, and is being done already"
            raise _RefusedUndoError(msg)
        remediator.check_stop()
        if not remediator.state.holds(case.arns, owner=case.owner, now=remediator.clock()):
            msg = "the lease on it lapsed"
            raise ResourceBusyError(msg)

    # --- what is kept -------------------------------------------------------------------------------------

    def _hold_of(self, case: _Case) -> dict[str, Any]:
        remediator = self.remediator
        until = remediator.clock() + timedelta(hours=remediator.judge.policy.undo.hold_hours)
        return {
            "until": until.isoformat(),
            "by": case.asked.arn or case.asked.approver,
            "reason": case.asked.reason,
            "entry": case.message.sequence,
        }

    def _holds(self, case: _Case) -> dict[str, Mapping[str, Any]]:
        """What is left alone already, by an undo of another write."""
        findings = self.remediator.findings.of_resource(case.message.chain)
        return {name: findings[name].hold if name in findings else {} for name in case.write.controls}

    def _hold(self, case: _Case, holds: Mapping[str, Mapping[str, Any]]) -> None:
        for control, hold in holds.items():
            self.remediator.keep(case.message.chain, control, functools.partial(_held, hold=hold))

    def _let_go(self, case: _Case) -> None:
        """End the holds of this undo, and of no other."""
        holds = self._holds(case).items()
        self._hold(case, {name: {} for name, hold in holds if hold.get("entry") == case.message.sequence})

    def _record(self, kind: EntryKind, case: _Case, call: Call, after: Mapping[str, Any]) -> None:
        before = plain(touched(call, case.resource.facts))
        told = {"operation": call.operation, "calls": [call.to_json()], "undoes": case.message.sequence}
        self._append(kind, case.message, {**told, **after}, controls=case.write.controls, before=before)

    def _refuse(self, message: UndoMessage, why: str) -> Outcome:
        self._append(EntryKind.UNDO, message, {"status": "REFUSED", "undoes": message.sequence, "why": why})
        return _outcome(Status.FAILED, message, f"It was not taken back: {why}.")

    def _append(
        self,
        kind: EntryKind,
        message: UndoMessage,
        after: Mapping[str, Any],
        *,
        controls: tuple[str, ...] = (),
        before: Mapping[str, Any] | None = None,
    ) -> None:
        self.remediator.ledger.append(
            LedgerEntry(
                at=self.remediator.clock(),
                actor="remediate",
                chain=message.chain,
                kind=kind,
                control=",".join(controls),
                arn=message.ref.arn,
                before=before or {},
                after=after,
                policy_version=self.remediator.judge.policy.version,
            )
        )


def _write(message: UndoMessage, link: Link) -> Write:
    """The write, from an entry that is as it was when it was written, and when the person saw it."""
    intact = chained(link.entry, sequence=link.sequence, previous=link.previous)
    if not intact == link.hash == message.entry_hash:
        msg = f"entry {message.sequence} is not as it was written, or not the one that was seen"
        raise _RefusedUndoError(msg)
    write = Write.of(link.entry)
    if isinstance(write, str):
        raise _RefusedUndoError(write)
    return write


def _held(finding: Finding, hold: Mapping[str, Any]) -> Finding:
    return finding if finding.hold == hold else replace(finding, hold=dict(hold))


def _outcome(
    status: Status,
    message: UndoMessage,
    sentence: str,
    controls: tuple[str, ...] = (),
    calls: tuple[Call, ...] = (),
) -> Outcome:
    return Outcome(status=status, arn=message.ref.arn, sentence=sentence, controls=controls, calls=calls)
