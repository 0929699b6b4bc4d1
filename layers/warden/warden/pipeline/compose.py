"""Puts a ticket together for one sink, from its row and from what its findings say now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warden.core import collections
from warden.core.control import Severity
from warden.core.dataclass import dataclass
from warden.core.ticket import Resolution, TicketState
from warden.core.ticket_room import bounded
from warden.core.ticket_rows import OPEN, finding_of, is_change
from warden.core.ticket_text import Story, ticket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.ticket import Ticket
    from warden.pipeline.ports import Delivery, Findings, Member, TicketRow, Tickets

_GRAVEST = 20
"""Findings of a collection that are read whole."""


def split(finding_id: str) -> tuple[str, str]:
    """The resource key and the control of a finding's id."""
    control, _, key = finding_id.partition("|")
    return key, control


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Reads what a ticket says."""

    controls: Mapping[str, Control]
    findings: Findings
    tickets: Tickets

    def compose(self, row: TicketRow, delivery: Delivery) -> Ticket | None:
        """The ticket as this sink should get it; None where nothing is kept that it could be about."""
        state = _state(row, delivery)
        story = Story(
            state=state,
            resolution=Resolution(row.resolution or Resolution.FIXED),
            owner=row.owner,
            opened_at=row.opened_at,
            generation=delivery.generation or row.generation,
            incarnation=delivery.incarnation,
            previous=delivery.previous,
            note=row.note,
            revision=row.revision,
        )
        if collections.is_collection(row.key):
            collected = self._collection(row, story)
            return None if collected is None else bounded(collected)
        finding = self.findings.get(*split(finding_of(row.key)))
        if finding is None:
            return None
        control = self.controls.get(finding.control)
        return bounded(replace(ticket(finding, control, story=story), is_change=is_change(row.key)))

    def _collection(self, row: TicketRow, story: Story) -> Ticket | None:
        members = list(self.tickets.members(row.key))
        gravest = self._gravest(members)
        if not gravest:
            return None
        control = self.controls.get(collections.control_of(row.key))
        return collections.ticket(row, members, gravest, control, story)

    def _gravest(self, members: Sequence[Member]) -> list[Finding]:
        first = sorted(members, key=lambda m: (m.state != OPEN, Severity(m.severity).rank, m.finding_id))
        read = (self.first(member.finding_id) for member in first[:_GRAVEST])
        return [finding for finding in read if finding is not None]

    def first(self, key: str) -> Finding | None:
        """The finding of a ticket, or the gravest of a collection."""
        if not collections.is_collection(key):
            return self.findings.get(*split(finding_of(key)))
        return next(iter(self._gravest(list(self.tickets.members(key)))), None)


def _state(row: TicketRow, delivery: Delivery) -> TicketState:
    if not row.is_open:
        return TicketState.RESOLVED
    if not delivery.told:
        return TicketState.OPEN
    return TicketState.UPDATED if delivery.told == OPEN else TicketState.REOPENED
