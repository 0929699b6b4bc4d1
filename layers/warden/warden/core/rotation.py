"""How often a schedule of Secrets Manager rotates: the longest time between two rotations, in days.

Secrets Manager User Guide, "Schedule expressions in Secrets Manager rotation": rate(…) in hours or days, or
cron(minutes hours day-of-month month day-of-week year), in UTC.
"""

from __future__ import annotations

import calendar
import functools
import math
import re
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Matches = Callable[[date], bool]

_RATE = re.compile(r"rate\(\s*(\d+)\s+(hour|day)s?\s*\)")
_CRON = re.compile(r"cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)")
_HOURS_A_DAY = 24
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)
}
_ANY = frozenset({"*", "?"})
# Every weekday on every day of every month, in leap years and others.
_FIRST, _LAST = date(2024, 1, 1), date(2052, 1, 1)


def longest_interval(rules: Mapping[str, Any]) -> int | None:
    """The most days between two rotations by a secret's RotationRules; None where the rules cannot be read.

    The expression first: beside it, AutomaticallyAfterDays is "calculated from the rotation schedule".
    """
    expression = rules.get("ScheduleExpression")
    if not expression:
        days = rules.get("AutomaticallyAfterDays")
        return None if days is None else int(days)
    if rate := _RATE.fullmatch(expression):
        amount = int(rate[1])
        return (amount if rate[2] == "day" else math.ceil(amount / _HOURS_A_DAY)) or None
    if cron := _CRON.fullmatch(expression):
        return _longest_gap(cron[3].upper(), cron[4].upper(), cron[5].upper(), cron[6])
    return None


@functools.cache
def _longest_gap(day_of_month: str, month: str, day_of_week: str, year: str) -> int | None:
    if year not in _ANY:
        return None  # "must be *"
    try:
        tests = (_of_month(day_of_month), _in_month(month), _of_week(day_of_week))
    except ValueError:
        return None
    days = [
        day
        for day in (_FIRST + timedelta(days=n) for n in range((_LAST - _FIRST).days))
        if all(test(day) for test in tests)
    ]
    return max(((later - earlier).days for earlier, later in pairwise(days)), default=None)


def _of_month(field: str) -> Matches:
    if field == "L":
        return lambda day: day.day == calendar.monthrange(day.year, day.month)[1]
    numbers = _numbers(field, 1, 31, {})
    return lambda day: day.day in numbers


def _in_month(field: str) -> Matches:
    numbers = _numbers(field, 1, 12, _MONTHS)
    return lambda day: day.month in numbers


def _of_week(field: str) -> Matches:
    if found := re.fullmatch(r"(\w+)#([1-5])", field):
        [weekday] = _numbers(found[1], 1, 7, _WEEKDAYS)
        nth = int(found[2])
        return lambda day: _weekday(day) == weekday and (day.day - 1) // 7 + 1 == nth
    if found := re.fullmatch(r"(\w+)L", field):
        [weekday] = _numbers(found[1], 1, 7, _WEEKDAYS)
        return lambda day: _weekday(day) == weekday and (day + timedelta(days=7)).month != day.month
    numbers = _numbers("7" if field == "L" else field, 1, 7, _WEEKDAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    """From 1 for Sunday to 7 for Saturday."""
    return day.isoweekday() % 7 + 1


def _numbers(field: str, lowest: int, highest: int, names: Mapping[str, int]) -> frozenset[int]:
    """What a field of lists, ranges and steps names; a ValueError where it is none."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in _ANY or (slash and not span):
            start, end = lowest, highest
        else:
            start = _number(first, names)
            end = _number(last, names) if dash else highest if slash else start
        if not lowest <= start <= end <= highest:
            msg = f"{part!r} is not within {lowest} and {highest}"
            raise ValueError(msg)
        found.update(range(start, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, names: Mapping[str, int]) -> int:
    return names[text] if text in names else int(text)
