"""The secrets of ticket sinks: what the parameter lists, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from console.local.template import LocalTemplate, load_template
from template.conftest import TEMPLATE
from template.iam import Access, decide, role_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:warden/jira-AbCdEf"
SECOND = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:warden/slack-GhIjKl"
OTHER = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-0a1b-MnOpQr"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b"
THROUGH = {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}


@pytest.fixture(scope="module")
def stack_with_secrets() -> LocalTemplate:
    return load_template(TEMPLATE, {"TicketSecretArns": f"{FIRST},{SECOND}"})


def may(
    stack: LocalTemplate, action: str, resource: str, context: Mapping[str, str] | None = None
) -> list[str]:
    """The roles that may do it."""
    roles = [role.logical_id for role in stack.of_type("AWS::IAM::Role")]
    access = Access(action, resource, context or {})
    return [role for role in roles if decide(role_statements(stack, role), access).allowed]


def test_the_ticket_function_alone_reads_them_and_no_other(stack_with_secrets: LocalTemplate) -> None:
    for arn in (FIRST, SECOND):
        assert may(stack_with_secrets, "secretsmanager:GetSecretValue", arn) == ["TicketRole"]
    for arn in (OTHER, f"{FIRST}x", "*"):
        assert may(stack_with_secrets, "secretsmanager:GetSecretValue", arn) == []
    environment = stack_with_secrets.functions["TicketFunction"].environment
    assert environment["WARDEN_SINK_SECRET_ARNS"] == f"{FIRST},{SECOND}"


def test_keys_decrypt_them_for_secrets_manager_and_nothing_else(stack_with_secrets: LocalTemplate) -> None:
    policy = role_statements(stack_with_secrets, "TicketRole")
    context = "kms:EncryptionContext:SecretARN"
    for given, allowed in (
        ({**THROUGH, context: FIRST}, True),
        ({**THROUGH, context: OTHER}, False),
        (THROUGH, False),
        ({context: FIRST}, False),
    ):
        assert decide(policy, Access("kms:Decrypt", KEY, given)).allowed is allowed, given


def test_without_a_secret_nobody_reads_any(stack: LocalTemplate) -> None:
    assert may(stack, "secretsmanager:GetSecretValue", FIRST) == []
    assert stack.functions["TicketFunction"].environment["WARDEN_SINK_SECRET_ARNS"] == ""
