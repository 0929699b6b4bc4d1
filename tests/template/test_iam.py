"""The evaluator answers as IAM's documented evaluation logic does."""

from __future__ import annotations

from typing import Any

import pytest

from template.iam import Access, UnsupportedPolicyError, decide, is_arn_like, statements

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:triggers"


def policy(*items: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(items)}


def allow(action: Any = "sqs:SendMessage", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": "A", "Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "sqs:SendMessage", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Sid": "D", "Effect": "Deny"}


def allowed(access: Access, *items: dict[str, Any]) -> bool:
    return decide(statements(policy(*items)), access).allowed


SEND = Access("sqs:SendMessage", QUEUE)


def test_what_nothing_allows_is_not_allowed() -> None:
    decision = decide(statements(policy(allow("sqs:ReceiveMessage"))), SEND)
    assert (decision.allowed, str(decision)) == (False, "no statement allows it")


def test_a_denial_wins_wherever_it_stands() -> None:
    assert not allowed(SEND, deny(), allow())
    assert not allowed(SEND, allow(), deny())
    assert str(decide(statements(policy(allow(), deny())), SEND)) == "denied by D"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("sqs:SendMessage", True),
        ("SQS:sendmessage", True),
        ("sqs:Send*", True),
        ("sqs:SendMessag?", True),
        ("*", True),
        (["sqs:DeleteMessage", "sqs:*"], True),
        ("sqs:SendMessageBatch", False),
        ("sqs:Send", False),
        ("sns:*", False),
        ("sqs.SendMessage", False),
    ],
)
def test_actions_match_without_regard_to_case_and_as_a_whole(action: Any, *, expected: bool) -> None:
    assert allowed(SEND, allow(action)) is expected


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", QUEUE, True),
        (QUEUE, QUEUE, True),
        ("arn:aws:sqs:*:123456789012:triggers", QUEUE, True),
        ("arn:aws:sqs:eu-west-?:123456789012:trig*", QUEUE, True),
        ("arn:aws:sqs:*:triggers", QUEUE, None),
        ("arn:aws:sqs:*:*:*:triggers", QUEUE, False),
        ("arn:aws:sqs:eu-west-1*:123456789012:triggers", QUEUE, True),
        ("arn:aws:sqs:eu-west-1:123456789012:TRIGGERS", QUEUE, False),
        ("arn:aws:rds:eu-west-1:1:cluster:*", "arn:aws:rds:eu-west-1:1:cluster:orders", True),
        ("arn:aws:rds:eu-west-1:1:cluster:*", "arn:aws:rds:eu-west-1:1:cluster-pg:orders", False),
        ("arn:aws:rds:eu-west-1:1:cluster*", "arn:aws:rds:eu-west-1:1:cluster-pg:orders", True),
        ("arn:aws:rds:eu-west-1:1:snapshot:*", "arn:aws:rds:eu-west-1:1:snapshot:rds:orders-2026", True),
        ("arn:aws:rds::1:global-cluster:*", "arn:aws:rds::1:global-cluster:orders", True),
        ("arn:aws:rds::1:global-cluster:*", "arn:aws:rds:eu-west-1:1:global-cluster:orders", False),
        ("arn:aws:rds:eu-west-1:1:cluster:*", "arn:aws:rds:eu-west-1:2:cluster:orders", False),
        (QUEUE, "*", False),
    ],
)
def test_a_wildcard_stays_within_its_segment_of_the_arn(
    pattern: str, arn: str, expected: bool | None
) -> None:
    if expected is None:
        with pytest.raises(UnsupportedPolicyError, match="not a whole ARN"):
            is_arn_like(pattern, arn)
    else:
        assert is_arn_like(pattern, arn) is expected


def test_dots_and_brackets_are_themselves() -> None:
    assert not is_arn_like("arn:aws:sqs:eu-west-1:1:a.c", "arn:aws:sqs:eu-west-1:1:abc")
    assert is_arn_like("arn:aws:sqs:eu-west-1:1:a[b].fifo", "arn:aws:sqs:eu-west-1:1:a[b].fifo")


def test_not_action_and_not_resource_mean_everything_else() -> None:
    other = {"Effect": "Allow", "NotAction": "sqs:Delete*", "NotResource": QUEUE}
    assert not allowed(SEND, other)
    assert allowed(Access("sqs:SendMessage", f"{QUEUE}-2"), other)
    assert not allowed(Access("sqs:DeleteQueue", f"{QUEUE}-2"), other)


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {"aws:SourceAccount": "1"}, True),
        ({"StringEquals": {"AWS:sourceaccount": "1"}}, {"aws:SourceAccount": "1"}, True),
        ({"StringEquals": {"aws:SourceAccount": ["2", "1"]}}, {"aws:SourceAccount": "1"}, True),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {"aws:SourceAccount": "12"}, False),
        ({"StringEquals": {"aws:SourceAccount": "1"}}, {}, False),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, {}, True),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, {"aws:SourceAccount": "2"}, True),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}}, {"aws:SourceAccount": "2"}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, {}, True),
        (
            {"StringLike": {"kms:ViaService": "rds.*"}},
            {"kms:ViaService": "rds.eu-west-1.amazonaws.com"},
            True,
        ),
        ({"ArnEquals": {"aws:SourceArn": QUEUE}}, {"aws:SourceArn": QUEUE}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:sqs:*:*:trig*"}}, {"aws:SourceArn": QUEUE}, True),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:sqs:*:*:trig*"}}, {"aws:SourceArn": QUEUE}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:SecureTransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"}, False),
        ({"Null": {"aws:SourceArn": True}}, {}, True),
        ({"Null": {"aws:SourceArn": "true"}}, {"aws:SourceArn": QUEUE}, False),
        (
            {"StringEquals": {"a": "1"}, "Bool": {"b": "true"}},
            {"a": "1", "b": "false"},
            False,
        ),
    ],
)
def test_every_condition_must_hold_for_one_of_its_values(
    condition: dict[str, Any], context: dict[str, str], *, expected: bool
) -> None:
    access = Access("sqs:SendMessage", QUEUE, context)
    assert allowed(access, allow(Condition=condition)) is expected


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"Service": "events.amazonaws.com"}, True),
        ({"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}, True),
        ("*", True),
        ({"AWS": "*"}, True),
        ({"Service": "sns.amazonaws.com"}, False),
        ({"AWS": "arn:aws:iam::123456789012:root"}, False),
    ],
)
def test_a_policy_of_a_resource_speaks_of_its_principals_only(principal: Any, *, expected: bool) -> None:
    access = Access("sqs:SendMessage", QUEUE, principal="events.amazonaws.com")
    assert allowed(access, allow(Principal=principal)) is expected


def test_a_trust_policy_is_about_the_role_that_it_is_on() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = "arn:aws:iam::123456789012:role/evaluate"
    assert allowed(Access("sts:AssumeRole", role, principal="lambda.amazonaws.com"), trust)
    assert not allowed(Access("sts:AssumeRole", role, principal="ec2.amazonaws.com"), trust)


def test_a_statement_of_an_identity_without_a_resource_allows_nothing() -> None:
    assert not allowed(SEND, {"Effect": "Allow", "Action": "sqs:*"})


@pytest.mark.parametrize(
    "statement",
    [
        allow(Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}),
        allow(Condition={"NumericLessThan": {"s3:max-keys": "1"}}),
        allow(resource="arn:aws:sqs:eu-west-1:123456789012:${aws:username}"),
        allow(NotPrincipal={"AWS": "*"}),
    ],
)
def test_what_it_does_not_know_it_refuses_to_judge(statement: dict[str, Any]) -> None:
    access = Access("sqs:SendMessage", QUEUE, {"aws:TagKeys": "a", "s3:max-keys": "0"})
    with pytest.raises(UnsupportedPolicyError):
        allowed(access, statement)


def test_one_statement_need_not_be_in_a_list() -> None:
    assert decide(statements({"Statement": allow()}), SEND).allowed
