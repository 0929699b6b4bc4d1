"""The Approvals table, whose key is whoever answers; and the notes of what was used, in the State table.

Nobody can write a row under another's key: the table's own policy and the approver's policy compare the key with
the caller's `aws:userid` (IAM User Guide, "DynamoDB: fine-grained access", condition key dynamodb:LeadingKeys).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from warden.core.approval import Answer, Approval
from warden.core.errors import ConflictError
from warden.gateways.errors import translated
from warden.gateways.items import conditional, encode, pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

_INDEX = "by_request"
# Longer than any policy lets an approval hold, a note of its use included.
_LIVES = timedelta(days=120)


class DynamoApprovals:
    """Approvals in DynamoDB; implements `ports.Approvals`, and what the command line needs."""

    def __init__(self, client: DynamoDBClient, table: str, state_table: str) -> None:
        self._client = client
        self._table = table
        self._state_table = state_table

    def answers(self, request: str, *, part: str = "") -> list[Approval]:
        """Every answer to a request (an index: eventually consistent), each with whether it was used (for a part).

        A row that is not ours to read is no answer: whoever may write may write nonsense.
        """
        rows = pages(
            self._client.query,
            "dynamodb:Query",
            TableName=self._table,
            IndexName=_INDEX,
            KeyConditionExpression="request = :request",
            ExpressionAttributeValues=encode({":request": request}),
        )
        answers = [answer for row in rows if (answer := _answer(row)) is not None]
        return [replace(answer, used=self._is_used(answer, part)) for answer in answers]

    def put(self, approval: Approval) -> None:
        """Answer a request, or answer it anew; AccessDeniedError under a key that is not the caller's."""
        row: dict[str, str | int | bool] = {
            "approver": approval.approver,
            "request": approval.request,
            "answer": approval.answer.value,
            "at": approval.at.isoformat(),
            "reason": approval.reason,
            "arn": approval.arn,
            "expires_at": int((approval.at + _LIVES).timestamp()),
        }
        with translated("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=encode(row))

    def use(self, approval: Approval, *, part: str = "") -> bool:
        """Note, for good, that an approval is being used (for a part); False where it was before."""
        row: dict[str, str | int | bool] = {
            **_used_key(approval, part),
            "expires_at": int((approval.at + _LIVES).timestamp()),
        }
        try:
            with conditional("dynamodb:PutItem"):
                self._client.put_item(
                    TableName=self._state_table,
                    Item=encode(row),
                    ConditionExpression="attribute_not_exists(pk)",
                )
        except ConflictError:
            return False
        return True

    def give_back(self, approval: Approval, *, part: str = "") -> None:
        """Undo `use`: nothing was written after all."""
        with translated("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._state_table, Key=encode(_used_key(approval, part)))

    def _is_used(self, approval: Approval, part: str) -> bool:
        with translated("dynamodb:GetItem"):
            answer = self._client.get_item(
                TableName=self._state_table, Key=encode(_used_key(approval, part)), ConsistentRead=True
            )
        return "Item" in answer


def _used_key(approval: Approval, part: str) -> dict[str, str]:
    return {"pk": f"approval#{approval.id}", "sk": f"used#{part}" if part else "used"}


def _answer(row: Mapping[str, Any]) -> Approval | None:
    try:
        at = datetime.fromisoformat(row["at"])
        return Approval(
            approver=row["approver"],
            request=row["request"],
            answer=Answer(row["answer"]),
            at=at if at.tzinfo is not None else at.astimezone(),
            reason=str(row["reason"]),
            arn=str(row.get("arn", "")),
        )
    except (KeyError, ValueError, TypeError):
        return None
