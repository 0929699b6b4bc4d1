"""What a sweep remembers of reads that AWS answers one by one, and for how long that may be believed.

Beside `Resource` in the flow. A remembered fact can confirm what is kept of a resource, and lead to nothing else:
whatever would change a finding, tell somebody or hand something over is read afresh first (`pipeline.visit`).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from warden.core.dataclass import dataclass
from warden.core.resource import ResourceType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from warden.core.policy_values import PolicyValues

REMEMBERED_TYPES = frozenset(
    {
        ResourceType.DB_CLUSTER_SNAPSHOT,
        ResourceType.DB_SNAPSHOT,
        ResourceType.DB_CLUSTER_PARAMETER_GROUP,
        ResourceType.DB_PARAMETER_GROUP,
    }
)
"""What is remembered: events tell of each change, and RDS answers no more than some twelve requests a second."""

LONGEST = timedelta(hours=24)
_SHARE = 23 / 24
"""Of that time, after which a thing is due: a sweep that begins an hour late finds it due all the same."""
_LATE = timedelta(minutes=30)
_UNDER_WAY = timedelta(minutes=5)
"""So long after an event an answer may be one from before it."""
_PHASES = 2**32
_RATE = re.compile(r"rate\(([0-9]{1,2}) hours?\)")


class Recalled(NamedTuple):
    """A fact from memory, and not from AWS."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What AWS said of a thing, when, and what the list page said of it then."""

    value: Any
    seen: str
    """What tells one thing from a later one of the same name."""
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How far memory is believed at a moment."""

    now: datetime
    longest: timedelta = LONGEST
    """Everything is read afresh within so long; nothing is remembered where it is zero."""
    interval: timedelta = timedelta()
    """So long it takes until the next sweep."""

    def believes(self, name: str, remembered: Remembered, *, announced_at: datetime | None) -> bool:
        """Whether a thing need not be read now.

        Each has a moment of its own within the time, by its name, so that each sweep reads a share of all, and not one
        sweep of four all of it.
        """
        read_at = remembered.read_at
        if announced_at is not None and read_at <= announced_at + _UNDER_WAY:
            return False
        age = self.now - read_at
        if not self.longest or age < timedelta() or age + self.interval > self.longest + _LATE:
            return False
        spacing = self.longest * _SHARE
        own = spacing * (crc32(name.encode()) / _PHASES)
        return _turns(read_at, spacing, own) == _turns(self.now, spacing, own)


def _turns(at: datetime, spacing: timedelta, own: timedelta) -> int:
    return int((at.timestamp() + own.total_seconds()) // spacing.total_seconds())


def interval(schedule: str) -> timedelta:
    """The time between two sweeps of a schedule of EventBridge Scheduler, such as `rate(6 hours)`.

    Of a `cron` it may be anything: a day then, so that each sweep reads everything.
    """
    found = _RATE.fullmatch(schedule)
    return timedelta(hours=int(found[1])) if found else LONGEST


def read_remembering(document: Mapping[str, Any], values: PolicyValues) -> timedelta:
    """`requests.remember_hours` of a policy file; raises PolicyError."""
    table = values.table(document, "requests")
    longest = int(LONGEST.total_seconds()) // 3600
    return timedelta(hours=values.number(table, "requests.remember_hours", longest, low=0, high=longest))
