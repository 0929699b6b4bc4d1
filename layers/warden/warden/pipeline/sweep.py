"""Everything through the same path, on a schedule: events are delivered at best effort."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from warden.core.errors import ResourceGoneError, WardenError
from warden.core.kinds import EVALUATED_KINDS, KINDS
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.resource import ResourceRef
from warden.core.trigger import Cause, Lookup, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.finding import Finding
    from warden.core.resource import Resource, ResourceType
    from warden.pipeline.evaluate import Evaluator
    from warden.pipeline.ports import Due
    from warden.pipeline.visit import Visit


@dataclass(slots=True)
class SweepReport:
    """The counts of a sweep."""

    resources: Counter[str] = field(default_factory=Counter)
    evaluations: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By control and compliance type."""
    opened: int = 0
    resolved: int = 0
    problems: list[str] = field(default_factory=list)
    """What could not be swept, as sentences; empty where the sweep was complete."""
    visits: list[Visit] = field(default_factory=list)
    """Visits that changed or handed over something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Sweeps one account and Region in process; it never enqueues a trigger per resource."""

    evaluator: Evaluator

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
        self._record(report, cause)
        return report

    def look_again(self) -> int:
        """Send the triggers whose time has come; returns how many."""
        visitor = self.evaluator.visitor
        due = visitor.state.due(visitor.clock())
        for row in due:
            visitor.queues.trigger(_trigger(row))
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
        except WardenError as error:
            # The rest of the kind was not seen: nothing that is missing from `seen` is known to be gone.
            report.problems.append(f"{KINDS[resource_type].name}s: {error}")
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
        except WardenError as error:
            report.problems.append(f"{resource.ref.id}: {error}")
            return
        self._count(visit, report)

    def _unseen(self, findings: list[Finding], cause: Cause, report: SweepReport) -> None:
        """A finding whose resource the list did not hold: confirm by its own description before resolving it."""
        if not any(finding.is_open for finding in findings):
            return
        evaluator = self.evaluator
        ref = ResourceRef.from_arn(findings[0].arn)
        immutable = KINDS[ref.resource_type].immutable_id
        try:
            if immutable is not None:
                lookup = Lookup(
                    ref.resource_type, ref.account, ref.region, findings[0].resource_key.rpartition("/")[2]
                )
                if evaluator.reader.resolve(lookup) is not None:
                    return
            else:
                evaluator.reader.read(ref, ())
                return
        except ResourceGoneError:
            pass
        except WardenError as error:
            report.problems.append(f"{ref.id}: its deletion could not be confirmed: {error}")
            return
        self._count(evaluator.confirm_gone(ref.arn, findings, cause), report)

    def _count(self, visit: Visit, report: SweepReport) -> None:
        for judgement in visit.judgements:
            report.evaluations[(judgement.control.id, judgement.evaluation.compliance)] += 1
        report.opened += len(visit.opened)
        report.resolved += len(visit.resolved)
        if visit.opened or visit.resolved or visit.handed_over:
            report.visits.append(visit)

    def _record(self, report: SweepReport, cause: Cause) -> None:
        visitor = self.evaluator.visitor
        deployment = self.evaluator.deployment
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
