"""The token bucket: whatever is asked, and by whom, no more is granted than the rate allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from warden.core.tokens import Draw, Rate, Tokens

NOW = 1_800_000_000.0
RATE = Rate(per_second=3, burst=30)


def granted(draws, rate=RATE):
    """What draws at moments get, each as seconds and tokens."""
    bucket, got = Tokens.full(rate, NOW), []
    for at, draw in draws:
        bucket, number, _ = bucket.drawn(rate, draw, NOW + at)
        got.append((at, number))
    return got


@given(
    st.lists(
        st.tuples(st.floats(0, 300), st.builds(Draw, most=st.integers(1, 20), leave=st.integers(0, 20))),
        max_size=80,
    )
)
def test_in_no_span_of_time_more_is_granted_than_the_burst_and_the_rate(draws):
    got = granted(sorted(draws, key=lambda one: one[0]))

    for first, _ in got:
        for last, _ in got:
            if first <= last:
                among = sum(number for at, number in got if first <= at <= last)
                assert among <= RATE.burst + RATE.per_second * (last - first) + 1e-6


def test_who_is_told_to_wait_is_granted_all_of_it_then():
    draw = Draw(most=10)
    empty = Tokens(left=0.0, at=NOW)
    _, none, wait = empty.drawn(RATE, draw, NOW)
    _, number, _ = empty.drawn(RATE, draw, NOW + wait)

    assert (none, number) == (0, 10)


def test_who_is_in_no_hurry_leaves_some():
    got = granted([(0, Draw(most=10, leave=10))] * 3 + [(0, Draw(most=5))] * 3)

    assert [number for _, number in got] == [10, 10, 0, 5, 5, 0]


def test_a_burst_smaller_than_what_is_asked_stops_nobody():
    rate = Rate(per_second=1, burst=4)
    empty = Tokens(left=0.0, at=NOW)
    _, _, wait = empty.drawn(rate, Draw(most=10, leave=10), NOW)
    _, number, _ = empty.drawn(rate, Draw(most=10, leave=10), NOW + wait)

    assert number == 4


def test_after_a_throttling_it_is_empty_and_half_as_fast_and_recovers():
    slow = Tokens.full(RATE, NOW).throttled(RATE, NOW)

    assert slow.left == 0
    assert slow.refilled(RATE, NOW + 2).left == 2 * RATE.per_second / 2
    assert slow.throttled(RATE, NOW).refilled(RATE, NOW + 4).left == 4 * RATE.per_second / 4
    assert slow.refilled(RATE, NOW + 60).slowed == 1


def test_a_clock_that_runs_behind_takes_nothing_away_and_gives_nothing():
    bucket = Tokens(left=5.0, at=NOW)

    assert bucket.refilled(RATE, NOW - 60) == bucket
