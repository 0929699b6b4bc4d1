"""The one step that writes: it looks and decides again, and writes only what both decisions want."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.remediations import drifted, operations
from pipeline.world import (
    ALICE,
    AUTHENTICATION,
    EXPORTS,
    PROTECTION,
    REMEDIATE_ALL,
    RETENTION,
    World,
    policy_of,
    writer_in,
)
from warden.core.kinds import Need
from warden.core.resource import ResourceRef

FROZEN_FROM_ELEVEN = (
    REMEDIATE_ALL + "[[freezes]]\nfrom = 2026-11-24T11:00:00Z\nuntil = 2026-11-26\nreason = 'holidays'"
)


# --- the good way -----------------------------------------------------------------------------------------


def test_drift_is_put_right_and_the_ledger_tells_how():
    world, ref = drifted()

    outcome = world.remediate()

    assert (outcome.status, outcome.controls) == ("SUCCEEDED", (PROTECTION,))
    assert outcome.sentence == "AWS accepted ModifyDBCluster."
    assert world.aws.items[ref]["DeletionProtection"] is True
    intent, result = world.ledger.entries[-2:]
    assert (intent["kind"], intent["before"]["DeletionProtection"]) == ("intent", False)
    assert intent["cause"]["principal"] == ALICE
    assert (result["kind"], result["after"]["status"]) == ("outcome", "SUCCEEDED")
    assert result["after"]["request_id"] == "request-1"
    assert world.found(ref, PROTECTION).attempts == (world.clock(),)
    assert world.found(ref, PROTECTION).is_open, "only a look that sees it resolves it"
    assert world.state.leased == []


def test_five_findings_of_a_cluster_are_one_call():
    world, ref = drifted(
        DeletionProtection=False,
        BackupRetentionPeriod=1,
        EnabledCloudwatchLogsExports=[],
        IAMDatabaseAuthenticationEnabled=False,
    )

    outcome = world.remediate()

    assert operations(world) == ["ModifyDBCluster"]
    assert set(outcome.controls) == {PROTECTION, RETENTION, EXPORTS, AUTHENTICATION}
    assert [len(world.found(ref, control).attempts) for control in outcome.controls] == [1, 1, 1, 1]
    assert world.brakes.spent("123456789012", "eu-west-1", budget="normal", now=world.clock()).writes == 1


def test_a_lost_event_of_our_own_write_is_made_up_for():
    world, ref = drifted()
    world.remediate()
    world.clock.advance(minutes=5)

    [visit] = world.look_again()

    assert visit.resolved == (PROTECTION,)
    assert world.state.waiting(ref.arn) is None


# --- decided twice ----------------------------------------------------------------------------------------


def test_what_somebody_fixed_meanwhile_is_not_written():
    world, ref = drifted()
    world.aws.update(ref, DeletionProtection=True)

    outcome = world.remediate()

    assert (outcome.status, outcome.sentence) == ("SKIPPED", "Nothing is left to write.")
    assert world.aws.attempts == []
    assert world.queues.triggers == []


def test_an_exemption_that_came_meanwhile_is_honoured():
    exempt = f"""{REMEDIATE_ALL}
[[exemptions]]
control = "{PROTECTION}"
resource = "cluster-ORDERSQQQQQQQQQQQQQQQQQQQQ"
owner = "orders-team"
reason = "Torn down every night."
expires = 2026-12-31
"""
    world, ref = drifted()
    world.policy = policy_of(exempt)

    assert world.remediate().status == "SKIPPED"
    assert world.aws.attempts == []
    world.deliver()
    assert world.found(ref, PROTECTION).workflow == "SUPPRESSED"
    assert world.state.waiting(ref.arn) is None


def test_another_policy_than_the_decisions_is_judged_again_before_anything_is_written():
    world, ref = drifted()
    world.policy = policy_of(REMEDIATE_ALL + "\n# changed")

    outcome = world.remediate()

    assert outcome.status == "SKIPPED"
    assert world.aws.attempts == []
    assert [trigger["resource"] for trigger in world.queues.triggers] == [ref.arn]
    world.deliver()
    assert world.queues.remediations[0].policy_version == world.policy.version
    assert world.remediate().status == "SUCCEEDED"


def test_a_freeze_that_began_meanwhile_holds_the_write():
    world, ref = drifted(FROZEN_FROM_ELEVEN)
    world.clock.advance(hours=1)

    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert world.aws.attempts == []
    assert world.state.waiting(ref.arn).reason == "frozen"


def test_a_budget_that_was_spent_meanwhile_holds_the_write():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour = 1")
    first = world.cluster("one", DeletionProtection=False)
    second = world.cluster("two", DeletionProtection=False)
    world.look(first)
    world.look(second)

    assert world.remediate().status == "SUCCEEDED"
    assert world.remediate().status == "DEFERRED"
    assert len(world.aws.attempts) == 1
    assert world.state.waiting(second.arn).reason == "blast_radius"
    assert world.tell() == []


def test_a_busy_database_is_left_for_later():
    world, ref = drifted()
    world.aws.update(ref, Status="modifying")

    assert world.remediate().status == "DEFERRED"
    assert world.aws.attempts == []
    assert world.state.waiting(ref.arn).reason == "busy"


def test_a_fact_that_cannot_be_had_any_more_is_no_permission_and_no_pass():
    world, ref = drifted()
    world.aws.hide("DeletionProtection")

    outcome = world.remediate()

    assert outcome.status == "DEFERRED"
    assert world.aws.attempts == []
    assert world.state.waiting(ref.arn).reason == "insufficient_data"
    world.aws.heal()
    world.clock.advance(minutes=5)
    world.look_again()
    assert world.remediate().status == "SUCCEEDED"


def test_a_write_need_that_cannot_be_had_any_more_is_no_permission():
    world, ref = drifted()
    world.aws.deny(Need.BLUE_GREEN)

    assert world.remediate().status == "DEFERRED"
    assert world.aws.attempts == []
    assert world.state.waiting(ref.arn).reason == "unknown_state"


def test_findings_that_were_not_decided_never_ride_along():
    world, ref = drifted()
    world.aws.update(ref, EnabledCloudwatchLogsExports=[], BackupRetentionPeriod=1)

    outcome = world.remediate()

    assert outcome.controls == (PROTECTION,)
    assert dict(world.aws.calls[0].parameters) == {
        "DBClusterIdentifier": "orders",
        "DeletionProtection": True,
    }
    assert world.aws.items[ref]["BackupRetentionPeriod"] == 1


def test_a_control_that_is_no_more_is_not_written_for():
    world, _ = drifted()
    world.controls = [c for c in world.controls if c.id != PROTECTION]

    assert world.remediate().status == "SKIPPED"


def test_a_mode_that_the_deployment_no_longer_has_is_judged_again():
    from warden.core.decision import Mode

    world, ref = drifted()
    world.ceiling = Mode.OBSERVE

    assert world.remediate().status == "SKIPPED"
    assert world.aws.attempts == []
    world.deliver()
    assert world.found(ref, PROTECTION).decision["action"] == "OBSERVE"


def test_another_resource_that_has_the_name_now_is_not_written_to():
    world, ref = drifted()
    first = world.key(ref)
    moved = world.aws.rename(ref, "orders-old")
    world.cluster(
        "orders", DbClusterResourceId="cluster-SUCCESSORQQQQQQQQQQQQQQQQQ", DeletionProtection=False
    )

    outcome = world.remediate()

    assert (outcome.status, outcome.sentence) == (
        "SKIPPED",
        "Another resource has this name now; it was not judged.",
    )
    assert world.aws.attempts == []
    world.deliver()
    assert world.finding(ref, PROTECTION).is_open, "it is judged, by its own name"
    assert world.findings.get(first, PROTECTION).is_open
    assert world.key(moved) == first


def test_a_message_of_an_earlier_version_has_no_identity_and_is_judged_by_its_name():
    world, _ = drifted()
    [message] = world.queues.remediations

    assert world.remediate(replace(message, resource_key="")).status == "SUCCEEDED"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:rds:us-east-1:123456789012:cluster:orders",
        "arn:aws:rds:eu-west-1:999999999999:cluster:orders",
        "arn:aws-cn:rds:eu-west-1:123456789012:cluster:orders",
    ],
)
def test_what_another_deployment_governs_is_never_written_to(arn):
    world, _ = drifted()
    [message] = world.queues.remediations

    outcome = world.remediate(replace(message, ref=ResourceRef.from_arn(arn)))

    assert outcome.status == "SKIPPED"
    assert outcome.sentence.startswith("Not governed here: ")
    assert world.aws.attempts == []


def test_a_global_cluster_whose_writer_moved_away_is_not_written_to():
    world = World()
    ref = world.global_cluster()
    world.look(ref)
    world.aws.update(ref, GlobalClusterMembers=writer_in("us-east-1"))

    assert world.remediate().sentence == "Not governed here: its writer is in us-east-1."
    world.aws.update(ref, GlobalClusterMembers=[])
    world.clock.advance(minutes=1)
    world.look(ref)
    assert world.remediate().status == "SUCCEEDED"
    assert world.aws.items[ref]["DeletionProtection"] is True
