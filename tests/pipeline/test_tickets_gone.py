"""Tickets that their tracker does not show any more: deleted, hidden from us, or closed for good."""

from __future__ import annotations

import pytest

from pipeline.test_ticket_sinks import POLICY, drifted, fixed, ticks
from pipeline.world import PROTECTION, World
from warden.core.errors import (
    AccessDeniedError,
    CredentialsError,
    ForbiddenTicketError,
    LaterError,
    RejectedError,
    SinkRefusedError,
    TicketClosedError,
    TransientError,
)
from warden.core.ticket import RemoteState
from warden.sinks import Absent


def test_a_tracker_that_hides_its_tickets_gets_none_in_their_place_and_somebody_is_told() -> None:
    world, ref = drifted(f"{POLICY}[tickets]\ngroup = 'finding'\n")
    for number in range(4):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    world.tell()
    assert len(world.tracker.kept) == 5

    world.tracker.hides = True
    ticks(world, 40)
    fixed(world, ref)
    report = world.tick()
    assert "may not see the project" in report.refused["opscenter"]

    world.tracker.hides = False
    ticks(world, 30)
    assert len(world.tracker.kept) == 5, "not one was made in the place of another"
    assert len(world.tracker.open) == 4, "and what was fixed meanwhile is resolved"
    assert world.tick().refused == {}
    assert world.tickets.backlog("opscenter") == []


def test_a_ticket_that_is_shown_again_while_it_waits_is_the_ticket() -> None:
    world, _ = drifted()
    world.tell()
    for _ in range(2):
        world.tracker.answer(-1, RemoteState.GONE)
        ticks(world, 8)
    [_, second] = world.tracker.kept
    assert world.tick().parked == 1
    second.state = RemoteState.OPEN
    ticks(world, 8)
    assert world.tick().parked == 0
    assert len(world.tracker.kept) == 2


def test_what_vanishes_again_and_again_is_replaced_once_a_week_and_then_waits_for_a_person() -> None:
    world, _ = drifted()
    world.tell()
    for _ in range(20):
        for kept in world.tracker.open:
            kept.state = RemoteState.GONE
        ticks(world, 6)
    assert len(world.tracker.kept) == 2
    report = world.tick()
    assert (report.parked, report.waiting) == (1, 1)
    [errand] = world.tickets.backlog("opscenter")
    assert "T-2 is gone or hidden, as the one before it is" in errand.error

    world.clock.advance(days=7)
    ticks(world, 3)
    assert len(world.tracker.kept) == 3
    assert len(world.tracker.open) == 1
    assert world.tickets.backlog("opscenter") == []


def test_tickets_in_the_place_of_others_are_of_the_days_number() -> None:
    world, _ = drifted(f"{POLICY}[tickets]\ngroup = 'finding'\ndaily = 4\n")
    for number in range(2):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    world.tell()
    for kept in world.tracker.open:
        kept.state = RemoteState.GONE
    ticks(world, 12)
    alone = [kept for kept in world.tracker.kept if len(kept.ticket.findings) == 1]
    assert len(alone) == 4, "three, and one in the place of another"
    [summary] = [kept for kept in world.tracker.open if "too many for opscenter" in kept.ticket.title]
    assert "2 of 2 findings are open" in summary.ticket.summary


def test_what_is_closed_for_good_makes_room_for_another_each_time_the_drift_is_back() -> None:
    world, ref = drifted()
    world.tell()
    reopen = world.tracker.reopen

    def for_good(handle, ticket):
        if handle.id in {"T-1", "T-2"}:
            msg = f"{handle.id} is closed for good"
            raise TicketClosedError(msg)
        return reopen(handle, ticket)

    world.tracker.reopen = for_good
    for _ in range(2):
        fixed(world, ref)
        world.aws.update(ref, DeletionProtection=False)
        world.clock.advance(minutes=1)
        world.look(ref)
        world.tell()
        ticks(world, 3)
    assert [kept.state.value for kept in world.tracker.kept] == ["closed", "closed", "open"]
    assert world.tickets.backlog("opscenter") == []


# --- what is not to be touched ------------------------------------------------------------------------------


def changed(world: World) -> None:
    """There is something new to tell of the first ticket."""
    [ref] = [ref for ref in world.aws.items if ref.id == "orders"]
    world.aws.update(ref, Status="stopped")
    finding = world.found(ref, PROTECTION)
    row = world.tickets.get(finding.id)
    assert row is not None
    world.ticketer.noted(row, "Somebody asked.")


def test_one_ticket_that_we_may_not_touch_holds_up_no_other() -> None:
    world, _ = drifted()
    world.tell()
    world.tracker.failures, world.tracker.failing = (
        [ForbiddenTicketError("403: the issue is restricted")],
        "change",
    )
    changed(world)
    world.clock.advance(minutes=1)
    world.tick()
    world.look(world.cluster("other", DeletionProtection=False))
    world.tell()
    assert len(world.tracker.open) == 2
    world.clock.advance(minutes=5)
    report = world.tick()
    assert (report.parked, report.refused) == (1, {})


def test_an_account_that_may_touch_no_ticket_is_a_matter_of_the_sink() -> None:
    world, _ = drifted()
    world.tell()
    world.clock.advance(minutes=5)
    world.tick()
    world.tracker.failures, world.tracker.failing = [ForbiddenTicketError("403: no")], "change"
    check = world.tracker.check

    def refuses():
        msg = "the account lacks EDIT_ISSUES"
        raise CredentialsError(msg)

    world.tracker.check = refuses
    changed(world)
    world.clock.advance(minutes=1)
    world.tick()
    world.clock.advance(minutes=1)
    report = world.tick()
    assert report.refused == {"opscenter": "the account lacks EDIT_ISSUES"}
    assert report.parked == 0, "nobody has to look at the ticket"
    world.tracker.check = check
    ticks(world, 4)
    assert world.tickets.backlog("opscenter") == []


def test_a_project_that_is_closed_to_us_answers_as_a_wrong_ticket_and_is_a_matter_of_the_sink() -> None:
    world, _ = drifted(f"{POLICY}[tickets]\ngroup = 'finding'\n")
    for number in range(4):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    world.tracker.failures, world.tracker.failing = (
        [RejectedError("400: valid project is required")] * 5,
        "create",
    )
    check = world.tracker.check

    def refuses() -> str:
        msg = "the account lacks permissions in the project"
        raise SinkRefusedError(msg)

    world.tracker.check = refuses
    world.tell()
    world.clock.advance(minutes=5)
    report = world.tick()
    assert (report.parked, report.refused) == (
        0,
        {"opscenter": "the account lacks permissions in the project"},
    )
    world.tracker.failures.clear()
    world.tracker.check = check
    ticks(world, 4)
    assert len(world.tracker.open) == 5, "minutes after the project is open again, and not six hours"


def test_what_somebody_closed_for_himself_may_refuse_a_new_text() -> None:
    world, _ = drifted()
    world.tell()
    for _ in range(2):
        world.tracker.answer(0, RemoteState.CLOSED)
        ticks(world, 8)
    world.tracker.failures, world.tracker.failing = [ForbiddenTicketError("403: it is closed")], "change"
    changed(world)
    ticks(world, 2)
    assert world.tracker.failures == []
    assert world.tickets.backlog("opscenter") == [], "nobody need look at what a person left closed"


def test_a_sink_that_cannot_be_made_keeps_its_tickets_and_the_others_are_told() -> None:
    world, _ = drifted()
    tracker, world.tracker = world.tracker, Absent("the parameter TicketSecretArns lists no such secret")
    world.tell()
    assert world.told() == [("OPEN", PROTECTION)]
    ticks(world, 14)
    report = world.tick()
    assert report.refused == {"opscenter": "the parameter TicketSecretArns lists no such secret"}
    assert (report.waiting, report.overdue) == (1, 1)
    world.tracker = tracker
    ticks(world, 4)
    assert len(world.tracker.open) == 1
    assert world.tick().refused == {}


# --- reading ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [CredentialsError("401: ended"), AccessDeniedError("no right")])
def test_a_tracker_that_refuses_to_be_read_rests_and_is_told_of(error: Exception) -> None:
    world, _ = drifted()
    world.tell()
    world.clock.advance(minutes=31)
    world.tracker.failures, world.tracker.failing = [error], "remote"
    world.tick()
    assert world.tickets.health("opscenter").refused == str(error)
    world.clock.advance(minutes=1)
    assert world.tick().refused == {"opscenter": str(error)}
    ticks(world, 4)
    assert world.tick().refused == {}, "its check says that it is well again"


@pytest.mark.parametrize("error", [TransientError("502"), LaterError("429", after=300), KeyError("key")])
def test_a_tracker_that_cannot_be_read_ends_nothing_else(error: Exception) -> None:
    world, _ = drifted()
    world.look(world.cluster("other", DeletionProtection=False))
    world.tell()
    world.clock.advance(minutes=31)
    world.tracker.failures, world.tracker.failing = [error], "remote"
    report = world.tick()
    [problem] = report.problems
    assert "opscenter: " in problem
    assert report.done["reviewed"] == 2
    rests = world.tickets.health("opscenter").rests_until
    assert (rests is not None) == (not isinstance(error, KeyError))
    world.tracker.answer(0, RemoteState.CLOSED)
    ticks(world, 20)
    assert len(world.tracker.open) == 2, "what people did is read later"
