"""Whom a policy lets in: strangers by account and organization, conditions that hold and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from warden.core.iam_policy import parse
from warden.core.policy_access import Answer, Trusted, may, strangers

OWN, PARTNER, STRANGER = "123456789012", "210987654321", "666666666666"
ORGANIZATION, OTHER_ORGANIZATION = "o-abcdefghij", "o-zyxwvutsrq"
TRUSTED = Trusted(frozenset({OWN, PARTNER}), frozenset({ORGANIZATION}))
USE = ["kms:Decrypt", "kms:CreateGrant", "kms:DescribeKey"]


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def statement(**elements: Any) -> dict[str, Any]:
    return {"Sid": "Use", "Effect": "Allow", "Action": "kms:*", "Resource": "*", **elements}


def let_in(*statements: dict[str, Any], trusted: Trusted = TRUSTED) -> list[str]:
    return [stranger.who for stranger in strangers(parse({"Statement": list(statements)}), trusted)]


def everybody_if(condition: dict[str, Any]) -> list[str]:
    return let_in(statement(Principal="*", Condition=condition))


@pytest.mark.parametrize(
    ("principal", "who"),
    [
        ("*", ["*"]),
        ({"AWS": "*"}, ["*"]),
        ({"AWS": ["*", root(OWN)]}, ["*"]),
        ({"AWS": root(OWN)}, []),
        ({"AWS": OWN}, []),
        ({"AWS": [root(OWN), root(PARTNER)]}, []),
        ({"AWS": STRANGER}, [STRANGER]),
        ({"AWS": [root(STRANGER), root("555555555555"), root(OWN)]}, ["555555555555", STRANGER]),
        ({"AWS": f"arn:aws:iam::{STRANGER}:role/Reader"}, [STRANGER]),
        ({"AWS": f"arn:aws:sts::{STRANGER}:assumed-role/Reader/me"}, [STRANGER]),
        ({"AWS": f"arn:aws-us-gov:iam::{STRANGER}:root"}, [STRANGER]),
        ({"AWS": f"arn:aws:iam::{PARTNER}:role/Reader"}, []),
        ({"AWS": "arn:aws:iam::*:role/Reader"}, ["*"]),
        ({"AWS": "AROAEXAMPLEEXAMPLE12"}, []),
        ({"AWS": "somebody"}, ["somebody"]),
        ({"Service": "rds.amazonaws.com"}, []),
        ({"Service": "*"}, ["*"]),
        ({"Federated": f"arn:aws:iam::{STRANGER}:saml-provider/x"}, [STRANGER]),
        ({"Federated": "accounts.google.com"}, ["accounts.google.com"]),
        ({"CanonicalUser": "79a59df900b949e5"}, ["79a59df900b949e5"]),
        ({"AWS": []}, []),
    ],
)
def test_a_principal_is_a_stranger_by_its_account(principal: Any, who: list[str]) -> None:
    assert let_in(statement(Principal=principal)) == who


def test_everybody_but_somebody_is_everybody() -> None:
    assert let_in(statement(NotPrincipal={"AWS": root(STRANGER)})) == ["*"]


def test_a_denial_alone_lets_nobody_in() -> None:
    assert let_in(statement(Effect="Deny", Principal="*")) == []


def test_a_stranger_is_told_with_the_statement() -> None:
    [found] = strangers(parse({"Statement": statement(Principal="*")}), TRUSTED)
    assert str(found) == "Use lets in everybody"
    [found] = strangers(parse({"Statement": statement(Principal={"AWS": STRANGER}, Sid="")}), TRUSTED)
    assert str(found) == "statement 1 lets in 666666666666"


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalAccount": OWN}},
        {"StringEquals": {"AWS:principalaccount": [OWN, PARTNER]}},
        {"StringEqualsIfExists": {"aws:PrincipalAccount": OWN}},
        {"StringEquals": {"kms:CallerAccount": OWN}},
        {"StringLike": {"kms:CallerAccount": OWN}},
        {"StringEquals": {"aws:SourceAccount": OWN}},
        {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
        {"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": [ORGANIZATION]}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-ab12/*"}},
        {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": [f"{ORGANIZATION}/r-ab12/ou-ab12-1/"]}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}},
        {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{PARTNER}:role/Backup"}},
        {"ArnEquals": {"aws:SourceArn": f"arn:aws:rds:eu-west-1:{OWN}:cluster:*"}},
        {"Bool": {"aws:PrincipalIsAWSService": "true"}},
        {"StringEquals": {"aws:PrincipalAccount": []}},
        {"StringEquals": {"aws:PrincipalAccount": OWN, "kms:ViaService": "rds.eu-west-1.amazonaws.com"}},
        {"StringEquals": {"aws:PrincipalAccount": [OWN, STRANGER], "kms:CallerAccount": OWN}},
        {"StringLike": {"aws:PrincipalAccount": "*"}, "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    ],
)
def test_a_fixed_value_of_a_trusted_account_or_organization_keeps_strangers_out(condition: Any) -> None:
    assert everybody_if(condition) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"kms:ViaService": "rds.eu-west-1.amazonaws.com"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
        {"StringLike": {"aws:PrincipalAccount": "*"}},
        {"StringLike": {"aws:PrincipalAccount": "12345678901?"}},
        {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}},
        {"StringEquals": {"aws:PrincipalAccount": [OWN, "*"]}},
        {"StringNotEquals": {"aws:PrincipalAccount": OWN}},
        {"ForAllValues:StringEquals": {"aws:PrincipalAccount": OWN}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}},
        {"StringEqualsIfExists": {"kms:CallerAccount": OWN}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-ab12/*"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Backup"}},
        {"StringLike": {"aws:PrincipalArn": f"*:{OWN}:role/Backup"}},
        {"StringLike": {"aws:PrincipalArn": f"arn:*:iam::{OWN}:role/Backup"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket"}},
        {"StringEquals": {"aws:ResourceAccount": OWN}},
        {"Bool": {"aws:PrincipalIsAWSService": "false"}},
        {"BoolIfExists": {"aws:PrincipalIsAWSService": "true"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {},
    ],
)
def test_a_condition_that_strangers_can_meet_keeps_nobody_out(condition: Any) -> None:
    assert everybody_if(condition) == ["*"]


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        ({"StringEquals": {"aws:PrincipalAccount": [OWN, STRANGER]}}, [STRANGER]),
        ({"StringEquals": {"aws:PrincipalOrgID": [ORGANIZATION, OTHER_ORGANIZATION]}}, [OTHER_ORGANIZATION]),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{STRANGER}:role/*"}}, [STRANGER]),
    ],
)
def test_a_fixed_value_of_a_stranger_lets_that_one_in(condition: Any, who: list[str]) -> None:
    assert everybody_if(condition) == who


def test_conditions_narrow_principals_that_are_named() -> None:
    named = {"AWS": [root(STRANGER), root(OWN)]}
    narrowed = statement(Principal=named, Condition={"StringEquals": {"aws:PrincipalAccount": OWN}})
    assert let_in(narrowed) == []
    of_ours = statement(Principal=named, Condition={"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}})
    assert let_in(of_ours) == []
    of_theirs = statement(
        Principal=named, Condition={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANIZATION}}
    )
    assert let_in(of_theirs) == [STRANGER]


def deny(**elements: Any) -> dict[str, Any]:
    return statement(Effect="Deny", Sid="Fence", Principal="*", **elements)


NOT_OURS = {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}


@pytest.mark.parametrize(
    "fence",
    [
        deny(Condition=NOT_OURS),
        deny(Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}}),
        deny(Condition={**NOT_OURS, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}),
        deny(Condition={"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"}}),
        deny(Action="*", Condition={"StringNotEquals": {"aws:PrincipalAccount": [OWN, PARTNER]}}),
        deny(Condition={"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}}),
        deny(),
        statement(Effect="Deny", NotPrincipal={"AWS": root(OWN)}),
    ],
)
def test_a_denial_of_everybody_else_is_a_fence(fence: dict[str, Any]) -> None:
    assert let_in(statement(Principal="*"), fence) == []


@pytest.mark.parametrize(
    "fence",
    [
        deny(Condition={"Bool": {"aws:SecureTransport": "false"}}),
        deny(Condition={"StringEquals": {"aws:PrincipalOrgID": OTHER_ORGANIZATION}}),
        deny(Condition={**NOT_OURS, "Bool": {"aws:SecureTransport": "false"}}),
        deny(Condition={**NOT_OURS, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
        deny(Condition={"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"}}),
        deny(Condition={"StringNotLike": {"aws:PrincipalOrgID": "o-*"}}),
        deny(Condition=NOT_OURS, Action="kms:Decrypt"),
        deny(Condition=NOT_OURS, Resource="arn:aws:kms:eu-west-1:123456789012:key/other"),
        {**deny(Condition=NOT_OURS), "Principal": {"AWS": root(OWN)}},
        {**deny(Condition=NOT_OURS), "Principal": {"Service": "rds.amazonaws.com"}},
        statement(Effect="Deny", NotPrincipal="*"),
    ],
)
def test_a_denial_that_strangers_can_pass_is_no_fence(fence: dict[str, Any]) -> None:
    assert let_in(statement(Principal="*"), fence) == ["*"]


def test_a_fence_that_spares_a_stranger_lets_that_one_in() -> None:
    fence = deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": [OWN, STRANGER]}})
    assert let_in(statement(Principal="*"), fence) == [STRANGER]


def test_a_fence_around_some_actions_does_not_hold_an_allowance_of_all_but_some() -> None:
    allowance = {"Effect": "Allow", "NotAction": "kms:Decrypt", "Principal": "*", "Resource": "*"}
    assert let_in(allowance, deny(Condition=NOT_OURS)) == ["*"]
    assert let_in(allowance, deny(Condition=NOT_OURS, Action="*")) == []


# --- may --------------------------------------------------------------------------------------------------


def answer(*statements: dict[str, Any], account: str = PARTNER, action: str = "kms:CreateGrant") -> Answer:
    return may(
        parse({"Statement": list(statements)}),
        account,
        action,
        granted={"kms:viaservice", "kms:grantisforawsresource"},
    )


@pytest.mark.parametrize(
    "allowance",
    [
        statement(Principal={"AWS": root(PARTNER)}),
        statement(Principal={"AWS": f"arn:aws:iam::{PARTNER}:role/Backup"}, Action=USE),
        statement(Principal="*", Condition={"StringEquals": {"kms:CallerAccount": [OWN, PARTNER]}}),
        statement(Principal={"AWS": PARTNER}, Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        statement(
            Principal={"AWS": PARTNER}, Condition={"StringEquals": {"kms:ViaService": "rds.eu-west-1.x"}}
        ),
        {"Effect": "Allow", "NotAction": "kms:Put*", "Principal": {"AWS": PARTNER}, "Resource": "*"},
    ],
)
def test_an_account_may_what_a_statement_allows_it(allowance: dict[str, Any]) -> None:
    assert answer(allowance) is Answer.YES
    assert answer(statement(Principal={"AWS": root(OWN)}), allowance) is Answer.YES


@pytest.mark.parametrize(
    "allowance",
    [
        statement(Principal={"AWS": root(OWN)}),
        statement(Principal={"AWS": root(PARTNER)}, Action=["kms:Decrypt", "kms:DescribeKey"]),
        statement(Principal="*", Condition={"StringEquals": {"kms:CallerAccount": OWN}}),
        statement(Principal="*", Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    ],
)
def test_an_account_may_not_what_nothing_allows_it(allowance: dict[str, Any]) -> None:
    assert answer(allowance) is Answer.NO


@pytest.mark.parametrize(
    "allowance",
    [
        statement(Principal={"AWS": PARTNER}, Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        statement(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}),
    ],
)
def test_a_condition_that_nobody_here_can_judge_leaves_it_unknown(allowance: dict[str, Any]) -> None:
    assert answer(allowance) is Answer.UNKNOWN


@pytest.mark.parametrize(
    ("denial", "expected"),
    [
        (deny(Condition={"Bool": {"aws:SecureTransport": "false"}}), Answer.YES),
        (deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": [OWN, PARTNER]}}), Answer.YES),
        (deny(Action="kms:PutKeyPolicy"), Answer.YES),
        (deny(Condition={"StringNotEquals": {"aws:PrincipalAccount": OWN}}), Answer.NO),
        (deny(), Answer.NO),
        ({**deny(), "Principal": {"AWS": PARTNER}}, Answer.NO),
        ({**deny(), "Principal": {"AWS": root(PARTNER)}}, Answer.NO),
        ({**deny(), "Principal": {"AWS": STRANGER}}, Answer.YES),
        ({**deny(), "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:role/Guest"}}, Answer.UNKNOWN),
        (deny(Condition=NOT_OURS), Answer.UNKNOWN),
        (deny(Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}), Answer.UNKNOWN),
        (statement(Effect="Deny", NotPrincipal={"AWS": root(OWN)}), Answer.NO),
    ],
)
def test_a_denial_wins_where_it_strikes(denial: dict[str, Any], expected: Answer) -> None:
    assert answer(statement(Principal={"AWS": root(PARTNER)}), denial) is expected
