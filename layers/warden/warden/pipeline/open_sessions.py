"""Asks the writers of clusters, once an hour, which sessions are open without TLS: those that the policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warden.core import open_sessions
from warden.core.dataclass import dataclass
from warden.core.errors import MissingFactError, RefusedError, TransientError
from warden.core.resource import ResourceRef

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from warden.core.open_sessions import Access, Sample
    from warden.pipeline.ports import Clock, DataApi, Findings, Reader, Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """Made only where the policy names a cluster."""

    accesses: Sequence[Access]
    controls: Collection[str]
    """Those that ask who connects without TLS: nobody is asked while no finding of theirs is open."""
    days: int
    data_api: DataApi
    samples: Samples
    findings: Findings
    reader: Reader
    clock: Clock
    is_ours: Collection[tuple[str, str]]
    """The account and Region that this deployment governs."""

    def look(self) -> int:
        """Ask where an hour has passed; returns how many were asked."""
        now = self.clock()
        asked = 0
        for access in self.accesses:
            ref = ResourceRef.from_arn(access.cluster)
            old = self.samples.get(access.cluster)
            if (ref.account, ref.region) not in self.is_ours:
                continue
            if old is not None and now - old.at < open_sessions.EVERY:
                continue
            if (sample := self._sample(access, ref, old, now)) is not None:
                self.samples.put(sample)
                asked += 1
        return asked

    def _sample(self, access: Access, ref: ResourceRef, old: Sample | None, now: datetime) -> Sample | None:
        """One look; None where nothing is to be known."""
        try:
            resource = self.reader.read(ref, frozenset())
            known = self.findings.of_resource(resource.key)
            if not any(known[name].is_open for name in self.controls if name in known):
                return None
            sql = open_sessions.statement(resource.facts["Engine"])
            if not sql or not resource.facts["HttpEndpointEnabled"]:
                return open_sessions.failed(old, "its Data API is not enabled", arn=ref.arn, now=now)
            rows = self.data_api.rows(access, sql)
        except (RefusedError, TransientError, MissingFactError) as error:
            # Not what the database said: that is free text, and this goes into the ledger.
            said = getattr(error, "code", "") or type(error).__name__
            why = f"its writer could not be asked through the Data API: {said}"
            return open_sessions.failed(old, why, arn=ref.arn, now=now)
        return open_sessions.sampled(old, rows, arn=ref.arn, now=now, days=self.days)
