"""What is true now of a resource and a control: the state that is kept.

After `Evaluation` in the flow, before `Decision`. Words from ASFF: a finding is NEW, NOTIFIED (somebody was
told), SUPPRESSED (an exemption covers it) or RESOLVED.
"""

from __future__ import annotations

from dataclasses import field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from warden.core.control import ComplianceType
from warden.core.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from warden.core.evaluation import Evaluation


_REMEMBERED = 100
"""Attempts that are kept: more than any policy counts in its window."""
_REVERTS = 5


class WorkflowStatus(StrEnum):
    """ASFF's workflow statuses."""

    NEW = "NEW"
    NOTIFIED = "NOTIFIED"
    SUPPRESSED = "SUPPRESSED"
    RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Drift of one resource from one control, from its first observation until after its resolution."""

    resource_key: str
    control: str
    arn: str
    resource_type: str
    severity: str
    title: str
    workflow: WorkflowStatus
    compliance: ComplianceType
    annotation: str
    evidence: Mapping[str, Any]
    first_observed: datetime
    last_observed: datetime
    resolved_at: datetime | None = None
    attempts: tuple[datetime, ...] = ()
    """When remediations of this finding were applied."""
    reverts: tuple[Mapping[str, Any], ...] = ()
    """Who brought the drift back after it had been put right, the latest last, as far as events tell."""
    applied: str = ""
    """The digest of the calls that the last attempt made."""
    hold: Mapping[str, Any] = field(default_factory=dict)
    """Somebody took a remediation back: until when it is left alone, who, why and which entry of the ledger."""
    decision: Mapping[str, Any] = field(default_factory=dict)
    """The last decision as JSON: action, reason, would, sentence."""
    plan: tuple[Mapping[str, Any], ...] = ()
    manual: str = ""
    """Why, or how, a person must act."""
    cause: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    """Those of the resource that the policy routes tickets by, and that name an owner."""
    revision: int = 0
    """Grows with each write; a writer that holds an older one loses."""

    @property
    def id(self) -> str:
        """Control and resource: one finding for each pair."""
        return f"{self.control}|{self.resource_key}"

    @property
    def is_open(self) -> bool:
        """Whether the drift is believed to exist."""
        return self.workflow is not WorkflowStatus.RESOLVED

    def is_newer(self, observed_at: datetime) -> bool:
        """Whether an observation of that time is late news: what is kept was seen after it."""
        return observed_at < self.last_observed


def advance(
    finding: Finding | None, evaluation: Evaluation, *, resource_key: str, observed_at: datetime
) -> Finding | None:
    """The finding after an evaluation; the same object where nothing changed, None where there is none.

    Only COMPLIANT and NOT_APPLICABLE resolve. INSUFFICIENT_DATA leaves things as they were. An observation
    older than the last one is late news and changes nothing.
    """
    if finding is not None and finding.is_newer(observed_at):
        return finding
    match evaluation.compliance:
        case ComplianceType.INSUFFICIENT_DATA:
            return finding
        case ComplianceType.COMPLIANT | ComplianceType.NOT_APPLICABLE:
            if finding is None or not finding.is_open:
                return finding
            return replace(
                finding,
                workflow=WorkflowStatus.RESOLVED,
                compliance=evaluation.compliance,
                annotation=evaluation.annotation,
                evidence=dict(evaluation.evidence),
                last_observed=observed_at,
                resolved_at=observed_at,
            )
        case ComplianceType.NON_COMPLIANT:
            return _drifted(finding, evaluation, resource_key=resource_key, observed_at=observed_at)


def _drifted(
    finding: Finding | None, evaluation: Evaluation, *, resource_key: str, observed_at: datetime
) -> Finding:
    if finding is not None and finding.is_open:
        if (finding.annotation, finding.arn) == (evaluation.annotation, evaluation.ref.arn):
            return finding
        return replace(
            finding,
            arn=evaluation.ref.arn,
            annotation=evaluation.annotation,
            evidence=dict(evaluation.evidence),
            last_observed=observed_at,
        )
    return Finding(
        resource_key=resource_key,
        control=evaluation.control.id,
        arn=evaluation.ref.arn,
        resource_type=evaluation.ref.resource_type,
        severity=evaluation.control.severity,
        title=evaluation.control.title,
        workflow=WorkflowStatus.NEW,
        compliance=evaluation.compliance,
        annotation=evaluation.annotation,
        evidence=dict(evaluation.evidence),
        first_observed=observed_at,
        last_observed=observed_at,
        # What was tried before is remembered: a finding that keeps coming back is flapping.
        attempts=finding.attempts[-_REMEMBERED:] if finding is not None else (),
        reverts=finding.reverts if finding is not None else (),
        hold=finding.hold if finding is not None else {},
        revision=finding.revision if finding is not None else 0,
    )


def brought_back(finding: Finding, cause: Mapping[str, Any]) -> Finding:
    """The finding of drift that somebody put back after a remediation, with who that was; one event counts once."""
    told = [(revert["event_id"], revert["at"]) for revert in finding.reverts[-1:]]
    if (cause["event_id"], cause["at"]) in told:
        return finding
    return replace(finding, reverts=(*finding.reverts, cause)[-_REVERTS:])


def gone(finding: Finding, *, observed_at: datetime) -> Finding:
    """The finding of a resource that is confirmed to be deleted."""
    return replace(
        finding,
        workflow=WorkflowStatus.RESOLVED,
        compliance=ComplianceType.NOT_APPLICABLE,
        annotation=f"{finding.arn.rpartition(':')[2]} no longer exists.",
        last_observed=observed_at,
        resolved_at=observed_at,
    )
