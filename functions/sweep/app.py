"""Sweep: on a schedule, everything through the same path; and every few minutes, what waits for another look."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from warden import telemetry, wiring
from warden.core import heads
from warden.core.errors import MalformedEventError, WardenError
from warden.pipeline import report

if TYPE_CHECKING:
    from warden.pipeline.sweep_report import SweepReport
    from warden.pipeline.visit import Visit
    from warden.telemetry import Context

logger = telemetry.logger()
metrics = telemetry.Metrics()


_MARGIN = timedelta(minutes=2)
"""So long before Lambda ends the invocation nothing new is begun: a request may have to wait for its turn."""


@telemetry.invocation(metrics)
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do the job that the schedule names: `sweep`, `reconcile`, or `due`, which also goes on with a sweep."""
    job = event.get("job")
    if job == "reconcile":
        return _reconcile()
    if job not in {"due", "sweep"}:
        msg = f"event: job: {job!r} is not a job; send {{'job': 'sweep'}}, 'due' or 'reconcile'"
        raise MalformedEventError(msg)
    sent = _look_again() if job == "due" else 0
    if job == "due":
        _miss_the_probe()
        _miss_events()
        _ask_writers()
    if job == "due" and not wiring.wired().sweep_goes_on():
        return {"sent": sent}
    return {**({"sent": sent} if job == "due" else {}), **_sweep(context, begin=job == "sweep")}


def _look_again() -> int:
    sent = wiring.wired().waiting.look_again()
    metrics.count("LookedAgain", sent)
    return sent


def _miss_the_probe() -> None:
    """Count whether the finding of the synthetic drift is overdue; where that cannot be read, no count alarms too."""
    watch = wiring.wired().probe_watch
    if watch is None:
        return
    try:
        proof = watch.look()
    except WardenError:
        logger.exception("probe not looked at")
        return
    if proof.is_overdue:
        logger.error("probe overdue", extra={"since": proof.since.isoformat()})
    metrics.count("ProbeOverdue", int(proof.is_overdue))


def _miss_events() -> None:
    """Count what sweeps found and events should have told of, once they have had time to."""
    try:
        missed = wiring.wired().missed_drift.count()
    except WardenError:
        # Nothing is marked as counted: the next look counts it.
        logger.exception("missed events not counted")
        return
    for finding in missed or ():
        told = {"control": finding.control, "arn": finding.arn, "found": finding.first_observed.isoformat()}
        logger.error("events missed", extra=told)
    if missed is not None:
        metrics.count("DriftMissedByEvents", len(missed))


def _ask_writers() -> None:
    """Ask the writers that the policy names which sessions are open without TLS; an answer that fails is kept, too."""
    sampler = wiring.wired().sampler()
    if sampler is None:
        return
    try:
        asked = sampler.look()
    except WardenError:
        logger.exception("writers not asked")
        return
    if asked:
        logger.info("writers asked", extra={"clusters": asked})


def _sweep(context: Context, *, begin: bool) -> dict[str, Any]:
    # Each request of a first sweep leaves some.
    telemetry.collect_garbage()
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    totals: Counter[str] = Counter()
    swept = (
        wiring.wired()
        .sweeper()
        .sweep(
            run_id=context.aws_request_id,
            until=wiring.now() + max(left - _MARGIN, left / 2),
            tell=lambda visit: _tell(visit, totals),
            begin=begin,
        )
    )
    if swept.held:
        logger.info("another invocation sweeps")
        return {"ended": False, "held": True}
    if swept.ended:
        _end(swept, totals)
    for name, count in totals.items():
        metrics.count(name, count)
    return {
        "ended": swept.ended,
        "resources": dict(swept.resources),
        "opened": swept.opened,
        "resolved": swept.resolved,
        "problems": swept.problems,
    }


def _tell(visit: Visit, totals: Counter[str]) -> None:
    for message, fields in report.lines(visit):
        logger.info(message, extra=fields)
    totals.update(report.counts([visit]))


def _end(swept: SweepReport, totals: Counter[str]) -> None:
    for problem in swept.problems:
        logger.warning("not swept", extra={"problem": problem})
    for failure in swept.unremembered:
        logger.warning("not remembered", extra={"problem": failure})
    logger.info("remembered", extra={"resources": swept.remembered})
    for sentence in swept.ending:
        logger.warning("exemption ends", extra={"exemption": sentence})
    insufficient = sum(n for (_, kind), n in swept.evaluations.items() if kind == "INSUFFICIENT_DATA")
    totals["InsufficientData"] = insufficient
    totals["SweepProblems"] = len(swept.problems)
    totals["ExemptionsEnding"] = len(swept.ending)
    totals["SweepCompleted"] = 1


def _reconcile() -> dict[str, Any]:
    found = wiring.wired().reconciler().reconcile()
    for difference in found.differences:
        logger.error("unreconciled", extra=difference.to_json())
    for settled in found.settled:
        logger.warning("settled", extra=settled.to_json())
    for repeated in found.repeated:
        logger.info("repeated", extra=repeated.to_json())
    for problem in found.problems:
        logger.error("not reconciled", extra={"problem": problem})
    # In a log group, from which no role of the stack can take anything away.
    for line in heads.lines(found.heads):
        logger.info(heads.MESSAGE, extra=line)
    metrics.count("ReconciliationDifferences", len(found.differences))
    metrics.count("ReconciliationProblems", len(found.problems))
    metrics.count("ReconciliationCompleted", int(not found.problems))
    return {
        "writes": found.writes,
        "intents": found.intents,
        "matched": found.matched,
        "settled": [one.what for one in found.settled],
        "repeated": [one.what for one in found.repeated],
        "differences": [one.what for one in found.differences],
        "problems": found.problems,
    }
