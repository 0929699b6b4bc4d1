"""The State table: leases, due rows and the STOP row.

`expires_at` is the table's time-to-live attribute. DynamoDB removes an expired row when it comes to it, so that
every expiry is also compared where it matters.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.errors import ConflictError, StoppedError, WardenError
from warden.core.rows import Due, Stop
from warden.gateways.errors import translated
from warden.gateways.items import conditional, decode, encode, pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

_STOP = {"pk": "stop", "sk": "stop"}
_DUE = "due"
# Long after it has lost its meaning: the row is removed when it is done with.
_DUE_LIVES = timedelta(days=14)


class DynamoState:
    """State in DynamoDB; implements `ports.State`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def _get(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=encode(key), ConsistentRead=True)
        return decode(answer["Item"]) if "Item" in answer else None

    # --- the STOP row -------------------------------------------------------------------------------------

    def stop(self) -> Stop | None:
        """The STOP row, read consistently; StoppedError where it cannot be read (it fails closed)."""
        try:
            row = self._get(_STOP)
            if row is None:
                return None
            return Stop(by=row["by"], reason=row["reason"], at=datetime.fromisoformat(row["at"]))
        except (WardenError, KeyError, ValueError, TypeError) as error:
            # A row that somebody wrote by hand stops as well, whatever it lacks.
            msg = f"the STOP row cannot be read, so nothing is written: {type(error).__name__}: {error}"
            raise StoppedError(msg) from error

    def set_stop(self, stop: Stop | None) -> None:
        """Stop all writes, or resume them."""
        if stop is None:
            with translated("dynamodb:DeleteItem"):
                self._client.delete_item(TableName=self._table, Key=encode(_STOP))
            return
        row = {**_STOP, "by": stop.by, "reason": stop.reason, "at": stop.at.isoformat()}
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row))

    # --- leases -------------------------------------------------------------------------------------------

    def lease(self, arns: Iterable[str], *, owner: str, seconds: int, now: datetime) -> bool:
        """Take a lease on every ARN or on none; an expired lease of another is taken over.

        One transaction, so that a crash halfway leaves nothing behind and two writers cannot hold half each.
        The owner is the fencing token: it must be another for each attempt, and `holds` compares it.
        """
        names = sorted(set(arns))
        if not names:
            return True
        puts: list[Any] = [{"Put": self._lease_put(arn, owner, seconds, now)} for arn in names]
        try:
            with conditional("dynamodb:TransactWriteItems"):
                self._client.transact_write_items(TransactItems=puts)
        except ConflictError:
            return False
        return True

    def _lease_put(self, arn: str, owner: str, seconds: int, now: datetime) -> dict[str, Any]:
        until = math.ceil((now + timedelta(seconds=seconds)).timestamp())
        return {
            "TableName": self._table,
            "Item": encode({**_lease_key(arn), "owner": owner, "expires_at": until}),
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now OR #owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": encode({":now": math.floor(now.timestamp()), ":owner": owner}),
        }

    def release(self, arns: Iterable[str], *, owner: str) -> None:
        """Give back the leases that `owner` still holds; one that another is just taking over is left to expire."""
        for arn in sorted(set(arns)):
            try:
                with conditional("dynamodb:DeleteItem"):
                    self._client.delete_item(
                        TableName=self._table,
                        Key=encode(_lease_key(arn)),
                        ConditionExpression="#owner = :owner",
                        ExpressionAttributeNames={"#owner": "owner"},
                        ExpressionAttributeValues=encode({":owner": owner}),
                    )
            except ConflictError:
                continue

    def holds(self, arns: Iterable[str], *, owner: str, now: datetime) -> bool:
        """Whether `owner` still holds an unexpired lease on every ARN."""
        rows = (self._get(_lease_key(arn)) for arn in sorted(set(arns)))
        return all(
            row is not None and row["owner"] == owner and row["expires_at"] > now.timestamp() for row in rows
        )

    # --- due rows -----------------------------------------------------------------------------------------

    def defer(self, due: Due) -> None:
        """Write or replace the due row of a resource."""
        row: dict[str, str | int | bool] = {
            **_due_key(due.arn),
            "due_at": due.due_at.isoformat(),
            "first_at": due.first_at.isoformat(),
            "attempt": due.attempt,
            "reason": due.reason,
            "expires_at": int((due.due_at + _DUE_LIVES).timestamp()),
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row))

    def waiting(self, arn: str) -> Due | None:
        """The due row of a resource."""
        row = self._get(_due_key(arn))
        return None if row is None else _due(row)

    def due(self, now: datetime) -> list[Due]:
        """The rows whose time has come, the longest overdue first."""
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :due",
            ExpressionAttributeValues=encode({":due": _DUE}),
        )
        come = [due for row in rows if (due := _due(row)).due_at <= now]
        return sorted(come, key=lambda due: (due.due_at, due.arn))

    def settle(self, arn: str) -> None:
        """Remove the due row of a resource: it no longer waits."""
        with translated("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=encode(_due_key(arn)))


def _lease_key(arn: str) -> dict[str, str]:
    return {"pk": f"lease#{arn}", "sk": "lease"}


def _due_key(arn: str) -> dict[str, str]:
    return {"pk": _DUE, "sk": arn}


def _due(row: Mapping[str, Any]) -> Due:
    return Due(
        arn=row["sk"],
        due_at=datetime.fromisoformat(row["due_at"]),
        first_at=datetime.fromisoformat(row["first_at"]),
        attempt=row["attempt"],
        reason=row["reason"],
    )
