"""What waits for an approval: asked for, answered, written once; and every way in which it is not written."""

from __future__ import annotations

import pytest

from pipeline.remediations import between, failing, operations
from pipeline.world import ALICE, PROTECTION, REMEDIATE_ALL, TLS, World
from warden.core.approval import Answer, Approval
from warden.core.decision import Mode
from warden.core.errors import RejectedError, ResourceBusyError, ThrottledError
from warden.core.rendering import plain
from warden.core.rendering.machine import document
from warden.core.rows import Stop

CAROL = "AROA3RX7T65BFEXAMPLE:carol"
ALICES = "AIDA3RX7T65BFEXAMPLE"
WINDOW = f'{REMEDIATE_ALL}\n[[change_windows]]\ndays = ["sat"]\nfrom = 01:00:00\nhours = 3\n'


def asked(policy=REMEDIATE_ALL):
    """A world in which enforcing TLS has been asked for, and somebody was told."""
    world = World(policy)
    ref = world.cluster()
    world.without_tls()
    world.look(ref, principal=ALICE, session=ALICES)
    world.tell()
    return world, ref


def answer(world, ref, approver=CAROL, said=Answer.APPROVED, **members):
    world.approvals.put(
        Approval(
            **{
                "approver": approver,
                "request": world.found(ref, TLS).decision["request"],
                "answer": said,
                "at": world.clock(),
                "reason": "All clients are ready",
                "arn": "arn:aws:sts::123456789012:assumed-role/dba/carol",
                **members,
            }
        )
    )


def decided(world, ref):
    return world.decision(world.look(ref), TLS)


AWAIT = ("AWAIT_APPROVAL", "needs_approval")
GO = ("REMEDIATE", "policy")


def test_the_ticket_shows_the_calls_and_both_answers():
    world, ref = asked()

    [ticket] = world.sink.delivered
    request = world.found(ref, TLS).decision["request"]
    text = plain.text(ticket)
    assert f"warden approve {request} --reason" in text
    assert f"warden reject {request} --reason" in text
    assert "ModifyDBClusterParameterGroup" in text
    assert document(ticket)["decision"]["request"] == request


def test_where_nothing_may_be_written_nobody_looks_for_an_answer():
    world, ref = asked()
    world.ceiling = Mode.OBSERVE
    world.approvals.answers = lambda request: pytest.fail("nobody was asked")

    assert decided(world, ref) == ("OBSERVE", "mode")


def test_what_is_approved_is_written_and_the_ledger_knows_who_approved():
    world, ref = asked()
    answer(world, ref)

    assert decided(world, ref) == GO
    assert world.remediate().status == "SUCCEEDED"
    assert operations(world) == ["ModifyDBClusterParameterGroup"]
    [intent] = [entry for entry in world.ledger.entries if entry["kind"] == "intent"]
    approval = intent["after"]["approvals"][TLS]
    assert (approval["approver"], approval["reason"]) == (CAROL, "All clients are ready")
    decision = [entry for entry in world.ledger.entries if entry["kind"] == "decision"][-1]
    assert decision["after"]["approval"]["approver"] == CAROL


def test_an_approval_is_used_once():
    world, ref = asked()
    answer(world, ref)
    decided(world, ref)
    world.remediate()
    world.look(ref)
    world.without_tls()

    assert decided(world, ref) == AWAIT
    world.clock.advance(minutes=1)
    answer(world, ref)
    assert decided(world, ref) == GO, "the same person may approve the same calls again, later"


def test_nobody_approves_what_they_brought_about():
    world, ref = asked()
    answer(world, ref, approver=ALICES)

    assert decided(world, ref) == AWAIT


def test_a_rejection_outweighs_an_approval_until_it_expires():
    world, ref = asked()
    answer(world, ref)
    answer(world, ref, approver="AROA3RX7T65BFEXAMPLE:dave", said=Answer.REJECTED)

    assert decided(world, ref) == AWAIT
    world.clock.advance(days=7)
    assert decided(world, ref) == AWAIT, "the approval has expired with it"
    answer(world, ref)
    assert decided(world, ref) == GO


def test_an_approval_of_other_calls_counts_for_nothing():
    world, ref = asked()
    answer(world, ref, request="0123456789ab")

    assert decided(world, ref) == AWAIT


def test_what_is_rejected_between_decision_and_write_is_not_written_and_its_sibling_is():
    world, ref = asked()
    request = world.found(ref, TLS).decision["request"]
    world.cluster(DeletionProtection=False)
    answer(world, ref)
    decided(world, ref)
    dave = "AROA3RX7T65BFEXAMPLE:dave"
    answer(world, ref, approver=dave, said=Answer.REJECTED, request=request)

    world.remediate()

    assert operations(world) == ["ModifyDBCluster"], "the protection alone"
    assert len(world.found(ref, PROTECTION).attempts) == 1
    world.deliver()
    assert world.found(ref, TLS).decision["action"] == "AWAIT_APPROVAL"


@pytest.mark.parametrize("error", [ThrottledError("slower"), ResourceBusyError("modifying")])
def test_an_approval_of_what_could_not_be_written_is_not_used(error):
    world, ref = asked()
    answer(world, ref)
    decided(world, ref)
    between(world, "apply", failing(error), instead=True)

    assert world.remediate().status == "DEFERRED"
    assert world.approvals.used == set()
    world.clock.advance(minutes=10)
    assert decided(world, ref) == GO


def test_nor_while_writes_are_stopped():
    world, ref = asked()
    answer(world, ref)
    decided(world, ref)
    world.state.set_stop(Stop(by=ALICE, reason="odd", at=world.clock()))

    world.remediate()

    assert world.approvals.used == set()
    assert operations(world) == []


def test_an_approval_of_what_aws_refuses_is_used():
    world, ref = asked()
    answer(world, ref)
    decided(world, ref)
    between(world, "apply", failing(RejectedError("no", code="InvalidParameterValue")), instead=True)

    assert world.remediate().status == "FAILED"
    assert len(world.approvals.used) == 1


def test_a_crash_after_the_note_of_use_costs_the_approval_and_writes_nothing_unapproved():
    world, ref = asked()
    answer(world, ref)
    decided(world, ref)
    message = world.queues.remediations[0]
    between(world, "apply", failing(RuntimeError("out of memory")), instead=True)
    with pytest.raises(RuntimeError):
        world.remediate()
    world.clock.advance(minutes=6)
    world.wrap = lambda _, port: port

    assert world.remediate(message).status == "SKIPPED"
    assert world.found(ref, TLS).is_open
    assert decided(world, ref) == AWAIT


def test_what_is_approved_waits_for_its_window_without_bothering_anybody():
    world, ref = asked(WINDOW)
    answer(world, ref)

    assert decided(world, ref) == ("DEFER", "outside_window")
    told = len(world.told())
    while world.clock().strftime("%a") != "Sat":
        world.clock.advance(hours=1)
        world.look_again()
        world.tell()
    assert len(world.told()) == told
    assert operations(world) == []
    world.clock.advance(hours=2)
    world.look_again()
    assert world.remediate().status == "SUCCEEDED"


def test_an_approval_lives_until_the_window_whatever_its_hours():
    world, ref = asked(f"{WINDOW}[approvals]\nvalid_hours = 1\n")
    answer(world, ref)
    world.clock.advance(days=2)

    assert decided(world, ref) == ("DEFER", "outside_window")
    world.clock.advance(days=7)
    assert decided(world, ref) == AWAIT
