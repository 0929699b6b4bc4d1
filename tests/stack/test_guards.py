"""What holds a write up, and that it holds: states, people, limits, and what AWS does not let us do or see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from console import paths
from console.local.clock import MovableClock
from console.local.rds.state import Lifecycle
from console.local.template import load_template
from stack import fleet
from stack.deployed import A_FEW, ALICE, BOB, CONTROLS, Deployed, policy_text
from stack.desk import acknowledge, stopped
from warden.core.control import ComplianceType
from warden.core.finding import WorkflowStatus

if TYPE_CHECKING:
    from pathlib import Path

    from stack.conftest import Deploy

PROTECTED = "cluster_deletion_protection_enabled"
IAM = "cluster_iam_authentication_enabled"
RESOLVED = WorkflowStatus.RESOLVED


def _unprotect(stack: Deployed, name: str = "orders") -> None:
    stack.as_alice("modify_db_cluster", DBClusterIdentifier=name, DeletionProtection=False)


def _iam_off(stack: Deployed) -> None:
    stack.as_alice(
        "modify_db_cluster",
        DBClusterIdentifier="orders",
        EnableIAMDatabaseAuthentication=False,
        ApplyImmediately=True,
    )


# --- states -------------------------------------------------------------------------------------------------------


def test_a_busy_cluster_waits_for_its_turn(stack: Deployed) -> None:
    arn = fleet.cluster(stack)
    with stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.rds.hold(arn, "upgrading", seconds=1_200)
    with stack.by(ALICE):
        stack.client("rds").add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "b"}])
    stack.settle()
    assert stack.story(PROTECTED) == ["finding NEW", "decision DEFER busy"]
    waiting = stack.state.waiting(arn)
    assert waiting is not None
    assert timedelta(minutes=5) <= waiting.due_at - stack.now() <= timedelta(minutes=6)
    stack.hours_later(0.3)
    assert stack.writes == []
    stack.hours_later(0.5)
    assert stack.write_names == ["ModifyDBCluster"]
    assert stack.finding(PROTECTED).workflow is RESOLVED
    stack.hours_later(0.5)
    assert stack.state.waiting(arn) is None


def test_a_cluster_that_becomes_busy_after_the_decision_is_left_for_later(stack: Deployed) -> None:
    arn = fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.until("evaluate")
    stack.aws.rds.hold(arn, "backing-up", seconds=600)
    stack.settle()
    assert stack.writes == []
    stack.hours_later(0.5)
    assert stack.finding(PROTECTED).workflow is RESOLVED


def test_aws_saying_busy_where_its_description_did_not_is_a_delay(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.faults.inject("rds:ModifyDBCluster", "InvalidDBClusterStateFault")
    stack.settle()
    (outcome,) = stack.entries("outcome")
    assert outcome["after"]["status"] == "DEFERRED"
    stack.hours_later(0.5)
    assert stack.finding(PROTECTED).workflow is RESOLVED
    assert stack.tickets == []


@pytest.mark.slow
def test_a_change_that_waits_for_the_window_is_not_flushed_not_even_a_members(stack: Deployed) -> None:
    fleet.cluster(stack)
    fleet.member(stack, "orders-1", "orders")
    with stack.by(BOB):
        stack.client("rds").modify_db_instance(
            DBInstanceIdentifier="orders-1", DBInstanceClass="db.r6g.xlarge"
        )
    _iam_off(stack)
    assert stack.story(IAM) == ["finding NEW", "decision DEFER pending"]
    stack.hours_later(3)
    (item,) = stack.client("rds").describe_db_instances()["DBInstances"]
    assert (item["DBInstanceClass"], stack.writes) == ("db.r6g.large", [])
    stack.aws.rds.maintenance_window()
    stack.hours_later(1.5)
    assert stack.write_names == ["ModifyDBCluster"]
    assert stack.finding(IAM).workflow is RESOLVED


def test_what_needs_no_apply_immediately_does_not_wait_for_the_window(stack: Deployed) -> None:
    fleet.cluster(stack)
    fleet.member(stack, "orders-1", "orders")
    with stack.by(BOB):
        stack.client("rds").modify_db_instance(
            DBInstanceIdentifier="orders-1", DBInstanceClass="db.r6g.xlarge"
        )
    _unprotect(stack)
    assert stack.finding(PROTECTED).workflow is RESOLVED
    (item,) = stack.client("rds").describe_db_instances()["DBInstances"]
    assert item["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.xlarge"}


@pytest.mark.slow
def test_what_waits_for_a_day_is_told_and_still_looked_at(stack: Deployed) -> None:
    arn = fleet.cluster(stack)
    with stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.rds.hold(arn, "upgrading")
    stack.sweep()
    stack.hours_later(23)
    assert stack.tickets == []
    stack.hours_later(2.5)
    assert stack.ticket_states(PROTECTED) == ["OPEN"]
    assert stack.tickets[0]["decision"]["reason"] == "busy"
    stack.aws.rds.release(arn)
    stack.hours_later(2)
    assert stack.write_names == ["ModifyDBCluster"]
    assert stack.ticket_states(PROTECTED)[-1] == "RESOLVED"


def test_the_busy_states_of_aws_pass_by_themselves(stack: Deployed) -> None:
    fleet.cluster(stack)
    stack.aws.rds.lifecycle = Lifecycle.like_aws()
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(
            DBClusterIdentifier="orders",
            EnableIAMDatabaseAuthentication=False,
            DeletionProtection=False,
            ApplyImmediately=True,
        )
    stack.settle()
    assert stack.writes == [], "IAM authentication is being configured"
    stack.hours_later(1)
    assert stack.open_findings() == {}
    (write,) = stack.writes
    assert write.parameters["EnableIAMDatabaseAuthentication"] is True
    assert write.parameters["DeletionProtection"] is True


# --- people -------------------------------------------------------------------------------------------------------


def test_stop_stops_every_write_until_resume(stack: Deployed) -> None:
    fleet.cluster(stack)
    fleet.instance(stack)
    stopped(stack, stopping=True)
    _unprotect(stack)
    stack.as_alice("modify_db_instance", DBInstanceIdentifier="reports", PubliclyAccessible=True)
    assert stack.open_findings() == {PROTECTED: "NEW", "instance_not_publicly_accessible": "NEW"}
    stack.hours_later(1)
    stack.sweep()
    assert stack.writes == [], "containment is no exception"
    stopped(stack, stopping=False)
    stack.hours_later(0.5)
    assert stack.open_findings() == {}
    assert sorted(stack.write_names) == ["ModifyDBCluster", "ModifyDBInstance"]
    told = [(entry["actor"], entry["after"]) for entry in stack.entries("stop")]
    assert told == [
        (BOB.arn, {"stopped": True, "reason": "something is odd"}),
        (BOB.arn, {"stopped": False, "reason": "something is odd"}),
    ]


def test_stop_holds_between_the_decision_and_the_write(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.until("evaluate")
    stopped(stack, stopping=True)
    stack.settle()
    assert stack.writes == []
    assert stack.entries("intent") == []


def test_stop_holds_in_the_last_moment_before_the_write(stack: Deployed) -> None:
    fleet.cluster(stack)
    # Whoever is about to write takes the write from the budget first.
    with stack.just_before("UpdateItem", lambda: stopped(stack, stopping=True)):
        _unprotect(stack)
    assert stack.writes == []
    assert [entry["after"]["status"] for entry in stack.entries("outcome")] == ["DEFERRED"]
    stopped(stack, stopping=False)
    stack.hours_later(0.5)
    assert stack.finding(PROTECTED).workflow is RESOLVED


def test_what_somebody_put_right_meanwhile_is_not_written(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.until("evaluate")
    with stack.by(BOB):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=True)
    stack.settle()
    assert stack.writes == []
    assert stack.finding(PROTECTED).workflow is RESOLVED


def test_a_stop_row_that_cannot_be_read_stops_as_well(stack: Deployed) -> None:
    fleet.cluster(stack)
    stack.client("dynamodb").put_item(
        TableName=stack.template.resources["StateTable"].name,
        Item={"pk": {"S": "stop"}, "sk": {"S": "stop"}, "by": {"S": "a hand that knew no better"}},
    )
    _unprotect(stack)
    stack.hours_later(1)
    assert stack.writes == []


def _exemption(resource: str, control: str = PROTECTED, expires: str = "2026-01-31") -> str:
    return f"""
[[exemptions]]
control = "{control}"
resource = "{resource}"
owner = "platform team"
reason = "torn down every night"
expires = {expires}
"""


def test_an_exemption_suppresses_until_its_last_day(deploy: Deploy, tmp_path: Path) -> None:
    stack = deploy(clock=MovableClock(datetime(2026, 1, 2, 23, 30, tzinfo=UTC)))
    fleet.cluster(stack)
    (item,) = stack.client("rds").describe_db_clusters()["DBClusters"]
    exempt = _exemption(item["DbClusterResourceId"], expires="2026-01-02")
    (tmp_path / "policy.toml").write_text(policy_text(more=exempt), encoding="utf-8")
    _unprotect(stack)
    assert stack.open_findings() == {PROTECTED: "SUPPRESSED"}
    stack.sweep()
    assert (stack.writes, stack.tickets) == ([], [])
    assert stack.story(PROTECTED) == ["finding SUPPRESSED", "decision SUPPRESS exempt"]
    stack.hours_later(0.5)
    stack.sweep()
    assert stack.finding(PROTECTED).workflow is RESOLVED
    assert stack.write_names == ["ModifyDBCluster"]


@pytest.mark.slow
def test_an_exemption_does_not_pass_on_with_the_name(deploy: Deploy, tmp_path: Path) -> None:
    stack = deploy()
    fleet.cluster(stack)
    (item,) = stack.client("rds").describe_db_clusters()["DBClusters"]
    (tmp_path / "policy.toml").write_text(
        policy_text(more=_exemption(item["DbClusterResourceId"])), encoding="utf-8"
    )
    with stack.quietly() as rds:
        rds.modify_db_cluster(
            DBClusterIdentifier="orders", NewDBClusterIdentifier="old", ApplyImmediately=True
        )
    _unprotect(stack, "old")
    assert stack.finding(PROTECTED).workflow is WorkflowStatus.SUPPRESSED
    with stack.quietly() as rds:
        rds.create_db_cluster(
            DBClusterIdentifier="orders",
            Engine="aurora-postgresql",
            MasterUsername="steward",
            MasterUserPassword="correct-horse-battery",
        )
    stack.sweep()
    arn = item["DBClusterArn"]
    assert stack.finding(PROTECTED, arn).workflow is RESOLVED, "the new one was fixed"


_FREEZE = """
[[freezes]]
from = 2025-12-31T00:00:00Z
until = 2026-01-01T06:00:00Z
reason = "New Year"
"""


@pytest.mark.slow
def test_a_freeze_holds_up_what_can_wait_and_not_what_stands_open(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(more=_FREEZE))
    fleet.cluster(stack)
    fleet.instance(stack)
    _unprotect(stack)
    stack.as_alice("modify_db_instance", DBInstanceIdentifier="reports", PubliclyAccessible=True)
    assert stack.write_names == ["ModifyDBInstance"]
    assert stack.story(PROTECTED) == ["finding NEW", "decision DEFER frozen"]
    stack.hours_later(5.5)
    assert stack.write_names == ["ModifyDBInstance"]
    stack.hours_later(2)
    assert stack.write_names == ["ModifyDBInstance", "ModifyDBCluster"]
    assert stack.open_findings() == {}


# --- limits -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_spent_budget_holds_until_somebody_acknowledges_it(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(limits={"writes_per_hour": 2, "containment_writes_per_hour": 1}))
    names = ["a1", "a2", "a3", "a4"]
    for name in names:
        fleet.cluster(stack, name)
    fleet.instance(stack)
    for name in names:
        _unprotect(stack, name)
    assert len(stack.writes) == 2
    assert stack.ticket_states(PROTECTED) == []
    held = {finding.decision["reason"] for finding in stack.findings if finding.is_open}
    assert held == {"blast_radius"}
    # Closing a door has a budget of its own.
    stack.as_alice("modify_db_instance", DBInstanceIdentifier="reports", PubliclyAccessible=True)
    assert stack.write_names[-1] == "ModifyDBInstance"
    stack.hours_later(2)
    stack.sweep()
    assert len(stack.writes) == 3, "hours alone open nothing"
    assert acknowledge(stack)
    stack.hours_later(1)
    assert len(stack.writes) == 5
    assert stack.open_findings() == {}
    assert [one["before"]["held"] for one in stack.entries("acknowledge")] == [["normal"]]
    assert not acknowledge(stack), "nothing is spent now"


@pytest.mark.slow
def test_a_budget_that_events_of_one_moment_share_is_not_overdrawn(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(limits={"writes_per_hour": 2}))
    names = ["b1", "b2", "b3", "b4"]
    for name in names:
        fleet.cluster(stack, name)
    with stack.by(ALICE):
        for name in names:
            stack.client("rds").modify_db_cluster(DBClusterIdentifier=name, DeletionProtection=False)
    stack.settle()
    assert len(stack.writes) == 2
    assert acknowledge(stack)
    stack.hours_later(1)
    assert stack.open_findings() == {}
    assert len(stack.writes) == 4


@pytest.mark.slow
def test_somebody_who_keeps_changing_it_back_is_named_in_a_ticket(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(limits={"attempts": 3, "attempts_window_hours": 1}))
    fleet.cluster(stack)
    for _ in range(3):
        _unprotect(stack)
    assert stack.write_names == ["ModifyDBCluster"] * 3
    assert stack.finding(PROTECTED).workflow is RESOLVED
    _unprotect(stack)
    assert len(stack.writes) == 3
    (ticket,) = stack.tickets
    assert ticket["decision"] == {
        "action": "TICKET",
        "reason": "flapping",
        "would": "TICKET",
        "mode": "remediate",
    }
    assert ticket["cause"]["principal"] == ALICE.arn
    # When its window is over it may be tried again.
    stack.hours_later(1)
    stack.sweep()
    assert len(stack.writes) == 4
    assert stack.ticket_states(PROTECTED) == ["OPEN", "RESOLVED"]


# --- what AWS does not let us do or see ---------------------------------------------------------------------------


@pytest.mark.usefixtures("fresh_clients")
def test_a_throttled_write_is_tried_again_until_it_is_done(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.faults.inject("rds:ModifyDBCluster", "Throttling", times=5)
    stack.settle()
    assert [entry["after"]["status"] for entry in stack.entries("outcome")] == ["DEFERRED"]
    stack.hours_later(0.5)
    assert [entry["after"]["status"] for entry in stack.entries("outcome")] == ["DEFERRED", "SUCCEEDED"]
    assert stack.finding(PROTECTED).workflow is RESOLVED
    assert stack.tickets == []


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_clients")
def test_a_throttled_read_is_tried_again_until_it_is_done(stack: Deployed) -> None:
    stack.may_fail = True
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.faults.inject("rds:DescribeDBClusters", "Throttling", times=5)
    stack.settle()
    assert stack.finding(PROTECTED).workflow is RESOLVED
    assert stack.dead_letters() == {}


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_clients")
def test_a_sweep_that_is_throttled_says_so_and_the_next_one_sees_it(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.faults.inject("rds:DescribeDBClusters", "Throttling", times=5)
    assert "Throttling" in str(stack.sweep()["problems"])
    assert stack.findings == []
    assert stack.sweep()["problems"] == []
    assert stack.finding(PROTECTED).workflow is RESOLVED


def test_a_denied_description_is_insufficient_data_and_neither_a_pass_nor_a_write(stack: Deployed) -> None:
    arn = fleet.cluster(stack)
    fleet.instance(stack)
    with stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.rds.hold(arn)
    stack.sweep()
    assert stack.open_findings() == {PROTECTED: "NEW"}
    before = stack.finding(PROTECTED)
    stack.aws.rds.release(arn)
    stack.aws.faults.deny("rds:DescribeDBClusters")
    with stack.by(ALICE):
        stack.client("rds").add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "b"}])
    stack.settle()
    decided = [line for line in stack.logged("decided") if line["compliance"] == "INSUFFICIENT_DATA"]
    ours = {name for name in A_FEW if CONTROLS[name].resource_type == "AWS::RDS::DBCluster"}
    assert {line["control"] for line in decided} == ours
    assert all("AccessDenied" in line["annotation"] for line in decided)
    swept = stack.sweep()
    assert any("AccessDenied" in problem for problem in swept["problems"])
    assert "AWS::RDS::DBCluster" not in swept["resources"]
    assert swept["resources"]["AWS::RDS::DBInstance"] == 1, "the other kinds are swept all the same"
    assert stack.finding(PROTECTED) == before
    assert stack.writes == []


def test_one_denied_fact_leaves_one_control_undecided_and_the_others_do_their_work(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(only=(*A_FEW, "cluster_tls_enforced")))
    fleet.cluster(stack)
    stack.aws.faults.deny("rds:DescribeDBClusterParameters")
    with stack.quietly() as rds:
        rds.modify_db_cluster_parameter_group(
            DBClusterParameterGroupName="orders",
            Parameters=[
                {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}
            ],
        )
    _unprotect(stack)
    undecided = {
        line["control"] for line in stack.logged("decided") if line["compliance"] == "INSUFFICIENT_DATA"
    }
    assert undecided == {"cluster_tls_enforced"}
    assert stack.write_names == ["ModifyDBCluster"]
    stack.aws.faults.allow("rds:DescribeDBClusterParameters")
    stack.sweep()
    assert stack.finding("cluster_tls_enforced").compliance is ComplianceType.NON_COMPLIANT


def test_what_says_whether_it_may_be_written_to_must_be_known_before_it_is(stack: Deployed) -> None:
    fleet.cluster(stack)
    stack.aws.faults.deny("rds:DescribeBlueGreenDeployments")
    _unprotect(stack)
    assert stack.story(PROTECTED) == ["finding NEW", "decision DEFER unknown_state"]
    assert stack.writes == []
    stack.aws.faults.allow("rds:DescribeBlueGreenDeployments")
    stack.hours_later(0.5)
    assert stack.finding(PROTECTED).workflow is RESOLVED


def test_a_denied_write_is_told_to_a_person(stack: Deployed) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.faults.deny("rds:ModifyDBCluster")
    stack.settle()
    (outcome,) = stack.entries("outcome")
    assert outcome["after"]["status"] == "FAILED"
    (ticket,) = stack.tickets
    assert ticket["control"] == PROTECTED
    assert "AccessDenied" in ticket["manual"]
    assert stack.open_findings() == {PROTECTED: "NOTIFIED"}


# --- ceilings -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_default_ceiling_observes_and_shows_what_it_would_do(deploy: Deploy) -> None:
    ceiling = load_template(paths.TEMPLATE, region="eu-west-1").function("EvaluateFunction")
    assert ceiling is not None
    assert ceiling.environment["WARDEN_MODE_CEILING"] == "observe"
    stack = deploy(mode="observe")
    fleet.cluster(stack)
    _unprotect(stack)
    stack.sweep()
    assert stack.open_findings() == {PROTECTED: "NEW"}
    assert dict(stack.finding(PROTECTED).decision) == {
        "action": "OBSERVE",
        "reason": "mode",
        "would": "REMEDIATE",
        "mode": "observe",
    }
    stack.hours_later(7)
    assert (stack.writes, stack.tickets) == ([], [])
    assert {one.function for one in stack.runtime.invocations} == {
        "EvaluateFunction",
        "SweepFunction",
        "TicketFunction",
    }


@pytest.mark.slow
def test_the_ceiling_of_tickets_tells_and_writes_nothing(deploy: Deploy) -> None:
    stack = deploy(mode="ticket")
    fleet.cluster(stack)
    _unprotect(stack)
    stack.sweep()
    (ticket,) = stack.tickets
    assert ticket["decision"] == {
        "action": "TICKET",
        "reason": "mode",
        "would": "REMEDIATE",
        "mode": "ticket",
    }
    assert [call["operation"] for call in ticket["plan"]] == ["ModifyDBCluster"], (
        "what a raised ceiling brings"
    )
    stack.hours_later(7)
    assert stack.writes == []
    assert len(stack.tickets) == 1, "it is told once"


def test_a_lowered_ceiling_counts_for_decisions_that_were_already_taken(
    stack: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.cluster(stack)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.until("evaluate")
    for name in ("EvaluateFunction", "RemediateFunction", "SweepFunction"):
        monkeypatch.setitem(stack.template.functions[name].environment, "WARDEN_MODE_CEILING", "observe")
    stack.settle()
    assert stack.writes == []
    assert stack.open_findings() == {PROTECTED: "NEW"}
    assert stack.finding(PROTECTED).decision["action"] == "OBSERVE"


# --- the sweep ----------------------------------------------------------------------------------------------------


def test_the_sweep_alone_finds_and_fixes_what_no_event_told_of(stack: Deployed) -> None:
    fleet.cluster(stack)
    fleet.instance(stack)
    stack.aws.emit = None
    with stack.by(ALICE):
        rds = stack.client("rds")
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
        rds.modify_db_instance(DBInstanceIdentifier="reports", PubliclyAccessible=True)
    assert stack.settle() == []
    swept = stack.sweep()
    assert swept["opened"] == 2
    assert sorted(stack.write_names) == ["ModifyDBCluster", "ModifyDBInstance"]
    assert set(stack.open_findings().values()) == {"NEW"}, "no event has said that it worked"
    stack.hours_later(0.5)
    assert stack.open_findings() == {}
    assert stack.finding(PROTECTED).cause["source"] == "sweep"


@pytest.mark.slow
def test_the_schedule_runs_the_sweep(stack: Deployed) -> None:
    fleet.cluster(stack)
    stack.aws.emit = None
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.hours_later(7)
    (resolved,) = stack.findings
    assert resolved.workflow is RESOLVED
    assert stack.judged(PROTECTED, resolved.arn).compliance is ComplianceType.COMPLIANT


# --- health -------------------------------------------------------------------------------------------------------


def test_a_database_whose_alarm_fires_waits_until_it_is_well(stack: Deployed) -> None:
    fleet.cluster(stack)
    cloudwatch = stack.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="orders-cpu",
        Namespace="AWS/RDS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "DBClusterIdentifier", "Value": "orders"}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=5,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName="orders-cpu", StateValue="ALARM", StateReason="100 %")

    _unprotect(stack)

    assert stack.writes == []
    assert stack.finding(PROTECTED).decision["reason"] == "unhealthy"
    cloudwatch.set_alarm_state(AlarmName="orders-cpu", StateValue="OK", StateReason="20 %")
    stack.hours_later(1)
    assert stack.finding(PROTECTED).workflow is RESOLVED


@pytest.mark.slow
def test_a_cluster_that_has_just_failed_over_is_left_alone_for_half_an_hour(stack: Deployed) -> None:
    arn = fleet.cluster(stack)
    fleet.member(stack, "orders-1", "orders")
    fleet.member(stack, "orders-2", "orders")
    stack.as_alice("failover_db_cluster", DBClusterIdentifier=arn.rpartition(":")[2])

    _unprotect(stack)

    assert stack.writes == []
    assert stack.finding(PROTECTED).decision["reason"] == "unhealthy"
    stack.hours_later(1)
    assert stack.finding(PROTECTED).workflow is RESOLVED
