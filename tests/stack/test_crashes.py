"""A function that dies at any moment: nothing is lost, nothing is written twice, and the ledger stays whole."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from stack import fleet
from stack.deployed import ALICE, Deployed, policy_text
from stack.killer import Killer
from warden.core.control import ComplianceType
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from stack.conftest import Deploy

PROTECTED = "cluster_deletion_protection_enabled"
# About as many calls as one drift takes from the event to its end; the last kills must hit nothing any more.
MOMENTS = range(1, 61)
ONE = policy_text(only=(PROTECTED,))
TOLD = policy_text(only=(PROTECTED,), mode="ticket")


def _drift(stack: Deployed, killer: Killer) -> None:
    stack.may_fail = True
    fleet.cluster(stack)
    with killer.at_work():
        with stack.by(ALICE):
            stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
        stack.runtime.run_until_idle(max_time=timedelta(hours=2))
        stack.hours_later(0.5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_function_that_dies_at_any_of_its_calls_loses_nothing(
    deploy: Deploy, moment: int, after: bool
) -> None:
    stack = deploy(policy=ONE)
    killer = Killer(stack, moment, after=after)
    _drift(stack, killer)
    finding = stack.finding(PROTECTED)
    assert stack.judged(PROTECTED, finding.arn).compliance is ComplianceType.COMPLIANT
    assert finding.workflow is WorkflowStatus.RESOLVED
    assert stack.dead_letters() == {}
    assert stack.tickets == []
    # A write whose answer never came is not repeated: what is live says that it is done.
    accepted = 2 if killer.killed == "ModifyDBCluster" and not after else 1
    assert len(stack.writes) <= accepted
    # Whatever died: what is held is given back or lapses, and what waits comes to an end.
    stack.hours_later(1)
    assert stack.state.waiting(finding.arn) is None


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("moment", range(1, 25))
def test_a_ticket_is_told_whatever_dies_on_the_way(deploy: Deploy, moment: int, after: bool) -> None:
    stack = deploy(policy=TOLD)
    killer = Killer(stack, moment, after=after)
    _drift(stack, killer)
    assert stack.open_findings() == {PROTECTED: "NOTIFIED"}
    told = stack.ticket_states(PROTECTED)
    # At least once: a function that dies after it has told tells again.
    again = killer.killed in {"Publish", "PutItem", "GetItem", "TransactWriteItems"}
    assert told == ["OPEN"] or (again and set(told) <= {"OPEN", "UPDATED"} and len(told) == 2)
    assert stack.dead_letters() == {}


def test_a_drift_takes_fewer_calls_than_the_moments_tried_here(deploy: Deploy) -> None:
    stack = deploy(policy=ONE)
    killer = Killer(stack, 10_000, after=False)
    fleet.cluster(stack)
    with killer.at_work():
        stack.as_alice("modify_db_cluster", DBClusterIdentifier="orders", DeletionProtection=False)
    assert 20 < killer.calls < MOMENTS.stop


@pytest.mark.parametrize("moment", [8, 20, 30])
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_few_such_moments_in_every_run_of_the_tests(deploy: Deploy, moment: int) -> None:
    stack = deploy(policy=ONE)
    killer = Killer(stack, moment, after=True)
    _drift(stack, killer)
    assert killer.killed
    assert stack.finding(PROTECTED).workflow is WorkflowStatus.RESOLVED
    assert len(stack.writes) == 1
