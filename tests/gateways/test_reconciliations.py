"""The checkpoint of reconciliations, and CloudTrail's event history."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fakes import NOW, MemoryReconciliations
from warden.core.errors import ThrottledError, TransientError, UnreadableRowError
from warden.core.plan import WRITES
from warden.core.rows import Reconciled
from warden.gateways.reconciliations import DynamoReconciliations
from warden.gateways.trail import EventHistory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables

ROLE = "arn:aws:iam::123456789012:role/remediate"
FUNCTION = "stack-remediate"


@pytest.fixture(params=["dynamodb", "memory"])
def kept(request: pytest.FixtureRequest) -> DynamoReconciliations | MemoryReconciliations:
    if request.param == "memory":
        return MemoryReconciliations()
    dynamodb: DynamoDBClient = request.getfixturevalue("dynamodb")
    tables: Tables = request.getfixturevalue("tables")
    return DynamoReconciliations(dynamodb, tables.state)


def test_a_checkpoint_is_kept(kept: DynamoReconciliations | MemoryReconciliations) -> None:
    assert kept.get() is None
    kept.put(Reconciled(until=NOW, told=frozenset()))
    reconciled = Reconciled(until=NOW + timedelta(days=1), told=frozenset({"a", "b#1"}))
    kept.put(reconciled)
    assert kept.get() == reconciled


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"until": {"S": "yesterday"}, "told": {"S": "[]"}},
        {"until": {"S": "2026-11-24T09:00:00+00:00"}, "told": {"S": "nothing"}},
        {"until": {"N": "3"}, "told": {"S": "[]"}},
    ],
)
def test_a_checkpoint_that_somebody_took_to_pieces_is_no_first_one(
    dynamodb: DynamoDBClient, tables: Tables, members: Any
) -> None:
    item: Any = {"pk": {"S": "reconciliation"}, "sk": {"S": "reconciliation"}, **members}
    dynamodb.put_item(TableName=tables.state, Item=item)
    with pytest.raises(UnreadableRowError, match="checkpoint"):
        DynamoReconciliations(dynamodb, tables.state).get()


def event(event_id: str, *, name: str = "ModifyDBCluster", user: str = FUNCTION) -> dict[str, Any]:
    record = {
        "eventID": event_id,
        "requestID": f"request-{event_id}",
        "eventName": name,
        "eventSource": "rds.amazonaws.com",
        "eventTime": "2026-11-24T09:00:00Z",
        "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": ROLE}}},
        "requestParameters": {"omitted": True, "originalSize": 104870},
    }
    return {"EventId": event_id, "EventName": name, "Username": user, "CloudTrailEvent": json.dumps(record)}


class Lookups:
    """LookupEvents, two events a page."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = events
        self.pauses: list[float] = []
        self.fails_at = 0
        self.asked = 0

    def pages(self, operation: str, **parameters: Any) -> Iterator[list[dict[str, Any]]]:
        assert operation == "LookupEvents"
        assert parameters["StartTime"] < parameters["EndTime"]
        [wanted] = parameters["LookupAttributes"]
        found = [one for one in self.events if one[wanted["AttributeKey"]] == wanted["AttributeValue"]]
        for first in range(0, max(1, len(found)), 2):
            self.asked += 1
            if self.asked == self.fails_at:
                msg = "slow down"
                raise ThrottledError(msg)
            yield found[first : first + 2]


def history(lookups: Any) -> EventHistory:
    return EventHistory(lookups, own_roles=frozenset({ROLE}), function=FUNCTION, pause=lookups.pauses.append)


def ids(lookups: Lookups) -> list[str]:
    found = history(lookups).writes(since=NOW - timedelta(days=1), until=NOW)
    return [one.event_id for one in found]


def test_all_pages_are_read_and_each_write_is_there_once() -> None:
    lookups = Lookups(*(event(str(number)) for number in range(5)))
    assert ids(lookups) == ["0", "1", "2", "3", "4"]
    assert len(lookups.pauses) == lookups.asked
    assert set(lookups.pauses) == {0.5}, "two requests a second"


@pytest.mark.parametrize("operation", WRITES)
def test_another_session_of_the_role_is_seen_by_what_it_calls(operation: str) -> None:
    assert ids(Lookups(event("1", name=operation, user="somebody"))) == ["1"]


def test_what_the_function_calls_beyond_its_operations_is_seen() -> None:
    assert ids(Lookups(event("1", name="DeleteDBInstance"))) == ["1"]


@pytest.mark.parametrize("fails_at", [1, 2, 4])
def test_a_page_that_is_missing_fails_the_whole(fails_at: int) -> None:
    lookups = Lookups(*(event(str(number)) for number in range(5)))
    lookups.fails_at = fails_at
    with pytest.raises(ThrottledError):
        ids(lookups)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"userIdentity": null}'])
def test_a_record_that_cannot_be_read_fails_the_whole(text: str) -> None:
    with pytest.raises(TransientError, match="1 cannot be read"):
        ids(Lookups({**event("1"), "CloudTrailEvent": text}))
