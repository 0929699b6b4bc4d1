"""One ticket and one sink, whose row is held: step by step until the sink knows how the ticket stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import lifecycle
from warden.core.collections import is_summary
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    LaterError,
    RefusedError,
    RejectedError,
    SinkRefusedError,
    ThrottledError,
    TicketClosedError,
    TicketGoneError,
    TransientError,
    WardenError,
)
from warden.core.lifecycle import Step
from warden.core.ticket_rows import OPEN, RESOLVED, is_change
from warden.pipeline import setbacks
from warden.pipeline.collect import cover
from warden.pipeline.tracking import Tracking

if TYPE_CHECKING:
    from warden.core.ledger import LedgerEntry
    from warden.core.ticket import Ticket
    from warden.pipeline.courier import Courier
    from warden.pipeline.ports import Delivery, Errand, TicketRow

_STEPS = 8
_SOON = timedelta(minutes=1)


class Handover:
    """One errand at one sink, whose row is held."""

    def __init__(self, courier: Courier, errand: Errand, row: TicketRow, delivery: Delivery) -> None:
        self.courier = courier
        self.errand = errand
        self.row = row
        self.delivery = delivery
        tracker = courier.trackers.get(errand.sink)
        self._tracking = Tracking(self, tracker) if tracker else None

    def go(self) -> str:
        """Step by step until nothing is left to do now."""
        courier, outcome = self.courier, "known"
        for _ in range(_STEPS):
            now = courier.clock()
            step = lifecycle.step(self.row, self.delivery, keeps_tickets=self._tracking is not None, now=now)
            if step is Step.DONE:
                self._finish()
                return outcome
            if step is Step.WAIT:
                at = lifecycle.settled_at(self.delivery)
                return setbacks.later(courier, self.errand, at, "its create is of unknown end")
            if now >= courier.until:
                return setbacks.later(courier, self.errand, now, "the time of the invocation is over")
            try:
                self._do(step)
            except TicketGoneError:
                self.keep(replace(self.delivery, gone=True))
            except TicketClosedError:
                self.keep(lifecycle.replaced(self.delivery))
            except Exception as error:  # noqa: BLE001 - whatever one sink does, the others are not to know
                return self._failed(error, step)
            outcome = step.value
            courier.done[step.value] += 1
        return setbacks.later(courier, self.errand, courier.clock() + _SOON, "it does not come to rest")

    # --- steps --------------------------------------------------------------------------------------------

    def _do(self, step: Step) -> None:
        if step is Step.START_OVER:
            self.keep(lifecycle.begun(self.row, self.delivery))
            return
        if step is Step.COVER:
            self._cover()
            return
        if step in {Step.CREATE, Step.NOTIFY} and not self.delivery.told and not self._is_within_the_day():
            self._cover()
            return
        ticket = self.courier.composer.compose(self.row, self.delivery)
        if ticket is None:
            self.keep(replace(self.delivery, told=self.row.state, digest=self.row.digest, say="", gone=False))
        elif self._tracking is None:
            self._notify(ticket)
        else:
            self._tracking.take(step, ticket)

    def _notify(self, ticket: Ticket) -> None:
        # Once an answer was lost it may have been told, whatever becomes of the tries after.
        before = self.delivery
        if self.row.is_open and before.told != OPEN and before.creating_at is None:
            self.keep(replace(before, creating_at=self.courier.clock()))
        elif not self.row.is_open and before.told == OPEN:
            # Who dies in between may have told that it is over: if it is not by then, that is told anew.
            self.keep(replace(before, moving=True))
        try:
            self.courier.notifiers[self.errand.sink].notify(ticket)
        except (LaterError, ThrottledError, RefusedError) as error:
            if not (isinstance(error, LaterError) and error.arrived):
                # Nothing was told, which is known.
                self.keep(replace(self.delivery, creating_at=before.creating_at, moving=before.moving))
            raise
        self.told()

    def _is_within_the_day(self) -> bool:
        """Whether the sink may get one more new ticket today; a summary always may, and a change is none."""
        now, courier = self.courier.clock(), self.courier
        if self.delivery.counted or is_summary(self.row.key) or is_change(self.row.key):
            return True
        if not courier.policy.is_limited(self.errand.sink):
            return True
        if courier.tickets.count(f"sink#{self.errand.sink}", now) > courier.policy.daily:
            return False
        self.keep(replace(self.delivery, counted=True))
        return True

    def _cover(self) -> None:
        """Tell it in the day's summary instead, or tell the summary that it has changed."""
        courier = self.courier
        self.delivery = cover(
            self.row,
            self.delivery,
            tickets=courier.tickets,
            composer=courier.composer,
            deployment=courier.deployment,
            window=courier.policy.reopen_window,
            now=courier.clock(),
        )

    # --- rows ---------------------------------------------------------------------------------------------

    def keep(self, delivery: Delivery, entry: LedgerEntry | None = None) -> None:
        """Write what the sink knows, with what the ledger is told of it."""
        if delivery != self.delivery:
            self.courier.tickets.write(delivery, entry=entry)
            self.delivery = replace(delivery, revision=delivery.revision + 1)

    def told(self, *, unsaid: bool = False, digest: str | None = None) -> None:
        """The sink knows how the ticket stands; `unsaid`: but not why it is resolved; `digest`: of what it knows."""
        delivery = replace(
            self.delivery,
            generation=self.delivery.generation or self.row.generation,
            told=OPEN if self.row.is_open else RESOLVED,
            digest=self.row.digest if digest is None else digest,
            creating_at=None,
            gone=False,
            moving=False,
            unsaid=unsaid,
        )
        if not self.row.is_open:
            delivery = replace(delivery, reopened=False, left=False, asked=False, say="")
        self.keep(delivery)

    def give_up_creating(self) -> None:
        """Nothing was made, which is known."""
        self.keep(replace(self.delivery, creating_at=None))

    def _finish(self) -> None:
        self.courier.recover(self.errand.sink)
        self.courier.outbox.done(replace(self.errand, sequence=max(self.row.revision, self.errand.sequence)))

    # --- what fails ---------------------------------------------------------------------------------------

    def _failed(self, error: Exception, step: Step) -> str:
        """What becomes of the errand, by what the error is about: a lost race, the sink, or this ticket."""
        courier, errand = self.courier, self.errand
        if isinstance(error, ConflictError):
            return setbacks.later(courier, errand, courier.clock() + _SOON, str(error))
        if isinstance(error, RefusedError) and self.delivery.creating_at is not None and step is Step.CREATE:
            # Whatever else fails, a bug of ours among it, may have come after the ticket was made.
            self.give_up_creating()
        if isinstance(error, RejectedError):
            error = self._refusal() or error
        if isinstance(error, SinkRefusedError | AccessDeniedError):
            return setbacks.refused(courier, errand, error)
        if not isinstance(error, TransientError):
            return setbacks.parked(courier, errand, error)
        if step is Step.CREATE and self.delivery.creating_at is not None:
            return setbacks.unknown(courier, errand, error, lifecycle.settled_at(self.delivery))
        if isinstance(error, LaterError) and error.alone:
            return setbacks.alone(courier, errand, error)
        return setbacks.resting(courier, errand, error)

    def _refusal(self) -> Exception | None:
        """Why the sink takes nothing, where it refused one ticket; None where it would take others.

        A project that is closed to us answers as a ticket that is.
        """
        try:
            self.courier.check(self.errand.sink)
        except (SinkRefusedError, AccessDeniedError) as error:
            return error
        except WardenError:
            # Unwell: that is for another time.
            return None
        return None
