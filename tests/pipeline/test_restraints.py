"""What holds a control back in a whole account: circuits, shares, canaries, first days; and fixes without effect."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.remediations import operations
from pipeline.world import ALICE, OWN_ROLE, PROTECTION, PUBLIC, REMEDIATE_ALL, RETENTION, World, policy_of
from warden.core.brakes import Payment
from warden.core.decision import Mode
from warden.core.resource import ResourceType
from warden.core.trigger import Source
from warden.pipeline.recent import RecentBrakes

HERE = ("123456789012", "eu-west-1")


def clusters(world: World, count: int) -> list:
    return [world.cluster(f"c{number}", DeletionProtection=False) for number in range(count)]


def fixed(world: World, ref, source: Source = Source.CLOUDTRAIL) -> str:
    """Look, and remediate if that is what was decided; what was decided."""
    action, reason = world.decision(world.look(ref, source=source), PROTECTION)
    while world.queues.remediations:
        world.remediate()
    return action if action == "REMEDIATE" else reason


def came_back(world: World, ref) -> None:
    """The event of our own write."""
    world.look(ref, principal=OWN_ROLE)


# --- circuits ---------------------------------------------------------------------------------------------


def test_a_control_whose_fixes_are_refused_on_several_databases_stops_everywhere():
    world = World()
    refs = clusters(world, 4)
    world.aws.reject("DeletionProtection")

    assert [fixed(world, ref) for ref in refs] == ["REMEDIATE"] * 3 + ["circuit_open"]
    assert world.tell()[-1] == "open", "a person is told, of each"
    assert len(world.aws.attempts) == 3

    world.clock.advance(days=3)
    assert fixed(world, refs[3]) == "circuit_open", "a window that quietly ends explains nothing"
    assert world.brakes.acknowledge(*HERE, now=world.clock()) == (f"circuit of {PROTECTION}",)
    assert fixed(world, refs[3]) == "REMEDIATE"


def test_another_control_goes_on():
    world = World()
    refs = clusters(world, 3)
    world.aws.reject("DeletionProtection")
    for ref in refs:
        fixed(world, ref)
    other = world.cluster("other", BackupRetentionPeriod=1)

    assert world.decision(world.look(other), RETENTION) == ("REMEDIATE", "policy")


def test_fixes_that_do_not_show_open_the_circuit_too():
    world = World()
    refs = clusters(world, 4)
    for ref in refs[:3]:
        fixed(world, ref)
        world.aws.update(ref, DeletionProtection=False)  # AWS accepted it, and did nothing
    world.clock.advance(minutes=60)

    assert [fixed(world, ref, Source.SWEEP) for ref in refs] == ["unverified"] * 3 + ["circuit_open"]


# --- verification -----------------------------------------------------------------------------------------


def test_a_fix_counts_as_verified_when_a_look_shows_its_effect():
    world = World()
    [ref] = clusters(world, 1)
    fixed(world, ref)
    assert world.ledger.of_kind("verification") == []
    came_back(world, ref)

    [entry] = world.ledger.of_kind("verification")
    assert (entry["control"], entry["after"]["status"]) == (PROTECTION, "SUCCEEDED")
    assert entry["evidence"]["DeletionProtection"] is True


def test_what_somebody_else_put_right_is_no_success_of_ours():
    world = World()
    [ref] = clusters(world, 1)
    world.look(ref)
    world.aws.update(ref, DeletionProtection=True)
    world.look(ref)

    assert world.workflows(ref)[PROTECTION] == "RESOLVED"
    assert world.ledger.of_kind("verification") == []


def test_a_fix_whose_effect_may_be_on_its_way_is_not_made_twice_and_then_reopened():
    world = World()
    [ref] = clusters(world, 1)
    fixed(world, ref)
    world.aws.update(ref, DeletionProtection=False)
    visit = world.look(ref, source=Source.RDS_EVENT)
    assert world.decision(visit, PROTECTION) == ("DEFER", "settling")
    assert operations(world) == ["ModifyDBCluster"]

    world.clock.advance(minutes=60)
    visit = world.look(ref, source=Source.SWEEP)
    assert world.decision(visit, PROTECTION) == ("TICKET", "unverified")
    assert world.tell() == ["open"]
    assert world.workflows(ref)[PROTECTION] == "NOTIFIED"
    [entry] = world.ledger.of_kind("verification")
    assert entry["after"]["status"] == "FAILED"
    world.look(ref, source=Source.SWEEP)
    assert len(world.ledger.of_kind("verification")) == 1, "once"

    world.clock.advance(hours=7)
    visit = world.look(ref, source=Source.SWEEP)
    assert world.decision(visit, PROTECTION) == ("REMEDIATE", "policy"), "at the pace of refusals"


def test_drift_that_somebody_puts_back_before_our_fix_was_verified_is_fixed_again():
    world = World()
    [ref] = clusters(world, 1)
    fixed(world, ref)
    world.clock.advance(minutes=2)
    world.aws.update(ref, DeletionProtection=False)

    assert world.decision(world.look(ref, principal=ALICE), PROTECTION) == ("REMEDIATE", "policy")
    assert world.remediate().status == "SUCCEEDED"
    assert len(operations(world)) == 2


# --- shares -----------------------------------------------------------------------------------------------


def test_a_control_has_a_limit_of_its_own_and_what_is_over_it_waits_for_a_person():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour_per_control = 2")
    refs = clusters(world, 3)

    assert [fixed(world, ref) for ref in refs] == ["REMEDIATE", "REMEDIATE", "blast_radius"]
    assert world.brakes.standing(*HERE).latched == {PROTECTION}
    other = world.cluster("other", BackupRetentionPeriod=1)
    assert world.decision(world.look(other), RETENTION) == ("REMEDIATE", "policy")
    world.clock.advance(days=1)
    assert fixed(world, refs[2]) == "blast_radius"
    world.brakes.acknowledge(*HERE, now=world.clock())
    assert fixed(world, refs[2]) == "REMEDIATE"


@pytest.mark.parametrize(("evaluated", "writes"), [(40, 8), (30, 6), (4, 5)])
def test_a_control_writes_to_no_more_than_its_share_of_what_a_sweep_evaluated(evaluated, writes):
    world = World()
    world.brakes.take_census(*HERE, {ResourceType.DB_CLUSTER: evaluated}, now=world.clock())

    decided = [fixed(world, ref) for ref in clusters(world, writes + 1)]
    assert decided == ["REMEDIATE"] * writes + ["blast_radius"]


def test_a_whole_sweep_takes_the_census():
    world = World()
    clusters(world, 2)
    world.sweep()
    assert world.brakes.standing(*HERE).census == {"AWS::RDS::DBCluster": 2}


def test_containment_knows_no_share():
    world = World(REMEDIATE_ALL + "[limits]\nwrites_per_hour_per_control = 1")
    refs = [world.instance(f"i{number}", PubliclyAccessible=True) for number in range(3)]
    for ref in refs:
        assert world.decision(world.look(ref), PUBLIC) == ("REMEDIATE", "policy")
        assert world.remediate().status == "SUCCEEDED"


# --- canaries ---------------------------------------------------------------------------------------------

CANARY = REMEDIATE_ALL + "[canary]\nsoak_hours = 24\n"


def test_a_control_new_to_writing_fixes_one_database_and_soaks_before_the_next():
    world = World(CANARY)
    first, second = clusters(world, 2)

    assert [fixed(world, first), fixed(world, second)] == ["REMEDIATE", "canary"]
    came_back(world, first)
    world.clock.advance(hours=23)
    assert fixed(world, second) == "canary"
    world.clock.advance(hours=1)
    assert fixed(world, second) == "REMEDIATE"


def test_two_that_were_decided_at_once_are_not_both_the_first():
    world = World(CANARY)
    refs = clusters(world, 2)
    for ref in refs:
        world.look(ref)

    assert [world.remediate().status for _ in refs] == ["SUCCEEDED", "DEFERRED"]
    assert len(world.aws.attempts) == 1
    assert world.state.waiting(refs[1].arn).reason == "canary"


def test_environments_are_opened_one_after_the_other():
    world = World(CANARY + 'tag = "env"\nenvironments = ["dev", "prod"]\n')
    first, dev, prod, untagged = clusters(world, 4)
    for ref, env in ((dev, "dev"), (prod, "prod")):
        world.aws.update(ref, TagList=[{"Key": "env", "Value": env}])
    fixed(world, first)
    came_back(world, first)

    opened = []
    for _ in range(3):
        world.clock.advance(hours=24)
        opened.append([fixed(world, ref) for ref in (dev, prod, untagged)])
    assert opened[0] == ["REMEDIATE", "canary", "canary"]
    assert opened[1][1:] == ["REMEDIATE", "canary"]
    assert opened[2][2] == "REMEDIATE"


def test_a_first_fix_that_is_refused_stops_the_control_at_once():
    world = World(CANARY)
    first, second = clusters(world, 2)
    world.aws.reject("DeletionProtection")

    assert [fixed(world, first), fixed(world, second)] == ["REMEDIATE", "circuit_open"]


def test_a_first_database_that_is_deleted_lets_another_be_the_first():
    world = World(CANARY)
    first, second = clusters(world, 2)
    fixed(world, first)
    del world.aws.items[first]
    world.evaluate(first)

    assert fixed(world, second) == "REMEDIATE"


def test_a_first_database_that_is_to_be_left_alone_lets_another_be_the_first():
    world = World(CANARY)
    first, second = clusters(world, 2)
    # The first write is begun and held up; then the policy wants its database told of, and nothing written to it.
    world.aws.busy("ModifyDBCluster", times=1)
    assert fixed(world, first) == "REMEDIATE"
    assert world.aws.items[first]["DeletionProtection"] is False
    assert fixed(world, second) == "canary"
    scope = '[[scopes]]\nname = "first"\nmode = "ticket"\ntags = { mine = "yes" }\n'
    world.policy = policy_of(CANARY + scope)
    world.aws.update(first, TagList=[{"Key": "mine", "Value": "yes"}])

    assert fixed(world, first) == "mode"
    assert fixed(world, second) == "REMEDIATE"


# --- day one ----------------------------------------------------------------------------------------------


def test_a_first_sweep_is_observed_until_somebody_acknowledges_it_and_a_looser_mode_begins_anew():
    world = World(REMEDIATE_ALL + "[day_one]\nacknowledge = true\n")
    [ref] = clusters(world, 1)
    assert fixed(world, ref) == "day_one"
    assert world.tell() == []

    world.brakes.acknowledge_day_one(*HERE, [(PROTECTION, "ticket")], now=world.clock())
    assert fixed(world, ref) == "day_one", "what may tell may not yet write"
    world.ceiling = Mode.TICKET
    assert world.decision(world.look(ref), PROTECTION) == ("TICKET", "mode")
    world.ceiling = Mode.REMEDIATE
    world.brakes.acknowledge_day_one(*HERE, [(PROTECTION, "remediate")], now=world.clock())
    assert fixed(world, ref) == "REMEDIATE"


def test_to_observe_needs_nobodys_word():
    world = World(REMEDIATE_ALL + "[day_one]\nacknowledge = true\n", ceiling=Mode.OBSERVE)
    [ref] = clusters(world, 1)
    assert world.decision(world.look(ref), PROTECTION) == ("OBSERVE", "mode")


# --- owners -----------------------------------------------------------------------------------------------


def test_a_scope_gives_the_owner_of_a_stack_more_time():
    world = World(
        REMEDIATE_ALL
        + "[limits]\nowner_grace_hours = 1\n"
        + '[[scopes]]\nname = "prod"\nmode = "remediate"\nowner_grace_hours = 48\ntags = { env = "prod" }\n'
    )
    prod, dev = clusters(world, 2)
    stack = {"Key": "aws:cloudformation:stack-name", "Value": "orders"}
    world.aws.update(prod, TagList=[stack, {"Key": "env", "Value": "prod"}])
    world.aws.update(dev, TagList=[stack])
    assert [fixed(world, ref) for ref in (prod, dev)] == ["owner_first"] * 2
    world.clock.advance(hours=1)
    assert [fixed(world, ref) for ref in (prod, dev)] == ["owner_first", "REMEDIATE"]
    world.clock.now += timedelta(hours=47)
    assert fixed(world, prod) == "REMEDIATE"


# --- a sweep ----------------------------------------------------------------------------------------------


def test_a_sweep_asks_what_holds_back_once_a_minute_and_whoever_writes_asks_again():
    world = World()
    recent = RecentBrakes(world.brakes, world.clock)
    asked = [recent.standing(*HERE), recent.spent(*HERE, budget="normal", now=world.clock())]
    world.brakes.latch(*HERE, "normal", now=world.clock())
    recent.spend(*HERE, Payment(budget="normal", limit=5), now=world.clock())

    world.clock.advance(seconds=59)
    assert [recent.standing(*HERE), recent.spent(*HERE, budget="normal", now=world.clock())] == asked
    world.clock.advance(seconds=1)
    assert recent.standing(*HERE).latched == {"normal"}
    assert recent.spent(*HERE, budget="normal", now=world.clock()).writes == 1


def test_a_latch_that_a_sweep_has_put_on_and_somebody_took_away_does_not_come_back():
    world = World()
    recent = RecentBrakes(world.brakes, world.clock)
    assert recent.standing(*HERE).latched == frozenset()
    recent.latch(*HERE, "normal", now=world.clock())
    assert recent.standing(*HERE).latched == {"normal"}, "what it has done itself it knows at once"
