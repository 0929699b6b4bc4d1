"""How long something that failed waits before it is tried again."""

from __future__ import annotations

from datetime import timedelta

_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(hours=1)
_DOUBLINGS = 6
PARKED = timedelta(hours=6)
"""After a refusal, which a person has to look at: tried now and then, it goes on by itself once that is repaired."""


def wait(attempt: int, *, asked: float | None, jitter: float) -> timedelta:
    """The wait after the `attempt`-th failure in a row, 1 for the first: doubled each time, up to an hour.

    `asked`: seconds that the other side asked for, which are never cut short. `jitter`: 0 to 1, at most a tenth more.
    """
    doubled = min(_FIRST * (1 << min(max(attempt - 1, 0), _DOUBLINGS)), _LONGEST)
    return max(doubled * (1 + jitter / 10), timedelta(seconds=asked or 0))
