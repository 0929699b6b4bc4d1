"""The longest time between two rotations, by every way in which a schedule can be written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.core.database_secrets import Days
from warden.core.resource import Facts
from warden.core.rotation import longest_interval


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("rate(4 hours)", 1),
        ("rate(25 hours)", 2),
        ("rate(1 day)", 1),
        ("rate(30 days)", 30),
        ("cron(0 /8 * * ? *)", 1),
        ("cron(0 0 1 * ? *)", 31),
        ("cron(0 8 1,15 * ? *)", 17),
        ("cron(0 0 */10 * ? *)", 10),
        ("cron(0 0 L * ? *)", 31),
        ("cron(0 0 1 */3 ? *)", 92),
        ("cron(0 0 1 JAN,JUL ? *)", 184),
        ("cron(0 0 1 1 ? *)", 366),
        ("cron(0 0 29 2 ? *)", 1461),
        ("cron(0 0 ? * SUN *)", 7),
        ("cron(0 0 ? * sat,sun *)", 6),
        ("cron(0 0 ? * MON-FRI *)", 3),
        ("cron(0 0 ? * L *)", 7),
        ("cron(0 10 ? * 1#1 *)", 35),
        ("cron(0 10 ? * MON#5 *)", 119),
        ("cron(0 16 ? 2/3 5L *)", 98),
        ("cron(0 16 ? * FRIL *)", 35),
    ],
)
def test_a_schedule_leaves_at_most_so_many_days(expression: str, days: int) -> None:
    assert longest_interval({"ScheduleExpression": expression}) == days


@pytest.mark.parametrize(
    "expression",
    [
        "at(noon)",
        "rate(0 days)",
        "rate(2 weeks)",
        "cron(0 0 1 * ?)",
        "cron(0 0 1 * ? 2027)",
        "cron(0 0 32 * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 5-3 * ? *)",
        "cron(0 0 1W * ? *)",
        "cron(0 0 1 FOO ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 ? * MON-TUE#1 *)",
        "cron(0 0 */0 * ? *)",
        "cron(0 0 30 2 ? *)",
    ],
)
def test_a_schedule_that_cannot_be_read_is_unknown(expression: str) -> None:
    assert longest_interval({"ScheduleExpression": expression}) is None


def test_the_expression_counts_before_the_days_that_are_calculated_from_it() -> None:
    assert longest_interval({"ScheduleExpression": "rate(60 days)", "AutomaticallyAfterDays": 7}) == 60
    assert longest_interval({"AutomaticallyAfterDays": 7}) == 7
    assert longest_interval({}) is None


@given(st.text(alphabet="0123456789*?,-/#LW SUNMON", max_size=20))
def test_no_field_breaks_the_reader(field: str) -> None:
    days = longest_interval({"ScheduleExpression": f"cron(0 0 ? * {field} *)"})
    assert days is None or days >= 1


@pytest.mark.parametrize("value", [0, 1001, True, "7", 7.0, None])
def test_the_guard_takes_days_alone(value: Any) -> None:
    assert Days().refusal(value, Facts({})) is not None
    assert Days().refusal(7, Facts({})) is None
