"""Ticket: from the tickets queue to people; and on a schedule, what is due, and what people did. No rights on RDS."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from warden import telemetry, wiring
from warden.core.errors import MalformedEventError
from warden.core.messages import TicketMessage
from warden.pipeline import intake

if TYPE_CHECKING:
    from warden.pipeline.ticket import Ticketer
    from warden.telemetry import Context

logger = telemetry.logger()
metrics = telemetry.Metrics()
_SPARE = 25
"""Seconds that are kept back for the errand that is under way when the time is over."""


@telemetry.invocation(metrics)
def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Bring the ticket of each finding up to date, or do the job that the schedule names."""
    seconds = context.get_remaining_time_in_millis() / 1000 - _SPARE
    if not intake.is_batch(event):
        return _tick(event, seconds)
    # One for the batch: a sink that is slow keeps it waiting once, and not with each message.
    ticketer = wiring.wired().ticketer(seconds=seconds)
    response, errors = intake.each(event, functools.partial(_tell, ticketer))
    for error in errors:
        logger.warning("retry", exc_info=error)
    metrics.count("Retries", len(errors))
    return response


def _tell(ticketer: Ticketer, body: str) -> None:
    message = TicketMessage.decode(body)
    done = ticketer.handle(message)
    logger.info(
        "ticket",
        extra={
            "done": done,
            "control": message.control,
            "resource_key": message.resource_key,
        },
    )
    metrics.count("Tickets", 1)


def _tick(event: dict[str, Any], seconds: float) -> dict[str, Any]:
    if event.get("job") != "tick":
        msg = f"event: job: {event.get('job')!r} is not a job; send {{'job': 'tick'}}"
        raise MalformedEventError(msg)
    report = wiring.wired().tick(seconds=seconds).run()
    for sink, why in report.refused.items():
        logger.error("sink refused", extra={"sink": sink, "why": why})
    for problem in report.problems:
        logger.warning("not done", extra={"problem": problem})
    totals: dict[str, int] = {}
    totals["TicketsWaiting"] = report.waiting
    totals["TicketsOverdue"] = report.overdue
    totals["TicketsParked"] = report.parked
    totals["SinksRefused"] = len(report.refused)
    for name, count in totals.items():
        metrics.count(name, count)
    return {**totals, "done": dict(report.done)}
