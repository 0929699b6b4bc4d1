"""The State table: leases, budgets, due rows and the STOP row.

`expires_at` is the table's time-to-live attribute. DynamoDB removes an expired row when it comes to it, so that
every expiry is also compared where it matters.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
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
# Long after both have lost their meaning: these rows are removed when they are done with, or their hour is over.
_DUE_LIVES = timedelta(days=14)
_BUDGET_LIVES = timedelta(days=2)


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

    # --- budgets ------------------------------------------------------------------------------------------

    def spent(self, account: str, region: str, *, containment: bool, now: datetime) -> int:
        """How many writes this hour has seen."""
        row = self._get(_budget_key(account, region, containment=containment, now=now))
        return 0 if row is None else int(row["writes"])

    def spend(
        self, account: str, region: str, *, containment: bool, now: datetime, amount: int, limit: int
    ) -> bool:
        """Reserve writes of this hour, atomically; False where the limit would be passed.

        An answer that is lost on its way is asked for again by botocore and counts twice: fewer writes, never more.
        """
        if amount > limit:
            return False
        hour = _hour(now)
        try:
            with conditional("dynamodb:UpdateItem"):
                self._client.update_item(
                    TableName=self._table,
                    Key=encode(_budget_key(account, region, containment=containment, now=now)),
                    UpdateExpression="ADD writes :amount SET expires_at = :expires_at",
                    ConditionExpression="attribute_not_exists(pk) OR writes <= :room",
                    ExpressionAttributeValues=encode(
                        {
                            ":amount": amount,
                            ":room": limit - amount,
                            ":expires_at": int((hour + _BUDGET_LIVES).timestamp()),
                        }
                    ),
                )
        except ConflictError:
            return False
        return True

    def latched(self, account: str, region: str, *, containment: bool) -> bool:
        """Whether the budget was passed, and nobody has acknowledged that since."""
        return self._get(_latch_key(account, region, containment=containment)) is not None

    def latch(self, account: str, region: str, *, containment: bool, now: datetime) -> None:
        """Keep the budget spent until somebody acknowledges it, however many hours pass."""
        row = {**_latch_key(account, region, containment=containment), "at": now.isoformat()}
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row))

    def acknowledge(self, account: str, region: str, *, now: datetime) -> bool:
        """Open both budgets again, this hour's writes forgotten; False where neither was latched."""
        found = False
        for containment in (False, True):
            latch = _latch_key(account, region, containment=containment)
            if self._get(latch) is None:
                continue
            found = True
            # The count first: whoever looks in between finds it latched still.
            for key in (_budget_key(account, region, containment=containment, now=now), latch):
                with translated("dynamodb:DeleteItem"):
                    self._client.delete_item(TableName=self._table, Key=encode(key))
        return found

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


def _latch_key(account: str, region: str, *, containment: bool) -> dict[str, str]:
    return {"pk": f"latch#{account}#{region}", "sk": "containment" if containment else "normal"}


def _due(row: Mapping[str, Any]) -> Due:
    return Due(
        arn=row["sk"],
        due_at=datetime.fromisoformat(row["due_at"]),
        first_at=datetime.fromisoformat(row["first_at"]),
        attempt=row["attempt"],
        reason=row["reason"],
    )


def _hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _budget_key(account: str, region: str, *, containment: bool, now: datetime) -> dict[str, str]:
    kind = "containment" if containment else "normal"
    return {"pk": f"budget#{account}#{region}#{kind}", "sk": f"{_hour(now):%Y-%m-%dT%H}"}
