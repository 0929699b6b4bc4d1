"""What happened, as log lines and counts: the pipeline returns, the functions log."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warden.core.control import ComplianceType
from warden.core.decision import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.pipeline.visit import Visit


def lines(visit: Visit) -> list[tuple[str, dict[str, Any]]]:
    """One log line per decision that is not about compliance: its message, and fields without facts."""
    if visit.skipped:
        return [("skipped", {"arn": visit.arn, "reason": visit.skipped})]
    return [
        (
            "decided",
            {
                "arn": visit.arn,
                "control": judgement.control.id,
                "compliance": judgement.evaluation.compliance.value,
                "annotation": judgement.evaluation.annotation,
                "cause": visit.cause.get("event_name", ""),
                "event_id": visit.cause.get("event_id", ""),
                **judgement.decision.to_json(),
                **({"error": judgement.evaluation.error} if judgement.evaluation.error else {}),
            },
        )
        for judgement in visit.judgements
        if judgement.evaluation.compliance in {ComplianceType.NON_COMPLIANT, ComplianceType.INSUFFICIENT_DATA}
    ]


def counts(visits: Iterable[Visit]) -> Counter[str]:
    """The metrics of some visits, by name."""
    total: Counter[str] = Counter()
    for visit in visits:
        total["Visits"] += 1
        total["FindingsOpened"] += len(visit.opened)
        total["FindingsResolved"] += len(visit.resolved)
        if visit.skipped:
            total["Skipped"] += 1
        for judgement in visit.judgements:
            total["Evaluations"] += 1
            total["ControlErrors"] += bool(judgement.evaluation.error)
            total["InsufficientData"] += judgement.evaluation.compliance is ComplianceType.INSUFFICIENT_DATA
            if judgement.evaluation.compliance is ComplianceType.NON_COMPLIANT:
                total["BudgetSpent"] += judgement.decision.reason is Reason.BLAST_RADIUS
                total["CircuitOpen"] += judgement.decision.reason is Reason.CIRCUIT_OPEN
                total["DayOne"] += judgement.decision.reason is Reason.DAY_ONE
                total[f"Decision{judgement.decision.action.title().replace('_', '')}"] += 1
    return total


def probed(visit: Visit, *, now: datetime) -> dict[str, Any]:
    """What a visit to the probe tells: whether its finding was opened or resolved, and how long after the call."""
    took = (now - datetime.fromisoformat(visit.cause["at"])).total_seconds()
    return {
        "arn": visit.arn,
        "opened": bool(visit.opened),
        "resolved": bool(visit.resolved),
        "seconds": took,
        "event_id": visit.cause.get("event_id", ""),
    }


def summary(visits: Iterable[Visit]) -> list[dict[str, Any]]:
    """What a manual invoke answers: every judgement of every visit."""
    return [
        {
            "resource": visit.arn,
            **({"skipped": visit.skipped} if visit.skipped else {}),
            "opened": list(visit.opened),
            "resolved": list(visit.resolved),
            "handed_over": [[control, action.value] for control, action in visit.handed_over],
            "evaluations": [
                {
                    "control": judgement.control.id,
                    "compliance": judgement.evaluation.compliance.value,
                    "annotation": judgement.evaluation.annotation,
                    "decision": judgement.decision.to_json(),
                }
                for judgement in visit.judgements
            ],
        }
        for visit in visits
    ]
