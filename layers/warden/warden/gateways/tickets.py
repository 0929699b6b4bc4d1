"""Ticket rows: one for each finding, in the State table."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warden.core.errors import ConflictError
from warden.core.rows import TicketRow
from warden.gateways.errors import translated
from warden.gateways.items import conditional, decode, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoTickets:
    """Ticket rows in DynamoDB; implements `ports.Tickets`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, finding_id: str) -> TicketRow | None:
        """The row, read consistently."""
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(
                TableName=self._table, Key=encode(_key(finding_id)), ConsistentRead=True
            )
        if "Item" not in answer:
            return None
        row = decode(answer["Item"])
        return TicketRow(
            finding_id=finding_id,
            state=row["state"],
            digest=row["digest"],
            opened_at=datetime.fromisoformat(row["opened_at"]),
            changed_at=datetime.fromisoformat(row["changed_at"]),
            revision=row["revision"],
        )

    def put(self, row: TicketRow) -> TicketRow:
        """Write over `row.revision`, and return it one higher; ConflictError if another wrote."""
        kept = replace(row, revision=row.revision + 1)
        item: dict[str, str | int | bool] = {
            **_key(kept.finding_id),
            "state": kept.state,
            "digest": kept.digest,
            "opened_at": kept.opened_at.isoformat(),
            "changed_at": kept.changed_at.isoformat(),
            "revision": kept.revision,
        }
        parameters: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if row.revision:
            parameters = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": encode({":revision": row.revision}),
            }
        try:
            with conditional("dynamodb:PutItem"):
                self._client.put_item(TableName=self._table, Item=encode(item), **parameters)
        except ConflictError as error:
            msg = f"the ticket of {row.finding_id} was written by another since revision {row.revision} was read"
            raise ConflictError(msg) from error
        return kept


def _key(finding_id: str) -> dict[str, str]:
    return {"pk": f"ticket#{finding_id}", "sk": "ticket"}
