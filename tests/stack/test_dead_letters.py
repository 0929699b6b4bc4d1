"""A remediation that crashes each time, through the template's queues, until somebody is told."""

from __future__ import annotations

import pytest

from stack import fleet
from stack.deployed import ALICE, Deployed

PROTECTION = "cluster_deletion_protection_enabled"


@pytest.mark.slow
def test_a_remediation_that_always_crashes_becomes_a_ticket_and_is_tried_again_later(stack: Deployed) -> None:
    stack.may_fail = True
    fleet.cluster(stack)
    with stack.by(ALICE), stack.quietly() as rds:
        rds.modify_db_cluster(DBClusterIdentifier="orders", DeletionProtection=False)
    stack.aws.faults.inject("rds:ModifyDBCluster", "InternalFailure", times=100)
    stack.sweep()
    stack.hours_later(1)

    finding = stack.finding(PROTECTION)
    assert (finding.decision["action"], finding.decision["reason"]) == ("TICKET", "remediation_failed")
    assert stack.ticket_states(PROTECTION) == ["OPEN"]
    assert stack.dead_letters() == {}, "what it said is in the ledger"
    [told] = [one for one in stack.entries("decision") if "dead_letter" in one["evidence"]]
    assert PROTECTION in told["evidence"]["dead_letter"]
    assert stack.logged("remediation crashed")

    stack.aws.faults.clear()
    stack.hours_later(24)
    assert stack.finding(PROTECTION).workflow == "RESOLVED"
    assert stack.ticket_states(PROTECTION)[-1] == "RESOLVED"
