"""How far a sweep has come, in the State table: one row for the sweep, and one for each batch of what it visited."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from warden.core.progress import MARK, Progress
from warden.gateways.errors import translated
from warden.gateways.items import decode, encode, pages

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_dynamodb import DynamoDBClient

_LIVES = timedelta(days=2)
_HEAD = "sweep"


class DynamoSweeps:
    """Implements `ports.Sweeps`."""

    def __init__(self, client: DynamoDBClient, table: str, *, account: str, region: str) -> None:
        self._client = client
        self._table = table
        self._partition = f"sweep#{account}#{region}"

    def current(self) -> Progress | None:
        """The sweep that is not at its end, read consistently."""
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=self._key(_HEAD), ConsistentRead=True)
        if "Item" not in answer:
            return None
        row = decode(answer["Item"])
        return Progress(
            run_id=row["run_id"],
            began=datetime.fromisoformat(row["began"]),
            policy_version=row["policy_version"],
            done=tuple(json.loads(row["done"])),
            counts=json.loads(row["counts"]),
            parts=row["parts"],
        )

    def visited(self, progress: Progress, resource_type: str) -> frozenset[str]:
        """The marks of what was visited of a type."""
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :of)",
            ExpressionAttributeValues=encode(
                {":pk": self._partition, ":of": f"{progress.run_id}#{resource_type}#"}
            ),
        )
        return frozenset(
            row["marks"][first : first + MARK] for row in rows for first in range(0, len(row["marks"]), MARK)
        )

    def keep(self, progress: Progress, resource_type: str, marks: Collection[str]) -> None:
        """Keep how far it has come: first what was visited, then the row that says so."""
        expires_at = int((progress.began + _LIVES).timestamp())
        if marks:
            name = f"{progress.run_id}#{resource_type}#{progress.parts:06}"
            row: dict[str, str | int | bool] = {"marks": "".join(marks), "expires_at": expires_at}
            with translated("dynamodb:PutItem"):
                self._client.put_item(TableName=self._table, Item={**self._key(name), **encode(row)})
        head: dict[str, str | int | bool] = {
            "run_id": progress.run_id,
            "began": progress.began.isoformat(),
            "policy_version": progress.policy_version,
            "done": json.dumps(progress.done),
            "counts": json.dumps(progress.counts),
            "parts": progress.parts,
            "expires_at": expires_at,
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item={**self._key(_HEAD), **encode(head)})

    def end(self) -> None:
        """There is no sweep any more; the rows of what it visited expire."""
        with translated("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=self._key(_HEAD))

    def _key(self, name: str) -> dict[str, dict[str, str]]:
        return encode({"pk": self._partition, "sk": name})
