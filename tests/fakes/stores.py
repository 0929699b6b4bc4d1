"""Findings, ledger and state in memory: the same rows, conditions and errors as in DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.errors import ConflictError, StoppedError
from warden.core.ledger import link
from warden.core.unannounced import NOTHING
from warden.gateways import findings as finding_rows
from warden.gateways import ledger as ledger_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from warden.core.approval import Approval
    from warden.core.finding import Finding
    from warden.core.ledger import Head, LedgerEntry, Link
    from warden.core.procedure import Record
    from warden.core.progress import Progress
    from warden.core.rows import Due, Reconciled, Stop
    from warden.core.unannounced import Swept


class MemoryFindings:
    """Implements `ports.Findings`."""

    def __init__(self, *findings: Finding) -> None:
        self._rows: dict[tuple[str, str], Finding] = {}
        self.writes = 0
        """How many puts have succeeded: a visit that changes nothing writes nothing."""
        for finding in findings:
            self.put(finding)
        self.writes = 0

    def of_resource(self, resource_key: str) -> dict[str, Finding]:
        return {control: row for (key, control), row in sorted(self._rows.items()) if key == resource_key}

    def of_arn(self, arn: str) -> list[Finding]:
        return sorted(
            (row for row in self._rows.values() if row.arn == arn),
            key=lambda row: (row.control, row.resource_key),
        )

    def get(self, resource_key: str, control: str) -> Finding | None:
        return self._rows.get((resource_key, control))

    def put(self, finding: Finding) -> Finding:
        key = (finding.resource_key, finding.control)
        kept = self._rows.get(key)
        if (0 if kept is None else kept.revision) != finding.revision:
            msg = f"{finding.id} was written by another since revision {finding.revision} was read"
            raise ConflictError(msg)
        self._rows[key] = finding_rows.fitting(replace(finding, revision=finding.revision + 1))
        self.writes += 1
        return self._rows[key]

    def all(self) -> Iterator[Finding]:
        return iter(list(self._rows.values()))

    def as_they_are(self, resource_types: Collection[str]) -> finding_rows.PackedFindings:
        return finding_rows.PackedFindings(map(finding_rows.to_row, self.all()), resource_types)


class MemoryApprovals:
    """Implements `ports.Approvals`."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Approval] = {}
        self.used: set[str] = set()

    def put(self, approval: Approval) -> None:
        self._rows[approval.approver, approval.request] = approval

    def answers(self, request: str, *, part: str = "") -> list[Approval]:
        return [
            replace(row, used=f"{row.id}{part}" in self.used)
            for (_, of), row in sorted(self._rows.items())
            if of == request
        ]

    def use(self, approval: Approval, *, part: str = "") -> bool:
        if f"{approval.id}{part}" in self.used:
            return False
        self.used.add(f"{approval.id}{part}")
        return True

    def give_back(self, approval: Approval, *, part: str = "") -> None:
        self.used.discard(f"{approval.id}{part}")


class MemoryTemporaries:
    """Implements `ports.Temporaries`."""

    def __init__(self) -> None:
        self.rows: dict[str, Record] = {}

    def get(self, arn: str) -> Record | None:
        return self.rows.get(arn)

    def put(self, record: Record, *, over: Record | None) -> None:
        if _fence(self.rows.get(record.arn)) != _fence(over):
            msg = f"the record of {record.arn} was written by another"
            raise ConflictError(msg)
        self.rows[record.arn] = record

    def remove(self, record: Record) -> None:
        if _fence(self.rows.get(record.arn)) == _fence(record):
            del self.rows[record.arn]

    def all(self) -> list[Record]:
        return [self.rows[arn] for arn in sorted(self.rows)]


def _fence(record: Record | None) -> tuple[str, str] | None:
    return None if record is None else (record.nonce, record.resource_id)


class MemoryLedger:
    """Implements `ports.Ledger`; `conflicts` makes the next appends lose."""

    def __init__(self) -> None:
        self._chains: dict[str, list[Link]] = {}
        self.conflicts = 0
        self.entries: list[dict[str, Any]] = []
        """The documents of all entries of all chains, in the order in which they came."""

    def append(self, entry: LedgerEntry) -> None:
        if self.conflicts:
            self.conflicts -= 1
            msg = f"the ledger's chain {entry.chain} did not take an entry"
            raise ConflictError(msg)
        new = link(ledger_rows.fitting(entry.to_json()), self.head(entry.chain))
        self._chains.setdefault(entry.chain, []).append(new)
        self.entries.append(dict(new.entry))

    def head(self, chain: str) -> Head | None:
        links = self._chains.get(chain)
        return links[-1].head if links else None

    def entry(self, chain: str, sequence: int) -> Link | None:
        return next((one for one in self._chains.get(chain, []) if one.sequence == sequence), None)

    def heads(self) -> dict[str, Head]:
        return {chain: links[-1].head for chain, links in self._chains.items()}

    def active(self, since: datetime) -> dict[str, Head]:
        grown = {chain for chain, links in self._chains.items() if links[-1].entry["at"] >= since.isoformat()}
        return {chain: head for chain, head in self.heads().items() if chain in grown}

    def read(self, chain: str) -> Iterator[Link]:
        return iter(list(self._chains.get(chain, [])))

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The documents of one kind, in the order in which they came."""
        return [entry for entry in self.entries if entry["kind"] == kind]


class MemoryState:
    """Implements `ports.State`; `stop_unreadable` makes the STOP row fail to be read, for the reason given."""

    def __init__(self) -> None:
        self._stop: Stop | None = None
        self._leases: dict[str, tuple[str, datetime]] = {}
        self._due: dict[str, Due] = {}
        self.stop_unreadable = ""

    def stop(self) -> Stop | None:
        if self.stop_unreadable:
            msg = f"the STOP row cannot be read, so nothing is written: {self.stop_unreadable}"
            raise StoppedError(msg)
        return self._stop

    def set_stop(self, stop: Stop | None) -> None:
        self._stop = stop

    def lease(self, arns: Iterable[str], *, owner: str, seconds: int, now: datetime) -> bool:
        names = set(arns)
        held = [self._leases[arn] for arn in names if arn in self._leases]
        if any(holder != owner and until > now for holder, until in held):
            return False
        self._leases.update(dict.fromkeys(names, (owner, now + timedelta(seconds=seconds))))
        return True

    def release(self, arns: Iterable[str], *, owner: str) -> None:
        for arn in arns:
            if self._leases.get(arn, ("", None))[0] == owner:
                del self._leases[arn]

    def holds(self, arns: Iterable[str], *, owner: str, now: datetime) -> bool:
        held = [self._leases.get(arn) for arn in arns]
        return all(lease is not None and lease[0] == owner and lease[1] > now for lease in held)

    @property
    def leased(self) -> list[str]:
        """The ARNs on which a lease is held, expired or not."""
        return sorted(self._leases)

    def defer(self, due: Due) -> None:
        self._due[due.arn] = due

    def waiting(self, arn: str) -> Due | None:
        return self._due.get(arn)

    def due(self, now: datetime) -> list[Due]:
        come = [due for due in self._due.values() if due.due_at <= now]
        return sorted(come, key=lambda due: (due.due_at, due.arn))

    def settle(self, arn: str) -> None:
        self._due.pop(arn, None)


class MemoryReconciliations:
    """Implements `ports.Reconciliations`."""

    def __init__(self) -> None:
        self.row: Reconciled | None = None

    def get(self) -> Reconciled | None:
        return self.row

    def put(self, reconciled: Reconciled) -> None:
        self.row = reconciled


class MemoryAnnouncements:
    """What events have told of, in memory."""

    def __init__(self) -> None:
        self.told: dict[str, datetime] = {}
        self.distrusted: list[datetime] = []

    def announce(self, arn: str, now: datetime) -> None:
        self.told[arn] = now

    def distrust(self, now: datetime) -> None:
        self.distrusted.append(now)


class MemorySweeps:
    """How far a sweep has come, in memory."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.swept = NOTHING
        self.marks: dict[tuple[str, str], set[str]] = {}

    def current(self) -> Progress | None:
        return self.progress

    def visited(self, progress: Progress, resource_type: str) -> frozenset[str]:
        return frozenset(self.marks.get((progress.run_id, resource_type), ()))

    def keep(self, progress: Progress, resource_type: str, marks: Collection[str]) -> None:
        self.marks.setdefault((progress.run_id, resource_type), set()).update(marks)
        self.progress = progress

    def end(self) -> None:
        self.progress = None

    def last(self) -> Swept:
        return self.swept

    def leave(self, swept: Swept) -> None:
        if swept.revision != self.swept.revision:
            msg = "another wrote"
            raise ConflictError(msg)
        self.swept = replace(swept, revision=swept.revision + 1)
