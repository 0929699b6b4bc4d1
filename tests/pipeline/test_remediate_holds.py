"""What holds up a remediation, even between two calls: leases, the STOP row, budgets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.remediations import TLS_TOO, between, drifted, failing, operations, outcomes, two_calls
from pipeline.world import (
    PROTECTION,
    PUBLIC,
    REMEDIATE_ALL,
    TLS,
    World,
)
from warden.core.brakes import Payment
from warden.core.errors import (
    ThrottledError,
)
from warden.core.rows import Due, Stop

# --- leases -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:rds:eu-west-1:123456789012:cluster:orders",
        "arn:aws:rds:eu-west-1:123456789012:cluster-pg:orders-pg16",
    ],
)
def test_whatever_another_holds_a_lease_on_is_left_for_later(arn):
    world, ref = two_calls()
    world.state.lease([arn], owner="another", seconds=300, now=world.clock())

    assert world.remediate().status == "DEFERRED"
    assert world.aws.attempts == []
    assert world.state.waiting(ref.arn).reason == "leased"
    assert world.state.leased == [arn], "not even a part of the lease was taken"


def test_a_lease_that_a_crash_left_behind_expires():
    world, ref = drifted()
    world.state.lease([ref.arn], owner="dead", seconds=300, now=world.clock())
    world.clock.advance(seconds=300)

    assert world.remediate().status == "SUCCEEDED"


def test_a_lease_that_is_lost_in_mid_flight_stops_the_writing():
    world, ref = two_calls()

    def taken_over():
        world.clock.advance(seconds=301)
        world.state.lease([ref.arn], owner="another", seconds=300, now=world.clock())

    between(world, "apply", taken_over)
    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert operations(world) == ["ModifyDBCluster"]
    assert outcomes(world) == [(PROTECTION, "SUCCEEDED"), (TLS, "DEFERRED")]
    assert outcome.sentence == "AWS accepted ModifyDBCluster. the lease on the resource lapsed."
    assert world.state.leased == [ref.arn], "the other's lease is the other's"


def test_what_changed_while_the_lease_was_taken_is_not_written_without_one():
    world, ref = two_calls()
    group = world.aws.parameter_groups["orders-pg16"]["rds.force_ssl"]
    group["ParameterValue"] = "1"
    between(world, "lease", lambda: group.update(ParameterValue="0"), port="state")

    assert world.remediate().status == "DEFERRED"
    assert world.aws.attempts == []
    assert world.state.waiting(ref.arn) is not None
    assert world.state.leased == []


def test_what_was_fixed_while_the_lease_was_taken_is_not_written():
    world, ref = drifted()
    between(world, "lease", lambda: world.aws.update(ref, DeletionProtection=True), port="state")

    assert world.remediate().status == "SKIPPED"
    assert world.aws.attempts == []
    assert world.state.leased == []


def test_a_lease_that_cannot_be_given_back_does_not_hide_what_was_written():
    world, _ = drifted()
    between(world, "release", failing(ThrottledError("dynamodb: slow down")), port="state")

    assert world.remediate().status == "SUCCEEDED"


# --- STOP -------------------------------------------------------------------------------------------------


def test_nothing_is_written_while_writes_are_stopped():
    world, ref = drifted()
    world.state.set_stop(Stop(by="alice", reason="an incident", at=world.clock()))

    outcome = world.remediate()

    assert (outcome.status, outcome.sentence) == ("DEFERRED", "Writes are stopped by alice: an incident.")
    assert world.aws.attempts == []
    assert world.state.waiting(ref.arn).reason == "stopped"
    assert world.ledger.of_kind("intent") == []


def test_nothing_is_written_while_it_is_not_known_whether_writes_are_stopped():
    world, _ = drifted()
    world.state.stop_unreadable = "AccessDenied"

    assert world.remediate().status == "DEFERRED"
    assert world.aws.attempts == []


@pytest.mark.parametrize("unreadable", [True, False])
def test_a_stop_holds_between_two_calls_of_one_visit(unreadable):
    world, ref = two_calls()

    def stop():
        if unreadable:
            world.state.stop_unreadable = "throttled"
        else:
            world.state.set_stop(Stop(by="alice", reason="an incident", at=world.clock()))

    between(world, "apply", stop)
    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert operations(world) == ["ModifyDBCluster"]
    assert outcomes(world) == [(PROTECTION, "SUCCEEDED"), (TLS, "DEFERRED")]
    assert world.state.waiting(ref.arn).reason == "stopped"
    world.state.stop_unreadable = ""
    world.state.set_stop(None)
    world.wrap = lambda _, port: port
    world.clock.advance(minutes=5)
    world.look_again()
    assert world.remediate().controls == (TLS,)


def test_a_stop_holds_between_the_parts_of_a_split_call():
    world, _ = drifted(DeletionProtection=False, EnabledCloudwatchLogsExports=[], BackupRetentionPeriod=1)
    world.aws.reject("BackupRetentionPeriod")
    between(
        world,
        "apply",
        lambda: world.state.set_stop(Stop(by="alice", reason="an incident", at=world.clock())),
    )

    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert [set(call.parameters) - {"DBClusterIdentifier"} for call in world.aws.calls] == [
        {"DeletionProtection"}
    ]
    assert len(world.aws.attempts) == 2, "the merged call, and its first part"


# --- budgets ----------------------------------------------------------------------------------------------


def test_each_call_is_taken_from_the_budget_and_what_is_left_over_waits():
    world = World(TLS_TOO + "[limits]\nwrites_per_hour = 1")
    ref = world.cluster(DeletionProtection=False)
    world.without_tls()
    world.look(ref)

    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert operations(world) == ["ModifyDBCluster"]
    assert [entry["control"] for entry in world.ledger.of_kind("intent")] == [PROTECTION]
    world.clock.advance(minutes=5)
    world.look_again()
    assert world.tell() == [], "one alarm tells of the budget"
    assert world.finding(ref, TLS).decision["reason"] == "blast_radius"
    assert world.brakes.standing("123456789012", "eu-west-1").latched


def test_the_parts_of_a_split_call_are_each_taken_from_the_budget():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour = 2")
    ref = world.cluster(DeletionProtection=False, EnabledCloudwatchLogsExports=[], BackupRetentionPeriod=1)
    world.look(ref)
    world.aws.reject("BackupRetentionPeriod")

    world.remediate()

    assert len(world.aws.attempts) == 2
    assert world.brakes.spent("123456789012", "eu-west-1", budget="normal", now=world.clock()).writes == 2


def test_containment_is_written_though_it_is_merged_with_what_has_no_budget():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour = 1")
    other = world.cluster(DeletionProtection=False)
    ref = world.instance(PubliclyAccessible=True, DeletionProtection=False)
    world.look(ref)
    world.look(other)
    mine = world.queues.remediations.pop(0)
    between(world, "lease", lambda: _spend(world), port="state")

    outcome = world.remediate(mine)

    assert outcome.status == "SUCCEEDED"
    assert set(outcome.controls) >= {PUBLIC}
    assert world.aws.items[ref]["PubliclyAccessible"] is False


def _spend(world):
    world.brakes.spend("123456789012", "eu-west-1", Payment(budget="normal", limit=1), now=world.clock())


def test_after_a_call_that_cannot_be_made_now_nothing_more_is_tried():
    world, ref = two_calls()
    world.aws.busy("ModifyDBCluster")

    assert world.remediate().status == "DEFERRED"
    assert [call.operation for call in world.aws.attempts] == ["ModifyDBCluster"]
    row = world.state.waiting(ref.arn)
    assert (row.due_at - world.clock(), row.attempt) == (timedelta(minutes=5), 0)


def test_a_wait_that_comes_from_here_is_jittered_as_well():
    world, ref = two_calls()
    world.jitter = 0.5
    world.aws.busy("ModifyDBCluster")
    world.remediate()

    assert world.state.waiting(ref.arn).due_at - world.clock() == timedelta(minutes=5, seconds=30)


def test_a_success_brings_the_next_look_forward_and_never_puts_it_off():
    world, ref = two_calls()
    [message] = world.queues.remediations
    near = Due(
        arn=ref.arn,
        due_at=world.clock() + timedelta(minutes=1),
        first_at=world.clock(),
        attempt=3,
        reason="busy",
    )
    world.state.defer(near)

    assert world.remediate(message).status == "SUCCEEDED"
    assert world.state.waiting(ref.arn) == near
