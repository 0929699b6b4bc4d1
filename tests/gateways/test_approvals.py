"""Answers as they are kept: in DynamoDB and in memory alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fakes import NOW, MemoryApprovals
from warden.core.approval import Answer, Approval
from warden.gateways.approvals import DynamoApprovals

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables

YES = Approval(
    approver="AROA3RX7T65BFEXAMPLE:carol",
    request="0123456789ab",
    answer=Answer.APPROVED,
    at=NOW,
    reason="All clients are ready",
    arn="arn:aws:sts::123456789012:assumed-role/dba/carol",
)


@pytest.fixture(params=["dynamodb", "memory"])
def approvals(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryApprovals()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoApprovals(request.getfixturevalue("dynamodb"), tables.approvals, tables.state)


def test_answers_are_found_by_their_request(approvals: Any) -> None:
    no = replace(YES, approver="AROA3RX7T65BFEXAMPLE:dave", answer=Answer.REJECTED)
    for answer in (YES, no, replace(YES, request="ba9876543210")):
        approvals.put(answer)

    assert sorted(approvals.answers(YES.request), key=lambda one: one.approver) == [YES, no]
    assert approvals.answers("ffffffffffff") == []


def test_a_person_who_answers_again_has_changed_their_mind(approvals: Any) -> None:
    later = replace(YES, answer=Answer.REJECTED, at=NOW + timedelta(hours=1))
    approvals.put(YES)
    approvals.put(later)

    assert approvals.answers(YES.request) == [later]


def test_an_approval_is_used_once_and_a_later_one_is_another(approvals: Any) -> None:
    approvals.put(YES)

    assert approvals.use(YES)
    assert not approvals.use(YES)
    assert approvals.answers(YES.request) == [replace(YES, used=True)]
    again = replace(YES, at=NOW + timedelta(hours=1))
    approvals.put(again)
    assert approvals.answers(YES.request) == [again]
    assert approvals.use(again)


def test_what_is_given_back_can_be_used(approvals: Any) -> None:
    approvals.put(YES)
    approvals.use(YES)
    approvals.give_back(YES)

    assert approvals.answers(YES.request) == [YES]
    assert approvals.use(YES)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"answer": "perhaps", "at": NOW.isoformat(), "reason": "x"},
        {"answer": "approved", "at": "tomorrow", "reason": "x"},
        {"answer": "approved", "reason": "x"},
    ],
)
def test_a_row_that_cannot_be_read_is_no_answer(
    dynamodb: DynamoDBClient, tables: Tables, row: dict[str, str]
) -> None:
    item = {"approver": "AROA", "request": YES.request, **row}
    dynamodb.put_item(TableName=tables.approvals, Item={key: {"S": value} for key, value in item.items()})

    assert DynamoApprovals(dynamodb, tables.approvals, tables.state).answers(YES.request) == []
