"""The synthetic drift, made by the template's own schedules: its event becomes a finding, and silence is missed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stack import fleet
from stack.deployed import ACCOUNT, ALICE, Deployed, policy_text
from warden.core import probe
from warden.core.errors import GuardError
from warden.core.guard import Only, Permit
from warden.core.plan import Call
from warden.core.resource import Deployment
from warden.gateways.clients import Clients
from warden.gateways.rds import Rds
from warden.gateways.rds_writer import RdsWriter

if TYPE_CHECKING:
    from stack.conftest import Deploy
    from warden.core.finding import Finding


def drift(stack: Deployed) -> None:
    """What the schedule does at twenty past two."""
    run = stack.runtime.run_schedule("ProbeDriftSchedule")
    assert run.error_code is None, run.error_message
    stack.settle()


def mend(stack: Deployed) -> None:
    """What the schedule does twelve hours later."""
    assert stack.runtime.run_schedule("ProbeMendSchedule").error_code is None
    stack.settle()


def without_other_schedules(stack: Deployed) -> None:
    """Let days pass without the hundreds of looks of each: what they count is asked for by hand."""
    for schedule in stack.runtime.scheduler.schedules:
        if not schedule.logical_id.startswith("Probe"):
            object.__setattr__(schedule, "enabled", False)


def found(stack: Deployed) -> Finding:
    [finding] = [one for one in stack.kept() if one.control == probe.CONTROL.id]
    return finding


def overdue(stack: Deployed) -> int:
    """What the clock's next look counts."""
    invocation = stack.runtime.call(stack.function("sweep").logical_id, {"job": "due"})
    assert invocation.error is None
    return counted(stack, "ProbeOverdue")[-1]


def counted(stack: Deployed, metric: str) -> list[Any]:
    """Every value of a metric, in order."""
    values: list[Any] = []
    for line in stack.logs:
        if metric in line and "_aws" in line:
            value = line[metric]
            values += value if isinstance(value, list) else [value]
    return values


def test_a_drift_that_a_schedule_makes_becomes_a_finding_and_is_resolved_by_the_next(stack: Deployed) -> None:
    drift(stack)

    opened = found(stack)
    assert opened.is_open
    assert opened.cause["source"] == "cloudtrail"
    assert opened.cause["event_name"] == "ModifyDBClusterParameterGroup"
    assert opened.cause["principal"] == stack.template.resources["ProbeRole"].arn
    assert not opened.cause["own"]
    assert 0 < probe.took(opened) < 60
    assert counted(stack, "ProbeSeconds") == [pytest.approx(probe.took(opened), abs=1)]

    mend(stack)
    assert found(stack).workflow == "RESOLVED"
    [decided] = [entry for entry in stack.entries("decision") if entry["control"] == probe.CONTROL.id]
    assert decided["after"]["action"] == "OBSERVE"


def test_nobody_is_told_of_it_and_nothing_is_written(deploy: Deploy) -> None:
    stack = deploy(policy=policy_text(mode="remediate"))
    drift(stack)
    stack.sweep()

    assert stack.writes == []
    assert stack.tickets == []
    assert found(stack).is_open, "no sweep resolves it"
    assert counted(stack, "FindingsOpened")[-1] == 0


@pytest.mark.slow
def test_days_of_it_are_never_overdue(stack: Deployed) -> None:
    without_other_schedules(stack)
    for _ in range(12):
        stack.hours_later(6)
        assert overdue(stack) == 0
    assert len(counted(stack, "ProbeSeconds")) == 3


def silent_trail(stack: Deployed) -> None:
    """CloudTrail hands nothing to EventBridge any more."""
    put = stack.put
    stack.aws.emit = lambda event: None if "CloudTrail" in event["detail-type"] else put(event)


def dead_rule(stack: Deployed) -> None:
    """Somebody has disabled the rule."""
    [rule] = [rule for rule in stack.runtime.bus.rules if rule.logical_id == "CloudTrailRule"]
    object.__setattr__(rule, "state", "DISABLED")


def dead_schedule(stack: Deployed) -> None:
    """Somebody has disabled the schedule."""
    for schedule in stack.runtime.scheduler.schedules:
        if schedule.logical_id == "ProbeDriftSchedule":
            object.__setattr__(schedule, "enabled", False)


def gone_group(stack: Deployed) -> None:
    """Somebody has deleted the group."""
    with stack.quietly() as rds:
        rds.delete_db_cluster_parameter_group(
            DBClusterParameterGroupName=stack.template.resources["ProbeParameterGroup"].name
        )


def dead_evaluate(stack: Deployed) -> None:
    """Nobody takes anything off the queue."""
    stack.runtime.mappings = tuple(
        one for one in stack.runtime.mappings if one.settings.function_id != "EvaluateFunction"
    )


@pytest.mark.parametrize(
    "breaks",
    [
        silent_trail,
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in (dead_rule, dead_schedule, gone_group, dead_evaluate)
        ),
    ],
)
def test_whatever_breaks_the_way_of_an_event_is_noticed_within_a_day(stack: Deployed, breaks: Any) -> None:
    stack.may_fail = True
    without_other_schedules(stack)
    drift(stack)
    mend(stack)
    breaks(stack)

    stack.hours_later(25)
    assert overdue(stack) == 0
    stack.hours_later(2)
    assert overdue(stack) == 1
    assert stack.logged("probe overdue")[-1]["since"] == found(stack).first_observed.isoformat()


@pytest.mark.slow
def test_what_was_broken_from_the_beginning_is_noticed_too(stack: Deployed) -> None:
    """The template's own schedules do all of it."""
    silent_trail(stack)

    stack.hours_later(27)

    counts = counted(stack, "ProbeOverdue")
    assert counts[: 25 * 12] == [0] * 25 * 12
    assert counts[-1] == 1


def test_a_mend_of_which_nobody_heard_is_noticed_by_the_drift_that_follows(stack: Deployed) -> None:
    without_other_schedules(stack)
    drift(stack)
    with stack.quietly():
        assert stack.runtime.run_schedule("ProbeMendSchedule").error_code is None
    stack.clock.advance(27 * 3600)
    drift(stack)

    assert overdue(stack) == 1


def test_a_schedule_that_may_not_call_is_kept_as_a_dead_letter(stack: Deployed) -> None:
    stack.may_fail = True
    stack.aws.faults.deny("rds:ModifyDBClusterParameterGroup")

    run = stack.runtime.run_schedule("ProbeDriftSchedule")

    assert (run.error_code, run.dead_lettered) == ("AccessDenied", True)


def test_an_event_of_somebody_else_about_it_is_a_look_like_any_other(stack: Deployed) -> None:
    """Nothing uses the group; the users of a group are looked at whoever it belongs to."""
    group = stack.template.resources["ProbeParameterGroup"].name
    with stack.quietly():
        fleet.cluster(stack)
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    with stack.by(ALICE):
        stack.client("rds").modify_db_cluster(
            DBClusterIdentifier="orders", DBClusterParameterGroupName=group, ApplyImmediately=True
        )
    stack.settle()

    assert "cluster_deletion_protection_enabled" in {one.control for one in stack.findings}


def test_the_write_guard_lets_nothing_write_to_it_whatever_a_control_permits(stack: Deployed) -> None:
    group = stack.template.resources["ProbeParameterGroup"].name
    resource = stack.read("cluster_deletion_protection_enabled", fleet.cluster(stack))
    parameter = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}
    call = Call(
        "ModifyDBClusterParameterGroup", {"DBClusterParameterGroupName": group, "Parameters": [parameter]}
    )
    permit = Permit(
        operation="ModifyDBClusterParameterGroup",
        required={
            "DBClusterParameterGroupName": Only((group,)),
            "Parameters": Only(([parameter],)),
        },
    )
    never = frozenset({probe.ref_of(group, Deployment(ACCOUNT, stack.region))})

    with pytest.raises(GuardError, match="drifts on purpose"):
        RdsWriter(Rds(Clients(account=ACCOUNT), account=ACCOUNT, region=stack.region), never=never).apply(
            call, resource, (permit,)
        )


def test_the_template_sets_what_is_judged(stack: Deployed) -> None:
    group = stack.template.resources["ProbeParameterGroup"]
    assert group.properties["Parameters"] == {probe.PARAMETER: probe.AT_REST}
    values = {}
    for name in ("ProbeDriftSchedule", "ProbeMendSchedule"):
        sent = json.loads(stack.template.resources[name].properties["Target"]["Input"])
        assert sent["DbClusterParameterGroupName"] == group.name
        [parameter] = sent["Parameters"]
        assert (parameter["ParameterName"], parameter["ApplyMethod"]) == (probe.PARAMETER, "immediate")
        values[name] = parameter["ParameterValue"]
    assert values["ProbeMendSchedule"] == probe.AT_REST != values["ProbeDriftSchedule"]
