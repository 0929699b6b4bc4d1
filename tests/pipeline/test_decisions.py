"""What a visit does about a finding: by mode and exemption; and whom it tells."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.world import (
    PROTECTION,
    REMEDIATE_ALL,
    RETENTION,
    TLS,
    UNENCRYPTED,
    World,
    planning,
    policy_of,
)
from warden.core.decision import Mode

TICKET_ALL = "version = 1\n[defaults]\nmode = 'ticket'"
OBSERVE_ALL = "version = 1\n[defaults]\nmode = 'observe'"
ORDERS = "cluster-ORDERSQQQQQQQQQQQQQQQQQQQQ"


def exempting(until: str) -> str:
    return f"""{REMEDIATE_ALL}
[[exemptions]]
control = "{PROTECTION}"
resource = "{ORDERS}"
owner = "orders-team"
reason = "Torn down every night."
expires = {until}
"""


# --- modes ------------------------------------------------------------------------------------------------


def test_observe_keeps_the_finding_and_tells_nobody():
    world = World(OBSERVE_ALL)
    ref = world.cluster(DeletionProtection=False)

    visit = world.look(ref)

    assert world.decision(visit, PROTECTION) == ("OBSERVE", "mode")
    assert world.found(ref, PROTECTION).workflow == "NEW"
    assert world.found(ref, PROTECTION).decision["would"] == "REMEDIATE"
    assert world.queues.tickets == world.queues.remediations == []


def test_the_ceiling_of_the_deployment_lowers_every_mode():
    world = World(ceiling=Mode.TICKET)
    ref = world.cluster(DeletionProtection=False)

    assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "mode")
    assert world.queues.remediations == []


def test_a_mode_that_changes_changes_the_decision_at_the_next_look():
    world = World(OBSERVE_ALL)
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)

    world.policy = policy_of(TICKET_ALL)
    world.look(ref)
    assert world.tell() == ["open"]
    assert world.found(ref, PROTECTION).workflow == "NOTIFIED"

    world.policy = policy_of(REMEDIATE_ALL)
    world.look(ref)
    assert world.remediate().status == "SUCCEEDED"
    assert world.found(ref, PROTECTION).workflow == "NOTIFIED"

    world.policy = policy_of(OBSERVE_ALL)
    world.look(ref)
    assert world.tell() == ["resolved"]
    decisions = [entry["after"]["action"] for entry in world.ledger.of_kind("decision")]
    assert decisions == ["OBSERVE", "TICKET", "REMEDIATE"]


def test_a_control_without_remediation_is_a_ticket_with_the_way_to_fix_it():
    world = World()
    ref = world.cluster(StorageEncrypted=False, KmsKeyId=None, StorageEncryptionType="none")

    assert world.decision(world.look(ref), UNENCRYPTED) == ("TICKET", "no_remediation")
    assert world.tell() == ["open"]
    assert world.sink.delivered[0].fix


def test_a_disruptive_remediation_awaits_an_approval_and_the_ticket_has_the_plan():
    world = World()
    ref = world.cluster()
    world.without_tls()

    assert world.decision(world.look(ref), TLS) == ("AWAIT_APPROVAL", "needs_approval")
    assert world.tell() == ["open"]
    [ticket] = world.sink.delivered
    assert ticket.finding.plan[0]["operation"] == "ModifyDBClusterParameterGroup"
    assert world.queues.remediations == []


def test_a_plan_that_raises_is_a_ticket_and_counted_as_a_bug():
    def broken(_resource, _settings):
        msg = "a bug"
        raise ZeroDivisionError(msg)

    world = World()
    world.controls = planning(PROTECTION, broken)
    ref = world.cluster(DeletionProtection=False)

    visit = world.look(ref)

    assert world.decision(visit, PROTECTION) == ("TICKET", "no_remediation")
    [judgement] = [j for j in visit.judgements if j.control.id == PROTECTION]
    assert "ZeroDivisionError: a bug" in judgement.evaluation.error
    assert "ZeroDivisionError" in world.found(ref, PROTECTION).manual


def test_a_plan_that_forgets_to_return_is_a_ticket_and_counted_as_a_bug():
    world = World()
    world.controls = planning(PROTECTION, lambda _resource, _settings: None)
    ref = world.cluster(DeletionProtection=False)

    visit = world.look(ref)

    assert world.decision(visit, PROTECTION) == ("TICKET", "no_remediation")
    assert any(judgement.evaluation.error for judgement in visit.judgements)


# --- tickets ----------------------------------------------------------------------------------------------


def test_a_ticket_is_sent_again_until_somebody_was_told_and_not_after():
    world = World(TICKET_ALL)
    ref = world.cluster(DeletionProtection=False)

    world.look(ref)
    world.look(ref)
    assert len(world.queues.tickets) == 2, "nobody was told yet"
    assert world.tell() == ["open", "known"]
    world.look(ref)

    assert world.queues.tickets == []
    assert world.told() == [("OPEN", PROTECTION)]


def test_a_changed_finding_is_told_again():
    world = World(TICKET_ALL)
    ref = world.cluster(BackupRetentionPeriod=1)
    world.look(ref)
    world.tell()

    world.aws.update(ref, BackupRetentionPeriod=2)
    world.clock.advance(minutes=1)
    world.look(ref)

    assert world.tell() == ["updated"]
    assert world.told() == [("OPEN", RETENTION), ("UPDATED", RETENTION)]


def test_a_resolution_is_told_only_where_the_drift_was():
    world = World(TICKET_ALL)
    told, untold = world.cluster("told", DeletionProtection=False), world.cluster("untold")
    world.look(told)
    world.tell()
    world.policy = policy_of(OBSERVE_ALL)
    world.aws.update(untold, DeletionProtection=False)
    world.look(untold)

    for ref in (told, untold):
        world.aws.update(ref, DeletionProtection=True)
        world.clock.advance(minutes=1)
        assert world.look(ref).resolved == (PROTECTION,)

    assert [message.event for message in world.queues.tickets] == ["resolve"]
    assert world.tell() == ["resolved"]


# --- exemptions -------------------------------------------------------------------------------------------


def test_an_exemption_suppresses_and_its_expiry_brings_the_finding_back():
    world = World(exempting("2026-11-25"))
    ref = world.cluster(DeletionProtection=False)

    assert world.decision(world.look(ref), PROTECTION) == ("SUPPRESS", "exempt")
    assert world.found(ref, PROTECTION).workflow == "SUPPRESSED"
    assert world.queues.tickets == world.queues.remediations == []

    world.clock.advance(days=2)
    assert world.decision(world.look(ref), PROTECTION) == ("REMEDIATE", "policy")
    assert world.found(ref, PROTECTION).workflow == "NEW"
    assert world.remediate().status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("days", "told"), [(-1, 0), (0, 1), (14, 1), (15, 0)], ids=["over", "its last day", "soon", "later"]
)
def test_a_sweep_tells_which_exemptions_end_soon(days, told):
    world = World()
    last = (world.clock() + timedelta(days=days)).date()
    world.policy = policy_of(exempting(last.isoformat()))

    assert len(world.sweep().ending) == told


def test_an_exempt_finding_that_goes_away_resolves():
    world = World(exempting("2026-11-25"))
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(minutes=1)

    assert world.look(ref).resolved == (PROTECTION,)
    world.tell()
    assert world.told() == []


def test_an_exemption_that_comes_after_a_ticket_resolves_it_and_its_end_opens_it_again():
    world = World(TICKET_ALL)
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    world.tell()
    world.policy = policy_of(exempting("2026-11-25"))
    world.clock.advance(minutes=1)
    world.look(ref)

    assert world.tell() == ["resolved"]
    assert "An exemption of the policy covers it now" in world.sink.delivered[-1].summary
    assert world.tracker.open == []

    world.policy = policy_of(TICKET_ALL)
    world.clock.advance(days=2)
    world.look(ref)
    assert world.tell() == ["reopened"]
    assert world.told() == [("OPEN", PROTECTION), ("RESOLVED", PROTECTION), ("REOPENED", PROTECTION)]
    assert len(world.tracker.open) == 1
