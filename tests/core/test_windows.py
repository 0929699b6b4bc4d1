"""Change windows: weekly hours, over midnight too."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest

from warden.core.windows import ChangeWindow, Span

# 2026-11-24 is a Tuesday.
NIGHT = ChangeWindow(days=frozenset({"tue", "sat"}), start=time(22, 30), hours=4)


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        (at(24, 22, 29), False),
        (at(24, 22, 30), True),
        (at(25, 2, 29), True),
        (at(25, 2, 30), False),
        (at(25, 22, 30), False),
        (at(28, 23), True),
        (at(29, 1), True),
        (at(29, 23), False),
    ],
)
def test_a_window_is_open_in_its_hours_alone(now, is_open):
    assert NIGHT.is_open(now) is is_open


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (at(24, 10), at(24, 22, 30)),
        (at(24, 23), at(24, 22, 30)),
        (at(25, 2), at(24, 22, 30)),
        (at(25, 3), at(28, 22, 30)),
        (at(29, 2, 30), at(29, 2, 30) + timedelta(days=2, hours=20)),
    ],
)
def test_the_next_opening_is_the_one_that_is_on_or_the_one_that_comes(now, start):
    assert NIGHT.next(now) == Span(start, start + timedelta(hours=4))


def test_a_window_of_one_day_comes_back_a_week_later():
    weekly = ChangeWindow(days=frozenset({"tue"}), start=time(1), hours=1)

    assert weekly.next(at(24, 2)).start == datetime(2026, 12, 1, 1, tzinfo=UTC)


def test_hours_are_utc_whatever_the_clock_shows():
    tokyo = timezone(timedelta(hours=9))

    assert NIGHT.is_open(datetime(2026, 11, 25, 8, tzinfo=tokyo))


def test_a_window_of_a_whole_day_closes_only_for_the_days_that_are_not_named():
    weekend = ChangeWindow(days=frozenset({"sat", "sun"}), start=time(0), hours=24)

    assert [weekend.is_open(at(day, 12)) for day in range(23, 30)] == [False] * 5 + [True] * 2
