"""What people did with a ticket: said in it wherever it is told, and recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warden.core import collections
from warden.core.errors import ConflictError
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.ticket_rows import RESOLVED
from warden.core.ticket_text import digest
from warden.pipeline import collect
from warden.pipeline.compose import split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from warden.core.finding import Finding
    from warden.core.ticket_rows import ExemptionRequest, TicketRow
    from warden.pipeline.compose import Composer
    from warden.pipeline.ports import Delivery, Errand, Findings, Member

_TRIES = 10


def entry(
    finding: Finding,
    kind: EntryKind,
    after: Mapping[str, Any],
    *,
    at: datetime,
    actor: str,
    **more: Any,
) -> LedgerEntry:
    """What the ledger is told of a finding's ticket."""
    return LedgerEntry(
        at=at,
        actor=actor,
        chain=finding.resource_key,
        kind=kind,
        control=finding.control,
        arn=finding.arn,
        after=after,
        **more,
    )


def noted(row: TicketRow, note: str, findings: Findings) -> TicketRow:
    """The row with what a person did, so that it is told in every sink."""
    finding = None if collections.is_collection(row.key) else findings.get(*split(row.key))
    told = str(row.revision + 1) if finding is None else digest(finding, note=note)
    return replace(row, note=note, digest=told)


def refuse(request: ExemptionRequest, *, by: str, reason: str, composer: Composer, now: datetime) -> bool:
    """Refuse what was asked for about a finding: its tickets are opened again, and say who refused it and why.

    Returns False where there is nothing to be refused any more, since the ticket is resolved.
    """
    tickets = composer.tickets
    for _ in range(_TRIES):
        row, finding = tickets.get(request.finding_id), composer.first(request.finding_id)
        if row is None or not row.is_open or finding is None:
            tickets.settle_requests(request.finding_id)
            return False
        try:
            _refuse(row, finding, request, by=by, reason=reason, composer=composer, now=now)
        except ConflictError as error:
            # The ticket function was at it; with what it wrote, once more.
            conflict = error
            continue
        tickets.settle_requests(request.finding_id)
        return True
    raise conflict


def _refuse(
    row: TicketRow,
    finding: Finding,
    request: ExemptionRequest,
    *,
    by: str,
    reason: str,
    composer: Composer,
    now: datetime,
) -> None:
    tickets = composer.tickets
    said = (
        f"{by} refused the exemption that {request.by or 'somebody'} asked for in {request.ticket}: {reason.strip()} "
        "The drift is to be put right."
    )
    wanted = noted(row, said, composer.findings)
    rows: list[TicketRow | Delivery | Member | Errand] = [wanted]
    rows += collect.errands(wanted, tickets=tickets, now=now, due_at=now)
    # Whoever asked for the same in another tracker has the same answer.
    for sink in dict.fromkeys([*row.sinks, request.sink]):
        delivery = tickets.delivery(row.key, sink)
        if delivery is not None and delivery.handle is not None and delivery.asked:
            # As if it had been resolved: then it is opened again, and after that it is said why.
            rows.append(replace(delivery, asked=False, left=False, told=RESOLVED, say=said))
    others = [one.id for one in tickets.requests() if one.finding_id == row.key and one.id != request.id]
    after = {
        "request": request.id,
        "sink": request.sink,
        "ticket": request.ticket,
        "url": request.url,
        "asked_by": request.by,
        "reason": reason,
        **({"with": others} if others else {}),
    }
    tickets.write(*rows, entry=entry(finding, EntryKind.EXEMPTION_REFUSED, after, at=now, actor=by))
