"""The language of IAM's policies: what is read, what is refused, and what a pattern covers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warden.core.iam_policy import (
    Condition,
    Effect,
    Principals,
    Statement,
    UnreadablePolicyError,
    matches,
    parse,
)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "kms:*", "Resource": "*", **elements}


def one(**elements: Any) -> Statement:
    [statement] = parse(policy(allow(**elements)))
    return statement


def test_a_statement_is_read_with_all_its_elements() -> None:
    statement = one(
        Sid="UseOfTheKey",
        Principal={"AWS": ["arn:aws:iam::123456789012:root", "210987654321"], "Service": "rds.amazonaws.com"},
        Action=["kms:Decrypt", "kms:DescribeKey"],
        Condition={"StringEquals": {"kms:CallerAccount": "123456789012"}},
    )
    assert statement == Statement(
        name="UseOfTheKey",
        effect=Effect.ALLOW,
        principals=Principals(
            aws=("arn:aws:iam::123456789012:root", "210987654321"), services=("rds.amazonaws.com",)
        ),
        actions=("kms:Decrypt", "kms:DescribeKey"),
        resources=("*",),
        conditions=(Condition(operator="stringequals", key="kms:calleraccount", values=("123456789012",)),),
    )


def test_a_statement_without_a_sid_is_named_by_its_place() -> None:
    [first, second] = parse(policy(allow(), allow(Sid="")))
    assert (first.name, second.name) == ("statement 1", "statement 2")


def test_a_single_statement_needs_no_list_and_a_mapping_is_read_like_its_json() -> None:
    document = {"Version": "2012-10-17", "Statement": allow()}
    assert parse(document) == parse(json.dumps(document))
    assert len(parse(document)) == 1


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_everybody_can_be_written_in_three_ways(principal: Any) -> None:
    assert one(Principal=principal).principals == Principals(aws=("*",))


def test_a_condition_keeps_its_qualifier_and_whether_the_key_must_exist() -> None:
    [condition] = one(
        Condition={"ForAnyValue:StringLikeIfExists": {"aws:PrincipalOrgPaths": ["o-abcdefghij/*"]}}
    ).conditions
    assert condition == Condition(
        operator="stringlike",
        key="aws:principalorgpaths",
        values=("o-abcdefghij/*",),
        qualifier="foranyvalue",
        if_exists=True,
    )


def test_values_without_quotes_are_texts() -> None:
    statement = one(Condition={"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"aws:Age": 300}})
    assert [condition.values for condition in statement.conditions] == [("true",), ("300",)]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        '{"Statement": "all"}',
        '{"Statement": [null]}',
        '{"Statement": [], "Remark": "no element of a policy"}',
        '{"Statement": [], "Statement": []}',
        '{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "*", "Resource": "*"}}',
        "[" * 100_000,
        policy({"Effect": "allow", "Action": "*", "Resource": "*"}),
        policy({"Action": "*", "Resource": "*"}),
        policy({"Effect": "Allow", "Resource": "*"}),
        policy(allow(Action=[])),
        policy(allow(Action={"kms": "*"})),
        policy(allow(Action=["kms:*", 1])),
        policy(allow(NotAction="kms:*")),
        policy(allow(NotResource="*")),
        policy(allow(Principal="*", NotPrincipal="*")),
        policy(allow(Principal=["*"])),
        policy(allow(Principal="123456789012")),
        policy(allow(Principal=None)),
        policy(allow(Principal={"aws": "*"})),
        policy(allow(Principal={"AWS": 123456789012})),
        policy(allow(Principle="*")),
        policy(allow(Sid=1)),
        policy(allow(Condition=[])),
        policy(allow(Condition={"StringEquals": "o-abcdefghij"})),
        policy(allow(Condition={"String Equals": {"a": "b"}})),
        policy(allow(Condition={"StringEquals": {"a": None}})),
        policy(allow(Condition={"StringEquals": {"a": {"b": "c"}}})),
    ],
)
def test_what_breaks_the_grammar_is_not_guessed_at(document: str) -> None:
    with pytest.raises(UnreadablePolicyError):
        parse(document)


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["Statement", "Effect", "Action", "Principal", "AWS", "Condition", "Resource"]) | st.text(), inner
)))  # fmt: skip
def test_whatever_json_comes_it_is_read_or_refused(document: Any) -> None:
    try:
        statements = parse(json.dumps(document))
    except UnreadablePolicyError:
        return
    assert all(isinstance(statement, Statement) for statement in statements)


@pytest.mark.parametrize(
    ("pattern", "text", "covered"),
    [
        ("*", "kms:Decrypt", True),
        ("kms:*", "kms:Decrypt", True),
        ("KMS:decrypt", "kms:Decrypt", True),
        ("kms:Decryp?", "kms:Decrypt", True),
        ("kms:De*ey", "kms:DescribeKey", True),
        ("kms:Decrypt", "kms:DecryptAll", False),
        ("kms.Decrypt", "kms:Decrypt", False),
        ("k?s:*", "kms:GenerateDataKey*", True),
        ("kms:GenerateDataKey?", "kms:GenerateDataKey*", False),
        ("kms:GenerateDataKey*", "kms:*", False),
    ],
)
def test_a_pattern_covers_what_iam_says_that_it_covers(pattern: str, text: str, covered: bool) -> None:
    assert matches(pattern, text, ignore_case=True) is covered


def test_resources_are_case_sensitive_and_their_wildcards_cross_colons() -> None:
    statement = one(Resource="arn:aws:rds-db:*:dbuser:cluster-ABC/*", Action="rds-db:connect")
    user = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABC/reader"
    [pattern] = statement.resources
    assert matches(pattern, user)
    assert not matches(pattern, user.replace("ABC", "abc"))
    assert statement.covers_action("rds-db:connect")
    assert not statement.covers_action("rds:DescribeDBClusters")


def test_not_action_and_not_resource_speak_of_all_others() -> None:
    [statement] = parse(
        policy({"Effect": "Allow", "NotAction": ["iam:*", "KMS:decrypt"], "NotResource": "arn:a"})
    )
    assert statement.covers_action("rds-db:connect")
    assert not statement.covers_action("iam:GetRole")
    assert not statement.covers_action("kms:Decrypt")
    assert (statement.resources, statement.not_resources) == ((), ("arn:a",))
