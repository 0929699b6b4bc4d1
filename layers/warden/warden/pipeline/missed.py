"""Counts the drift that a sweep found although events should have told of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from warden.core.dataclass import dataclass
from warden.core.ledger import EntryKind, LedgerEntry
from warden.core.unannounced import missed

if TYPE_CHECKING:
    from warden.core.finding import Finding
    from warden.core.resource import Deployment
    from warden.pipeline.ports import Announcements, Clock, Findings, Ledger, Sweeps

_TOLD = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedDrift:
    """Looks every few minutes whether the findings of a sweep are due; reads no finding before."""

    deployment: Deployment
    findings: Findings
    ledger: Ledger
    sweeps: Sweeps
    clock: Clock
    announcements: Announcements | None = None
    """For sweeps that remember what events keep current; None where none does."""

    def count(self) -> list[Finding] | None:
        """What the sweeps that are due found alone; None where none is due.

        The ledger comes before the row that says so: a crash in between counts twice rather than never.
        """
        last = self.sweeps.last()
        due = last.due(self.clock())
        if not due:
            return None
        found = missed(due, self.findings.all()) if any(run.expected for run in due) else []
        if found:
            if self.announcements is not None:
                # Whatever else changed, no event may have told of it either.
                self.announcements.distrust(self.clock())
            self._record(found)
        self.sweeps.leave(last.counted(due))
        return found

    def _record(self, found: list[Finding]) -> None:
        deployment = self.deployment
        self.ledger.append(
            LedgerEntry(
                at=self.clock(),
                actor="sweep",
                chain=deployment.chain,
                kind=EntryKind.MISSED,
                after={
                    "controls": dict(Counter(finding.control for finding in found)),
                    "findings": [
                        {"control": one.control, "arn": one.arn, "found": one.first_observed}
                        for one in found[:_TOLD]
                    ],
                    "left_out": max(0, len(found) - _TOLD),
                },
            )
        )
