"""How far a sweep has come, in the State table: one row for the sweep, and one for each batch of what it visited."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.progress import MARK, Progress
from warden.core.unannounced import NOTHING, Run, Swept
from warden.gateways.errors import translated
from warden.gateways.items import conditional, decode, encode, pages

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_dynamodb import DynamoDBClient

_LIVES = timedelta(days=2)
_HEAD = "sweep"
_LAST = "last"


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

    def last(self) -> Swept:
        """What the sweeps that came to their end have left, read consistently; nothing before the first."""
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(TableName=self._table, Key=self._key(_LAST), ConsistentRead=True)
        if "Item" not in answer:
            return NOTHING
        row = decode(answer["Item"])
        return Swept(
            judged_by=row["judged_by"],
            judged=frozenset(json.loads(row["judged"])),
            runs=tuple(
                Run(
                    run_id=run["run_id"],
                    ended=datetime.fromisoformat(run["ended"]),
                    expected=frozenset(run["expected"]),
                )
                for run in json.loads(row["runs"])
            ),
            revision=row["revision"],
        )

    def leave(self, swept: Swept) -> None:
        """Leave it for the next, over what was read; ConflictError if another wrote. The row does not expire."""
        runs = [
            {"run_id": run.run_id, "ended": run.ended.isoformat(), "expected": sorted(run.expected)}
            for run in swept.runs
        ]
        row: dict[str, str | int | bool] = {
            "judged_by": swept.judged_by,
            "judged": json.dumps(sorted(swept.judged)),
            "runs": json.dumps(runs),
            "revision": swept.revision + 1,
        }
        unchanged: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if swept.revision:
            unchanged = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": encode({":revision": swept.revision}),
            }
        with conditional("dynamodb:PutItem"):
            self._client.put_item(
                TableName=self._table, Item={**self._key(_LAST), **encode(row)}, **unchanged
            )

    def _key(self, name: str) -> dict[str, dict[str, str]]:
        return encode({"pk": self._partition, "sk": name})
