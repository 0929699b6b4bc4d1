"""One judgement: what is read for it, and what it would do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.world import (
    AUTHENTICATION,
    CONTROLS,
    PROTECTION,
    REMEDIATE_ALL,
    RETENTION,
    TLS,
    UNENCRYPTED,
    World,
    changed,
    policy_of,
)
from warden.core.control import ComplianceType, Maturity, Verdict
from warden.core.decision import Mode
from warden.core.evaluation import evaluate
from warden.core.kinds import Need
from warden.core.preflight import Question
from warden.core.resource import ResourceType
from warden.pipeline.restraints import Unrestrained


class Spent(Unrestrained):
    def is_spent(self, control):
        del control
        return True


def judged(world, ref, *, spent=False):
    judge = world.judge()
    resource = world.aws.read(ref, judge.needs(ref.resource_type))
    resource, judgements = judge.decide(
        resource,
        judge.evaluate(resource),
        findings={},
        now=world.clock(),
        restraints=Spent() if spent else Unrestrained(),
    )
    return resource, {judgement.control.id: judgement for judgement in judgements}


def test_only_what_evaluations_need_is_read_while_there_is_no_drift():
    world = World()
    ref = world.cluster()

    resource, judgements = judged(world, ref)

    assert {Need.EXPORTABLE_LOG_TYPES, Need.PARAMETERS} <= set(resource.facts)
    assert not {Need.MEMBERS, Need.BLUE_GREEN} & set(resource.facts)
    assert {j.decision.reason for j in judgements.values()} == {"compliant"}


def test_what_the_plan_needs_is_read_once_there_is_drift():
    world = World()
    ref = world.cluster(IAMDatabaseAuthenticationEnabled=False)

    resource, _ = judged(world, ref)

    assert {Need.MEMBERS, Need.BLUE_GREEN} <= set(resource.facts)


def test_what_is_known_already_is_not_read_again():
    world = World()
    [tls] = [c for c in CONTROLS if c.id == TLS]
    world.controls = changed(TLS, remediation=replace(tls.remediation, needs=(Need.PARAMETERS,)))
    ref = world.cluster()
    world.without_tls()
    judge = world.judge()
    resource = world.aws.read(ref, judge.needs(ref.resource_type))
    world.aws.deny(Need.PARAMETERS)

    resource, _ = judge.decide(
        resource, judge.evaluate(resource), findings={}, now=world.clock(), restraints=Unrestrained()
    )

    assert Need.PARAMETERS in resource.facts


def test_drift_that_nobody_can_write_away_needs_no_more_reads():
    world = World(controls=changed(PROTECTION, remediation=None))
    ref = world.cluster(DeletionProtection=False)

    resource, judgements = judged(world, ref)

    assert not {Need.MEMBERS, Need.BLUE_GREEN} & set(resource.facts)
    assert judgements[PROTECTION].decision.reason == "no_remediation"


@pytest.mark.parametrize("mode", list(Mode))
def test_every_decision_says_what_it_would_be_in_the_highest_mode(mode):
    world = World(ceiling=mode)
    ref = world.cluster(
        DeletionProtection=False, IAMDatabaseAuthenticationEnabled=False, PendingModifiedValues={"X": 1}
    )
    world.without_tls()

    _, judgements = judged(world, ref)

    assert {control: judgements[control].decision.would for control in (PROTECTION, AUTHENTICATION, TLS)} == {
        PROTECTION: "REMEDIATE",
        AUTHENTICATION: "DEFER",
        TLS: "AWAIT_APPROVAL",
    }


def test_what_was_planned_is_part_of_the_judgement():
    world = World()
    ref = world.cluster(
        DeletionProtection=False, StorageEncrypted=False, StorageEncryptionType="none", KmsKeyId=None
    )

    _, judgements = judged(world, ref)

    assert [call.operation for call in judgements[PROTECTION].calls] == ["ModifyDBCluster"]
    assert judgements[PROTECTION].manual == ""
    assert judgements[UNENCRYPTED].calls == ()
    assert judgements[UNENCRYPTED].manual


@pytest.mark.parametrize("hidden", ["Status", Need.BLUE_GREEN])
def test_a_write_need_that_is_missing_is_an_unknown_state(hidden):
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.hide(hidden) if hidden == "Status" else world.aws.deny(hidden)

    _, judgements = judged(world, ref)

    assert judgements[PROTECTION].decision.to_json() == {
        "action": "DEFER",
        "reason": "unknown_state",
        "would": "DEFER",
    }


def test_a_blue_green_deployment_without_a_status_is_an_unknown_state():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.blue_green.append({"Source": ref.arn})

    _, judgements = judged(world, ref)

    assert judgements[PROTECTION].decision.reason == "unknown_state"


def test_a_preview_control_only_observes():
    world = World(
        controls=[replace(c, maturity=Maturity.PREVIEW) if c.id == PROTECTION else c for c in CONTROLS]
    )

    _, judgements = judged(world, world.cluster(DeletionProtection=False))

    assert judgements[PROTECTION].decision.reason == "preview"


def test_a_control_that_the_policy_disables_does_not_judge():
    world = World(REMEDIATE_ALL + f"[controls.{PROTECTION}]\nenabled = false")

    _, judgements = judged(world, world.cluster(DeletionProtection=False))

    assert PROTECTION not in judgements
    assert world.judge().of_type(ResourceType.DB_PROXY) == ()


def test_a_cost_needs_the_policys_leave():
    allowed, not_allowed = World(), World("version = 1\n[defaults]\nmode = 'remediate'")
    decisions = [
        judged(world, world.cluster(BackupRetentionPeriod=1))[1][RETENTION].decision.action
        for world in (allowed, not_allowed)
    ]

    assert decisions == ["REMEDIATE", "AWAIT_APPROVAL"]


def test_a_disruption_needs_the_policys_leave_and_a_preflight_cannot_be_allowed():
    text = REMEDIATE_ALL.replace("[allow]\n", '[allow]\ndisruption = ["small_tls"]\n')
    world = World(text)
    world.without_tls()
    ref = world.cluster()
    assert judged(world, ref)[1][TLS].decision.action == "REMEDIATE"

    world.controls = [
        replace(c, remediation=replace(c.remediation, preflight=Question.CLEAR_TEXT)) if c.id == TLS else c
        for c in CONTROLS
    ]
    assert judged(world, ref)[1][TLS].decision.action == "AWAIT_APPROVAL"


def test_a_spent_budget_is_asked_for_by_its_own_kind():
    world = World()
    assert judged(world, world.cluster(DeletionProtection=False), spent=True)[1][
        PROTECTION
    ].decision.reason == ("blast_radius")


def test_a_verdict_is_taken_as_it_is_and_evidence_is_what_was_read():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    resource = world.aws.read(ref, ())
    [control] = [c for c in CONTROLS if c.id == PROTECTION]

    evaluation = evaluate(control, resource, {})

    assert evaluation.compliance is ComplianceType.NON_COMPLIANT
    assert evaluation.evidence["DeletionProtection"] is False
    assert "BackupRetentionPeriod" not in evaluation.evidence
    own = replace(control, evaluate=lambda _r, _s: Verdict(ComplianceType.NOT_APPLICABLE, "No."))
    assert evaluate(own, resource, {}).compliance is ComplianceType.NOT_APPLICABLE


def test_two_policies_are_two_judges():
    world = World()
    ref = world.cluster(BackupRetentionPeriod=20)
    assert judged(world, ref)[1][RETENTION].evaluation.compliance == "COMPLIANT"
    world.policy = policy_of(REMEDIATE_ALL + f"[controls.{RETENTION}]\nminimum_days = 30")
    assert judged(world, ref)[1][RETENTION].evaluation.compliance == "NON_COMPLIANT"
