"""What is said and recorded once, however often it is tried; and what is asked of a sink no more than it must be."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.crashes import Crash, Faults
from pipeline.test_ticket_sinks import POLICY, drifted, fixed, ticks
from pipeline.world import PROTECTION, World
from warden.core.errors import (
    AmbiguousError,
    ConflictError,
    ForbiddenTicketError,
    LaterError,
    RejectedError,
    TicketGoneError,
    TransientError,
)
from warden.core.messages import TicketEvent, TicketMessage
from warden.core.ticket import RemoteState
from warden.core.ticket_rows import TicketRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from warden.core.ticket import Ticket


def recorded(world: World) -> list[str]:
    return [entry["after"]["state"] for entry in world.ledger.of_kind("ticket")]


# --- the ledger ---------------------------------------------------------------------------------------------


def test_who_loses_a_race_records_nothing_of_what_it_did_not_change() -> None:
    world, _ = drifted(f"{POLICY}[tickets]\ngroup = 'owner-and-control'\n")
    write, lost = world.tickets.write, [3]

    def contended(*rows: Any, entry: Any = None) -> None:
        if entry is not None and lost[0]:
            lost[0] -= 1
            msg = "a neighbour in the collection was first"
            raise ConflictError(msg)
        write(*rows, entry=entry)

    world.tickets.write = contended
    assert world.tell() == ["open"]
    assert recorded(world) == ["OPEN"]


def test_two_processes_with_one_message_record_one_change() -> None:
    world, _ = drifted()
    [message] = world.queues.tickets
    write, raced = world.tickets.write, []

    def between(*rows: Any, entry: Any = None) -> None:
        if any(isinstance(row, TicketRow) for row in rows) and not raced:
            raced.append(True)
            assert world.ticketer.handle(message) == "open"
        write(*rows, entry=entry)

    world.tickets.write = between
    assert world.ticketer.handle(message) == "known"
    assert recorded(world) == ["OPEN", "CREATED"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_change_is_recorded_once_wherever_a_process_dies(when: str) -> None:
    whole = Faults()
    world, _ = drifted()
    world.wrap = whole.wrap
    world.tell()
    for at in range(whole.calls):
        world, ref = drifted()
        [message] = world.queues.tickets
        world.wrap = Faults(at, when=when).wrap
        with pytest.raises(Crash):
            world.ticketer.handle(message)
        world.wrap = lambda _, port: port
        world.clock.advance(minutes=13)
        world.ticketer.handle(message)
        ticks(world, 4)
        world.queues.tickets.clear()
        fixed(world, ref)
        assert recorded(world) == ["OPEN", "CREATED", "RESOLVED"], f"{when} {whole.names[at]}"


# --- what stands below a resolved ticket --------------------------------------------------------------------


def test_why_a_ticket_is_resolved_is_said_below_it_once_however_often_it_is_tried() -> None:
    world, ref = drifted()
    world.tell()
    resolve, comment = world.tracker.resolve, world.tracker.comment
    broken = [LaterError("503 as it closes")] * 2 + [None] + [LaterError("503 as it is said")] * 3

    def failing(act: Callable[..., Any]) -> Callable[..., Any]:
        def acted(*given: Any) -> Any:
            if broken and (error := broken.pop(0)) is not None:
                raise error
            return act(*given)

        return acted

    world.tracker.resolve, world.tracker.comment = failing(resolve), failing(comment)
    fixed(world, ref)
    ticks(world, 30)
    [kept] = world.tracker.kept
    assert broken == []
    assert kept.state is RemoteState.CLOSED
    [said] = kept.comments
    assert "nothing is left to do" in said
    assert world.tickets.backlog("opscenter") == []


def test_a_tracker_that_opens_what_is_remarked_on_has_no_open_ticket_in_the_end() -> None:
    world, ref = drifted()
    world.tell()
    world.tracker.opens_by_remarks = True
    fixed(world, ref)
    [kept] = world.tracker.kept
    assert kept.state is RemoteState.CLOSED
    assert len(kept.comments) == 1


def test_who_closed_a_ticket_twice_is_told_when_the_drift_is_gone() -> None:
    world, ref = drifted()
    world.tell()
    for _ in range(2):
        world.tracker.answer(0, RemoteState.CLOSED)
        ticks(world, 8)
    [kept] = world.tracker.kept
    assert len(kept.comments) == 2
    fixed(world, ref)
    assert "nothing is left to do" in kept.comments[-1]
    assert len(kept.comments) == 3


@pytest.mark.parametrize("error", [RejectedError("closed for good"), TicketGoneError("deleted")])
def test_a_resolved_ticket_that_takes_no_remark_is_resolved_all_the_same(error: Exception) -> None:
    world, ref = drifted()
    world.tell()

    def comment(*_: Any) -> None:
        if isinstance(error, TicketGoneError):
            world.tracker.answer(0, RemoteState.GONE)
        raise error

    world.tracker.comment = comment
    fixed(world, ref)
    assert world.tickets.backlog("opscenter") == []
    world.clock.advance(minutes=5)
    assert world.tick().parked == 0


def test_the_reason_of_an_earlier_resolution_is_not_said_once_the_drift_is_back() -> None:
    world, ref = drifted()
    world.tell()
    comment = world.tracker.comment

    def unwell(*_: Any) -> None:
        msg = "503"
        raise LaterError(msg)

    world.tracker.comment = unwell
    fixed(world, ref)
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    world.tracker.comment = comment
    ticks(world, 8)
    [kept] = world.tracker.kept
    assert kept.state is RemoteState.OPEN
    assert kept.comments == []


# --- what is asked ------------------------------------------------------------------------------------------


def test_one_ticket_that_is_not_ready_leaves_the_sink_to_the_others() -> None:
    world, _ = drifted()
    world.sink.failures = [LaterError("FindingNotFound", after=60, alone=True)]
    world.tell()
    world.look(world.cluster("other", DeletionProtection=False))
    world.tell()
    assert len(world.told()) == 1
    ticks(world, 1)
    assert len(world.told()) == 2


def test_a_sink_that_asked_to_be_left_alone_is_not_asked_how_it_is_either() -> None:
    world, _ = drifted()
    asked: list[object] = []
    check = world.tracker.check

    def counted() -> str:
        asked.append(world.clock())
        return check()

    world.tracker.check = counted
    world.tracker.failures = [LaterError("429", after=3_000)]
    world.tell()
    ticks(world, 9)
    assert asked == []
    ticks(world, 3)
    assert len(asked) == 1


def test_a_check_that_fails_lets_the_sink_rest_longer_each_time() -> None:
    world = World(POLICY)
    world.tracker.failing = "check"
    world.tracker.failures = [TransientError("502")] * 3
    rests = []
    for _ in range(3):
        world.tick()
        health = world.tickets.health("opscenter")
        assert health.rests_until is not None
        rests.append((health.rests_until - world.clock()).total_seconds())
        world.clock.advance(minutes=5)
    assert rests == [60, 120, 240]
    world.tick()
    assert world.tickets.health("opscenter").checked_at == world.clock()


def test_no_sink_is_asked_when_the_time_is_over() -> None:
    world = World(POLICY)

    def slow() -> str:
        world.clock.advance(seconds=40)
        return ""

    world.tracker.check = slow
    world.sink.check = slow
    begun = world.clock()
    world.tick()
    assert world.clock() - begun == timedelta(seconds=40)


def test_how_a_sink_is_is_read_once_however_many_tickets_it_gets() -> None:
    world, _ = drifted(f"{POLICY}[tickets]\ngroup = 'finding'\n")
    for number in range(6):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    messages, world.queues.tickets[:] = list(world.queues.tickets), []
    health, reads = world.tickets.health, Counter[str]()

    def counted(sink: str) -> Any:
        reads[sink] += 1
        return health(sink)

    world.tickets.health = counted
    ticketer = world.ticketer
    for message in messages:
        ticketer.handle(message)
    assert reads == {"sns": 1, "opscenter": 1}
    assert len(world.tracker.open) == 7


def test_reviews_that_ask_no_tracker_are_not_counted_against_those_that_do() -> None:
    world = World(f"{POLICY}[tickets]\ngroup = 'owner-and-control'\n")
    for number in range(200):
        world.look(world.cluster(f"c{number}", DeletionProtection=False))
    world.tell()
    ticks(world, 3)
    world.clock.advance(minutes=31)
    report = world.tick()
    assert report.done["reviewed"] >= 200
    assert report.done["read"] == 1


def test_what_is_told_of_one_ticket_has_a_higher_revision_each_time_and_the_same_when_repeated() -> None:
    world, ref = drifted()
    world.sink.failures = [TransientError("lost")]
    world.tell()
    ticks(world, 2)
    fixed(world, ref)
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    revisions = [ticket.revision for ticket in world.sink.delivered]
    assert revisions == sorted(set(revisions))
    message = TicketMessage(
        event=TicketEvent.OPEN, resource_key=world.found(ref, PROTECTION).resource_key, control=PROTECTION
    )
    world.ticketer.handle(message)
    assert len(world.sink.delivered) == len(revisions)


# --- what was done, and whose answer was lost ---------------------------------------------------------------


def lost(world: World) -> None:
    """The next change in the tracker is made, and its answer does not come."""
    world.tracker.failing, world.tracker.late = "change", True
    world.tracker.failures = [TransientError("502")]


def test_a_ticket_that_was_opened_again_unknown_to_us_is_closed_once_the_drift_is_gone() -> None:
    world, ref = drifted()
    world.tell()
    fixed(world, ref)
    lost(world)
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    assert len(world.tracker.open) == 1
    fixed(world, ref)
    ticks(world, 4)
    assert world.tracker.open == []
    assert world.tickets.backlog("opscenter") == []


def test_a_ticket_that_was_closed_unknown_to_us_is_opened_again_and_nobody_is_said_to_have_closed_it() -> (
    None
):
    world, ref = drifted()
    world.tell()
    lost(world)
    fixed(world, ref)
    assert world.tracker.open == []
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    ticks(world, 10)
    [kept] = world.tracker.open
    assert kept.comments == []
    delivery = world.tickets.delivery(world.found(ref, PROTECTION).id, "opscenter")
    assert delivery is not None
    assert not delivery.reopened


def test_a_text_that_is_refused_leaves_no_ticket_open_behind_our_back() -> None:
    world, ref = drifted()
    world.tell()
    fixed(world, ref)
    update = world.tracker.update

    def refused_once(*given: Any) -> None:
        world.tracker.update = update
        msg = "400: the text"
        raise RejectedError(msg)

    world.tracker.update = refused_once
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)
    world.tell()
    assert len(world.tracker.open) == 1
    fixed(world, ref)
    ticks(world, 2)
    assert world.tracker.open == []


# --- answers that were lost ---------------------------------------------------------------------------------


class LossyPager:
    """A sink that only tells, and whose answers may be lost: what it was told, by the state of the ticket."""

    def __init__(self, *errors: Exception | None) -> None:
        self.errors = list(errors)
        self.heard: list[str] = []

    def notify(self, ticket: Ticket) -> None:
        error = self.errors.pop(0) if self.errors else None
        if not isinstance(error, LaterError) or error.arrived:
            self.heard.append(ticket.state.value)
        if error is not None:
            raise error

    def check(self) -> str:
        return ""


LOST = LaterError("no whole answer within 20 seconds")
THROTTLED = LaterError("429", arrived=False)


@pytest.mark.parametrize("errors", [[LOST], [LOST, THROTTLED], [LOST, THROTTLED, THROTTLED]])
def test_an_alert_whose_first_answer_was_lost_is_resolved(errors: list[Exception]) -> None:
    world, ref = drifted()
    pager = LossyPager(*errors)
    world.sink = pager  # type: ignore[assignment]
    world.tell()
    ticks(world, len(errors) - 1)
    assert pager.heard == ["OPEN"]
    fixed(world, ref)
    ticks(world)
    assert pager.heard == ["OPEN", "RESOLVED"]


def test_a_sink_that_was_told_of_nothing_is_not_told_that_it_is_over() -> None:
    world, ref = drifted()
    pager = LossyPager(THROTTLED)
    world.sink = pager  # type: ignore[assignment]
    world.tell()
    fixed(world, ref)
    ticks(world)
    assert pager.heard == []


def test_a_tracker_that_fails_at_creates_rests_as_long_as_it_asks() -> None:
    world, _ = drifted()
    tried: list[object] = []

    def create(_: object) -> None:
        tried.append(world.clock())
        error = "503"
        raise AmbiguousError(error, after=3_600)

    world.tracker.create = create  # type: ignore[assignment]
    for at in range(10):
        world.look(world.cluster(f"db-{at}", DeletionProtection=False))
    world.tell()
    ticks(world, 11)
    assert len(tried) == 1
    ticks(world, 3)
    assert len(tried) == 2


def unanswered(act: Callable[..., Any], count: int) -> Callable[..., Any]:
    """What is done each time, and whose answer is lost so often."""
    left = [count]

    def acted(*given: Any) -> Any:
        made = act(*given)
        if left[0]:
            left[0] -= 1
            message = "no whole answer within 20 seconds"
            raise AmbiguousError(message)
        return made

    return acted


def test_a_remark_whose_answer_was_lost_is_not_made_again() -> None:
    world, ref = drifted()
    world.tell()
    comment = world.tracker.comment
    world.tracker.comment = unanswered(comment, 3)  # type: ignore[method-assign]
    world.tracker.answer(0, RemoteState.CLOSED)
    ticks(world, 10)
    [kept] = world.tracker.kept
    assert len(kept.comments) == 1
    assert kept.state is RemoteState.OPEN
    world.tracker.comment = unanswered(comment, 3)  # type: ignore[method-assign]
    fixed(world, ref)
    ticks(world, 10)
    assert len(kept.comments) == 2
    assert "nothing is left to do" in kept.comments[-1]
    assert kept.state is RemoteState.CLOSED
    assert world.tickets.backlog("opscenter") == []


@pytest.mark.parametrize(
    "error", [RejectedError("400: it is closed"), ForbiddenTicketError("403: it is closed")]
)
def test_who_asks_for_an_exemption_by_closing_what_takes_no_edit_gets_the_remark(error: Exception) -> None:
    world, _ = drifted()
    world.tell()

    def update(*_: Any) -> None:
        raise error

    world.tracker.update = update  # type: ignore[method-assign]
    world.tracker.answer(0, RemoteState.WONT_FIX)
    ticks(world, 8)
    [kept] = world.tracker.kept
    assert len(kept.comments) == 1
    assert "request for an exemption" in kept.comments[0]
    assert world.tick().parked == 0
