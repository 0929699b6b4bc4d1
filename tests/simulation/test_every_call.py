"""A fault at every call that a function makes to AWS, in each of several scenarios."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulation.invariants import Watch, assert_at_rest, assert_nothing_is_lost
from stack import fleet
from stack.deployed import ACCOUNT, ALICE, STRANGER, Deployed, policy_text
from stack.desk import answered, desk
from stack.faults import KINDS, Injector
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.conftest import Deploy

ORDERS = f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders"
PROTECTION = "cluster_deletion_protection_enabled"
RETENTION = "cluster_backup_retention_sufficient"
AUTHENTICATION = "cluster_iam_authentication_enabled"
DATA_API = "cluster_data_api_approved"
CONNECTIONS = "cluster_connection_logging_enabled"
PUBLIC = "cluster_snapshot_not_public"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Drift, and what follows until it is put right or told."""

    name: str
    policy: str
    drifts: tuple[tuple[str, str], ...]
    happens: Callable[[Deployed], None]
    make: Callable[[Deployed], object] = fleet.cluster


def _modify(stack: Deployed, **settings: object) -> None:
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", **settings)


def _three_at_once(stack: Deployed) -> None:
    _modify(
        stack,
        DeletionProtection=False,
        BackupRetentionPeriod=1,
        EnableIAMDatabaseAuthentication=False,
        ApplyImmediately=True,
    )


def _with_a_snapshot(stack: Deployed) -> None:
    fleet.legacy_cluster(stack)
    fleet.cluster_snapshot(stack, "friday", "legacy")


def _make_public(stack: Deployed) -> None:
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier="friday", AttributeName="restore", ValuesToAdd=["all", STRANGER]
        )


def _approved(stack: Deployed) -> None:
    with stack.by(ALICE):
        stack.client("rds").enable_http_endpoint(ResourceArn=ORDERS)
    stack.runtime.run_until_idle(max_time=timedelta(hours=2))
    for request in desk(stack).requests():
        answered(stack, request)


def _no_connections(stack: Deployed) -> None:
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster_parameter_group(
            DBClusterParameterGroupName="orders",
            Parameters=fleet.as_parameters({"log_connections": "0"}),
        )


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "merged",
            policy_text(only=(PROTECTION, RETENTION, AUTHENTICATION)),
            ((PROTECTION, ORDERS), (RETENTION, ORDERS), (AUTHENTICATION, ORDERS)),
            _three_at_once,
        ),
        Scenario(
            "told",
            policy_text(only=(PROTECTION,), mode="ticket"),
            ((PROTECTION, ORDERS),),
            lambda stack: _modify(stack, DeletionProtection=False),
        ),
        Scenario(
            "contained",
            policy_text(only=(PUBLIC,)),
            ((PUBLIC, ORDERS.replace(":cluster:orders", ":cluster-snapshot:friday")),),
            _make_public,
            _with_a_snapshot,
        ),
        Scenario("approved", policy_text(only=(DATA_API,), disruption=()), ((DATA_API, ORDERS),), _approved),
        Scenario("group", policy_text(only=(CONNECTIONS,)), ((CONNECTIONS, ORDERS),), _no_connections),
    )
}
CALLS = {"merged": 126, "told": 93, "contained": 95, "approved": 188, "group": 138}
"""As many calls as each takes without a fault, and a few more; held by a test."""


def is_of_a_scenario(_operation: str, function: str, event: dict[str, Any]) -> bool:
    """Not so the tick that looks for undelivered messages: it has nothing to do in nearly all of its runs."""
    return "Records" in event or "ticket" not in function.lower()


def survive(deploy: Deploy, scenario: Scenario, number: int, kind: str) -> Injector:
    """One scenario with one fault; everything that must hold afterwards does."""
    stack = deploy(policy=scenario.policy)
    stack.may_fail = True
    injector = Injector(stack, lambda call, _: kind if call == number else "", counts=is_of_a_scenario)
    watch = Watch(stack, injector)
    scenario.make(stack)
    with injector.at_work():
        scenario.happens(stack)
        stack.runtime.run_until_idle(max_time=timedelta(hours=2))
        stack.hours_later(0.5)
    # What an event could not tell, because a read was denied, the next sweep sees.
    stack.sweep()
    stack.hours_later(1)
    if scenario.name == "approved":
        for request in desk(stack).requests():
            answered(stack, request)
    assert watch.violations == []
    assert_nothing_is_lost(stack, scenario.drifts)
    assert stack.dead_letters() == {}, "one fault is retried"
    assert_at_rest(stack)
    return injector


def cases(every: int = 1) -> list[tuple[str, int, str]]:
    """Every call of every scenario with one kind of fault, the next kind each time; or with all kinds."""
    all_kinds = os.environ.get("WARDEN_SIMULATE") == "all"
    return [
        (name, number, kind)
        for name, calls in CALLS.items()
        for number in range(1, calls + 1, every)
        for kind in (KINDS if all_kinds else (KINDS[number % len(KINDS)],))
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize(("name", "number", "kind"), cases())
def test_a_fault_at_any_call_loses_nothing_and_writes_nothing_twice(
    deploy: Deploy, name: str, number: int, kind: str
) -> None:
    survive(deploy, SCENARIOS[name], number, kind)


@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize(("name", "number", "kind"), cases(every=97)[::3])
def test_a_few_such_faults_in_every_run_of_the_tests(
    deploy: Deploy, name: str, number: int, kind: str
) -> None:
    survive(deploy, SCENARIOS[name], number, kind)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_takes_fewer_calls_than_are_tried_and_ends_well(deploy: Deploy, name: str) -> None:
    scenario = SCENARIOS[name]
    injector = survive(deploy, scenario, 10_000, "")
    assert CALLS[name] - 12 <= injector.calls <= CALLS[name]
    assert injector.injected == Counter()


def test_without_a_fault_a_drift_ends_fixed_or_told(deploy: Deploy) -> None:
    stack = deploy(policy=SCENARIOS["merged"].policy)
    fleet.cluster(stack)
    _three_at_once(stack)
    stack.settle()
    assert {finding.workflow for finding in stack.findings} == {WorkflowStatus.RESOLVED}
    assert stack.write_names == ["ModifyDBCluster"], "three findings, one call"
