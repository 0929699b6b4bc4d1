from __future__ import annotations

import pytest

from warden.core.connect_rights import speaks_of_connecting, too_wide

HERE = "arn:aws:rds-db:eu-west-1:123456789012:dbuser"


def policy(resource: str, action: str = "rds-db:connect") -> dict[str, object]:
    return {"Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}


@pytest.mark.parametrize(
    ("resource", "what"),
    [
        ("*", "as any user to any database"),
        ("arn:*", "as any user to any database"),
        ("arn:aws:rds-db:*", "as any user to any database"),
        ("arn:aws:rds-db:*:*:dbuser:*", "as any user to any database"),
        ("arn:aws:rds*:eu-west-1:123456789012:dbuser:*/*", "as any user to any database"),
        ("arn:aws:rds-db:*/jane", "as jane to any database"),
        (f"{HERE}:*/jane", "as jane to any database"),
        (f"{HERE}:cluster-*/jane", "as jane to any database"),
        (f"{HERE}:db-ABC/*", "as any user to db-ABC"),
        (f"{HERE}:db-ABC/app_?", "as any user like app_? to db-ABC"),
    ],
)
def test_a_wildcard_in_the_place_of_a_user_or_a_database_is_too_wide(resource: str, what: str) -> None:
    [grant] = too_wide(policy(resource), administrators=False)
    assert (grant.resource, grant.what) == (resource, what)


@pytest.mark.parametrize(
    "resource",
    [
        f"{HERE}:db-ABC/jane",
        f"{HERE}:prx-ABC/${{aws:username}}",
        "arn:aws:rds-db:*:*:dbuser:cluster-ABC/jane",
        "arn:aws:s3:::bucket/*",
        "arn:aws:rds:eu-west-1:123456789012:cluster:*",
        "arn:aws:rds-data:*",
    ],
)
def test_one_user_of_one_database_or_something_else_is_not(resource: str) -> None:
    assert too_wide(policy(resource), administrators=False) == []


@pytest.mark.parametrize("action", ["rds-db:connect", "rds-db:*", "RDS-DB:Connect", "rds-d?:c*", "rds*:*"])
def test_an_action_that_means_logins_counts(action: str) -> None:
    assert speaks_of_connecting(policy("*", action))
    assert too_wide(policy("*", action), administrators=False)


@pytest.mark.parametrize("action", ["*", "*:*", "*:connect"])
def test_an_action_that_means_every_service_is_an_administrators(action: str) -> None:
    assert speaks_of_connecting(policy("*", action))
    assert too_wide(policy("*", action), administrators=False) == []
    assert too_wide(policy("*", action), administrators=True)


def test_all_but_some_actions_are_an_administrators_too() -> None:
    power_user = {
        "Statement": {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}
    }
    assert too_wide(power_user, administrators=False) == []
    assert too_wide(power_user, administrators=True)
    without = {"Statement": {"Effect": "Allow", "NotAction": ["rds-db:*"], "Resource": "*"}}
    assert not speaks_of_connecting(without)
