"""The matcher against a file of cases: what EventBridge matches, does not match and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.local.patterns import InvalidPatternError, compile_pattern

CASES = json.loads(Path(__file__).with_name("patterns_cases.json").read_text(encoding="utf-8"))
EVENT = CASES["event"]
VALID = [case for case in CASES["cases"] if case["expect"] != "invalid"]
INVALID = [case for case in CASES["cases"] if case["expect"] == "invalid"]


def explain(pattern):
    return compile_pattern(pattern).explain(EVENT)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["name"])
def test_a_pattern_matches_as_in_eventbridge(case):
    assert compile_pattern(case["pattern"]).matches(EVENT) is case["expect"]


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case["name"])
def test_a_pattern_that_eventbridge_refuses_is_refused(case):
    with pytest.raises(InvalidPatternError):
        compile_pattern(case["pattern"])


def test_a_refusal_names_the_path_and_the_reason():
    with pytest.raises(InvalidPatternError) as refusal:
        compile_pattern({"detail": {"eventName": [{"wildcard": "a**b"}]}})
    assert refusal.value.path == "detail.eventName"
    assert "consecutive wildcards at position 1" in refusal.value.reason


def test_a_pattern_that_is_no_object_is_refused():
    with pytest.raises(InvalidPatternError, match="the pattern: must be an object, not an array"):
        compile_pattern(["aws.rds"])


def test_more_than_a_thousand_combinations_are_refused():
    branches = [{"n": [number]} for number in range(11)]
    pattern = {name: {"$or": branches} for name in ("a", "b", "c")}
    with pytest.raises(InvalidPatternError, match="1331 combinations"):
        compile_pattern(pattern)


def test_the_explanation_names_the_first_field_that_differs():
    pattern = {"source": ["aws.rds"], "detail": {"eventName": ["DeleteDBCluster"], "attempts": [9]}}
    assert explain(pattern) == 'detail.eventName is "ModifyDBCluster"; the pattern wants "DeleteDBCluster"'


def test_the_explanation_says_that_a_field_is_absent():
    assert explain({"detail": {"errorCode": ["Throttled"]}}).startswith("detail.errorCode is absent")


def test_the_explanation_says_that_patterns_see_leaves_only():
    text = explain({"detail": {"userIdentity": [{"exists": True}]}})
    assert text.startswith("detail.userIdentity is an object, and patterns see only leaves")


def test_the_explanation_says_that_an_array_is_empty():
    assert explain({"detail": {"sharedWith": ["all"]}}).startswith("detail.sharedWith is an empty array")


def test_the_explanation_says_that_no_single_element_satisfies_all():
    text = explain({"detail": {"tagSet": {"key": ["owner"], "value": ["production"]}}})
    assert text == "no single array element satisfies detail.tagSet.key and detail.tagSet.value together"


def test_the_explanation_takes_the_nearest_of_the_alternatives():
    branches = [
        {"source": ["aws.kms"], "region": ["us-east-1"]},
        {"source": ["aws.rds"], "region": ["us-east-1"]},
    ]
    assert explain({"$or": branches}) == (
        'none of 2 alternatives matches; in the nearest, region is "eu-central-1"; the pattern wants "us-east-1"'
    )


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["name"])
def test_the_explanation_agrees_with_the_answer(case):
    matched = explain(case["pattern"]) == "every field matches"
    assert matched is case["expect"]


def test_a_later_mention_of_a_field_replaces_an_earlier_one():
    pattern = {"$or": [{"source": ["aws.kms"]}, {"source": ["aws.ec2"]}], "source": ["aws.rds"]}
    assert compile_pattern(pattern).matches(EVENT)


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(leaves, leaves)
def test_a_value_matches_itself_and_only_what_equals_it_in_kind_and_value(wanted, found):
    same = type(wanted) is type(found) and wanted == found
    assert compile_pattern({"detail": {"x": [wanted]}}).matches({"detail": {"x": found}}) is same


@given(st.text(max_size=8), st.text(max_size=8))
def test_anything_but_is_the_opposite_of_equality(wanted, found):
    event = {"detail": {"x": found}}
    equal = compile_pattern({"detail": {"x": [wanted]}}).matches(event)
    different = compile_pattern({"detail": {"x": [{"anything-but": wanted}]}}).matches(event)
    assert equal is not different
