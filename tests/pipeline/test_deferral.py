"""What cannot be written now: due rows, backing off, the person who is told after a day, and the end of waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.world import AUTHENTICATION, EXPORTS, PROTECTION, REMEDIATE_ALL, World, policy_of, writer_in
from warden.core import deferral
from warden.core.kinds import Need
from warden.core.rendering import plain
from warden.core.rows import Due, Stop
from warden.core.trigger import Source


def busy_world() -> tuple[World, object]:
    world = World()
    return world, world.cluster(DeletionProtection=False, Status="modifying")


def test_a_deferral_writes_one_due_row_however_many_events_come():
    world, ref = busy_world()
    world.look(ref)
    row = world.state.waiting(ref.arn)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.sweep()

    assert world.state.waiting(ref.arn) == row
    now = world.clock.now - timedelta(minutes=1)
    assert row == Due(arn=ref.arn, due_at=now + timedelta(minutes=5), first_at=now, attempt=0, reason="busy")


def test_the_waiting_doubles_up_to_an_hour_and_jitter_adds_at_most_a_fifth():
    now = World().clock()
    waits = [(deferral.next_due(now, attempt=n, jitter=0.0) - now) for n in range(7)]
    assert [wait.total_seconds() / 60 for wait in waits] == [5, 10, 20, 40, 60, 60, 60]
    assert deferral.next_due(now, attempt=1000, jitter=0.0) == now + timedelta(hours=1)
    assert deferral.next_due(now, attempt=0, jitter=0.999) < now + timedelta(minutes=6)
    assert deferral.next_due(now, attempt=0, jitter=0.5) == now + timedelta(minutes=5, seconds=30)


def test_nothing_is_sent_before_its_time():
    world, ref = busy_world()
    world.look(ref)
    world.clock.advance(minutes=4, seconds=59)

    assert world.waiting.look_again() == 0
    world.clock.advance(seconds=1)
    assert world.waiting.look_again() == 1
    assert world.waiting.look_again() == 0, "the row has its next time"
    [trigger] = world.queues.triggers
    assert trigger["resource"] == ref.arn
    assert trigger["cause"]["source"] == "deferral"
    assert trigger["cause"]["event_name"] == "busy"


def test_each_vain_look_backs_off_and_the_beginning_is_remembered():
    world, ref = busy_world()
    began = world.clock()
    world.look(ref)
    gaps = []
    for _ in range(6):
        last = world.clock()
        world.clock.now = world.state.waiting(ref.arn).due_at
        gaps.append((world.clock() - last) / timedelta(minutes=1))
        world.look_again()

    assert gaps == [5, 10, 20, 40, 60, 60]
    row = world.state.waiting(ref.arn)
    assert (row.first_at, row.attempt) == (began, 6)


@pytest.mark.parametrize("trouble", ["deny", "throttle"])
def test_a_resource_that_cannot_be_read_backs_off_as_well(trouble):
    world, ref = busy_world()
    world.look(ref)
    getattr(world.aws, trouble)("read")
    sent = 0
    for _ in range(24):
        world.clock.advance(minutes=5)
        sent += world.waiting.look_again()
        bodies, world.queues.triggers[:] = list(world.queues.triggers), []
        world.evaluated(bodies)

    assert sent == 4, "at 5, 15, 35 and 75 minutes, not 24 times in two hours"
    assert world.state.waiting(ref.arn) is not None


def test_a_resource_that_is_ready_is_remediated_and_waits_no_longer():
    world, ref = busy_world()
    world.look(ref)
    world.aws.update(ref, Status="available")
    world.clock.advance(minutes=5)
    [visit] = world.look_again()

    assert world.decision(visit, PROTECTION) == ("REMEDIATE", "policy")
    assert world.remediate().status == "SUCCEEDED"
    assert world.state.waiting(ref.arn).due_at == world.clock() + timedelta(minutes=5), "verified soon"
    world.clock.advance(minutes=5)
    [visit] = world.look_again()

    assert visit.resolved == (PROTECTION,)
    assert world.state.waiting(ref.arn) is None


def test_what_was_put_right_by_hand_waits_no_longer():
    world, ref = busy_world()
    world.look(ref)
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(minutes=5)
    world.look_again()

    assert world.state.waiting(ref.arn) is None
    assert world.found(ref, PROTECTION).workflow == "RESOLVED"


def test_what_becomes_a_persons_business_waits_no_longer():
    world, ref = busy_world()
    world.look(ref)
    world.policy = policy_of("version = 1\n[defaults]\nmode = 'ticket'")
    world.clock.advance(minutes=5)
    world.look_again()

    assert world.state.waiting(ref.arn) is None
    assert world.tell() == ["open"]


def test_an_event_in_between_does_not_end_the_waiting():
    world, ref = busy_world()
    world.look(ref)
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(minutes=1)
    world.look(ref)

    assert world.state.waiting(ref.arn) is not None, "the tick ends it, which costs one more look"


def test_a_look_that_could_not_tell_goes_on_waiting():
    world, ref = busy_world()
    world.look(ref)
    first_at = world.state.waiting(ref.arn).first_at
    world.aws.hide("DeletionProtection")
    world.clock.advance(minutes=5)
    [visit] = world.look_again()

    assert world.compliance(visit)[PROTECTION] == "INSUFFICIENT_DATA"
    assert world.state.waiting(ref.arn).first_at == first_at


def test_after_a_day_a_person_is_told_once_and_looking_goes_on():
    world, ref = busy_world()
    world.look(ref)
    for _ in range(23):
        world.clock.advance(hours=1.2)
        world.look_again()
        world.tell()
        hours = (world.clock() - world.state.waiting(ref.arn).first_at) / timedelta(hours=1)
        assert bool(world.told()) == (hours >= 24)

    assert world.told() == [("OPEN", PROTECTION)]
    assert "was not ready for the change for a whole day" in plain.text(world.sink.delivered[0])
    world.aws.update(ref, Status="available")
    world.clock.advance(hours=1.2)
    world.look_again()
    assert world.remediate().status == "SUCCEEDED"
    world.clock.advance(hours=1.2)
    world.look_again()
    assert world.tell() == ["resolved"]


def test_an_overdue_wait_is_told_by_any_look_and_decided_once():
    world, ref = busy_world()
    world.look(ref)
    world.clock.advance(days=1)
    world.look(ref)
    writes = world.findings.writes
    world.look(ref)

    assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "busy")
    assert world.findings.writes == writes


def test_two_findings_of_a_resource_share_the_row_and_the_ready_one_goes_ahead():
    world = World()
    ref = world.cluster(
        IAMDatabaseAuthenticationEnabled=False,
        EnabledCloudwatchLogsExports=[],
        PendingModifiedValues={"EngineVersion": "16.5"},
    )
    visit = world.look(ref)

    assert world.decision(visit, AUTHENTICATION) == ("DEFER", "pending")
    assert world.decision(visit, EXPORTS) == ("REMEDIATE", "policy")
    assert world.remediate().controls == (EXPORTS,)
    row = world.state.waiting(ref.arn)
    assert row.reason == "pending"
    assert row.first_at == world.clock()


# --- remediate cannot write -------------------------------------------------------------------------------


def stopped_world() -> tuple[World, object]:
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.state.set_stop(Stop(by="alice", reason="an incident", at=world.clock()))
    return world, ref


def cycle(world: World, hours: float) -> int:
    """The tick, every five minutes, and whatever it leads to; returns the number of remediation messages."""
    messages = 0
    for _ in range(int(hours * 12)):
        world.clock.advance(minutes=5)
        world.look_again()
        while world.queues.remediations:
            messages += 1
            world.remediate()
            world.deliver()
        world.tell()
    return messages


def test_while_writes_are_stopped_the_two_steps_do_not_run_in_circles():
    world, ref = stopped_world()
    world.look(ref)
    assert world.remediate().status == "DEFERRED"

    assert cycle(world, hours=12) <= 15, "5, 10, 20, 40 and then every 60 minutes"
    assert world.told() == []
    assert world.aws.attempts == []


def test_a_stop_of_more_than_a_day_is_told_once_and_the_write_follows_its_end():
    world, ref = stopped_world()
    world.look(ref)
    world.remediate()
    cycle(world, hours=48)

    assert world.told() == [("OPEN", PROTECTION)]
    assert "writes are stopped" in plain.text(world.sink.delivered[0])
    writes = world.findings.writes
    cycle(world, hours=12)
    assert world.findings.writes == writes, "nothing flips to and fro"

    world.state.set_stop(None)
    cycle(world, hours=2)
    assert [call.operation for call in world.aws.calls] == ["ModifyDBCluster"]
    assert world.told() == [("OPEN", PROTECTION), ("RESOLVED", PROTECTION)]
    assert world.state.waiting(ref.arn) is None


@pytest.mark.parametrize("trouble", ["busy", "throttle"])
def test_what_aws_refuses_for_the_moment_backs_off_and_is_told_after_a_day(trouble):
    world = World()
    ref = world.cluster(DeletionProtection=False)
    getattr(world.aws, trouble)("ModifyDBCluster")
    world.look(ref)
    assert world.remediate().status == "DEFERRED"

    assert cycle(world, hours=23) < 30
    assert world.told() == []
    cycle(world, hours=2)
    assert world.told() == [("OPEN", PROTECTION)]
    world.aws.heal()
    cycle(world, hours=2)
    assert world.told()[-1] == ("RESOLVED", PROTECTION)


def test_two_policies_at_once_do_not_play_ping_pong():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    ours, theirs = world.policy, policy_of(REMEDIATE_ALL + "\n# the new one")
    world.look(ref)
    messages = 0
    for _ in range(100):
        world.policy = theirs
        while world.queues.remediations:
            messages += 1
            assert world.remediate().status == "SKIPPED"
        world.policy = ours
        world.clock.advance(seconds=30)
        world.waiting.look_again()
        world.deliver()

    assert messages <= 5, "fifty minutes: at once, at once again, and then the due row's pace"
    world.policy = theirs
    cycle(world, hours=2)
    assert [call.operation for call in world.aws.calls] == ["ModifyDBCluster"]


def test_two_ceilings_at_once_do_not_play_ping_pong():
    from warden.core.decision import Mode

    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    messages = 0
    for _ in range(100):
        world.ceiling = Mode.TICKET
        while world.queues.remediations:
            messages += 1
            assert world.remediate().status == "SKIPPED"
        world.ceiling = Mode.REMEDIATE
        world.clock.advance(seconds=30)
        world.waiting.look_again()
        world.deliver()

    assert messages <= 5
    assert world.aws.calls == []


def test_a_deferral_of_a_global_cluster_that_moved_away_ends():
    world = World()
    ref = world.global_cluster()
    world.aws.update(ref, Status="modifying")
    world.look(ref)
    assert world.state.waiting(ref.arn) is not None
    world.aws.update(ref, GlobalClusterMembers=writer_in("us-east-1"))
    world.clock.advance(minutes=5)
    world.look_again()

    assert world.state.waiting(ref.arn) is None


def test_a_deferral_of_a_deleted_cluster_ends():
    world, ref = busy_world()
    world.look(ref)
    world.aws.remove(ref)
    world.clock.advance(minutes=5)
    [visit] = world.look_again()

    assert visit.resolved == (PROTECTION,)
    assert world.state.waiting(ref.arn) is None


def test_a_deferral_without_a_row_is_no_error():
    world = World()
    ref = world.cluster()

    assert world.look(ref, source=Source.DEFERRAL).skipped == ""
    assert world.state.waiting(ref.arn) is None


def test_an_unknown_state_is_looked_at_again():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.deny(Need.BLUE_GREEN)
    world.look(ref)
    assert world.state.waiting(ref.arn).reason == "unknown_state"
    world.aws.heal()
    world.clock.advance(minutes=5)
    [visit] = world.look_again()

    assert world.decision(visit, PROTECTION) == ("REMEDIATE", "policy")
