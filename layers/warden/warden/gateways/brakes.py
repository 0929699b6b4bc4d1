"""Brakes in the State table: the writes of each hour, latches, circuits, canaries, and what was acknowledged.

All but the hours are rows of one partition for each account and Region, so that one query reads them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.brakes import Canary, Spent, Standing
from warden.core.errors import ConflictError
from warden.gateways.errors import translated
from warden.gateways.items import conditional, decode, encode, pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from warden.core.brakes import Payment

_BUDGET_LIVES = timedelta(days=2)
_OF_CONTROL = "of_"
_LATCH, _CIRCUIT, _CANARY, _DAY_ONE, _CENSUS = "latch#", "circuit#", "canary#", "day_one#", "census"
_TRIES = 5


class DynamoBrakes:
    """Brakes in DynamoDB; implements `ports.Brakes`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def standing(self, account: str, region: str) -> Standing:
        """Everything that holds back there, read consistently."""
        rows = self._rows(account, region)
        return Standing(
            latched=frozenset(_names(rows, _LATCH)),
            circuits={
                name: datetime.fromisoformat(row["opened_at"])
                for name, row in _names(rows, _CIRCUIT).items()
                if row.get("opened_at")
            },
            canaries={
                name: Canary(
                    resource_key=row["resource_key"],
                    begun_at=datetime.fromisoformat(row["begun_at"]),
                    verified_at=datetime.fromisoformat(row["verified_at"]) if "verified_at" in row else None,
                )
                for name, row in _names(rows, _CANARY).items()
            },
            acknowledged=frozenset(
                (control, mode)
                for control, _, mode in (name.partition("#") for name in _names(rows, _DAY_ONE))
            ),
            census=json.loads(rows[_CENSUS]["counts"]) if _CENSUS in rows else {},
        )

    def _rows(self, account: str, region: str) -> dict[str, dict[str, Any]]:
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :here",
            ExpressionAttributeValues=encode({":here": _key(account, region, "")["pk"]}),
        )
        return {row["sk"]: row for row in rows}

    # --- budgets ------------------------------------------------------------------------------------------

    def spent(self, account: str, region: str, *, budget: str, now: datetime) -> Spent:
        """How many writes this hour has seen from a budget, and for which controls."""
        row = self._get(_hour_key(account, region, budget, now))
        if row is None:
            return Spent()
        by_control = {
            name.removeprefix(_OF_CONTROL): int(count)
            for name, count in row.items()
            if name.startswith(_OF_CONTROL)
        }
        return Spent(writes=int(row["writes"]), by_control=by_control)

    def spend(self, account: str, region: str, payment: Payment, *, now: datetime) -> bool:
        """Take one write of this hour from a budget and its controls, atomically; False where a limit would be passed.

        An answer that is lost on its way is asked for again by botocore and counts twice: fewer writes, never more.
        """
        if min([payment.limit, *payment.controls.values()]) < 1:
            return False
        names: dict[str, str] = {
            f"#c{n}": f"{_OF_CONTROL}{control}" for n, control in enumerate(payment.controls)
        }
        rooms: dict[str, str | int | bool] = {
            f":r{n}": limit - 1 for n, limit in enumerate(payment.controls.values())
        }
        room_left = [f"(attribute_not_exists(#c{n}) OR #c{n} <= :r{n})" for n in range(len(names))]
        hour = _hour(now)
        named: dict[str, Any] = {"ExpressionAttributeNames": names} if names else {}
        try:
            with conditional("dynamodb:UpdateItem"):
                self._client.update_item(
                    TableName=self._table,
                    Key=encode(_hour_key(account, region, payment.budget, now)),
                    UpdateExpression="ADD "
                    + ", ".join(f"{name} :one" for name in ("writes", *names))
                    + " SET expires_at = :expires_at",
                    ConditionExpression=" AND ".join(
                        ["(attribute_not_exists(pk) OR writes <= :room)", *room_left]
                    ),
                    ExpressionAttributeValues=encode(
                        {
                            ":one": 1,
                            ":room": payment.limit - 1,
                            ":expires_at": int((hour + _BUDGET_LIVES).timestamp()),
                            **rooms,
                        }
                    ),
                    **named,
                )
        except ConflictError:
            return False
        return True

    def latch(self, account: str, region: str, name: str, *, now: datetime) -> None:
        """Keep a budget, or a control's share of it, spent until somebody acknowledges it, whatever the hour."""
        self._put({**_key(account, region, _LATCH + name), "at": now.isoformat()})

    def acknowledge(self, account: str, region: str, *, now: datetime) -> tuple[str, ...]:
        """Take latches and open circuits away, this hour's writes forgotten; returns what was in the way."""
        rows = self._rows(account, region)
        latched, circuits = _names(rows, _LATCH), _names(rows, _CIRCUIT)
        opened = [name for name, row in circuits.items() if row.get("opened_at")]
        if latched:
            # The counts first: whoever looks in between finds it latched still.
            for budget in ("normal", "containment"):
                self._delete(_hour_key(account, region, budget, now))
        for sk in [*(_LATCH + name for name in latched), *(_CIRCUIT + name for name in opened)]:
            self._delete(_key(account, region, sk))
        return (*sorted(latched), *(f"circuit of {name}" for name in sorted(opened)))

    # --- circuits -----------------------------------------------------------------------------------------

    def note_failure(
        self,
        account: str,
        region: str,
        *,
        control: str,
        resource_key: str,
        now: datetime,
        window: timedelta,
        limit: int,
    ) -> bool:
        """Note that a control's fix of a resource failed; True where that was one resource too many.

        ConflictError where others note failures of the same control all the time.
        """
        key = _key(account, region, _CIRCUIT + control)
        for _ in range(_TRIES):
            row = self._get(key) or {}
            failures: dict[str, str] = json.loads(row.get("failures", "{}"))
            recent = {
                name: at for name, at in failures.items() if datetime.fromisoformat(at) > now - window
            } | {resource_key: now.isoformat()}
            opens = not row.get("opened_at") and len(recent) >= limit
            kept: dict[str, str | int | bool] = {
                **key,
                "failures": json.dumps(dict(sorted(recent.items(), key=lambda one: one[1])[-limit:])),
                "revision": row.get("revision", 0) + 1,
            }
            if opens or row.get("opened_at"):
                kept["opened_at"] = row.get("opened_at") or now.isoformat()
            if self._put_over(kept, row.get("revision", 0)):
                return opens
        msg = f"the circuit of {control} is being written by others all the time"
        raise ConflictError(msg)

    # --- canaries -----------------------------------------------------------------------------------------

    def begin_canary(
        self, account: str, region: str, *, control: str, resource_key: str, now: datetime
    ) -> bool:
        """Make a resource the first that a control writes to; False where another is."""
        key = _key(account, region, _CANARY + control)
        row: dict[str, str | int | bool] = {
            **key,
            "resource_key": resource_key,
            "begun_at": now.isoformat(),
            "revision": 1,
        }
        if self._put_over(row, 0):
            return True
        kept = self._get(key)
        return kept is not None and (kept["resource_key"] == resource_key or "verified_at" in kept)

    def verify_canary(
        self, account: str, region: str, *, control: str, resource_key: str, now: datetime
    ) -> None:
        """Note that the fix of the first resource holds; nothing where another resource is the first."""
        row = self._get(_key(account, region, _CANARY + control))
        if row is None or row["resource_key"] != resource_key or "verified_at" in row:
            return
        kept = {**row, "verified_at": now.isoformat(), "revision": row["revision"] + 1}
        self._put_over(kept, row["revision"])

    def drop_canary(self, account: str, region: str, *, control: str, resource_key: str) -> None:
        """Let another resource be the first: this one went before its fix was verified."""
        key = _key(account, region, _CANARY + control)
        row = self._get(key)
        if row is not None and row["resource_key"] == resource_key and "verified_at" not in row:
            self._delete(key)

    # --- day one, census ----------------------------------------------------------------------------------

    def acknowledge_day_one(
        self, account: str, region: str, pairs: Iterable[tuple[str, str]], *, now: datetime
    ) -> None:
        """Note that somebody has looked at what these controls found, each in a mode."""
        for control, mode in pairs:
            self._put({**_key(account, region, f"{_DAY_ONE}{control}#{mode}"), "at": now.isoformat()})

    def take_census(self, account: str, region: str, counts: Mapping[str, int], *, now: datetime) -> None:
        """Keep how many resources of each type a sweep evaluated."""
        row = {**_key(account, region, _CENSUS), "counts": json.dumps(dict(counts)), "at": now.isoformat()}
        self._put(row)

    # --- rows ---------------------------------------------------------------------------------------------

    def _get(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=encode(key), ConsistentRead=True)
        return decode(answer["Item"]) if "Item" in answer else None

    def _put(self, row: Mapping[str, str | int | bool]) -> None:
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row))

    def _put_over(self, row: Mapping[str, str | int | bool], revision: int) -> bool:
        """Write over a revision (0: none); False where another wrote."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if revision:
            condition = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": encode({":revision": revision}),
            }
        try:
            with conditional("dynamodb:PutItem"):
                self._client.put_item(TableName=self._table, Item=encode(row), **condition)
        except ConflictError:
            return False
        return True

    def _delete(self, key: Mapping[str, str]) -> None:
        with translated("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=encode(key))


def _names(rows: Mapping[str, dict[str, Any]], prefix: str) -> dict[str, dict[str, Any]]:
    return {sk.removeprefix(prefix): row for sk, row in rows.items() if sk.startswith(prefix)}


def _key(account: str, region: str, sk: str) -> dict[str, str]:
    return {"pk": f"brakes#{account}#{region}", "sk": sk}


def _hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hour_key(account: str, region: str, budget: str, now: datetime) -> dict[str, str]:
    return {"pk": f"budget#{account}#{region}#{budget}", "sk": f"{_hour(now):%Y-%m-%dT%H}"}
