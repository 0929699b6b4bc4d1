"""Everything through the same path, on a schedule: events are delivered at best effort."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import deferral
from warden.core.control import ComplianceType
from warden.core.errors import ResourceGoneError, TransientError, WardenError
from warden.core.kinds import EVALUATED_KINDS, KINDS
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.resource import ResourceRef
from warden.core.trigger import Cause, Lookup, Source, Trigger, encode
from warden.pipeline.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.finding import Finding
    from warden.core.resource import Resource, ResourceType
    from warden.pipeline.caretaker import Caretaker
    from warden.pipeline.evaluate import Evaluator
    from warden.pipeline.ports import Due


_SOON = timedelta(days=14)
"""So long before its end the owner of an exemption hears of it."""


@dataclass(slots=True)
class SweepReport:
    """The counts of a sweep."""

    resources: Counter[str] = field(default_factory=Counter)
    evaluations: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By control and compliance type."""
    opened: int = 0
    resolved: int = 0
    ending: list[str] = field(default_factory=list)
    """The exemptions that end soon, as sentences: what they cover comes back as drift."""
    problems: list[str] = field(default_factory=list)
    """What could not be swept, as sentences; empty where the sweep was complete."""
    visits: list[Visit] = field(default_factory=list)
    """Visits that changed or handed over something, could not judge, or are left to the triggers queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Sweeps one account and Region in process; it never enqueues a trigger per resource."""

    evaluator: Evaluator
    caretaker: Caretaker

    def sweep(self, *, run_id: str) -> SweepReport:
        """Visit everything, then look for findings whose resource was not seen."""
        visitor = self.evaluator.visitor
        cause = Cause(source=Source.SWEEP, event_name="sweep", event_id=run_id, at=visitor.clock())
        kept: dict[str, dict[str, Finding]] = {}
        for finding in visitor.findings.all():
            kept.setdefault(finding.resource_key, {})[finding.control] = finding
        report = SweepReport()
        for resource_type in EVALUATED_KINDS:
            if visitor.judge.of_type(resource_type):
                self._sweep_kind(resource_type, cause, kept, report)
        report.problems += self.caretaker.look()
        policy, now = visitor.judge.policy, visitor.clock()
        report.ending += [
            f"The exemption of {one.resource or one.account} from {one.control}, owner {one.owner}, ends after "
            f"{one.expires}."
            for one in policy.ending(now, within=_SOON)
        ]
        self._record(report, cause)
        return report

    def look_again(self) -> int:
        """Send the triggers whose time has come, and set their next time; returns how many.

        The backing off is done here and not by who looks: a look that fails, or never comes, backs off as well.
        """
        visitor = self.evaluator.visitor
        now = visitor.clock()
        self.caretaker.look()
        due = visitor.state.due(now)
        for row in due:
            visitor.queues.trigger(_trigger(row))
            attempt = row.attempt + 1
            due_at = deferral.next_due(now, attempt=attempt, jitter=visitor.jitter())
            visitor.state.defer(replace(row, attempt=attempt, due_at=due_at))
        return len(due)

    def _sweep_kind(
        self,
        resource_type: ResourceType,
        cause: Cause,
        kept: Mapping[str, Mapping[str, Finding]],
        report: SweepReport,
    ) -> None:
        evaluator = self.evaluator
        seen: set[str] = set()
        try:
            for resource in evaluator.reader.list(
                resource_type, evaluator.visitor.judge.needs(resource_type)
            ):
                seen.add(resource.key)
                self._visit(resource, cause, kept.get(resource.key, {}), report)
        except Exception as error:  # noqa: BLE001 - nor one kind the others
            # The rest of the kind was not seen: nothing that is missing from `seen` is known to be gone.
            report.problems.append(f"{KINDS[resource_type].name}s: {_said(error)}")
            return
        for key, findings in kept.items():
            if key not in seen and f"/{resource_type}/" in key:
                self._unseen(list(findings.values()), cause, report)

    def _visit(
        self, resource: Resource, cause: Cause, findings: Mapping[str, Finding], report: SweepReport
    ) -> None:
        if resource.home != self.evaluator.deployment.region:
            return
        report.resources[resource.ref.resource_type] += 1
        try:
            visit = self.evaluator.visitor.visit(resource, cause, findings=findings)
        except Exception as error:  # noqa: BLE001 - one resource that fails must not take the sweep with it
            self._fail(resource.ref, error, cause, report)
            return
        self._count(visit, report)

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
                report.visits.append(Visit(arn=ref.arn, skipped=f"retry: {error}"))
                return
        report.problems.append(f"{ref.id}: {what}{_said(error)}")

    def _unseen(self, findings: list[Finding], cause: Cause, report: SweepReport) -> None:
        """A finding whose resource the list did not hold: confirm by its own description before resolving it."""
        if not any(finding.is_open for finding in findings):
            return
        ref = ResourceRef.from_arn(findings[0].arn)
        try:
            if not self._exists(ref, findings[0].resource_key):
                self._count(self.evaluator.confirm_gone(ref.arn, findings, cause), report)
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

    def _count(self, visit: Visit, report: SweepReport) -> None:
        for judgement in visit.judgements:
            report.evaluations[(judgement.control.id, judgement.evaluation.compliance)] += 1
        report.opened += len(visit.opened)
        report.resolved += len(visit.resolved)
        unknown = any(j.evaluation.compliance is ComplianceType.INSUFFICIENT_DATA for j in visit.judgements)
        if visit.opened or visit.resolved or visit.handed_over or unknown or _failed(visit):
            report.visits.append(visit)

    def _record(self, report: SweepReport, cause: Cause) -> None:
        visitor = self.evaluator.visitor
        deployment = self.evaluator.deployment
        if not report.problems:
            # What was not wholly seen would make shares of it too small.
            visitor.brakes.take_census(
                deployment.account, deployment.region, dict(report.resources), now=visitor.clock()
            )
        controls: dict[str, dict[str, int]] = {}
        for (control, compliance), count in sorted(report.evaluations.items()):
            controls.setdefault(control, {})[compliance] = count
        visitor.ledger.append(
            LedgerEntry(
                at=visitor.clock(),
                actor="sweep",
                chain=f"deployment/{deployment.account}/{deployment.region}",
                kind=EntryKind.SWEEP,
                after={
                    "resources": dict(report.resources),
                    "controls": controls,
                    "opened": report.opened,
                    "resolved": report.resolved,
                    "problems": report.problems[:50],
                },
                cause=visitor.cause(cause),
                policy_version=visitor.judge.policy.version,
            )
        )


def _failed(visit: Visit) -> bool:
    """Whether a control raised: a bug of ours, which is logged with its traceback."""
    return any(judgement.evaluation.error for judgement in visit.judgements)


def _said(error: Exception) -> str:
    """What went wrong, with the type where it is a bug and not one of Warden's own errors."""
    return str(error) if isinstance(error, WardenError) else f"{type(error).__name__}: {error}"


def _trigger(row: Due) -> dict[str, object]:
    return {
        "resource": row.arn,
        "cause": {
            "source": Source.DEFERRAL.value,
            "event_name": row.reason,
            "event_id": "",
            "at": row.due_at.isoformat(),
        },
    }
