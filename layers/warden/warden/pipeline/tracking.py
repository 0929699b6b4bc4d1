"""The steps of one ticket in a tracker: made once, followed, and replaced where it is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warden.core import lifecycle
from warden.core.errors import LaterError, RejectedError, ThrottledError, WardenError
from warden.core.ledger import EntryKind
from warden.core.lifecycle import Step
from warden.core.ticket import RemoteState
from warden.core.ticket_rows import OPEN
from warden.pipeline import notes

if TYPE_CHECKING:
    from warden.core.ticket import Handle, Ticket
    from warden.pipeline.handover import Handover
    from warden.pipeline.ports import Tracker


class Tracking:
    """One ticket in one tracker, during one handover."""

    def __init__(self, visit: Handover, tracker: Tracker) -> None:
        self._visit = visit
        self._tracker = tracker

    def take(self, step: Step, ticket: Ticket) -> None:
        """Take one step, and keep what the tracker knows by it; raises what the tracker raises."""
        match step:
            case Step.CREATE:
                self._begin(ticket)
            case Step.SEARCH:
                self._search(ticket)
            case Step.LOOK:
                self._look(ticket)
            case _:
                self._follow(step, self._handle(step), ticket)

    def _handle(self, step: Step) -> Handle:
        handle = self._visit.delivery.handle
        if handle is None:
            msg = f"{step} of a ticket that {self._visit.errand.sink} has not"
            raise ValueError(msg)
        return handle

    def _follow(self, step: Step, handle: Handle, ticket: Ticket) -> None:
        visit = self._visit
        if step in {Step.RESOLVE, Step.REOPEN}:
            # Whatever becomes of the answer: it may be open or closed from now on.
            visit.keep(replace(visit.delivery, moving=True))
        match step:
            case Step.UPDATE:
                self._update(handle, ticket)
            case Step.RESOLVE:
                visit.told(unsaid=self._tracker.resolve(handle, ticket))
            case Step.REOPEN:
                self._tracker.reopen(handle, ticket)
                # Its text is a step of its own.
                visit.told(digest="")
            case Step.COMMENT:
                self._tracker.comment(handle, ticket, visit.delivery.say)
                visit.keep(replace(visit.delivery, say=""))
            case Step.EXPLAIN:
                self._explain(handle, ticket)
            case Step.REPLACE:
                self._replace(handle)

    # --- made once ----------------------------------------------------------------------------------------

    def _begin(self, ticket: Ticket) -> None:
        visit = self._visit
        # Reserved before anything is asked: whoever finds this row after a crash searches before it creates.
        visit.keep(replace(visit.delivery, creating_at=visit.courier.clock()))
        if (found := self._look_for(ticket)) is not None:
            self._adopt(found, ticket, digest="")
        else:
            self._adopt(self._create(ticket), ticket, digest=visit.row.digest)

    def _look_for(self, ticket: Ticket) -> Handle | None:
        try:
            return self._tracker.find(ticket)
        except WardenError:
            # Nothing was sent that could make one.
            self._visit.give_up_creating()
            raise

    def _create(self, ticket: Ticket) -> Handle:
        try:
            return self._tracker.create(ticket)
        except (LaterError, ThrottledError):
            # Nothing was created, which is known: the next try need not search and wait first.
            self._visit.give_up_creating()
            raise

    def _search(self, ticket: Ticket) -> None:
        visit = self._visit
        if (found := self._tracker.find(ticket)) is not None:
            self._adopt(found, ticket, digest="")
            return
        visit.keep(replace(visit.delivery, searches=visit.delivery.searches + 1))
        if lifecycle.may_repeat(visit.delivery):
            visit.keep(replace(visit.delivery, creating_at=None, searches=0))

    def _look(self, ticket: Ticket) -> None:
        visit = self._visit
        if (found := self._tracker.find(ticket)) is not None:
            self._adopt(found, ticket, digest="")
        else:
            visit.keep(replace(visit.delivery, generation=visit.row.generation))

    def _adopt(self, handle: Handle, ticket: Ticket, *, digest: str) -> None:
        """The ticket is there; one that was found may be of before the last change, and is brought up to date."""
        visit = self._visit
        after = {"state": "CREATED", "sink": visit.errand.sink, "ticket": handle.id, "url": handle.url}
        entry = notes.entry(ticket.finding, EntryKind.TICKET, after, at=visit.courier.clock(), actor="ticket")
        delivery = replace(visit.delivery, generation=visit.delivery.generation or visit.row.generation)
        visit.keep(
            replace(delivery, handle=handle, told=OPEN, digest=digest, creating_at=None, searches=0), entry
        )

    def _update(self, handle: Handle, ticket: Ticket) -> None:
        delivery = self._visit.delivery
        try:
            self._tracker.update(handle, ticket)
        except RejectedError:
            if not (delivery.left or delivery.asked):
                raise
            # Somebody closed it and it was left so: many a tracker lets nobody edit what is closed.
        self._visit.told()

    # --- what is over -------------------------------------------------------------------------------------

    def _explain(self, handle: Handle, ticket: Ticket) -> None:
        try:
            self._tracker.comment(handle, ticket, ticket.summary)
            if self._tracker.remote(handle).state is RemoteState.OPEN:
                # Some open a ticket again when somebody remarks on it.
                self._tracker.resolve(handle, ticket)
        except RejectedError:
            # What is closed for good takes no remark; the text above it was brought up to date before.
            self._visit.courier.done["unexplained"] += 1
        self._visit.keep(replace(self._visit.delivery, unsaid=False))

    def _replace(self, handle: Handle) -> None:
        """Another takes the place of what is gone, once that is sure.

        A tracker answers the same where it hides a ticket: the account lost its rights, the project was moved, the
        address is another. So it is asked first whether it is well itself, and then once more for the ticket.
        """
        visit = self._visit
        now = visit.courier.clock()
        visit.courier.check(visit.errand.sink)
        if self._tracker.remote(handle).state is not RemoteState.GONE:
            visit.keep(replace(visit.delivery, gone=False))
        elif not visit.row.is_open:
            visit.told()
        elif lifecycle.may_replace(visit.delivery, now):
            visit.keep(lifecycle.replaced(visit.delivery, at=now))
        else:
            msg = (
                f"{handle.url or handle.id} is gone or hidden, as the one before it is since "
                f"{visit.delivery.replaced_at:%Y-%m-%d %H:%M} UTC; no more are made meanwhile: show it again, or "
                "exempt the finding in the policy"
            )
            raise RejectedError(msg)
