"""Puts findings into tickets of many: of one owner and control, or of what was too much for a sink in a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import collections
from warden.core.errors import ConflictError
from warden.core.ticket_rows import OPEN, REVIEW, Delivery, Errand, Member, TicketRow

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.finding import Finding
    from warden.core.resource import Deployment
    from warden.core.ticket_policy import TicketPolicy
    from warden.pipeline.compose import Composer
    from warden.pipeline.ports import Tickets

REVIEW_EVERY = timedelta(minutes=30)
"""How often an open ticket is compared with its finding, and with what people did in its trackers."""
_TRIES = 10
_ANNOTATION = 300


def joined(
    row: TicketRow,
    before: TicketRow | None,
    finding: Finding,
    *,
    tickets: Tickets,
    policy: TicketPolicy,
    now: datetime,
) -> list[TicketRow | Member | Errand]:
    """What is written beside the row of a finding that a collection tells; read just before it is."""
    was_open = before is not None and before.is_open and before.group == row.group
    group_before = tickets.get(row.group)
    group = collections.adjusted(
        group_before,
        row.group,
        by=int(row.is_open) - int(was_open),
        sinks=policy.together(group_before.sinks if group_before else (), finding),
        owner=row.owner,
        now=now,
        window=policy.reopen_window,
    )
    return [
        group,
        _member(row.group, row, finding),
        *errands(group, tickets=tickets, now=now, due_at=collections.due_at(now)),
    ]


def errands(row: TicketRow, *, tickets: Tickets, now: datetime, due_at: datetime) -> list[Errand]:
    """One for each sink that a ticket is told in, and, while it is open, one to look at it again."""
    each = [errand(row, sink, tickets=tickets, now=now, due_at=due_at) for sink in row.sinks]
    if not row.is_open:
        return each
    return [*each, errand(row, REVIEW, tickets=tickets, now=now, due_at=now + REVIEW_EVERY)]


def errand(row: TicketRow, sink: str, *, tickets: Tickets, now: datetime, due_at: datetime) -> Errand:
    """What is to be done for the next revision of a ticket at a sink, no later than what waits there already."""
    waits = tickets.waiting(row.key, sink)
    return Errand(
        ticket=row.key,
        sink=sink,
        # Else what changes more often than it is told would never be told, and never be overdue.
        due_at=min(waits.due_at, due_at) if waits else due_at,
        first_at=waits.first_at if waits else now,
        sequence=row.revision + 1,
    )


def cover(
    row: TicketRow,
    delivery: Delivery,
    *,
    tickets: Tickets,
    composer: Composer,
    deployment: Deployment,
    window: timedelta,
    now: datetime,
) -> Delivery:
    """Let the summary of a sink's day tell a ticket, or know that it has changed; returns the row as it is kept."""
    key = delivery.covered or collections.summary_key(delivery.sink, now, deployment)
    finding = composer.first(row.key)
    by = int(row.is_open) - int(delivery.told == OPEN)
    wanted = replace(delivery, covered=key, generation=row.generation, told=row.state, digest=row.digest)
    for _ in range(_TRIES):
        summary = collections.adjusted(
            tickets.get(key), key, by=by, sinks=(delivery.sink,), owner="", now=now, window=window
        )
        extra = [] if finding is None else [_member(key, row, finding)]
        try:
            due = errands(summary, tickets=tickets, now=now, due_at=collections.due_at(now))
            tickets.write(wanted, summary, *extra, *due)
        except ConflictError as error:
            conflict = error
        else:
            if not summary.is_open:
                tickets.settle_requests(key)
            return replace(wanted, revision=wanted.revision + 1)
    raise conflict


def _member(group: str, row: TicketRow, finding: Finding) -> Member:
    return Member(
        group=group,
        finding_id=row.key,
        state=row.state,
        arn=finding.arn,
        severity=str(finding.severity),
        annotation=finding.annotation[:_ANNOTATION],
    )
