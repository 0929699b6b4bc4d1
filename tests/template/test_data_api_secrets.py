"""Who may ask a database through the Data API: the sweep function, with the secrets that the parameter lists."""

from __future__ import annotations

import pytest

from console.local.template import LocalTemplate, load_template
from template.conftest import TEMPLATE
from template.iam import Access, decide, role_statements

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:warden/look-AbCdEf"
OTHER = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-0a1b-MnOpQr"
CLUSTER = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b"
CONTEXT = {
    "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
    "kms:EncryptionContext:SecretARN": SECRET,
}


@pytest.fixture(scope="module")
def asking() -> LocalTemplate:
    return load_template(TEMPLATE, {"DataApiSecretArns": SECRET})


def may(stack: LocalTemplate, access: Access) -> list[str]:
    """The roles that may do it."""
    roles = [role.logical_id for role in stack.of_type("AWS::IAM::Role")]
    return [role for role in roles if decide(role_statements(stack, role), access).allowed]


def test_the_sweep_function_alone_asks_and_with_no_other_secret(asking: LocalTemplate) -> None:
    assert may(asking, Access("rds-data:ExecuteStatement", CLUSTER)) == ["SweepRole"]
    assert may(asking, Access("secretsmanager:GetSecretValue", SECRET)) == ["SweepRole"]
    assert may(asking, Access("secretsmanager:GetSecretValue", OTHER)) == []
    sweep = role_statements(asking, "SweepRole")
    assert decide(sweep, Access("kms:Decrypt", KEY, CONTEXT)).allowed
    elsewhere = {**CONTEXT, "kms:EncryptionContext:SecretARN": OTHER}
    assert not decide(sweep, Access("kms:Decrypt", KEY, elsewhere)).allowed


@pytest.mark.parametrize(
    "action", ["BatchExecuteStatement", "BeginTransaction", "CommitTransaction", "ExecuteSql"]
)
def test_one_statement_is_all_that_it_may_send(asking: LocalTemplate, action: str) -> None:
    assert may(asking, Access(f"rds-data:{action}", CLUSTER)) == []


def test_without_a_secret_nobody_asks(stack: LocalTemplate) -> None:
    assert may(stack, Access("rds-data:ExecuteStatement", CLUSTER)) == []
    assert may(stack, Access("secretsmanager:GetSecretValue", SECRET)) == []
