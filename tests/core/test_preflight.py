"""What a connection log proves about clients without TLS, and what it does not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from warden.core import preflight
from warden.core.preflight import Outcome

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
DAYS = [f"2026-11-{day:02}" for day in range(10, 24)]


def lines(*instances: str, days: list[str] = DAYS) -> list[dict[str, str]]:
    return [
        {"@logStream": f"{name}.0", "bin(1d)": f"{day} 00:00:00.000", "lines": "9"}
        for name in instances
        for day in days
    ]


def judged(coverage: list[dict[str, str]], clients: list[dict[str, str]], *names: str) -> preflight.Answer:
    return preflight.judge(coverage, clients, names=names or ("orders-1",), now=NOW, days=14)


def test_nobody_was_seen_where_every_instance_logged_on_every_day():
    answer = judged(lines("orders-1", "orders-2"), [], "orders-1", "orders-2")
    assert answer.is_clean
    assert (
        answer.sentence == "Nobody was seen to connect without TLS in the 14 days up to 2026-11-24 17:00 UTC."
    )


@pytest.mark.parametrize(
    ("coverage", "names", "why"),
    [
        ([], ("orders-1",), "no connection at all in 14 days"),
        (
            lines("orders-1", days=DAYS[1:]),
            ("orders-1",),
            "orders-1 logged no connection on 1 of the last 14 days",
        ),
        (lines("orders-1"), ("orders-1", "orders-2"), "orders-2 logged no connection on 14 of"),
        (lines("orders-1"), (), "no instances"),
        (lines("orders-1") * 800, ("orders-1",), "as many rows as it may"),
    ],
)
def test_what_is_not_proven_to_be_logged_is_unknown(coverage, names, why):
    answer = preflight.judge(coverage, [], names=names, now=NOW, days=14)
    assert answer.outcome is Outcome.UNKNOWN
    assert why in answer.sentence


def test_a_client_that_was_seen_counts_however_little_else_is_known():
    who = "user=app database=orders application_name=label printer v2"
    row = {"address": "10.0.0.5", "who": who, "connections": "7", "last_seen": "1795539600000"}
    answer = judged([], [row])
    assert answer.outcome is Outcome.SEEN
    [client] = answer.clients
    assert (client.user, client.database, client.application) == ("app", "orders", "label printer v2")
    assert (client.address, client.connections, client.last_seen) == ("10.0.0.5", 7, "2026-11-24 17:00 UTC")
    assert preflight.answer_of(answer.to_json()) == answer


def test_as_many_clients_as_the_query_returns_are_at_least_so_many():
    row = {"who": "user=app", "connections": "1", "last_seen": "2026-11-24 16:00:00.000"}
    answer = judged([], [row] * preflight.MOST_CLIENTS)
    assert answer.sentence.startswith("At least 200 clients")
    assert len(answer.lines) == preflight.SHOWN + 1


# PostgreSQL's postinit.c writes user, database, application_name, SSL and GSS in this order; RDS's log_line_prefix is
# "%t:%r:%u@%d:[%p]:" or, for the other choice, "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a".
PREFIX = "2026-11-24 16:00:00 UTC:10.0.0.5(51234):app@orders:[1234]:LOG:  "
TLS = " SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)"


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (f"{PREFIX}connection authorized: user=app database=orders", True),
        (f"{PREFIX}connection authorized: user=app database=orders application_name=psql", True),
        (f"{PREFIX}replication connection authorized: user=copier application_name=debezium", True),
        (f"{PREFIX}connection authorized: user=app application_name=x SSL enabled (protocol=1) y", True),
        (
            f"{PREFIX}connection authorized: user=app database=orders GSS (authenticated=yes, encrypted=yes)",
            True,
        ),
        (f"{PREFIX}connection authorized: user=rdsadministrator database=orders", True),
        (f"{PREFIX}connection authorized: user=app database=orders application_name=psql{TLS}", False),
        (f"{PREFIX}connection authorized: user=app database=orders{TLS}\n", False),
        (
            f"{PREFIX}connection authorized: user=app database=orders{TLS} GSS (authenticated=yes, encrypted=no)",
            False,
        ),
        (
            "2026-11-24 16:00:00 UTC::@:[99]:LOG:  connection authorized: user=rdsadmin database=rdsadmin",
            False,
        ),
        (f"{PREFIX}connection received: host=10.0.0.5 port=51234", False),
    ],
)
def test_the_query_keeps_the_lines_of_clients_without_tls(line, counts):
    conditions = re.findall(r"@message (not )?like /([^/]*)/", preflight.CLIENTS_QUERY)
    kept = all((re.search(pattern, line) is None) is bool(no) for no, pattern in conditions)
    assert len(conditions) == 3
    assert kept is counts


@pytest.mark.parametrize(
    ("prefix", "address"),
    [
        (PREFIX, "10.0.0.5"),
        ("2026-11-24 16:00:00.123 UTC:2001:db8::1(5):app@orders:[1]:2:00000:LOG:  ", "2001:db8::1"),
    ],
)
def test_the_query_finds_the_address_in_the_line(prefix, address):
    pattern = re.findall(r"parse @message /(.*?)/ \|", preflight.CLIENTS_QUERY)[0].replace("(?<", "(?P<")
    found = re.search(pattern, f"{prefix}connection authorized: user=app")
    assert found is not None
    assert found["address"] == address


@pytest.mark.parametrize(
    ("created", "retention", "why"),
    [
        (None, None, "does not exist"),
        (NOW - timedelta(days=14), None, "exists since"),
        (NOW - timedelta(days=99), 14, "keeps 14 days"),
        (NOW - timedelta(days=99), 30, ""),
        (NOW - timedelta(days=15), None, ""),
    ],
)
def test_a_log_group_must_hold_a_whole_cycle(created, retention, why):
    told = preflight.too_young(created, retention, now=NOW, days=14)
    assert (why in told) if why else told == ""
