"""What others do to alarms and to plans of AWS Backup is heard of at once, and leads to the right database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stack import fleet
from stack.deployed import ALICE, Deployed, policy_text
from stack.desk import acknowledge
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from stack.conftest import Deploy

TAG = {"Key": "backup", "Value": "nightly"}
WATCHED = 'topic = "on-call"\nrequired = ["CPUUtilization"]'
ALARMS, PLANS = "cluster_alarms_present", "instance_backup_plan_covers"


def _alarm(stack: Deployed, name: str, *, of: tuple[str, str], heard: bool = True) -> None:
    stack.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        ActionsEnabled=heard,
        AlarmActions=["arn:aws:sns:eu-west-1:123456789012:on-call"],
        Namespace="AWS/RDS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": of[0], "Value": of[1]}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=5,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
    )


def _visited(stack: Deployed) -> list[str]:
    return [entry["arn"].rpartition(":")[2] for entry in stack.entries("finding")]


def _two_clusters(stack: Deployed) -> tuple[str, str]:
    arns = []
    for name in ("orders", "billing"):
        arns.append(fleet.cluster(stack, name))
        fleet.member(stack, f"{name}-1", name)
        _alarm(stack, f"{name} cpu", of=("DBInstanceIdentifier", f"{name}-1"))
    return arns[0], arns[1]


def test_an_alarm_on_a_member_leads_to_its_cluster_and_to_no_other(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(ALARMS,), mode="ticket", more=f"[controls.{ALARMS}]\n{WATCHED}"))
    with stack.quietly():
        orders, _ = _two_clusters(stack)
        stack.client("cloudwatch").delete_alarms(AlarmNames=["billing cpu"])
    with stack.by(ALICE):
        _alarm(stack, "orders cpu", of=("DBInstanceIdentifier", "orders-1"), heard=False)
    stack.settle()
    assert _visited(stack) == ["orders"], "billing has drift, too, of which nobody has told"
    (found,) = stack.entries("finding")
    assert found["cause"]["principal"] == ALICE.arn
    with stack.by(ALICE):
        _alarm(stack, "orders cpu", of=("DBInstanceIdentifier", "orders-1"))
    stack.settle()
    assert stack.finding(ALARMS, orders).workflow is WorkflowStatus.RESOLVED


@pytest.mark.parametrize(
    "call",
    [
        lambda alarms, name: alarms.delete_alarms(AlarmNames=[name]),
        lambda alarms, name: alarms.disable_alarm_actions(AlarmNames=[name]),
    ],
    ids=["deleted", "silenced"],
)
def test_somebody_elses_alarm_leads_to_every_cluster(deploy: Deploy, call: Callable[[Any, str], Any]) -> None:
    stack = deploy(policy=policy_text(only=(ALARMS,), mode="ticket", more=f"[controls.{ALARMS}]\n{WATCHED}"))
    with stack.quietly():
        _two_clusters(stack)
    with stack.by(ALICE):
        call(stack.client("cloudwatch"), "billing cpu")
    before = len(stack.aws.calls)
    stack.settle()
    assert _visited(stack) == ["billing"]
    read = [one.operation for one in stack.aws.calls[before:]]
    # Whole lists are read once for all of them, as in a sweep.
    assert (read.count("DescribeAlarms"), read.count("DescribeDBClusters")) == (1, 1)


def test_wardens_own_alarm_is_made_anew_once_it_is_deleted(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(ALARMS,), more=f"[controls.{ALARMS}]\n{WATCHED}"))
    with stack.quietly():
        orders, _ = _two_clusters(stack)
        stack.client("cloudwatch").delete_alarms(AlarmNames=["orders cpu", "billing cpu"])
        _alarm(stack, "warden-cluster-orders-CPUUtilization", of=("DBClusterIdentifier", "orders"))
    with stack.by(ALICE):
        stack.client("cloudwatch").delete_alarms(AlarmNames=["warden-cluster-orders-CPUUtilization"])
    stack.settle()
    assert stack.write_names == ["PutMetricAlarm"], "billing lacks an alarm, too: its name was not called"
    assert stack.finding(ALARMS, orders).workflow is WorkflowStatus.RESOLVED


def test_wardens_own_alarm_that_watches_another_database_is_missed_where_it_was(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(ALARMS,), mode="ticket", more=f"[controls.{ALARMS}]\n{WATCHED}"))
    with stack.quietly():
        _two_clusters(stack)
        stack.client("cloudwatch").delete_alarms(AlarmNames=["orders cpu"])
        _alarm(stack, "warden-cluster-orders-CPUUtilization", of=("DBClusterIdentifier", "orders"))
    with stack.by(ALICE):
        _alarm(stack, "warden-cluster-orders-CPUUtilization", of=("DBClusterIdentifier", "billing"))
    stack.settle()
    assert _visited(stack) == ["orders"]


def test_a_selection_that_goes_is_missed_at_every_database(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(PLANS,), mode="ticket"))
    backup = stack.client("backup")
    with stack.quietly():
        plan = fleet.backup_plan(stack, TAG)
        for name in ("reports", "ledger"):
            fleet.instance(stack, name, Tags=[TAG])
    (selection,) = backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    with stack.by(ALICE):
        backup.delete_backup_selection(BackupPlanId=plan, SelectionId=selection["SelectionId"])
    stack.settle()
    assert sorted(_visited(stack)) == ["ledger", "reports"]
    assert {one["state"] for one in stack.tickets} == {"OPEN"}


def test_the_alarms_of_a_cluster_are_one_write_of_the_budget(deploy: Deploy) -> None:
    wanted = '["CPUUtilization", "FreeableMemory", "DatabaseConnections"]'
    more = f'[controls.{ALARMS}]\ntopic = "on-call"\nrequired = {wanted}'
    stack = deploy(policy=policy_text(only=(ALARMS,), limits={"writes_per_hour": 1}, more=more))
    with stack.quietly():
        for name in ("orders", "billing"):
            fleet.cluster(stack, name)
            fleet.member(stack, f"{name}-1", name)
    stack.sweep()
    stack.settle()
    assert stack.write_names == ["PutMetricAlarm"] * 3, (
        "those of one cluster, and of no other within the hour"
    )
    assert acknowledge(stack)
    stack.hours_later(1)
    assert stack.write_names == ["PutMetricAlarm"] * 6
    assert stack.open_findings() == {}
