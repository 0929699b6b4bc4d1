"""Up to where writes are reconciled: one row of the State table."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from warden.core.errors import UnreadableRowError
from warden.core.rows import Reconciled
from warden.gateways.errors import translated
from warden.gateways.items import decode, encode

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"pk": "reconciliation", "sk": "reconciliation"}


class DynamoReconciliations:
    """The checkpoint in DynamoDB; implements `ports.Reconciliations`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self) -> Reconciled | None:
        """The checkpoint, read consistently; None before the first reconciliation.

        Raises UnreadableRowError where it is not as it was written: as a first one, days would be left out.
        """
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=encode(_KEY), ConsistentRead=True)
        if "Item" not in answer:
            return None
        row = decode(answer["Item"])
        try:
            return Reconciled(
                until=datetime.fromisoformat(row["until"]), told=frozenset(json.loads(row["told"]))
            )
        except (KeyError, ValueError, TypeError) as error:
            msg = f"the checkpoint of reconciliations (State table, pk {_KEY['pk']!r}) cannot be read: {error!r}"
            raise UnreadableRowError(msg) from error

    def put(self, reconciled: Reconciled) -> None:
        """Write the checkpoint over the one before."""
        row: dict[str, str | int | bool] = {
            **_KEY,
            "until": reconciled.until.isoformat(),
            "told": json.dumps(sorted(reconciled.told)),
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row))
