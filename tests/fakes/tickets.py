"""Tickets in memory, as the State table keeps them; and a tracker that people work in, and that fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.errors import ConflictError, SinkRefusedError, TicketGoneError
from warden.core.ticket import Handle, Remote, RemoteState
from warden.core.ticket_rows import Delivery, Errand, ExemptionRequest, Member, SinkHealth, TicketRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from fakes.stores import MemoryLedger
    from warden.core.ledger import LedgerEntry
    from warden.core.ticket import Ticket


class MemoryTickets:
    """Implements `ports.Tickets` and `ports.Outbox`."""

    def __init__(self, ledger: MemoryLedger | None = None) -> None:
        self.ledger = ledger
        self.rows: dict[str, TicketRow] = {}
        self.deliveries: dict[tuple[str, str], Delivery] = {}
        self.collected: dict[tuple[str, str], Member] = {}
        self.errands: dict[tuple[str, str], Errand] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.asked: dict[tuple[str, str], ExemptionRequest] = {}
        self.healths: dict[str, SinkHealth] = {}

    def get(self, key: str) -> TicketRow | None:
        return self.rows.get(key)

    def delivery(self, key: str, sink: str) -> Delivery | None:
        return self.deliveries.get((key, sink))

    def members(self, group: str) -> Iterator[Member]:
        return iter([member for (name, _), member in sorted(self.collected.items()) if name == group])

    def waiting(self, key: str, sink: str) -> Errand | None:
        return self.errands.get((sink, key))

    def write(self, *rows: TicketRow | Delivery | Member | Errand, entry: LedgerEntry | None = None) -> None:
        for row in rows:
            if isinstance(row, TicketRow | Delivery):
                kept = self._kept(row)
                if (0 if kept is None else kept.revision) != row.revision:
                    msg = f"{row} was written by another since revision {row.revision} was read"
                    raise ConflictError(msg)
        if entry is not None:
            assert self.ledger is not None
            self.ledger.append(entry)
        for row in rows:
            match row:
                case TicketRow():
                    self.rows[row.key] = replace(row, revision=row.revision + 1)
                case Delivery():
                    self.deliveries[row.ticket, row.sink] = replace(row, revision=row.revision + 1)
                case Member():
                    self.collected[row.group, row.finding_id] = row
                case Errand():
                    self.errands[row.sink, row.ticket] = row

    def _kept(self, row: TicketRow | Delivery) -> TicketRow | Delivery | None:
        if isinstance(row, TicketRow):
            return self.rows.get(row.key)
        return self.deliveries.get((row.ticket, row.sink))

    def count(self, what: str, now: datetime) -> int:
        self.counts[what, f"{now:%Y-%m-%d}"] += 1
        return self.counts[what, f"{now:%Y-%m-%d}"]

    def request(self, request: ExemptionRequest) -> None:
        self.asked[request.finding_id, request.sink] = request

    def settle_requests(self, finding_id: str, sink: str = "") -> None:
        for key in [k for k in self.asked if k[0] == finding_id and sink in {"", k[1]}]:
            del self.asked[key]

    def requests(self) -> Iterator[ExemptionRequest]:
        return iter(list(self.asked.values()))

    def backlog(self, sink: str) -> list[Errand]:
        return [errand for (name, _), errand in sorted(self.errands.items()) if name == sink]

    def later(self, errand: Errand) -> None:
        kept = self.errands.get((errand.sink, errand.ticket))
        if kept is None or kept.sequence <= errand.sequence:
            self.errands[errand.sink, errand.ticket] = errand

    def done(self, errand: Errand) -> None:
        kept = self.errands.get((errand.sink, errand.ticket))
        if kept is not None and kept.sequence <= errand.sequence:
            del self.errands[errand.sink, errand.ticket]

    def health(self, sink: str) -> SinkHealth:
        return self.healths.get(sink) or SinkHealth(sink=sink)

    def set_health(self, health: SinkHealth) -> None:
        self.healths[health.sink] = health


@dataclass(slots=True)
class Kept:
    """A ticket in the tracker."""

    id: str
    ticket: Ticket
    at: datetime
    state: RemoteState = RemoteState.OPEN
    by: str = ""
    comments: list[str] = field(default_factory=list)


class MemoryTracker:
    """Implements `ports.Tracker`: what was created is found only after a while, as trackers index what they search.

    `failures` are raised first, one by one: before the call has its effect, or after it where `late` says so.
    """

    def __init__(self, clock: Callable[[], datetime], *, stale: timedelta = timedelta()) -> None:
        self._clock = clock
        self.stale = stale
        self.kept: list[Kept] = []
        self.failures: list[Exception] = []
        self.late = False
        self.failing = ""
        """The one method whose calls fail; empty for any."""
        self.refusal: Exception | None = None
        self.opens_by_remarks = False
        """Whether a remark opens a closed ticket again, as Roundup's does."""
        self.hides = False
        """Whether it shows no ticket: the account has lost its rights, and its check says so."""

    def find(self, ticket: Ticket) -> Handle | None:
        self._fail("find")
        now = self._clock()
        shown = [] if self.hides else self.kept
        seen = [one for one in shown if one.ticket.id == ticket.id and now - one.at >= self.stale]
        seen = [one for one in seen if one.state is not RemoteState.GONE]
        return Handle(seen[0].id, f"https://tracker.example/{seen[0].id}") if seen else None

    def create(self, ticket: Ticket) -> Handle:
        self._fail("create", late=False)
        self.kept.append(Kept(id=f"T-{len(self.kept) + 1}", ticket=ticket, at=self._clock()))
        self._fail("create", late=True)
        return Handle(self.kept[-1].id, f"https://tracker.example/{self.kept[-1].id}")

    def update(self, handle: Handle, ticket: Ticket) -> None:
        self._change(handle, ticket=ticket)

    def comment(self, handle: Handle, ticket: Ticket, text: str) -> None:
        del ticket
        self._change(handle, comment=text)

    def resolve(self, handle: Handle, ticket: Ticket) -> bool:
        self._change(handle, ticket=ticket, state=RemoteState.CLOSED)
        return True

    def reopen(self, handle: Handle, ticket: Ticket) -> None:
        self._change(handle, ticket=ticket, state=RemoteState.OPEN)

    def remote(self, handle: Handle) -> Remote:
        self._fail("remote")
        one = self._of(handle)
        if self.hides:
            return Remote(RemoteState.GONE)
        return Remote(one.state, by=one.by, reason="Won't do" if one.state is RemoteState.WONT_FIX else "")

    def check(self) -> str:
        if self.refusal is not None or self.hides or self.failing == "check":
            self._fail("check")
        return ""

    # --- people -------------------------------------------------------------------------------------------

    def answer(self, number: int, state: RemoteState, by: str = "m.jansen") -> None:
        """Somebody leaves a ticket in another state."""
        self.kept[number].state = state
        self.kept[number].by = by

    @property
    def open(self) -> list[Kept]:
        return [one for one in self.kept if one.state is RemoteState.OPEN]

    # --- inside -------------------------------------------------------------------------------------------

    def _of(self, handle: Handle) -> Kept:
        [one] = [one for one in self.kept if one.id == handle.id]
        return one

    def _change(
        self,
        handle: Handle,
        *,
        ticket: Ticket | None = None,
        state: RemoteState | None = None,
        comment: str = "",
    ) -> None:
        self._fail("change", late=False)
        one = self._of(handle)
        if one.state is RemoteState.GONE or self.hides:
            msg = f"{handle.id} was deleted"
            raise TicketGoneError(msg)
        one.ticket = ticket or one.ticket
        if comment and self.opens_by_remarks:
            state = RemoteState.OPEN
        one.state = state or one.state
        one.comments += [comment] if comment else []
        self._fail("change", late=True)

    def _fail(self, method: str, *, late: bool | None = None) -> None:
        if self.refusal is not None and not late:
            raise self.refusal
        if self.hides and method in {"check", "create"}:
            msg = "403: the account may not see the project"
            raise SinkRefusedError(msg)
        if self.failures and self.failing in {"", method} and late in {None, self.late}:
            raise self.failures.pop(0)
