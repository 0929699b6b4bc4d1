"""Whatever dies or fails, at whichever call of whichever port: nothing is lost, and nothing is written twice."""

from __future__ import annotations

import pytest

from pipeline.crashes import Crash, Deployment, Faults, assert_the_ledger_is_whole, every_fault
from pipeline.world import ALICE, CONTROLS, EXPORTS, PROTECTION, REMEDIATE_ALL, RETENTION, World
from warden.core.errors import TransientError
from warden.core.rendering import plain

POLICY = f"""{REMEDIATE_ALL}
[controls.{RETENTION}]
mode = "ticket"
[controls.{EXPORTS}]
mode = "ticket"
"""

THREE = [control for control in CONTROLS if control.id in {EXPORTS, PROTECTION, RETENTION}]


def told_of_exports() -> World:
    """A cluster whose log exports are off, and somebody was told."""
    world = World(POLICY, controls=THREE)
    ref = world.cluster(EnabledCloudwatchLogsExports=[])
    world.look(ref)
    assert world.tell() == ["open"]
    world.clock.advance(hours=1)
    return world


def event(world: World) -> dict[str, object]:
    return {
        "resource": "arn:aws:rds:eu-west-1:123456789012:cluster:orders",
        "cause": {
            "source": "cloudtrail",
            "event_name": "ModifyDBCluster",
            "at": world.clock().isoformat(),
            "principal": ALICE,
        },
    }


def run(faults: Faults, *, eager: bool, echo: bool) -> World:
    """One change: exports are back, protection is off, and the backups are shorter."""
    world = told_of_exports()
    [ref] = world.aws.items
    world.aws.update(
        ref, EnabledCloudwatchLogsExports=["postgresql"], DeletionProtection=False, BackupRetentionPeriod=1
    )
    world.queues.trigger(event(world))
    Deployment(world, faults, eager=eager, echo=echo).settle()
    return world


def assert_all_is_well(world: World, faults: Faults) -> None:
    what = f"{faults.how} {faults.when} call {faults.at}: {faults.names[faults.at or 0]}"
    [ref] = world.aws.items
    assert world.workflows(ref) == {
        EXPORTS: "RESOLVED",
        PROTECTION: "RESOLVED",
        RETENTION: "NOTIFIED",
    }, what
    assert world.aws.items[ref]["DeletionProtection"] is True, what
    assert len(world.aws.attempts) == 1, what
    assert_the_ledger_is_whole(world)
    rows = {name.partition("|")[0]: row.state for name, row in world.tickets.rows.items()}
    assert rows == {EXPORTS: "resolved", RETENTION: "open"}, what
    told = world.told()
    assert told[0] == ("OPEN", EXPORTS)
    # A process that dies after it has told tells again; nobody else does.
    assert len(told) <= 4, what
    assert set(told[1:]) == {("OPEN", RETENTION), ("RESOLVED", EXPORTS)}, what
    assert len({ticket.id for ticket in world.sink.delivered}) == 2, what
    assert world.queues.triggers == world.queues.remediations == world.queues.tickets == [], what


@pytest.mark.parametrize(
    ("eager", "echo"), [(False, True), pytest.param(True, False, marks=pytest.mark.slow)]
)
def test_one_change_ends_the_same_whatever_goes_wrong_on_its_way(eager, echo):
    whole = Faults()
    run(whole, eager=eager, echo=echo)
    assert whole.calls > 50

    for faults in every_fault(whole.calls):
        assert_all_is_well(run(faults, eager=eager, echo=echo), faults)


def test_the_fault_is_real():
    """The proxy does kill: a run that does not redeliver is not well."""
    world = told_of_exports()
    [ref] = world.aws.items
    world.aws.update(ref, DeletionProtection=False)
    faults = Faults(0, how="kill")
    world.wrap = faults.wrap

    with pytest.raises(Crash):
        world.evaluate(ref)
    with pytest.raises(Crash):
        world.remediator.state.stop()
    faults.restart()
    assert world.evaluate(ref).failed == []


@pytest.mark.slow
def test_a_sweep_ends_the_same_whatever_goes_wrong_on_its_way():
    def swept(faults):
        world = told_of_exports()
        [ref] = world.aws.items
        world.aws.update(
            ref,
            EnabledCloudwatchLogsExports=["postgresql"],
            DeletionProtection=False,
            BackupRetentionPeriod=1,
        )
        gone = world.cluster("gone", DeletionProtection=False)
        world.evaluate(gone)
        world.queues.remediations.clear()
        world.aws.remove(gone)
        world.clock.advance(minutes=1)
        deployment = Deployment(world, faults)
        problems = [""]
        while problems:
            try:
                problems = world.sweep().problems
            except (Crash, TransientError):
                # Lambda tries again what it was asked to do and did not.
                faults.restart()
                world.clock.advance(minutes=1)
            else:
                deployment.settle()
        return world

    whole = Faults()
    swept(whole)
    for faults in every_fault(whole.calls):
        world = swept(faults)
        [closed] = [f for f in world.findings.all() if "GONE" in f.resource_key]
        assert closed.workflow == "RESOLVED"
        world.findings._rows.pop((closed.resource_key, closed.control))
        assert_all_is_well(world, faults)


def test_a_rename_ends_the_same_whatever_goes_wrong_on_its_way():
    def renamed(faults):
        world = told_of_exports()
        [ref] = world.aws.items
        moved = world.aws.rename(ref, "orders-blue")
        world.queues.trigger(event(world))
        Deployment(world, faults).settle()
        return world, moved

    whole = Faults()
    renamed(whole)
    for faults in every_fault(whole.calls):
        world, moved = renamed(faults)
        assert world.found(moved, EXPORTS).arn == moved.arn
        assert world.found(moved, EXPORTS).workflow == "NOTIFIED"
        assert len(list(world.findings.all())) == 1
        assert_the_ledger_is_whole(world)


def test_a_deletion_ends_the_same_whatever_goes_wrong_on_its_way():
    def deleted(faults):
        world = told_of_exports()
        [ref] = world.aws.items
        world.aws.remove(ref)
        world.queues.trigger(event(world))
        Deployment(world, faults).settle()
        return world

    whole = Faults()
    deleted(whole)
    for faults in every_fault(whole.calls):
        world = deleted(faults)
        [finding] = world.findings.all()
        assert finding.workflow == "RESOLVED"
        assert {row.state for row in world.tickets.rows.values()} == {"resolved"}
        assert world.told()[-1] == ("RESOLVED", EXPORTS)
        assert_the_ledger_is_whole(world)


def test_a_refused_remediation_is_told_whatever_goes_wrong_on_its_way():
    def refused(faults):
        world = World(POLICY, controls=THREE)
        ref = world.cluster(DeletionProtection=False, EnabledCloudwatchLogsExports=["postgresql"])
        world.aws.reject("DeletionProtection", "InvalidParameterValue: no")
        world.queues.trigger(event(world))
        Deployment(world, faults).settle()
        # A death between the refusal and the word about it is made up for by the redelivered message.
        return world, ref

    whole = Faults()
    refused(whole)
    for faults in every_fault(whole.calls):
        world, ref = refused(faults)
        assert world.aws.calls == []
        assert world.found(ref, PROTECTION).workflow == "NOTIFIED"
        assert set(world.told()) == {("OPEN", PROTECTION)}
        assert "InvalidParameterValue: no" in plain.text(world.sink.delivered[-1])
        assert len(world.aws.attempts) <= 2
        assert_the_ledger_is_whole(world)
