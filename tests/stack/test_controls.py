"""Every control, from a stranger's API call to its end: fixed, or told to a person with everything he needs.

Each is deployed alone, so that what happens is its own doing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stack import fleet
from stack.cases import CASES, Case
from stack.deployed import ALICE, CONTROLS, Deployed, policy_text
from warden.core.control import ComplianceType, Control, Safety
from warden.core.finding import WorkflowStatus
from warden.core.plan import ONLY_APPROVED, Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stack.conftest import Deploy

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT


# One of each shape in every run of the tests; all of them in the slow one.
_ALWAYS = {
    "account_cloudtrail_covers_rds",
    "cluster_deletion_protection_enabled",
    "cluster_log_exports_complete",
    "cluster_master_secret_healthy",
    "cluster_tls_enforced",
    "db_snapshot_encrypted",
    "instance_not_publicly_accessible",
    "instance_storage_encrypted",
    "kms_key_usable",
    "security_group_not_open_to_world",
}


def _cases(names: Iterable[str]) -> list[Any]:
    return [name if name in _ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in names]


def _writes(control: Control) -> bool:
    return control.remediation is not None and bool(control.remediation.permits)


def _asks_first(control: Control) -> bool:
    """Whether no line of policy lets it run unattended."""
    if control.remediation is None:
        return False
    operations = {permit.operation for permit in control.remediation.permits}
    asks = control.remediation.preflight or control.remediation.asks
    return bool(asks or operations & ONLY_APPROVED)


def _is_procedure(control: Control) -> bool:
    """Whether its remediation takes several visits: see test_procedures.py and test_successor.py."""
    permits = control.remediation.permits if control.remediation else ()
    return any(permit.operation == "RestoreDBClusterFromSnapshot" for permit in permits)


# A control without a case fails a test of its own, below.
_COVERED = {name: one for name, one in CONTROLS.items() if name in CASES}
_COVERED = {name: one for name, one in _COVERED.items() if not _is_procedure(one)}
UNATTENDED = sorted(name for name, one in _COVERED.items() if _writes(one) and not _asks_first(one))
BY_HAND = sorted(name for name, one in _COVERED.items() if not _writes(one))
AFTER_APPROVAL = sorted(
    name
    for name, one in _COVERED.items()
    if one.remediation and _writes(one) and (_asks_first(one) or one.remediation.safety is not Safety.SAFE)
)


def drifted(deploy: Deploy, case: Case, *, allowed: bool = True) -> tuple[Deployed, str]:
    """Deploy one control, let its resource drift by Alice's calls, and let everything happen that follows."""
    allowances = tuple(CONTROLS) if allowed else ()
    settings = f"[controls.{case.control}]\n{case.settings}" if case.settings else ""
    stack = deploy(
        policy=policy_text(only=(case.control,), more=settings, costs=allowances, disruption=allowances)
    )
    # Whoever made it is not who let it drift.
    with stack.quietly():
        fleet.key(stack)
        arn = case.seed(stack, case.name)
    if case.seeded:
        assert stack.judged(case.control, arn).compliance in {COMPLIANT, ComplianceType.NOT_APPLICABLE}
    with stack.by(ALICE):
        case.drift(stack, case.name)
    assert stack.judged(case.control, arn).compliance is NON_COMPLIANT, stack.judged(
        case.control, arn
    ).annotation
    if case.told:
        stack.settle()
    else:
        stack.sweep()
    return stack, arn


def test_every_control_has_a_drift_here() -> None:
    assert set(CASES) == set(CONTROLS)
    assert {name for name, case in CASES.items() if case.writes} == {
        name for name, one in CONTROLS.items() if _writes(one)
    }
    assert len(UNATTENDED) > 10
    assert len(BY_HAND) > 2


@pytest.mark.parametrize("name", _cases(UNATTENDED))
def test_drift_by_an_api_call_is_found_decided_fixed_and_seen_to_be_fixed(deploy: Deploy, name: str) -> None:
    case = CASES[name]
    stack, arn = drifted(deploy, case)
    entries = stack.entries(control=name)
    found, decided = entries[:2]
    written = 2 + 2 * len(_calls_of(stack, name))
    steps = entries[2:written]
    assert (found["kind"], found["after"]["workflow"]) == ("finding", "NEW")
    assert found["cause"]["principal"] == (ALICE.arn if case.told else "")
    assert not found["cause"]["own"]
    assert (decided["after"]["action"], decided["after"]["reason"]) == ("REMEDIATE", "policy")
    for intended, done, operation in zip(steps[::2], steps[1::2], case.writes, strict=True):
        assert (intended["kind"], intended["after"]["operation"]) == ("intent", operation)
        assert (done["kind"], done["after"]["status"]) == ("outcome", "SUCCEEDED"), done["after"]
        assert [call["operation"] for call in done["after"]["calls"]] == [operation]
    assert tuple(stack.write_names) == case.writes

    # Half an hour later at most, whether or not an event has told of the write.
    stack.hours_later(0.5)
    finding = stack.finding(name, arn)
    if case.left:
        assert finding.workflow is WorkflowStatus.NOTIFIED
        (ticket,) = stack.tickets
        assert ticket["decision"]["reason"] == "no_remediation"
        assert case.left in ticket["manual"]
    else:
        assert stack.judged(name, arn).compliance is COMPLIANT
        assert finding.workflow is WorkflowStatus.RESOLVED
        verified, resolved = stack.entries(control=name)[written:]
        assert (verified["kind"], verified["after"]["status"]) == ("verification", "SUCCEEDED")
        assert resolved["after"]["workflow"] == "RESOLVED"
        assert resolved["cause"]["own"] is case.told, "where AWS tells of our write, that is what resolves"
        assert stack.tickets == []

    # And a second pass makes no write.
    stack.sweep()
    assert tuple(stack.write_names) == case.writes
    assert len(stack.finding(name, arn).attempts) == 1


def _calls_of(stack: Deployed, name: str) -> list[dict[str, Any]]:
    return stack.entries("intent", control=name)


@pytest.mark.parametrize("name", _cases(BY_HAND))
def test_what_nobody_can_fix_unattended_is_told_with_the_steps(deploy: Deploy, name: str) -> None:
    case = CASES[name]
    stack, arn = drifted(deploy, case)
    (ticket,) = (one for one in stack.tickets if one["resource"] == arn)
    assert (ticket["control"], ticket["state"]) == (name, "OPEN")
    assert (ticket["decision"]["action"], ticket["decision"]["reason"]) == ("TICKET", "no_remediation")
    assert ticket["plan"] == []
    assert ticket["manual"]
    assert ticket["fix"]
    assert ticket["cause"].get("principal", "") == (ALICE.arn if case.told else "")
    assert stack.finding(name, arn).workflow is WorkflowStatus.NOTIFIED
    assert stack.story(name)[:3] == ["finding NEW", "decision TICKET no_remediation", "ticket OPEN"]
    stack.sweep()
    assert stack.writes == []
    assert len([one for one in stack.tickets if one["resource"] == arn]) == 1, "it is told once"


@pytest.mark.parametrize("name", _cases(AFTER_APPROVAL))
def test_what_costs_or_disrupts_waits_for_an_approval_with_a_plan_that_works(
    deploy: Deploy, name: str
) -> None:
    case = CASES[name]
    stack, arn = drifted(deploy, case, allowed=_asks_first(CONTROLS[name]))
    assert stack.writes == []
    asked = ["finding NEW", "decision AWAIT_APPROVAL needs_approval", "ticket OPEN", "ticket CREATED"]
    assert stack.story(name) == asked
    finding = stack.finding(name, arn)
    (ticket,) = stack.tickets
    assert ticket["decision"]["action"] == "AWAIT_APPROVAL"
    assert tuple(call["operation"] for call in ticket["plan"]) == case.writes
    assert ticket["plan"] == list(finding.plan)
    assert stack.judged(name, arn).compliance is NON_COMPLIANT

    # A person has the plan applied by the same gateway, which refuses what no control declares.
    stack.apply_plan(finding)
    if case.left:
        assert not isinstance(stack.planned(name, arn), Plan), "there is nothing left to write"
    else:
        assert stack.judged(name, arn).compliance is COMPLIANT
