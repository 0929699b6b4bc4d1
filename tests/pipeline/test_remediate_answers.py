"""What AWS answers to a write, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.remediations import between, drifted, outcomes, two_calls
from pipeline.world import (
    AUTHENTICATION,
    EXPORTS,
    PROTECTION,
    REMEDIATE_ALL,
    RETENTION,
    TLS,
    World,
    changed,
    policy_of,
)
from warden.core.errors import (
    AccessDeniedError,
    RejectedError,
    ResourceGoneError,
    UnsupportedError,
)
from warden.core.rendering import plain


def test_a_rejected_parameter_is_split_off_and_the_rest_is_put_right_gravest_first():
    world, ref = drifted(
        DeletionProtection=False,
        BackupRetentionPeriod=1,
        EnabledCloudwatchLogsExports=[],
        IAMDatabaseAuthenticationEnabled=False,
    )
    world.aws.reject("BackupRetentionPeriod", "InvalidParameterCombination: a backup plan owns it")

    outcome = world.remediate()

    assert outcome.status == "FAILED"
    assert outcome.controls == (PROTECTION, AUTHENTICATION, EXPORTS)
    assert outcome.sentence.startswith(f"The remediation of {RETENTION} was refused.")
    item = world.aws.items[ref]
    assert item["DeletionProtection"] is item["IAMDatabaseAuthenticationEnabled"] is True
    assert item["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert item["BackupRetentionPeriod"] == 1
    assert world.tell() == ["open"]
    [ticket] = world.sink.delivered
    assert ticket.finding.control == RETENTION
    assert "a backup plan owns it" in plain.text(ticket)
    assert world.found(ref, RETENTION).workflow == "NOTIFIED"
    assert [status for control, status in outcomes(world) if control == RETENTION] == ["FAILED"]


def test_a_split_that_meets_a_busy_database_leaves_the_rest_for_later():
    world, ref = drifted(DeletionProtection=False, BackupRetentionPeriod=1, EnabledCloudwatchLogsExports=[])
    world.aws.reject("BackupRetentionPeriod")
    between(world, "apply", lambda: world.aws.busy("ModifyDBCluster"))

    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert outcome.controls == (PROTECTION,)
    assert len(world.aws.attempts) == 3, (
        "the merged call, its first part, and the one that was refused for now"
    )
    assert world.state.waiting(ref.arn) is not None
    world.aws.heal()
    world.wrap = lambda _, port: port
    world.clock.advance(minutes=5)
    world.look_again()
    assert set(world.remediate().controls) == {RETENTION, EXPORTS}


@pytest.mark.parametrize(
    "error",
    [
        AccessDeniedError("rds:ModifyDBCluster: AccessDenied: an SCP says no"),
        RejectedError("rds:ModifyDBCluster: InvalidParameterValue: no"),
        UnsupportedError("rds:ModifyDBCluster: this endpoint does not implement it"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_is_told_and_rests_before_it_is_tried_again(error):
    world, ref = drifted()
    world.aws.fail("ModifyDBCluster", error)

    assert world.remediate().status == "FAILED"
    assert world.tell() == ["open"]
    assert str(error) in plain.text(world.sink.delivered[0])
    writes = world.findings.writes
    for _ in range(7):
        world.clock.advance(hours=1)
        assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "refused")
    assert world.queues.remediations == world.queues.tickets == []
    assert world.findings.writes == writes, "AWS's words stay in the finding"
    assert str(error) in world.found(ref, PROTECTION).manual
    assert world.found(ref, PROTECTION).attempts == (), "nothing was put right that could be flapping"

    world.clock.advance(hours=1)
    world.look(ref)
    assert world.remediate().status == "FAILED"
    assert world.tell() == ["known"], "the same refusal is no news"


def test_other_calls_than_those_that_were_refused_are_tried_at_once():
    world, ref = drifted(BackupRetentionPeriod=1)
    world.aws.reject("BackupRetentionPeriod")
    world.remediate()
    world.aws.heal()
    world.policy = policy_of(REMEDIATE_ALL + f"[controls.{RETENTION}]\nminimum_days = 14")
    world.clock.advance(minutes=1)
    world.look(ref)

    assert world.remediate().status == "SUCCEEDED"
    assert world.aws.items[ref]["PendingModifiedValues"] == {"BackupRetentionPeriod": 14}


def test_copies_of_a_message_do_not_repeat_a_refused_call():
    world, ref = drifted()
    world.clock.advance(seconds=30)
    world.look(ref)
    world.aws.deny("ModifyDBCluster")

    assert world.remediate().status == "FAILED"
    assert world.remediate().status == "SKIPPED"
    assert len(world.aws.attempts) == 1


def test_the_write_guard_refuses_what_no_control_declares():
    world = World()
    [own] = [c for c in world.controls if c.id == PROTECTION]
    world.controls = changed(PROTECTION, remediation=replace(own.remediation, permits=()))
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)

    assert world.remediate().status == "FAILED"
    assert world.aws.calls == []
    assert world.tell() == ["open"]
    assert "no control declares ModifyDBCluster" in plain.text(world.sink.delivered[0])
    assert outcomes(world) == [(PROTECTION, "FAILED")]


def test_a_guard_refusal_of_one_finding_does_not_keep_the_others_from_being_put_right():
    world = World()
    [own] = [c for c in world.controls if c.id == PROTECTION]
    world.controls = changed(PROTECTION, remediation=replace(own.remediation, permits=()))
    ref = world.cluster(DeletionProtection=False, EnabledCloudwatchLogsExports=[])
    world.look(ref)

    outcome = world.remediate()

    assert outcome.controls == (EXPORTS,)
    assert world.aws.items[ref]["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert world.aws.items[ref]["DeletionProtection"] is False


@pytest.mark.parametrize("trouble", ["busy", "throttle"])
def test_what_aws_refuses_for_the_moment_waits_with_an_intent_and_an_outcome(trouble):
    world, ref = drifted()
    getattr(world.aws, trouble)("ModifyDBCluster")

    assert world.remediate().status == "DEFERRED"
    assert outcomes(world) == [(PROTECTION, "DEFERRED")]
    assert world.state.waiting(ref.arn) is not None
    assert world.found(ref, PROTECTION).attempts == ()
    assert world.queues.tickets == []


def test_a_resource_that_is_gone_is_judged_again():
    world, ref = drifted()
    key = world.key(ref)
    world.aws.remove(ref)

    assert world.remediate().status == "SKIPPED"
    world.deliver()
    assert world.findings.get(key, PROTECTION).workflow == "RESOLVED"
    assert world.state.waiting(ref.arn) is None


def test_what_goes_between_the_look_and_the_write_leaves_no_intent_without_an_outcome():
    world, ref = two_calls()
    error = ResourceGoneError("rds:ModifyDBClusterParameterGroup: DBParameterGroupNotFound: orders-pg16")
    world.aws.fail("ModifyDBClusterParameterGroup", error)

    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert outcomes(world) == [(PROTECTION, "SUCCEEDED"), (TLS, "DEFERRED")]
    assert world.state.waiting(ref.arn).reason == "gone"
    assert world.queues.triggers == []


@pytest.mark.parametrize(
    "error",
    [
        AccessDeniedError("rds:DescribeDBClusters: AccessDenied: an SCP says no"),
        RejectedError("rds:DescribeDBClusters: InvalidParameterValue: no"),
        UnsupportedError("rds:DescribeDBClusters: this endpoint does not implement it"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_resource_that_this_role_may_not_even_read_is_told(error):
    world, ref = drifted(DeletionProtection=False, EnabledCloudwatchLogsExports=[])
    world.aws.fail("read", error, times=1)

    assert world.remediate().status == "FAILED"
    assert world.tell() == ["open", "open"]
    assert sorted(world.told()) == [("OPEN", PROTECTION), ("OPEN", EXPORTS)]
    assert world.aws.attempts == []
    assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "refused")


def test_an_unreadable_resource_of_a_message_without_identity_waits():
    world, ref = drifted()
    [message] = world.queues.remediations
    world.aws.deny("read")

    assert world.remediate(replace(message, resource_key="")).status == "DEFERRED"
    assert world.state.waiting(ref.arn).reason == "unreadable"


def test_a_throttled_read_waits():
    world, ref = drifted()
    world.aws.throttle("read", times=1)

    assert world.remediate().status == "DEFERRED"
    assert world.state.waiting(ref.arn).reason == "throttled"
