"""A log of connections and the looks at it, in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.errors import RejectedError
from warden.core.rows import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warden.core.coverage import LogGroup
    from warden.core.open_sessions import Access, Sample
    from warden.core.rows import Look


class MemoryLooks:
    """Implements `ports.Looks`."""

    def __init__(self) -> None:
        self.looks: dict[str, Look] = {}

    def get(self, arn: str) -> Look | None:
        return self.looks.get(arn)

    def put(self, look: Look) -> None:
        self.looks[look.arn] = look


class MemorySamples:
    """Implements `ports.Samples`."""

    def __init__(self) -> None:
        self.samples: dict[str, Sample] = {}

    def get(self, arn: str) -> Sample | None:
        return self.samples.get(arn)

    def put(self, sample: Sample) -> None:
        self.samples[sample.arn] = sample


class MemoryDataApi:
    """Implements `ports.DataApi`: what the writer answers, and what it was asked."""

    def __init__(self) -> None:
        self.answer: Sequence[Sequence[Any]] | Exception = ((True, None, None, None, None, None),)
        self.asked: list[tuple[Access, str]] = []

    def rows(self, access: Access, sql: str) -> Sequence[Sequence[Any]]:
        self.asked.append((access, sql))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class MemoryConnectionLogs:
    """Implements `ports.ConnectionLogs`: who connected without TLS, and the hours of which nothing is logged."""

    def __init__(self, group: LogGroup | None = None, *instances: str) -> None:
        self.group = group
        self.instances = instances
        self.silent: set[tuple[str, datetime]] = set()
        """Instances, and the beginnings of hours in which they logged nothing."""
        self.clear: list[tuple[datetime, str]] = []
        """When somebody connected without TLS, and who."""
        self.slow = False
        """Whether queries go on running."""
        self.refusal: Exception | None = None
        """What every call is refused with."""
        self.failed = False
        """Whether queries come to nothing."""
        self.asked: list[tuple[str, str, datetime, datetime]] = []
        """The queries: the group, the query, and the time range."""

    def held(self, group: str) -> LogGroup | None:
        del group
        self._refuse()
        return self.group

    def start(self, group: str, query: str, *, begin: datetime, end: datetime) -> str:
        self._refuse()
        self.asked.append((group, query, begin, end))
        return str(len(self.asked) - 1)

    def rows(self, query_id: str) -> Found | None:
        self._refuse()
        if self.failed:
            raise RejectedError("logs:GetQueryResults: the query ended as Timeout", code="Timeout")
        if self.slow:
            return None
        _, query, begin, end = self.asked[int(query_id)]
        rows = self._covered(begin, end) if "bin(1h)" in query else self._clients(begin, end)
        return Found(rows=tuple(rows), scanned=1000)

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    def _covered(self, begin: datetime, end: datetime) -> list[dict[str, str]]:
        first = begin.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        hours = [first + timedelta(hours=index) for index in range((end - first) // timedelta(hours=1) + 1)]
        return [
            {"@logStream": f"{name}.0", "bin(1h)": f"{hour:%Y-%m-%d %H}:00:00.000", "lines": "3"}
            for name in self.instances
            for hour in hours
            if (name, hour) not in self.silent
        ]

    def _clients(self, begin: datetime, end: datetime) -> list[dict[str, str]]:
        found: dict[str, list[datetime]] = {}
        for at, who in self.clear:
            if begin <= at <= end:
                found.setdefault(who, []).append(at)
        return [
            {
                "address": "10.0.0.5",
                "who": f"user={who} database=orders",
                "connections": str(len(times)),
                "last_seen": f"{max(times):%Y-%m-%d %H:%M}:00.000",
            }
            for who, times in found.items()
        ]
