"""Takes a ticket to one sink: compares what the sink knows with how the ticket stands, and does the next step.

A sink that fails or is slow costs the others nothing: whatever it raises becomes a due time of its own errand.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.errors import ConflictError
from warden.core.ticket_rows import Delivery, Errand
from warden.pipeline.handover import Handover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warden.core.ticket_policy import TicketPolicy
    from warden.pipeline.compose import Composer
    from warden.pipeline.ports import Clock, Ledger, Notifier, Outbox, Tickets, Tracker

LEASE = timedelta(minutes=2)
"""Longer than the ticket function may run: whoever holds a row for longer is dead."""
_PATIENCE = timedelta(seconds=15)
"""So long one sink may keep one invocation, before the others have their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Everything that delivering needs; one for each invocation, since it remembers who kept it waiting."""

    notifiers: Mapping[str, Notifier]
    trackers: Mapping[str, Tracker]
    tickets: Tickets
    outbox: Outbox
    ledger: Ledger
    composer: Composer
    policy: TicketPolicy
    clock: Clock
    jitter: Callable[[], float]
    until: datetime
    """When the invocation begins nothing more."""
    done: Counter[str] = field(default_factory=Counter)
    """What was done, for the metrics."""
    _waited: dict[str, timedelta] = field(default_factory=dict)

    def run(self, errand: Errand) -> str:
        """See to one errand as far as it goes now; returns a word for the log. What fails is kept, and raises nothing.

        But for errors of the tables, which are everybody's.
        """
        if errand.sink not in self.notifiers and errand.sink not in self.trackers:
            # The policy names it no more: what it was to be told, its successor is told by the ticket's row.
            self.outbox.done(errand)
            return "no_such_sink"
        now = self.clock()
        health = self.outbox.health(errand.sink)
        if health.refused or (health.rests_until is not None and now < health.rests_until):
            return "resting"
        if now >= self.until or self._waited.get(errand.sink, timedelta()) > _PATIENCE:
            return "out_of_patience"
        try:
            return self._claimed(errand)
        finally:
            spent = self.clock() - now
            self._waited[errand.sink] = self._waited.get(errand.sink, timedelta()) + spent

    def _claimed(self, errand: Errand) -> str:
        """With the row to itself: two processes that told one sink at once would make two tickets."""
        now = self.clock()
        row = self.tickets.get(errand.ticket)
        if row is None:
            self.outbox.done(errand)
            return "no_ticket"
        found = self.tickets.delivery(errand.ticket, errand.sink)
        delivery = found or Delivery(ticket=errand.ticket, sink=errand.sink)
        if delivery.busy_until is not None and now < delivery.busy_until:
            self.outbox.later(replace(errand, due_at=delivery.busy_until))
            return "busy"
        try:
            delivery = self._keep(replace(delivery, busy_until=now + LEASE))
        except ConflictError:
            self.outbox.later(replace(errand, due_at=now + timedelta(minutes=1)))
            return "busy"
        visit = Handover(self, errand, row, delivery)
        outcome = visit.go()
        with suppress(ConflictError):
            # Where another took the row over, the lease is its own by now.
            self._keep(replace(visit.delivery, busy_until=None))
        return outcome

    def _keep(self, delivery: Delivery) -> Delivery:
        self.tickets.write(delivery)
        return replace(delivery, revision=delivery.revision + 1)
