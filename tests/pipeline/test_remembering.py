"""What a sweep remembers confirms what is kept; whatever would follow from it is read afresh first."""

from __future__ import annotations

import pytest

from pipeline.test_missed import counting, half_an_hour_later, swept_twice
from pipeline.world import PROTECTION, SNAPSHOT_PUBLIC, TLS, World
from warden.core.errors import ThrottledError
from warden.core.kinds import Need
from warden.core.resource import ResourceRef, ResourceType
from warden.core.trigger import Source, WholeKind

OBSERVE = "version = 1\n[defaults]\nmode = 'observe'"
TICKET = "version = 1\n[defaults]\nmode = 'ticket'"


def shared_with(world: World, ref: ResourceRef, *accounts: str) -> None:
    world.aws.restore_accounts[ref] = list(accounts)


def remembered(world: World, ref: ResourceRef, *accounts: str) -> None:
    """An earlier sweep has read this."""
    world.aws.memory[ref] = {Need.RESTORE_ACCOUNTS: list(accounts)}


def test_what_is_remembered_as_compliant_is_not_read():
    world = World()
    ref = world.snapshot()
    shared_with(world, ref)
    remembered(world, ref)

    report = world.sweep()

    assert world.aws.refreshed == []
    assert report.evaluations[SNAPSHOT_PUBLIC, "COMPLIANT"] == 1
    assert report.remembered == 1
    assert world.ledger.of_kind("sweep")[0]["after"]["remembered"] == 1


def test_drift_of_which_no_event_told_is_found_once_memory_ends():
    world = World(TICKET)
    ref = world.snapshot()
    remembered(world, ref)
    assert world.sweep().opened == 0

    world.aws.memory.clear()
    world.clock.advance(hours=6)

    assert world.sweep().opened == 1


def test_remembered_drift_that_is_not_kept_is_read_afresh_and_what_is_so_counts():
    world = World()
    ref = world.snapshot()
    shared_with(world, ref)
    remembered(world, ref, "all")

    report = world.sweep()

    assert world.aws.refreshed == [ref.arn]
    assert report.opened == report.remembered == 0
    assert report.evaluations[SNAPSHOT_PUBLIC, "COMPLIANT"] == 1
    assert world.queues.remediations == world.queues.tickets == []


def test_remembered_compliance_of_a_finding_that_stands_is_read_afresh_and_what_is_so_counts():
    world = World(OBSERVE)
    ref = world.snapshot()
    world.sweep()
    remembered(world, ref)
    world.clock.advance(hours=6)

    report = world.sweep()

    assert world.aws.refreshed == [ref.arn]
    assert report.resolved == 0
    assert world.found(ref, SNAPSHOT_PUBLIC).is_open


def test_a_resolution_that_no_event_told_of_is_not_taken_from_memory():
    world = World(OBSERVE)
    ref = world.snapshot()
    world.sweep()
    shared_with(world, ref)
    world.clock.advance(hours=6)
    remembered(world, ref)

    assert world.sweep().resolved == 1
    assert world.aws.refreshed == [ref.arn]


@pytest.mark.parametrize("policy", [OBSERVE, TICKET])
def test_known_drift_that_leads_to_nothing_more_is_not_read(policy):
    world = World(policy)
    ref = world.snapshot()
    world.sweep()
    world.tell()
    remembered(world, ref, "all")
    world.clock.advance(hours=6)
    writes = world.findings.writes

    report = world.sweep()

    assert world.aws.refreshed == []
    assert report.evaluations[SNAPSHOT_PUBLIC, "NON_COMPLIANT"] == 1
    assert world.findings.writes == writes
    assert world.queues.tickets == []


def test_known_drift_that_a_person_was_not_told_of_is_read_before_somebody_is():
    world = World(TICKET)
    ref = world.snapshot()
    world.sweep()
    world.queues.tickets.clear()
    remembered(world, ref, "all")
    shared_with(world, ref)
    world.clock.advance(hours=6)

    assert world.sweep().resolved == 1
    assert world.aws.refreshed == [ref.arn]


def test_known_drift_is_read_before_it_is_handed_over_to_be_put_right():
    world = World()
    ref = world.snapshot()
    world.sweep()
    world.queues.remediations.clear()
    shared_with(world, ref)
    remembered(world, ref, "all")
    world.clock.advance(hours=6)

    report = world.sweep()

    assert world.aws.refreshed == [ref.arn]
    assert report.resolved == 1
    assert world.queues.remediations == []


def test_drift_from_what_is_not_remembered_is_no_reason_to_read_what_is():
    world = World(TICKET)
    world.without_tls()
    ref = world.cluster(DeletionProtection=False)
    world.sweep()
    world.tell()
    world.aws.update(ref, DeletionProtection=True)
    parameters = world.aws.enrich(world.aws.read(ref, ()), [Need.PARAMETERS]).facts[Need.PARAMETERS]
    world.aws.memory[ref] = {Need.PARAMETERS: parameters}
    world.clock.advance(hours=6)

    report = world.sweep()

    assert world.aws.refreshed == []
    assert report.resolved == 1
    assert not world.found(ref, PROTECTION).is_open
    assert world.found(ref, TLS).is_open


def test_what_cannot_be_read_afresh_is_insufficient_data_and_changes_nothing():
    world = World(OBSERVE)
    ref = world.snapshot()
    world.sweep()
    remembered(world, ref)
    world.clock.advance(hours=6)
    # The list is asked for it first, which is what memory answers.
    world.aws.fail("afresh", ThrottledError("rds:DescribeDBSnapshotAttributes: Throttling: Rate exceeded"))

    report = world.sweep()

    assert report.evaluations[SNAPSHOT_PUBLIC, "INSUFFICIENT_DATA"] == 1
    assert report.resolved == 0
    assert world.found(ref, SNAPSHOT_PUBLIC).is_open


# --- what events tell sweeps -------------------------------------------------------------------------------


def test_an_event_about_what_is_remembered_is_announced():
    world = World()
    ref = world.snapshot()

    world.evaluate(ref)

    assert world.announcements.told == {ref.arn: world.clock()}


def test_it_is_announced_even_where_the_look_fails():
    world = World()
    ref = world.snapshot()
    world.aws.throttle("read")

    assert world.evaluate(ref).failed
    assert ref.arn in world.announcements.told


def test_an_event_about_a_parameter_group_is_announced_though_only_its_clusters_are_looked_at():
    world = World()
    cluster = world.cluster()
    group = cluster.beside(ResourceType.DB_CLUSTER_PARAMETER_GROUP, "orders-pg16")

    [visit] = world.evaluate(group).visits

    assert visit.arn == cluster.arn
    assert list(world.announcements.told) == [group.arn]


def test_an_event_about_a_database_is_not():
    world = World()
    world.evaluate(world.cluster())
    assert world.announcements.told == {}


@pytest.mark.parametrize("source", [Source.DEFERRAL, Source.SWEEP])
def test_a_look_of_our_own_announces_nothing(source):
    world = World()
    world.evaluate(world.trigger(world.snapshot(), source))
    assert world.announcements.told == {}


def test_an_event_that_does_not_say_which_group_it_is_about_ends_all_that_is_remembered():
    world = World()
    world.cluster()
    target = WholeKind(ResourceType.DB_CLUSTER_PARAMETER_GROUP, "123456789012", "eu-west-1")

    world.evaluate(target)

    assert world.announcements.distrusted == [world.clock()]


def test_what_cannot_be_announced_is_delivered_again():
    world = World()
    ref, other = world.snapshot(), world.cluster()
    announce = ThrottledError("dynamodb:PutItem: Throttling")

    class Failing:
        def announce(self, arn, now):
            raise announce

    world.wrap = lambda name, port: Failing() if name == "announcements" else port
    handled = world.evaluate(ref, other)

    [(trigger, error)] = handled.failed
    assert (trigger.target, error) == (ref, announce)
    assert [visit.arn for visit in handled.visits] == [other.arn]


def test_where_an_event_was_lost_nothing_is_believed_any_more():
    world, _ = swept_twice()
    assert counting(world).count() is None

    assert half_an_hour_later(world, announcements=world.announcements)

    assert world.announcements.distrusted == [world.clock()]
