"""Takes a ticket to one sink: compares what the sink knows with how the ticket stands, and does the next step.

A sink that fails or is slow costs the others nothing: whatever it raises becomes a due time of its own errand.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import backoff
from warden.core.dataclass import dataclass
from warden.core.errors import AmbiguousError, ConflictError, LaterError
from warden.core.ticket_rows import Delivery, Errand
from warden.pipeline.handover import Handover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from warden.core.resource import Deployment
    from warden.core.ticket_policy import TicketPolicy
    from warden.core.ticket_rows import SinkHealth
    from warden.pipeline.compose import Composer
    from warden.pipeline.ports import Clock, Notifier, Outbox, Tickets, Tracker

LEASE = timedelta(minutes=2)
"""Longer than the ticket function may run: whoever holds a row for longer is dead."""
_PATIENCE = timedelta(seconds=15)
"""So long one sink may keep one invocation, before the others have their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Courier:
    """Everything that delivering needs; one for each invocation, since it remembers who kept it waiting."""

    deployment: Deployment
    notifiers: Mapping[str, Notifier]
    trackers: Mapping[str, Tracker]
    tickets: Tickets
    outbox: Outbox
    composer: Composer
    policy: TicketPolicy
    clock: Clock
    jitter: Callable[[], float]
    until: datetime
    """When the invocation begins nothing more: no errand, no review, and no other step of an errand."""
    done: Counter[str] = field(default_factory=Counter)
    """What was done, for the metrics."""
    _waited: dict[str, timedelta] = field(default_factory=dict)
    _healths: dict[str, SinkHealth] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)

    def run(self, errand: Errand) -> str:
        """See to one errand as far as it goes now; returns a word for the log. What fails is kept, and raises nothing.

        But for errors of the tables, which are everybody's.
        """
        if errand.sink not in self.notifiers and errand.sink not in self.trackers:
            # The policy names it no more: what it was to be told, its successor is told by the ticket's row.
            self.outbox.done(errand)
            return "no_such_sink"
        now = self.clock()
        if self.health(errand.sink).is_resting(now):
            return "resting"
        if now >= self.until or self.is_out_of_patience(errand.sink):
            return "out_of_patience"
        with self.kept_waiting(errand.sink):
            return self._claimed(errand)

    def is_out_of_patience(self, sink: str) -> bool:
        """Whether a sink has had its share of the invocation."""
        return self._waited.get(sink, timedelta()) > _PATIENCE

    @contextmanager
    def kept_waiting(self, sink: str) -> Iterator[None]:
        """Whatever a sink is asked counts as its share of the invocation."""
        begun = self.clock()
        try:
            yield
        finally:
            self._waited[sink] = self._waited.get(sink, timedelta()) + self.clock() - begun

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

    # --- how sinks are ------------------------------------------------------------------------------------

    def health(self, sink: str) -> SinkHealth:
        """Whether a sink takes anything, read once for the invocation."""
        if sink not in self._healths:
            self._healths[sink] = self.outbox.health(sink)
        return self._healths[sink]

    def keep_health(self, health: SinkHealth) -> None:
        """Keep how a sink is, where that has changed."""
        if health != self.health(health.sink):
            self.outbox.set_health(health)
            self._healths[health.sink] = health

    def check(self, sink: str) -> None:
        """Ask a sink, once for the invocation, whether it would take a ticket; raises as `Notifier.check` does."""
        if sink not in self._checked:
            with self.kept_waiting(sink):
                (self.notifiers.get(sink) or self.trackers[sink]).check()
            self._checked.add(sink)

    def refuse(self, sink: str, error: Exception, *, checked: bool = False) -> None:
        """It takes nothing until a person has done something; `checked`: by its own check."""
        health, now = self.health(sink), self.clock()
        at = now if checked else health.checked_at
        self.keep_health(replace(health, refused=str(error), since=health.since or now, checked_at=at))

    def rest(self, sink: str, error: Exception) -> datetime:
        """It is left alone for as long as it asked, or doubled with each failure in a row; returns until when."""
        health = self.health(sink)
        asked = error.after if isinstance(error, LaterError | AmbiguousError) else None
        until = self.clock() + backoff.wait(health.failures + 1, asked=asked, jitter=self.jitter())
        self.keep_health(replace(health, failures=health.failures + 1, rests_until=until))
        return until

    def recover(self, sink: str) -> None:
        """It took something: whatever failed before is over."""
        self.keep_health(replace(self.health(sink), failures=0, rests_until=None))

    # --- rows ---------------------------------------------------------------------------------------------

    def _keep(self, delivery: Delivery) -> Delivery:
        self.tickets.write(delivery)
        return replace(delivery, revision=delivery.revision + 1)
