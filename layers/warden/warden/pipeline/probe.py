"""The probe's two ends: its event becomes a finding, and whoever has the clock misses the finding that did not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import probe
from warden.core.dataclass import dataclass
from warden.core.errors import ResourceGoneError
from warden.core.trigger import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warden.core.resource import ResourceRef
    from warden.core.trigger import Cause
    from warden.pipeline.ports import Clock, Findings, ProbeGroup, Watch
    from warden.pipeline.visit import Visit, Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Visits the probe as anything else is visited, with a judge that knows one control and only observes."""

    ref: ResourceRef
    group: ProbeGroup
    visitor: Visitor

    def look(self, causes: Sequence[Cause]) -> Visit | None:
        """Judge it for what CloudTrail tells; None where something else tells, or it is gone with its stack.

        RDS's own events, which need no trail, would open the same finding and hide that the trail is silent.
        """
        told = [cause for cause in causes if cause.source is Source.CLOUDTRAIL]
        if not told:
            return None
        try:
            resource = self.group.read(self.ref)
        except ResourceGoneError:
            return None
        return self.visitor.visit(resource, max(told, key=lambda cause: cause.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeWatch:
    """Looks every few minutes whether the last finding of the probe is too old."""

    ref: ResourceRef
    findings: Findings
    watch: Watch
    clock: Clock

    def look(self) -> probe.Proof:
        """What is proved now; a deployment that is new has until its first drift."""
        now = self.clock()
        finding = self.findings.of_resource(probe.key_of(self.ref)).get(probe.CONTROL.id)
        since = now
        if finding is None:
            begun = self.watch.since()
            if begun is None:
                self.watch.begin(now)
            since = begun or now
        return probe.proof(finding, watched_since=since, now=now)
