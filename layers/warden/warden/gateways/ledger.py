"""The Ledger table: entries in chains. A chain's head is a row of the State table."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from warden.core.errors import ConflictError
from warden.core.ledger import Head, Link, link
from warden.gateways.errors import translated
from warden.gateways.items import ROOM, conditional, cut_mapping, decode, encode, pages, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from warden.core.ledger import LedgerEntry

_ATTEMPTS = 5
_PREFIX = "ledger#"
_HEAD = "head"
_LADDER = (65_536, 4_096)


class DynamoLedger:
    """The ledger in DynamoDB; implements `ports.Ledger`.

    The head is in another table because it is overwritten, and roles may overwrite nothing in the Ledger.
    """

    def __init__(self, client: DynamoDBClient, table: str, state_table: str) -> None:
        self._client = client
        self._table = table
        self._state_table = state_table

    def append(self, entry: LedgerEntry, *, beside: Sequence[Any] = ()) -> None:
        """Add an entry to its chain; ConflictError if the chain grew at the same time too often.

        `beside`: puts of other rows in the same transaction, whose conditions decide whether there is an entry at all.
        """
        document = fitting(entry.to_json())
        head, lost = self.head(entry.chain), 0
        # A lost race is over the moment the winner is read, so that the next try needs no pause.
        for _ in range(_ATTEMPTS):
            if self._append(entry.chain, document, head, beside):
                return
            before, head = head, self.head(entry.chain)
            # Once may be another transaction that was under way.
            lost += before == head
            if beside and lost > 1:
                msg = f"what the entry of {entry.chain} is about was written by another"
                raise ConflictError(msg)
        msg = (
            f"the ledger's chain {entry.chain} did not take an entry in {_ATTEMPTS} tries: others write to it, "
            "or its head is older than its last entry (`warden ledger verify` tells)"
        )
        raise ConflictError(msg)

    def _append(
        self,
        chain: str,
        document: Mapping[str, Any],
        head: Head | None,
        beside: Sequence[Any] = (),
    ) -> bool:
        new = link(document, head)
        try:
            with conditional("dynamodb:TransactWriteItems"):
                puts: list[Any] = [self._entry_put(chain, new), self._head_put(chain, new, head), *beside]
                self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
        except ConflictError:
            return False
        return True

    def _entry_put(self, chain: str, new: Link) -> Any:
        return {
            "TableName": self._table,
            "Item": encode(
                {
                    "chain": chain,
                    "sequence": new.sequence,
                    "previous": new.previous,
                    "hash": new.hash,
                    "entry": json.dumps(new.entry, sort_keys=True),
                }
            ),
            "ConditionExpression": "attribute_not_exists(#sequence)",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
        }

    def _head_put(self, chain: str, new: Link, head: Head | None) -> Any:
        put: dict[str, Any] = {
            "TableName": self._state_table,
            "Item": encode(
                {
                    **_head_key(chain),
                    "sequence": new.sequence,
                    "hash": new.hash,
                    "at": str(new.entry["at"]),
                }
            ),
        }
        if head is None:
            return {**put, "ConditionExpression": "attribute_not_exists(pk)"}
        return {
            **put,
            "ConditionExpression": "#sequence = :sequence AND #hash = :hash",
            "ExpressionAttributeNames": {"#sequence": "sequence", "#hash": "hash"},
            "ExpressionAttributeValues": encode({":sequence": head.sequence, ":hash": head.hash}),
        }

    def head(self, chain: str) -> Head | None:
        """The head of a chain, read consistently."""
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(
                TableName=self._state_table, Key=encode(_head_key(chain)), ConsistentRead=True
            )
        return _head(decode(answer["Item"])) if "Item" in answer else None

    def heads(self) -> dict[str, Head]:
        """The heads of all chains: a chain that was removed as a whole shows by its head alone."""
        rows = pages(
            self._client.scan,
            "dynamodb:Scan",
            TableName=self._state_table,
            ConsistentRead=True,
            FilterExpression="begins_with(pk, :prefix) AND sk = :head",
            ExpressionAttributeValues=encode({":prefix": _PREFIX, ":head": _HEAD}),
        )
        return {row["pk"].removeprefix(_PREFIX): _head(row) for row in rows}

    def active(self, since: datetime) -> dict[str, Head]:
        """The heads of the chains that have grown since; those of before the time was kept are among them."""
        rows = pages(
            self._client.scan,
            "dynamodb:Scan",
            TableName=self._state_table,
            ConsistentRead=True,
            FilterExpression=(
                "begins_with(pk, :prefix) AND sk = :head AND (attribute_not_exists(#at) OR #at >= :since)"
            ),
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=encode(
                {":prefix": _PREFIX, ":head": _HEAD, ":since": since.astimezone(UTC).isoformat()}
            ),
        )
        return {row["pk"].removeprefix(_PREFIX): _head(row) for row in rows}

    def read(self, chain: str) -> Iterator[Link]:
        """The entries of a chain in their order."""
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="#chain = :chain",
            ExpressionAttributeNames={"#chain": "chain"},
            ExpressionAttributeValues=encode({":chain": chain}),
        )
        return map(_link, rows)

    def entry(self, chain: str, sequence: int) -> Link | None:
        """One entry at its place, as it is kept; None where there is none."""
        key: dict[str, str | int | bool] = {"chain": chain, "sequence": sequence}
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=encode(key), ConsistentRead=True)
        return _link(decode(answer["Item"])) if "Item" in answer else None

    def chains(self) -> list[str]:
        """The names of all chains that have entries, in their order; this reads the whole table."""
        rows = pages(
            self._client.scan,
            "dynamodb:Scan",
            TableName=self._table,
            ConsistentRead=True,
            ProjectionExpression="#chain",
            ExpressionAttributeNames={"#chain": "chain"},
        )
        return sorted({row["chain"] for row in rows})

    def all(self, *, text: str = "") -> Iterator[tuple[str, Link]]:
        """Every entry that contains a text, each with its chain, in no order; this reads the whole table."""
        parameters: dict[str, Any] = {"TableName": self._table}
        if text:
            parameters |= {
                "FilterExpression": "contains(#entry, :text)",
                "ExpressionAttributeNames": {"#entry": "entry"},
                "ExpressionAttributeValues": encode({":text": text}),
            }
        rows = pages(self._client.scan, "dynamodb:Scan", **parameters)
        return ((row["chain"], _link(row)) for row in rows)

    def chains_of(self, arn: str) -> list[str]:
        """The chains with entries of an ARN: a name can have been given up, and given to another resource."""
        member = f'"arn": {json.dumps(arn)}'
        return sorted({chain for chain, one in self.all(text=member) if one.entry.get("arn") == arn})


def _link(row: Mapping[str, Any]) -> Link:
    """An item as it is, whatever somebody made of it: what is no entry any more is one that was changed."""
    try:
        entry = json.loads(row["entry"])
    except (KeyError, TypeError, ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        entry = {"unreadable": str(row.get("entry", ""))}
    return Link(
        sequence=row["sequence"],
        previous=str(row.get("previous", "")),
        hash=str(row.get("hash", "")),
        entry=entry,
    )


def fitting(document: dict[str, Any]) -> dict[str, Any]:
    """An entry's document, cut where an item could not hold it: evidence first."""
    for room in _LADDER:
        for name in ("evidence", "after", "before", "cause"):
            if size(document) <= ROOM:
                return document
            document = {**document, name: cut_mapping(document[name], room)}
    return document


def _head_key(chain: str) -> dict[str, str]:
    return {"pk": f"{_PREFIX}{chain}", "sk": _HEAD}


def _head(row: Mapping[str, Any]) -> Head:
    """A head as it is: one that somebody took to pieces names no entry, so that it takes none and verifies nothing."""
    sequence = row.get("sequence")
    return Head(sequence=sequence if isinstance(sequence, int) else 0, hash=str(row.get("hash", "")))
