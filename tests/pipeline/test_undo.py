"""A write that somebody takes back: by whom, under which guards, and what is left when it is cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.remediations import between, failing, operations
from pipeline.world import ALICE, OWN_ROLE, PROTECTION, REMEDIATE_ALL, World
from warden.core.approval import Answer, Approval
from warden.core.errors import TransientError
from warden.core.messages import UndoMessage, decode_write
from warden.core.rows import Stop
from warden.core.trigger import Source
from warden.core.undo import request_id

DORA = "AROADORA:dora"


def fixed(policy: str = REMEDIATE_ALL):
    """A cluster whose protection Warden has turned on, and the entry of that write."""
    world = World(policy)
    ref = world.cluster(DeletionProtection=False)
    world.look(ref, principal=ALICE)
    world.remediate()
    world.look(ref, principal=OWN_ROLE)
    chain = world.key(ref)
    [link] = [one for one in world.ledger.read(chain) if one.entry["kind"] == "outcome"]
    message = UndoMessage(ref=ref, chain=chain, sequence=link.sequence, entry_hash=link.hash)
    return world, ref, message


def ask(world: World, message: UndoMessage, **changes) -> Approval:
    request = request_id(message.chain, message.sequence, message.entry_hash)
    given = Approval(
        approver=DORA,
        request=request,
        answer=Answer.APPROVED,
        at=world.clock(),
        reason="it broke",
        arn="dora",
    )
    given = replace(given, **changes)
    world.approvals.put(given)
    return given


def take_back(world: World, message: UndoMessage):
    message = decode_write(message.encode())
    assert isinstance(message, UndoMessage)
    return world.undoer.handle(message)


def refused(world: World, message: UndoMessage) -> str:
    """That nothing was written, and why, as the ledger says it."""
    before = len(world.aws.attempts)
    outcome = take_back(world, message)
    assert outcome.status == "FAILED"
    assert len(world.aws.attempts) == before
    entry = world.ledger.of_kind("undo")[-1]
    assert entry["after"]["undoes"] == message.sequence
    return entry["after"]["why"]


def test_a_write_is_taken_back_and_left_alone_until_the_hold_ends():
    world, ref, message = fixed()
    ask(world, message)

    assert take_back(world, message).status == "SUCCEEDED"

    assert world.aws.items[ref]["DeletionProtection"] is False
    undone = world.ledger.of_kind("outcome")[-1]
    assert undone["after"]["undoes"] == message.sequence
    assert undone["after"]["calls"][0]["parameters"] == {
        "DBClusterIdentifier": "orders",
        "DeletionProtection": False,
    }
    assert undone["before"] == {"DeletionProtection": True}
    assert world.ledger.of_kind("intent")[-1]["after"]["approvals"]["undo"]["approver"] == DORA
    assert world.state.leased == []
    for source, principal in ((Source.CLOUDTRAIL, OWN_ROLE), (Source.CLOUDTRAIL, ALICE), (Source.SWEEP, "")):
        visit = world.look(ref, source=source, principal=principal)
        assert world.decision(visit, PROTECTION) == ("SUPPRESS", "undone")
    assert world.workflows(ref)[PROTECTION] == "SUPPRESSED"
    assert world.tell() == []

    world.clock.advance(days=7)
    assert world.decision(world.look(ref, source=Source.SWEEP), PROTECTION) == ("REMEDIATE", "policy")


def test_what_was_asked_for_once_is_done_once():
    world, ref, message = fixed()
    ask(world, message)
    take_back(world, message)
    world.aws.update(ref, DeletionProtection=True)

    assert refused(world, message).startswith("it was begun as")
    assert world.aws.items[ref]["DeletionProtection"] is True


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"answer": Answer.REJECTED}, "nobody who may"),
        ({"request": "undo-another"}, "nobody who may"),
        ({"approver": "AROAPIPELINE12345:ci"}, "nobody who may"),
    ],
    ids=str,
)
def test_the_message_alone_proves_nothing(changes, why):
    world, _, message = fixed(REMEDIATE_ALL + '[approvals]\nnever = ["AROAPIPELINE12345"]\n')
    assert refused(world, message).startswith(why)
    ask(world, message, **changes)
    assert refused(world, message).startswith(why)


def test_a_request_expires():
    world, _, message = fixed()
    ask(world, message)
    world.clock.advance(days=7)
    assert refused(world, message).startswith("nobody who may")


@pytest.mark.parametrize(
    ("wreck", "why"),
    [
        (
            lambda world, ref: world.aws.update(ref, DeletionProtection=False),
            "DeletionProtection is not as Warden",
        ),
        (lambda world, ref: world.aws.update(ref, Status="modifying"), "the database is not ready"),
        (
            lambda world, ref: world.aws.update(ref, DbClusterResourceId="cluster-ANOTHER4ANOTHER4ANOTHER4"),
            "another resource",
        ),
        (lambda world, ref: world.aws.remove(ref), ""),
        (
            lambda world, _: world.state.set_stop(Stop(by="bob", reason="incident", at=world.clock())),
            "Writes are stopped by bob",
        ),
        (
            lambda world, ref: world.state.lease([ref.arn], owner="x", seconds=300, now=world.clock()),
            "another write",
        ),
        (
            lambda world, _: world.brakes.latch("123456789012", "eu-west-1", "normal", now=world.clock()),
            "the budget of writes",
        ),
    ],
    ids=["changed", "busy", "replaced", "gone", "stopped", "leased", "spent"],
)
def test_an_undo_is_held_up_by_what_holds_up_every_write(wreck, why):
    world, ref, message = fixed()
    ask(world, message)
    wreck(world, ref)

    assert refused(world, message).startswith(why)
    assert [finding.hold for finding in world.findings.all()] == [{}], "and nothing is left alone for it"


def test_a_freeze_holds_it_up():
    frozen = REMEDIATE_ALL + '[[freezes]]\nfrom = 2026-11-24T12:00:00Z\nuntil = 2026-11-30\nreason = "sale"\n'
    world, _, message = fixed(frozen)
    world.clock.advance(hours=3)
    ask(world, message)
    assert refused(world, message).startswith("a freeze is on until 2026-11-30 00:00 UTC: sale")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"entry_hash": "0" * 64}, "is not as it was written, or not the one that was seen"),
        ({"sequence": 1}, "is not as it was written, or not the one that was seen"),
    ],
    ids=str,
)
def test_only_the_entry_that_was_seen_is_taken_back(wrong, why):
    world, _, message = fixed()
    message = replace(message, **wrong)
    ask(world, message)
    assert why in refused(world, message)


def test_a_message_about_no_entry_leaves_none():
    world, _, message = fixed()
    before = len(world.ledger.entries)
    assert take_back(world, replace(message, chain="123456789012/anything")).status == "FAILED"
    assert len(world.ledger.entries) == before


def test_a_call_that_aws_refuses_leaves_no_hold():
    world, ref, message = fixed()
    ask(world, message)
    world.aws.reject("DeletionProtection")

    outcome = take_back(world, message)

    assert outcome.status == "FAILED"
    assert world.found(ref, PROTECTION).hold == {}
    assert world.ledger.of_kind("outcome")[-1]["after"]["status"] == "FAILED"


@pytest.mark.parametrize(
    ("port", "method", "after"),
    [
        ("findings", "put", 1),
        ("approvals", "use", 1),
        ("state", "holds", 1),
        ("writer", "apply", 1),
        ("ledger", "append", 1),
        ("ledger", "append", 2),
    ],
    ids=str,
)
def test_an_undo_that_is_cut_off_is_finished_or_told_and_never_made_twice(port, method, after):
    world, ref, message = fixed()
    ask(world, message)
    made = len(operations(world))
    between(world, method, failing(TransientError("cut off")), port=port, after=after)
    with pytest.raises(TransientError):
        take_back(world, message)
    world.wrap = lambda _, wrapped: wrapped
    world.clock.advance(seconds=720)

    again = take_back(world, message)

    undone = world.aws.items[ref]["DeletionProtection"] is False
    assert again.status == ("SUCCEEDED" if undone else "FAILED")
    assert len(operations(world)) - made == undone
    assert bool(world.found(ref, PROTECTION).hold) is undone
    visit = world.look(ref, source=Source.SWEEP)
    expected = ("SUPPRESS", "undone") if undone else ("OBSERVE", "compliant")
    assert world.decision(visit, PROTECTION) == expected
