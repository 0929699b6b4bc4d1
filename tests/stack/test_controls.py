"""Every control, from a stranger's API call to its end: fixed, or told to a person with everything he needs."""

from __future__ import annotations

import pytest

from stack.cases import CASES
from stack.deployed import ALICE, CONTROLS, policy_text
from stack.play import Played, play
from warden.core.control import ComplianceType, Control, Safety
from warden.core.finding import WorkflowStatus

COMPLIANT, NON_COMPLIANT = ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT


def _writes(control: Control) -> bool:
    return control.remediation is not None and bool(control.remediation.permits)


def _asks_first(control: Control) -> bool:
    """Whether no line of policy lets it run unattended."""
    return control.remediation is not None and control.remediation.preflight


UNATTENDED = sorted(name for name, one in CONTROLS.items() if _writes(one) and not _asks_first(one))
BY_HAND = sorted(name for name, one in CONTROLS.items() if not _writes(one))
AFTER_APPROVAL = sorted(
    name
    for name, one in CONTROLS.items()
    if one.remediation and _writes(one) and (_asks_first(one) or one.remediation.safety is not Safety.SAFE)
)


@pytest.fixture(scope="session")
def allowed(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Everything drifts at once, and the policy allows whatever can be allowed."""
    return play(policy_text(only=CONTROLS), CASES.values(), tmp_path_factory.mktemp("allowed"))


@pytest.fixture(scope="module")
def cautious(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What costs money or cuts off clients drifts, and the policy allows neither."""
    cases = [CASES[name] for name in AFTER_APPROVAL]
    policy = policy_text(only=CONTROLS, costs=(), disruption=())
    return play(policy, cases, tmp_path_factory.mktemp("cautious"), by_hand=True)


def test_every_control_has_a_drift_here() -> None:
    assert set(CASES) == set(CONTROLS)
    assert {name for name, case in CASES.items() if case.writes} == {
        name for name, one in CONTROLS.items() if _writes(one)
    }
    assert len(UNATTENDED) > 10
    assert len(BY_HAND) > 2


@pytest.mark.parametrize("name", UNATTENDED)
def test_drift_by_an_api_call_is_found_decided_and_fixed(allowed: Played, name: str) -> None:
    case, entries = CASES[name], allowed.entries[name]
    found, decided, intended, done, *rest = entries
    assert (found["kind"], found["after"]["workflow"]) == ("finding", "NEW")
    assert found["cause"]["principal"] == ALICE.arn
    assert not found["cause"]["own"]
    assert (decided["after"]["action"], decided["after"]["reason"]) == ("REMEDIATE", "policy")
    assert (intended["kind"], intended["after"]["operation"]) == ("intent", case.writes[0])
    assert intended["before"], "what was there before is kept"
    assert (done["kind"], done["after"]["status"]) == ("outcome", "SUCCEEDED")
    assert done["after"]["calls"] == intended["after"]["calls"]
    assert tuple(call["operation"] for call in done["after"]["calls"]) == case.writes
    assert rest, "somebody has to look again"


@pytest.mark.parametrize("name", [name for name in UNATTENDED if not CASES[name].stays])
def test_the_live_resource_is_compliant_again_and_the_finding_resolved(allowed: Played, name: str) -> None:
    if name in allowed.before:
        assert allowed.before[name].compliance is COMPLIANT
    assert allowed.live[name].compliance is COMPLIANT
    assert allowed.findings[name].workflow is WorkflowStatus.RESOLVED
    (resolved,) = allowed.entries[name][4:]
    assert resolved["after"]["workflow"] == "RESOLVED"
    assert resolved["cause"]["own"], "the event of our own write says that it worked"
    assert resolved["cause"]["event_name"] == CASES[name].writes[0]
    assert allowed.tickets[name] == []


@pytest.mark.parametrize("name", [name for name in UNATTENDED if CASES[name].stays])
def test_where_the_original_cannot_be_fixed_a_ticket_tells_what_is_left_to_do(
    allowed: Played, name: str
) -> None:
    assert allowed.live[name].compliance is NON_COMPLIANT
    assert allowed.findings[name].workflow is WorkflowStatus.NOTIFIED
    (ticket,) = allowed.tickets[name]
    assert ticket["decision"]["reason"] == "no_remediation"
    assert "delete" in ticket["manual"]


def test_a_second_pass_writes_nothing(allowed: Played) -> None:
    assert allowed.writes
    assert allowed.later_writes == []


@pytest.mark.parametrize("name", UNATTENDED)
def test_one_drift_is_one_remediation(allowed: Played, name: str) -> None:
    intents = [entry for entry in allowed.entries[name] if entry["kind"] == "intent"]
    assert len(intents) == 1
    assert len(allowed.findings[name].attempts) == 1


@pytest.mark.parametrize("name", BY_HAND)
def test_what_nobody_can_fix_unattended_is_told_with_the_steps(allowed: Played, name: str) -> None:
    assert allowed.live[name].compliance is NON_COMPLIANT
    (ticket,) = allowed.tickets[name]
    assert ticket["state"] == "OPEN"
    assert (ticket["decision"]["action"], ticket["decision"]["reason"]) == ("TICKET", "no_remediation")
    assert ticket["plan"] == []
    assert "aws rds " in ticket["manual"], "the steps are commands"
    assert CASES[name].name in ticket["manual"]
    assert ticket["fix"]
    assert ticket["cause"]["principal"] == ALICE.arn
    assert allowed.findings[name].workflow is WorkflowStatus.NOTIFIED


@pytest.mark.parametrize("name", AFTER_APPROVAL)
def test_what_costs_or_disrupts_waits_for_an_approval_and_shows_its_plan(cautious: Played, name: str) -> None:
    assert cautious.writes == []
    _found, decided, *rest = cautious.entries[name]
    assert (decided["after"]["action"], decided["after"]["reason"]) == ("AWAIT_APPROVAL", "needs_approval")
    assert [entry["kind"] for entry in rest] == ["ticket"]
    (ticket,) = cautious.tickets[name]
    assert ticket["decision"]["action"] == "AWAIT_APPROVAL"
    assert tuple(call["operation"] for call in ticket["plan"]) == CASES[name].writes
    assert ticket["plan"] == decided["after"]["plan"] == list(cautious.findings[name].plan)
    assert cautious.live[name].compliance is NON_COMPLIANT


@pytest.mark.parametrize("name", AFTER_APPROVAL)
def test_the_plan_of_such_a_ticket_passes_the_write_guard_and_fixes(cautious: Played, name: str) -> None:
    if CASES[name].stays:
        assert cautious.by_hand[name].compliance is NON_COMPLIANT
        assert cautious.plans_left[name] == (), "there is nothing left to write"
    else:
        assert cautious.by_hand[name].compliance is COMPLIANT
