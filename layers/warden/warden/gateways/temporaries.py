"""The records of what procedures make, in the State table; they have no time to live."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warden.core.errors import ConflictError
from warden.core.procedure import Record
from warden.gateways.errors import translated
from warden.gateways.items import conditional, decode, encode, pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

_PK = "procedure"


class DynamoTemporaries:
    """Records in DynamoDB; implements `ports.Temporaries`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, arn: str) -> Record | None:
        """The record of a thing, read consistently."""
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=encode(_key(arn)), ConsistentRead=True)
        return _record(decode(answer["Item"])) if "Item" in answer else None

    def put(self, record: Record, *, over: Record | None) -> None:
        """Write a record over the one that was read; ConflictError if another wrote."""
        row: dict[str, str | int | bool] = {
            **_key(record.arn),
            "serves": record.serves,
            "serves_key": record.serves_key,
            "controls": json.dumps(record.controls),
            "pledge": record.pledge,
            "nonce": record.nonce,
            "announced_at": record.announced_at.isoformat(),
            "resource_id": record.resource_id,
            "stays": record.stays,
        }
        with conditional("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row), **_unchanged(over))

    def remove(self, record: Record) -> None:
        """Forget a record, unless another wrote it meanwhile."""
        try:
            with conditional("dynamodb:DeleteItem"):
                self._client.delete_item(
                    TableName=self._table, Key=encode(_key(record.arn)), **_unchanged(record)
                )
        except ConflictError:
            return

    def all(self) -> list[Record]:
        """Every record: few, since each is of a procedure that runs."""
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :procedure",
            ExpressionAttributeValues=encode({":procedure": _PK}),
        )
        return [_record(row) for row in rows]


def _key(arn: str) -> dict[str, str]:
    return {"pk": _PK, "sk": arn}


def _unchanged(record: Record | None) -> dict[str, Any]:
    """The condition that the row is as it was read."""
    if record is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "nonce = :nonce AND resource_id = :resource_id",
        "ExpressionAttributeValues": encode({":nonce": record.nonce, ":resource_id": record.resource_id}),
    }


def _record(row: Mapping[str, Any]) -> Record:
    return Record(
        arn=row["sk"],
        serves=row["serves"],
        serves_key=row["serves_key"],
        controls=tuple(json.loads(row["controls"])),
        pledge=row["pledge"],
        nonce=row["nonce"],
        announced_at=datetime.fromisoformat(row["announced_at"]),
        resource_id=row["resource_id"],
        stays=bool(row.get("stays", False)),
    )
