"""The daily comparison of CloudTrail with the ledger, over the template's own schedule, role and tables."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from console.local.identity import assumed_role
from stack import fleet
from stack.cases import CASES
from stack.deployed import ALICE, Deployed, policy_text
from stack.desk import answered, desk
from warden.core import heads
from warden.core.errors import TransientError
from warden.core.reconciliation import Recorded, compare, intended
from warden.gateways.ledger import DynamoLedger

if TYPE_CHECKING:
    from stack.case import Case
    from stack.conftest import Deploy


@pytest.fixture
def stack(deploy: Deploy) -> Deployed:
    """A deployment that has turned deletion protection on again, an hour ago."""
    stack = deploy()
    fleet.cluster(stack)
    stack.as_alice("modify_db_cluster", DBClusterIdentifier="orders", DeletionProtection=False)
    stack.hours_later(1)
    return stack


def reconcile(stack: Deployed) -> dict[str, Any]:
    invocation = stack.runtime.call(stack.function("sweep").logical_id, {"job": "reconcile"})
    assert invocation.error is None, invocation.error
    answer: Any = invocation.response
    return dict(answer)


def test_what_warden_wrote_is_what_cloudtrail_shows(stack: Deployed) -> None:
    answer = reconcile(stack)

    assert (answer["writes"], answer["intents"], answer["matched"]) == (1, 1, 1)
    assert (answer["differences"], answer["settled"], answer["problems"]) == ([], [], [])
    assert stack.entries("reconciliation")[-1]["after"]["matched"] == 1


def test_where_each_chain_ends_is_in_the_log_afterwards(stack: Deployed) -> None:
    reconcile(stack)

    told, differ = heads.told(stack.logged(heads.MESSAGE))
    assert (told, differ) == (stack.ledger.heads(), [])


def test_heads_that_cannot_be_read_are_a_problem(stack: Deployed) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoLedger, "heads", lambda _: refuse(TransientError("not now")))
        answer = reconcile(stack)

    assert answer["problems"] == ["The heads of the ledger could not be read: not now"]


def refuse(error: Exception) -> Any:
    raise error


@pytest.mark.slow
def test_a_day_reconciles_by_itself(stack: Deployed) -> None:
    stack.hours_later(24)

    assert len(stack.entries("reconciliation")) == 1
    assert stack.entries("reconciliation")[0]["after"]["differences"] == []


def write_as_warden(stack: Deployed, session: str) -> None:
    """Somebody has taken Warden's role, and writes what nobody intended."""
    role = stack.function("remediate").role_arn
    stack.aws.record_calls = False
    with stack.by(assumed_role(role, session)):
        stack.client("rds").modify_db_cluster(DBClusterIdentifier="orders", BackupRetentionPeriod=1)
    stack.aws.record_calls = True


@pytest.mark.parametrize("session", ["somebody", pytest.param("remediate", marks=pytest.mark.slow)])
def test_whoever_writes_with_our_role_is_found(stack: Deployed, session: str) -> None:
    write_as_warden(stack, stack.function("remediate").name if session == "remediate" else session)
    stack.hours_later(1)

    [difference] = reconcile(stack)["differences"]
    assert "ModifyDBCluster" in difference
    assert "assumed-role" in difference
    [line] = stack.logged("unreconciled")
    assert line["event_id"]
    assert reconcile(stack)["differences"] == [], "it is told once"


def test_a_lookup_that_is_refused_is_no_clean_record(stack: Deployed) -> None:
    stack.aws.faults.deny("cloudtrail:LookupEvents")

    answer = reconcile(stack)

    assert answer["problems"]
    assert stack.entries("reconciliation")[-1]["after"]["problems"] == answer["problems"]
    stack.aws.faults.clear()
    assert reconcile(stack)["matched"] == 1, "the same time is looked at again"


def test_an_outcome_that_a_crash_swallowed_is_settled(stack: Deployed) -> None:
    chain = next(chain for chain in stack.chains() if "/AWS::RDS::DBCluster/" in chain)
    links = [one for one in stack.ledger.read(chain) if one.entry["kind"] != "outcome"]
    [announced] = intended(chain, links)[0]

    found = compare(recorded(stack), [announced], since=announced.at - timedelta(hours=1), until=stack.now())

    assert [one.what.endswith("it was made.") for one in found.settled] == [True]
    assert found.differences == []


def recorded(stack: Deployed) -> list[Recorded]:
    """Every write of our role in the event history."""
    pages = stack.client("cloudtrail").get_paginator("lookup_events").paginate()
    records = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    found = [Recorded.of(record, {stack.function("remediate").role_arn}) for record in records]
    return [one for one in found if one is not None]


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.writes], ids=lambda case: case.control
)
def test_each_write_of_each_control_is_known_by_its_request_id_and_by_its_parameters(
    deploy: Deploy, case: Case
) -> None:
    more = f"[controls.{case.control}]\n{case.settings}" if case.settings else ""
    stack = deploy(policy=policy_text(only=(case.control,), more=more))
    with stack.quietly():
        fleet.key(stack)
        case.seed(stack, case.name)
    with stack.by(ALICE):
        case.drift(stack, case.name)
    stack.settle()
    stack.sweep()
    for request in desk(stack).requests():
        answered(stack, request)
    stack.hours_later(1)

    answer = reconcile(stack)

    assert (answer["differences"], answer["settled"], answer["problems"]) == ([], [], [])
    assert answer["matched"] == len(stack.writes) > 0
    # The same, had each step died before it could write the outcome down.
    bare = [
        one
        for chain, links in stack.chains().items()
        for one in intended(chain, [link for link in links if link.entry["kind"] == "intent"])[0]
    ]
    found = compare(recorded(stack), bare, since=bare[0].at - timedelta(hours=9), until=stack.now())
    assert [one.what for one in found.differences] == []
    assert [one for one in found.settled if one.what.endswith("not made.")] == []
