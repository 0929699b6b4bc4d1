"""What happens to tickets on a schedule: what is due is told again, people's answers are read, sinks are checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import lifecycle
from warden.core.collections import is_collection
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    LaterError,
    RefusedError,
    SinkRefusedError,
    TransientError,
)
from warden.core.ledger import EntryKind
from warden.core.ticket_rows import REVIEW, Errand, ExemptionRequest
from warden.pipeline import notes
from warden.pipeline.collect import REVIEW_EVERY
from warden.pipeline.compose import split

if TYPE_CHECKING:
    from datetime import datetime

    from warden.core.ledger import LedgerEntry
    from warden.core.ticket import Handle, Remote
    from warden.pipeline.courier import Courier
    from warden.pipeline.ports import Delivery, TicketRow
    from warden.pipeline.ticket import Ticketer

_CHECK_EVERY = timedelta(hours=6)
_CHECK_REFUSED_EVERY = timedelta(minutes=10)
_OVERDUE = timedelta(hours=1)
_TURN = 300
"""Seconds between two ticks."""
_AT_MOST = 50
"""Errands of one sink, and tickets that are read in trackers, in one tick."""


@dataclass(slots=True)
class Report:
    """What a tick did, and what it found."""

    done: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    overdue: int = 0
    """Errands that have waited for more than an hour."""
    parked: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    """Sinks that take nothing until a person has done something, and why."""
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One tick, until its courier's time is over."""

    ticketer: Ticketer

    def run(self) -> Report:
        """Each sink in its turn, then the reviews; what is not reached has its turn next time."""
        report = Report(done=self.courier.done)
        for name in self._in_turn(sorted({*self.courier.notifiers, *self.courier.trackers})):
            try:
                self._sink(name, report)
            except Exception as error:  # noqa: BLE001 - one sink must not take the others with it
                report.problems.append(f"{name}: {type(error).__name__}: {error}")
        self._reviews(report)
        return report

    def _in_turn(self, names: list[str]) -> list[str]:
        """Each tick begins with another sink, so that none is always reached too late."""
        first = int(self.courier.clock().timestamp()) // _TURN % max(len(names), 1)
        return names[first:] + names[:first]

    @property
    def courier(self) -> Courier:
        """What takes tickets to sinks, for as long as this invocation has."""
        return self.ticketer.courier

    @property
    def _is_over(self) -> bool:
        return self.courier.clock() >= self.courier.until

    # --- sinks --------------------------------------------------------------------------------------------

    def _sink(self, name: str, report: Report) -> None:
        backlog = self.courier.outbox.backlog(name)
        now = self.courier.clock()
        report.waiting += len(backlog)
        report.overdue += sum(now - errand.first_at > _OVERDUE for errand in backlog)
        report.parked += sum(errand.parked for errand in backlog)
        if why := self._refusal(name):
            report.refused[name] = why
            return
        for errand in _first(backlog, now)[:_AT_MOST]:
            if self._is_over or self.courier.run(errand) in {"resting", "out_of_patience"}:
                return

    def _refusal(self, name: str) -> str:
        """Why a sink takes nothing until a person has done something; asked of it now and then."""
        courier, now = self.courier, self.courier.clock()
        health = courier.health(name)
        every = _CHECK_REFUSED_EVERY if health.refused else _CHECK_EVERY
        is_known = health.checked_at is not None and now - health.checked_at < every
        asked_to_wait = health.rests_until is not None and now < health.rests_until
        if is_known or asked_to_wait or self._is_over:
            return health.refused
        try:
            courier.check(name)
        except RefusedError as error:
            courier.refuse(name, error, checked=True)
        except TransientError as error:
            # Unwell, which is no refusal; what was one is one still.
            courier.rest(name, error)
        else:
            courier.keep_health(replace(health, refused="", since=None, checked_at=now))
        return courier.health(name).refused

    # --- reviews ------------------------------------------------------------------------------------------

    def _reviews(self, report: Report) -> None:
        now = self.courier.clock()
        for errand in _first(self.courier.outbox.backlog(REVIEW), now):
            if self._is_over or report.done["read"] >= _AT_MOST:
                return
            try:
                self._review(errand, report)
            except Exception as error:  # noqa: BLE001 - nor one ticket the others
                report.problems.append(f"{errand.ticket}: {type(error).__name__}: {error}")
                self.courier.outbox.later(replace(errand, due_at=now + REVIEW_EVERY))

    def _review(self, errand: Errand, report: Report) -> None:
        """One ticket: against its finding, whose message may have been lost, and against what people did with it."""
        if not is_collection(errand.ticket):
            finding = self.ticketer.findings.get(*split(errand.ticket))
            if finding is not None:
                _, errands = self.ticketer.settle(finding, opens=False)
                for told in errands:
                    self.courier.run(told)
        row = self.ticketer.tickets.get(errand.ticket)
        if row is None or not row.is_open:
            self.courier.outbox.done(errand)
            return
        for sink in row.sinks:
            if sink in self.courier.trackers:
                try:
                    self._read(row, sink, report)
                except Exception as error:  # noqa: BLE001 - nor one tracker the others
                    report.problems.append(f"{sink}: {row.key}: {type(error).__name__}: {error}")
        report.done["reviewed"] += 1
        self.courier.outbox.later(
            replace(
                errand,
                due_at=self.courier.clock() + REVIEW_EVERY,
                sequence=max(errand.sequence, row.revision),
            )
        )

    def _read(self, row: TicketRow, sink: str, report: Report) -> None:
        delivery = self.ticketer.tickets.delivery(row.key, sink)
        if delivery is None or delivery.handle is None or delivery.told != row.state:
            return
        courier, now = self.courier, self.courier.clock()
        if courier.health(sink).is_resting(now):
            return
        report.done["read"] += 1
        try:
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
        errand = Errand(ticket=row.key, sink=sink, due_at=now, first_at=now, sequence=row.revision)
        entry = None
        if answered.asks:
            # Before the row says that it was taken: a process that dies in between takes it again.
            entry = self._request(row, delivery, delivery.handle, remote)
            errand = replace(errand, sequence=row.revision + 1)
        try:
            self.ticketer.tickets.write(answered.delivery, errand, entry=entry)
        except ConflictError:
            return
        report.done["answers"] += 1
        courier.run(errand)

    # --- what people ask for ------------------------------------------------------------------------------

    def _request(
        self, row: TicketRow, delivery: Delivery, handle: Handle, remote: Remote
    ) -> LedgerEntry | None:
        """Somebody said that it will not be fixed: keep that, and let everybody know who reads the ticket.

        Returns what the ledger is to be told of it.
        """
        finding = self.courier.composer.first(row.key)
        if finding is None:
            return None
        now = self.courier.clock()
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


def _first(errands: list[Errand], now: datetime) -> list[Errand]:
    due = [errand for errand in errands if errand.due_at <= now]
    return sorted(due, key=lambda errand: (errand.due_at, errand.ticket))
