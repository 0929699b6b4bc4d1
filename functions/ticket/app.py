"""Ticket: from the tickets queue to people. Holds no rights on RDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from warden import wiring
from warden.core.messages import TicketMessage
from warden.pipeline import intake

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics()


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bring the ticket of each finding up to date."""
    del context
    response, errors = intake.each(event, _tell)
    for error in errors:
        logger.warning("retry", exc_info=error)
    metrics.add_metric(name="Retries", unit=MetricUnit.Count, value=len(errors))
    return response


def _tell(body: str) -> None:
    message = TicketMessage.decode(body)
    done = wiring.wired().ticketer.handle(message)
    logger.info(
        "ticket",
        extra={
            "done": done,
            "control": message.control,
            "resource_key": message.resource_key,
        },
    )
    metrics.add_metric(name="Tickets", unit=MetricUnit.Count, value=1)
