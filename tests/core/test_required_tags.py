"""Required tags: what counts as one, how drift is said, and what a person is told to run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from controls import items
from warden.core import required_tags
from warden.core.control import ComplianceType
from warden.core.resource import ResourceType


def said(tags: dict[str, str], *wanted: str) -> str:
    return required_tags.judge(_cluster(tags), {"required_tags": list(wanted)}).annotation


def told(tags: dict[str, str], *wanted: str) -> tuple[str, str]:
    manual = required_tags.by_hand(_cluster(tags), {"required_tags": list(wanted)})
    (step,) = manual.steps
    return manual.why, step


def _cluster(tags: dict[str, str]) -> Any:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return items.resource(ResourceType.DB_CLUSTER, {"TagList": listed})


def test_every_key_that_lacks_is_named_and_no_other() -> None:
    assert said({"team": "orders"}, "owner", "team", "cost-centre") == (
        "orders lacks the tags owner, cost-centre."
    )
    assert said({}, "owner") == "orders lacks the tag owner."
    assert said({}, "*") == "orders has no tag."


def test_a_key_that_differs_in_its_case_is_pointed_at() -> None:
    assert said({"Owner": "x"}, "owner") == (
        "orders lacks the tag owner, and Owner is written in another case."
    )


def test_a_wrong_value_is_quoted_beside_those_that_will_do() -> None:
    assert said({"env": "prd"}, "env=prod", "env=test", "owner") == (
        "orders lacks the tag owner; has env='prd', which is not prod or test."
    )


def test_a_value_cannot_break_out_of_its_line() -> None:
    assert "\u2028" not in said({"env": "a\u2028b"}, "env=prod")


@pytest.mark.parametrize("key", ["aws:cloudformation:stack-name", "rds:something"])
def test_tags_of_aws_are_none_of_ours(key: str) -> None:
    verdict = required_tags.judge(_cluster({key: "x"}), {"required_tags": ["*"]})
    assert verdict.compliance is ComplianceType.NON_COMPLIANT


def test_any_tag_is_no_wish_of_its_own_beside_a_key() -> None:
    assert said({}, "*", "owner") == "orders lacks the tag owner."
    _, step = told({}, "*", "owner")
    assert step.count("Key=") == 1


def test_the_command_has_all_keys_and_no_value() -> None:
    why, step = told({"env": "prd"}, "env=prod", "env=test", "cost centre")
    assert step == (
        "aws rds add-tags-to-resource --resource-name arn:aws:rds:eu-west-1:123456789012:cluster:orders "
        "--tags 'Key=cost centre,Value=YOUR-VALUE' Key=env,Value=YOUR-VALUE --region eu-west-1"
    )
    assert "Values that will do: env: prod or test." in why
    assert "in place of its own" in why


def test_whoever_has_fifty_tags_is_told_that_there_is_no_room() -> None:
    full = {f"key-{number}": "x" for number in range(50)}
    assert "no more than 50" in told(full, "owner")[0]
    assert "no more than 50" not in told({**full, "aws:stack": "x"}, "key-1=y")[0]


@pytest.mark.parametrize("text", ["aws:owner", "rds:owner", "owner!", "", "=x", "**"])
def test_no_policy_can_ask_for_what_nobody_may_give(text: str) -> None:
    assert not re.fullmatch(required_tags.REQUIRED_TAGS.pattern, text)
