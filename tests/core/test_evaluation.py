"""Many controls look at the same facts, and each has the evidence of what it read itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from warden.controls import all_controls
from warden.core.control import ComplianceType, Verdict, compliant
from warden.core.evaluation import evaluate, evaluate_all
from warden.core.resource import Facts, Resource, ResourceRef, ResourceType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from warden.core.control import Control

REF = ResourceRef(ResourceType.DB_CLUSTER, "arn:aws:rds:eu-west-1:123456789012:cluster:orders")


def a_control(name: str, judge: Callable[[Resource, Mapping[str, Any]], Any]) -> Control:
    return replace(all_controls()[0], module=f"warden.controls.{name}", evaluate=judge)


def reads(*facts: str) -> Callable[[Resource, Mapping[str, Any]], Verdict]:
    def judge(resource: Resource, _: Mapping[str, Any]) -> Verdict:
        return compliant(f"{[resource.facts[fact] for fact in facts]}")

    return judge


def reads_a_parameter(name: str) -> Callable[[Resource, Mapping[str, Any]], Verdict]:
    return lambda resource, _: compliant(f"{resource.facts['Parameters'][name]}")


def raises(resource: Resource, _: Mapping[str, Any]) -> Verdict:
    raise ZeroDivisionError(resource.facts["Port"])


def a_cluster() -> Resource:
    parameters = Facts({"rds.force_ssl": "1", "log_connections": "0"})
    facts = Facts({"Engine": "aurora", "Port": 3306, "Parameters": parameters}, {"Members": "denied"})
    return Resource(ref=REF, facts=facts, observed_at=datetime(2026, 11, 24, tzinfo=UTC), key="k")


def test_each_control_has_the_evidence_of_what_it_read_itself():
    controls = [
        a_control("engine", reads("Engine")),
        a_control("members", reads("Port", "Members")),
        a_control("broken", raises),
        a_control("forgetful", lambda _resource, _settings: None),
        a_control("force", reads_a_parameter("rds.force_ssl")),
        a_control("log", reads_a_parameter("log_connections")),
        a_control("both", reads("Engine", "Port")),
    ]
    resource = a_cluster()
    found = evaluate_all(controls, resource, {control.id: {} for control in controls})

    assert [dict(one.evidence) for one in found] == [
        {"Engine": "aurora"},
        {"Members": {"missing": "denied"}, "Port": 3306},
        {"Port": 3306},
        {},
        {"Parameters": {"rds.force_ssl": "1"}},
        {"Parameters": {"log_connections": "0"}},
        {"Engine": "aurora", "Port": 3306},
    ]
    assert [one.missing for one in found] == ["", "Members", "", "", "", "", ""]
    assert ["ZeroDivisionError" in one.error for one in found] == [
        one.control.id == "broken" for one in found
    ]
    insufficient = {one.control.id for one in found if one.compliance is ComplianceType.INSUFFICIENT_DATA}
    assert insufficient == {"members", "broken", "forgetful"}
    assert resource.facts.evidence() == {}, "who judges leaves no trace in the facts themselves"


def test_one_by_one_controls_say_the_same_as_all_at_once():
    resource = a_cluster()
    controls = [a_control("engine", reads("Engine")), a_control("force", reads_a_parameter("rds.force_ssl"))]
    at_once = evaluate_all(controls, resource, {control.id: {} for control in controls})
    one_by_one = [evaluate(control, resource, {}) for control in controls]

    assert [(one.annotation, dict(one.evidence)) for one in at_once] == [
        (one.annotation, dict(one.evidence)) for one in one_by_one
    ]
