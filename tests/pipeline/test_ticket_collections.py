"""Tickets of many findings: when they are told, where, by which name, and what is asked about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from fakes.aws import HERE
from pipeline.test_ticket_sinks import POLICY, drifted, fixed, ticks
from pipeline.world import PROTECTION, World, policy_of
from warden.core.errors import LaterError
from warden.core.ticket import RemoteState, TicketState
from warden.core.ticket_rows import Errand

if TYPE_CHECKING:
    from fakes.tickets import Kept

GROUPED = f"{POLICY}[tickets]\ngroup = 'owner-and-control'\n"


# --- when they are told -------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["owner-and-control", "flood"])
def test_a_collection_that_changes_each_minute_is_told_every_ten(group: str) -> None:
    world = World(f"{POLICY}[tickets]\ngroup = '{group}'\n")
    for number in range(40):
        world.look(world.cluster(f"db-{number}", DeletionProtection=False))
        world.tell()
        world.clock.advance(minutes=1)
        if number % 5 == 1:
            report = world.tick()
    assert report.overdue == 0
    [kept] = [one for one in world.tracker.kept if "resources of" in one.ticket.title]
    told = [one.arn.rpartition(":")[2] for one in world.tickets.collected.values()]
    text = str(kept.ticket.sections)
    listed = [name for name in told if f"cluster:{name}:" in text]
    assert len(listed) >= len(told) - 15


def test_a_collection_that_changes_each_minute_is_reviewed_each_half_hour() -> None:
    world = World(GROUPED)
    reviewed = 0
    for number in range(40):
        world.look(world.cluster(f"db-{number}", DeletionProtection=False))
        world.tell()
        world.clock.advance(minutes=1)
        before = {errand.ticket: errand.due_at for errand in world.tickets.backlog("")}
        world.tick()
        after = {errand.ticket: errand.due_at for errand in world.tickets.backlog("")}
        reviewed += sum(
            before[key] < after[key] for key in before if key.startswith("group|") and key in after
        )
    assert reviewed == 1


def test_what_changes_while_its_sink_is_down_has_waited_since_the_first_change() -> None:
    world = World(GROUPED)
    world.tracker.failures = [LaterError("503") for _ in range(99)]
    begun = world.clock()
    for number in range(14):
        world.look(world.cluster(f"db-{number}", DeletionProtection=False))
        world.tell()
        world.clock.advance(minutes=5)
        report = world.tick()
    [waits] = world.tickets.backlog("opscenter")
    assert waits.first_at == begun
    assert report.overdue == 1


def test_what_somebody_does_with_a_ticket_makes_nothing_that_waits_look_younger() -> None:
    world, ref = drifted()
    world.tell()
    row = world.tickets.rows[world.found(ref, PROTECTION).id]
    begun, due_at = world.clock(), world.clock() + timedelta(hours=6)
    world.tickets.later(
        Errand(ticket=row.key, sink="opscenter", due_at=due_at, first_at=begun, sequence=row.revision)
    )
    world.tracker.failures, world.tracker.failing = [LaterError("503") for _ in range(99)], "change"
    world.tracker.answer(0, RemoteState.CLOSED)
    ticks(world, 14)
    [waits] = world.tickets.backlog("opscenter")
    assert (waits.first_at, waits.attempt > 0) == (begun, True)
    assert world.tick().overdue == 1


# --- whose they are -----------------------------------------------------------------------------------------


def whose(kept: Kept) -> set[str]:
    return {finding.arn.partition("cluster:")[2][:2] for finding in kept.ticket.findings}


@pytest.mark.parametrize(
    ("policy", "count"),
    [(GROUPED, 1), (f"{POLICY}[tickets]\ngroup = 'finding'\ndaily = 1\n", 2)],
    ids=["group", "summary"],
)
@pytest.mark.parametrize("other", [{"account": "210987654321"}, {"region": "us-east-1"}])
def test_deployments_that_share_a_tracker_have_collections_of_their_own(
    policy: str, count: int, other: dict[str, str]
) -> None:
    one, two = World(policy), World(policy)
    two.deployment = replace(HERE, **other)
    two.tracker = one.tracker
    refs = {
        world: [world.cluster(f"{name}-{n}", DeletionProtection=False) for n in range(2)]
        for world, name in ((one, "eu"), (two, "us"))
    }
    for world in (one, two):
        for ref in refs[world]:
            world.look(ref)
            world.tell()
        ticks(world, 4)
    before = [whose(kept) for kept in one.tracker.open]
    assert before.count({"eu"}) == before.count({"us"}) == count
    for ref in refs[two]:
        fixed(two, ref)
    ticks(two, 4)
    assert [whose(kept) for kept in one.tracker.open] == [{"eu"}] * count


# --- where they are told ------------------------------------------------------------------------------------


def test_a_collection_is_told_in_the_sink_that_takes_the_place_of_another() -> None:
    world = World(f"{GROUPED}[[tickets.sinks]]\ntype = 'opscenter'\n")
    ref = world.cluster("first", DeletionProtection=False)
    world.look(ref)
    world.tell()
    ticks(world, 4)
    assert len(world.tracker.open) == 1
    world.policy = policy_of(f"{GROUPED}[[tickets.sinks]]\ntype = 'sns'\n")
    ticks(world, 8)
    assert [state for state, _ in world.told()] == ["OPEN"]
    fixed(world, ref)
    ticks(world, 3)
    assert [state for state, _ in world.told()] == ["OPEN", "RESOLVED"]


def test_a_finding_that_joins_a_collection_is_told_in_no_sink_that_the_policy_names_no_more() -> None:
    world = World(f"{GROUPED}[[tickets.sinks]]\ntype = 'opscenter'\n")
    world.look(world.cluster("first", DeletionProtection=False))
    world.tell()
    world.policy = policy_of(f"{GROUPED}[[tickets.sinks]]\ntype = 'sns'\n")
    world.look(world.cluster("second", DeletionProtection=False))
    world.tell()
    [group] = [row for key, row in world.tickets.rows.items() if key.startswith("group|")]
    assert group.sinks == ("sns",)


@pytest.mark.parametrize("group", ["finding", "owner-and-control"])
def test_a_ticket_is_resolved_by_the_name_that_its_tracker_has_by_now(group: str) -> None:
    policy = f"{POLICY}[tickets]\ngroup = '{group}'\n[[tickets.sinks]]\ntype = 'opscenter'\n"
    world = World(policy)
    ref = world.cluster("first", DeletionProtection=False)
    world.look(ref)
    world.tell()
    ticks(world, 4)
    assert len(world.tracker.open) == 1
    world.policy = policy_of(f"{policy}name = 'ops'\n")
    world.beside["ops"] = world.tracker
    fixed(world, ref)
    ticks(world, 3)
    assert [kept.state for kept in world.tracker.kept] == [RemoteState.CLOSED]
    assert world.tickets.backlog("ops") == []


def test_what_is_over_before_a_tracker_was_told_is_looked_for_once_and_is_no_ticket() -> None:
    world, ref = drifted()
    world.tracker.failures, world.tracker.failing = [LaterError("503")], "find"
    world.tell()
    fixed(world, ref)
    ticks(world, 3)
    assert world.tracker.kept == []
    assert world.tickets.backlog("opscenter") == []
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    assert [(kept.state, kept.ticket.state) for kept in world.tracker.kept] == [
        (RemoteState.OPEN, TicketState.OPEN)
    ]


# --- what counts as too many --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "limit", ["group = 'owner-and-control'", "flood = 2", "group = 'finding'\ndaily = 2"]
)
@pytest.mark.parametrize("kind", ["security-hub", "eventbridge", "webhook"])
def test_programs_are_told_of_each_finding_by_itself(kind: str, limit: str) -> None:
    world = World(f"{POLICY}[tickets]\n{limit}\n{_as_sns(kind)}[[tickets.sinks]]\ntype = 'opscenter'\n")
    refs = [world.cluster(f"db-{number}", DeletionProtection=False) for number in range(5)]
    for ref in refs:
        world.look(ref)
        world.tell()
    ticks(world, 4)
    told = world.sink.delivered
    assert sorted(ticket.finding.arn for ticket in told) == sorted(ref.arn for ref in refs)
    assert all(len(ticket.findings) == 1 for ticket in told)
    assert len(world.tracker.open) < 5, "people get them together"
    for ref in refs:
        fixed(world, ref)
    ticks(world, 4)
    assert sorted(t.finding.arn for t in world.sink.delivered[5:] if not t.is_open) == [r.arn for r in refs]
    assert world.tracker.open == []
    assert world.tickets.backlog("sns") == world.tickets.backlog("opscenter") == []


def test_what_does_not_page_uses_up_none_of_the_pages_of_a_day() -> None:
    world = World(f"{POLICY}[tickets]\ngroup = 'finding'\ndaily = 2\n{_as_sns('pagerduty')}")
    for number in range(4):
        world.look(world.cluster(f"db-{number}", DeletionProtection=False))
        world.tell()
    for number in range(4):
        world.look(world.snapshot(f"s-{number}"))
        world.tell()
    pages = [ticket for ticket in world.sink.delivered if ticket.severity == "CRITICAL"]
    assert len(pages) == 4


def _as_sns(kind: str) -> str:
    """A sink of a kind, by the name that the world delivers to its topic by."""
    given = {
        "webhook": "url = 'https://siem.example/in'\nsecret = 'warden/x'\n",
        "pagerduty": "secret = 'warden/x'\n",
    }
    return f"[[tickets.sinks]]\nname = 'sns'\ntype = '{kind}'\n{given.get(kind, '')}"
