"""Selections of AWS Backup: the guide's own examples, and what other tools get wrong."""

from __future__ import annotations

from typing import Any

import pytest

from warden.core.backup_selections import Selection, names_the_type, selects, tags_that_select

CLUSTER = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
INSTANCE = "arn:aws:rds:eu-west-1:123456789012:db:billing"
BACKUP = {"backup": "true"}


def tag(key: str, value: str) -> dict[str, str]:
    return {"ConditionKey": key, "ConditionValue": value}


def listed(key: str, value: str) -> dict[str, str]:
    return {"ConditionType": "STRINGEQUALS", **tag(key, value)}


def condition(operator: str, key: str, value: str) -> dict[str, Any]:
    return {operator: [tag(f"aws:ResourceTag/{key}", value)]}


def outcome(arn: str, tags: dict[str, str], **selection: Any) -> bool | None:
    return selects(Selection({"SelectionName": "s", "IamRoleArn": "r", **selection}).relevant(arn), tags)


# --- ARNs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "cluster", "instance"),
    [
        ("*", True, True),
        ("arn:aws:rds:*", True, True),
        # Prowler looks for `:instance:`, which no ARN of RDS has, and knows no narrower pattern.
        ("arn:aws:rds:*:*:cluster:*", True, False),
        ("arn:aws:rds:*:*:db:*", False, True),
        ("arn:aws:rds:*:*:instance:*", False, False),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:*", True, False),
        ("arn:aws:rds:eu-central-1:123456789012:cluster:*", False, False),
        ("arn:aws:rds:eu-west-1:*:cluster:ord*", True, False),
        ("arn:aws:rds:eu-west-1:*:cluster:ORD*", False, False),
        (CLUSTER, True, False),
        (INSTANCE, False, True),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:orde", False, False),
        ("arn:aws:rds:*:*:cluster-snapshot:*", False, False),
        ("arn:aws:dynamodb:*", False, False),
        # A dot, or a question mark, is no wildcard.
        ("arn.aws:rds:*", False, False),
        ("arn:aws:rds:eu-west-1:123456789012:cluster:order?", False, False),
    ],
)
def test_a_pattern_selects_what_it_fits(pattern: str, cluster: bool, instance: bool) -> None:
    assert outcome(CLUSTER, {}, Resources=[pattern]) is cluster
    assert outcome(INSTANCE, {}, Resources=[pattern]) is instance


def test_one_of_several_patterns_is_enough() -> None:
    assert outcome(CLUSTER, {}, Resources=["arn:aws:ec2:*", INSTANCE, CLUSTER]) is True


@pytest.mark.parametrize("pattern", ["arn:aws:rds:*:*:cluster:*ders", "arn:aws:rds:*:*:cluster:o*s"])
def test_of_a_wildcard_within_a_name_the_documents_say_both(pattern: str) -> None:
    assert outcome(CLUSTER, {}, Resources=[pattern]) is None
    assert outcome(CLUSTER, {}, Resources=[pattern, CLUSTER]) is True
    assert outcome(CLUSTER, {}, Resources=["*"], NotResources=[pattern]) is None
    assert outcome(CLUSTER, {}, Resources=["*"], NotResources=[pattern, CLUSTER]) is False
    assert outcome(INSTANCE, {}, Resources=[pattern]) is False


def test_what_is_excluded_is_not_selected_however_it_was_included() -> None:
    assert outcome(CLUSTER, {}, Resources=["*"], NotResources=["arn:aws:rds:*:*:cluster:*"]) is False
    assert outcome(INSTANCE, {}, Resources=["*"], NotResources=["arn:aws:rds:*:*:cluster:*"]) is True
    assert outcome(CLUSTER, BACKUP, ListOfTags=[listed("backup", "true")], NotResources=[CLUSTER]) is False
    assert outcome(CLUSTER, {}, NotResources=[CLUSTER]) is False


def test_who_names_nothing_selects_everything() -> None:
    assert outcome(CLUSTER, {}) is True
    assert outcome(CLUSTER, {}, Resources=[], ListOfTags=[], Conditions={}) is True
    assert outcome(CLUSTER, {}, NotResources=[INSTANCE]) is True
    assert outcome(CLUSTER, {}, Conditions=condition("StringEquals", "backup", "true")) is False


# --- tags -------------------------------------------------------------------------------------------------


def test_one_of_several_tags_in_the_list_is_enough() -> None:
    tags = [listed("backup", "true"), listed("stage", "prod")]
    assert outcome(CLUSTER, {"stage": "prod"}, ListOfTags=tags) is True
    assert outcome(CLUSTER, {"stage": "test"}, ListOfTags=tags) is False
    assert outcome(CLUSTER, {"Stage": "prod", "backup": "True"}, ListOfTags=tags) is False
    # CloudFormation's documents write the key with the prefix.
    assert outcome(CLUSTER, BACKUP, ListOfTags=[listed("aws:ResourceTag/backup", "true")]) is True


def test_all_conditions_must_hold() -> None:
    both = {
        "StringEquals": [tag("aws:ResourceTag/backup", "true"), tag("aws:ResourceTag/stage", "prod")],
    }
    assert outcome(CLUSTER, {**BACKUP, "stage": "prod"}, Resources=["*"], Conditions=both) is True
    assert outcome(CLUSTER, BACKUP, Resources=["*"], Conditions=both) is False
    assert outcome(CLUSTER, {**BACKUP, "stage": "prod"}, Resources=[INSTANCE], Conditions=both) is False


def test_a_tag_that_is_not_there_has_not_the_value() -> None:
    but_tests = {
        **condition("StringEquals", "backup", "true"),
        **condition("StringNotEquals", "stage", "test"),
    }
    assert outcome(CLUSTER, BACKUP, Resources=["*"], Conditions=but_tests) is True
    assert outcome(CLUSTER, {**BACKUP, "stage": "prod"}, Resources=["*"], Conditions=but_tests) is True
    assert outcome(CLUSTER, {**BACKUP, "stage": "test"}, Resources=["*"], Conditions=but_tests) is False


def test_wildcards_in_values_stand_anywhere() -> None:
    conditions = {
        **condition("StringLike", "key1", "include*"),
        **condition("StringNotLike", "key2", "*exclude*"),
    }
    assert outcome(CLUSTER, {"key1": "included"}, Resources=["*"], Conditions=conditions) is True
    assert outcome(CLUSTER, {"key1": "include"}, Resources=["*"], Conditions=conditions) is True
    assert outcome(CLUSTER, {"key1": "not included"}, Resources=["*"], Conditions=conditions) is False
    tags = {"key1": "include", "key2": "to exclude it"}
    assert outcome(CLUSTER, tags, Resources=["*"], Conditions=conditions) is False
    any_value = condition("StringLike", "backup", "*")
    assert outcome(CLUSTER, {"backup": ""}, Resources=["*"], Conditions=any_value) is True
    assert outcome(CLUSTER, {}, Resources=["*"], Conditions=any_value) is False


def test_a_condition_whose_key_or_operator_nobody_documents_is_unknown() -> None:
    bare = {"StringEquals": [tag("backup", "true")]}
    assert outcome(CLUSTER, BACKUP, Resources=["*"], Conditions=bare) is None
    assert outcome(CLUSTER, BACKUP, Resources=["*"], Conditions={"StringMatches": [tag("a", "b")]}) is None
    # What is not included at all needs no condition.
    assert outcome(CLUSTER, BACKUP, Resources=[INSTANCE], Conditions=bare) is False


def test_the_guides_example_of_arns_tags_and_conditions_in_one() -> None:
    """All FSx file systems, one cluster, and all that is tagged "backup":"true", but no tests."""
    selection = {
        "Resources": ["arn:aws:fsx:*", "arn:aws:rds:*:*:cluster:orders"],
        "ListOfTags": [listed("backup", "true")],
        "Conditions": condition("StringNotEquals", "stage", "test"),
    }
    assert outcome(CLUSTER, {}, **selection) is True
    assert outcome(INSTANCE, BACKUP, **selection) is True
    assert outcome(INSTANCE, {}, **selection) is False
    assert outcome(CLUSTER, {"stage": "test"}, **selection) is False
    assert outcome(INSTANCE, {**BACKUP, "stage": "test"}, **selection) is False


# --- what else is asked of a selection --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "named"),
    [("*", False), ("arn:aws:rds:*", False), ("arn:aws:rds:*:*:db:*", True), (INSTANCE, True)],
)
def test_the_type_is_named_by_an_arn_or_a_pattern_of_it(pattern: str, named: bool) -> None:
    selection = {"SelectionName": "s", "Resources": [pattern]}
    assert names_the_type(Selection(selection).relevant(INSTANCE)) is named


def test_the_tags_that_select_are_those_of_the_list_and_of_equality() -> None:
    selection = {
        "SelectionName": "s",
        "ListOfTags": [listed("backup", "nightly")],
        "Conditions": {
            **condition("StringEquals", "tier", "1"),
            **condition("StringNotEquals", "stage", "test"),
            **condition("StringLike", "team", "ord*"),
        },
    }
    assert tags_that_select(Selection(selection).relevant(CLUSTER)) == {("backup", "nightly"), ("tier", "1")}


def test_of_many_arns_only_those_that_fit_are_kept() -> None:
    many = [f"arn:aws:rds:eu-west-1:123456789012:cluster:c-{number}" for number in range(499)]
    kept = Selection({"SelectionName": "s", "Resources": [*many, CLUSTER]}).relevant(CLUSTER)
    assert kept["Resources"] == [CLUSTER]
    assert Selection({"SelectionName": "s", "Resources": many}).relevant(CLUSTER)["Everything"] is False
