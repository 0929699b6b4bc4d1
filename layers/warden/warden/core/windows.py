"""Change windows: the weekly hours in which what can disturb clients may be written."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from warden.core.dataclass import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Span:
    """One opening of a window."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWindow:
    """Some hours of some days of the week, in UTC; they may reach into the next day."""

    days: frozenset[str]
    start: time
    hours: int

    def is_open(self, now: datetime) -> bool:
        """Whether it is open at this moment."""
        span = self._begun(now)
        return span is not None and now < span.end

    def next(self, now: datetime) -> Span:
        """The opening that is on, or else the one that comes."""
        span = self._begun(now)
        if span is not None and now < span.end:
            return span
        today = now.astimezone(UTC).date()
        return next(
            self._span(datetime.combine(today + timedelta(days=ahead), self.start, UTC))
            for ahead in range(_WEEK + 1)
            if self._is_on(today + timedelta(days=ahead))
            and datetime.combine(today + timedelta(days=ahead), self.start, UTC) > now
        )

    def _begun(self, now: datetime) -> Span | None:
        """The last opening that has begun; a window is shorter than a day."""
        today = now.astimezone(UTC).date()
        for back in (0, 1):
            start = datetime.combine(today - timedelta(days=back), self.start, UTC)
            if self._is_on(start) and start <= now:
                return self._span(start)
        return None

    def _is_on(self, day: date) -> bool:
        return DAYS[day.weekday()] in self.days

    def _span(self, start: datetime) -> Span:
        return Span(start, start + timedelta(hours=self.hours))
