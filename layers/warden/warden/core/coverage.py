"""Coverage: whether a log was written and delivered in every hour of a cycle, by everything that could have written it.

That no client was seen proves something only of hours in which clients would have been seen. Each hour must hold lines
of connections of each instance that existed then; AWS's own connections leave such lines, so that a database without
clients has them too. An hour without any is an hour without a log.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from warden.core import connection_lines
from warden.core.dataclass import dataclass
from warden.core.kinds import Need
from warden.core.preflight import MOST_CLIENTS, Answer, Outcome
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from warden.core.connection_lines import Lines
    from warden.core.resource import Resource

_HOUR = timedelta(hours=1)
LAG = timedelta(minutes=30)
"""So long a line may be on its way to CloudWatch Logs; AWS names no bound. Of later hours an answer says nothing."""
_BIN = "bin(1h)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a look is about: whole hours that must be covered, then those whose lines may still be on their way."""

    begin: datetime
    until: datetime
    """The end of the last hour that must be covered."""
    at: datetime
    """When the look was made: clients are looked for up to then."""

    @property
    def hours(self) -> tuple[datetime, ...]:
        """The beginnings of the hours that must be covered."""
        number = (self.until - self.begin) // _HOUR
        return tuple(self.begin + _HOUR * index for index in range(number))


def cycle(now: datetime, days: int) -> Span:
    """A whole cycle up to the last hour that should have been delivered."""
    until = _hour(now - LAG)
    return Span(begin=until - timedelta(days=days), until=until, at=now)


def since(last: Span, now: datetime) -> Span:
    """What has come since a look: the hours that it could not vouch for, and all later ones."""
    return Span(begin=last.until, until=max(_hour(now - LAG), last.until), at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """What CloudWatch Logs tells of a log group."""

    created: datetime
    retention: int | None
    """In days; None where it keeps everything."""
    size: int
    """In bytes."""

    def lacks(self, span: Span) -> str:
        """Why it does not hold everything of a span, as a clause; empty where it may."""
        if self.created > span.begin:
            return f"its log group exists since {self.created:%Y-%m-%d %H:%M} UTC only"
        if self.retention is not None and span.at - timedelta(days=self.retention) > span.begin:
            return f"its log group keeps {self.retention} days only"
        return ""

    def to_scan(self, span: Span) -> int:
        """About how many bytes a query of a span scans."""
        kept = span.at - self.created
        if self.retention is not None:
            kept = min(kept, timedelta(days=self.retention))
        share = (span.at - span.begin) / kept if kept > timedelta(0) else 1.0
        return int(self.size * min(share, 1.0))


def judge(
    lines: Lines,
    span: Span,
    *,
    coverage: Sequence[Mapping[str, str]],
    clients: Sequence[Mapping[str, str]],
    resource: Resource,
    lacks: str = "",
) -> Answer:
    """The answer, from the rows of the two queries; `lacks` says why the log group is too short for the span."""
    why = lacks or _younger(resource, span) or _gap(coverage, span, _instances(resource))
    seen = tuple(lines.client(row) for row in clients)
    outcome = Outcome.SEEN if seen else Outcome.UNKNOWN if why else Outcome.NONE_SEEN
    return Answer(
        outcome=outcome,
        why=why,
        days=round((span.until - span.begin) / timedelta(days=1)),
        source=connection_lines.log_group(resource),
        until=span.until.astimezone(UTC).isoformat(),
        clients=seen,
        limited=len(clients) >= MOST_CLIENTS,
    )


def _instances(resource: Resource) -> dict[str, datetime]:
    """The instances whose logs must be there, each with its creation."""
    if resource.ref.resource_type is ResourceType.DB_INSTANCE:
        return {str(resource.facts["DBInstanceIdentifier"]): _born(resource)}
    made = {
        one["DBInstanceIdentifier"]: one.get("InstanceCreateTime") for one in resource.facts[Need.MEMBERS]
    }
    return {
        str(one["DBInstanceIdentifier"]): made.get(one["DBInstanceIdentifier"])
        or datetime(1970, 1, 1, tzinfo=UTC)
        for one in resource.facts["DBClusterMembers"]
    }


def _born(resource: Resource) -> datetime:
    cluster = resource.ref.resource_type is ResourceType.DB_CLUSTER
    return connection_lines.born(resource.facts, "ClusterCreateTime" if cluster else "InstanceCreateTime")


def _younger(resource: Resource, span: Span) -> str:
    """A database that is younger than the span may have the name, and the log group, of one that is gone."""
    made = _born(resource)
    # A look at the hours since another look need not be about a whole cycle.
    return f"it exists since {made:%Y-%m-%d %H:%M} UTC only" if made > span.begin else ""


def _gap(coverage: Sequence[Mapping[str, str]], span: Span, instances: Mapping[str, datetime]) -> str:
    """Why not every hour of a span is covered, as a clause; empty where each is."""
    if not instances:
        return "it has no instances whose logs could be read"
    if len(coverage) >= connection_lines.MOST_ROWS:
        return "its log has more rows of hours and instances than one query returns"
    if not coverage and span.hours:
        return "its log holds no connection at all"
    logged: dict[str, set[datetime]] = {}
    for row in coverage:
        # "orders-1.0": the name of the instance, and a number.
        stream = row.get("@logStream", "")
        logged.setdefault(stream.rpartition(".")[0] or stream, set()).add(_read(row[_BIN]))
    every = set().union(*logged.values()) if logged else set()
    wanted = {name: _wanted(span, made) for name, made in instances.items()}
    # Of an instance that is gone nothing is known but its lines: they must not be interrupted.
    wanted |= {
        name: [hour for hour in span.hours if min(hours) <= hour <= max(hours)]
        for name, hours in logged.items()
        if name not in wanted
    }
    for name, hours in sorted(wanted.items()):
        if why := _missing(name, [hour for hour in hours if hour not in logged.get(name, ())], len(hours)):
            return why
    return _missing("no instance", [hour for hour in span.hours if hour not in every], len(span.hours))


def _wanted(span: Span, made: datetime) -> list[datetime]:
    """The hours in which an instance must have logged: none before its first whole hour has passed."""
    first = _hour(made) + 2 * _HOUR if made > span.begin else span.begin
    return [hour for hour in span.hours if hour >= first]


def _missing(name: str, absent: Iterable[datetime], number: int) -> str:
    if not (hours := list(absent)):
        return ""
    verb = "logged a connection" if name == "no instance" else "logged no connection"
    many = f"{len(hours)} of {number} hour{'' if number == 1 else 's'}"
    return f"{name} {verb} in {many}, such as that from {hours[0]:%Y-%m-%d %H:%M} UTC"


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _read(value: str) -> datetime:
    """The value of bin(1h), as `2026-11-24 16:00:00.000`."""
    return _hour(datetime.fromisoformat(value).replace(tzinfo=UTC))
