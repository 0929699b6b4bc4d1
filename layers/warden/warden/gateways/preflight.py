"""What a preflight reads: CloudWatch Logs Insights, and the State table for what its queries found."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.errors import RejectedError, ThrottledError
from warden.core.preflight import MOST_ROWS, answer_of
from warden.core.rows import Look
from warden.gateways.errors import translated
from warden.gateways.items import decode, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Of GetQueryResults' status, these are not the end.
_RUNS = frozenset({"Scheduled", "Running"})
# "a query ... currently running" is one of thirty in an account and Region (StartQuery: LimitExceededException).
_TOO_MANY = "LimitExceededException"
_LIVES = timedelta(days=30)


class InsightsLogs:
    """Implements `ports.ConnectionLogs`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def held(self, group: str) -> tuple[datetime | None, int | None]:
        """When a log group was created (None: there is none), and the days that it keeps (None: for ever)."""
        with translated("logs:DescribeLogGroups"):
            answer = self._client.describe_log_groups(logGroupNamePrefix=group)
        # The group itself sorts before whatever begins with its name.
        for item in answer["logGroups"]:
            if item["logGroupName"] == group:
                created = datetime.fromtimestamp(item["creationTime"] / 1000, UTC)
                return created, item.get("retentionInDays")
        return None, None

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

    def rows(self, query_id: str) -> list[dict[str, str]] | None:
        """The rows of a query; None while it runs; RejectedError where it came to nothing."""
        with translated("logs:GetQueryResults"):
            answer = self._client.get_query_results(queryId=query_id)
        status = str(answer.get("status", "Unknown"))
        if status in _RUNS:
            return None
        if status != "Complete":
            msg = f"logs:GetQueryResults: the query ended as {status}"
            raise RejectedError(msg, code=status)
        return [{cell["field"]: cell.get("value", "") for cell in row} for row in answer["results"]]


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
        return Look(
            arn=arn,
            at=datetime.fromisoformat(kept["at"]),
            days=kept["days"],
            subject=tuple(kept["subject"]),
            queries=tuple(kept["queries"]),
            answer=answer_of(kept["answer"]),
            noted=kept["noted"],
        )

    def put(self, look: Look) -> None:
        """Keep a look; of two at once the later one stays, and either is as good."""
        kept = {**asdict(look), "at": look.at.isoformat(), "answer": look.answer and look.answer.to_json()}
        row: dict[str, str | int | bool] = {
            "look": json.dumps(kept),
            "expires_at": int((look.at + _LIVES).timestamp()),
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item={**_key(look.arn), **encode(row)})


def _key(arn: str) -> dict[str, Any]:
    return encode({"pk": "preflight", "sk": arn})
