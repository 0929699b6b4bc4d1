"""The template's sweeps remember what events keep current: which calls that saves, and what it must never cost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from stack import fleet
from stack.deployed import Deployed, policy_text

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from stack.conftest import Deploy

TLS, SHARED = "cluster_tls_enforced", "cluster_snapshot_shares_approved"
ONE_BY_ONE = ("DescribeDBClusterParameters", "DescribeDBClusterSnapshotAttributes")


@pytest.fixture
def stack(deploy: Deploy) -> Deployed:
    """A deployment with a compliant cluster and two snapshots of it, swept once."""
    stack = deploy(policy=policy_text(mode="ticket", only=(TLS, SHARED)))
    fleet.cluster(stack)
    for name in ("monday", "tuesday"):
        fleet.cluster_snapshot(stack, name, "orders")
    stack.settle()
    stack.clock.advance(3600)
    assert asked(stack) == {ONE_BY_ONE[0]: 1, ONE_BY_ONE[1]: 2}
    return stack


def asked(stack: Deployed) -> Counter[str]:
    """What a sweep asks of RDS one by one."""
    before = len(stack.aws.calls)
    answer = stack.sweep()
    assert answer["problems"] == []
    return Counter(call.operation for call in stack.aws.calls[before:] if call.operation in ONE_BY_ONE)


def share(stack: Deployed) -> None:
    stack.client("rds").modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="monday", AttributeName="restore", ValuesToAdd=["999999999999"]
    )


def demand(stack: Deployed, value: str) -> None:
    group = stack.client("rds").describe_db_clusters()["DBClusters"][0]["DBClusterParameterGroup"]
    stack.client("rds").modify_db_cluster_parameter_group(
        DBClusterParameterGroupName=group, Parameters=fleet.as_parameters({"rds.force_ssl": value})
    )


def test_a_second_sweep_asks_for_lists_alone(stack: Deployed) -> None:
    # So late that what is remembered would be over a day old at the next sweep, were the schedule's hours not known.
    stack.clock.advance(3600)
    assert asked(stack) == {}
    assert stack.logged("remembered")[-1]["resources"] == 3
    assert [entry["after"]["remembered"] for entry in stack.entries("sweep")] == [0, 3]
    assert stack.open_findings() == {}


def test_what_an_event_told_of_is_read_by_the_next_sweep_and_nothing_else_is(stack: Deployed) -> None:
    share(stack)
    stack.settle()
    assert set(stack.open_findings()) == {SHARED}
    stack.clock.advance(3600)

    calls = asked(stack)

    assert calls[ONE_BY_ONE[1]] <= 1
    assert set(stack.open_findings()) == {SHARED}


def test_a_group_that_an_event_told_of_too(stack: Deployed) -> None:
    demand(stack, "0")
    stack.settle()
    assert set(stack.open_findings()) == {TLS}
    stack.clock.advance(600)
    asked(stack)
    demand(stack, "1")
    stack.settle()
    stack.clock.advance(600)

    asked(stack)

    assert stack.open_findings() == {}


def test_drift_of_which_no_event_told_is_found_within_a_day(stack: Deployed) -> None:
    with stack.quietly():
        share(stack)
        demand(stack, "0")
    for _ in range(4):
        stack.clock.advance(6 * 3600)
        stack.sweep()

    assert set(stack.open_findings()) == {TLS, SHARED}


def test_where_an_event_was_lost_the_next_sweep_reads_everything(stack: Deployed) -> None:
    """What a sweep finds of which no event has told for half an hour ends all trust."""
    fleet.cluster(stack, "billing")
    stack.settle()
    with stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="billing", DBClusterParameterGroupName=other(stack))
    stack.clock.advance(600)
    asked(stack)
    assert set(stack.open_findings()) == {TLS}
    stack.clock.advance(31 * 60)
    invocation = stack.runtime.call(stack.function("sweep").logical_id, {"job": "due"})
    assert invocation.error is None
    assert stack.logged("events missed")
    stack.clock.advance(600)

    assert asked(stack)[ONE_BY_ONE[1]] == 2


def other(stack: Deployed) -> str:
    """A group of the same family that does not demand TLS."""
    rds = stack.client("rds")
    family = "aurora-postgresql16"
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="lax", DBParameterGroupFamily=family, Description="lax"
    )
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="lax", Parameters=fleet.as_parameters({"rds.force_ssl": "0"})
    )
    return "lax"


def test_while_the_probe_is_overdue_nothing_is_remembered(stack: Deployed) -> None:
    """The first look begins to wait for it; after 26 hours without its finding events count as silent."""
    for schedule in stack.runtime.scheduler.schedules:
        object.__setattr__(schedule, "enabled", False)
    stack.clock.advance(27 * 3600)
    stack.sweep()
    stack.clock.advance(600)

    assert asked(stack) == {ONE_BY_ONE[0]: 1, ONE_BY_ONE[1]: 2}


def test_a_policy_can_forbid_it(deploy: Deploy) -> None:
    stack = deploy(
        policy=policy_text(mode="ticket", only=(TLS, SHARED), more="[requests]\nremember_hours = 0")
    )
    fleet.cluster(stack)
    stack.settle()
    first = asked(stack)
    stack.clock.advance(600)

    assert asked(stack) == first == {ONE_BY_ONE[0]: 1}


def test_a_killed_sweep_forgets_at_most_what_it_had_not_written(stack: Deployed) -> None:
    """Memory is written in batches; what was lost is read again, and nothing is judged by half of it."""
    table = stack.template.resources["StateTable"].name
    kept = stack.client("dynamodb").scan(TableName=table)["Items"]
    [*_, one] = [item for item in kept if item["sk"]["S"].startswith("read#")]
    stack.client("dynamodb").delete_item(TableName=table, Key={"pk": one["pk"], "sk": one["sk"]})
    stack.clock.advance(600)

    assert sum(asked(stack).values()) == 1
    assert stack.open_findings() == {}
