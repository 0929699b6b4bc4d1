"""What is kept of tickets, in the State table: how they should stand, what sinks know, and what is still to be told."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from warden.core.errors import ConflictError
from warden.core.ticket import Handle
from warden.core.ticket_rows import Delivery, Errand, ExemptionRequest, Member, SinkHealth, TicketRow
from warden.gateways.errors import translated
from warden.gateways.items import conditional, decode, encode, pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from warden.core.ledger import LedgerEntry
    from warden.gateways.ledger import DynamoLedger

    _Any = TicketRow | Delivery | Errand | Member | SinkHealth | ExemptionRequest

Row = TypeVar("Row", TicketRow, Delivery, Errand, Member, SinkHealth, ExemptionRequest)
_REQUESTS = "exemption-request"
_COUNT_LIVES = timedelta(days=3)


class DynamoTickets:
    """Ticket rows in DynamoDB; implements `ports.Tickets` and `ports.Outbox`."""

    def __init__(self, client: DynamoDBClient, table: str, ledger: DynamoLedger | None = None) -> None:
        """Take the ledger where rows are written that it is told of."""
        self._client = client
        self._table = table
        self._ledger = ledger

    # --- tickets ------------------------------------------------------------------------------------------

    def get(self, key: str) -> TicketRow | None:
        """How a ticket should stand, read consistently."""
        return self._read(TicketRow, _ticket_key(key))

    def all(self) -> Iterator[TicketRow]:
        """Every ticket that is kept; for people, who look seldom: it reads the whole table."""
        rows = pages(
            self._client.scan,
            "dynamodb:Scan",
            TableName=self._table,
            FilterExpression="begins_with(pk, :ticket) AND sk = :ticket_row",
            ExpressionAttributeValues=encode({":ticket": "ticket#", ":ticket_row": "ticket"}),
        )
        return (_row(TicketRow, row) for row in rows)

    def delivery(self, key: str, sink: str) -> Delivery | None:
        """What a sink knows of a ticket, read consistently."""
        return self._read(Delivery, _delivery_key(key, sink))

    def members(self, group: str) -> Iterator[Member]:
        """The findings of a collection, read consistently."""
        return (_row(Member, row) for row in self._query(f"ticket#{group}", "member#"))

    def waiting(self, key: str, sink: str) -> Errand | None:
        """What is still to be done for a ticket at a sink, read consistently."""
        return self._read(Errand, _errand_key(key, sink))

    def write(self, *rows: TicketRow | Delivery | Member | Errand, entry: LedgerEntry | None = None) -> None:
        """Write all of them or none, `entry` into the ledger; ConflictError if another wrote one since it was read."""
        puts = [self._put(row) for row in rows]
        try:
            with conditional("dynamodb:TransactWriteItems"):
                if entry is not None:
                    self._with_entry(entry, puts)
                elif len(puts) == 1:
                    self._client.put_item(**puts[0])
                else:
                    items: list[Any] = [{"Put": put} for put in puts]
                    self._client.transact_write_items(TransactItems=items)
        except ConflictError as error:
            names = ", ".join(f"{type(row).__name__} {_key(row)['pk']}" for row in rows)
            msg = f"written by another since it was read: one of {names}"
            raise ConflictError(msg) from error

    def _with_entry(self, entry: LedgerEntry, puts: list[dict[str, Any]]) -> None:
        if self._ledger is None:
            msg = f"an entry of {entry.chain} is to be written, and there is no ledger"
            raise ValueError(msg)
        self._ledger.append(entry, beside=puts)

    def count(self, what: str, now: datetime) -> int:
        """One more of something today (UTC), atomically; how many that makes."""
        day = f"{now.astimezone(UTC):%Y-%m-%d}"
        with translated("dynamodb:UpdateItem"):
            answer = self._client.update_item(
                TableName=self._table,
                Key=encode({"pk": f"tickets-of#{day}", "sk": what}),
                UpdateExpression="ADD #count :one SET expires_at = :expires",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues=encode(
                    {":one": 1, ":expires": int((now + _COUNT_LIVES).timestamp())}
                ),
                ReturnValues="UPDATED_NEW",
            )
        return int(decode(answer["Attributes"])["count"])

    # --- what people ask for ------------------------------------------------------------------------------

    def request(self, request: ExemptionRequest) -> None:
        """Keep, or replace, what somebody asked for about a finding in a sink."""
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(_item(request)))

    def settle_requests(self, finding_id: str, sink: str = "") -> None:
        """Forget what was asked for about a finding, in one sink or in all: nothing is to be answered any more."""
        for row in list(self._query(_REQUESTS, finding_id)):
            # What begins as it does may be another; an earlier version's rows have no sink in their key.
            if row["finding_id"] == finding_id and sink in {"", row["sink"]}:
                self._delete({"pk": _REQUESTS, "sk": str(row["sk"])})

    def requests(self) -> Iterator[ExemptionRequest]:
        """Everything that is asked for."""
        return (_row(ExemptionRequest, row) for row in self._query(_REQUESTS))

    # --- the outbox ---------------------------------------------------------------------------------------

    def backlog(self, sink: str) -> list[Errand]:
        """All errands of a sink."""
        return [_row(Errand, row) for row in self._query(f"outbox#{sink}")]

    def later(self, errand: Errand) -> None:
        """Keep an errand for its new time, unless a later sequence took its place."""
        try:
            with conditional("dynamodb:PutItem"):
                self._client.put_item(
                    TableName=self._table,
                    Item=encode(_item(errand)),
                    ConditionExpression="attribute_not_exists(pk) OR #sequence <= :sequence",
                    ExpressionAttributeNames={"#sequence": "sequence"},
                    ExpressionAttributeValues=encode({":sequence": errand.sequence}),
                )
        except ConflictError:
            return

    def done(self, errand: Errand) -> None:
        """Remove an errand, unless a later sequence took its place."""
        try:
            with conditional("dynamodb:DeleteItem"):
                self._client.delete_item(
                    TableName=self._table,
                    Key=encode(_key(errand)),
                    ConditionExpression="attribute_not_exists(pk) OR #sequence <= :sequence",
                    ExpressionAttributeNames={"#sequence": "sequence"},
                    ExpressionAttributeValues=encode({":sequence": errand.sequence}),
                )
        except ConflictError:
            return

    def health(self, sink: str) -> SinkHealth:
        """Whether a sink takes anything now."""
        return self._read(SinkHealth, _key(SinkHealth(sink=sink))) or SinkHealth(sink=sink)

    def set_health(self, health: SinkHealth) -> None:
        """Keep it; the last word counts."""
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(_item(health)))

    # --- the table ----------------------------------------------------------------------------------------

    def _read(self, kind: type[Row], key: Mapping[str, str]) -> Row | None:
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=encode(key), ConsistentRead=True)
        return _row(kind, decode(answer["Item"])) if "Item" in answer else None

    def _query(self, pk: str, begins: str = "") -> Iterator[dict[str, Any]]:
        condition, values = "pk = :pk", {":pk": pk}
        if begins:
            condition, values = f"{condition} AND begins_with(sk, :sk)", {**values, ":sk": begins}
        return pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=encode(values),
        )

    def _delete(self, key: Mapping[str, str]) -> None:
        with translated("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=encode(key))

    def _put(self, row: TicketRow | Delivery | Member | Errand) -> dict[str, Any]:
        if isinstance(row, Member | Errand):
            return {"TableName": self._table, "Item": encode(_item(row))}
        item = _item(replace(row, revision=row.revision + 1))
        put: dict[str, Any] = {"TableName": self._table, "Item": encode(item)}
        if not row.revision:
            return {**put, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            **put,
            "ConditionExpression": "revision = :revision",
            "ExpressionAttributeValues": encode({":revision": row.revision}),
        }


# --- rows -------------------------------------------------------------------------------------------------


def _ticket_key(key: str) -> dict[str, str]:
    return {"pk": f"ticket#{key}", "sk": "ticket"}


def _delivery_key(key: str, sink: str) -> dict[str, str]:
    return {"pk": f"ticket#{key}", "sk": f"delivery#{sink}"}


def _errand_key(key: str, sink: str) -> dict[str, str]:
    return {"pk": f"outbox#{sink}", "sk": key}


def _key(row: _Any) -> dict[str, str]:
    match row:
        case TicketRow():
            return _ticket_key(row.key)
        case Delivery():
            return _delivery_key(row.ticket, row.sink)
        case Member():
            return {"pk": f"ticket#{row.group}", "sk": f"member#{row.finding_id}"}
        case Errand():
            return _errand_key(row.ticket, row.sink)
        case SinkHealth():
            return {"pk": f"sink#{row.sink}", "sk": "sink"}
        case ExemptionRequest():
            return {"pk": _REQUESTS, "sk": f"{row.finding_id}|{row.sink}"}


def _item(row: _Any) -> dict[str, str | int | bool]:
    """A row as scalars; what is absent is left out, and a time is text."""
    item: dict[str, str | int | bool] = {**_key(row)}
    for one in fields(row):
        value = getattr(row, one.name)
        if value is None:
            continue
        if isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, Handle):
            value = json.dumps([value.id, value.url])
        elif isinstance(value, tuple):
            value = json.dumps(list(value))
        item[one.name] = value
    return item


def _row(kind: type[Row], item: Mapping[str, Any]) -> Row:
    """The row that was kept; what an earlier version did not write takes its default."""
    values: dict[str, Any] = {}
    for one in fields(kind):
        if one.name not in item:
            continue
        value = item[one.name]
        text = str(one.type)
        if "datetime" in text:
            value = datetime.fromisoformat(value)
        elif "Handle" in text:
            value = Handle(*json.loads(value))
        elif text.startswith("tuple"):
            value = tuple(json.loads(value))
        values[one.name] = value
    if kind is TicketRow and "key" not in values:
        values["key"] = str(item["pk"]).removeprefix("ticket#")
    missing = [
        one.name for one in fields(kind) if one.default is dataclasses.MISSING and one.name not in values
    ]
    if missing:
        msg = f"a row of {item['pk']} lacks {', '.join(missing)}"
        raise ValueError(msg)
    return kind(**values)
