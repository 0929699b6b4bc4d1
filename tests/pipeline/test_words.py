"""What is written down and told: tickets as text, conditions of writing, and the version of a control."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace

import pytest

from pipeline.world import ALICE, CONTROLS, PROTECTION, World
from warden.core import conditions
from warden.core.control import ComplianceType
from warden.core.finding import Finding, WorkflowStatus, gone
from warden.core.kinds import Need
from warden.core.plan import Call
from warden.core.rendering import plain
from warden.core.rendering.machine import document
from warden.core.ticket import TicketState
from warden.core.ticket_text import digest, ticket
from warden.core.version import code_version

[CONTROL] = [control for control in CONTROLS if control.id == PROTECTION]


def finding(**members) -> Finding:
    world = World("version = 1\n[defaults]\nmode = 'ticket'")
    ref = world.cluster(DeletionProtection=False)
    world.look(ref, principal=ALICE)
    return replace(world.found(ref, PROTECTION), **members)


def test_a_resolved_ticket_says_when_and_that_nothing_is_left_to_do():
    resolved = gone(finding(), observed_at=World().clock())

    text = plain.text(ticket(resolved, CONTROL, TicketState.RESOLVED))

    assert "Resolved at 2026-11-24 10:00 UTC; nothing is left to do." in text
    assert "How to fix it" not in text
    assert (
        document(ticket(resolved, CONTROL, TicketState.RESOLVED))["resolved_at"]
        == "2026-11-24T10:00:00+00:00"
    )


def test_a_ticket_without_a_plan_evidence_or_frameworks_leaves_them_out():
    bare = finding(plan=(), evidence={}, cause={}, manual="Look at this first.\nThen at that.")

    text = plain.text(ticket(bare, None))

    assert "What a person has to know:\n  Look at this first.\n  Then at that." in text
    for absent in ("What Warden would call", "What was read", "Frameworks", "Changed by"):
        assert absent not in text


@pytest.mark.parametrize(
    "reason",
    [
        "mode", "no_remediation", "flapping", "refused", "unverified", "circuit_open",
        "owner_first", "needs_approval", "blast_radius",
        "busy", "pending", "unknown_state", "frozen", "unhealthy", "remediation_failed", "policy",
    ],
)  # fmt: skip
def test_every_reason_to_tell_is_told_in_a_sentence(reason):
    text = plain.text(ticket(finding(decision={"action": "TICKET", "reason": reason}), CONTROL))

    [sentence] = [line for line in text.splitlines() if line.startswith("  ")][:1]
    assert sentence.endswith(".")
    assert len(sentence.split()) > 5


def test_a_subject_is_short_ascii_whatever_the_title():
    subject = plain.subject(ticket(finding(title="Größe " * 40), CONTROL))

    assert subject.isascii()
    assert len(subject) < plain.SUBJECT_LIMIT
    assert subject.endswith("...")


def test_the_digest_changes_with_what_is_told_and_with_nothing_else():
    first = finding()
    told = digest(first)
    same = replace(first, last_observed=World().clock(), revision=9, attempts=(World().clock(),))

    assert digest(same) == told
    for changed in (
        replace(first, annotation="another"),
        replace(first, manual="more"),
        replace(first, plan=()),
        replace(first, decision={**first.decision, "reason": "flapping"}),
    ):
        assert digest(changed) != told


def test_a_finding_survives_its_way_through_json_as_it_is_told():
    world = World("version = 1\n[defaults]\nmode = 'ticket'")
    ref = world.cluster(DeletionProtection=False)
    world.look(ref)
    told = document(ticket(world.found(ref, PROTECTION), CONTROL))

    assert json.loads(json.dumps(told)) == told


def test_a_suppressed_finding_is_open():
    assert finding(workflow=WorkflowStatus.SUPPRESSED).is_open
    assert not gone(finding(), observed_at=World().clock()).is_open
    assert gone(finding(), observed_at=World().clock()).compliance is ComplianceType.NOT_APPLICABLE


# --- conditions -------------------------------------------------------------------------------------------

NOW = Call("ModifyDBInstance", {"DBInstanceIdentifier": "billing", "ApplyImmediately": True})
LATER = Call("ModifyDBInstance", {"DBInstanceIdentifier": "billing"})


@pytest.mark.parametrize(
    ("pending", "call", "flushes"),
    [({"MultiAZ": True}, NOW, True), ({"MultiAZ": True}, LATER, False), ({}, NOW, False)],
)
def test_only_a_call_at_once_flushes_what_an_instance_has_queued(pending, call, flushes):
    world = World()
    ref = world.instance(PendingModifiedValues=pending)

    assert conditions.would_flush(world.aws.read(ref, ()), [call]) is flushes


def test_a_resource_without_a_status_is_neither_busy_nor_being_deleted():
    world = World()
    resource = world.aws.read(world.cluster(), (Need.BLUE_GREEN,))
    assert conditions.status(resource) == "available"
    assert not conditions.is_busy(resource)
    world.aws.hide("Status")
    assert not conditions.is_deleting(world.aws.read(resource.ref, ()))


# --- versions ---------------------------------------------------------------------------------------------


def test_the_version_of_a_control_changes_with_its_code_and_not_with_its_words(tmp_path, monkeypatch):
    source = '"""Words."""\n\ndef evaluate():\n    """More words."""\n    return {value}  # a remark\n'
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in {
        "version_a": source.format(value=1),
        "version_b": source.format(value=1).replace("Words", "Others").replace("remark", "note"),
        "version_c": source.format(value=2),
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    importlib.invalidate_caches()

    assert code_version("version_a") == code_version("version_b")
    assert code_version("version_a") != code_version("version_c")
    assert len(code_version("version_a")) == 12
