"""When to look again at a resource that could not be written to now."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST = timedelta(minutes=5)
LONGEST = timedelta(hours=1)
PATIENCE = timedelta(days=1)
"""After so long a person is told; looking goes on."""


def next_due(now: datetime, *, attempt: int, jitter: float) -> datetime:
    """Five minutes, doubled with each vain attempt up to an hour, and up to a fifth more by `jitter` in [0, 1)."""
    wait = min(FIRST * (1 << min(attempt, 10)), LONGEST)
    return now + wait + wait * 0.2 * jitter


def is_overdue(now: datetime, *, first_at: datetime) -> bool:
    """Whether it has waited for longer than a person should be left in the dark."""
    return now - first_at >= PATIENCE
