"""What a trigger names and is not there: made moments ago, renamed, deleted, or not to be confirmed."""

from __future__ import annotations

import pytest

from pipeline.world import (
    PROTECTION,
    SNAPSHOT_PUBLIC,
    World,
)
from warden.core.errors import TransientError
from warden.core.trigger import Source

ACCOUNT, REGION = "123456789012", "eu-west-1"


def test_a_deleted_cluster_resolves_its_findings_once_its_id_leads_nowhere():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    key = world.key(ref)
    world.aws.remove(ref)

    visit = world.look(ref, event_name="DeleteDBCluster")

    finding = world.findings.get(key, PROTECTION)
    assert finding.workflow == "RESOLVED"
    assert finding.annotation == "orders no longer exists."
    assert (visit.skipped, visit.resolved) == ("gone", (PROTECTION,))
    assert world.ledger.entries[-1]["after"] == {
        "workflow": "RESOLVED",
        "annotation": "orders no longer exists.",
    }
    assert world.look(ref).resolved == (), "and only once"


@pytest.mark.parametrize("error", ["deny", "throttle"])
def test_a_deletion_that_cannot_be_confirmed_resolves_nothing(error):
    """The row `refused-is-not-gone` of docs/explanation/peers.md."""
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    world.state.defer(_due(world, ref))
    key = world.key(ref)
    world.aws.remove(ref)
    getattr(world.aws, error)("resolve")

    handled = world.evaluate(ref, event_name="DeleteDBCluster")

    assert world.findings.get(key, PROTECTION).is_open
    assert world.state.waiting(ref.arn) is not None
    if error == "throttle":
        assert len(handled.failed) == 1
    else:
        [visit] = handled.visits
        assert set(world.compliance(visit).values()) == {"INSUFFICIENT_DATA"}
    world.aws.heal()
    assert world.look(ref).resolved == (PROTECTION,)
    assert world.state.waiting(ref.arn) is None


def test_a_deleted_snapshot_is_confirmed_by_its_name_since_aws_gives_it_no_other_identity():
    world = World()
    ref = world.snapshot()
    world.look(ref)
    key = world.key(ref)
    world.aws.remove(ref)

    visit = world.look(ref, event_name="DeleteDBSnapshot")

    assert visit.resolved == (SNAPSHOT_PUBLIC,)
    assert not world.findings.get(key, SNAPSHOT_PUBLIC).is_open


def test_a_rename_neither_loses_a_finding_nor_opens_a_second_one():
    world = World()
    old = world.cluster("orders", DeletionProtection=False)
    world.look(old)
    key = world.key(old)
    new = world.aws.rename(old, "orders-blue")

    world.clock.advance(minutes=1)
    visit = world.look(old, event_name="ModifyDBCluster")

    assert visit.arn == new.arn
    assert visit.opened == visit.resolved == ()
    assert [(f.control, f.resource_key, f.arn) for f in world.findings.all()] == [(PROTECTION, key, new.arn)]
    assert world.ledger.entries[-1]["arn"] == new.arn, "the ledger tells of the new name"
    assert world.queues.remediations[-1].ref == new


def test_a_name_that_another_cluster_took_over_does_not_confuse_the_two():
    world = World()
    old = world.cluster("orders", DeletionProtection=False)
    world.look(old)
    first = world.key(old)
    world.aws.rename(old, "orders-old")
    world.cluster("orders", DbClusterResourceId="cluster-SUCCESSORQQQQQQQQQQQQQQQQQ", DeletionProtection=True)

    world.look(old)

    assert world.findings.get(first, PROTECTION).is_open, "the successor's compliance is not its own"
    assert world.finding(old, PROTECTION) is None


def test_a_rename_that_is_still_under_way_is_looked_at_again():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    # Describe by name finds nothing, while the id still leads to the old name.
    world.aws.fail("read", _gone(), ref=ref)

    handled = world.evaluate(ref, event_name="ModifyDBCluster")

    [(_, error)] = handled.failed
    assert isinstance(error, TransientError)
    assert len(world.aws.reads) < 5
    world.aws.heal()
    assert world.found(ref, PROTECTION).is_open


def test_a_cluster_that_was_made_moments_ago_and_is_unseen_is_tried_again_for_five_minutes():
    world = World()
    ref = world.cluster()
    world.aws.remove(ref)
    made = world.trigger(ref, Source.CLOUDTRAIL, event_name="CreateDBCluster")
    tagged = world.trigger(ref, Source.CLOUDTRAIL, event_name="AddTagsToResource")

    world.clock.advance(minutes=4, seconds=59)
    early = world.evaluate(tagged, made)
    world.clock.advance(seconds=1)
    late = world.evaluate(tagged, made)

    assert [isinstance(error, TransientError) for _, error in early.failed] == [True, True]
    assert late.failed == []
    assert [visit.skipped for visit in late.visits] == ["gone"]


@pytest.mark.parametrize("name", ["RDS-EVENT-0170", "CopyDBSnapshot", "RestoreDBClusterFromSnapshot"])
def test_copies_restores_and_rds_own_word_count_as_making(name):
    world = World()
    ref = world.cluster()
    world.aws.remove(ref)

    assert len(world.evaluate(ref, event_name=name).failed) == 1


def test_a_resource_that_is_being_deleted_is_left_alone():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    before = world.found(ref, PROTECTION)
    world.aws.update(ref, Status="deleting", DeletionProtection=True)

    visit = world.look(ref)

    assert visit.skipped == "deleting"
    assert world.found(ref, PROTECTION) == before


def _gone():
    from warden.core.errors import ResourceGoneError

    return ResourceGoneError("rds:DescribeDBClusters: there is no DB cluster orders")


def _due(world, ref):
    from warden.core.rows import Due

    now = world.clock()
    return Due(arn=ref.arn, due_at=now, first_at=now, attempt=0, reason="busy")
