"""Each sink on its own: what dies, fails or is slow there, what people do there, and how many tickets it gets."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.crashes import Crash, Faults
from pipeline.world import PROTECTION, RETENTION, World, policy_of
from warden.core.errors import AmbiguousError, CredentialsError, LaterError, RejectedError, TransientError
from warden.core.rendering import plain
from warden.core.ticket import RemoteState

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.resource import ResourceRef
    from warden.core.ticket import Handle, Remote

POLICY = "version = 1\n[defaults]\nmode = 'ticket'\n"


def drifted(policy: str = POLICY) -> tuple[World, ResourceRef]:
    world = World(policy)
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    return world, ref


def ticks(world: World, count: int = 10, *, minutes: int = 5) -> None:
    for _ in range(count):
        world.clock.advance(minutes=minutes)
        world.tick()


def fixed(world: World, ref: ResourceRef) -> None:
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()


# --- what dies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("stale", [0, 200])
def test_a_process_that_dies_at_any_call_leaves_one_ticket(when: str, stale: int) -> None:
    whole = Faults()
    world, _ = drifted()
    world.wrap = whole.wrap
    world.tell()
    assert "tracker.create" in whole.names

    for at in range(whole.calls):
        world, ref = drifted()
        world.tracker.stale = timedelta(seconds=stale)
        [message] = world.queues.tickets
        faults = Faults(at, when=when)
        world.wrap = faults.wrap
        with pytest.raises(Crash):
            world.ticketer.handle(message)
        world.wrap = lambda _, port: port
        world.ticketer.handle(message)
        # As soon as the dead process has lost its hold, and before the tracker's search knows what it made.
        world.clock.advance(seconds=125)
        world.tick()
        ticks(world, 4)
        name = f"{when} {faults.names[at]}"
        assert len(world.tracker.kept) == 1, name
        assert len(world.tracker.open) == 1, name
        assert world.tickets.backlog("opscenter") == [], name
        assert set(world.told()) == {("OPEN", PROTECTION)}, name
        fixed(world, ref)
        assert world.tracker.open == [], name


# --- what fails -------------------------------------------------------------------------------------------


def test_an_answer_that_was_lost_is_searched_for_before_anything_is_created_again() -> None:
    world, _ = drifted()
    world.tracker.stale = timedelta(minutes=3)
    world.tracker.failures, world.tracker.late = [AmbiguousError("reset")], True
    world.tracker.failing = "create"
    world.tell()
    world.clock.advance(minutes=1)
    world.tick()
    assert len(world.tracker.kept) == 1, "it is not found yet, and not created again"
    ticks(world, 2)
    assert len(world.tracker.kept) == 1
    [delivery] = [d for d in world.tickets.deliveries.values() if d.sink == "opscenter"]
    assert delivery.handle is not None
    assert delivery.told == "open"


def test_a_create_that_never_happened_is_repeated() -> None:
    world, _ = drifted()
    world.tracker.failures, world.tracker.failing = [AmbiguousError("reset")], "create"
    world.tell()
    assert world.tracker.kept == []
    ticks(world, 3)
    assert len(world.tracker.open) == 1


def test_a_sink_that_asks_to_be_left_alone_is_left_alone_so_long() -> None:
    world, _ = drifted()
    world.tracker.failures = [LaterError("429", after=3_000)]
    world.tell()
    ticks(world, 9)
    assert world.tracker.kept == []
    ticks(world, 2)
    assert len(world.tracker.open) == 1
    assert world.told() == [("OPEN", PROTECTION)]


def test_refused_credentials_park_a_sink_tell_and_are_tried_again() -> None:
    world, ref = drifted()
    world.tracker.refusal = CredentialsError("401 after the secret was read again")
    assert world.tell() == ["open"]
    assert world.told() == [("OPEN", PROTECTION)]
    world.clock.advance(minutes=1)
    assert world.tick().refused == {"opscenter": "401 after the secret was read again"}
    fixed(world, ref)
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    world.tracker.refusal = None
    ticks(world, 4)
    assert world.tick().refused == {}
    assert len(world.tracker.open) == 1, "what happened meanwhile is one ticket, as it stands now"


def test_credentials_are_tried_before_a_ticket_needs_them() -> None:
    world = World(POLICY)
    assert world.tick().refused == {}
    world.tracker.refusal = CredentialsError("the token has expired")
    world.clock.advance(hours=7)
    assert world.tick().refused == {"opscenter": "the token has expired"}


def test_one_ticket_that_is_refused_waits_for_a_person_and_holds_up_no_other() -> None:
    world, _ = drifted()
    world.tracker.failures = [RejectedError("400: no such project")]
    world.tell()
    other = world.cluster("other", DeletionProtection=False)
    world.look(other)
    world.tell()
    assert len(world.tracker.open) == 1
    world.clock.advance(minutes=5)
    report = world.tick()
    assert (report.parked, report.waiting) == (1, 1)
    [errand] = world.tickets.backlog("opscenter")
    assert "no such project" in errand.error
    ticks(world, 1, minutes=7 * 60)
    assert len(world.tracker.open) == 2


def test_a_bug_of_a_sink_is_its_own() -> None:
    world, _ = drifted()
    world.tracker.failures = [KeyError("key")]
    assert world.tell() == ["open"]
    assert world.told() == [("OPEN", PROTECTION)]
    ticks(world, 1, minutes=7 * 60)
    assert len(world.tracker.open) == 1


def test_what_waits_for_an_hour_is_counted() -> None:
    world, _ = drifted()
    world.sink.failures = [TransientError("500")] * 20
    world.tell()
    ticks(world, 14)
    assert world.tick().overdue == 1


def creates_slowly(world: World) -> None:
    """Let the tracker take nine seconds for each new ticket."""
    create = world.tracker.create

    def slow(ticket):
        world.clock.advance(seconds=9)
        return create(ticket)

    world.tracker.create = slow


def test_a_slow_sink_has_its_share_of_an_invocation_and_no_more() -> None:
    world, _ = drifted(f"{POLICY}[tickets]\ngroup = 'finding'\n")
    for number in range(6):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    creates_slowly(world)
    world.tracker.refusal = LaterError("busy")
    world.tell()
    world.tracker.refusal = None
    world.clock.advance(minutes=5)
    begun = world.clock()
    world.tick()
    assert world.clock() - begun < timedelta(seconds=40)
    ticks(world, 8)
    assert len(world.tracker.open) == 7


def test_a_slow_sink_keeps_a_whole_batch_waiting_once() -> None:
    world = World(f"{POLICY}[tickets]\ngroup = 'finding'\n")
    for number in range(10):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    creates_slowly(world)
    ticketer, begun = world.ticketer, world.clock()
    for message in world.queues.tickets:
        assert ticketer.handle(message) == "open"
    assert world.clock() - begun < timedelta(seconds=30)
    assert len(world.told()) == 10, "the others wait for nobody"
    world.queues.tickets.clear()
    ticks(world, 8)
    assert len(world.tracker.open) == 10


def test_no_step_begins_when_the_time_of_an_invocation_is_over() -> None:
    world, ref = drifted()
    world.tell()
    resolve, comment = world.tracker.resolve, world.tracker.comment

    def slow(act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*given: Any) -> Any:
            world.clock.advance(seconds=40)
            return act(*given)

        return acted

    world.tracker.resolve, world.tracker.comment = slow(resolve), slow(comment)
    begun = world.clock() + timedelta(minutes=1)
    fixed(world, ref)
    [kept] = world.tracker.kept
    assert kept.state is RemoteState.CLOSED
    assert world.clock() - begun == timedelta(seconds=40)
    assert kept.comments == []
    ticks(world, 1)
    assert len(kept.comments) == 1


def test_a_tracker_that_is_slow_to_read_has_its_share_of_the_reviews_and_no_more() -> None:
    world = World(f"{POLICY}[tickets]\ngroup = 'finding'\n")
    for number in range(6):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    world.tell()
    remote, read = world.tracker.remote, set()

    def slow(handle: Handle) -> Remote:
        world.clock.advance(seconds=6)
        read.add(handle.id)
        return remote(handle)

    world.tracker.remote = slow
    world.clock.advance(minutes=31)
    begun = world.clock()
    report = world.tick()
    assert world.clock() - begun == timedelta(seconds=18), "fifteen, and the one that was under way"
    assert report.done["reviewed"] == 6
    assert report.problems == []
    ticks(world, 1)
    assert len(read) == 6, "who was left out is not left out for half an hour"


# --- what people do ---------------------------------------------------------------------------------------


def test_who_closes_a_ticket_while_the_drift_is_there_sees_it_open_again_once() -> None:
    world, ref = drifted()
    world.tell()
    world.tracker.answer(0, RemoteState.CLOSED)
    ticks(world, 8)
    [kept] = world.tracker.kept
    assert kept.state is RemoteState.OPEN
    assert [text[:20] for text in kept.comments] == ["Closed by m.jansen, "]

    world.tracker.answer(0, RemoteState.CLOSED)
    ticks(world, 20)
    assert kept.state is RemoteState.CLOSED, "twice is meant"
    assert len(kept.comments) == 2
    assert "leaves this ticket closed" in kept.comments[1]

    fixed(world, ref)
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    assert kept.state is RemoteState.OPEN, "new drift is another matter"


def test_who_says_that_it_will_not_be_fixed_asks_and_nothing_is_exempt() -> None:
    world, ref = drifted()
    world.tell()
    world.tracker.answer(0, RemoteState.WONT_FIX)
    ticks(world, 8)
    [request] = world.tickets.requests()
    assert (request.by, request.control, request.arn) == ("m.jansen", PROTECTION, ref.arn)
    [entry] = world.ledger.of_kind("exemption_request")
    assert entry["after"]["by"] == "m.jansen"
    assert world.found(ref, PROTECTION).workflow == "NOTIFIED"
    [kept] = world.tracker.kept
    assert kept.state is RemoteState.WONT_FIX, "neither opened again nor made anew"
    assert "request for an exemption" in kept.comments[0]
    assert world.told()[-1] == ("UPDATED", PROTECTION)
    assert "m.jansen closed T-1 in opscenter" in plain.text(world.sink.delivered[-1])
    ticks(world, 20)
    assert len(kept.comments) == 1
    assert len(world.ledger.of_kind("exemption_request")) == 1

    fixed(world, ref)
    assert list(world.tickets.requests()) == []


def test_a_ticket_that_was_deleted_has_a_successor_that_names_it() -> None:
    world, ref = drifted()
    world.tell()
    world.tracker.answer(0, RemoteState.GONE)
    ticks(world, 8)
    [_, new] = world.tracker.kept
    assert new.state is RemoteState.OPEN
    assert new.ticket.previous is not None
    fixed(world, ref)
    assert world.tracker.open == []


def test_a_control_that_is_disabled_resolves_its_tickets_and_enabled_again_opens_them() -> None:
    world, ref = drifted()
    world.tell()
    world.policy = policy_of(f"{POLICY}[controls.{PROTECTION}]\nenabled = false\n")
    ticks(world, 8)
    assert world.tracker.open == []
    assert "judges this control no more" in world.sink.delivered[-1].summary
    world.policy = policy_of(POLICY)
    world.clock.advance(minutes=1)
    world.look(ref)
    assert world.tell() == ["reopened"]
    assert len(world.tracker.open) == 1


# --- how many -----------------------------------------------------------------------------------------------


def flood(world: World, count: int, **members: object) -> list[ResourceRef]:
    refs = [
        world.cluster(f"c{number:04}", **{"DeletionProtection": False, "BackupRetentionPeriod": 1, **members})
        for number in range(count)
    ]
    for ref in refs:
        world.look(ref)
    world.tell()
    ticks(world, 6)
    return refs


def test_a_thousand_findings_on_the_first_day_are_a_few_tickets_and_none_is_lost() -> None:
    world = World(POLICY)
    refs = flood(world, 500)
    findings = [one for one in world.findings.all() if one.is_open]
    assert len(findings) == 1_000
    assert {one.workflow.value for one in findings} == {"NOTIFIED"}
    assert len(world.tracker.open) == 12, "five each of two controls, and one for the rest of each"
    assert len(world.sink.delivered) <= 2 * 12
    alone = {t.ticket.finding.id for t in world.tracker.kept if len(t.ticket.findings) == 1}
    grouped = {member.finding_id for member in world.tickets.collected.values() if member.state == "open"}
    assert alone | grouped == {one.id for one in findings}

    for ref in refs:
        world.aws.update(ref, DeletionProtection=True, BackupRetentionPeriod=35)
        world.clock.advance(seconds=61)
        world.look(ref)
    world.tell()
    ticks(world, 8)
    assert world.tracker.open == []


@pytest.mark.parametrize("group", ["owner-and-control", "finding"])
def test_a_sink_gets_so_many_new_tickets_a_day_and_one_summary_of_the_rest(group: str) -> None:
    world = World(f"{POLICY}[tickets]\ngroup = '{group}'\ndaily = 3\n")
    refs = flood(world, 20)
    own = 3 if group == "finding" else 2
    summaries = group == "finding"
    assert len(world.tracker.open) == own + summaries
    if summaries:
        [summary] = [t for t in world.tracker.open if "too many for opscenter" in t.ticket.title]
        assert "37 of 37 findings are open" in summary.ticket.summary
        assert PROTECTION in plain.text(summary.ticket)
        assert RETENTION in plain.text(summary.ticket)
    for ref in refs:
        world.aws.update(ref, DeletionProtection=True, BackupRetentionPeriod=35)
        world.clock.advance(minutes=1)
        world.look(ref)
    world.tell()
    ticks(world, 8)
    assert world.tracker.open == []
    assert world.tickets.backlog("opscenter") == world.tickets.backlog("sns") == []


def test_findings_of_one_owner_and_control_are_one_ticket_that_follows_them() -> None:
    world = World(f"{POLICY}[tickets]\ngroup = 'owner-and-control'\n")
    tags = [{"Key": "owner", "Value": "payments @here"}]
    refs = [world.cluster(name, DeletionProtection=False, TagList=tags) for name in ("a", "b", "c")]
    for ref in refs:
        world.look(ref)
    world.tell()
    ticks(world, 3)
    [kept] = world.tracker.kept
    assert kept.ticket.owner == "payments @here"
    assert "3 of 3 findings are open" in kept.ticket.summary
    assert all(ref.arn in plain.text(kept.ticket) for ref in refs)
    fixed(world, refs[0])
    ticks(world, 4)
    assert "2 of 3 findings are open" in kept.ticket.summary
    fixed(world, refs[1])
    fixed(world, refs[2])
    ticks(world, 4)
    assert kept.state is RemoteState.CLOSED
    assert len(world.tracker.kept) == 1


def test_a_route_says_where_and_what_no_route_holds_goes_everywhere() -> None:
    world = World(
        f"""{POLICY}
[[tickets.routes]]
controls = ["{PROTECTION}"]
tags = {{ team = "payments" }}
sinks = ["opscenter"]
[[tickets.routes]]
severities = ["CRITICAL"]
sinks = ["sns"]
"""
    )
    world.look(world.cluster(DeletionProtection=False, TagList=[{"Key": "team", "Value": "payments"}]))
    world.tell()
    assert (len(world.tracker.open), world.told()) == (1, [])
    world.look(world.cluster("others", DeletionProtection=False))
    world.tell()
    assert (len(world.tracker.open), len(world.told())) == (2, 1)
