"""What a preflight reads: CloudWatch Logs Insights, the Data API, and the State table for what they found."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.connection_lines import MOST_ROWS
from warden.core.coverage import LogGroup, Span
from warden.core.errors import RejectedError, ThrottledError
from warden.core.open_sessions import Sample
from warden.core.preflight import Client, answer_of
from warden.core.rows import Found, Look, Scan
from warden.gateways.errors import translated
from warden.gateways.items import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from warden.core.open_sessions import Access

# Of GetQueryResults' status, these are not the end.
_RUNS = frozenset({"Scheduled", "Running"})
# "You can have up to 100 concurrent CloudWatch Logs insights queries" (StartQuery): LimitExceededException.
_TOO_MANY = "LimitExceededException"
_LIVES = timedelta(days=120)
"""Longer than the longest cycle: a client that was noted once stays noted."""


class InsightsLogs:
    """Implements `ports.ConnectionLogs`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def held(self, group: str) -> LogGroup | None:
        """What is known of a log group; None where there is none."""
        with translated("logs:DescribeLogGroups"):
            answer = self._client.describe_log_groups(logGroupNamePrefix=group)
        # The group itself sorts before whatever begins with its name.
        for item in answer["logGroups"]:
            if item["logGroupName"] == group:
                return LogGroup(
                    created=datetime.fromtimestamp(item["creationTime"] / 1000, UTC),
                    retention=item.get("retentionInDays"),
                    size=int(item.get("storedBytes", 0)),
                )
        return None

    def start(self, group: str, query: str, *, begin: datetime, end: datetime) -> str:
        """Start a query, and return its id."""
        try:
            with translated("logs:StartQuery"):
                answer = self._client.start_query(
                    logGroupName=group,
                    startTime=int(begin.timestamp()),
                    endTime=int(end.timestamp()),
                    queryString=query,
                    limit=MOST_ROWS,
                )
        except RejectedError as error:
            if error.code == _TOO_MANY:
                raise ThrottledError(str(error)) from error
            raise
        return str(answer["queryId"])

    def rows(self, query_id: str) -> Found | None:
        """What a query found; None while it runs; RejectedError where it came to nothing."""
        with translated("logs:GetQueryResults"):
            answer = self._client.get_query_results(queryId=query_id)
        status = str(answer.get("status", "Unknown"))
        if status in _RUNS:
            return None
        if status != "Complete":
            msg = f"logs:GetQueryResults: the query ended as {status}"
            raise RejectedError(msg, code=status)
        return Found(
            rows=tuple({cell["field"]: cell.get("value", "") for cell in row} for row in answer["results"]),
            scanned=int(answer.get("statistics", {}).get("bytesScanned", 0)),
        )


class AuroraDataApi:
    """Implements `ports.DataApi`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def rows(self, access: Access, sql: str) -> list[list[Any]]:
        """The rows of a statement; AWS takes the credentials out of the secret, and they never come here."""
        database = {"database": access.database} if access.database else {}
        with translated("rds-data:ExecuteStatement"):
            answer = self._client.execute_statement(
                resourceArn=access.cluster, secretArn=access.secret, sql=sql, **database
            )
        return [[_value(field) for field in record] for record in answer.get("records") or []]


def _value(field: Mapping[str, Any]) -> Any:
    """A `Field`: one of its members has the value, and `isNull` says that there is none."""
    return None if field.get("isNull") else next(iter(field.values()))


class DynamoLooks:
    """Implements `ports.Looks`, one row for each database."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, arn: str) -> Look | None:
        """The last look at a database."""
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=_key(arn), ConsistentRead=True)
        if "Item" not in answer:
            return None
        kept = json.loads(decode(answer["Item"])["look"])
        scans = {name: _scan(kept[name]) for name in ("whole", "since", "running")}
        return Look(**{**kept, **scans})

    def put(self, look: Look) -> None:
        """Keep a look; of two at once the later one stays, and either is as good."""
        last = max(one.span.at for one in (look.whole, look.since, look.running) if one is not None)
        row: dict[str, str | int | bool] = {
            "look": json.dumps(asdict(look), default=_plain),
            "expires_at": int((last + _LIVES).timestamp()),
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item={**_key(look.arn), **encode(row)})


def _key(arn: str, part: str = "preflight") -> dict[str, Any]:
    return encode({"pk": part, "sk": arn})


def _plain(value: Any) -> str:
    """A moment as text; anything else is a mistake, which raises."""
    return str(value.isoformat())


def _scan(kept: Mapping[str, Any] | None) -> Scan | None:
    if kept is None:
        return None
    span = {name: datetime.fromisoformat(moment) for name, moment in kept["span"].items()}
    return Scan(
        span=Span(**span),
        queries=tuple(kept["queries"]),
        lacks=kept["lacks"],
        answer=answer_of(kept["answer"]),
    )


class DynamoSamples:
    """Implements `ports.Samples`, one row for each cluster."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, arn: str) -> Sample | None:
        """Those of a cluster."""
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(arn, "sessions"), ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        kept = json.loads(decode(answer["Item"])["sample"])
        clients = tuple(Client(**one) for one in kept["clients"])
        return Sample(**{**kept, "at": datetime.fromisoformat(kept["at"]), "clients": clients})

    def put(self, sample: Sample) -> None:
        """Keep them."""
        row: dict[str, str | int | bool] = {
            "sample": json.dumps(asdict(sample), default=_plain),
            "expires_at": int((sample.at + _LIVES).timestamp()),
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item={**_key(sample.arn, "sessions"), **encode(row)})
