"""The time of the local AWS: it stands still until somebody moves it.

Delays, visibility timeouts and schedules are weeks of waiting in AWS and must be instants in a test or demo,
so nothing in this package reads the machine's clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class MovableClock:
    """A clock that only ever moves forward, and only when it is told to."""

    __slots__ = ("_now",)

    def __init__(self, start: datetime = EPOCH) -> None:
        self._now = _aware(start)

    def __call__(self) -> datetime:
        """Return the present, so that the clock itself serves wherever a `() -> datetime` is wanted."""
        return self._now

    def __repr__(self) -> str:
        return f"MovableClock({self._now.isoformat()})"

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move forward by so many seconds and return the new present."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back: {seconds} seconds")
        self._now += timedelta(seconds=seconds)
        return self._now

    def move_to(self, instant: datetime) -> datetime:
        """Move forward to an instant; the past is refused, because what was sent would lie in the future."""
        instant = _aware(instant)
        if instant < self._now:
            raise ValueError(
                f"a clock does not go back: {instant.isoformat()} is before {self._now.isoformat()}"
            )
        self._now = instant
        return self._now


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"a naive datetime says no instant: {instant.isoformat()}")
    return instant.astimezone(UTC)
