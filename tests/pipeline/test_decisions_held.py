"""What keeps a visit from handing over a write: budgets, history, owners, states, and our own events."""

from __future__ import annotations

import pytest

from pipeline.remediations import between
from pipeline.world import (
    ALICE,
    AUTHENTICATION,
    EXPORTS,
    INSTANCE_PROTECTION,
    OWN_ROLE,
    PROTECTION,
    PUBLIC,
    REMEDIATE_ALL,
    SNAPSHOT_PUBLIC,
    World,
    planning,
)
from warden.core.kinds import Need
from warden.core.plan import Manual
from warden.core.rendering import plain
from warden.core.rendering.machine import document
from warden.core.trigger import Source

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


# --- budgets, flapping, owners ----------------------------------------------------------------------------


def test_a_spent_budget_stays_spent_until_somebody_acknowledges_it():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour = 1")
    first, second = world.cluster("one", DeletionProtection=False), world.cluster("two")
    world.look(first)
    assert world.remediate().status == "SUCCEEDED"

    world.aws.update(second, DeletionProtection=False)
    assert world.decision(world.look(second), PROTECTION) == ("DEFER", "blast_radius")
    assert world.queues.remediations == []

    world.clock.advance(days=2)
    [visit] = [visit for visit in world.look_again() if visit.arn == second.arn]
    assert world.decision(visit, PROTECTION) == ("DEFER", "blast_radius"), "an hour alone explains nothing"
    assert world.tell() == [], "one alarm tells for all findings"
    assert world.brakes.acknowledge("123456789012", "eu-west-1", now=world.clock())
    assert world.decision(world.look(second), PROTECTION) == ("REMEDIATE", "policy")
    assert not world.brakes.acknowledge("123456789012", "eu-west-1", now=world.clock())


def test_a_look_that_found_the_latch_does_not_put_it_back_once_it_is_acknowledged():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour = 1")
    ref = world.cluster("one", DeletionProtection=False)
    here = ("123456789012", "eu-west-1")
    world.brakes.latch(*here, "normal", now=world.clock())
    # Somebody acknowledges between the look at the latch and what follows of it.
    between(world, "standing", lambda: world.brakes.acknowledge(*here, now=world.clock()), port="brakes")

    assert world.decision(world.look(ref), PROTECTION) == ("DEFER", "blast_radius")

    assert not world.brakes.standing(*here).latched


def test_containment_has_a_budget_of_its_own():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour = 0")
    ref = world.instance(PubliclyAccessible=True, DeletionProtection=False)

    visit = world.look(ref)

    assert world.decision(visit, PUBLIC) == ("REMEDIATE", "policy")
    assert world.decision(visit, INSTANCE_PROTECTION) == ("DEFER", "blast_radius")
    assert world.remediate().controls == (PUBLIC,)


def test_what_somebody_keeps_changing_back_becomes_a_ticket_that_names_them():
    world = World()
    ref = world.cluster()
    for _ in range(3):
        world.clock.advance(hours=1)
        world.aws.update(ref, DeletionProtection=False)
        world.look(
            ref,
            principal=ALICE,
            user_agent="APN/1.0 HashiCorp/1.0 Terraform/1.13.4",
            source_ip="203.0.113.24",
        )
        assert world.remediate().status == "SUCCEEDED"
        world.look(ref, principal=OWN_ROLE)
        assert world.found(ref, PROTECTION).workflow == "RESOLVED"

    world.clock.advance(hours=1)
    world.aws.update(ref, DeletionProtection=False)
    visit = world.look(ref, principal=ALICE)

    assert world.decision(visit, PROTECTION) == ("TICKET", "flapping")
    assert world.queues.remediations == []
    world.tell()
    text = plain.text(world.sink.delivered[-1])
    assert f"Changed by: {ALICE}" in text
    assert f"11:00 {ALICE} (ModifyDBCluster)" not in text, "the first time, it was not yet put back"
    for hour in (12, 13):
        assert (
            f"2026-11-24 {hour}:00 {ALICE} (ModifyDBCluster) with APN/1.0 HashiCorp/1.0 Terraform/1.13.4 from "
            "203.0.113.24"
        ) in text
    assert f"2026-11-24 14:00 {ALICE} (ModifyDBCluster)" in text
    assert "Terraform changed it back: change its configuration" in text
    assert len(document(world.sink.delivered[-1])["reverts"]) == 3

    world.clock.advance(days=1)
    assert world.decision(world.look(ref), PROTECTION) == ("REMEDIATE", "policy"), "the window has passed"


def test_a_stack_that_keeps_changing_it_back_is_named():
    world = World(f"{REMEDIATE_ALL}[limits]\nattempts = 1\n")
    ref = world.cluster(
        DeletionProtection=False, TagList=[{"Key": "aws:cloudformation:stack-name", "Value": "orders-stack"}]
    )
    world.look(ref)
    world.remediate()
    world.look(ref, principal=OWN_ROLE)
    world.aws.update(ref, DeletionProtection=False)
    world.look(ref, principal="cloudformation.amazonaws.com")
    world.tell()

    text = plain.text(world.sink.delivered[-1])
    assert "The CloudFormation stack orders-stack owns it" in text
    assert "cloudformation.amazonaws.com (ModifyDBCluster)" in text


def test_the_owner_of_a_stack_has_the_first_word_for_the_grace_period():
    world = World(REMEDIATE_ALL + "[limits]\nowner_grace_hours = 4")
    ref = world.cluster(
        DeletionProtection=False, TagList=[{"Key": "aws:cloudformation:stack-name", "Value": "orders"}]
    )
    free = world.cluster("free", DeletionProtection=False)

    assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "owner_first")
    assert world.decision(world.look(free), PROTECTION) == ("REMEDIATE", "policy")

    world.clock.advance(hours=3, minutes=59)
    assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "owner_first")
    world.clock.advance(minutes=1)
    assert world.decision(world.look(ref), PROTECTION) == ("REMEDIATE", "policy")


def test_the_grace_period_begins_anew_when_the_drift_comes_back():
    world = World(REMEDIATE_ALL + "[limits]\nowner_grace_hours = 4")
    ref = world.cluster(
        DeletionProtection=False, TagList=[{"Key": "aws:cloudformation:stack-name", "Value": "orders"}]
    )
    world.look(ref)
    world.clock.advance(hours=5)
    world.aws.update(ref, DeletionProtection=True)
    world.look(ref)
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(hours=1)

    assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "owner_first")


def test_containment_waits_for_no_owner_and_no_freeze():
    world = World(
        REMEDIATE_ALL
        + "[limits]\nowner_grace_hours = 4\n"
        + "[[freezes]]\nfrom = 2026-11-24\nuntil = 2026-11-26\nreason = 'holidays'"
    )
    stack = [{"Key": "aws:cloudformation:stack-name", "Value": "billing"}]
    ref = world.instance(PubliclyAccessible=True, TagList=stack)
    frozen = world.cluster(DeletionProtection=False)

    assert world.decision(world.look(ref), PUBLIC) == ("REMEDIATE", "policy")
    assert world.decision(world.look(frozen), PROTECTION) == ("DEFER", "frozen")

    world.clock.advance(days=2)
    assert world.decision(world.look(frozen), PROTECTION) == ("REMEDIATE", "policy")


# --- what is not known ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("need", "decision"),
    [
        (Need.BLUE_GREEN, ("DEFER", "unknown_state")),
        # Without the members there is no plan either.
        (Need.MEMBERS, ("TICKET", "no_remediation")),
    ],
)
def test_where_it_is_not_known_whether_it_may_be_written_to_nothing_is_written(need, decision):
    world = World()
    ref = world.cluster(IAMDatabaseAuthenticationEnabled=False)
    world.aws.deny(need)

    visit = world.look(ref)

    assert world.decision(visit, AUTHENTICATION) == decision
    assert world.found(ref, AUTHENTICATION).decision["would"] == decision[0]
    assert world.queues.remediations == []


def test_a_throttled_write_need_is_delivered_again():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.throttle(Need.BLUE_GREEN)

    handled = world.evaluate(ref)

    assert len(handled.failed) == 1
    assert world.finding(ref, PROTECTION) is None
    assert world.queues.remediations == []


def test_needs_of_the_plan_are_read_only_once_there_is_drift():
    world = World()
    ref = world.cluster()
    world.aws.fail(Need.BLUE_GREEN, AssertionError("nobody may ask"))
    world.aws.fail(Need.MEMBERS, AssertionError("nobody may ask"))

    assert world.look(ref).judgements


def test_a_status_that_is_not_known_is_no_permission():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.hide("Status")

    assert world.decision(world.look(ref), PROTECTION) == ("DEFER", "unknown_state")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"Status": "modifying"}, "busy"),
        ({"Status": "upgrading"}, "busy"),
        ({"PendingModifiedValues": {"EngineVersion": "16.5"}}, "pending"),
    ],
)
def test_a_cluster_that_takes_no_change_now_is_deferred(members, reason):
    world = World()
    ref = world.cluster(IAMDatabaseAuthenticationEnabled=False, **members)

    assert world.decision(world.look(ref), AUTHENTICATION) == ("DEFER", reason)
    assert world.queues.remediations == []


def test_a_change_that_a_member_has_queued_is_not_flushed():
    world = World()
    ref = world.cluster(IAMDatabaseAuthenticationEnabled=False, DeletionProtection=False)
    world.instance(
        "orders-1",
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        PendingModifiedValues={"DBInstanceClass": "db.r7g.xlarge"},
    )

    visit = world.look(ref)

    assert world.decision(visit, AUTHENTICATION) == ("DEFER", "pending")
    assert world.decision(visit, PROTECTION) == ("REMEDIATE", "policy"), "it needs no ApplyImmediately"


def test_a_blue_green_deployment_owns_its_databases_until_it_is_done():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.aws.blue_green.append({"Source": ref.arn, "Status": "AVAILABLE"})
    assert world.decision(world.look(ref), PROTECTION) == ("DEFER", "busy")

    world.aws.blue_green[0]["Status"] = "SWITCHOVER_COMPLETED"
    assert world.decision(world.look(ref), PROTECTION) == ("REMEDIATE", "policy")


def test_a_snapshot_has_a_status_and_no_blue_green_deployment():
    world = World()
    ref = world.snapshot(Status="creating")

    assert world.decision(world.look(ref), SNAPSHOT_PUBLIC) == ("DEFER", "busy")


def test_an_instance_whose_storage_is_optimised_takes_changes():
    world = World()
    ref = world.instance(DBInstanceStatus="storage-optimization", DeletionProtection=False)

    assert world.decision(world.look(ref), INSTANCE_PROTECTION) == ("REMEDIATE", "policy")


# --- our own writes ---------------------------------------------------------------------------------------


def test_our_own_write_coming_back_resolves_the_finding():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref, principal=ALICE)
    world.remediate()
    world.clock.advance(seconds=30)

    visit = world.look(ref, principal=OWN_ROLE)

    assert visit.resolved == (PROTECTION,)
    assert world.ledger.of_kind("finding")[-1]["cause"]["own"] is True
    assert world.queues.remediations == []


@pytest.mark.parametrize("alone", [True, False])
def test_our_own_write_coming_back_never_leads_to_a_second_write(alone):
    world = World()
    ref = world.cluster(DeletionProtection=False, EnabledCloudwatchLogsExports=[])
    own = world.trigger(ref, principal=OWN_ROLE)
    other = world.trigger(ref, Source.RDS_EVENT, event_name="RDS-EVENT-0016")
    hers = world.trigger(ref, principal=ALICE)

    handled = world.evaluate(*([own] if alone else [other, hers, own]))

    [visit] = handled.visits
    assert world.decision(visit, PROTECTION) == ("DEFER", "settling")
    assert world.decision(visit, EXPORTS) == ("DEFER", "settling")
    assert world.queues.remediations == []
    assert world.state.waiting(ref.arn) is not None, "and it is looked at again"
    world.clock.advance(minutes=5)
    world.look_again()
    assert len(world.queues.remediations) == 1


def test_the_message_says_what_was_judged_and_by_which_policy():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref, principal=ALICE, event_id="e-9")

    [message] = world.queues.remediations
    assert message.ref == ref
    assert message.resource_key == world.key(ref)
    assert message.controls == (PROTECTION,)
    assert message.policy_version == world.policy.version
    assert message.cause["principal"] == ALICE
    assert message.cause["event_id"] == "e-9"


def test_a_decision_that_is_taken_again_is_no_duplicate():
    world = World()
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    world.clock.advance(seconds=1)
    world.look(ref)

    assert len(world.queues.remediations) == 2
    assert world.queues.deduplicated == []


def test_the_ledger_tells_of_each_change_of_plan():
    world = World()
    ref = world.cluster(DeletionProtection=False, PendingModifiedValues={})
    world.look(ref)
    assert [entry["kind"] for entry in world.ledger.entries] == ["finding", "decision"]
    decision = world.ledger.of_kind("decision")[0]
    assert decision["after"]["plan"][0]["operation"] == "ModifyDBCluster"
    assert decision["policy_version"] == world.policy.version
    assert len(decision["control_version"]) == 12

    for why in ("first", "second"):
        world.controls = planning(PROTECTION, lambda _resource, _settings, why=why: Manual(why))
        world.look(ref)
    manuals = [entry["after"]["manual"] for entry in world.ledger.of_kind("decision")]
    assert manuals == ["", "first", "second"]


def test_the_ledger_tells_of_a_decision_when_it_is_taken_anew_and_not_when_it_stands():
    world = World()
    ref = world.cluster(BackupRetentionPeriod=1)

    def kinds_after(**members):
        seen = len(world.ledger.entries)
        world.aws.update(ref, **members)
        world.clock.advance(minutes=1)
        world.look(ref)
        return [entry["kind"] for entry in world.ledger.entries[seen:]]

    assert kinds_after() == ["finding", "decision"]
    assert kinds_after(BackupRetentionPeriod=2) == ["finding"], "another sentence, the same decision and plan"
    assert kinds_after(BackupRetentionPeriod=35) == ["finding"]
    assert kinds_after(BackupRetentionPeriod=1) == ["finding", "decision"], "the drift is back"
