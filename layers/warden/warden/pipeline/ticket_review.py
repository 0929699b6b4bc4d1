"""The reviews of open tickets: each is compared with its finding, and with what people did with it in its trackers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import lifecycle
from warden.core.collections import is_collection
from warden.core.dataclass import dataclass
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    LaterError,
    SinkRefusedError,
    TransientError,
)
from warden.core.ledger import EntryKind
from warden.core.ticket_rows import REVIEW, Errand, ExemptionRequest
from warden.pipeline import collect, notes
from warden.pipeline.collect import REVIEW_EVERY
from warden.pipeline.compose import split

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.ledger import LedgerEntry
    from warden.core.ticket import Handle, Remote
    from warden.pipeline.courier import Courier
    from warden.pipeline.ports import Delivery, TicketRow
    from warden.pipeline.ticket import Ticketer
    from warden.pipeline.ticket_tick import Report

AT_MOST = 50
"""Errands of one sink, and tickets that are read in trackers, in one tick."""

_SOON = timedelta(minutes=5)
"""When a ticket is reviewed again of which a slow tracker was not asked."""


def due(errands: list[Errand], now: datetime) -> list[Errand]:
    """Those whose time has come; who has waited longest comes first."""
    ready = [errand for errand in errands if errand.due_at <= now]
    return sorted(ready, key=lambda errand: (errand.due_at, errand.ticket))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """The reviews of one tick, until its courier's time is over."""

    ticketer: Ticketer
    report: Report

    @property
    def _courier(self) -> Courier:
        return self.ticketer.courier

    def run(self) -> None:
        """Those that are due; what is not reached has its turn next time."""
        now = self._courier.clock()
        for errand in due(self._courier.outbox.backlog(REVIEW), now):
            if self._courier.clock() >= self._courier.until or self.report.done["read"] >= AT_MOST:
                return
            try:
                self._review(errand)
            except Exception as error:  # noqa: BLE001 - nor one ticket the others
                self.report.problems.append(f"{errand.ticket}: {type(error).__name__}: {error}")
                self._courier.outbox.later(replace(errand, due_at=now + REVIEW_EVERY))

    def _review(self, errand: Errand) -> None:
        """One ticket: against its finding, whose message may have been lost, and against what people did with it."""
        if not is_collection(errand.ticket):
            finding = self.ticketer.findings.get(*split(errand.ticket))
            if finding is not None:
                _, errands = self.ticketer.settle(finding, opens=False)
                for told in errands:
                    self._courier.run(told)
        else:
            self.ticketer.moved(errand.ticket)
        row = self.ticketer.tickets.get(errand.ticket)
        if row is None or not row.is_open:
            self._courier.outbox.done(errand)
            return
        wait = REVIEW_EVERY
        for sink in row.sinks:
            if sink in self._courier.trackers:
                if self._courier.is_out_of_patience(sink):
                    wait = _SOON
                    continue
                try:
                    self._read(row, sink)
                except Exception as error:  # noqa: BLE001 - nor one tracker the others
                    self.report.problems.append(f"{sink}: {row.key}: {type(error).__name__}: {error}")
        self.report.done["reviewed"] += 1
        self._courier.outbox.later(
            replace(
                errand,
                due_at=self._courier.clock() + wait,
                sequence=max(errand.sequence, row.revision),
            )
        )

    def _read(self, row: TicketRow, sink: str) -> None:
        delivery = self.ticketer.tickets.delivery(row.key, sink)
        if delivery is None or delivery.handle is None or delivery.told != row.state:
            return
        courier, now = self._courier, self._courier.clock()
        if courier.health(sink).is_resting(now):
            return
        self.report.done["read"] += 1
        try:
            with courier.kept_waiting(sink):
                remote = courier.trackers[sink].remote(delivery.handle)
        except (AccessDeniedError, SinkRefusedError) as error:
            courier.refuse(sink, error)
            raise
        except TransientError as error:
            if not (isinstance(error, LaterError) and error.alone):
                courier.rest(sink, error)
            raise
        courier.recover(sink)
        answered = lifecycle.answered(row, delivery, remote)
        if answered is None:
            return
        errand = collect.errand(row, sink, tickets=self.ticketer.tickets, now=now, due_at=now)
        errand = replace(errand, sequence=row.revision)
        entry = None
        if answered.asks:
            # Before the row says that it was taken: a process that dies in between takes it again.
            entry = self._request(row, delivery, delivery.handle, remote)
            errand = replace(errand, sequence=row.revision + 1)
        if delivery.asked and not answered.delivery.asked:
            # Whoever asked has opened it again.
            self.ticketer.tickets.settle_requests(row.key, sink)
        try:
            self.ticketer.tickets.write(answered.delivery, errand, entry=entry)
        except ConflictError:
            return
        self.report.done["answers"] += 1
        courier.run(errand)

    # --- what people ask for ------------------------------------------------------------------------------

    def _request(
        self, row: TicketRow, delivery: Delivery, handle: Handle, remote: Remote
    ) -> LedgerEntry | None:
        """Somebody said that it will not be fixed: keep that, and let everybody know who reads the ticket.

        Returns what the ledger is to be told of it.
        """
        finding = self._courier.composer.first(row.key)
        if finding is None:
            return None
        now = self._courier.clock()
        request = ExemptionRequest(
            finding_id=row.key,
            arn=finding.arn,
            control=finding.control,
            owner=row.owner,
            sink=delivery.sink,
            ticket=handle.id,
            url=handle.url,
            by=remote.by,
            at=now,
            reason=remote.reason,
        )
        self.ticketer.tickets.request(request)
        who = remote.by or "Somebody"
        note = (
            f"{who} closed {handle.id} in {delivery.sink} as {remote.reason or 'not to be fixed'}, which asks for an "
            "exemption. Nothing is exempt by it: the drift is still there."
        )
        self.ticketer.noted(row, note)
        after = {
            "sink": delivery.sink,
            "ticket": handle.id,
            "url": handle.url,
            "by": remote.by,
            "reason": remote.reason,
        }
        return notes.entry(
            finding,
            EntryKind.EXEMPTION_REQUEST,
            after,
            at=now,
            actor="ticket",
            policy_version=self.ticketer.policy.version,
        )
