from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes import NOW, FixedClock, MemoryState
from warden.core.errors import RejectedError, StoppedError, ThrottledError
from warden.core.rows import Due, Stop
from warden.gateways.state import DynamoState

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@dataclass(frozen=True, slots=True)
class Http:
    status_code: int


@contextmanager
def answering(client: DynamoDBClient, operation: str, code: str) -> Iterator[None]:
    """Let DynamoDB refuse an operation."""
    answer = (
        Http(400),
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}},
    )
    event = f"before-call.dynamodb.{operation}"
    handler: Any = lambda **_: answer  # noqa: E731 - botocore's stubs do not know that an answer may be given
    client.meta.events.register(event, handler, "answering")
    try:
        yield
    finally:
        client.meta.events.unregister(event, unique_id="answering")


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


# --- budgets ----------------------------------------------------------------------------------------------


def spend(state: State, amount: int, limit: int = 5, **changes: Any) -> bool:
    where = {"account": "123456789012", "region": "eu-west-1", "containment": False, "now": NOW, **changes}
    account, region = where.pop("account"), where.pop("region")
    return state.spend(account, region, amount=amount, limit=limit, **where)


def spent(state: State, **changes: Any) -> int:
    where = {"account": "123456789012", "region": "eu-west-1", "containment": False, "now": NOW, **changes}
    return state.spent(where.pop("account"), where.pop("region"), **where)


def test_a_budget_is_spent_up_to_its_limit_and_not_beyond(state: State) -> None:
    assert spent(state) == 0
    assert [spend(state, 1) for _ in range(7)] == [True] * 5 + [False] * 2
    assert spent(state) == 5


def test_what_does_not_fit_reserves_nothing(state: State) -> None:
    assert spend(state, 3)
    assert not spend(state, 3)
    assert spent(state) == 3
    assert spend(state, 2)
    assert not spend(state, 1)


def test_more_than_the_limit_is_refused_even_at_first(state: State) -> None:
    assert not spend(state, 6)
    assert not spend(state, 1, limit=0)
    assert spent(state) == 0


def test_a_limit_that_was_lowered_holds_at_once(state: State) -> None:
    assert spend(state, 4)
    assert not spend(state, 1, limit=2)
    assert spent(state) == 4


@pytest.mark.parametrize(
    "other", [{"account": "210987654321"}, {"region": "eu-central-1"}, {"containment": True}], ids=str
)
def test_budgets_do_not_touch_each_other(state: State, other: dict[str, Any]) -> None:
    assert spend(state, 5)
    assert spent(state, **other) == 0
    assert spend(state, 5, **other)
    assert not spend(state, 1)


def test_each_hour_has_a_budget_of_its_own(state: State, clock: FixedClock) -> None:
    assert spend(state, 5, now=clock())
    assert not spend(state, 1, now=clock.advance(minutes=59))
    assert spent(state, now=clock()) == 5
    assert spent(state, now=clock.advance(minutes=1)) == 0
    assert spend(state, 5, now=clock())


def test_two_that_saw_room_for_one_do_not_both_get_it(dynamodb: DynamoDBClient, tables: Tables) -> None:
    one, two = DynamoState(dynamodb, tables.state), DynamoState(dynamodb, tables.state)
    assert spend(one, 4)
    assert (spent(one), spent(two)) == (4, 4)
    assert [spend(one, 1), spend(two, 1)] == [True, False]
    assert spent(one) == 5


def test_a_throttled_budget_is_no_permission(dynamodb: DynamoDBClient, dynamo_state: DynamoState) -> None:
    with answering(dynamodb, "UpdateItem", "ThrottlingException"), pytest.raises(ThrottledError):
        spend(dynamo_state, 1)


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
    spend(dynamo_state, 1)
    dynamo_state.defer(due())
    dynamo_state.set_stop(STOP)
    rows = dynamodb.scan(TableName=tables.state)["Items"]
    expiry = {row["pk"]["S"].partition("#")[0]: row.get("expires_at", {}).get("N") for row in rows}
    moments = {pk: None if at is None else int(at) - int(NOW.timestamp()) for pk, at in expiry.items()}
    day = 24 * 3600
    assert moments == {"lease": 300, "budget": 2 * day, "due": 14 * day + 300, "stop": None}


def test_an_error_of_dynamodb_is_one_of_ours(dynamodb: DynamoDBClient) -> None:
    absent = DynamoState(dynamodb, "absent")
    for call in (
        lambda: absent.set_stop(STOP),
        lambda: absent.set_stop(None),
        lambda: absent.lease([CLUSTER], owner="a", seconds=1, now=NOW),
        lambda: absent.release([CLUSTER], owner="a"),
        lambda: absent.holds([CLUSTER], owner="a", now=NOW),
        lambda: spend(absent, 1),
        lambda: spent(absent),
        lambda: absent.defer(due()),
        lambda: absent.waiting(CLUSTER),
        lambda: absent.due(NOW),
        lambda: absent.settle(CLUSTER),
    ):
        with pytest.raises(RejectedError, match="ResourceNotFoundException"):
            call()


def test_a_latch_holds_until_it_is_acknowledged_and_takes_the_hour_with_it(state: State) -> None:
    here = {"account": "123456789012", "region": "eu-west-1"}
    spend(state, 5)
    assert not state.latched(**here, containment=False)
    assert not state.acknowledge(**here, now=NOW)
    state.latch(**here, containment=False, now=NOW)
    state.latch(**here, containment=False, now=NOW)

    assert state.latched(**here, containment=False)
    assert not state.latched(**here, containment=True)
    assert not state.latched(account="210987654321", region="eu-west-1", containment=False)
    assert state.acknowledge(**here, now=NOW)
    assert not state.latched(**here, containment=False)
    assert state.spent(**here, containment=False, now=NOW) == 0
