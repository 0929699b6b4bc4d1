"""What a log proves about a cycle, and what it does not: no line is no proof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controls.items import CLUSTER, INSTANCE
from warden.core import coverage
from warden.core.connection_lines import MOST_ROWS, POSTGRESQL
from warden.core.coverage import LogGroup
from warden.core.kinds import Need
from warden.core.preflight import MOST_CLIENTS, Answer, Outcome
from warden.core.resource import Facts, Resource, ResourceRef

NOW = datetime(2026, 11, 24, 17, 10, tzinfo=UTC)
OLD = datetime(2026, 1, 1, tzinfo=UTC)
SPAN = coverage.cycle(NOW, 14)
HOUR = timedelta(hours=1)


def rows(
    name: str = "orders-1", *, begin: datetime = SPAN.begin, until: datetime = SPAN.until
) -> list[dict[str, str]]:
    return [
        {"@logStream": f"{name}.0", "bin(1h)": f"{begin + HOUR * index:%Y-%m-%d %H}:00:00.000", "lines": "9"}
        for index in range((until - begin) // HOUR)
    ]


def cluster(made: datetime | None = OLD, **members: datetime | None) -> Resource:
    names = members or {"orders-1": OLD}
    names = {name.replace("_", "-"): born for name, born in names.items()}
    facts: dict[str, Any] = {
        **CLUSTER,
        "ClusterCreateTime": made,
        "Engine": "aurora-postgresql",
        "DBClusterMembers": [{"DBInstanceIdentifier": name} for name in names],
        Need.MEMBERS: [
            {"DBInstanceIdentifier": name, **({"InstanceCreateTime": born} if born else {})}
            for name, born in names.items()
        ],
    }
    ref = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:orders")
    return Resource(ref=ref, key="k", facts=Facts(facts), tags={}, observed_at=NOW)


def judged(covered: list[dict[str, str]], resource: Resource | None = None, **other: Any) -> Answer:
    given: dict[str, Any] = {"clients": [], "resource": resource or cluster(), **other}
    return coverage.judge(POSTGRESQL, given.pop("span", SPAN), coverage=covered, **given)


def test_a_cycle_ends_with_the_last_hour_whose_lines_have_had_time_to_come() -> None:
    assert SPAN.until == datetime(2026, 11, 24, 16, tzinfo=UTC)
    assert SPAN.until - SPAN.begin == timedelta(days=14)
    assert coverage.cycle(NOW + timedelta(minutes=25), 14).until == SPAN.until + HOUR
    assert len(SPAN.hours) == 14 * 24


def test_the_time_since_a_look_begins_where_that_could_not_vouch_any_more() -> None:
    later = coverage.since(SPAN, NOW + timedelta(hours=2))
    assert (later.begin, later.until) == (SPAN.until, SPAN.until + 2 * HOUR)
    assert coverage.since(SPAN, NOW).hours == ()
    assert coverage.since(SPAN, NOW - timedelta(days=1)).until == SPAN.until


def test_nobody_was_seen_where_every_instance_logged_in_every_hour() -> None:
    answer = judged(rows() + rows("orders-2"), cluster(orders_1=OLD, orders_2=OLD))
    assert answer.is_clean
    assert (answer.days, answer.until) == (14, "2026-11-24T16:00:00+00:00")
    assert answer.source.endswith("/postgresql")


WITHOUT_AN_HOUR = [row for row in rows() if "2026-11-20 03" not in row["bin(1h)"]]


@pytest.mark.parametrize(
    ("covered", "resource", "why"),
    [
        ([], cluster(), "its log holds no connection at all"),
        (
            WITHOUT_AN_HOUR,
            cluster(),
            "orders-1 logged no connection in 1 of 336 hours, such as that from 2026-11-20 03",
        ),
        (rows(begin=SPAN.begin + HOUR), cluster(), "such as that from 2026-11-10 16:00"),
        (rows(until=SPAN.until - HOUR), cluster(), "such as that from 2026-11-24 15:00"),
        (rows(), cluster(orders_1=OLD, orders_2=OLD), "orders-2 logged no connection in 336 of 336 hours"),
        (rows(), cluster(orders_1=None, orders_2=None), "orders-2 logged no connection"),
        (rows(), cluster(made=NOW - timedelta(days=13)), "it exists since 2026-11-11"),
        (rows("orders-0"), cluster(), "orders-1 logged no connection"),
        (
            WITHOUT_AN_HOUR,
            cluster(orders_1=NOW - timedelta(days=1)),
            "no instance logged a connection in 1 of 336",
        ),
        (rows() * (MOST_ROWS // len(rows()) + 1), cluster(), "more rows"),
        # A reader that is gone since had an hour without a log while it was there.
        (
            rows()
            + [
                row
                for row in rows("orders-9", until=SPAN.until - 24 * HOUR)
                if "-20 03" not in row["bin(1h)"]
            ],
            cluster(),
            "orders-9 logged no connection in 1 of 312",
        ),
    ],
)
def test_what_is_not_proven_to_have_been_logged_is_unknown(
    covered: list[dict[str, str]], resource: Resource, why: str
) -> None:
    answer = judged(covered, resource)
    assert answer.outcome is Outcome.UNKNOWN
    assert why in answer.sentence


def test_an_instance_answers_for_the_hours_since_its_creation_and_others_for_those_before() -> None:
    born = datetime(2026, 11, 22, 9, 40, tzinfo=UTC)
    new = rows("orders-2", begin=datetime(2026, 11, 22, 11, tzinfo=UTC))
    assert judged(rows() + new, cluster(orders_1=OLD, orders_2=born)).is_clean
    assert not judged(rows() + new[1:], cluster(orders_1=OLD, orders_2=born)).is_clean
    replaced = rows("orders-0", until=datetime(2026, 11, 22, 11, tzinfo=UTC)) + new
    assert judged(replaced, cluster(orders_2=born)).is_clean


def test_a_stand_alone_instance_answers_for_itself() -> None:
    facts = {**INSTANCE, "Engine": "postgres", "DBInstanceIdentifier": "billing", "InstanceCreateTime": OLD}
    ref = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:db:billing")
    resource = Resource(ref=ref, key="k", facts=Facts(facts), tags={}, observed_at=NOW)
    assert judged(rows("billing"), resource).is_clean
    young = Resource(
        ref=ref, key="k", facts=Facts({**facts, "InstanceCreateTime": NOW}), tags={}, observed_at=NOW
    )
    assert "it exists since" in judged(rows("billing"), young).why


def test_clients_count_however_little_else_is_known_and_it_is_said_that_there_may_be_others() -> None:
    row = {"address": "10.0.0.5", "who": "user=app", "connections": "7", "last_seen": "1795539600000"}
    assert judged(rows(), clients=[row]).why == ""
    answer = judged([], clients=[row], lacks="its log group keeps 7 days only")
    assert (answer.outcome, answer.why) == (Outcome.SEEN, "its log group keeps 7 days only")
    assert judged(rows(), clients=[row] * MOST_CLIENTS).limited


def test_the_time_since_a_look_needs_no_hour_that_has_not_passed() -> None:
    assert judged([], span=coverage.since(SPAN, NOW + timedelta(minutes=10))).is_clean
    late = coverage.since(SPAN, NOW + timedelta(hours=3))
    assert judged([], span=late).outcome is Outcome.UNKNOWN
    assert judged(rows(begin=late.begin, until=late.until), span=late).is_clean


@pytest.mark.parametrize(
    ("created", "retention", "why"),
    [
        (OLD, None, ""),
        (OLD, 30, ""),
        (SPAN.begin, None, ""),
        (SPAN.begin + HOUR, None, "exists since 2026-11-10 17:00 UTC only"),
        (OLD, 14, "keeps 14 days only"),
        (OLD, 7, "keeps 7 days only"),
    ],
)
def test_a_log_group_must_hold_a_whole_cycle(created: datetime, retention: int | None, why: str) -> None:
    told = LogGroup(created=created, retention=retention, size=0).lacks(SPAN)
    assert (why in told) if why else told == ""


def test_what_a_look_will_scan_is_its_share_of_what_is_kept() -> None:
    size = 1_000_000
    kept = LogGroup(created=OLD, retention=30, size=size)
    assert kept.to_scan(SPAN) == pytest.approx(size * 14 / 30, rel=0.01)
    assert LogGroup(created=NOW - timedelta(days=7), retention=None, size=size).to_scan(SPAN) == size
    assert kept.to_scan(coverage.since(SPAN, NOW + HOUR)) < size / 200
