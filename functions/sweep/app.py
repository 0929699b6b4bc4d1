"""Sweep: on a schedule, everything through the same path; and every few minutes, what waits for another look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden import telemetry, wiring
from warden.core.errors import MalformedEventError
from warden.pipeline import report

if TYPE_CHECKING:
    from warden.telemetry import Context

logger = telemetry.logger()
metrics = telemetry.Metrics()


@telemetry.invocation(metrics)
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do the job that the schedule names: `sweep`, `due` or `reconcile`."""
    if event.get("job") == "reconcile":
        return _reconcile()
    sweeper = wiring.wired().sweeper()
    match event.get("job"):
        case "due":
            sent = sweeper.look_again()
            metrics.add_metric(name="LookedAgain", value=sent)
            return {"sent": sent}
        case "sweep":
            swept = sweeper.sweep(run_id=context.aws_request_id)
        case other:
            msg = f"event: job: {other!r} is not a job; send {{'job': 'sweep'}}, 'due' or 'reconcile'"
            raise MalformedEventError(msg)

    for visit in swept.visits:
        for message, fields in report.lines(visit):
            logger.info(message, extra=fields)
    for problem in swept.problems:
        logger.warning("not swept", extra={"problem": problem})
    for sentence in swept.ending:
        logger.warning("exemption ends", extra={"exemption": sentence})
    totals = report.counts(swept.visits)
    insufficient = sum(n for (_, kind), n in swept.evaluations.items() if kind == "INSUFFICIENT_DATA")
    totals["InsufficientData"] = insufficient
    totals["SweepProblems"] = len(swept.problems)
    totals["ExemptionsEnding"] = len(swept.ending)
    totals["SweepCompleted"] = 1
    for name, count in totals.items():
        metrics.add_metric(name=name, value=count)
    return {
        "resources": dict(swept.resources),
        "opened": swept.opened,
        "resolved": swept.resolved,
        "problems": swept.problems,
    }


def _reconcile() -> dict[str, Any]:
    found = wiring.wired().reconciler().reconcile()
    for difference in found.differences:
        logger.error("unreconciled", extra=difference.to_json())
    for settled in found.settled:
        logger.warning("settled", extra=settled.to_json())
    for problem in found.problems:
        logger.error("not reconciled", extra={"problem": problem})
    metrics.add_metric(name="ReconciliationDifferences", value=len(found.differences))
    metrics.add_metric(name="ReconciliationProblems", value=len(found.problems))
    metrics.add_metric(name="ReconciliationCompleted", value=int(not found.problems))
    return {
        "writes": found.writes,
        "intents": found.intents,
        "matched": found.matched,
        "settled": [one.what for one in found.settled],
        "differences": [one.what for one in found.differences],
        "problems": found.problems,
    }
