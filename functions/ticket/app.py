"""Ticket: from the tickets queue to people. Holds no rights on RDS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from warden import telemetry, wiring
from warden.core.messages import TicketMessage
from warden.pipeline import intake

if TYPE_CHECKING:
    from warden.telemetry import Context

logger = telemetry.logger()
metrics = telemetry.Metrics()


@telemetry.invocation(metrics)
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Bring the ticket of each finding up to date."""
    del context
    response, errors = intake.each(event, _tell)
    for error in errors:
        logger.warning("retry", exc_info=error)
    metrics.add_metric(name="Retries", value=len(errors))
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
    metrics.add_metric(name="Tickets", value=1)
