"""Evaluate: from the triggers queue (or one bare event, by hand) to findings and decisions. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden import telemetry, wiring
from warden.pipeline import intake, report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from warden.pipeline.visit import Visit
    from warden.telemetry import Context

logger = telemetry.logger()
metrics = telemetry.Metrics()


@telemetry.invocation(metrics)
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Look at what each event names; only what must be looked at again stays in the queue."""
    del context
    if intake.is_from(event, wiring.wired().dead_letters_arn):
        return _bury(event)
    evaluator = wiring.wired().evaluator
    read = intake.read(event, received_at=wiring.now())
    handled = evaluator.handle([trigger for _, trigger in read.triggers])

    for visit in handled.visits:
        for message, fields in report.lines(visit):
            logger.info(message, extra=fields)
    for ignored in read.ignored:
        logger.info("ignored", extra={"reason": ignored.reason, "detail": ignored.detail})
    failed = {message for message, _ in read.malformed}
    for message, error in read.malformed:
        logger.error("malformed", extra={"id": message, "error": str(error)})
    for trigger, cause in handled.failed:
        logger.warning("retry", extra={"target": str(trigger.target)}, exc_info=cause)
        failed.update(read.message_of(trigger))

    _tell(handled.probe)
    for name, count in report.counts(handled.visits).items():
        metrics.count(name, count)
    metrics.count("Ignored", len(read.ignored))
    metrics.count("Malformed", len(read.malformed))

    if intake.is_batch(event):
        return intake.failures(failed)
    if handled.failed:
        raise handled.failed[0][1]
    return {
        "visits": report.summary(handled.visits),
        "ignored": [{"reason": i.reason, "detail": i.detail} for i in read.ignored],
    }


def _tell(probe: Iterable[Visit]) -> None:
    """Of the synthetic drift: that it came, and how long that took; nobody counts it among databases."""
    for visit in probe:
        told = report.probed(visit, now=wiring.now())
        logger.info("probe", extra=told)
        if told["opened"]:
            metrics.count("ProbeSeconds", told["seconds"])


def _bury(event: dict[str, Any]) -> dict[str, Any]:
    """Have people told of remediations that crashed each time; what cannot be told stays in their queue."""
    failed: set[str] = set()
    for message, body in intake.messages(event):
        try:
            controls = wiring.wired().dead_letters.handle(body, message=message)
        except Exception:
            logger.exception("dead letter not handled", extra={"id": message})
            failed.add(message)
            continue
        logger.error("remediation crashed", extra={"id": message, "controls": list(controls), "body": body})
        metrics.count("RemediationsCrashed", 1)
    return intake.failures(failed)
