"""What is left when a remediation dies, is delivered twice, or meets another step that writes."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.remediations import between, drifted, failing, operations, outcomes
from pipeline.world import (
    ALICE,
    CONTROLS,
    EXPORTS,
    INSTANCE_PROTECTION,
    OWN_ROLE,
    PROTECTION,
    PUBLIC,
    World,
)
from warden.core.errors import (
    AccessDeniedError,
    ConflictError,
    ThrottledError,
    TransientError,
)
from warden.core.messages import RemediationMessage


def test_an_answer_that_is_lost_after_the_write_leads_to_no_second_write():
    world, ref = drifted()
    [message] = world.queues.remediations
    between(world, "apply", failing(TransientError("rds:ModifyDBCluster: 503 Service Unavailable")))

    with pytest.raises(TransientError):
        world.remediate(message)
    assert world.aws.items[ref]["DeletionProtection"] is True
    world.wrap = lambda _, port: port
    world.clock.advance(seconds=720)

    assert world.remediate(message).status == "SKIPPED"
    assert len(world.aws.attempts) == 1
    assert world.look(ref, principal=OWN_ROLE).resolved == (PROTECTION,)


@pytest.mark.parametrize(
    "error",
    [ThrottledError("slow down"), AccessDeniedError("no"), TransientError("500")],
    ids=lambda error: type(error).__name__,
)
def test_a_ledger_that_fails_after_the_write_does_not_deny_the_write(error):
    world, ref = drifted()
    [message] = world.queues.remediations
    # The first entry of this step is the intent, the second the outcome.
    between(world, "append", failing(error), port="ledger", after=2, instead=True)

    with contextlib.suppress(AccessDeniedError, TransientError):
        world.remediate()

    assert len(world.aws.calls) == 1
    assert outcomes(world) == [], "no entry says that it was refused or put off"
    assert world.queues.tickets == []
    world.wrap = lambda _, port: port
    assert world.remediate(message).status == "SKIPPED"
    world.clock.advance(minutes=6)
    world.look_again()
    assert world.found(ref, PROTECTION).workflow == "RESOLVED"


def test_a_ledger_that_takes_no_intent_lets_nothing_be_written():
    world, _ = drifted()
    world.ledger.conflicts = 99

    with pytest.raises(ConflictError):
        world.remediate()
    assert world.aws.attempts == []


def test_a_finding_that_is_written_at_the_same_time_keeps_its_attempt():
    world, ref = drifted()
    lost = [3]

    class Busy:
        def __init__(self, port):
            self._port = port

        def __getattr__(self, name):
            return getattr(self._port, name)

        def put(self, finding):
            if lost[0]:
                lost[0] -= 1
                self._port.put(replace(self._port.get(finding.resource_key, finding.control), title="new"))
            return self._port.put(finding)

    world.wrap = lambda name, port: Busy(port) if name == "findings" else port
    assert world.remediate().status == "SUCCEEDED"
    assert len(world.found(ref, PROTECTION).attempts) == 1
    assert world.found(ref, PROTECTION).title == "new"

    lost[0] = 99
    world.aws.update(ref, DeletionProtection=False)
    hers = {"source": "cloudtrail", "principal": ALICE, "at": world.clock.advance(minutes=1).isoformat()}
    with pytest.raises(ConflictError):
        world.remediate(
            RemediationMessage(
                ref=ref,
                controls=(PROTECTION,),
                policy_version=world.policy.version,
                resource_key=world.key(ref),
                cause=hers,
            )
        )


def test_a_finding_that_resolved_meanwhile_is_not_made_a_ticket():
    world, ref = drifted()
    world.aws.deny("ModifyDBCluster")

    def resolved():
        finding = world.found(ref, PROTECTION)
        from warden.core.finding import gone

        world.findings.put(gone(finding, observed_at=world.clock()))

    between(world, "lease", resolved, port="state")
    assert world.remediate().status == "FAILED"

    assert world.found(ref, PROTECTION).workflow == "RESOLVED"
    assert world.tell() == ["known"]
    assert world.told() == []


def test_instances_are_put_right_as_well():
    world = World()
    ref = world.instance(PubliclyAccessible=True, DeletionProtection=False)
    world.look(ref)

    outcome = world.remediate()

    assert set(outcome.controls) == {PUBLIC, INSTANCE_PROTECTION}
    assert operations(world) == ["ModifyDBInstance"]
    assert world.clock() + timedelta(minutes=5) == world.state.waiting(ref.arn).due_at


def test_two_plans_that_want_different_values_are_two_calls_each_for_its_own_finding():
    from warden.core.guard import Permit, Raises, SameAs
    from warden.core.plan import Call, Plan

    def wants(days):
        def plan(resource, _settings):
            name = resource.facts["DBClusterIdentifier"]
            return Plan(
                (Call("ModifyDBCluster", {"DBClusterIdentifier": name, "BackupRetentionPeriod": days}),)
            )

        return plan

    permit = Permit(
        operation="ModifyDBCluster",
        required={
            "DBClusterIdentifier": SameAs("DBClusterIdentifier"),
            "BackupRetentionPeriod": Raises("BackupRetentionPeriod", 35),
        },
    )
    world = World(
        controls=[
            replace(c, remediation=replace(c.remediation, plan=wants(days), permits=(permit,)))
            if (days := {PROTECTION: 20, EXPORTS: 30}.get(c.id))
            else c
            for c in CONTROLS
        ]
    )
    ref = world.cluster(DeletionProtection=False, EnabledCloudwatchLogsExports=[], BackupRetentionPeriod=19)
    world.look(ref)
    world.queues.remediations[0] = replace(world.queues.remediations[0], controls=(PROTECTION, EXPORTS))

    world.remediate()

    intents = [(entry["control"], entry["after"]["calls"]) for entry in world.ledger.of_kind("intent")]
    assert [control for control, _ in intents] == [PROTECTION, EXPORTS]


def test_the_word_about_a_refusal_names_the_revision_that_it_is_in():
    world, ref = drifted()
    world.aws.deny("ModifyDBCluster")
    world.remediate()

    [message] = world.queues.tickets
    assert message.revision == world.found(ref, PROTECTION).revision


def test_a_refusal_of_a_finding_that_is_not_kept_is_loud():
    world, ref = drifted()
    key = world.key(ref)
    del world.findings._rows[key, PROTECTION]
    world.aws.deny("ModifyDBCluster")
    assert world.remediate().status == "FAILED"

    with pytest.raises(TransientError):
        world.tell()


def test_copies_of_a_message_leave_nothing_behind_once_the_finding_is_resolved():
    world, ref = drifted()
    [message] = world.queues.remediations
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(minutes=1)
    world.look(ref)

    assert world.remediate(message).status == "SKIPPED"
    assert world.state.waiting(ref.arn) is None


def test_a_copy_of_a_message_has_the_open_finding_looked_at_again():
    world, ref = drifted()
    [message] = world.queues.remediations
    world.aws.update(ref, DeletionProtection=True)

    assert world.remediate(message).status == "SKIPPED"
    assert world.state.waiting(ref.arn).reason == "verify"
