"""Remediate: from the remediations queue to calls. The only function that may write to databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden import telemetry, wiring
from warden.core.messages import UndoMessage, decode_write
from warden.pipeline import intake

if TYPE_CHECKING:
    from warden.telemetry import Context

logger = telemetry.logger()
metrics = telemetry.Metrics()


@telemetry.invocation(metrics)
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Remediate one resource, or take one write back, per message; only a crash is delivered again."""
    del context
    response, errors = intake.each(event, _remediate)
    for error in errors:
        logger.error("retry", exc_info=error)
    metrics.count("Retries", len(errors))
    return response


def _remediate(body: str) -> None:
    steps = wiring.wired()
    match decode_write(body):
        case UndoMessage() as message:
            outcome = steps.undoer.handle(message)
        case message:
            outcome = steps.remediator.handle(message)
    logger.info(
        "remediated",
        extra={
            "arn": outcome.arn,
            "status": outcome.status.value,
            "sentence": outcome.sentence,
            "controls": list(outcome.controls),
            "calls": [call.operation for call in outcome.calls],
        },
    )
    metrics.count(f"Outcome{outcome.status.title()}", 1)
