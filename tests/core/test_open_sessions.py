"""What an open session adds to an answer, and what a policy may say of who is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from warden.core import open_sessions
from warden.core.errors import PolicyError
from warden.core.policy import parse_policy

ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:warden/look-AbCdEf"
NOW = datetime(2026, 11, 24, 17, 10, tzinfo=UTC)
NOBODY = (True, None, None, None, None, None)
PRINTER = (True, "printer", "10.0.0.5", "orders", "labels", 2)


def sampled(*rows: tuple[Any, ...], old: Any = None, after: timedelta = timedelta(0)) -> open_sessions.Sample:
    return open_sessions.sampled(old, rows, arn=ARN, now=NOW + after, days=14)


def test_a_row_without_a_user_is_nobody() -> None:
    sample = sampled(NOBODY)
    assert (sample.clients, sample.why) == ((), "")


def test_a_session_is_kept_for_a_cycle_with_the_most_connections_that_it_had() -> None:
    first = sampled(PRINTER)
    again = sampled((*PRINTER[:5], 1), old=first, after=timedelta(days=2))
    [client] = again.clients
    assert (client.user, client.address, client.application, client.connections) == (
        "printer",
        "10.0.0.5",
        "labels",
        2,
    )
    assert client.last_seen == "2026-11-26"
    assert again.noted == first.noted == {client.mark: NOW.isoformat()}
    assert sampled(NOBODY, old=again, after=timedelta(days=15)).clients == again.clients
    assert sampled(NOBODY, old=again, after=timedelta(days=17)).clients == ()


@pytest.mark.parametrize(
    "rows", [(), ((False, None, None, None, None, None),), ((0, None, None, None, None, None),)]
)
def test_a_user_that_may_not_see_others_sessions_found_nothing_out(rows: tuple[Any, ...]) -> None:
    known = sampled(PRINTER)
    sample = sampled(*rows, old=known)
    assert "may not see" in sample.why
    assert sample.clients == known.clients


@pytest.mark.parametrize(
    ("engine", "asks"),
    [
        ("aurora-postgresql", "pg_stat_ssl"),
        ("aurora-mysql", "performance_schema"),
        ("postgres", ""),
        ("mysql", ""),
    ],
)
def test_each_engine_is_asked_in_its_own_words(engine: str, asks: str) -> None:
    statement = open_sessions.statement(engine)
    assert (asks in statement) if asks else statement == ""
    assert statement.startswith("select") is bool(asks)


def policy(more: str) -> Any:
    return parse_policy(f"version = 1\n{more}", controls=())


def test_a_policy_names_clusters_and_the_secrets_to_ask_them_with() -> None:
    told = f'[[preflight.data_api]]\ncluster = "{ARN}"\nsecret = "{SECRET}"\ndatabase = "orders"\n'
    assert policy(told).data_api == (open_sessions.Access(cluster=ARN, secret=SECRET, database="orders"),)
    assert policy("").data_api == ()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f'cluster = "{ARN}"', r"preflight.data_api\[0\].secret: is missing"),
        (f'cluster = "orders"\nsecret = "{SECRET}"', "'orders' is not the ARN of a cluster"),
        (f'cluster = "{ARN}"\nsecret = "hunter2"', "is not the ARN of a secret"),
        (f'cluster = "{ARN}"\nsecret = "{SECRET}"\nuser = "a"', "is not a key that exists here"),
    ],
)
def test_what_names_no_cluster_or_no_secret_is_refused(row: str, why: str) -> None:
    with pytest.raises(PolicyError, match=why):
        policy(f"[[preflight.data_api]]\n{row}\n")


@pytest.mark.parametrize("row", ["days = 0", "days = 93", "gigabytes = 0", "hours = 3"])
def test_a_cycle_and_a_look_have_bounds(row: str) -> None:
    with pytest.raises(PolicyError, match="preflight"):
        policy(f"[preflight]\n{row}\n")
