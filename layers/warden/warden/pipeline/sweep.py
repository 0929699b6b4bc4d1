"""Everything through the same path, on a schedule: events are delivered at best effort."""

from __future__ import annotations

import contextlib
from dataclasses import field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.errors import ConflictError, ResourceGoneError, TransientError, WardenError
from warden.core.kinds import EVALUATED_KINDS, KINDS
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.progress import Progress
from warden.core.resource import ResourceRef
from warden.core.trigger import Cause, Lookup, Source, Trigger, encode
from warden.core.unannounced import Run, expected
from warden.core.version import package_version
from warden.pipeline.sweep_report import SweepReport
from warden.pipeline.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from warden.core.resource import Resource, ResourceType
    from warden.pipeline.caretaker import Caretaker
    from warden.pipeline.evaluate import Evaluator
    from warden.pipeline.ports import ReadFindings, SweepMemory, Sweeps


_SOON = timedelta(days=14)
"""So long before its end the owner of an exemption hears of it."""
_OFTEN = timedelta(minutes=1)
_TRIES = 5
_LEASE_SECONDS = 960
"""A minute longer than an invocation may take: then a killed one holds it no more."""


@dataclass(slots=True)
class _Run:
    """What this invocation does of a sweep."""

    progress: Progress
    until: datetime | None
    kept_at: datetime
    marks: list[str] = field(default_factory=list)
    """Of what was visited since it was last kept."""

    def skips(self, before: frozenset[str]) -> Callable[[str], bool]:
        """Whether a resource was visited by an earlier invocation, so that nothing need be read of it."""
        return lambda key: self.progress.mark(key) in before

    def done(self, resource_type: ResourceType) -> None:
        """Note a kind that was swept to its end."""
        self.progress = replace(self.progress, done=(*self.progress.done, resource_type.value))
        self.marks = []

    def is_over(self, now: datetime) -> bool:
        """Whether another invocation must go on."""
        return self.until is not None and now >= self.until

    def is_to_be_kept(self, now: datetime) -> bool:
        """Whether so much was done that it would be a pity to do it again."""
        return now - self.kept_at >= _OFTEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Sweeps one account and Region in process; it never enqueues a trigger per resource."""

    evaluator: Evaluator
    caretaker: Caretaker
    sweeps: Sweeps
    memory: SweepMemory | None = None
    """What the reader of the evaluator remembers by; None where everything is read."""

    def sweep(
        self,
        *,
        run_id: str,
        until: datetime | None = None,
        tell: Callable[[Visit], None] | None = None,
        begin: bool = True,
    ) -> SweepReport:
        """Visit everything, then look for findings whose resource was not seen.

        What an earlier invocation has visited of the same sweep is not visited again. At `until` it stops, and another
        invocation goes on. Without `begin`, only a sweep that has begun is gone on with.
        """
        visitor, deployment = self.evaluator.visitor, self.evaluator.deployment
        begun = self.sweeps.current()
        if begun is None and not begin:
            return SweepReport(held=True)
        name = [f"sweep/{deployment.account}/{deployment.region}"]
        if not visitor.state.lease(name, owner=run_id, seconds=_LEASE_SECONDS, now=visitor.clock()):
            return SweepReport(held=True)
        try:
            report = self._run(run_id, until, tell)
            if self.memory is not None:
                report.unremembered += self.memory.failures
            return report
        finally:
            with contextlib.suppress(TransientError):
                visitor.state.release(name, owner=run_id)

    def _run(self, run_id: str, until: datetime | None, tell: Callable[[Visit], None] | None) -> SweepReport:
        visitor = self.evaluator.visitor
        version, now = visitor.judge.policy.version, visitor.clock()
        progress = self.sweeps.current()
        if progress is None or not progress.is_good(now, version):
            progress = Progress(run_id=run_id, began=now, policy_version=version)
        report = SweepReport.going_on(progress.counts, tell)
        run = _Run(progress, until, kept_at=now)
        cause = Cause(source=Source.SWEEP, event_name="sweep", event_id=progress.run_id, at=now)
        kinds = [
            resource_type
            for resource_type in EVALUATED_KINDS
            if resource_type not in run.progress.done and visitor.judge.of_type(resource_type)
        ]
        findings = visitor.findings.as_they_are(kinds)
        for resource_type in kinds:
            if not self._sweep_kind(resource_type, cause, findings, report, run):
                return report
            run.done(resource_type)
        report.problems += self.caretaker.look()
        policy, now = visitor.judge.policy, visitor.clock()
        report.ending += [
            f"The exemption of {one.resource or one.account} from {one.control}, owner {one.owner}, ends after "
            f"{one.expires}."
            for one in policy.ending(now, within=_SOON)
        ]
        self._record(report, cause)
        self._leave(report, progress.run_id)
        if run.progress.parts:
            self.sweeps.end()
        report.ended = True
        return report

    def _sweep_kind(
        self,
        resource_type: ResourceType,
        cause: Cause,
        findings: ReadFindings,
        report: SweepReport,
        run: _Run,
    ) -> bool:
        """Sweep one kind; whether it came to its end.

        What a list holds twice, since it changed while it was paged through, is visited once.
        """
        evaluator = self.evaluator
        seen: set[str] = set()
        try:
            before = (
                self.sweeps.visited(run.progress, resource_type) if run.progress.parts else frozenset[str]()
            )
            judge = evaluator.visitor.judge
            for resource in evaluator.reader.list(
                resource_type,
                judge.needs_of_a_list(resource_type),
                but=run.skips(before),
                complete=judge.completed,
            ):
                mark = run.progress.mark(resource.key)
                if mark in seen:
                    continue
                seen.add(mark)
                if mark in before:
                    findings.drop(resource.key)
                    continue
                self._visit(resource, cause, findings, report)
                run.marks.append(mark)
                now = evaluator.visitor.clock()
                if run.is_over(now) or run.is_to_be_kept(now):
                    self._keep(resource_type, report, run, now)
                if run.is_over(now):
                    return False
        except Exception as error:  # noqa: BLE001 - nor one kind the others
            # The rest of the kind was not seen: nothing whose findings are left is known to be gone.
            report.problems.append(f"{KINDS[resource_type].name}s: {_said(error)}")
            report.unsure.add(resource_type)
            return True
        for key in findings.left(resource_type):
            self._unseen(resource_type, key, cause, findings, report)
        return True

    def _keep(self, resource_type: ResourceType, report: SweepReport, run: _Run, now: datetime) -> None:
        run.progress = run.progress.kept(done=run.progress.done, counts=report.to_json())
        self.sweeps.keep(run.progress, resource_type, run.marks)
        run.marks, run.kept_at = [], now

    def _visit(self, resource: Resource, cause: Cause, findings: ReadFindings, report: SweepReport) -> None:
        if resource.home != self.evaluator.deployment.region:
            findings.drop(resource.key)
            return
        report.resources[resource.ref.resource_type] += 1
        try:
            visit = self.evaluator.visitor.visit(resource, cause, findings=findings.take(resource.key))
        except Exception as error:  # noqa: BLE001 - one resource that fails must not take the sweep with it
            self._fail(resource.ref, error, cause, report)
            return
        report.note(visit)

    def _fail(
        self, ref: ResourceRef, error: Exception, cause: Cause, report: SweepReport, what: str = ""
    ) -> None:
        """What passes by itself goes to the queue, which delivers it again; the rest is a problem of this sweep."""
        if isinstance(error, TransientError):
            try:
                self.evaluator.visitor.queues.trigger(encode(Trigger(target=ref, cause=cause)))
            except WardenError as second:
                error = second
            else:
                report.show(Visit(arn=ref.arn, skipped=f"retry: {error}"))
                return
        report.problems.append(f"{ref.id}: {what}{_said(error)}")
        report.unsure.add(ref.resource_type)

    def _unseen(
        self,
        resource_type: ResourceType,
        key: str,
        cause: Cause,
        findings: ReadFindings,
        report: SweepReport,
    ) -> None:
        """A finding whose resource the list did not hold: confirm by its own description before resolving it."""
        try:
            unseen = list(findings.take(key).values())
            if not any(finding.is_open for finding in unseen):
                return
            ref = ResourceRef.from_arn(unseen[0].arn)
        except Exception as error:  # noqa: BLE001 - a row that is not as Warden writes it
            report.problems.append(f"{key}: its findings could not be read: {_said(error)}")
            report.unsure.add(resource_type)
            return
        try:
            if not self._exists(ref, key):
                report.note(self.evaluator.confirm_gone(ref.arn, unseen, cause))
        except Exception as error:  # noqa: BLE001 - nor one finding the others
            self._fail(ref, error, cause, report, "its deletion could not be confirmed: ")

    def _exists(self, ref: ResourceRef, key: str) -> bool:
        """Whether there is a resource of this identity, whatever its name; the list may have missed it."""
        reader = self.evaluator.reader
        if KINDS[ref.resource_type].immutable_id is not None:
            resource_id = key.rpartition("/")[2]
            return reader.resolve(Lookup(ref.resource_type, ref.account, ref.region, resource_id)) is not None
        try:
            reader.read(ref, ())
        except ResourceGoneError:
            return False
        return True

    def _leave(self, report: SweepReport, run_id: str) -> None:
        """Let the next sweep know what this one has judged, and of what it found events should have told."""
        judge = self.evaluator.visitor.judge
        controls = [control for of_kind in judge.controls.values() for control in of_kind]
        judged_by = f"{judge.policy.version}/{package_version()}"
        judged = frozenset(control.id for control in controls if report.has_judged(control))
        for attempt in range(_TRIES):
            last = self.sweeps.last()
            run = Run(
                run_id=run_id,
                ended=self.evaluator.visitor.clock(),
                expected=expected(last, controls, judged_by=judged_by),
            )
            try:
                self.sweeps.leave(last.after(run, judged_by=judged_by, judged=judged))
            except ConflictError:
                # Whoever counts what was missed writes the same row.
                if attempt == _TRIES - 1:
                    raise
            else:
                return

    def _record(self, report: SweepReport, cause: Cause) -> None:
        visitor = self.evaluator.visitor
        deployment = self.evaluator.deployment
        if not report.problems:
            # What was not wholly seen would make shares of it too small.
            visitor.brakes.take_census(
                deployment.account, deployment.region, dict(report.resources), now=visitor.clock()
            )
        visitor.ledger.append(
            LedgerEntry(
                at=visitor.clock(),
                actor="sweep",
                chain=deployment.chain,
                kind=EntryKind.SWEEP,
                after=report.to_json(),
                cause=visitor.cause(cause),
                policy_version=visitor.judge.policy.version,
            )
        )


def _said(error: Exception) -> str:
    """What went wrong, with the type where it is a bug and not one of Warden's own errors."""
    return str(error) if isinstance(error, WardenError) else f"{type(error).__name__}: {error}"
