"""Takes a ticket to one sink: compares what the sink knows with how the ticket stands, and does the next step.

A sink that fails or is slow costs the others nothing: whatever it raises becomes a due time of its own errand.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import backoff, lifecycle
from warden.core.collections import is_summary
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    LaterError,
    RefusedError,
    SinkRefusedError,
    ThrottledError,
    TicketGoneError,
    TransientError,
)
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.lifecycle import Step
from warden.core.ticket_rows import OPEN, RESOLVED, Delivery, Errand, is_change
from warden.pipeline.collect import cover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from warden.core.ticket import Handle, Ticket
    from warden.core.ticket_policy import TicketPolicy
    from warden.pipeline.compose import Composer
    from warden.pipeline.ports import Clock, Ledger, Notifier, Outbox, TicketRow, Tickets, Tracker

LEASE = timedelta(minutes=2)
"""Longer than the ticket function may run: whoever holds a row for longer is dead."""
_PATIENCE = timedelta(seconds=15)
"""So long one sink may keep one invocation, before the others have their turn."""
_STEPS = 8


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
        if self._waited.get(errand.sink, timedelta()) > _PATIENCE:
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
        visit = _Visit(self, errand, row, delivery)
        outcome = visit.go()
        with suppress(ConflictError):
            # Where another took the row over, the lease is its own by now.
            self._keep(replace(visit.delivery, busy_until=None))
        return outcome

    def _keep(self, delivery: Delivery) -> Delivery:
        self.tickets.write(delivery)
        return replace(delivery, revision=delivery.revision + 1)


class _Visit:
    """One errand at one sink, whose row is held."""

    def __init__(self, courier: Courier, errand: Errand, row: TicketRow, delivery: Delivery) -> None:
        self._courier = courier
        self._errand = errand
        self._row = row
        self.delivery = delivery
        self._tracker = courier.trackers.get(errand.sink)

    def go(self) -> str:
        """Step by step until nothing is left to do now."""
        outcome = "known"
        for _ in range(_STEPS):
            now = self._courier.clock()
            step = lifecycle.step(self._row, self.delivery, keeps_tickets=self._tracker is not None, now=now)
            if step is Step.DONE:
                self._finish()
                return outcome
            if step is Step.WAIT:
                return self._later(lifecycle.settled_at(self.delivery), "its create is of unknown end")
            try:
                self._do(step)
            except TicketGoneError:
                self._gone()
            except ConflictError as error:
                return self._later(self._courier.clock() + timedelta(minutes=1), str(error))
            except (TransientError, SinkRefusedError, AccessDeniedError) as error:
                return self._failed(error, step)
            except Exception as error:  # noqa: BLE001 - whatever one sink does, the others are not to know
                return self._parked(error)
            outcome = step.value
            self._courier.done[step.value] += 1
        return self._later(self._courier.clock() + timedelta(minutes=1), "it does not come to rest")

    # --- steps --------------------------------------------------------------------------------------------

    def _do(self, step: Step) -> None:
        if step is Step.START_OVER:
            self._set(lifecycle.begun(self._row, self.delivery))
            return
        if step is Step.COVER:
            self._cover()
            return
        if step in {Step.CREATE, Step.NOTIFY} and not self.delivery.told and not self._is_within_the_day():
            self._cover()
            return
        ticket = self._courier.composer.compose(self._row, self.delivery)
        if ticket is None:
            self._set(replace(self.delivery, told=self._row.state, digest=self._row.digest, say=""))
            return
        if self._tracker is None:
            self._courier.notifiers[self._errand.sink].notify(ticket)
            self._told()
            return
        self._track(self._tracker, step, ticket)

    def _track(self, tracker: Tracker, step: Step, ticket: Ticket) -> None:
        if step is Step.CREATE:
            # Reserved before anything is asked: whoever finds this row after a crash searches before it creates.
            self._set(replace(self.delivery, creating_at=self._courier.clock()))
            if (found := tracker.find(ticket)) is not None:
                self._adopt(found, digest="")
            else:
                self._adopt(self._create(tracker, ticket), digest=self._row.digest)
            return
        if step is Step.SEARCH:
            self._search(tracker, ticket)
            return
        handle = self.delivery.handle
        if handle is None:
            msg = f"{step} of a ticket that {self._errand.sink} has not"
            raise ValueError(msg)
        match step:
            case Step.UPDATE:
                tracker.update(handle, ticket)
            case Step.RESOLVE:
                tracker.resolve(handle, ticket)
            case Step.REOPEN:
                tracker.reopen(handle, ticket)
            case Step.COMMENT:
                tracker.comment(handle, ticket, self.delivery.say)
                self._set(replace(self.delivery, say=""))
                return
        self._told()

    def _create(self, tracker: Tracker, ticket: Ticket) -> Handle:
        try:
            return tracker.create(ticket)
        except (LaterError, ThrottledError):
            # Nothing was created, which is known: the next try need not search and wait first.
            self._set(replace(self.delivery, creating_at=None))
            raise

    def _search(self, tracker: Tracker, ticket: Ticket) -> None:
        if (found := tracker.find(ticket)) is not None:
            self._adopt(found, digest="")
            return
        self._set(replace(self.delivery, searches=self.delivery.searches + 1))
        if lifecycle.may_repeat(self.delivery):
            self._set(replace(self.delivery, creating_at=None, searches=0))

    def _adopt(self, handle: Handle, *, digest: str) -> None:
        """The ticket is there; one that was found may be of before the last change, and is brought up to date."""
        self._set(
            replace(self.delivery, handle=handle, told=OPEN, digest=digest, creating_at=None, searches=0)
        )
        self._record(handle)

    def _told(self) -> None:
        resolved = not self._row.is_open
        fresh = {"reopened": False, "left": False, "asked": False, "say": ""} if resolved else {}
        self._set(
            replace(
                self.delivery,
                generation=self.delivery.generation or self._row.generation,
                told=RESOLVED if resolved else OPEN,
                digest=self._row.digest,
                **fresh,  # type: ignore[arg-type]  # a mapping of members of several types
            )
        )

    def _gone(self) -> None:
        """Somebody deleted it: another takes its place, if there is still something to tell."""
        if self._row.is_open:
            self._set(lifecycle.replaced(self.delivery))
        else:
            self._told()

    # --- the day's tickets --------------------------------------------------------------------------------

    def _is_within_the_day(self) -> bool:
        """Whether the sink may get one more new ticket today; a summary always may, and a change is none."""
        if self.delivery.counted or is_summary(self._row.key) or is_change(self._row.key):
            return True
        now, courier = self._courier.clock(), self._courier
        if courier.tickets.count(f"sink#{self._errand.sink}", now) > courier.policy.daily:
            return False
        self._set(replace(self.delivery, counted=True))
        return True

    def _cover(self) -> None:
        """Tell it in the day's summary instead, or tell the summary that it has changed."""
        courier = self._courier
        self.delivery = cover(
            self._row,
            self.delivery,
            tickets=courier.tickets,
            composer=courier.composer,
            window=courier.policy.reopen_window,
            now=courier.clock(),
        )

    # --- rows ---------------------------------------------------------------------------------------------

    def _set(self, delivery: Delivery) -> None:
        if delivery != self.delivery:
            self._courier.tickets.write(delivery)
            self.delivery = replace(delivery, revision=delivery.revision + 1)

    def _finish(self) -> None:
        health = self._courier.outbox.health(self._errand.sink)
        if health.failures or health.rests_until is not None:
            self._courier.outbox.set_health(replace(health, failures=0, rests_until=None))
        self._courier.outbox.done(
            replace(self._errand, sequence=max(self._row.revision, self._errand.sequence))
        )

    def _later(self, due_at: datetime, why: str) -> str:
        self._courier.outbox.later(replace(self._errand, due_at=due_at, error=why))
        return "later"

    def _failed(self, error: Exception, step: Step) -> str:
        """A failure that passes, or that concerns everything of this sink."""
        courier, errand = self._courier, self._errand
        now = courier.clock()
        courier.done["failed"] += 1
        health = courier.outbox.health(errand.sink)
        if isinstance(error, SinkRefusedError | AccessDeniedError):
            if self.delivery.creating_at is not None and step is Step.CREATE:
                self._set(replace(self.delivery, creating_at=None))
            courier.outbox.set_health(replace(health, refused=str(error), since=health.since or now))
            return self._later(now + backoff.wait(1, asked=None, jitter=courier.jitter()), str(error))
        if step is Step.CREATE and self.delivery.creating_at is not None:
            return self._later(lifecycle.settled_at(self.delivery), str(error))
        asked = error.after if isinstance(error, LaterError) else None
        until = now + backoff.wait(health.failures + 1, asked=asked, jitter=courier.jitter())
        courier.outbox.set_health(replace(health, failures=health.failures + 1, rests_until=until))
        courier.outbox.later(
            replace(
                errand, due_at=until, attempt=errand.attempt + 1, error=f"{type(error).__name__}: {error}"
            )
        )
        return "failed"

    def _parked(self, error: Exception) -> str:
        """A refusal of this one ticket: a person has to look."""
        courier = self._courier
        courier.done["parked"] += 1
        if self.delivery.creating_at is not None and isinstance(error, RefusedError):
            # Whatever else it is, a bug of ours among it, may have come after the ticket was made.
            self._set(replace(self.delivery, creating_at=None))
        courier.outbox.later(
            replace(
                self._errand,
                due_at=courier.clock() + backoff.PARKED,
                attempt=self._errand.attempt + 1,
                error=f"{type(error).__name__}: {error}",
                parked=True,
            )
        )
        return "parked"

    def _record(self, handle: Handle) -> None:
        row = self._row
        finding = self._courier.composer.first(row.key)
        if finding is None:
            return
        self._courier.ledger.append(
            LedgerEntry(
                at=self._courier.clock(),
                actor="ticket",
                chain=finding.resource_key,
                kind=EntryKind.TICKET,
                control=finding.control,
                arn=finding.arn,
                after={"state": "CREATED", "sink": self._errand.sink, "ticket": handle.id, "url": handle.url},
            )
        )
