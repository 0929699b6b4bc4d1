"""Remediate: from the remediations queue to calls. The only function that may write to databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from warden import wiring
from warden.core.messages import UndoMessage, decode_write
from warden.pipeline import intake

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Remediate one resource, or take one write back, per message; only a crash is delivered again."""
    del context
    response, errors = intake.each(event, _remediate)
    for error in errors:
        logger.error("retry", exc_info=error)
    metrics.add_metric(name="Retries", unit=MetricUnit.Count, value=len(errors))
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
    metrics.add_metric(name=f"Outcome{outcome.status.title()}", unit=MetricUnit.Count, value=1)
