"""CloudWatch Logs Insights on the local AWS, where moto's is unlike it, by the words of the API reference."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.logs.models import LogEvent, LogStream, logs_backends

from console.local.aws import LocalAws
from local_rds import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = "/aws/rds/cluster/orders/postgresql"
BEGIN = int(datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp())


@pytest.fixture
def logs() -> Iterator[Any]:
    with LocalAws(region="eu-west-1") as aws:
        client = aws.client("logs")
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName="a")
        yield client


@cache
def reference(shape: str, member: str) -> str:
    """What botocore's copy of the API reference says of a member."""
    loader = botocore.session.get_session().get_component("data_loader")
    model = loader.load_service_model("logs", "service-2")
    return plain(model["shapes"][shape]["members"][member]["documentation"])


def put(*lines: tuple[float, str]) -> None:
    stream: LogStream = logs_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].groups[GROUP].streams["a"]
    for at, message in lines:
        moment = int((BEGIN + at) * 1000)
        stream.events.append(LogEvent(moment, {"timestamp": moment, "message": message}))


def ask(logs: Any, query: str, *, begin: int = BEGIN, end: int = BEGIN + 7200) -> dict[str, Any]:
    started = logs.start_query(logGroupName=GROUP, startTime=begin, endTime=end, queryString=query)
    answer: dict[str, Any] = logs.get_query_results(queryId=started["queryId"])
    return answer


def rows(answer: dict[str, Any]) -> list[dict[str, str]]:
    return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]


def test_both_ends_of_the_time_range_are_in_it(logs: Any) -> None:
    assert "The range is inclusive, so the specified start time is included in the query." in reference(
        "StartQueryRequest", "startTime"
    )
    assert "The range is inclusive, so the specified end time is included in the query." in reference(
        "StartQueryRequest", "endTime"
    )
    put((0, "first"), (60, "last"), (61, "late"))
    answer = ask(logs, "filter @message like /./ | stats count(*) as lines by @logStream", end=BEGIN + 60)
    assert rows(answer) == [{"@logStream": "a", "lines": "2"}]


def test_a_result_tells_what_it_took(logs: Any) -> None:
    words = "The total number of bytes in the log events scanned during the query."
    assert words in reference("QueryStatistics", "bytesScanned")
    put((0, "12345"), (1, "123"))
    answer = ask(logs, "filter @message like /5/ | stats count(*) as lines by @logStream")
    assert answer["statistics"] == {"recordsScanned": 2.0, "bytesScanned": 8.0}


def test_a_row_has_a_field_for_each_thing_that_is_counted_by(logs: Any) -> None:
    words = "The results value is an array of arrays. Each log event is one object in the top-level array."
    assert words in reference("GetQueryResultsResponse", "results")
    put((0, "user=app"), (10, "user=till"), (3700, "user=app"), (3800, "nobody"))
    answer = ask(
        logs,
        "filter @message not like /nobody/ | parse @message /user=(?<who>.*)/"
        " | stats count(*) as lines, max(@timestamp) as last by who, bin(1h) | sort last desc | limit 2",
    )
    assert rows(answer) == [
        {
            "who": "app",
            "bin(1h)": "2026-11-24 11:00:00.000",
            "lines": "1",
            "last": str((BEGIN + 3700) * 1000),
        },
        {"who": "till", "bin(1h)": "2026-11-24 10:00:00.000", "lines": "1", "last": str((BEGIN + 10) * 1000)},
    ]


@pytest.mark.parametrize(
    "query", ["dedup @message | stats count(*) as n by who", "filter who = 1 | stats count(*) as n by a"]
)
def test_what_it_does_not_know_is_refused_and_not_ignored(logs: Any, query: str) -> None:
    with pytest.raises(ClientError, match="the local AWS does not know"):
        ask(logs, query)
