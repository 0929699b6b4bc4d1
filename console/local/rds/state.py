"""What AWS keeps about a resource and moto has no place for: busy states, pending changes, extra members."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOT_LONG = timedelta(0)


class Clock(Protocol):
    """The time of the local AWS."""

    def now(self) -> datetime:
        """Return the present as an aware datetime."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present."""
        return datetime.now(tz=UTC)


class StorageEncryptionType(StrEnum):
    """How data at rest is protected, in the words of the API."""

    NONE = "none"
    SSE_RDS = "sse-rds"
    SSE_KMS = "sse-kms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """How long resources stay in the states between two others; zero means: over before the next call."""

    creating: timedelta = NOT_LONG
    modifying: timedelta = NOT_LONG
    configuring_iam_database_auth: timedelta = NOT_LONG
    copying: timedelta = NOT_LONG
    rebooting: timedelta = NOT_LONG
    deleting: timedelta = NOT_LONG
    stopping: timedelta = NOT_LONG

    @classmethod
    def like_aws(cls) -> Lifecycle:
        """Take the rough times that AWS takes, for a clock that a test moves."""
        return cls(
            creating=timedelta(minutes=5),
            modifying=timedelta(minutes=1),
            configuring_iam_database_auth=timedelta(minutes=2),
            copying=timedelta(minutes=5),
            rebooting=timedelta(minutes=1),
            deleting=timedelta(minutes=5),
            stopping=timedelta(minutes=5),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """A status that a resource reports until a moment, or until it is released."""

    status: str
    until: datetime | None = None


@dataclass(slots=True)
class Extras:
    """The part of one resource's state that moto does not hold."""

    encryption: StorageEncryptionType = StorageEncryptionType.NONE
    busy: Busy | None = None
    waiting: dict[str, Any] = field(default_factory=dict)
    applying: dict[str, Any] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)
    apply_status: str = "in-sync"
    cluster_apply_status: str = "in-sync"
    backtracks: bool = False
    """Whether a cluster was created with backtracking, so that its window may change."""
    certified: datetime | None = None
    """When the present certificate authority first gave a certificate, where that was not at birth."""


def extras(resource: Any) -> Extras:
    """Give the extras of a resource of moto's; they live and die with the resource itself."""
    found: Extras = vars(resource).setdefault("_extras", Extras())
    return found


class Agenda:
    """What the local AWS will have done at later moments of its clock."""

    def __init__(self) -> None:
        """Start with nothing to do."""
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Have something done at a moment."""
        heapq.heappush(self._due, (moment, next(self._order), action))

    def run(self, now: datetime) -> None:
        """Do everything that is due, in order, and whatever that makes due."""
        for action in self._pop(now):
            action()

    def clear(self) -> None:
        """Forget everything."""
        self._due.clear()

    def last(self) -> datetime | None:
        """Say when the last thing now planned is due."""
        return max((moment for moment, _, _ in self._due), default=None)

    def _pop(self, now: datetime) -> Iterator[Callable[[], None]]:
        while self._due and self._due[0][0] <= now:
            yield heapq.heappop(self._due)[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvent:
    """An RDS service event before it has its envelope."""

    event_id: str
    resource_arn: str
    message: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A service event, and when it happened."""

    at: datetime
    event: ServiceEvent


@dataclass(slots=True, kw_only=True)
class World:
    """What every operation shares: the time, what is to come, and where events go."""

    clock: Clock
    announce: Callable[[ServiceEvent], None]
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    agenda: Agenda = field(default_factory=Agenda)
    lenient: bool = False
    told: list[Told] = field(default_factory=list)
    """Every service event so far, for whoever asks what happened."""

    def now(self) -> datetime:
        """Return the present as an aware datetime."""
        return self.clock.now()

    def status_of(self, resource: Any, otherwise: str) -> str:
        """Say what a resource reports: the busy state that still holds, or else its resting status."""
        busy = extras(resource).busy
        if busy is None or (busy.until is not None and busy.until <= self.now()):
            return otherwise
        return busy.status

    def occupy(
        self, resource: Any, status: str, duration: timedelta, then: Callable[[], None] | None = None
    ) -> None:
        """Keep a resource busy for a while, then do the rest; with no duration the rest is due at once."""
        until = self.now() + duration
        if duration:
            extras(resource).busy = Busy(status=status, until=until)
        if then is not None:
            self.agenda.at(until, then)

    def tell(self, event_id: str, resource: Any, **message: str) -> None:
        """Send an RDS service event about a resource, with the tags it has at this moment."""
        tags = {tag["Key"]: tag["Value"] for tag in getattr(resource, "tags", [])}
        event = ServiceEvent(event_id=event_id, resource_arn=resource.arn, message=message, tags=tags)
        self.told.append(Told(at=self.now(), event=event))
        self.announce(event)
