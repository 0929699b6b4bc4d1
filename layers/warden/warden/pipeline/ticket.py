"""The step that tells people: brings the ticket of a finding to where it should stand, and sends it on its way.

What is to be told is written in one transaction with an errand for each sink: from then on it is not lost, whatever
becomes of this process, and a sink that fails holds up no message.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from warden.core import collections, lifecycle
from warden.core.dataclass import dataclass
from warden.core.errors import ConflictError, TransientError
from warden.core.finding import WorkflowStatus
from warden.core.ledger import EntryKind
from warden.core.messages import TicketEvent
from warden.core.ticket import Resolution, TicketState
from warden.core.ticket_policy import Grouping
from warden.core.ticket_rows import REVIEW, Errand, TicketRow, change_key
from warden.core.ticket_text import digest
from warden.pipeline import collect, notes

if TYPE_CHECKING:
    from warden.core.finding import Finding
    from warden.core.ledger import LedgerEntry
    from warden.core.messages import TicketMessage
    from warden.core.policy import Policy
    from warden.pipeline.courier import Courier
    from warden.pipeline.ports import Clock, Findings, Member, Tickets

_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticketer:
    """Everything that telling needs; one for each invocation, as its courier is."""

    policy: Policy
    findings: Findings
    tickets: Tickets
    courier: Courier
    clock: Clock

    def handle(self, message: TicketMessage) -> str:
        """Open, update or resolve the ticket of a finding; returns what was done, as a word for the log.

        The message says that something changed; what is told is what the finding says now.
        """
        finding = self.findings.get(message.resource_key, message.control)
        if finding is None or finding.revision < message.revision:
            # The message overtook what it is about, which is written after it was sent.
            msg = f"revision {message.revision} of {message.control} of {message.resource_key} is not written yet"
            raise TransientError(msg)
        done, errands = self.settle(finding, opens=message.event is TicketEvent.OPEN)
        if message.event is TicketEvent.FIXED:
            errands += self._change(finding)
        for errand in errands:
            self.courier.run(errand)
        latest = self.findings.get(message.resource_key, message.control)
        if latest is not None and latest.is_open != finding.is_open:
            # It changed while it was being told, and the message that said so found another ticket than this.
            return self.handle(replace(message, revision=latest.revision))
        return done

    def settle(self, finding: Finding, *, opens: bool) -> tuple[str, list[Errand]]:
        """Bring the row of a finding's ticket to where it should stand; returns a word, and what can be sent at once.

        `opens`: somebody is to be told of it; else only what was told already is brought up to date.
        """
        for _ in range(_TRIES):
            try:
                return self._settle(finding, opens=opens)
            except ConflictError as error:
                # Another message, or a neighbour in its collection: with what it wrote, all of it is judged anew.
                conflict = error
                finding = self.findings.get(finding.resource_key, finding.control) or finding
        raise conflict

    def _settle(self, finding: Finding, *, opens: bool) -> tuple[str, list[Errand]]:
        resolution = lifecycle.resolution_of(finding, enabled=self.policy.is_enabled(finding.control))
        row = self.tickets.get(finding.id)
        is_told = row is not None and row.is_open
        if resolution is None and not opens and not is_told:
            return "drifted_again", []
        now = self.clock()
        # Where nobody is to be told of what it has become, its text stays: it may be about to be put right.
        told = row.digest if row and not opens else digest(finding, note=row.note if row else "")
        wanted = lifecycle.turned(
            row,
            finding.id,
            resolution=resolution,
            digest=told,
            now=now,
            window=self.policy.tickets.reopen_window,
        )
        if resolution is Resolution.DISABLED and finding.workflow is WorkflowStatus.NOTIFIED:
            # Should the control be enabled again, whoever judges it then finds that nobody is told.
            self.findings.put(replace(finding, workflow=WorkflowStatus.NEW))
        standing = wanted or row
        if resolution is None and standing is not None:
            wanted = self._placed(finding, row, standing)
        elif wanted is not None and not wanted.group:
            # A sink may have another name by now, and only by that is its ticket resolved.
            wanted = replace(wanted, sinks=self.policy.tickets.still(wanted.sinks, finding))
        if wanted is None:
            if resolution is None:
                self._notified(finding)
            return ("drifted_again" if resolution is None and not opens else "known"), []
        state = _state(row, wanted)
        rows: list[TicketRow | Member | Errand] = [wanted]
        if wanted.group:
            rows += collect.joined(
                wanted, row, finding, tickets=self.tickets, policy=self.policy.tickets, now=now
            )
        rows += collect.errands(wanted, tickets=self.tickets, now=now, due_at=now)
        self.tickets.write(*rows, entry=self._entry(finding, state, wanted))
        for over in (one for one in rows if isinstance(one, TicketRow) and not one.is_open):
            self.tickets.settle_requests(over.key)
        if wanted.is_open:
            self._notified(finding)
        own = [r for r in rows if isinstance(r, Errand) and r.ticket == finding.id and r.sink != REVIEW]
        return state.lower(), own

    def _change(self, finding: Finding) -> list[Errand]:
        """Let sinks of changes know that Warden put a finding right, whether there was a ticket or not."""
        now = self.clock()
        row = self.tickets.get(change_key(finding.id))
        wanted = lifecycle.changed(row, finding, sinks=self.policy.tickets.changes(finding), now=now)
        if wanted is None:
            return []
        errands = collect.errands(wanted, tickets=self.tickets, now=now, due_at=now)
        self.tickets.write(wanted, *errands)
        return errands

    def noted(self, row: TicketRow, note: str) -> None:
        """Say in a ticket, wherever it is told, what a person did with it."""
        if row.note == note:
            return
        now, wanted = self.clock(), notes.noted(row, note, self.findings)
        self.tickets.write(wanted, *collect.errands(wanted, tickets=self.tickets, now=now, due_at=now))

    # --- where it is told ---------------------------------------------------------------------------------

    def moved(self, key: str) -> None:
        """Let a collection be told where the policy says now, since its sinks may have been replaced."""
        row, finding = self.tickets.get(key), self.courier.composer.first(key)
        if row is None or not row.is_open or finding is None or collections.is_summary(key):
            # A summary is of its one sink.
            return
        now, wanted = self.clock(), replace(row, sinks=self.policy.tickets.together(row.sinks, finding))
        if wanted != row:
            self.tickets.write(wanted, *collect.errands(wanted, tickets=self.tickets, now=now, due_at=now))

    def _placed(self, finding: Finding, row: TicketRow | None, wanted: TicketRow) -> TicketRow | None:
        """The row with its sinks, or with the collection that tells it; None where that changes nothing."""
        policy = self.policy.tickets
        owner = policy.owner(finding)
        if not wanted.group and not wanted.sinks:
            sinks = policy.route(finding)
            group = self._group(finding, owner) if policy.people(sinks) else ""
            return replace(wanted, owner=owner, group=group, sinks=policy.machines(sinks) if group else sinks)
        if wanted.group:
            sinks = policy.machines(policy.still(wanted.sinks, finding))
            placed = replace(wanted, owner=wanted.owner or owner, sinks=sinks)
        else:
            placed = replace(wanted, owner=owner, sinks=policy.still(wanted.sinks, finding))
        return None if placed == row else placed

    def _group(self, finding: Finding, owner: str) -> str:
        """The collection that tells a new ticket; empty where it is one of its own."""
        policy = self.policy.tickets
        key = collections.group_key(owner, finding.control, self.courier.deployment)
        match policy.group:
            case Grouping.FINDING:
                return ""
            case Grouping.OWNER_AND_CONTROL:
                return key
            case Grouping.FLOOD:
                return key if self.tickets.count(key, self.clock()) > policy.flood else ""

    # --- beside it ----------------------------------------------------------------------------------------

    def _notified(self, finding: Finding) -> None:
        if finding.workflow is WorkflowStatus.NEW:
            self.findings.put(replace(finding, workflow=WorkflowStatus.NOTIFIED))

    def _entry(self, finding: Finding, state: TicketState, row: TicketRow) -> LedgerEntry:
        """What the ledger is told, in the transaction of the change itself: a change that loses a race is none."""
        told = {
            **({"group": row.group} if row.group else {}),
            **({"sinks": list(row.sinks)} if row.sinks or not row.group else {}),
        }
        after = {
            "state": state.value,
            **told,
            **({"resolution": row.resolution} if row.resolution else {}),
        }
        return notes.entry(
            finding,
            EntryKind.TICKET,
            after,
            at=self.clock(),
            actor="ticket",
            cause=finding.cause,
            policy_version=self.policy.version,
        )


def _state(before: TicketRow | None, after: TicketRow) -> TicketState:
    if not after.is_open:
        return TicketState.RESOLVED
    if before is None or before.generation != after.generation:
        return TicketState.OPEN
    return TicketState.UPDATED if before.is_open else TicketState.REOPENED
