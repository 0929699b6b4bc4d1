"""Remediations that crashed each time: nobody waits for nothing, and nothing of it is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.aws import HERE
from pipeline.world import PROTECTION, RETENTION, World
from warden.core.errors import MalformedEventError
from warden.core.messages import RemediationMessage, UndoMessage
from warden.pipeline.dead_letters import DeadLetters


def bury(world: World, body: str, message: str = "m-1") -> tuple[str, ...]:
    letters = DeadLetters(deployment=HERE, visitor=world.evaluator.visitor, ledger=world.ledger)
    return letters.handle(body, message=message)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def letter(world: World) -> RemediationMessage:
    """The message of two findings that was never handled."""
    world.look(world.cluster(DeletionProtection=False, BackupRetentionPeriod=1))
    return world.queues.remediations.pop()


def test_its_findings_become_tickets_and_are_on_record(world, letter):
    assert set(bury(world, letter.encode())) == {PROTECTION, RETENTION}

    finding = world.found(letter.ref, PROTECTION)
    assert (finding.decision["action"], finding.decision["reason"]) == ("TICKET", "remediation_failed")
    assert "crashed each time" in finding.manual
    world.tell()
    assert sorted(world.told()) == [("OPEN", RETENTION), ("OPEN", PROTECTION)]
    entries = [one for one in world.ledger.of_kind("decision") if "dead_letter" in one["evidence"]]
    assert {one["control"] for one in entries} == {PROTECTION, RETENTION}
    assert {one["chain"] for one in entries} == {letter.resource_key}
    assert entries[0]["evidence"]["dead_letter"] == letter.encode()
    assert entries[0]["before"]["action"] == "REMEDIATE"


def test_it_is_looked_at_again_and_not_tried_again_at_once(world, letter):
    bury(world, letter.encode())
    world.tell()
    world.clock.advance(minutes=10)

    [visit] = world.look_again()

    assert world.decision(visit, PROTECTION) == ("TICKET", "refused")
    assert world.queues.remediations == []
    assert "crashed each time" in world.found(letter.ref, PROTECTION).manual
    assert world.state.waiting(letter.ref.arn) is None
    world.clock.advance(hours=9)
    world.sweep()
    assert [set(one.controls) for one in world.queues.remediations] == [{PROTECTION, RETENTION}]


def test_what_was_written_before_the_crash_resolves_with_the_look(world, letter):
    world.aws.update(letter.ref, DeletionProtection=True, BackupRetentionPeriod=35)
    bury(world, letter.encode())
    world.clock.advance(minutes=10)
    world.look_again()

    assert set(world.workflows(letter.ref).values()) == {"RESOLVED"}


def test_the_same_dead_letter_twice_is_recorded_once(world, letter):
    bury(world, letter.encode())
    entries, writes = len(world.ledger.entries), world.findings.writes
    bury(world, letter.encode())

    assert (len(world.ledger.entries), world.findings.writes) == (entries, writes)
    bury(world, letter.encode(), message="m-2")
    assert len(world.ledger.entries) == entries + 2


def test_what_is_resolved_meanwhile_is_recorded_and_opens_nothing(world, letter):
    world.aws.update(letter.ref, DeletionProtection=True, BackupRetentionPeriod=35)
    world.clock.advance(minutes=1)
    world.look(letter.ref)

    assert bury(world, letter.encode()) == ()
    assert set(world.workflows(letter.ref).values()) == {"RESOLVED"}
    assert world.ledger.entries[-1]["evidence"]["dead_letter"] == letter.encode()
    assert world.ledger.entries[-1]["chain"] == letter.resource_key


def test_a_clean_up_that_crashed_is_recorded_and_no_finding_is_blamed(world, letter):
    cleaning = replace(letter, clean_up="arn:aws:rds:eu-west-1:123456789012:cluster:warden-x")

    assert bury(world, cleaning.encode()) == ()
    assert world.found(letter.ref, PROTECTION).decision["action"] == "REMEDIATE"
    assert world.ledger.entries[-1]["evidence"]["dead_letter"] == cleaning.encode()


def test_a_forged_one_makes_no_chain(world, letter):
    forged = replace(letter, resource_key="123456789012/eu-west-1/AWS::RDS::DBCluster/nobody")
    bury(world, forged.encode())
    undo = UndoMessage(ref=letter.ref, chain="nobody", sequence=7, entry_hash="0" * 64)
    bury(world, undo.encode())

    chains = {one["chain"] for one in world.ledger.entries if one["evidence"].get("dead_letter")}
    assert chains == {"deployment/123456789012/eu-west-1"}


def test_an_undo_that_crashed_is_told_as_refused(world, letter):
    undo = UndoMessage(ref=letter.ref, chain=letter.resource_key, sequence=1, entry_hash="0" * 64)

    assert bury(world, undo.encode()) == ()
    [entry] = world.ledger.of_kind("undo")
    assert (entry["chain"], entry["after"]["status"], entry["after"]["undoes"]) == (
        letter.resource_key,
        "REFUSED",
        1,
    )
    assert entry["evidence"]["dead_letter"] == undo.encode()
    assert "crashed" in entry["after"]["why"]


@pytest.mark.parametrize("body", ["", "{}", '{"undo": "x"}', "[]"])
def test_what_is_no_message_of_ours_stays_where_it_is(world, body):
    with pytest.raises(MalformedEventError):
        bury(world, body)
    assert world.ledger.entries == []
