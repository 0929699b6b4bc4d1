"""A database that is not well is left alone; a door to the world is closed all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.remediations import drifted, operations
from pipeline.world import PROTECTION, PUBLIC, REMEDIATE_ALL, World
from warden.core.kinds import Need

UNWELL = ("DEFER", "unhealthy")
WELL = ("REMEDIATE", "policy")


def event(world, *, minutes, category="failover"):
    return {"EventCategories": [category], "Date": world.clock() - timedelta(minutes=minutes), "Message": "x"}


def decided(world, ref, control=PROTECTION):
    return world.decision(world.look(ref), control)


def test_nothing_is_written_while_an_alarm_of_the_database_fires():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.firing[ref] = ["orders-cpu"]

    assert decided(world, ref) == UNWELL
    assert world.state.waiting(ref.arn).reason == "unhealthy"
    world.aws.firing.clear()
    world.clock.advance(minutes=10)
    assert world.look_again()
    assert world.remediate().status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("minutes", "category", "decision"),
    [(1, "failover", UNWELL), (29, "failover", UNWELL), (30, "failover", WELL), (1, "backup", WELL)],
)
def test_nothing_is_written_just_after_a_failover(minutes, category, decision):
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.events[ref] = [event(world, minutes=minutes, category=category)]

    assert decided(world, ref) == decision


@pytest.mark.parametrize(
    ("policy", "decision"),
    [
        ("alarms = false", UNWELL),
        ("failover_minutes = 0", UNWELL),
        ("alarms = false\nfailover_minutes = 0", WELL),
    ],
)
def test_the_policy_says_what_counts(policy, decision):
    world = World(f"{REMEDIATE_ALL}[health]\n{policy}\n")
    ref = world.cluster(DeletionProtection=False)
    world.aws.firing[ref] = ["orders-cpu"]
    world.aws.events[ref] = [event(world, minutes=1)]

    assert decided(world, ref) == decision


@pytest.mark.parametrize("need", [Need.FIRING_ALARMS, Need.RECENT_EVENTS])
def test_where_it_is_not_known_nothing_is_written(need):
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.deny(need)

    assert decided(world, ref) == UNWELL
    assert world.queues.remediations == []


def test_an_alarm_that_begins_to_fire_after_the_decision_holds_the_write():
    world, ref = drifted()
    world.aws.firing[ref] = ["orders-cpu"]

    assert world.remediate().status == "DEFERRED"
    assert operations(world) == []
    assert world.state.waiting(ref.arn) is not None


@pytest.mark.parametrize("unknown", [False, True])
def test_a_door_to_the_world_is_closed_whatever_the_alarms_say(unknown):
    world = World()
    ref = world.instance(PubliclyAccessible=True, DeletionProtection=False)
    world.aws.firing[ref] = ["billing-cpu"]
    if unknown:
        world.aws.deny(Need.FIRING_ALARMS)

    assert decided(world, ref, PUBLIC) == WELL
    assert world.remediate().controls == (PUBLIC,), "and its deletion protection waits"


def test_what_the_policy_does_not_ask_for_is_not_read():
    world = World(REMEDIATE_ALL + "[health]\nalarms = false\nfailover_minutes = 0\n")
    ref = world.cluster(DeletionProtection=False)
    for need in (Need.FIRING_ALARMS, Need.RECENT_EVENTS):
        world.aws.fail(need, AssertionError("nobody wants to know"))

    assert decided(world, ref) == WELL
