"""One ticket and one sink, whose row is held: step by step until the sink knows how the ticket stands."""

from __future__ import annotations

from dataclasses import replace
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
    WardenError,
)
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.lifecycle import Step
from warden.core.ticket_rows import OPEN, RESOLVED, is_change
from warden.pipeline.collect import cover

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.ticket import Handle, Ticket
    from warden.pipeline.courier import Courier
    from warden.pipeline.ports import Delivery, Errand, TicketRow, Tracker

_STEPS = 8


class Handover:
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
            self._notify(ticket)
            return
        self._track(self._tracker, step, ticket)

    def _notify(self, ticket: Ticket) -> None:
        if self._row.is_open and self.delivery.told != OPEN:
            self._set(replace(self.delivery, creating_at=self._courier.clock()))
        try:
            self._courier.notifiers[self._errand.sink].notify(ticket)
        except (LaterError, ThrottledError, RefusedError):
            if self.delivery.told != OPEN and self._row.is_open:
                self._set(replace(self.delivery, creating_at=None))
            raise
        self._told()

    def _track(self, tracker: Tracker, step: Step, ticket: Ticket) -> None:
        if step is Step.CREATE:
            # Reserved before anything is asked: whoever finds this row after a crash searches before it creates.
            self._set(replace(self.delivery, creating_at=self._courier.clock()))
            if (found := self._look_for(tracker, ticket)) is not None:
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

    def _look_for(self, tracker: Tracker, ticket: Ticket) -> Handle | None:
        try:
            return tracker.find(ticket)
        except WardenError:
            # Nothing was sent that could make one.
            self._set(replace(self.delivery, creating_at=None))
            raise

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
                creating_at=None,
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
