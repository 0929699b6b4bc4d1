"""The part of IAM's evaluation on which deliveries depend."""

from __future__ import annotations

import pytest

from console.local.permissions import Request, UnsupportedPolicyError, allows, managed_policy, parse_policy

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:triggers"
RULE = "arn:aws:events:eu-west-1:123456789012:rule/warden-Rds-1"


def judge(*statements, action="sqs:SendMessage", resource=QUEUE, service="events.amazonaws.com", **context):
    context = {name.replace("_", ":"): value for name, value in context.items()}
    return allows(
        parse_policy({"Statement": list(statements)}),
        Request(action=action, resource=resource, service=service, context=context),
    )


def allow(**changes):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
    }
    return {**statement, "Resource": QUEUE, **changes}


def test_nothing_is_allowed_by_nobody():
    assert not judge()


def test_a_statement_allows_what_it_names():
    assert judge(allow())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Action": ["sqs:ReceiveMessage", "sqs:SendMessage"]}, True),
        ({"Action": "SQS:send*"}, True),
        ({"Action": "sqs:SendMessage?"}, False),
        ({"Action": "sns:*"}, False),
        ({"Action": None, "NotAction": "sqs:DeleteMessage"}, True),
        ({"Action": None, "NotAction": "sqs:*"}, False),
        ({"Resource": "*"}, True),
        ({"Resource": "arn:aws:sqs:*:123456789012:trig*"}, True),
        ({"Resource": "arn:aws:sqs:eu-west-1:123456789012:Triggers"}, False),
        ({"Resource": None, "NotResource": "arn:aws:sqs:*:*:other"}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        ({"Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Principal": None, "NotPrincipal": {"Service": "events.amazonaws.com"}}, False),
    ],
)
def test_each_element_of_a_statement_must_fit(changes, expected):
    statement = {name: value for name, value in allow(**changes).items() if value is not None}
    assert judge(statement) is expected


def test_a_denial_wins():
    assert not judge(allow(), allow(Effect="Deny", Principal="*"))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"ArnEquals": {"aws:SourceArn": RULE}}, True),
        ({"ArnEquals": {"AWS:SourceARN": [RULE, "arn:aws:events:eu-west-1:123456789012:rule/other"]}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/warden-*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:*:rule/warden-*"}}, False),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-west-1:123456789012:rule/other"}}, False),
        ({"ArnNotLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/other"}}, True),
        ({"ArnNotEquals": {"aws:SourceArn": RULE}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012"}}, True),
        ({"StringEquals": {"aws:SourceAccount": ["1", "2"]}}, False),
        ({"StringLike": {"aws:SourceAccount": "1234*"}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, True),
        ({"StringNotLike": {"aws:SourceAccount": "1*"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:SourceArn": RULE.upper()}}, True),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Null": {"aws:SourceArn": "false"}}, True),
        ({"Null": {"aws:PrincipalOrgID": True}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        (
            {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnEquals": {"aws:SourceArn": "arn:x"}},
            False,
        ),
    ],
)
def test_every_condition_must_hold(condition, expected):
    circumstances = {
        "aws_SourceArn": RULE,
        "aws_SourceAccount": "123456789012",
        "aws_SecureTransport": "true",
    }
    assert judge(allow(Condition=condition), **circumstances) is expected


def test_a_condition_that_cannot_be_judged_is_not_guessed():
    with pytest.raises(UnsupportedPolicyError, match="IpAddress"):
        judge(allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))


def test_a_policy_of_an_identity_names_no_principal():
    statement = {"Effect": "Allow", "Action": "rds:Describe*", "Resource": "*"}
    assert judge(statement, action="rds:DescribeDBClusters", resource="arn:x", service=None)


def test_the_managed_policies_that_sam_attaches_are_known():
    basic = managed_policy("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    assert allows(basic, Request(action="logs:PutLogEvents", resource="arn:x"))
    assert not allows(basic, Request(action="sqs:ReceiveMessage", resource="arn:x"))
    assert managed_policy("arn:aws:iam::aws:policy/AdministratorAccess") is None
    assert managed_policy("arn:aws:iam::123456789012:policy/AWSLambdaBasicExecutionRole") is None
