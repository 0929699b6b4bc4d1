"""Once a day: what CloudTrail shows that our role wrote is what the ledger says, and the other way round."""

from __future__ import annotations

from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.errors import UnreadableRowError, WardenError
from warden.core.ledger import EntryKind, Head, LedgerEntry, flaws
from warden.core.reconciliation import CALL_TAKES, Difference, Intended, compare, intended
from warden.core.rows import Reconciled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from warden.core.ledger import Link
    from warden.core.resource import Deployment
    from warden.pipeline.ports import Chains, Clock, Ledger, Reconciliations, Trail

LATE = timedelta(minutes=30)
"""So long CloudTrail has to deliver what it recorded: typically it takes five minutes, and it promises nothing."""
_OVERLAP = timedelta(hours=24)
"""What was delivered later still is found by the next reconciliation."""
_FIRST = timedelta(hours=24)
_KEPT = timedelta(days=90)
"""How far back CloudTrail's event history goes."""
_TOLD = 50


@dataclass(slots=True, kw_only=True)
class Reconciliation:
    """What a reconciliation found."""

    since: datetime
    until: datetime
    writes: int = 0
    """Writes of our role that CloudTrail shows."""
    intents: int = 0
    """Intents of the ledger."""
    matched: int = 0
    """Writes of the ledger that CloudTrail shows."""
    settled: list[Difference] = field(default_factory=list)
    repeated: list[Difference] = field(default_factory=list)
    """Calls that the SDK made again because an answer was lost."""
    differences: list[Difference] = field(default_factory=list)
    """Those that were not told before."""
    heads: Mapping[str, Head] = field(default_factory=dict)
    """Where each chain of the ledger ends now, this run's own entry included: to be told where no table is."""
    problems: list[str] = field(default_factory=list)
    """What could not be read, as sentences: where there is any, no difference does not mean that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """Everything a reconciliation needs."""

    deployment: Deployment
    trail: Trail
    chains: Chains
    ledger: Ledger
    reconciliations: Reconciliations
    clock: Clock

    def reconcile(self) -> Reconciliation:
        """Compare what happened since the last reconciliation; what cannot be read is a problem, and is read again."""
        report = self._reconcile()
        try:
            report.heads = self.chains.heads()
        except WardenError as error:
            report.problems.append(f"The heads of the ledger could not be read: {error}")
        return report

    def _reconcile(self) -> Reconciliation:
        """The ledger comes before the checkpoint: a crash in between tells a difference twice rather than never."""
        until = self.clock() - LATE
        try:
            last = self.reconciliations.get()
        except UnreadableRowError as error:
            # Up to where the last one came is not known, and no guess of it may become the next one's beginning.
            report = Reconciliation(since=until - _FIRST, until=until, problems=[f"{error}."])
            self._record(report)
            return report
        since = until - _FIRST if last is None else min(last.until, until)
        report = Reconciliation(since=since, until=until)
        told = frozenset[str]() if last is None else last.told
        if since < until - _KEPT:
            report.problems.append(
                f"The last reconciliation ended at {since:%Y-%m-%d %H:%M} UTC; CloudTrail keeps 90 days."
            )
        try:
            found = self._compare(report, since if last is None else since - _OVERLAP)
        except WardenError as error:
            report.problems.append(f"It could not be read: {error}")
            self._record(report)
            return report
        known = frozenset(one.key for one in (*found, *report.settled, *report.repeated))
        report.differences = [one for one in found if one.key not in told]
        report.settled = [one for one in report.settled if one.key not in told]
        report.repeated = [one for one in report.repeated if one.key not in told]
        self._record(report)
        self.reconciliations.put(Reconciled(until=until, told=known))
        return report

    def _compare(self, report: Reconciliation, since: datetime) -> list[Difference]:
        writes = self.trail.writes(since=since - CALL_TAKES, until=self.clock())
        intents: list[Intended] = []
        found: list[Difference] = []
        for chain, head in sorted(self.chains.active(since - CALL_TAKES).items()):
            announced, wrong = self._read(chain, head)
            intents += announced
            found += [one for one in wrong if since < one.at <= report.until]
        comparison = compare(writes, intents, since=since, until=report.until)
        report.writes = sum(since < write.at <= report.until for write in writes)
        report.intents = sum(since < one.at <= report.until for one in intents)
        report.matched, report.settled = comparison.matched, comparison.settled
        report.repeated = comparison.repeated
        return [*comparison.differences, *found]

    def _read(self, chain: str, head: Head) -> tuple[list[Intended], list[Difference]]:
        """A chain up to its head of a moment ago: who goes on writing to it is not told to have changed it."""
        links = [one for one in self.chains.read(chain) if one.sequence <= head.sequence]
        announced, wrong = intended(chain, links)
        return announced, [*wrong, *self._flaws(chain, head, links)]

    def _flaws(self, chain: str, head: Head, links: list[Link]) -> Iterator[Difference]:
        for flaw in flaws(links, head, chain=chain):
            yield Difference(
                key=f"{chain}#{flaw.sequence}: {flaw.what}",
                at=self.clock() - LATE,
                what=flaw.what,
                chain=chain,
                sequence=flaw.sequence,
            )

    def _record(self, report: Reconciliation) -> None:
        deployment = self.deployment
        self.ledger.append(
            LedgerEntry(
                at=self.clock(),
                actor="sweep",
                chain=deployment.chain,
                kind=EntryKind.RECONCILIATION,
                after={
                    "since": report.since,
                    "until": report.until,
                    "writes": report.writes,
                    "intents": report.intents,
                    "matched": report.matched,
                    "settled": [one.to_json() for one in report.settled[:_TOLD]],
                    "repeated": [one.to_json() for one in report.repeated[:_TOLD]],
                    "differences": [one.to_json() for one in report.differences[:_TOLD]],
                    "left_out": sum(
                        max(0, len(told) - _TOLD)
                        for told in (report.settled, report.repeated, report.differences)
                    ),
                    "problems": report.problems,
                },
            )
        )
