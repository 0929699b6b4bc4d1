"""One ticket for each finding, told in whatever order its messages come."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fakes import MemorySink
from pipeline.crashes import Crash, Faults
from pipeline.world import ALICE, EXPORTS, PROTECTION, RETENTION, World, policy_of
from warden.core.errors import MalformedEventError, TransientError
from warden.core.finding import WorkflowStatus, gone
from warden.core.messages import RemediationMessage, TicketEvent, TicketMessage
from warden.core.rendering import plain
from warden.core.rendering.machine import document
from warden.core.resource import ResourceRef

REMEDIATION = {
    "resource": "arn:aws:rds:eu-west-1:123456789012:cluster:orders",
    "controls": [PROTECTION],
    "policy_version": "v",
    "cause": {},
}
POLICY = "version = 1\n[defaults]\nmode = 'ticket'"


def drifted(**members) -> tuple[World, ResourceRef]:
    world = World(POLICY)
    ref = world.cluster(**(members or {"DeletionProtection": False}))
    world.look(ref, principal=ALICE)
    return world, ref


def fixed(world: World, ref: ResourceRef) -> None:
    world.aws.update(ref, DeletionProtection=True)
    world.clock.advance(minutes=1)
    world.look(ref)


def drifts_again(world: World, ref: ResourceRef) -> None:
    world.aws.update(ref, DeletionProtection=False)
    world.clock.advance(minutes=1)
    world.look(ref)


def test_a_ticket_has_what_a_person_needs():
    world, ref = drifted()
    assert world.tell() == ["open"]

    [ticket] = world.sink.delivered
    text, told = plain.text(ticket), document(ticket)
    assert ref.arn in text
    assert f"Changed by: {ALICE} (ModifyDBCluster), as the event claims" in text
    assert "The policy says that a person decides about this." in text
    assert "ModifyDBCluster" in text
    assert "aws rds modify-db-cluster --db-cluster-identifier orders" in text
    assert told["evidence"]["DeletionProtection"] is False
    assert told["ticket"] == ticket.id
    assert len(plain.subject(ticket)) < plain.SUBJECT_LIMIT
    assert world.ledger.of_kind("ticket")[0]["after"] == {"state": "OPEN", "sinks": ["sns", "opscenter"]}


def test_duplicates_tell_nothing_new():
    world, ref = drifted()
    [message] = world.queues.tickets

    assert [world.ticketer.handle(message) for _ in range(3)] == ["open", "known", "known"]
    assert world.told() == [("OPEN", PROTECTION)]
    assert [entry["after"]["state"] for entry in world.ledger.of_kind("ticket")] == ["OPEN", "CREATED"]
    assert len(world.tracker.open) == 1
    assert world.found(ref, PROTECTION).workflow == "NOTIFIED"


def test_a_message_that_overtook_its_finding_waits_for_it():
    world = World(POLICY)
    message = TicketMessage(event=TicketEvent.OPEN, resource_key="somewhere", control=PROTECTION, revision=1)

    with pytest.raises(TransientError):
        world.ticketer.handle(message)
    assert world.sink.delivered == []


def test_an_update_that_overtook_its_finding_is_told_and_not_dropped():
    world, ref = drifted(BackupRetentionPeriod=1)
    world.tell()
    before = world.found(ref, RETENTION)
    world.aws.update(ref, BackupRetentionPeriod=2)
    world.clock.advance(minutes=1)
    world.look(ref)
    after = world.found(ref, RETENTION)
    [message] = world.queues.tickets

    world.findings._rows[before.resource_key, RETENTION] = before
    with pytest.raises(TransientError):
        world.ticketer.handle(message)
    world.findings._rows[before.resource_key, RETENTION] = after

    assert world.ticketer.handle(message) == "updated"


def test_a_resolution_that_overtook_its_finding_is_told_and_not_dropped():
    world, ref = drifted()
    world.tell()
    before = world.found(ref, PROTECTION)
    fixed(world, ref)
    after = world.found(ref, PROTECTION)
    [message] = world.queues.tickets

    world.findings._rows[before.resource_key, PROTECTION] = before
    with pytest.raises(TransientError):
        world.ticketer.handle(message)
    world.findings._rows[before.resource_key, PROTECTION] = after

    assert world.ticketer.handle(message) == "resolved"


def test_a_resolution_before_the_opening_opens_nothing():
    world, ref = drifted()
    fixed(world, ref)
    opening, resolution = world.queues.tickets
    assert (opening.event, resolution.event) == ("open", "resolve")

    assert world.ticketer.handle(resolution) == "known"
    assert world.ticketer.handle(opening) == "known"
    assert world.sink.delivered == []


def test_an_opening_that_comes_late_resolves_what_is_still_open():
    world, ref = drifted()
    [opening] = world.queues.tickets
    world.tell()
    world.queues.tickets.clear()
    fixed(world, ref)

    assert world.ticketer.handle(opening) == "resolved", "whichever message comes, the finding decides"
    assert world.tell() == ["known"]
    assert world.told() == [("OPEN", PROTECTION), ("RESOLVED", PROTECTION)]


def test_a_finding_that_goes_while_it_is_told_is_resolved_at_once():
    world, ref = drifted()
    key = world.key(ref)

    class Slow(MemorySink):
        def notify(self, ticket):
            super().notify(ticket)
            if ticket.state == "OPEN":
                finding = world.findings.get(key, PROTECTION)
                world.findings.put(gone(finding, observed_at=world.clock()))
                resolution = TicketMessage(
                    event=TicketEvent.RESOLVE, resource_key=key, control=PROTECTION, revision=2
                )
                # Its row says "opening": it is resolved by this message.
                world.ticketer.handle(resolution)

    world.sink = Slow()
    [opening] = world.queues.tickets
    assert world.ticketer.handle(opening) == "known"
    assert world.told() == [("OPEN", PROTECTION)], "whoever holds the sink's row is not told over"

    world.clock.advance(minutes=3)
    world.tick()
    assert world.told() == [("OPEN", PROTECTION), ("RESOLVED", PROTECTION)]
    assert world.tracker.open == []


def test_a_finding_that_goes_before_its_row_is_written_is_resolved_at_once():
    world, ref = drifted()
    key = world.key(ref)
    world.findings.put(replace(world.found(ref, PROTECTION), workflow=WorkflowStatus.NOTIFIED))
    first = [True]

    class Slow(type(world.tickets)):
        def get(self, finding_id):
            row = super().get(finding_id)
            if first[0]:
                first[0] = False
                finding = world.findings.get(key, PROTECTION)
                world.findings.put(gone(finding, observed_at=world.clock()))
                resolution = TicketMessage(event=TicketEvent.RESOLVE, resource_key=key, control=PROTECTION)
                assert world.ticketer.handle(resolution) == "known", "there is no ticket yet"
            return row

    world.tickets = Slow(world.ledger)
    [opening] = world.queues.tickets

    assert world.ticketer.handle(opening) == "resolved"
    assert world.told() == [("OPEN", PROTECTION), ("RESOLVED", PROTECTION)]


def test_a_drift_that_comes_back_opens_the_ticket_again():
    world, ref = drifted()
    world.tell()
    fixed(world, ref)
    world.tell()
    drifts_again(world, ref)

    assert world.tell() == ["reopened"]
    assert [state for state, _ in world.told()] == ["OPEN", "RESOLVED", "REOPENED"]
    assert len({ticket.id for ticket in world.sink.delivered}) == 1
    [kept] = world.tracker.kept
    assert kept.state == "open"


def test_a_drift_that_comes_back_after_the_window_has_a_new_ticket_that_names_the_old():
    world, ref = drifted()
    world.tell()
    fixed(world, ref)
    world.tell()
    world.clock.advance(days=15)
    drifts_again(world, ref)

    assert world.tell() == ["open"]
    old, new = world.tracker.kept
    assert (old.state, new.state) == ("closed", "open")
    assert old.ticket.id != new.ticket.id
    assert new.ticket.previous is not None
    assert new.ticket.previous.id == old.id


def test_a_drift_that_comes_back_before_its_resolution_was_told_keeps_its_ticket():
    world, ref = drifted()
    world.tell()
    fixed(world, ref)
    drifts_again(world, ref)
    resolution, opening = world.queues.tickets

    assert world.ticketer.handle(resolution) == "drifted_again"
    assert world.found(ref, PROTECTION).workflow == "NOTIFIED"
    assert world.ticketer.handle(opening) == "known"
    assert world.told() == [("OPEN", PROTECTION)]


def test_a_ticket_whose_drift_came_back_and_was_put_right_is_resolved():
    world, ref = drifted()
    world.tell()
    fixed(world, ref)
    world.policy = policy_of("version = 1\n[defaults]\nmode = 'remediate'")
    drifts_again(world, ref)
    assert world.tell() == ["drifted_again"]
    world.remediate()
    world.clock.advance(minutes=1)
    world.look(ref)

    assert world.tell() == ["resolved"]


def test_a_resolution_of_a_drift_that_nobody_was_told_of_changes_nothing():
    world, ref = drifted()
    key = world.key(ref)
    message = TicketMessage(event=TicketEvent.RESOLVE, resource_key=key, control=PROTECTION)

    assert world.ticketer.handle(message) == "drifted_again"
    assert world.found(ref, PROTECTION).workflow == "NEW"


def test_an_exempted_finding_opens_no_ticket():
    world, ref = drifted()
    finding = world.found(ref, PROTECTION)
    world.findings.put(replace(finding, workflow=WorkflowStatus.SUPPRESSED))

    assert world.tell() == ["known"]
    assert world.sink.delivered == []
    assert world.found(ref, PROTECTION).workflow == "SUPPRESSED"


def test_a_sink_that_fails_is_tried_again_and_holds_up_neither_the_message_nor_the_others():
    world, ref = drifted()
    world.sink.failures = [TransientError("sns: 500")] * 2

    assert world.tell() == ["open"]
    assert world.found(ref, PROTECTION).workflow == "NOTIFIED"
    assert (world.told(), len(world.tracker.open)) == ([], 1)
    [waiting] = world.tickets.backlog("sns")
    assert (waiting.attempt, waiting.error) == (1, "TransientError: sns: 500")

    for _ in range(4):
        world.clock.advance(minutes=1)
        world.tick()
    assert world.told() == [("OPEN", PROTECTION)]
    assert world.tickets.backlog("sns") == []


def test_a_control_that_is_no_more_leaves_a_ticket_without_the_fix():
    world, _ = drifted()
    world.controls = []

    assert world.tell() == ["open"]
    assert world.sink.delivered[0].fix == ""


@pytest.mark.parametrize("event", ["open", "update", "resolve"])
def test_a_finding_is_told_whatever_dies_while_it_is_told(event):
    def told(faults):
        world, ref = drifted(BackupRetentionPeriod=1)
        if event != "open":
            world.tell()
            world.aws.update(ref, BackupRetentionPeriod=2 if event == "update" else 35)
            world.clock.advance(minutes=1)
            world.look(ref)
        [message] = world.queues.tickets
        before = len(world.sink.delivered)
        world.wrap = faults.wrap
        for _ in range(2):
            faults.restart()
            try:
                world.ticketer.handle(message)
            except (Crash, TransientError):
                continue
            break
        else:
            message = "it was not even handled the second time"
            raise AssertionError(message)
        faults.active = False
        for _ in range(20):
            world.clock.advance(minutes=1)
            world.tick()
        return world, ref, world.sink.delivered[before:]

    whole = Faults()
    told(whole)
    state, row = {
        "open": ("OPEN", "open"),
        "update": ("UPDATED", "open"),
        "resolve": ("RESOLVED", "resolved"),
    }[event]
    assert whole.calls >= 20
    for number in range(whole.calls):
        for when in ("before", "after"):
            for how in ("kill", "error"):
                faults = Faults(number, when=when, how=how)
                world, ref, delivered = told(faults)
                assert {ticket.state for ticket in delivered} == {state}
                assert len({ticket.id for ticket in delivered}) == 1
                assert len(delivered) <= 2
                assert [r.state for r in world.tickets.rows.values()] == [row]
                assert state in [entry["after"]["state"] for entry in world.ledger.of_kind("ticket")]
                assert len(world.tracker.kept) == 1
                assert len(world.tracker.open) == (row == "open")
                assert world.found(ref, RETENTION).workflow == (
                    "RESOLVED" if event == "resolve" else "NOTIFIED"
                )


# --- messages ---------------------------------------------------------------------------------------------


def test_messages_are_read_as_they_were_written():
    ref = ResourceRef.from_arn("arn:aws:rds:eu-west-1:123456789012:cluster:orders")
    remediation = RemediationMessage(
        ref=ref, controls=(PROTECTION, EXPORTS), policy_version="v", resource_key="key", cause={"at": "now"}
    )
    ticket = TicketMessage(event=TicketEvent.OPEN, resource_key="key", control=PROTECTION, revision=7)

    assert RemediationMessage.decode(remediation.encode()) == remediation
    assert TicketMessage.decode(ticket.encode()) == ticket
    assert remediation.group == replace(remediation, controls=()).group


def test_messages_of_an_earlier_version_are_read():
    remediation = RemediationMessage.decode(json.dumps(REMEDIATION))
    ticket = TicketMessage.decode('{"event": "resolve", "resource_key": "key", "control": "a"}')

    assert (remediation.resource_key, remediation.controls) == ("", (PROTECTION,))
    assert (ticket.revision, ticket.event) == (0, TicketEvent.RESOLVE)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"event": "open", "resource_key": "key"}',
        '{"event": "close", "resource_key": "key", "control": "a"}',
        '{"event": "open", "resource_key": "key", "control": "a", "revision": "1"}',
        '{"event": "open", "resource_key": 1, "control": "a"}',
    ],
)
def test_a_malformed_ticket_message_is_refused(body):
    with pytest.raises(MalformedEventError):
        TicketMessage.decode(body)


@pytest.mark.parametrize(
    "body",
    [
        {**REMEDIATION, "resource": "orders"},
        {**REMEDIATION, "controls": "a"},
        {**REMEDIATION, "policy_version": None},
        {**REMEDIATION, "resource_key": None},
        {key: value for key, value in REMEDIATION.items() if key != "cause"},
    ],
)
def test_a_malformed_remediation_message_is_refused(body):
    with pytest.raises(MalformedEventError):
        RemediationMessage.decode(json.dumps(body))
