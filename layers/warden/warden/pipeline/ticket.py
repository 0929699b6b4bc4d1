"""The step that tells people: one ticket per finding, brought up to date, resolved with the finding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from warden.core.errors import TransientError
from warden.core.finding import WorkflowStatus
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.messages import TicketEvent
from warden.core.ticket import TicketState
from warden.core.ticket_text import digest, ticket
from warden.pipeline.ports import TicketRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from warden.core.control import Control
    from warden.core.finding import Finding
    from warden.core.messages import TicketMessage
    from warden.core.ticket import Ticket
    from warden.pipeline.ports import Clock, Findings, Ledger, Notifier, Tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticketer:
    """Everything that telling needs."""

    controls: Mapping[str, Control]
    findings: Findings
    tickets: Tickets
    ledger: Ledger
    sinks: Sequence[Notifier]
    clock: Clock

    def handle(self, message: TicketMessage) -> str:
        """Open, update or resolve the ticket of a finding; returns what was done, as a word for the log.

        The message says that something changed; what is told is what the finding says now. The row is written
        before anything is delivered, and its digest after: a crash in between delivers again rather than not at all.
        """
        finding = self.findings.get(message.resource_key, message.control)
        if finding is None or finding.revision < message.revision:
            # The message overtook what it is about, which is written after it was sent.
            msg = f"revision {message.revision} of {message.control} of {message.resource_key} is not written yet"
            raise TransientError(msg)
        if not finding.is_open:
            return self._resolve(finding)
        if message.event is TicketEvent.RESOLVE:
            return self._drifted_again(finding)
        if finding.workflow is WorkflowStatus.SUPPRESSED:
            return "suppressed_meanwhile"
        done = self._open(finding)
        latest = self.findings.get(message.resource_key, message.control)
        if latest is not None and not latest.is_open:
            # It went while it was being told, and the message that said so found no ticket to resolve.
            return self._resolve(latest)
        return done

    def _open(self, finding: Finding) -> str:
        row = self.tickets.get(finding.id)
        told = row is not None and row.state == "open"
        wanted = self._ticket(finding, TicketState.UPDATED if told else TicketState.OPEN)
        told_digest = digest(finding)
        if told and row is not None and row.digest == told_digest:
            self._notified(finding)
            return "known"
        now = self.clock()
        if row is None or row.state == "resolved":
            row = self.tickets.put(
                TicketRow(
                    finding_id=finding.id,
                    state="opening",
                    digest="",
                    opened_at=now,
                    changed_at=now,
                    revision=0 if row is None else row.revision,
                )
            )
        self._deliver(wanted)
        self._record(finding, wanted.state)
        self.tickets.put(replace(row, state="open", digest=told_digest, changed_at=now))
        self._notified(finding)
        return wanted.state.lower()

    def _resolve(self, finding: Finding) -> str:
        row = self.tickets.get(finding.id)
        if row is None or row.state == "resolved":
            return "known"
        wanted = self._ticket(finding, TicketState.RESOLVED)
        self._deliver(wanted)
        self._record(finding, wanted.state)
        self.tickets.put(replace(row, state="resolved", digest="", changed_at=self.clock()))
        return "resolved"

    def _drifted_again(self, finding: Finding) -> str:
        """Its old ticket, if there is one, is its ticket again, so that it will be resolved with it."""
        row = self.tickets.get(finding.id)
        if row is not None and row.state != "resolved":
            self._notified(finding)
        return "drifted_again"

    def _ticket(self, finding: Finding, state: TicketState) -> Ticket:
        return ticket(finding, self.controls.get(finding.control), state)

    def _deliver(self, wanted: Ticket) -> None:
        for sink in self.sinks:
            sink.notify(wanted)

    def _notified(self, finding: Finding) -> None:
        if finding.workflow is WorkflowStatus.NEW:
            self.findings.put(replace(finding, workflow=WorkflowStatus.NOTIFIED))

    def _record(self, finding: Finding, state: TicketState) -> None:
        self.ledger.append(
            LedgerEntry(
                at=self.clock(),
                actor="ticket",
                chain=finding.resource_key,
                kind=EntryKind.TICKET,
                control=finding.control,
                arn=finding.arn,
                after={"state": state.value},
                cause=finding.cause,
            )
        )
