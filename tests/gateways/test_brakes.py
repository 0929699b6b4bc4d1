from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fakes import NOW, FixedClock, MemoryBrakes
from gateways.answering import answering
from warden.core.brakes import Payment, Spent
from warden.core.errors import RejectedError, ThrottledError
from warden.gateways.brakes import DynamoBrakes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from fakes.tables import Tables
    from warden.pipeline.ports import Brakes

HERE = ("123456789012", "eu-west-1")
CONTROL, OTHER = "cluster_tls_enforced", "cluster_deletion_protection_enabled"
ONE, TWO, THREE = (f"123456789012/eu-west-1/AWS::RDS::DBCluster/cluster-{name}" for name in "ABC")


@pytest.fixture(params=["dynamodb", "memory"])
def brakes(request: pytest.FixtureRequest) -> Brakes:
    if request.param == "memory":
        return MemoryBrakes()
    tables: Tables = request.getfixturevalue("tables")
    return DynamoBrakes(request.getfixturevalue("dynamodb"), tables.state)


@pytest.fixture
def in_dynamodb(dynamodb: DynamoDBClient, tables: Tables) -> DynamoBrakes:
    return DynamoBrakes(dynamodb, tables.state)


def spend(
    brakes: Brakes,
    times: int = 1,
    *,
    where: tuple[str, str] = HERE,
    now: Any = NOW,
    budget: str = "normal",
    limit: int = 5,
    **controls: int,
) -> int:
    """Try so often; how often it was let."""
    payment = Payment(budget=budget, limit=limit, controls=controls)
    return sum(brakes.spend(*where, payment, now=now) for _ in range(times))


def spent(brakes: Brakes, where: tuple[str, str] = HERE, budget: str = "normal", now: Any = NOW) -> Spent:
    return brakes.spent(*where, budget=budget, now=now)


# --- budgets ----------------------------------------------------------------------------------------------


def test_a_budget_is_spent_up_to_its_limit_and_not_beyond(brakes: Brakes) -> None:
    assert spent(brakes) == Spent()
    assert spend(brakes, 7) == 5
    assert spent(brakes).writes == 5


def test_a_limit_of_nothing_lets_nothing_be_spent(brakes: Brakes) -> None:
    assert spend(brakes, limit=0) == 0
    assert spend(brakes, **{CONTROL: 0}) == 0
    assert spent(brakes) == Spent()


def test_a_limit_that_was_lowered_holds_at_once(brakes: Brakes) -> None:
    assert spend(brakes, 4) == 4
    assert spend(brakes, limit=2) == 0
    assert spent(brakes).writes == 4


def test_a_control_has_a_limit_of_its_own_and_what_it_may_not_have_costs_nobody_anything(
    brakes: Brakes,
) -> None:
    assert spend(brakes, 2, **{CONTROL: 2}) == 2
    assert spend(brakes, 1, **{CONTROL: 2, OTHER: 3}) == 0, "a call for both is a write of both"
    assert spend(brakes, 1, **{OTHER: 3}) == 1
    assert spent(brakes) == Spent(writes=3, by_control={CONTROL: 2, OTHER: 1})


@pytest.mark.parametrize(
    "other",
    [
        {"where": ("210987654321", "eu-west-1")},
        {"where": ("123456789012", "eu-central-1")},
        {"budget": "containment"},
    ],
    ids=str,
)
def test_budgets_do_not_touch_each_other(brakes: Brakes, other: dict[str, Any]) -> None:
    assert spend(brakes, 5) == 5
    assert spent(brakes, **other) == Spent()
    assert spend(brakes, 5, **other) == 5
    assert spend(brakes) == 0


def test_each_hour_has_a_budget_of_its_own(brakes: Brakes) -> None:
    clock = FixedClock()
    assert spend(brakes, 5, now=clock()) == 5
    assert spend(brakes, now=clock.advance(minutes=59)) == 0
    assert spent(brakes, now=clock()).writes == 5
    assert spent(brakes, now=clock.advance(minutes=1)).writes == 0
    assert spend(brakes, 5, now=clock()) == 5


def test_two_that_saw_room_for_one_do_not_both_get_it(dynamodb: DynamoDBClient, tables: Tables) -> None:
    one, two = DynamoBrakes(dynamodb, tables.state), DynamoBrakes(dynamodb, tables.state)
    assert spend(one, 4) == 4
    assert (spent(one).writes, spent(two).writes) == (4, 4)
    assert [spend(one), spend(two)] == [1, 0]
    assert spent(one).writes == 5


def test_a_throttled_budget_is_no_permission(dynamodb: DynamoDBClient, in_dynamodb: DynamoBrakes) -> None:
    with answering(dynamodb, "UpdateItem", "ThrottlingException"), pytest.raises(ThrottledError):
        spend(in_dynamodb)


def test_the_row_of_an_hour_expires_long_after_it(
    dynamodb: DynamoDBClient, tables: Tables, in_dynamodb: DynamoBrakes
) -> None:
    spend(in_dynamodb)
    [row] = dynamodb.scan(TableName=tables.state)["Items"]
    assert int(row["expires_at"]["N"]) == int(NOW.timestamp()) + 2 * 24 * 3600


# --- latches and circuits ---------------------------------------------------------------------------------


def test_a_latch_holds_until_it_is_acknowledged_and_takes_the_hour_with_it(brakes: Brakes) -> None:
    spend(brakes, 5, **{CONTROL: 9})
    assert brakes.standing(*HERE).latched == set()
    assert brakes.acknowledge(*HERE, now=NOW) == ()
    for name in ("normal", CONTROL, "normal"):
        brakes.latch(*HERE, name, now=NOW)

    assert brakes.standing(*HERE).latched == {"normal", CONTROL}
    assert brakes.standing("210987654321", "eu-west-1").latched == set()
    assert brakes.acknowledge(*HERE, now=NOW) == (CONTROL, "normal")
    assert brakes.standing(*HERE).latched == set()
    assert spent(brakes) == Spent()


def fail(brakes: Brakes, resource: str, *, at: Any = NOW, control: str = CONTROL, limit: int = 3) -> bool:
    return brakes.note_failure(
        *HERE, control=control, resource_key=resource, now=at, window=timedelta(hours=24), limit=limit
    )


def test_a_circuit_opens_once_the_fixes_of_a_control_failed_on_several_resources(brakes: Brakes) -> None:
    assert [fail(brakes, key) for key in (ONE, ONE, ONE, TWO)] == [False] * 4, "twice the same is one"
    assert fail(brakes, ONE, control=OTHER) is False
    assert brakes.standing(*HERE).circuits == {}

    assert fail(brakes, THREE) is True
    assert brakes.standing(*HERE).circuits == {CONTROL: NOW}
    assert fail(brakes, TWO, at=NOW + timedelta(days=9)) is False, "it is open already, and stays so"
    assert brakes.standing(*HERE).circuits == {CONTROL: NOW}


def test_failures_are_forgotten_with_their_window(brakes: Brakes) -> None:
    fail(brakes, ONE)
    fail(brakes, TWO, at=NOW + timedelta(hours=13))
    assert fail(brakes, THREE, at=NOW + timedelta(hours=24)) is False
    assert fail(brakes, ONE, at=NOW + timedelta(hours=25)) is True


def test_who_acknowledges_closes_the_circuit_and_forgets_its_failures(brakes: Brakes) -> None:
    for key in (ONE, TWO, THREE):
        fail(brakes, key)
    fail(brakes, ONE, control=OTHER)
    fail(brakes, TWO, control=OTHER)

    assert brakes.acknowledge(*HERE, now=NOW) == (f"circuit of {CONTROL}",)
    assert brakes.standing(*HERE).circuits == {}
    assert fail(brakes, ONE) is False
    assert fail(brakes, THREE, control=OTHER) is True, "what had not opened is not forgotten"


def test_failures_that_are_noted_at_once_are_all_counted(
    dynamodb: DynamoDBClient, tables: Tables, in_dynamodb: DynamoBrakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = DynamoBrakes(dynamodb, tables.state)
    put, raced = in_dynamodb._put_over, [TWO, THREE]

    def put_after_another(row: Any, revision: int) -> bool:
        if raced:
            fail(other, raced.pop())
        return put(row, revision)

    monkeypatch.setattr(in_dynamodb, "_put_over", put_after_another)
    assert fail(in_dynamodb, ONE) is True
    assert set(json.loads(dynamodb.scan(TableName=tables.state)["Items"][0]["failures"]["S"])) == {
        ONE,
        TWO,
        THREE,
    }


# --- canaries ---------------------------------------------------------------------------------------------


def begin(brakes: Brakes, resource: str) -> bool:
    return brakes.begin_canary(*HERE, control=CONTROL, resource_key=resource, now=NOW)


def test_one_resource_goes_first_until_it_is_verified(brakes: Brakes) -> None:
    assert [begin(brakes, key) for key in (ONE, TWO, ONE)] == [True, False, True]
    later = NOW + timedelta(hours=1)
    brakes.verify_canary(*HERE, control=CONTROL, resource_key=TWO, now=later)
    assert brakes.standing(*HERE).canaries[CONTROL].verified_at is None
    brakes.verify_canary(*HERE, control=CONTROL, resource_key=ONE, now=later)
    brakes.verify_canary(*HERE, control=CONTROL, resource_key=ONE, now=later + timedelta(hours=1))

    canary = brakes.standing(*HERE).canaries[CONTROL]
    assert (canary.resource_key, canary.begun_at, canary.verified_at) == (ONE, NOW, later)
    assert begin(brakes, TWO)


def test_what_went_before_it_was_verified_lets_another_go_first(brakes: Brakes) -> None:
    begin(brakes, ONE)
    brakes.drop_canary(*HERE, control=CONTROL, resource_key=TWO)
    assert not begin(brakes, TWO)
    brakes.drop_canary(*HERE, control=CONTROL, resource_key=ONE)
    assert begin(brakes, TWO)
    brakes.verify_canary(*HERE, control=CONTROL, resource_key=TWO, now=NOW)
    brakes.drop_canary(*HERE, control=CONTROL, resource_key=TWO)
    assert brakes.standing(*HERE).canaries[CONTROL].resource_key == TWO


# --- day one, census --------------------------------------------------------------------------------------


def test_a_first_sweep_is_acknowledged_for_each_control_and_mode(brakes: Brakes) -> None:
    assert brakes.standing(*HERE).acknowledged == set()
    brakes.acknowledge_day_one(*HERE, [(CONTROL, "ticket"), (OTHER, "remediate")], now=NOW)
    assert brakes.standing(*HERE).acknowledged == {(CONTROL, "ticket"), (OTHER, "remediate")}
    assert brakes.standing("123456789012", "eu-central-1").acknowledged == set()


def test_the_last_census_counts(brakes: Brakes) -> None:
    assert brakes.standing(*HERE).census == {}
    brakes.take_census(*HERE, {"AWS::RDS::DBCluster": 4}, now=NOW)
    brakes.take_census(*HERE, {"AWS::RDS::DBCluster": 40}, now=NOW)
    assert brakes.standing(*HERE).census == {"AWS::RDS::DBCluster": 40}


def test_an_error_of_dynamodb_is_one_of_ours(dynamodb: DynamoDBClient) -> None:
    absent = DynamoBrakes(dynamodb, "absent")
    for call in (
        lambda: spend(absent),
        lambda: spent(absent),
        lambda: absent.standing(*HERE),
        lambda: absent.latch(*HERE, "normal", now=NOW),
        lambda: absent.acknowledge(*HERE, now=NOW),
        lambda: fail(absent, ONE),
        lambda: begin(absent, ONE),
        lambda: absent.take_census(*HERE, {}, now=NOW),
    ):
        with pytest.raises(RejectedError, match="ResourceNotFoundException"):
            call()
