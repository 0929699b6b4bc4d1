"""How long a sweep may go by what an earlier one has read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from warden.controls import all_controls
from warden.core.errors import PolicyError
from warden.core.memory import LONGEST, Remembered, Trust, interval
from warden.core.policy import parse_policy

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAME = "arn:aws:rds:eu-west-1:123456789012:snapshot:orders"


def read(ago: timedelta) -> Remembered:
    return Remembered(value="[]", seen="", read_at=NOW - ago)


def trust(**members: timedelta) -> Trust:
    return Trust(now=NOW, **members)


def test_what_was_read_an_hour_ago_is_believed_unless_its_moment_came() -> None:
    believed = [
        trust().believes(f"{NAME}-{number}", read(timedelta(hours=1)), announced_at=None)
        for number in range(1000)
    ]
    assert 930 < sum(believed) < 980


def test_what_an_event_told_of_since_is_not_believed() -> None:
    kept = read(timedelta(minutes=10))
    assert trust().believes(NAME, kept, announced_at=None)
    assert not trust().believes(NAME, kept, announced_at=NOW - timedelta(minutes=5))


def test_what_was_read_while_the_event_was_on_its_way_is_not_believed_either() -> None:
    kept = read(timedelta(minutes=10))
    assert not trust().believes(NAME, kept, announced_at=NOW - timedelta(minutes=14))
    assert trust().believes(NAME, kept, announced_at=NOW - timedelta(minutes=16))


def test_what_was_read_later_than_now_is_not_believed() -> None:
    assert not trust().believes(NAME, read(timedelta(minutes=-1)), announced_at=None)


def test_nothing_is_believed_where_nothing_is_remembered() -> None:
    kept = read(timedelta(seconds=1))
    assert not trust(longest=timedelta()).believes(NAME, kept, announced_at=None)


@pytest.mark.parametrize("hours", [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 23, 24])
@pytest.mark.parametrize("longest", [LONGEST, timedelta(hours=12)])
def test_everything_is_read_afresh_within_the_time_whatever_the_schedule(
    hours: int, longest: timedelta
) -> None:
    """Sweeps that begin up to a quarter of an hour late, as EventBridge's flexible window lets them."""
    names = [f"{NAME}-{number}" for number in range(60)]
    last: dict[str, datetime] = {}
    shares: list[int] = []
    for turn in range(24 * 6 // hours):
        now = NOW + timedelta(hours=hours * turn, minutes=(turn * 7) % 15)
        view = Trust(now=now, longest=longest, interval=interval(f"rate({hours} hours)"))
        due = [
            name
            for name in names
            if name not in last
            or not view.believes(name, Remembered(value="", seen="", read_at=last[name]), announced_at=None)
        ]
        for name in due:
            if name in last:
                assert now - last[name] <= max(longest, timedelta(hours=hours)) + timedelta(minutes=30)
            last[name] = now
        shares.append(len(due))
        assert all(now - at <= longest for at in last.values())
    if hours * 4 <= longest.total_seconds() / 3600:
        # The first sweep reads everything, and no later one more than half.
        assert max(shares[1:]) <= len(names) / 2


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [("rate(1 hour)", 1), ("rate(6 hours)", 6), ("rate(24 hours)", 24), ("cron(0 4 * * ? *)", 24), ("", 24)],
)
def test_how_far_sweeps_are_apart_is_the_schedules(schedule: str, hours: int) -> None:
    assert interval(schedule) == timedelta(hours=hours)


@pytest.mark.parametrize(("hours", "expected"), [(0, timedelta()), (24, LONGEST), (6, timedelta(hours=6))])
def test_the_policy_says_for_how_long(hours: int, expected: timedelta) -> None:
    text = f"version = 1\n[requests]\nremember_hours = {hours}\n"
    policy = parse_policy(text, controls=all_controls())
    assert policy.remember == expected
    # Which is no rate, and slows nobody down who uses an emulator.
    assert not policy.requests.everywhere


def test_more_than_a_day_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"requests\.remember_hours: 25 is not between 0 and 24"):
        parse_policy("version = 1\n[requests]\nremember_hours = 25\n", controls=all_controls())
