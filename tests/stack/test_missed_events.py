"""Drift of which AWS told nobody, found by the template's sweep and counted by its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stack import fleet
from stack.cases import CASES
from stack.deployed import CONTROLS, Deployed, policy_text
from warden.core.unannounced import silence

if TYPE_CHECKING:
    from stack.conftest import Deploy

PROTECTED = "cluster_deletion_protection_enabled"


def counts(stack: Deployed) -> list[int]:
    """Every count of the clock, in order."""
    return [line["DriftMissedByEvents"][0] for line in stack.logs if "DriftMissedByEvents" in line]


def look(stack: Deployed, *, minutes: int) -> None:
    """The clock's look so much later."""
    stack.clock.advance(minutes * 60)
    invocation = stack.runtime.call(stack.function("sweep").logical_id, {"job": "due"})
    assert invocation.error is None, invocation.error


@pytest.fixture
def swept(deploy: Deploy) -> Deployed:
    """A deployment that has seen a compliant cluster, whose protection somebody then took, told or not."""
    stack = deploy(policy=policy_text(mode="ticket"))
    fleet.cluster(stack)
    stack.settle()
    stack.sweep()
    look(stack, minutes=31)
    assert counts(stack) == [0]
    return stack


def unprotect(stack: Deployed) -> None:
    stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)


def test_drift_that_only_the_sweep_found_is_counted_told_and_kept(swept: Deployed) -> None:
    with swept.quietly():
        unprotect(swept)
    swept.sweep()

    look(swept, minutes=10)
    assert counts(swept) == [0]
    look(swept, minutes=21)
    assert counts(swept) == [0, 1]
    [line] = swept.logged("events missed")
    assert (line["control"], line["arn"]) == (PROTECTED, swept.finding(PROTECTED).arn)
    [entry] = swept.entries("missed")
    assert entry["after"]["controls"] == {PROTECTED: 1}
    look(swept, minutes=31)
    assert counts(swept) == [0, 1]


def test_an_event_that_comes_after_the_sweep_is_late_and_not_lost(swept: Deployed) -> None:
    held = []
    emit, swept.aws.emit = swept.aws.emit, held.append
    unprotect(swept)
    swept.aws.emit = emit
    swept.sweep()
    assert swept.finding(PROTECTED).cause["source"] == "sweep"

    swept.clock.advance(600)
    for event in held:
        swept.put(event)
    swept.settle()

    assert swept.finding(PROTECTED).cause["source"] == "cloudtrail"
    look(swept, minutes=31)
    assert counts(swept)[-1] == 0


@pytest.mark.slow
def test_what_an_event_told_of_is_no_loss_of_the_sweep(swept: Deployed) -> None:
    unprotect(swept)
    swept.settle()
    swept.sweep()

    look(swept, minutes=31)
    assert counts(swept)[-1] == 0


def test_what_aws_does_not_tell_of_is_declared_to_be_silent() -> None:
    untold = {case.control for case in CASES.values() if not case.told}
    assert untold
    assert untold <= {name for name, control in CONTROLS.items() if silence(control)}
