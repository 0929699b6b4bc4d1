from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes import NOW, FixedClock, MemoryState
from gateways.answering import answering
from warden.core.errors import RejectedError, StoppedError, ThrottledError
from warden.core.rows import Due, Stop
from warden.gateways.state import DynamoState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables
    from warden.pipeline.ports import State

CLUSTER = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
GROUP = "arn:aws:rds:eu-west-1:123456789012:cluster-pg:orders"
OTHER = "arn:aws:rds:eu-west-1:123456789012:cluster:payments"


@pytest.fixture(params=["dynamodb", "memory"])
def state(request: pytest.FixtureRequest) -> State:
    if request.param == "memory":
        return MemoryState()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoState(request.getfixturevalue("dynamodb"), tables.state)


@pytest.fixture
def dynamo_state(dynamodb: DynamoDBClient, tables: Tables) -> DynamoState:
    return DynamoState(dynamodb, tables.state)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


# --- the STOP row -----------------------------------------------------------------------------------------

STOP = Stop(by="arn:aws:iam::123456789012:role/oncall", reason="incident 42", at=NOW)


def test_nothing_is_stopped_at_first(state: State) -> None:
    assert state.stop() is None


def test_a_stop_holds_until_it_is_taken_back(state: State) -> None:
    state.set_stop(STOP)
    assert state.stop() == STOP
    state.set_stop(None)
    assert state.stop() is None
    state.set_stop(None)
    assert state.stop() is None


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "InternalServerError"])
def test_a_stop_row_that_cannot_be_read_stops(
    dynamodb: DynamoDBClient, dynamo_state: DynamoState, code: str
) -> None:
    with answering(dynamodb, "GetItem", code), pytest.raises(StoppedError, match=f"cannot be read.*{code}"):
        dynamo_state.stop()
    assert dynamo_state.stop() is None


def test_a_table_that_does_not_exist_stops(dynamodb: DynamoDBClient) -> None:
    with pytest.raises(StoppedError):
        DynamoState(dynamodb, "absent").stop()


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"by": {"S": "ada"}, "reason": {"S": "x"}},
        {"by": {"S": "ada"}, "reason": {"S": "x"}, "at": {"S": "soon"}},
        {"by": {"S": "ada"}, "reason": {"S": "x"}, "at": {"N": "1"}},
        {"by": {"S": "ada"}, "reason": {"S": "x"}, "at": {"NULL": True}},
    ],
)
def test_a_stop_row_that_somebody_wrote_by_hand_stops(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_state: DynamoState, attributes: dict[str, Any]
) -> None:
    dynamodb.put_item(TableName=tables.state, Item={"pk": {"S": "stop"}, "sk": {"S": "stop"}, **attributes})
    with pytest.raises(StoppedError):
        dynamo_state.stop()


def test_the_fake_can_be_told_to_fail_closed_too() -> None:
    fake = MemoryState()
    fake.stop_unreadable = "ThrottledError"
    with pytest.raises(StoppedError, match="cannot be read"):
        fake.stop()


# --- leases -----------------------------------------------------------------------------------------------


def test_of_two_that_want_a_lease_one_gets_it(state: State) -> None:
    assert state.lease([CLUSTER], owner="a", seconds=300, now=NOW)
    assert not state.lease([CLUSTER], owner="b", seconds=300, now=NOW)
    assert state.holds([CLUSTER], owner="a", now=NOW)
    assert not state.holds([CLUSTER], owner="b", now=NOW)


def test_all_leases_are_taken_or_none(state: State) -> None:
    assert state.lease([GROUP], owner="a", seconds=300, now=NOW)
    assert not state.lease([CLUSTER, GROUP, OTHER], owner="b", seconds=300, now=NOW)
    assert state.lease([CLUSTER, OTHER], owner="c", seconds=300, now=NOW)
    assert state.holds([GROUP], owner="a", now=NOW)


def test_one_missing_lease_is_no_hold(state: State) -> None:
    assert state.lease([CLUSTER], owner="a", seconds=300, now=NOW)
    assert not state.holds([CLUSTER, GROUP], owner="a", now=NOW)


def test_a_lease_can_be_prolonged_by_its_owner(state: State, clock: FixedClock) -> None:
    assert state.lease([CLUSTER], owner="a", seconds=60, now=clock())
    clock.advance(seconds=50)
    assert state.lease([CLUSTER], owner="a", seconds=60, now=clock())
    assert state.holds([CLUSTER], owner="a", now=clock.advance(seconds=50))


def test_a_lease_that_could_not_be_widened_stays_as_it_was(state: State) -> None:
    assert state.lease([CLUSTER], owner="a", seconds=300, now=NOW)
    assert state.lease([GROUP], owner="b", seconds=300, now=NOW)
    assert not state.lease([CLUSTER, GROUP], owner="a", seconds=300, now=NOW)
    assert state.holds([CLUSTER], owner="a", now=NOW)


def test_an_expired_lease_is_taken_over_and_its_old_owner_holds_nothing(
    state: State, clock: FixedClock
) -> None:
    assert state.lease([CLUSTER], owner="crashed", seconds=60, now=clock())
    assert not state.lease([CLUSTER], owner="b", seconds=60, now=clock.advance(seconds=59.5))
    assert state.holds([CLUSTER], owner="crashed", now=clock())
    clock.advance(seconds=0.5)
    assert not state.holds([CLUSTER], owner="crashed", now=clock())
    assert state.lease([CLUSTER], owner="b", seconds=60, now=clock())
    assert not state.holds([CLUSTER], owner="crashed", now=clock())
    state.release([CLUSTER], owner="crashed")
    assert state.holds([CLUSTER], owner="b", now=clock())


def test_a_lease_is_never_shorter_than_was_asked(state: State, clock: FixedClock) -> None:
    assert state.lease([CLUSTER], owner="a", seconds=60, now=clock.advance(seconds=0.4))
    clock.advance(seconds=59.9)
    assert state.holds([CLUSTER], owner="a", now=clock())
    assert not state.lease([CLUSTER], owner="b", seconds=60, now=clock())


def test_a_released_lease_is_free_and_releasing_twice_does_no_harm(state: State) -> None:
    assert state.lease([CLUSTER, GROUP], owner="a", seconds=300, now=NOW)
    state.release([CLUSTER, GROUP], owner="a")
    state.release([CLUSTER, GROUP], owner="a")
    assert not state.holds([CLUSTER], owner="a", now=NOW)
    assert state.lease([CLUSTER, GROUP], owner="b", seconds=300, now=NOW)


def test_a_lease_on_nothing_is_granted_and_held(state: State) -> None:
    assert state.lease([], owner="a", seconds=300, now=NOW)
    assert state.holds([], owner="a", now=NOW)


def test_a_name_that_is_given_twice_is_one_lease(state: State) -> None:
    assert state.lease([CLUSTER, CLUSTER], owner="a", seconds=300, now=NOW)
    assert state.holds([CLUSTER, CLUSTER], owner="a", now=NOW)


def test_a_throttled_lease_takes_nothing_and_says_so(
    dynamodb: DynamoDBClient, dynamo_state: DynamoState
) -> None:
    with answering(dynamodb, "TransactWriteItems", "ThrottlingException"), pytest.raises(ThrottledError):
        dynamo_state.lease([CLUSTER, GROUP], owner="a", seconds=300, now=NOW)
    assert dynamo_state.lease([CLUSTER, GROUP], owner="b", seconds=300, now=NOW)


def test_a_lease_in_the_way_of_a_transaction_is_left_to_expire(
    dynamodb: DynamoDBClient, dynamo_state: DynamoState
) -> None:
    assert dynamo_state.lease([CLUSTER], owner="a", seconds=60, now=NOW)
    with answering(dynamodb, "DeleteItem", "TransactionConflictException"):
        dynamo_state.release([CLUSTER], owner="a")
    assert dynamo_state.lease([CLUSTER], owner="b", seconds=60, now=NOW + timedelta(seconds=60))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["lease", "release", "wait"]),
        st.sampled_from(["a", "b", "c"]),
        st.sets(st.sampled_from([CLUSTER, GROUP, OTHER])),
        st.integers(1, 90),
    ),
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_fake_leases_as_dynamodb_does_and_nothing_has_two_holders(
    dynamodb: DynamoDBClient, tables: Tables, steps: list[tuple[str, str, set[str], int]]
) -> None:
    real, fake, clock = DynamoState(dynamodb, tables.state), MemoryState(), FixedClock()
    for step, owner, arns, seconds in steps:
        match step:
            case "lease":
                granted = real.lease(arns, owner=owner, seconds=seconds, now=clock())
                assert granted == fake.lease(arns, owner=owner, seconds=seconds, now=clock())
            case "release":
                real.release(arns, owner=owner)
                fake.release(arns, owner=owner)
            case _:
                clock.advance(seconds=seconds)
        for arn in (CLUSTER, GROUP, OTHER):
            holders = [who for who in "abc" if real.holds([arn], owner=who, now=clock())]
            assert holders == [who for who in "abc" if fake.holds([arn], owner=who, now=clock())]
            assert len(holders) <= 1
    for owner in "abc":
        real.release([CLUSTER, GROUP, OTHER], owner=owner)


# --- due rows ---------------------------------------------------------------------------------------------


def due(arn: str = CLUSTER, minutes: float = 5, **changes: Any) -> Due:
    fields = {"due_at": NOW + timedelta(minutes=minutes), "first_at": NOW, "attempt": 0, "reason": "busy"}
    return Due(arn=arn, **{**fields, **changes})


def test_what_waits_is_due_when_its_time_has_come(state: State, clock: FixedClock) -> None:
    row = due()
    state.defer(row)
    assert state.waiting(CLUSTER) == row
    assert state.due(clock.advance(minutes=4.99)) == []
    assert state.due(clock.advance(minutes=0.01)) == [row]
    assert state.waiting(CLUSTER) == row


def test_a_resource_waits_once(state: State) -> None:
    state.defer(due())
    later = due(minutes=10, attempt=1, reason="pending")
    state.defer(later)
    assert state.waiting(CLUSTER) == later
    assert state.due(NOW + timedelta(minutes=7)) == []


def test_what_is_settled_waits_no_longer(state: State) -> None:
    state.defer(due())
    state.defer(due(OTHER))
    state.settle(CLUSTER)
    state.settle(CLUSTER)
    assert state.waiting(CLUSTER) is None
    assert state.due(NOW + timedelta(days=1)) == [due(OTHER)]


def test_the_longest_overdue_comes_first(state: State) -> None:
    rows = [due(CLUSTER, 9), due(GROUP, 3), due(OTHER, 3)]
    for row in rows:
        state.defer(row)
    assert state.due(NOW + timedelta(minutes=10)) == [rows[1], rows[2], rows[0]]


def test_due_rows_are_read_page_by_page(dynamo_state: DynamoState) -> None:
    for number in range(4):
        dynamo_state.defer(due(f"{CLUSTER}-{number}", reason="x" * 300_000))
    assert len(dynamo_state.due(NOW + timedelta(hours=1))) == 4


# --- hygiene ----------------------------------------------------------------------------------------------


def test_rows_that_lose_their_meaning_expire_after_they_have_lost_it(
    dynamodb: DynamoDBClient, tables: Tables, dynamo_state: DynamoState
) -> None:
    dynamo_state.lease([CLUSTER], owner="a", seconds=300, now=NOW)
    dynamo_state.defer(due())
    dynamo_state.set_stop(STOP)
    rows = dynamodb.scan(TableName=tables.state)["Items"]
    expiry = {row["pk"]["S"].partition("#")[0]: row.get("expires_at", {}).get("N") for row in rows}
    moments = {pk: None if at is None else int(at) - int(NOW.timestamp()) for pk, at in expiry.items()}
    day = 24 * 3600
    assert moments == {"lease": 300, "due": 14 * day + 300, "stop": None}


def test_an_error_of_dynamodb_is_one_of_ours(dynamodb: DynamoDBClient) -> None:
    absent = DynamoState(dynamodb, "absent")
    for call in (
        lambda: absent.set_stop(STOP),
        lambda: absent.set_stop(None),
        lambda: absent.lease([CLUSTER], owner="a", seconds=1, now=NOW),
        lambda: absent.release([CLUSTER], owner="a"),
        lambda: absent.holds([CLUSTER], owner="a", now=NOW),
        lambda: absent.defer(due()),
        lambda: absent.waiting(CLUSTER),
        lambda: absent.due(NOW),
        lambda: absent.settle(CLUSTER),
    ):
        with pytest.raises(RejectedError, match="ResourceNotFoundException"):
            call()
