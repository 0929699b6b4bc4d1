"""Drift that a sweep found although events should have told of it: how well events are delivered, as findings show it.

A finding that a sweep opens is no proof. The first sweep finds the debts of years; a newer policy or control finds
what the older one did not look for; a certificate expires without a call. So a sweep keeps what it has judged whole.
What the next one opens for the same controls, by the same policy and code, has drifted in between; and where no event
names the resource afterwards either, one was lost.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.dataclass import dataclass
from warden.core.kinds import Need
from warden.core.resource import ResourceType
from warden.core.trigger import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from warden.core.control import Control
    from warden.core.finding import Finding

GRACE = timedelta(minutes=30)
"""So long an event may take that is on its way: CloudTrail's take five minutes as a rule."""
SAME_DRIFT = timedelta(hours=24)
"""An event that is older than the finding by more is about something else: everything is read afresh within a day."""

_MOST_RUNS = 20
"""More sweeps than anybody starts while one is waited for."""
_EVENTS = frozenset({Source.CLOUDTRAIL, Source.RDS_EVENT, Source.CONFIG, Source.SECURITY_HUB})

_SILENT_NEEDS = {
    Need.KEY_ALIASES: "aliases of keys are moved by calls that no rule names",
    Need.IDENTITY_POLICIES: "calls of IAM are recorded in one Region of the partition",
    Need.DETECTORS: "GuardDuty's administrator changes it from another account",
    Need.RECOVERY_POINTS: "recovery points come and expire by themselves",
    Need.RECENT_EVENTS: "what RDS can restore to moves with time",
    Need.DELETIONS: "what a deletion left behind ends with time",
    Need.GLOBAL_CLUSTER: "what another Region does is recorded there",
    Need.ENGINE_STATUS: "AWS ends the support of engine versions",
    Need.SUPPORT_DATES: "AWS ends the support of engine versions",
    Need.UPGRADE_TARGETS: "AWS ends the support of engine versions",
}


def silence(control: Control) -> str:
    """Why a control's drift can come without an event that names the resource; empty where events tell of it."""
    if control.silent:
        return control.silent
    if control.resource_type is ResourceType.GLOBAL_CLUSTER:
        return _SILENT_NEEDS[Need.GLOBAL_CLUSTER]
    if Need.KEY_POLICY in control.needs and control.resource_type is not ResourceType.KMS_KEY:
        return "a call about a key leads to the key, and not to what it encrypts"
    return next((why for need, why in _SILENT_NEEDS.items() if need in control.needs), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A sweep whose findings may have been missed by events."""

    run_id: str
    ended: datetime
    expected: frozenset[str]
    """The controls of which events should have told: what they opened was not so at the sweep before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What sweeps that came to their end leave for the next."""

    judged_by: str
    """The versions of the policy and of the code that judged, as one text."""
    judged: frozenset[str]
    """The controls that the last one judged whole: of each resource of their kind there was an answer."""
    runs: tuple[Run, ...] = ()
    """Those whose findings are not counted yet, the oldest first."""
    revision: int = 0
    """Grows with each write; a writer that holds an older one loses."""

    def after(self, run: Run, *, judged_by: str, judged: frozenset[str]) -> Swept:
        """The same once another sweep has ended."""
        return replace(self, judged_by=judged_by, judged=judged, runs=(*self.runs, run)[-_MOST_RUNS:])

    def due(self, now: datetime) -> tuple[Run, ...]:
        """The sweeps of whose findings events have had time to tell."""
        return tuple(run for run in self.runs if now - run.ended >= GRACE)

    def counted(self, runs: tuple[Run, ...]) -> Swept:
        """The same once the findings of these sweeps are counted."""
        return replace(self, runs=tuple(run for run in self.runs if run not in runs))


NOTHING = Swept(judged_by="", judged=frozenset())
"""Before the first sweep."""


def expected(last: Swept, controls: Iterable[Control], *, judged_by: str) -> frozenset[str]:
    """The controls whose drift since the last sweep events should have told of."""
    if last.judged_by != judged_by:
        return frozenset()
    return frozenset(one.id for one in controls if one.id in last.judged and not silence(one))


def missed(runs: Iterable[Run], findings: Iterable[Finding]) -> list[Finding]:
    """The findings that one of these sweeps opened although events should have told, and of which none has since."""
    expected_of = {run.run_id: run.expected for run in runs}
    return [
        finding
        for finding in findings
        if finding.cause.get("source") == Source.SWEEP
        and finding.control in expected_of.get(str(finding.cause.get("event_id")), ())
    ]


def tells_of(finding: Finding, cause: Mapping[str, Any]) -> bool:
    """Whether an event that came late is about the drift that a sweep has found before it."""
    if finding.cause.get("source") != Source.SWEEP or cause["source"] not in _EVENTS:
        return False
    age = finding.first_observed - datetime.fromisoformat(cause["at"])
    return timedelta() <= age <= SAME_DRIFT
