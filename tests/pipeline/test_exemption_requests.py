"""Who asks for an exemption by closing a ticket, and is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fakes import MemoryTracker
from pipeline.test_ticket_sinks import POLICY, drifted, fixed, ticks
from pipeline.world import PROTECTION, World
from warden.core.errors import ConflictError
from warden.core.rendering import plain
from warden.core.ticket import RemoteState
from warden.pipeline import notes
from warden.pipeline.compose import Composer

if TYPE_CHECKING:
    from warden.core.resource import ResourceRef

CAROL = "arn:aws:sts::123456789012:assumed-role/dba/carol"


def asked() -> tuple[World, ResourceRef]:
    world, ref = drifted()
    world.tell()
    world.tracker.answer(0, RemoteState.WONT_FIX)
    ticks(world, 8)
    return world, ref


def refused(world: World) -> bool:
    [request] = world.tickets.requests()
    composer = Composer(controls={}, findings=world.findings, tickets=world.tickets)
    return notes.refuse(request, by=CAROL, reason="It holds real data.", composer=composer, now=world.clock())


def test_who_is_refused_finds_the_ticket_open_again_with_the_reason() -> None:
    world, ref = asked()
    assert refused(world)
    ticks(world, 2)
    [kept] = world.tracker.kept
    assert kept.state is RemoteState.OPEN
    assert (
        f"{CAROL} refused the exemption that m.jansen asked for in T-1: It holds real data."
        in kept.comments[-1]
    )
    assert list(world.tickets.requests()) == []
    [entry] = world.ledger.of_kind("exemption_refused")
    assert (entry["actor"], entry["arn"], entry["control"]) == (CAROL, ref.arn, PROTECTION)
    assert entry["after"]["asked_by"] == "m.jansen"
    assert entry["after"]["reason"] == "It holds real data."
    assert "refused the exemption" in plain.text(world.sink.delivered[-1]), "wherever else it is told"
    ticks(world, 20)
    assert len(world.ledger.of_kind("exemption_request")) == 1, "nobody asked again"
    fixed(world, ref)
    assert world.tracker.open == []


def test_who_is_refused_may_ask_again_which_is_another_request() -> None:
    world, _ = asked()
    [first] = world.tickets.requests()
    assert refused(world)
    ticks(world, 8)
    world.tracker.answer(0, RemoteState.WONT_FIX)
    ticks(world, 8)
    [second] = world.tickets.requests()
    assert second.id != first.id
    assert len(world.ledger.of_kind("exemption_request")) == 2


def test_a_request_about_a_ticket_that_is_resolved_is_settled_and_records_nothing() -> None:
    world, ref = asked()
    [request] = world.tickets.requests()
    fixed(world, ref)
    world.tickets.request(request)
    assert not refused(world)
    assert list(world.tickets.requests()) == []
    assert world.ledger.of_kind("exemption_refused") == []


@pytest.mark.parametrize("lost", [1, 9])
def test_a_refusal_that_loses_a_race_is_written_over_what_won(lost: int) -> None:
    world, _ = asked()
    write, left = world.tickets.write, [lost]

    def contended(*rows: Any, entry: Any = None) -> None:
        if left[0]:
            left[0] -= 1
            msg = "the ticket function was at it"
            raise ConflictError(msg)
        write(*rows, entry=entry)

    world.tickets.write = contended
    assert refused(world)
    assert len(world.ledger.of_kind("exemption_refused")) == 1


def test_a_refusal_waits_for_a_tracker_that_rests() -> None:
    world, _ = asked()
    world.tracker.hides = True
    assert refused(world)
    ticks(world, 8)
    [kept] = world.tracker.kept
    assert kept.state is RemoteState.WONT_FIX
    world.tracker.hides = False
    ticks(world, 4)
    assert kept.state is RemoteState.OPEN
    assert len(world.tracker.kept) == 1


def test_what_is_asked_in_two_trackers_is_two_requests_and_one_refusal_opens_both() -> None:
    sinks = "".join(
        f"[[tickets.sinks]]\ntype = 'opscenter'\nname = '{name}'\n" for name in ("opscenter", "b")
    )
    world, _ = drifted(f"{POLICY}{sinks}")
    world.beside["b"] = MemoryTracker(world.clock)
    world.tell()
    world.tracker.answer(0, RemoteState.WONT_FIX, by="m.jansen")
    world.beside["b"].answer(0, RemoteState.WONT_FIX, by="j.doe")
    ticks(world, 8)
    first, second = sorted(world.tickets.requests(), key=lambda one: one.sink)
    assert (first.by, second.by) == ("j.doe", "m.jansen")
    composer = Composer(controls={}, findings=world.findings, tickets=world.tickets)
    assert notes.refuse(first, by=CAROL, reason="No.", composer=composer, now=world.clock())
    ticks(world, 8)
    for tracker in (world.tracker, world.beside["b"]):
        [kept] = tracker.kept
        assert kept.state is RemoteState.OPEN
        assert "refused the exemption" in kept.comments[-1]
    assert list(world.tickets.requests()) == []
    [entry] = world.ledger.of_kind("exemption_refused")
    assert entry["after"]["with"] == [second.id]


def test_who_opens_a_ticket_again_asks_no_more() -> None:
    world, _ = asked()
    assert len(list(world.tickets.requests())) == 1
    world.tracker.answer(0, RemoteState.OPEN)
    ticks(world, 8)
    assert list(world.tickets.requests()) == []


@pytest.mark.parametrize("limit", ["group = 'owner-and-control'", "group = 'finding'\ndaily = 1"])
def test_a_request_about_many_findings_is_settled_when_none_is_left(limit: str) -> None:
    world = World(f"{POLICY}[tickets]\n{limit}\n")
    refs = [world.cluster(f"db-{number}", DeletionProtection=False) for number in range(3)]
    for ref in refs:
        world.look(ref)
        world.tell()
    ticks(world, 4)
    [many] = [n for n, kept in enumerate(world.tracker.kept) if "findings are open" in kept.ticket.summary]
    world.tracker.answer(many, RemoteState.WONT_FIX)
    ticks(world, 8)
    assert len(list(world.tickets.requests())) == 1
    for ref in refs[:2]:
        fixed(world, ref)
    assert len(list(world.tickets.requests())) == 1
    fixed(world, refs[2])
    ticks(world, 4)
    assert list(world.tickets.requests()) == []
