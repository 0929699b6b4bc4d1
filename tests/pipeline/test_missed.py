"""Drift that a sweep finds and events should have told of: what counts, what does not, and that each counts once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fakes import MemoryLedger
from pipeline.world import HERE, OWN_ROLE, PROTECTION, RETENTION, World, changed
from warden.core.errors import ConflictError, TransientError
from warden.core.trigger import Source
from warden.core.unannounced import GRACE
from warden.pipeline.missed import MissedDrift


def counting(world, **ports):
    given = {"findings": world.findings, "ledger": world.ledger, "sweeps": world.sweeps, **ports}
    return MissedDrift(deployment=HERE, clock=world.clock, **given)


def sweep(world, run):
    return world.sweeper.sweep(run_id=run)


def drifted(world, ref, **members):
    """Somebody changes it, and no event comes."""
    world.aws.update(ref, **(members or {"DeletionProtection": False}))


def half_an_hour_later(world, **ports):
    world.clock.advance(minutes=GRACE.total_seconds() / 60)
    return counting(world, **ports).count()


def swept_twice():
    """A fleet that was compliant at the first sweep, and of which one drifted before the second; its ARN."""
    world = World()
    ref = world.cluster()
    sweep(world, "one")
    assert half_an_hour_later(world) == []
    world.clock.advance(hours=6)
    drifted(world, ref)
    sweep(world, "two")
    return world, ref


def test_what_drifted_between_two_sweeps_without_an_event_is_counted_once():
    world, ref = swept_twice()

    assert counting(world).count() is None, "an event may still be on its way"
    [finding] = half_an_hour_later(world)
    assert (finding.control, finding.arn) == (PROTECTION, ref.arn)
    [entry] = world.ledger.of_kind("missed")
    assert entry["after"]["controls"] == {PROTECTION: 1}
    assert entry["after"]["findings"][0]["arn"] == ref.arn
    assert counting(world).count() is None
    world.clock.advance(hours=6)
    sweep(world, "three")
    assert half_an_hour_later(world) == [], "once"


def test_what_a_first_sweep_finds_is_nobodys_loss():
    world = World()
    world.cluster(DeletionProtection=False)
    sweep(world, "one")

    assert half_an_hour_later(world) == []


def test_what_was_made_since_and_never_told_of_counts_as_well():
    world = World()
    sweep(world, "one")
    world.cluster(DeletionProtection=False)
    sweep(world, "two")

    assert [finding.control for finding in half_an_hour_later(world)] == [PROTECTION]


def test_what_came_back_counts_as_well():
    world, ref = swept_twice()
    half_an_hour_later(world)
    drifted(world, ref, DeletionProtection=True)
    world.look(ref)
    drifted(world, ref)
    sweep(world, "three")

    assert [finding.control for finding in half_an_hour_later(world)] == [PROTECTION]


def test_another_policy_or_other_code_finds_what_was_there_before(monkeypatch):
    world = World()
    ref = world.cluster()
    sweep(world, "one")
    drifted(world, ref)
    monkeypatch.setattr("warden.pipeline.sweep.package_version", lambda: "another")
    sweep(world, "two")
    assert half_an_hour_later(world) == []
    drifted(world, ref, BackupRetentionPeriod=1)
    world.policy = World("version = 1").policy
    sweep(world, "three")
    assert half_an_hour_later(world) == []


def test_what_could_not_be_judged_before_may_have_drifted_long_ago():
    world = World()
    ref, other = world.cluster(), world.cluster("billing")
    world.aws.deny("Parameters")
    sweep(world, "one")
    drifted(world, ref)
    world.aws.heal()
    world.without_tls()
    sweep(world, "two")

    found = half_an_hour_later(world)
    assert {finding.control for finding in found} == {PROTECTION}
    assert {finding.arn for finding in found} == {ref.arn} != {other.arn}


def test_a_kind_that_was_not_swept_to_its_end_may_have_drifted_long_ago():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.deny("list")
    sweep(world, "one")
    world.aws.heal()
    sweep(world, "two")

    assert world.found(ref, PROTECTION).cause["event_id"] == "two"
    assert half_an_hour_later(world) == []


@pytest.mark.parametrize("source", [Source.CLOUDTRAIL, Source.RDS_EVENT, Source.CONFIG])
def test_an_event_that_comes_late_has_told_of_it(source):
    world, ref = swept_twice()
    drifted_at = world.clock()
    world.clock.advance(minutes=5)

    world.look(world.trigger(ref, source, at=drifted_at, event_id="late"))

    assert world.found(ref, PROTECTION).cause["event_id"] == "late"
    told = [entry for entry in world.ledger.of_kind("finding") if entry["cause"]["event_id"] == "late"]
    assert [entry["control"] for entry in told] == [PROTECTION]
    assert half_an_hour_later(world) == []


def test_an_event_that_comes_with_a_look_of_our_own_has_told_of_it_too():
    world, ref = swept_twice()
    drifted_at = world.clock()
    world.clock.advance(minutes=5)

    world.evaluate(
        world.trigger(ref, Source.DEFERRAL, event_id="due"),
        world.trigger(ref, at=drifted_at, event_id="late"),
    )

    assert world.found(ref, PROTECTION).cause["event_id"] == "late"
    assert half_an_hour_later(world) == []


@pytest.mark.parametrize(
    ("source", "hours", "principal"),
    [
        (Source.CLOUDTRAIL, 0.1, ""),
        (Source.CLOUDTRAIL, -25, ""),
        (Source.DEFERRAL, 0, ""),
        (Source.MANUAL, 0, ""),
        (Source.CLOUDTRAIL, 0, OWN_ROLE),
    ],
    ids=["of something later", "of two days before", "our own look", "by hand", "our own write"],
)
def test_what_does_not_tell_of_the_drift_leaves_it_missed(source, hours, principal):
    world, ref = swept_twice()
    at = world.clock() + timedelta(hours=hours)
    world.clock.advance(minutes=10)

    world.look(world.trigger(ref, source, at=at, event_id="e", principal=principal))

    assert world.found(ref, PROTECTION).cause["event_id"] == "two"
    assert len(half_an_hour_later(world)) == 1


def test_a_control_whose_drift_comes_by_itself_is_not_counted():
    world = World(controls=changed(PROTECTION, silent="time passes"))
    ref = world.cluster()
    sweep(world, "one")
    drifted(world, ref, DeletionProtection=False, BackupRetentionPeriod=1)
    sweep(world, "two")

    assert {finding.control for finding in half_an_hour_later(world)} == {RETENTION}


class Refusing:
    """A ledger, or a row, that cannot be written."""

    def __init__(self, port, method, error):
        self._port, self._method, self._error = port, method, error

    def __getattr__(self, name):
        if name != self._method:
            return getattr(self._port, name)

        def refuse(*_, **__):
            raise self._error

        return refuse


def test_what_fails_on_the_way_is_counted_by_the_next_look():
    world, _ = swept_twice()
    for port, method in ((world.ledger, "append"), (world.sweeps, "leave")):
        name = "ledger" if isinstance(port, MemoryLedger) else "sweeps"
        with pytest.raises(TransientError):
            half_an_hour_later(world, **{name: Refusing(port, method, TransientError("not now"))})

    assert len(counting(world).count()) == 1


def test_a_sweep_that_ends_while_somebody_counts_is_not_forgotten():
    world, ref = swept_twice()
    world.clock.advance(minutes=31)
    stale = world.sweeps.last()
    drifted(world, ref, DeletionProtection=False, BackupRetentionPeriod=1)
    sweep(world, "three")
    with pytest.raises(ConflictError):
        world.sweeps.leave(stale.counted(stale.due(world.clock())))

    assert {f.control for f in counting(world).count()} == {PROTECTION}
    assert {f.control for f in half_an_hour_later(world)} == {RETENTION}
