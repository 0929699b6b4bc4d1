"""A sweep over several invocations: it stops in time, goes on, is killed and resumed, and visits everything once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from fakes import FixedClock
from pipeline.world import PROTECTION, World, policy_of
from warden.core.resource import ResourceType

OBSERVE = "version = 1\n[defaults]\nmode = 'observe'"


class Slow(FixedClock):
    """A clock that moves on with each look at it: time passes while a sweep works."""

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


class Killed(BaseException):
    """Lambda ends the process."""


def fleet(number=30):
    """So many clusters without protection, on a clock that does not stand still."""
    world = World(OBSERVE)
    world.clock = Slow(world.clock.now)
    refs = [world.cluster(f"c{index:02}", DeletionProtection=False) for index in range(number)]
    return world, refs


def invoke(world, run_id, *, seconds=60.0, begin=True):
    """One invocation, which may take so long."""
    visits = []
    report = world.sweeper.sweep(
        run_id=run_id,
        until=world.clock.now + timedelta(seconds=seconds),
        tell=lambda visit: visits.append(visit.arn),
        begin=begin,
    )
    return report, visits


def invoke_until_ended(world):
    seen, invocations = [], 0
    report, visits = invoke(world, "run-0")
    seen += visits
    while not report.ended:
        invocations += 1
        assert invocations < 40, "it does not come to its end"
        report, visits = invoke(world, f"run-{invocations}", begin=False)
        seen += visits
    return report, seen, invocations


def test_what_does_not_fit_into_one_invocation_is_visited_by_the_next_and_nothing_twice():
    world, refs = fleet()

    report, seen, invocations = invoke_until_ended(world)

    assert invocations >= 1
    assert Counter(seen) == Counter(ref.arn for ref in refs)
    assert report.resources == {ResourceType.DB_CLUSTER: 30}
    assert (report.opened, report.problems) == (30, [])


def test_the_ledger_has_one_entry_with_the_counts_of_all_invocations():
    world, _ = fleet()
    invoke_until_ended(world)

    [entry] = world.ledger.of_kind("sweep")
    assert entry["after"]["resources"] == {"AWS::RDS::DBCluster": 30}
    assert entry["after"]["controls"][PROTECTION] == {"NON_COMPLIANT": 30}


def test_a_sweep_that_was_ended_is_not_gone_on_with():
    world, _ = fleet()
    invoke_until_ended(world)

    report, seen = invoke(world, "later", begin=False)
    assert (report.held, seen) == (True, [])


def test_a_sweep_that_fits_leaves_nothing_behind():
    world, _ = fleet(3)
    report, _ = invoke(world, "run", seconds=3600)

    assert report.ended
    assert (world.sweeps.progress, world.sweeps.marks, world.state.leased) == (None, {}, [])


def test_one_that_was_killed_goes_on_where_it_was_last_kept():
    world, refs = fleet(60)
    kept = world.sweeps.keep

    def kept_and_killed(*arguments):
        kept(*arguments)
        raise Killed

    world.sweeps.keep = kept_and_killed
    visits = []
    with pytest.raises(Killed):
        world.sweeper.sweep(run_id="first", tell=lambda visit: visits.append(visit.arn))
    world.sweeps.keep = kept

    assert 0 < len(visits) < 60
    world.clock.advance(minutes=20)
    report, seen = invoke(world, "second", seconds=3600, begin=False)
    assert report.ended
    assert Counter(visits + seen) == Counter(ref.arn for ref in refs)


def test_while_one_is_at_it_another_does_nothing():
    world, _ = fleet(3)
    name = ["sweep/123456789012/eu-west-1"]
    assert world.state.lease(name, owner="first", seconds=960, now=world.clock())

    report, seen = invoke(world, "second")
    assert (report.held, report.ended, seen) == (True, False, [])

    world.clock.advance(minutes=17)
    report, _ = invoke(world, "third", seconds=3600)
    assert report.ended, "who was killed does not hold it for ever"


def test_under_another_policy_everything_is_visited_again():
    world, refs = fleet()
    report, first = invoke(world, "run")
    assert not report.ended
    world.policy = policy_of(OBSERVE + "\n[limits]\nattempts = 4")

    report, seen = invoke(world, "again", seconds=3600)

    assert first
    assert report.resources == {ResourceType.DB_CLUSTER: len(refs)}
    assert {*first, *seen} == {ref.arn for ref in refs}


def test_a_sweep_of_yesterday_is_not_gone_on_with():
    world, refs = fleet()
    invoke(world, "run")
    world.clock.advance(days=1)

    report, _ = invoke(world, "again", seconds=3600)
    assert report.resources == {ResourceType.DB_CLUSTER: len(refs)}


def test_what_disappears_between_two_invocations_is_found_gone_and_what_does_not_is_not():
    world, refs = fleet()
    invoke_until_ended(world)
    report, _ = invoke(world, "second-0")
    assert not report.ended
    world.aws.remove(refs[0])
    world.aws.remove(refs[-1])

    number = 0
    while not report.ended:
        number += 1
        report, _ = invoke(world, f"second-{number}", begin=False)

    assert report.resolved == 2
    open_ones = {finding.arn for finding in world.findings.all() if finding.is_open}
    assert open_ones == {ref.arn for ref in refs[1:-1]}


def test_what_was_made_between_two_invocations_is_visited():
    world, _ = fleet()
    report, _ = invoke(world, "run")
    assert not report.ended
    late = world.cluster("late", DeletionProtection=False)

    report, seen = invoke(world, "more", seconds=3600, begin=False)
    assert report.ended
    assert late.arn in seen
