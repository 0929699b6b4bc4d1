"""Which role `remediate` may hand to a service, and to which: iam:PassRole is how one becomes somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from template.iam import Access, decide, role_statements
from warden.core.enhanced_monitoring import ROLE_NAME

if TYPE_CHECKING:
    from console.local.template import LocalTemplate

TO_MONITORING = {"iam:PassedToService": "monitoring.rds.amazonaws.com"}


def may_pass(stack: LocalTemplate, role: str, name: str, to: dict[str, str]) -> bool:
    """Whether one of our roles may hand over the role of a name."""
    passed = f"arn:aws:iam::{stack.account_id}:role/{name}"
    return decide(role_statements(stack, role), Access("iam:PassRole", passed, to)).allowed


def test_a_role_is_passed_to_enhanced_monitoring_and_only_by_remediate(stack: LocalTemplate) -> None:
    assert may_pass(stack, "RemediateRole", ROLE_NAME, TO_MONITORING)
    for role in ("EvaluateRole", "SweepRole", "TicketRole"):
        assert not may_pass(stack, role, ROLE_NAME, TO_MONITORING)


@pytest.mark.parametrize("service", ["lambda.amazonaws.com", "rds.amazonaws.com", "ec2.amazonaws.com"])
def test_no_role_is_passed_to_another_service(stack: LocalTemplate, service: str) -> None:
    assert not may_pass(stack, "RemediateRole", ROLE_NAME, {"iam:PassedToService": service})
    assert not may_pass(stack, "RemediateRole", ROLE_NAME, {})
