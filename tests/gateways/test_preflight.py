from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from moto.core import DEFAULT_ACCOUNT_ID
from moto.logs.models import LogEvent, LogStream, logs_backends

from console.local.aws import LocalAws
from fakes import NOW
from fakes.connections import MemoryLooks, MemorySamples
from warden.core.connection_lines import POSTGRESQL
from warden.core.coverage import LogGroup, Span
from warden.core.errors import RejectedError, ThrottledError
from warden.core.open_sessions import Access, Sample
from warden.core.preflight import Answer, Client, Outcome
from warden.core.rows import Look, Scan
from warden.gateways.preflight import AuroraDataApi, DynamoLooks, DynamoSamples, InsightsLogs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.tables import Tables
    from warden.pipeline.ports import Looks, Samples

ARN = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
GROUP = "/aws/rds/cluster/orders/postgresql"
SPAN = Span(begin=NOW - timedelta(days=14), until=NOW - timedelta(hours=1), at=NOW)
PRINTER = Client(
    address="10.0.0.5",
    user="printer",
    database="orders",
    application="",
    connections=3,
    last_seen="yesterday",
)


@pytest.fixture(params=["dynamodb", "memory"])
def looks(request: pytest.FixtureRequest) -> Looks:
    if request.param == "memory":
        return MemoryLooks()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoLooks(request.getfixturevalue("dynamodb"), tables.state)


def test_a_look_is_kept_with_all_that_it_found(looks: Looks) -> None:
    assert looks.get(ARN) is None
    running = Scan(span=SPAN, queries=("a", "b"), lacks="its log group keeps 7 days only")
    first = Look(arn=ARN, resource_key="orders", group=GROUP, days=14, running=running)
    looks.put(first)
    assert looks.get(ARN) == first
    answer = Answer(outcome=Outcome.SEEN, clients=(PRINTER,), until="2026-11-24T16:00:00+00:00", scanned=9)
    done = replace(running, answer=answer)
    second = replace(first, running=None, whole=done, since=done, noted={PRINTER.mark: NOW.isoformat()})
    looks.put(second)
    assert looks.get(ARN) == second
    assert looks.get(f"{ARN}-2") is None


@pytest.fixture(params=["dynamodb", "memory"])
def samples(request: pytest.FixtureRequest) -> Samples:
    if request.param == "memory":
        return MemorySamples()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoSamples(request.getfixturevalue("dynamodb"), tables.state)


def test_a_sample_is_kept_with_all_that_it_found(samples: Samples) -> None:
    assert samples.get(ARN) is None
    sample = Sample(arn=ARN, at=NOW, why="no", clients=(PRINTER,), noted={PRINTER.mark: NOW.isoformat()})
    samples.put(sample)
    assert samples.get(ARN) == sample


def test_the_data_api_is_given_the_secret_and_its_fields_are_values() -> None:
    client = boto3.client("rds-data", region_name="eu-west-1")
    row = [{"booleanValue": True}, {"stringValue": "printer"}, {"isNull": True}, {"longValue": 2}]
    asked = {"resourceArn": ARN, "secretArn": "arn:aws:secret", "sql": "select 1"}
    with Stubber(client) as stubber:
        stubber.add_response("execute_statement", {"records": [row]}, {**asked, "database": "orders"})
        stubber.add_response("execute_statement", {}, asked)
        gateway = AuroraDataApi(client)
        access = Access(cluster=ARN, secret="arn:aws:secret", database="orders")
        assert gateway.rows(access, "select 1") == [[True, "printer", None, 2]]
        assert gateway.rows(replace(access, database=""), "select 1") == []
        stubber.add_client_error("execute_statement", "BadRequestException", http_status_code=400)
        with pytest.raises(RejectedError):
            gateway.rows(access, "select 1")


# --- CloudWatch Logs ----------------------------------------------------------------------------------------


@pytest.fixture
def logs() -> Iterator[Any]:
    with LocalAws(region="eu-west-1") as aws:
        yield aws.client("logs")


def write(logs: Any, *lines: tuple[timedelta, str]) -> None:
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_group(logGroupName=f"{GROUP}-old")
    logs.create_log_stream(logGroupName=GROUP, logStreamName="orders-1.0")
    # PutLogEvents takes nothing that is older than two weeks.
    stream: LogStream = logs_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].groups[GROUP].streams["orders-1.0"]
    for ago, message in lines:
        at = int((NOW - ago).timestamp() * 1000)
        stream.events.append(LogEvent(at, {"timestamp": at, "message": message}))


def test_a_log_group_tells_its_age_its_retention_and_its_size(logs: Any) -> None:
    gateway = InsightsLogs(logs)
    assert gateway.held(GROUP) is None
    write(logs)
    known = gateway.held(GROUP)
    assert known is not None
    assert (known.retention, known.size) == (None, 0)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    assert gateway.held(GROUP) == LogGroup(created=known.created, retention=30, size=0)
    assert gateway.held("/aws/rds/cluster/orders/postgre") is None


def test_the_queries_find_hours_and_clients(logs: Any) -> None:
    prefix = "2026-11-24 16:00:00 UTC:10.0.0.5(51234):app@orders:[7]:LOG:  connection authorized: user="
    told = [
        (timedelta(hours=26), f"{prefix}printer database=orders application_name=labels"),
        (timedelta(hours=25), f"{prefix}printer database=orders application_name=labels"),
        (
            timedelta(hours=2),
            f"{prefix}app database=orders SSL enabled (protocol=TLSv1.3, cipher=A, bits=256)",
        ),
        (
            timedelta(hours=2),
            f"{prefix}app database=orders SSL enabled (protocol=TLSv1.3, cipher=A, bits=256)",
        ),
        (timedelta(hours=1), "2026-11-24 16:00:00 UTC::@:[9]:LOG:  checkpoint starting: time"),
        (timedelta(days=30), f"{prefix}till database=orders"),
    ]
    write(logs, *told)
    gateway = InsightsLogs(logs)
    covered, clients = (
        gateway.rows(gateway.start(GROUP, query, begin=SPAN.begin, end=SPAN.at))
        for query in (POSTGRESQL.coverage_query, POSTGRESQL.clients_query)
    )
    assert covered is not None
    assert clients is not None
    assert sorted(row["lines"] for row in covered.rows) == ["1", "1", "2"]
    assert {row["@logStream"] for row in covered.rows} == {"orders-1.0"}
    [row] = clients.rows
    client = POSTGRESQL.client(row)
    assert (client.user, client.address, client.application, client.connections) == (
        "printer",
        "10.0.0.5",
        "labels",
        2,
    )
    assert covered.scanned == sum(len(line) for ago, line in told if ago < timedelta(days=14))


@pytest.mark.parametrize(
    ("status", "ended"),
    [("Scheduled", False), ("Running", False), ("Timeout", True), ("Failed", True), ("Unknown", True)],
)
def test_a_query_that_runs_has_no_rows_and_one_that_failed_never_will(status: str, ended: bool) -> None:
    client = boto3.client("logs", region_name="eu-west-1")
    with Stubber(client) as stubber:
        stubber.add_response("get_query_results", {"status": status, "results": []}, {"queryId": "a"})
        if ended:
            with pytest.raises(RejectedError, match=status):
                InsightsLogs(client).rows("a")
        else:
            assert InsightsLogs(client).rows("a") is None


def test_too_many_queries_at_once_are_a_matter_of_waiting() -> None:
    client = boto3.client("logs", region_name="eu-west-1")
    with Stubber(client) as stubber:
        stubber.add_client_error("start_query", "LimitExceededException", http_status_code=400)
        with pytest.raises(ThrottledError):
            InsightsLogs(client).start(GROUP, "fields @message", begin=SPAN.begin, end=NOW)
