"""What must hold whatever happened: while functions write, and once everything has come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.deployed import BOB
from warden.core.control import ComplianceType
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stack.deployed import Deployed
    from stack.faults import Injector

LIVE = {
    "DeletionProtection": "DeletionProtection",
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
}
"""Settings of a cluster as ModifyDBCluster sets them and DescribeDBClusters tells them."""
_REST = 9
"""Hours after which what was refused is tried again, and one more."""
_KEPT = {WorkflowStatus.NOTIFIED, WorkflowStatus.SUPPRESSED}


class Watch:
    """Looks at each write of a function just before it is made."""

    def __init__(self, stack: Deployed, injector: Injector) -> None:
        self._stack = stack
        self.violations: list[str] = []
        self.writes = 0
        injector.before_call.append(self.look)

    def look(self, operation: str, parameters: dict[str, Any]) -> None:
        """A needed change, under a lease."""
        if operation != "ModifyDBCluster":
            return
        self.writes += 1
        name = parameters["DBClusterIdentifier"]
        with self._stack.by(BOB):
            rds = self._stack.client("rds")
            [live] = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
            rows = [
                row for row in self._stack.table("StateTable") if row["pk"] == f"lease#{live['DBClusterArn']}"
            ]
        for sent, told in LIVE.items():
            if sent in parameters and parameters[sent] == live[told]:
                self.violations.append(f"{sent} of {name} is set though it is so already")
        if not rows or int(rows[0]["expires_at"]) <= self._stack.now().timestamp():
            self.violations.append(f"{name} is written to without a lease")


def assert_nothing_is_lost(stack: Deployed, drifts: Iterable[tuple[str, str]]) -> None:
    """Each drift is fixed, told, exempt, or waits with a live message; and what is fixed is resolved."""
    kept = {(finding.control, finding.arn): finding for finding in stack.findings}
    for control, arn in sorted(set(drifts)):
        finding = kept.get((control, arn))
        compliance = stack.judged(control, arn).compliance
        if compliance is ComplianceType.COMPLIANT:
            assert finding is None or not finding.is_open, f"{control} of {arn} is fixed and not resolved"
            continue
        assert finding is not None, f"{control} of {arn} was never found"
        assert finding.is_open, f"{control} of {arn} is resolved and not fixed"
        waits = stack.state.waiting(arn) is not None
        assert waits or finding.workflow in _KEPT, f"{control} of {arn} waits for nothing: {finding.decision}"
        if finding.workflow is WorkflowStatus.NOTIFIED:
            assert stack.ticket_states(control), f"{control} of {arn} counts as told, and nobody was"


def assert_at_rest(stack: Deployed) -> None:
    """Whoever looks again changes nothing, once what was refused has been tried again."""
    if any(finding.is_open and finding.decision.get("refused_at") for finding in stack.findings):
        stack.hours_later(_REST)
        stack.sweep()
        stack.hours_later(0.5)
    before = len(stack.writes)
    stack.sweep()
    stack.hours_later(0.2)
    assert len(stack.writes) == before, "a look at what is at rest led to a write"
