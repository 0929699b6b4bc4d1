"""Schedule expressions of EventBridge: `rate(…)`, `at(…)` and the six fields of `cron(…)`."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    DayTest = Callable[[date], bool]

_RATE: Final = re.compile(r"(\d+) (minute|minutes|hour|hours|day|days)")
_AT: Final = "%Y-%m-%dT%H:%M:%S"
_UNITS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS: Final = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)
}
_FIELDS: Final = 6
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
_WEEK: Final = 7
_WEEKS_OF_A_MONTH: Final = 5


class InvalidExpressionError(ValueError):
    """A schedule expression that EventBridge would refuse."""


class Expression(Protocol):
    """When a schedule is due."""

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first occurrence strictly after an instant, in UTC; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """A fixed interval, counted from the moment the schedule starts; that moment is its first occurrence."""

    interval: timedelta
    start: datetime

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the next multiple of the interval after the start."""
        if instant < self.start:
            return self.start
        return self.start + self.interval * ((instant - self.start) // self.interval + 1)


@dataclass(frozen=True, slots=True)
class At:
    """One instant."""

    instant: datetime

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the instant until it has passed."""
        return self.instant if self.instant > instant else None


@dataclass(frozen=True, slots=True)
class Cron:
    """The six fields of a cron expression, read in a time zone."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    is_day: DayTest = field(repr=False)
    months: tuple[int, ...]
    years: tuple[int, ...]
    zone: tzinfo

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the next local time that the fields describe; a time that the clocks skip does not occur."""
        local = instant.astimezone(self.zone)
        day = local.date()
        while day.year <= self.years[-1]:
            if day.year in self.years and day.month in self.months and self.is_day(day):
                for hour in self.hours:
                    for minute in self.minutes:
                        candidate = self._utc(day, hour, minute)
                        if candidate is not None and candidate > instant:
                            return candidate
            day = self._following(day)
        return None

    def _following(self, day: date) -> date:
        """Return the next day worth a look, past months and years that are out of the question."""
        if day.year not in self.years:
            return date(min((year for year in self.years if year > day.year), default=day.year + 1), 1, 1)
        if day.month not in self.months:
            return date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return day + timedelta(days=1)

    def _utc(self, day: date, hour: int, minute: int) -> datetime | None:
        # fold stays 0, so a time that comes twice in autumn occurs once, as EventBridge Scheduler has it.
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
        utc = local.astimezone(UTC)
        exists = utc.astimezone(self.zone).replace(tzinfo=None) == local.replace(tzinfo=None)
        return utc if exists else None


def parse_expression(text: str, *, start: datetime, timezone: str = "UTC") -> Expression:
    """Read a schedule expression; `start` is when the schedule begins, which is what a rate counts from."""
    kind, opened, inside = text.partition("(")
    if not opened or not inside.endswith(")"):
        raise InvalidExpressionError(f"not a schedule expression: {text!r}")
    inside = inside[:-1]
    zone: tzinfo
    try:
        zone = UTC if timezone == "UTC" else ZoneInfo(timezone)  # UTC needs no time zone database
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidExpressionError(f"no such time zone: {timezone!r}") from error
    if kind == "rate":
        return Rate(interval=_interval(inside), start=start)
    if kind == "at":
        return At(instant=_instant(inside, zone))
    if kind == "cron":
        return _cron(inside, zone)
    raise InvalidExpressionError(f"not a schedule expression: {text!r}")


def _interval(text: str) -> timedelta:
    match = _RATE.fullmatch(text)
    if match is None:
        raise InvalidExpressionError(f"rate needs a value and a unit, as in rate(5 minutes): {text!r}")
    value, unit = int(match[1]), match[2]
    if value < 1:
        raise InvalidExpressionError(f"a rate is at least 1: {text!r}")
    if (value == 1) == unit.endswith("s"):
        raise InvalidExpressionError(
            f"rate(1 {unit.rstrip('s')}) is singular and every other rate plural: {text!r}"
        )
    return timedelta(seconds=value * _UNITS[unit.rstrip("s")])


def _instant(text: str, zone: tzinfo) -> datetime:
    try:
        return datetime.strptime(text, _AT).replace(tzinfo=zone).astimezone(UTC)
    except ValueError as error:
        raise InvalidExpressionError(f"at needs yyyy-mm-ddThh:mm:ss: {text!r}") from error


def _cron(text: str, zone: tzinfo) -> Cron:
    fields = text.split()
    if len(fields) != _FIELDS:
        raise InvalidExpressionError(f"cron has six fields, not {len(fields)}: {text!r}")
    minutes, hours, day_of_month, month, day_of_week, years = (item.upper() for item in fields)
    if (day_of_month == "?") == (day_of_week == "?"):
        raise InvalidExpressionError(f"exactly one of day-of-month and day-of-week must be '?': {text!r}")
    return Cron(
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        is_day=_day_of_week(day_of_week) if day_of_month == "?" else _day_of_month(day_of_month),
        months=_numbers(month, 1, 12, names=_MONTHS),
        years=_numbers(years, _FIRST_YEAR, _LAST_YEAR),
        zone=zone,
    )


def _numbers(text: str, low: int, high: int, *, names: Mapping[str, int] | None = None) -> tuple[int, ...]:
    """Read a field of numbers: `*`, lists, ranges and steps."""
    found: set[int] = set()
    size = high - low + 1
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if slash and (not step.isdecimal() or int(step) < 1):
            raise InvalidExpressionError(f"a step is a positive number: {part!r}")
        start = low if span == "*" else _number(first, low, high, names)
        end = _number(last, low, high, names) if dash else start
        if not dash and (slash or span == "*"):  # 5/10 goes on to the end
            end = high
        # FRI-MON and 22-4 go on past the end, at the beginning.
        found |= {
            low + (start - low + offset) % size
            for offset in range(0, (end - start) % size + 1, int(step or 1))
        }
    return tuple(sorted(found))


def _number(text: str, low: int, high: int, names: Mapping[str, int] | None) -> int:
    value = (names or {}).get(text, int(text) if text.isdecimal() else -1)
    if not low <= value <= high:
        raise InvalidExpressionError(f"{text!r} is not between {low} and {high}")
    return value


def _day_of_month(text: str) -> DayTest:
    if text == "L":
        return lambda day: day.day == _length(day)
    if text.endswith("W"):
        if text == "LW":
            return lambda day: day == _nearest_weekday(day, _length(day))
        wanted = _number(text[:-1], 1, 31, None)
        return lambda day: wanted <= _length(day) and day == _nearest_weekday(day, wanted)
    days = _numbers(text, 1, 31)
    return lambda day: day.day in days


def _day_of_week(text: str) -> DayTest:
    name, hash_sign, nth = text.partition("#")
    if hash_sign:
        wanted, week = _number(name, 1, 7, _DAYS), _number(nth, 1, _WEEKS_OF_A_MONTH, None)
        return lambda day: _weekday(day) == wanted and (day.day - 1) // _WEEK + 1 == week
    if text == "L":
        return lambda day: _weekday(day) == _DAYS["SAT"]
    if text.endswith("L"):
        last = _number(text[:-1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == last and day.day > _length(day) - _WEEK
    days = _numbers(text, 1, 7, names=_DAYS)
    return lambda day: _weekday(day) in days


def _weekday(day: date) -> int:
    return day.isoweekday() % _WEEK + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int) -> date:
    """Return the weekday nearest to a day of a month, without leaving the month."""
    target = day.replace(day=wanted)
    shifts: Sequence[int] = {6: (-1, 2), 7: (1, -2)}.get(target.isoweekday(), (0,))
    return next(
        shifted for shift in shifts if (shifted := target + timedelta(days=shift)).month == target.month
    )
